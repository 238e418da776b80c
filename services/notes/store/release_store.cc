#include "services/notes/store/release_store.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/entry_safety.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/entries.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsertConsent{"notes.consent.insert", R"sql(
  INSERT INTO consent (organization_id, case_id, consent_id, patient, purpose, recorder,
                       create_time, expire_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $4, $9))sql"};

const sql::Statement kGetConsent{"notes.consent.get", R"sql(
  SELECT consent_id, patient, purpose, recorder, create_time, expire_time, revoke_time, subject,
         document
  FROM consent WHERE organization_id = $1 AND case_id = $2 AND consent_id = $3)sql"};

const sql::Statement kRevokeConsent{"notes.consent.revoke", R"sql(
  UPDATE consent SET revoke_time = $4
  WHERE organization_id = $1 AND case_id = $2 AND consent_id = $3 AND revoke_time IS NULL)sql"};

const sql::Statement kListConsents{"notes.consent.list", R"sql(
  SELECT consent_id, patient, purpose, recorder, create_time, expire_time, revoke_time, subject,
         document
  FROM consent
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, consent_id) < ($3, $4)
  ORDER BY create_time DESC, consent_id DESC
  LIMIT $5)sql"};

const sql::Statement kConsented{"notes.consent.in_force", R"sql(
  SELECT DISTINCT patient FROM consent
  WHERE organization_id = $1 AND case_id = $2 AND purpose = $3 AND revoke_time IS NULL
    AND (expire_time IS NULL OR expire_time > $4)
  ORDER BY patient)sql"};

const sql::Statement kGetReleases{"notes.note_release.newest", R"sql(
  SELECT r.note_id, r.patient, r.version, r.note_version, r.addenda, r.state, r.reason,
         r.review_day, r.decider, r.decide_time, r.subject, r.document
  FROM note_release AS r
  WHERE r.organization_id = $1 AND r.case_id = $2
    AND r.note_id IN (SELECT value FROM json_each($3))
    AND r.version = (SELECT max(o.version) FROM note_release AS o
                     WHERE o.organization_id = $1 AND o.case_id = r.case_id
                       AND o.note_id = r.note_id AND o.patient = r.patient))sql"};

const sql::Statement kInsertRelease{"notes.note_release.insert", R"sql(
  INSERT INTO note_release (organization_id, case_id, note_id, patient, version, note_version,
                            addenda, state, reason, review_day, decider, decide_time, subject,
                            document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $4, $13))sql"};

const sql::Statement kSafetyPlans{"notes.safety_plan.any", R"sql(
  SELECT version FROM safety_plan WHERE organization_id = $1 AND case_id = $2 LIMIT 1)sql"};

const sql::Statement kGetLabels{"notes.case_label.get", R"sql(
  SELECT labels, recorder, update_time FROM case_label
  WHERE organization_id = $1 AND case_id = $2)sql"};

const sql::Statement kPutLabels{"notes.case_label.put", R"sql(
  INSERT INTO case_label (organization_id, case_id, labels, recorder, version, update_time)
  VALUES ($1, $2, $3, $4, 1, $5)
  ON CONFLICT (organization_id, case_id)
  DO UPDATE SET labels = excluded.labels, recorder = excluded.recorder,
                version = case_label.version + 1, update_time = excluded.update_time)sql"};

const sql::Statement kCasesOfPatient{"notes.case.seen_by_patient", R"sql(
  SELECT case_id FROM note_case
  WHERE organization_id = $1 AND (patient = $2 OR partner = $2)
  ORDER BY create_time, case_id
  LIMIT 50)sql"};

constexpr absl::CivilDay kDayZero(1970, 1, 1);

// Of something below a case.
struct Key {
  explicit Key(absl::string_view name)
      : organization(sql::Text(names::OrganizationId(name))),
        case_id(sql::Text(names::Id(name, "cases"))),
        last(sql::Text(names::Last(name))) {}
  sql::Value organization, case_id, last;
};

