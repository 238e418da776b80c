#include "services/notes/store/privacy_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/psychotherapy_store.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

using common::v1::Erasure;
using common::v1::LegalHold;

const sql::Statement kInsertHold{"notes.legal_hold.insert", R"sql(
  INSERT INTO legal_hold (organization_id, hold_id, patient, create_time, version, document, subject)
  VALUES ($1, $2, $3, $4, 1, $5, $6))sql"};

const sql::Statement kGetHold{"notes.legal_hold.get", R"sql(
  SELECT document, version, create_time, hold_id FROM legal_hold
  WHERE organization_id = $1 AND hold_id = $2)sql"};

const sql::Statement kReleaseHold{"notes.legal_hold.release", R"sql(
  UPDATE legal_hold SET release_time = $4, document = $5, version = version + 1
  WHERE organization_id = $1 AND hold_id = $2 AND version = $3 AND release_time IS NULL)sql"};

const sql::Statement kListHolds{"notes.legal_hold.list", R"sql(
  SELECT document, version, create_time, hold_id FROM legal_hold
  WHERE organization_id = $1 AND ($2 = '' OR patient = $2) AND ($3 = 1 OR release_time IS NULL)
    AND (create_time, hold_id) < ($4, $5)
  ORDER BY create_time DESC, hold_id DESC
  LIMIT $6)sql"};

const sql::Statement kStandingHold{"notes.legal_hold.standing", R"sql(
  SELECT hold_id FROM legal_hold
  WHERE organization_id = $1 AND patient = $2 AND release_time IS NULL
  ORDER BY create_time, hold_id
  LIMIT 1)sql"};

const sql::Statement kInsertErasure{"notes.erasure.insert", R"sql(
  INSERT INTO erasure (organization_id, erasure_id, patient, state, create_time, version, document)
  VALUES ($1, $2, $3, $4, $5, 1, $6))sql"};

const sql::Statement kUpdateErasure{"notes.erasure.update", R"sql(
  UPDATE erasure SET state = $4, document = $5, version = version + 1
  WHERE organization_id = $1 AND erasure_id = $2 AND version = $3)sql"};

const sql::Statement kFindErasure{"notes.erasure.find", R"sql(
  SELECT document, version FROM erasure WHERE organization_id = $1 AND patient = $2)sql"};

const sql::Statement kGetErasure{"notes.erasure.get", R"sql(
  SELECT document, version FROM erasure WHERE organization_id = $1 AND erasure_id = $2)sql"};

const sql::Statement kListErasures{"notes.erasure.list", R"sql(
  SELECT document, version, create_time, erasure_id FROM erasure
  WHERE organization_id = $1 AND ($2 = 0 OR state = 1) AND (create_time, erasure_id) < ($3, $4)
  ORDER BY create_time DESC, erasure_id DESC
  LIMIT $5)sql"};

const sql::Statement kCasesOf{"notes.case.of_patient", R"sql(
  SELECT c.case_id,
         CASE WHEN c.patient = $2 THEN c.partner ELSE c.patient END AS other,
         (SELECT count(*) FROM erasure AS e
          WHERE e.organization_id = $1
            AND e.patient = CASE WHEN c.patient = $2 THEN c.partner ELSE c.patient END)
  FROM note_case AS c
  WHERE c.organization_id = $1 AND (c.patient = $2 OR c.partner = $2)
  ORDER BY c.case_id)sql"};

// The tables that keep sealed documents of cases.
constexpr const char* kSealedTables[] = {"break_glass",
                                         "case_entry",
                                         "case_entry_revision",
                                         "consent",
                                         "determination",
                                         "formulation",
                                         "goal",
                                         "note_addendum",
                                         "note_case",
                                         "note_cosignature",
                                         "note_draft",
                                         "note_draft_copy",
                                         "note_prefill",
                                         "note_release",
                                         "note_version",
                                         "partner_screen",
                                         "partner_screen_countersign",
                                         "psychotherapy_note",
                                         "psychotherapy_release",
                                         "recording_selection",
                                         "risk_assessment",
                                         "safety_plan",
                                         "session_note",
                                         "session_rating",
                                         "session_recording",
                                         "supervised_case"};

