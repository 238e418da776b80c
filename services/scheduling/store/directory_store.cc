#include "services/scheduling/store/directory_store.h"

#include <set>

#include "absl/strings/match.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kGetClinic{"scheduling.clinic.get", R"sql(
  SELECT document, version FROM clinic WHERE organization_id = $1 AND clinic_id = $2)sql"};
const sql::Statement kInsertClinic{"scheduling.clinic.insert", R"sql(
  INSERT INTO clinic (organization_id, clinic_id, version, document) VALUES ($1, $2, 1, $3))sql"};
const sql::Statement kUpdateClinic{"scheduling.clinic.update", R"sql(
  UPDATE clinic SET version = version + 1, document = $4
  WHERE organization_id = $1 AND clinic_id = $2 AND version = $3)sql"};
const sql::Statement kListClinics{"scheduling.clinic.list", R"sql(
  SELECT document, version FROM clinic WHERE organization_id = $1 AND clinic_id > $2
  ORDER BY clinic_id LIMIT $3)sql"};
const sql::Statement kKnownClinics{"scheduling.clinic.known", R"sql(
  SELECT clinic_id FROM clinic
  WHERE organization_id = $1 AND replace($2, ',' || clinic_id || ',', '') <> $2)sql"};

const sql::Statement kGetClinician{"scheduling.clinician.get", R"sql(
  SELECT document, version FROM clinician WHERE organization_id = $1 AND clinician_id = $2)sql"};
const sql::Statement kInsertClinician{"scheduling.clinician.insert", R"sql(
  INSERT INTO clinician (organization_id, clinician_id, version, subject, document)
  VALUES ($1, $2, 1, nullif($3, ''), $4))sql"};
const sql::Statement kUpdateClinician{"scheduling.clinician.update", R"sql(
  UPDATE clinician SET version = version + 1, subject = nullif($4, ''), document = $5
  WHERE organization_id = $1 AND clinician_id = $2 AND version = $3)sql"};
const sql::Statement kListClinicians{"scheduling.clinician.list", R"sql(
  SELECT document, version FROM clinician WHERE organization_id = $1 AND clinician_id > $2
  ORDER BY clinician_id LIMIT $3)sql"};
const sql::Statement kKnownClinicians{"scheduling.clinician.known", R"sql(
  SELECT clinician_id FROM clinician
  WHERE organization_id = $1 AND replace($2, ',' || clinician_id || ',', '') <> $2)sql"};

const sql::Statement kGetTimeOff{"scheduling.time_off.get", R"sql(
  SELECT document, version FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3)sql"};
const sql::Statement kInsertTimeOff{"scheduling.time_off.insert", R"sql(
  INSERT INTO time_off (organization_id, clinician_id, time_off_id, version, starts_at, ends_at,
                        document)
  VALUES ($1, $2, $3, 1, $4, $5, $6))sql"};
const sql::Statement kDeleteTimeOff{"scheduling.time_off.delete", R"sql(
  DELETE FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND time_off_id = $3 AND version = $4)sql"};
const sql::Statement kListTimeOffs{"scheduling.time_off.list", R"sql(
  SELECT document, version FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND (starts_at, time_off_id) > ($3, $4)
  ORDER BY starts_at, time_off_id LIMIT $5)sql"};

const sql::Statement kGetCover{"scheduling.cover.get", R"sql(
  SELECT document, version FROM cover WHERE organization_id = $1 AND cover_id = $2)sql"};
const sql::Statement kInsertCover{"scheduling.cover.insert", R"sql(
  INSERT INTO cover (organization_id, cover_id, version, clinician_id, covering_clinician_id,
                     starts_at, ends_at, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7))sql"};
const sql::Statement kDeleteCover{"scheduling.cover.delete", R"sql(
  DELETE FROM cover WHERE organization_id = $1 AND cover_id = $2 AND version = $3)sql"};
const sql::Statement kListCovers{"scheduling.cover.list", R"sql(
  SELECT document, version FROM cover
  WHERE organization_id = $1 AND (starts_at, cover_id) > ($2, $3)
  ORDER BY starts_at, cover_id LIMIT $4)sql"};

