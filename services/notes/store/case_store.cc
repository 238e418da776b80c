#include "services/notes/store/case_store.h"

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/payloads.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kGetCase{"notes.case.get", R"sql(
  SELECT c.case_id, c.patient, c.clinician, c.formulation_due_session, c.version, c.create_time,
         c.update_time, c.document, d.document, f.document,
         (SELECT count(*) FROM determination AS past
          WHERE past.organization_id = $1 AND past.case_id = c.case_id),
         c.partner, c.subject, c.document_version, d.determination_id, d.subject, f.subject,
         c.formulation_version
  FROM note_case AS c
  LEFT JOIN determination AS d
    ON d.organization_id = $1 AND d.case_id = c.case_id AND d.reopen_time IS NULL
  LEFT JOIN formulation AS f
    ON f.organization_id = $1 AND f.case_id = c.case_id AND f.version = c.formulation_version
  WHERE c.organization_id = $1 AND c.case_id = $2)sql"};

const sql::Statement kListCases{"notes.case.list", R"sql(
  SELECT c.case_id, c.patient, c.clinician, c.formulation_due_session, c.version, c.create_time,
         c.update_time, c.document, d.document, f.document,
         (SELECT count(*) FROM determination AS past
          WHERE past.organization_id = $1 AND past.case_id = c.case_id),
         c.partner, c.subject, c.document_version, d.determination_id, d.subject, f.subject,
         c.formulation_version
  FROM note_case AS c
  LEFT JOIN determination AS d
    ON d.organization_id = $1 AND d.case_id = c.case_id AND d.reopen_time IS NULL
  LEFT JOIN formulation AS f
    ON f.organization_id = $1 AND f.case_id = c.case_id AND f.version = c.formulation_version
  WHERE c.organization_id = $1 AND c.clinician IN (SELECT value FROM json_each($2))
    AND (c.create_time, c.case_id) < ($3, $4)
  ORDER BY c.create_time DESC, c.case_id DESC
  LIMIT $5)sql"};

const sql::Statement kUpdateCase{"notes.case.update", R"sql(
  UPDATE note_case
  SET formulation_version = $3, update_time = $4, document = $5, version = version + 1,
      document_version = version + 1, subject = $7
  WHERE organization_id = $1 AND case_id = $2 AND version = $6)sql"};

const sql::Statement kCourseOfCase{"notes.case.course", R"sql(
  SELECT patient, clinician, formulation_due_session, course_version, partner
  FROM note_case WHERE organization_id = $1 AND case_id = $2)sql"};

const sql::Statement kInsertCase{"notes.case.insert", R"sql(
  INSERT INTO note_case (organization_id, case_id, patient, clinician, formulation_due_session,
                         course_version, formulation_version, version, create_time, update_time,
                         document, partner, subject, document_version)
  VALUES ($1, $2, $3, $4, $5, $6, 0, 1, $7, $7, $9, $8, '', 0))sql"};

const sql::Statement kFollowCourse{"notes.case.follow", R"sql(
  UPDATE note_case
  SET patient = $3, clinician = $4, formulation_due_session = $5, course_version = $6,
      partner = $9, version = version + $7, update_time = CASE WHEN $7 > 0 THEN $8 ELSE update_time END
  WHERE organization_id = $1 AND case_id = $2 AND course_version < $6)sql"};

const sql::Statement kInsertDetermination{"notes.determination.insert", R"sql(
  INSERT INTO determination (organization_id, case_id, determination_id, sign_time, machine_time,
                             document, subject)
  VALUES ($1, $2, $3, $4, $5, $6, $7))sql"};

const sql::Statement kGetDetermination{"notes.determination.get", R"sql(
  SELECT document, reopen_time, sign_time, determination_id, subject FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3)sql"};

const sql::Statement kReopenDetermination{"notes.determination.reopen", R"sql(
  UPDATE determination
  SET reopen_time = $4, reopen_clinician = $5, reopen_reason = '', reopen_document = $6
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3
    AND reopen_time IS NULL)sql"};

const sql::Statement kListDeterminations{"notes.determination.list", R"sql(
  SELECT document, reopen_time, sign_time, determination_id, subject FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND (sign_time, determination_id) < ($3, $4)
  ORDER BY sign_time DESC, determination_id DESC
  LIMIT $5)sql"};

const sql::Statement kInsertFormulation{"notes.formulation.insert", R"sql(
  INSERT INTO formulation (organization_id, case_id, version, document, subject)
  VALUES ($1, $2, $3, $4, $5))sql"};