absl::StatusOr<v1::Consent> ReadConsent(crypto::Opener& opener, absl::string_view organization_id,
                                        absl::string_view case_id, const sql::Result& rows,
                                        size_t row) {
  const std::string name = names::Make(
      {{"organizations", organization_id}, {"cases", case_id}, {"consents", rows.Text(row, 0)}});
  ASSIGN_OR_RETURN(auto consent, UnsealOrErased<v1::Consent>(opener, {rows.Text(row, 7), name, 1},
                                                             rows.Bytes(row, 8)));
  consent.set_name(name);
  consent.set_patient(rows.Text(row, 1));
  consent.set_purpose(static_cast<v1::ConsentPurpose>(rows.Int(row, 2)));
  consent.set_recorder(rows.Text(row, 3));
  *consent.mutable_create_time() = time::ToTimestamp(rows.Time(row, 4));
  if (!rows.IsNull(row, 5)) {
    *consent.mutable_expire_time() = time::ToTimestamp(rows.Time(row, 5));
  }
  if (!rows.IsNull(row, 6)) {
    *consent.mutable_revoke_time() = time::ToTimestamp(rows.Time(row, 6));
  }
  return consent;
}

}  // namespace

absl::StatusOr<std::string> InsertConsent(sql::Transaction& tx, const crypto::Vault& vault,
                                          const v1::Consent& consent) {
  const Key key(consent.name());
  const absl::Time now = time::ToTime(consent.create_time());
  v1::Consent text;
  text.set_recipient(consent.recipient());
  text.set_scope(consent.scope());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {consent.patient(), consent.name(), 1}, text, now));
  tx.Defer(kInsertConsent,
           {key.organization, key.case_id, key.last, sql::Text(consent.patient()),
            sql::Int(consent.purpose()), sql::Text(consent.recorder()), sql::Micros(now),
            consent.has_expire_time() ? sql::Micros(time::ToTime(consent.expire_time()))
                                      : sql::Value(sql::Null{}),
            sealed});
  return StoredBytes(sealed);
}

absl::StatusOr<v1::Consent> GetConsent(sql::Session& session, const crypto::Vault& vault,
                                       absl::string_view name) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetConsent, {key.organization, key.case_id, key.last}));
  if (rows.empty()) return errors::NotFound("Consent");
  crypto::Opener opener(vault, session);
  return ReadConsent(opener, names::OrganizationId(name), names::Id(name, "cases"), rows, 0);
}

absl::Status RevokeConsent(sql::Transaction& tx, absl::string_view name, absl::Time now) {
  const Key key(name);
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kRevokeConsent, {key.organization, key.case_id, key.last, sql::Micros(now)}));
  if (result.affected() == 1) return absl::OkStatus();
  return errors::FailedPrecondition("ALREADY_REVOKED", "It was taken back before.");
}

absl::StatusOr<Listed<v1::Consent>> ListConsents(sql::Session& session, const crypto::Vault& vault,
                                                 absl::string_view organization_id,
                                                 absl::string_view case_id,
                                                 const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListConsents, {sql::Text(organization_id), sql::Text(case_id),
                                                 sql::Int(after.number), sql::Text(after.id),
                                                 sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::Consent>(
      rows, page,
      [&](size_t row) { return ReadConsent(opener, organization_id, case_id, rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 4), rows.Text(row, 0)};
      });
}

absl::StatusOr<std::vector<std::string>> ListConsented(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view case_id,
                                                       v1::ConsentPurpose purpose, absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kConsented, {sql::Text(organization_id), sql::Text(case_id),
                                              sql::Int(purpose), sql::Micros(now)}));
  std::vector<std::string> patients;
  for (size_t row = 0; row < rows.rows(); ++row) patients.push_back(rows.Text(row, 0));
  return patients;
}

absl::StatusOr<NoteReleases> GetNoteReleases(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view organization_id,
                                             absl::string_view case_id,
                                             const std::vector<std::string>& note_ids) {
  NoteReleases releases;
  if (note_ids.empty()) return releases;
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetReleases, {sql::Text(organization_id), sql::Text(case_id),
                                                sql::Text(JsonArray(note_ids))}));
  crypto::Opener opener(vault, session);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const std::string& patient = rows.Text(row, 1);
    const std::string note = names::Make(
        {{"organizations", organization_id}, {"cases", case_id}, {"notes", rows.Text(row, 0)}});
    const std::string name = absl::StrCat(note, "/releases/", names::Last(patient));
    ASSIGN_OR_RETURN(auto release, UnsealOrErased<v1::NoteRelease>(
                                       opener, {rows.Text(row, 10), name, rows.Int(row, 2)},
                                       rows.Bytes(row, 11)));
    release.set_name(name);
    release.set_note(note);
    release.set_patient(patient);
    release.set_etag(call::Etag(rows.Int(row, 2)));
    release.set_note_version(static_cast<int32_t>(rows.Int(row, 3)));
    release.set_addenda(static_cast<int32_t>(rows.Int(row, 4)));
    release.set_state(static_cast<v1::NoteReleaseState>(rows.Int(row, 5)));
    release.set_reason(static_cast<v1::NoteReleaseReason>(rows.Int(row, 6)));
    if (!rows.IsNull(row, 7)) {
      *release.mutable_review_date() = time::ToDate(kDayZero + rows.Int(row, 7));
    }
    release.set_decider(rows.Text(row, 8));
    *release.mutable_decide_time() = time::ToTimestamp(rows.Time(row, 9));
    releases.emplace(std::make_pair(rows.Text(row, 0), patient), std::move(release));
  }
  return releases;
}