// Of each: how many are sealed for one of $3, in the cases $2.
std::string CountSealed() {
  std::string sql;
  for (const char* table : kSealedTables) {
    absl::StrAppend(&sql, sql.empty() ? "" : " UNION ALL ", "SELECT '", table,
                    "' AS kind, count(*) AS number FROM ", table,
                    " WHERE organization_id = $1"
                    " AND case_id IN (SELECT value FROM json_each($2))"
                    " AND subject IN (SELECT value FROM json_each($3))");
  }
  return sql;
}
const sql::Statement kCountSealed{"notes.privacy.count_sealed", CountSealed()};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

SealedPlace HoldPlace(absl::string_view name, int64_t version) {
  return {names::Organization(names::OrganizationId(name)), std::string(name), version};
}

// From the columns document, version, create_time and hold_id.
absl::StatusOr<HoldRecord> ReadHold(crypto::Opener& opener, absl::string_view organization_id,
                                    const sql::Result& rows, size_t row) {
  const SealedPlace place = HoldPlace(
      names::InOrganization(organization_id, "legalHolds", rows.Text(row, 3)), rows.Int(row, 1));
  HoldRecord hold;
  ASSIGN_OR_RETURN(hold.resource, Unseal<LegalHold>(opener, place, rows.Bytes(row, 0)));
  hold.version = place.version;
  hold.resource.set_name(place.name);
  hold.resource.set_etag(call::Etag(hold.version));
  return hold;
}

ErasureRecord ReadErasure(const sql::Result& rows, size_t row) {
  ErasureRecord erasure{Parsed<Erasure>(rows.Bytes(row, 0)), rows.Int(row, 1)};
  erasure.resource.set_etag(call::Etag(erasure.version));
  return erasure;
}

}  // namespace

absl::StatusOr<std::string> InsertHold(sql::Transaction& tx, const crypto::Vault& vault,
                                       LegalHold& hold) {
  const SealedPlace place = HoldPlace(hold.name(), 1);
  const absl::Time now = time::ToTime(hold.create_time());
  hold.set_etag(call::Etag(1));
  ASSIGN_OR_RETURN(const sql::Value sealed, Seal(tx, vault, place, hold, now));
  RETURN_IF_ERROR(
      tx.Query(kInsertHold,
               {OrganizationOf(hold.name()), sql::Text(names::Last(hold.name())),
                sql::Text(hold.patient()), sql::Micros(now), sealed, sql::Text(place.subject)})
          .status());
  return StoredBytes(sealed);
}

absl::StatusOr<HoldRecord> GetHold(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetHold, {OrganizationOf(name), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("LegalHold");
  crypto::Opener opener(vault, session);
  return ReadHold(opener, names::OrganizationId(name), rows, 0);
}

absl::StatusOr<std::string> ReleaseHold(sql::Transaction& tx, const crypto::Vault& vault,
                                        HoldRecord& hold) {
  LegalHold& resource = hold.resource;
  const absl::Time now = time::ToTime(resource.release_time());
  resource.set_etag(call::Etag(hold.version + 1));
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, HoldPlace(resource.name(), hold.version + 1), resource, now));
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kReleaseHold, {OrganizationOf(resource.name()),
                                           sql::Text(names::Last(resource.name())),
                                           sql::Int(hold.version), sql::Micros(now), sealed}));
  if (result.affected() != 1) {
    return errors::FailedPrecondition("HOLD_RELEASED", "The hold was released before.");
  }
  ++hold.version;
  return StoredBytes(sealed);
}

absl::StatusOr<Listed<LegalHold>> ListHolds(sql::Session& session, const crypto::Vault& vault,
                                            absl::string_view organization_id,
                                            absl::string_view patient, bool show_released,
                                            const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListHolds, {sql::Text(organization_id), sql::Text(patient),
                                              sql::Bool(show_released), sql::Int(after.number),
                                              sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<LegalHold>(
      rows, page,
      [&](size_t row) -> absl::StatusOr<LegalHold> {
        ASSIGN_OR_RETURN(HoldRecord hold, ReadHold(opener, organization_id, rows, row));
        return std::move(hold.resource);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 3)};
      });
}