sql::Value Organization(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }
sql::Value Id(absl::string_view name) { return sql::Text(names::Last(name)); }
sql::Value Id(absl::string_view name, absl::string_view collection) {
  return sql::Text(names::Id(name, collection));
}

template <class Resource>
absl::StatusOr<Stored<Resource>> One(absl::StatusOr<sql::Result> rows) {
  RETURN_IF_ERROR(rows.status());
  if (rows->empty()) return errors::NotFound(Resource::descriptor()->name());
  Stored<Resource> stored;
  stored.version = rows->Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows->Bytes(0, 0), stored.version, stored.resource));
  return stored;
}

template <class Resource>
absl::StatusOr<std::vector<Resource>> All(absl::StatusOr<sql::Result> rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<Resource> all(rows->rows());
  for (size_t i = 0; i < all.size(); ++i) {
    RETURN_IF_ERROR(ParseDocument(rows->Bytes(i, 0), rows->Int(i, 1), all[i]));
  }
  return all;
}

// Of an insert or an update.
template <class Resource>
absl::Status Written(const absl::StatusOr<sql::Result>& result, const Resource& resource) {
  if (absl::IsAlreadyExists(result.status())) {
    if (errors::MetadataValue(result.status(), "constraint") == "clinician_subject") {
      return errors::FailedPrecondition("SUBJECT_TAKEN",
                                        "Another clinician signs in with that subject.");
    }
    return errors::AlreadyExists(Resource::descriptor()->name(), resource.name());
  }
  RETURN_IF_ERROR(result.status());
  return RequireOneRow(*result);
}

absl::Status Deleted(const absl::StatusOr<sql::Result>& result) {
  RETURN_IF_ERROR(result.status());
  return RequireOneRow(*result);
}

absl::StatusOr<std::string> FirstUnknown(sql::Session& session, const sql::Statement& known,
                                         absl::string_view organization_id,
                                         const std::vector<std::string>& names) {
  if (names.empty()) return std::string();
  std::string ids = ",";
  for (const std::string& name : names) absl::StrAppend(&ids, names::Last(name), ",");
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(known, {sql::Text(organization_id), sql::Text(ids)}));
  std::set<absl::string_view> found;
  for (size_t i = 0; i < rows.rows(); ++i) found.insert(rows.Text(i, 0));
  for (const std::string& name : names) {
    if (found.count(names::Last(name)) == 0) return name;
  }
  return std::string();
}

}  // namespace

absl::StatusOr<Stored<v1::Clinic>> GetClinic(sql::Session& session, absl::string_view name) {
  return One<v1::Clinic>(session.Query(kGetClinic, {Organization(name), Id(name)}));
}

absl::Status InsertClinic(sql::Transaction& tx, const v1::Clinic& clinic) {
  return Written(tx.Query(kInsertClinic, {Organization(clinic.name()), Id(clinic.name()),
                                          sql::Bytes(Document(clinic))}),
                 clinic);
}

absl::Status UpdateClinic(sql::Transaction& tx, const v1::Clinic& clinic, int64_t version) {
  return Written(tx.Query(kUpdateClinic, {Organization(clinic.name()), Id(clinic.name()),
                                          sql::Int(version), sql::Bytes(Document(clinic))}),
                 clinic);
}

absl::StatusOr<std::vector<v1::Clinic>> ListClinics(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view after_id, int limit) {
  return All<v1::Clinic>(session.Query(
      kListClinics, {sql::Text(organization_id), sql::Text(after_id), sql::Int(limit)}));
}

absl::StatusOr<Stored<v1::Clinician>> GetClinician(sql::Session& session, absl::string_view name) {
  return One<v1::Clinician>(session.Query(kGetClinician, {Organization(name), Id(name)}));
}