const sql::Statement kGetFormulation{"notes.formulation.get", R"sql(
  SELECT document, version, subject FROM formulation
  WHERE organization_id = $1 AND case_id = $2 AND version = $3)sql"};

const sql::Statement kListFormulations{"notes.formulation.list", R"sql(
  SELECT document, version, subject FROM formulation
  WHERE organization_id = $1 AND case_id = $2 AND version < $3
  ORDER BY version DESC
  LIMIT $4)sql"};

std::string CaseName(absl::string_view organization_id, absl::string_view case_id) {
  return names::InOrganization(organization_id, "cases", case_id);
}

SealedPlace DeterminationPlace(absl::string_view case_name, absl::string_view id,
                               const std::string& subject) {
  return {subject, absl::StrCat(case_name, "/determinations/", id), 1};
}

SealedPlace FormulationPlace(absl::string_view case_name, int64_t version,
                             const std::string& subject) {
  return {subject, absl::StrCat(case_name, "/formulations/", version), version};
}

// From the columns of kGetDetermination.
absl::StatusOr<v1::Determination> ReadDetermination(crypto::Opener& opener,
                                                    absl::string_view case_name,
                                                    const sql::Result& rows, size_t row) {
  const SealedPlace place = DeterminationPlace(case_name, rows.Text(row, 3), rows.Text(row, 4));
  ASSIGN_OR_RETURN(auto determination,
                   UnsealOrErased<v1::Determination>(opener, place, rows.Bytes(row, 0)));
  determination.set_name(place.name);
  *determination.mutable_sign_time() = time::ToTimestamp(rows.Time(row, 2));
  if (!rows.IsNull(row, 1)) {
    determination.set_reopened(true);
    *determination.mutable_reopen_time() = time::ToTimestamp(rows.Time(row, 1));
  }
  return determination;
}

// From the columns of kGetFormulation.
absl::StatusOr<v1::Formulation> ReadFormulation(crypto::Opener& opener, absl::string_view case_name,
                                                const sql::Result& rows, size_t row) {
  ASSIGN_OR_RETURN(auto formulation,
                   UnsealOrErased<v1::Formulation>(
                       opener, FormulationPlace(case_name, rows.Int(row, 1), rows.Text(row, 2)),
                       rows.Bytes(row, 0)));
  formulation.set_version(static_cast<int32_t>(rows.Int(row, 1)));
  return formulation;
}

absl::StatusOr<CaseRecord> ReadCase(crypto::Opener& opener, const sql::Result& rows, size_t row,
                                    absl::string_view organization_id) {
  CaseRecord record;
  record.version = rows.Int(row, 4);
  record.was_determined = rows.Int(row, 10) > 0;
  const std::string& id = rows.Text(row, 0);
  const std::string name = CaseName(organization_id, id);
  v1::Case& resource = record.resource;
  if (const int64_t version = rows.Int(row, 13); version > 0) {
    ASSIGN_OR_RETURN(resource, UnsealOrErased<v1::Case>(opener, {rows.Text(row, 12), name, version},
                                                        rows.Bytes(row, 7)));
  }
  resource.set_name(name);
  resource.set_course(names::InOrganization(organization_id, "courses", id));
  resource.set_patient(rows.Text(row, 1));
  resource.set_partner(rows.Text(row, 11));
  resource.set_clinician(rows.Text(row, 2));
  resource.set_formulation_due_session(static_cast<int32_t>(rows.Int(row, 3)));
  resource.set_etag(call::Etag(record.version));
  *resource.mutable_create_time() = time::ToTimestamp(rows.Time(row, 5));
  *resource.mutable_update_time() = time::ToTimestamp(rows.Time(row, 6));
  if (!rows.IsNull(row, 8)) {
    const SealedPlace place = DeterminationPlace(name, rows.Text(row, 14), rows.Text(row, 15));
    ASSIGN_OR_RETURN(*resource.mutable_determination(),
                     UnsealOrErased<v1::Determination>(opener, place, rows.Bytes(row, 8)));
    resource.mutable_determination()->set_name(place.name);
  }
  if (!rows.IsNull(row, 9)) {
    const int64_t version = rows.Int(row, 17);
    ASSIGN_OR_RETURN(
        *resource.mutable_formulation(),
        UnsealOrErased<v1::Formulation>(opener, FormulationPlace(name, version, rows.Text(row, 16)),
                                        rows.Bytes(row, 9)));
    resource.mutable_formulation()->set_version(static_cast<int32_t>(version));
  }
  return record;
}

