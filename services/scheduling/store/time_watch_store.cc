#include "services/scheduling/store/time_watch_store.h"

#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kToCheck{"scheduling.time_watch.to_check", R"sql(
  SELECT document, version FROM appointment
  WHERE organization_id = $1 AND starts_at > $2 AND state IN (1, 6) AND tzdata_version < $3
  ORDER BY starts_at, appointment_id LIMIT $4)sql"};

const sql::Statement kChecked{"scheduling.time_watch.checked", R"sql(
  UPDATE appointment SET tzdata_version = $4
  WHERE organization_id = $1 AND appointment_id = $2 AND version = $3)sql"};

}  // namespace

absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListToCheck(sql::Session& session,
                                                                 absl::string_view organization_id,
                                                                 absl::Time now,
                                                                 absl::string_view tzdata_version,
                                                                 int limit) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kToCheck, {sql::Text(organization_id), sql::Micros(now),
                                            sql::Text(tzdata_version), sql::Int(limit)}));
  std::vector<Stored<v1::Appointment>> appointments(rows.rows());
  for (size_t i = 0; i < appointments.size(); ++i) {
    appointments[i].version = rows.Int(i, 1);
    RETURN_IF_ERROR(
        ParseDocument(rows.Bytes(i, 0), appointments[i].version, appointments[i].resource));
  }
  return appointments;
}

void DeferChecked(sql::Transaction& tx, absl::string_view appointment, int64_t version,
                  absl::string_view tzdata_version) {
  tx.Defer(kChecked,
           {sql::Text(names::OrganizationId(appointment)), sql::Text(names::Last(appointment)),
            sql::Int(version), sql::Text(tzdata_version)});
}

}  // namespace rapport::scheduling::store