absl::StatusOr<std::string> StandingHold(sql::Session& session, absl::string_view patient) {
  const absl::string_view organization_id = names::OrganizationId(patient);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kStandingHold, {sql::Text(organization_id), sql::Text(patient)}));
  if (rows.empty()) return std::string();
  return names::InOrganization(organization_id, "legalHolds", rows.Text(0, 0));
}

absl::StatusOr<std::optional<ErasureRecord>> FindErasure(sql::Session& session,
                                                         absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFindErasure, {OrganizationOf(patient), sql::Text(patient)}));
  if (rows.empty()) return std::nullopt;
  return ReadErasure(rows, 0);
}

absl::StatusOr<ErasureRecord> GetErasure(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetErasure, {OrganizationOf(name), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Erasure");
  return ReadErasure(rows, 0);
}

absl::StatusOr<Listed<Erasure>> ListErasures(sql::Session& session,
                                             absl::string_view organization_id, bool under_way_only,
                                             const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListErasures, {sql::Text(organization_id),
                                                 sql::Bool(under_way_only), sql::Int(after.number),
                                                 sql::Text(after.id), sql::Int(page.size + 1)}));
  return TakePage<Erasure>(
      rows, page, [&](size_t row) { return ReadErasure(rows, row).resource; },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 3)};
      });
}

absl::StatusOr<std::string> InsertErasure(sql::Transaction& tx, Erasure& erasure) {
  erasure.set_etag(call::Etag(1));
  std::string document = erasure.SerializeAsString();
  RETURN_IF_ERROR(tx.Query(kInsertErasure,
                           {OrganizationOf(erasure.name()), sql::Text(names::Last(erasure.name())),
                            sql::Text(erasure.patient()), sql::Int(erasure.state()),
                            sql::Micros(time::ToTime(erasure.create_time())), sql::Bytes(document)})
                      .status());
  return document;
}

absl::StatusOr<std::string> UpdateErasure(sql::Transaction& tx, ErasureRecord& erasure) {
  Erasure& resource = erasure.resource;
  resource.set_etag(call::Etag(erasure.version + 1));
  std::string document = resource.SerializeAsString();
  RETURN_IF_ERROR(Changed(
      tx.Query(kUpdateErasure,
               {OrganizationOf(resource.name()), sql::Text(names::Last(resource.name())),
                sql::Int(erasure.version), sql::Int(resource.state()), sql::Bytes(document)})));
  ++erasure.version;
  return document;
}

absl::StatusOr<Shredded> Shred(sql::Transaction& tx, const crypto::Vault& vault,
                               absl::string_view patient, absl::Time now) {
  const absl::string_view organization_id = names::OrganizationId(patient);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   tx.Query(kCasesOf, {sql::Text(organization_id), sql::Text(patient)}));
  Shredded shredded;
  std::vector<std::string> case_ids;
  std::vector<std::string> subjects = {std::string(patient)};
  for (size_t row = 0; row < rows.rows(); ++row) {
    case_ids.push_back(rows.Text(row, 0));
    std::string name = names::InOrganization(organization_id, "cases", rows.Text(row, 0));
    const bool couple = !rows.Text(row, 1).empty();
    const bool kept = couple && rows.Int(row, 2) == 0;
    if (couple && !kept) subjects.push_back(name);
    (kept ? shredded.kept_cases : shredded.whole_cases).push_back(std::move(name));
    if (kept) continue;
    ASSIGN_OR_RETURN(const std::vector<std::string> apart,
                     ListPsychotherapySubjects(tx, organization_id, rows.Text(row, 0)));
    subjects.insert(subjects.end(), apart.begin(), apart.end());
  }
  ASSIGN_OR_RETURN(
      const sql::Result counts,
      tx.Query(kCountSealed, {sql::Text(organization_id), sql::Text(JsonArray(case_ids)),
                              sql::Text(JsonArray(subjects))}));
  for (size_t row = 0; row < counts.rows(); ++row) {
    if (counts.Int(row, 1) == 0) continue;
    common::v1::ErasedKind& kind = shredded.covers.emplace_back();
    kind.set_kind(counts.Text(row, 0));
    kind.set_count(static_cast<int32_t>(counts.Int(row, 1)));
  }
  for (const std::string& subject : subjects) vault.Shred(tx, organization_id, subject, now);
  return shredded;
}

}  // namespace rapport::notes