absl::Status InsertClinician(sql::Transaction& tx, const v1::Clinician& clinician) {
  return Written(
      tx.Query(kInsertClinician, {Organization(clinician.name()), Id(clinician.name()),
                                  sql::Text(clinician.subject()), sql::Bytes(Document(clinician))}),
      clinician);
}

absl::Status UpdateClinician(sql::Transaction& tx, const v1::Clinician& clinician,
                             int64_t version) {
  return Written(tx.Query(kUpdateClinician,
                          {Organization(clinician.name()), Id(clinician.name()), sql::Int(version),
                           sql::Text(clinician.subject()), sql::Bytes(Document(clinician))}),
                 clinician);
}

absl::StatusOr<std::vector<v1::Clinician>> ListClinicians(sql::Session& session,
                                                          absl::string_view organization_id,
                                                          absl::string_view after_id, int limit) {
  return All<v1::Clinician>(session.Query(
      kListClinicians, {sql::Text(organization_id), sql::Text(after_id), sql::Int(limit)}));
}

absl::StatusOr<std::string> FirstUnknownClinic(sql::Session& session,
                                               absl::string_view organization_id,
                                               const std::vector<std::string>& names) {
  return FirstUnknown(session, kKnownClinics, organization_id, names);
}

absl::StatusOr<std::string> FirstUnknownClinician(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const std::vector<std::string>& names) {
  return FirstUnknown(session, kKnownClinicians, organization_id, names);
}

absl::StatusOr<Stored<v1::TimeOff>> GetTimeOff(sql::Session& session, absl::string_view name) {
  return One<v1::TimeOff>(
      session.Query(kGetTimeOff, {Organization(name), Id(name, "clinicians"), Id(name)}));
}

absl::Status InsertTimeOff(sql::Transaction& tx, const v1::TimeOff& time_off) {
  const std::string& name = time_off.name();
  return Written(tx.Query(kInsertTimeOff, {Organization(name), Id(name, "clinicians"), Id(name),
                                           sql::Micros(time::ToTime(time_off.start_time())),
                                           sql::Micros(time::ToTime(time_off.end_time())),
                                           sql::Bytes(Document(time_off))}),
                 time_off);
}

absl::Status DeleteTimeOff(sql::Transaction& tx, absl::string_view name, int64_t version) {
  return Deleted(tx.Query(
      kDeleteTimeOff, {Organization(name), Id(name, "clinicians"), Id(name), sql::Int(version)}));
}

absl::StatusOr<std::vector<v1::TimeOff>> ListTimeOffs(sql::Session& session,
                                                      absl::string_view clinician,
                                                      const StartKey& after, int limit) {
  return All<v1::TimeOff>(session.Query(
      kListTimeOffs, {Organization(clinician), Id(clinician), sql::Int(after.start_micros),
                      sql::Text(after.id), sql::Int(limit)}));
}

absl::StatusOr<Stored<v1::Cover>> GetCover(sql::Session& session, absl::string_view name) {
  return One<v1::Cover>(session.Query(kGetCover, {Organization(name), Id(name)}));
}

absl::Status InsertCover(sql::Transaction& tx, const v1::Cover& cover) {
  return Written(
      tx.Query(kInsertCover,
               {Organization(cover.name()), Id(cover.name()), Id(cover.clinician()),
                Id(cover.covering_clinician()), sql::Micros(time::ToTime(cover.start_time())),
                sql::Micros(time::ToTime(cover.end_time())), sql::Bytes(Document(cover))}),
      cover);
}

absl::Status DeleteCover(sql::Transaction& tx, absl::string_view name, int64_t version) {
  return Deleted(tx.Query(kDeleteCover, {Organization(name), Id(name), sql::Int(version)}));
}

absl::StatusOr<std::vector<v1::Cover>> ListCovers(sql::Session& session,
                                                  absl::string_view organization_id,
                                                  const StartKey& after, int limit) {
  return All<v1::Cover>(
      session.Query(kListCovers, {sql::Text(organization_id), sql::Int(after.start_micros),
                                  sql::Text(after.id), sql::Int(limit)}));
}

}  // namespace rapport::scheduling::store
