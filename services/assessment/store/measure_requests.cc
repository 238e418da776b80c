#include "services/assessment/store/measure_requests.h"

#include <limits>
#include <utility>

#include "common/auth/integrity.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/assessment/store/paging.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kInsert{"assessment.measure_request.insert", R"sql(
  INSERT INTO measure_request (organization_id, measure_request_id, course, patient, instrument,
                               appointment, state, create_time, link_hash, save_number, version,
                               document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1, $10))sql"};

const sql::Statement kGet{"assessment.measure_request.get", R"sql(
  SELECT document, version, save_number, sealed FROM measure_request
  WHERE organization_id = $1 AND measure_request_id = $2)sql"};

const sql::Statement kGetByLink{"assessment.measure_request.get_by_link", R"sql(
  SELECT document, version, save_number, sealed FROM measure_request
  WHERE organization_id = $1 AND link_hash = $2)sql"};

const sql::Statement kUpdate{"assessment.measure_request.update", R"sql(
  UPDATE measure_request
  SET state = $4, save_number = $5, sealed = $6, version = $3 + 1, document = $7
  WHERE organization_id = $1 AND measure_request_id = $2 AND version = $3)sql"};

const sql::Statement kList{"assessment.measure_request.list", R"sql(
  SELECT document, version, create_time, measure_request_id FROM measure_request
  WHERE organization_id = $1 AND course = $2 AND (create_time, measure_request_id) < ($3, $4)
  ORDER BY create_time DESC, measure_request_id DESC LIMIT $5)sql"};

absl::StatusOr<v1::MeasureRequest> Parse(const std::string& document, int64_t version) {
  v1::MeasureRequest request;
  if (!request.ParseFromString(document)) {
    return errors::Internal("A stored document is no measure request.");
  }
  request.set_etag(call::Etag(version));
  return request;
}

absl::StatusOr<StoredRequest> One(const sql::Result& rows) {
  if (rows.empty()) return errors::NotFound("MeasureRequest");
  StoredRequest stored;
  stored.version = rows.Int(0, 1);
  ASSIGN_OR_RETURN(stored.request, Parse(rows.Bytes(0, 0), stored.version));
  stored.save_number = rows.Int(0, 2);
  if (!rows.IsNull(0, 3)) stored.sealed = rows.Bytes(0, 3);
  return stored;
}

}  // namespace

std::string Document(const v1::MeasureRequest& request) {
  v1::MeasureRequest stored = request;
  stored.clear_etag();
  stored.clear_link_token();
  return stored.SerializeAsString();
}

void InsertRequest(sql::Transaction& tx, const v1::MeasureRequest& request,
                   absl::string_view instrument_id, absl::string_view link_token) {
  tx.Defer(kInsert, {sql::Text(names::OrganizationId(request.name())),
                     sql::Text(names::Last(request.name())), sql::Text(request.course()),
                     sql::Text(request.patient()), sql::Text(instrument_id),
                     sql::Text(request.appointment()), sql::Int(request.state()),
                     sql::Micros(time::ToTime(request.create_time())),
                     sql::Bytes(auth::Sha256(link_token)), sql::Bytes(Document(request))});
}

absl::StatusOr<StoredRequest> GetRequest(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(name)), sql::Text(names::Last(name))}));
  return One(rows);
}

absl::StatusOr<StoredRequest> GetRequestByLink(sql::Session& session,
                                               absl::string_view organization_id,
                                               absl::string_view link_token) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetByLink, {sql::Text(organization_id),
                                              sql::Bytes(auth::Sha256(link_token))}));
  return One(rows);
}

absl::Status UpdateRequest(sql::Transaction& tx, const StoredRequest& stored) {
  const v1::MeasureRequest& request = stored.request;
  ASSIGN_OR_RETURN(
      const sql::Result written,
      tx.Query(
          kUpdate,
          {sql::Text(names::OrganizationId(request.name())), sql::Text(names::Last(request.name())),
           sql::Int(stored.version), sql::Int(request.state()), sql::Int(stored.save_number),
           stored.sealed.empty() ? sql::Value(sql::Null{}) : sql::Bytes(stored.sealed),
           sql::Bytes(Document(request))}));
  if (written.affected() == 1) return absl::OkStatus();
  return errors::Aborted("LOST_RACE", "The request has changed meanwhile; read it again.");
}

absl::StatusOr<RequestPage> ListRequests(sql::Session& session, absl::string_view course,
                                         const call::Page& page) {
  const Place after = Place::After(page, {std::numeric_limits<int64_t>::max(), "~"});
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kList, {sql::Text(names::OrganizationId(course)),
                                         sql::Text(course), sql::Int(after.micros),
                                         sql::Text(after.name), sql::Int(page.size + 1)}));
  RequestPage listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) {
    ASSIGN_OR_RETURN(v1::MeasureRequest request, Parse(rows.Bytes(row, 0), rows.Int(row, 1)));
    listed.requests.push_back(std::move(request));
  }
  if (rows.rows() > size) {
    listed.next_key = Place{rows.Int(size - 1, 2), rows.Text(size - 1, 3)}.Key();
  }
  return listed;
}

}  // namespace rapport::assessment::store