// What the row's document holds: that which has no column or table of its own.
v1::Case OwnPart(const v1::Case& resource) {
  v1::Case own = resource;
  for (const char* field :
       {"name", "course", "patient", "partner", "clinician", "determination", "formulation",
        "formulation_due_session", "etag", "create_time", "update_time", "erased"}) {
    own.GetReflection()->ClearField(&own, v1::Case::descriptor()->FindFieldByName(field));
  }
  return own;
}

}  // namespace

absl::StatusOr<CaseRecord> GetCase(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view organization_id, absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetCase, {sql::Text(organization_id), sql::Text(case_id)}));
  if (rows.empty()) return errors::NotFound("Case");
  crypto::Opener opener(vault, session);
  return ReadCase(opener, rows, 0, organization_id);
}

absl::StatusOr<Listed<v1::Case>> ListCases(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view organization_id,
                                           const std::vector<std::string>& clinicians,
                                           const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListCases,
                    {sql::Text(organization_id), sql::Text(JsonArray(clinicians)),
                     sql::Int(after.number), sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::Case>(
      rows, page,
      [&](size_t row) -> absl::StatusOr<v1::Case> {
        ASSIGN_OR_RETURN(CaseRecord record, ReadCase(opener, rows, row, organization_id));
        return std::move(record.resource);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 5), rows.Text(row, 0)};
      });
}

absl::StatusOr<std::string> UpdateCase(sql::Transaction& tx, const crypto::Vault& vault,
                                       CaseRecord& record, absl::Time now) {
  v1::Case& resource = record.resource;
  const std::string subject = SubjectOf(resource);
  ASSIGN_OR_RETURN(
      const sql::Value sealed,
      Seal(tx, vault, {subject, resource.name(), record.version + 1}, OwnPart(resource), now));
  RETURN_IF_ERROR(
      Changed(tx.Query(kUpdateCase, {sql::Text(names::OrganizationId(resource.name())),
                                     sql::Text(names::Last(resource.name())),
                                     sql::Int(resource.formulation().version()), sql::Micros(now),
                                     sealed, sql::Int(record.version), sql::Text(subject)})));
  ++record.version;
  resource.set_etag(call::Etag(record.version));
  *resource.mutable_update_time() = time::ToTimestamp(now);
  return StoredBytes(sealed);
}

absl::Status ApplyCourse(sql::Transaction& tx, const crypto::Vault& vault,
                         const common::v1::Event& event,
                         const scheduling::v1::CourseEvent& course) {
  const std::string organization_id(names::OrganizationId(event.organization()));
  const std::string case_id(names::Last(event.resource()));
  const std::string name = CaseName(organization_id, case_id);
  const absl::Time now = time::ToTime(event.occur_time());
  tx.Lock({name});
  ASSIGN_OR_RETURN(const sql::Result known,
                   tx.Query(kCourseOfCase, {sql::Text(organization_id), sql::Text(case_id)}));
  if (known.empty()) {
    RETURN_IF_ERROR(tx.Query(kInsertCase,
                             {sql::Text(organization_id), sql::Text(case_id),
                              sql::Text(course.patient()), sql::Text(course.clinician()),
                              sql::Int(course.formulation_due_session()), sql::Int(event.version()),
                              sql::Micros(now), sql::Text(course.partner()), sql::Bytes("")})
                        .status());
  } else {
    if (event.version() <= known.Int(0, 3)) return absl::OkStatus();
    const bool changed =
        known.Text(0, 0) != course.patient() || known.Text(0, 1) != course.clinician() ||
        known.Int(0, 2) != course.formulation_due_session() || known.Text(0, 4) != course.partner();
    RETURN_IF_ERROR(
        tx.Query(kFollowCourse,
                 {sql::Text(organization_id), sql::Text(case_id), sql::Text(course.patient()),
                  sql::Text(course.clinician()), sql::Int(course.formulation_due_session()),
                  sql::Int(event.version()), sql::Int(changed ? 1 : 0), sql::Micros(now),
                  sql::Text(course.partner())})
            .status());
    if (!changed) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const CaseRecord record, GetCase(tx, vault, organization_id, case_id));
  events::Append(tx, organization_id, name, record.version, now,
                 PayloadOf(record.resource, record.was_determined));
  return absl::OkStatus();
}