absl::StatusOr<std::string> InsertNoteRelease(sql::Transaction& tx, const crypto::Vault& vault,
                                              const v1::NoteRelease& release) {
  int64_t version = 0;
  if (!absl::SimpleAtoi(release.etag(), &version)) return errors::Internal("no version");
  const absl::Time now = time::ToTime(release.decide_time());
  v1::NoteRelease text;
  text.set_explanation(release.explanation());
  if (release.has_redacted_content()) {
    *text.mutable_redacted_content() = release.redacted_content();
  }
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {release.patient(), release.name(), version}, text, now));
  const absl::Status status =
      tx.Query(
            kInsertRelease,
            {sql::Text(names::OrganizationId(release.note())),
             sql::Text(names::Id(release.note(), "cases")), sql::Text(names::Last(release.note())),
             sql::Text(release.patient()), sql::Int(version), sql::Int(release.note_version()),
             sql::Int(release.addenda()), sql::Int(release.state()), sql::Int(release.reason()),
             release.has_review_date()
                 ? sql::Int(time::ToCivilDay(release.review_date()) - kDayZero)
                 : sql::Value(sql::Null{}),
             sql::Text(release.decider()), sql::Micros(now), sealed})
          .status();
  if (absl::IsAlreadyExists(status) ||
      errors::MetadataValue(status, "constraint") == "note_release_immutable") {
    return errors::Aborted("LOST_RACE", "Another decision was made meanwhile. Repeat the call.");
  }
  RETURN_IF_ERROR(status);
  return StoredBytes(sealed);
}

absl::StatusOr<bool> HasSafetyFlag(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view organization_id, absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result plans,
                   session.Query(kSafetyPlans, {sql::Text(organization_id), sql::Text(case_id)}));
  if (!plans.empty()) return true;
  ASSIGN_OR_RETURN(const std::vector<v1::Entry> checks,
                   AllEntries(session, vault, organization_id, case_id,
                              {.kinds = {v1::ENTRY_KIND_SAFETY_CHECK}}));
  return IsSafetyFlagged(checks);
}

absl::StatusOr<v1::CaseLabels> GetCaseLabels(sql::Session& session,
                                             absl::string_view organization_id,
                                             absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetLabels, {sql::Text(organization_id), sql::Text(case_id)}));
  v1::CaseLabels labels;
  labels.set_name(
      absl::StrCat(names::InOrganization(organization_id, "cases", case_id), "/labels"));
  if (rows.empty()) return labels;
  for (const absl::string_view text : absl::StrSplit(rows.Text(0, 0), ',', absl::SkipEmpty())) {
    int number = 0;
    if (absl::SimpleAtoi(text, &number)) {
      labels.add_labels(static_cast<v1::CaseLabel>(number));
    }
  }
  labels.set_recorder(rows.Text(0, 1));
  *labels.mutable_update_time() = time::ToTimestamp(rows.Time(0, 2));
  return labels;
}

void PutCaseLabels(sql::Transaction& tx, absl::string_view organization_id,
                   absl::string_view case_id, const v1::CaseLabels& labels) {
  tx.Defer(kPutLabels,
           {sql::Text(organization_id), sql::Text(case_id),
            sql::Text(absl::StrJoin(labels.labels(), ",")), sql::Text(labels.recorder()),
            sql::Micros(time::ToTime(labels.update_time()))});
}

absl::StatusOr<std::vector<std::string>> ListCasesOfPatient(sql::Session& session,
                                                            absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCasesOfPatient,
                                 {sql::Text(names::OrganizationId(patient)), sql::Text(patient)}));
  std::vector<std::string> ids;
  for (size_t row = 0; row < rows.rows(); ++row) ids.push_back(rows.Text(row, 0));
  return ids;
}

}  // namespace rapport::notes