absl::StatusOr<std::string> InsertDetermination(sql::Transaction& tx, const crypto::Vault& vault,
                                                absl::string_view subject,
                                                const v1::Determination& determination,
                                                absl::Time machine_time) {
  const std::string& name = determination.name();
  const absl::Time sign_time = time::ToTime(determination.sign_time());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {std::string(subject), name, 1}, determination, sign_time));
  const absl::Status status =
      tx.Query(kInsertDetermination,
               {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                sql::Text(names::Last(name)), sql::Micros(sign_time), sql::Micros(machine_time),
                sealed, sql::Text(subject)})
          .status();
  if (status.ok()) return StoredBytes(sealed);
  if (!absl::IsAlreadyExists(status)) return status;
  return errors::FailedPrecondition(
      "DETERMINATION_IN_FORCE",
      "The case has a determination in force. Open it again before signing another.");
}

absl::StatusOr<v1::Determination> GetDetermination(sql::Session& session,
                                                   const crypto::Vault& vault,
                                                   absl::string_view organization_id,
                                                   absl::string_view case_id,
                                                   absl::string_view determination_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetDetermination, {sql::Text(organization_id), sql::Text(case_id),
                                                     sql::Text(determination_id)}));
  if (rows.empty()) return errors::NotFound("Determination");
  crypto::Opener opener(vault, session);
  return ReadDetermination(opener, CaseName(organization_id, case_id), rows, 0);
}

absl::StatusOr<std::string> ReopenDetermination(sql::Transaction& tx, const crypto::Vault& vault,
                                                absl::string_view name, const Opening& opening) {
  const sql::Value organization_id = sql::Text(names::OrganizationId(name));
  const sql::Value case_id = sql::Text(names::Id(name, "cases"));
  const sql::Value id = sql::Text(names::Last(name));
  ASSIGN_OR_RETURN(const sql::Result stored,
                   tx.Query(kGetDetermination, {organization_id, case_id, id}));
  if (stored.empty()) return errors::NotFound("Determination");
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   SealBytes(tx, vault, {stored.Text(0, 4), std::string(name), 2}, opening.reason,
                             opening.time));
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kReopenDetermination, {organization_id, case_id, id, sql::Micros(opening.time),
                                      sql::Text(opening.clinician), sealed}));
  if (result.affected() == 1) return StoredBytes(sealed);
  return errors::FailedPrecondition("NO_DETERMINATION",
                                    "The determination is not in force; it was opened again.");
}

absl::StatusOr<Listed<v1::Determination>> ListDeterminations(sql::Session& session,
                                                             const crypto::Vault& vault,
                                                             absl::string_view organization_id,
                                                             absl::string_view case_id,
                                                             const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListDeterminations,
                    {sql::Text(organization_id), sql::Text(case_id), sql::Int(after.number),
                     sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::Determination>(
      rows, page,
      [&](size_t row) {
        return ReadDetermination(opener, CaseName(organization_id, case_id), rows, row);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 3)};
      });
}

absl::StatusOr<std::string> InsertFormulation(sql::Transaction& tx, const crypto::Vault& vault,
                                              const v1::Case& of,
                                              const v1::Formulation& formulation) {
  const std::string subject = SubjectOf(of);
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, FormulationPlace(of.name(), formulation.version(), subject),
                        formulation, time::ToTime(formulation.create_time())));
  RETURN_IF_ERROR(
      tx.Query(kInsertFormulation,
               {sql::Text(names::OrganizationId(of.name())), sql::Text(names::Last(of.name())),
                sql::Int(formulation.version()), sealed, sql::Text(subject)})
          .status());
  return StoredBytes(sealed);
}

absl::StatusOr<v1::Formulation> GetFormulation(sql::Session& session, const crypto::Vault& vault,
                                               absl::string_view organization_id,
                                               absl::string_view case_id, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetFormulation, {sql::Text(organization_id), sql::Text(case_id),
                                                   sql::Int(version)}));
  if (rows.empty()) return errors::NotFound("Formulation");
  crypto::Opener opener(vault, session);
  return ReadFormulation(opener, CaseName(organization_id, case_id), rows, 0);
}

absl::StatusOr<Listed<v1::Formulation>> ListFormulations(sql::Session& session,
                                                         const crypto::Vault& vault,
                                                         absl::string_view organization_id,
                                                         absl::string_view case_id,
                                                         const call::Page& page) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListFormulations, {sql::Text(organization_id), sql::Text(case_id),
                                                     sql::Int(After(page, kFromLast).number),
                                                     sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::Formulation>(
      rows, page,
      [&](size_t row) {
        return ReadFormulation(opener, CaseName(organization_id, case_id), rows, row);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 1), ""};
      });
}

}  // namespace rapport::notes
