#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_MEASURE_REQUESTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_MEASURE_REQUESTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/measure_request.pb.h"
#include "services/assessment/domain/requests.h"

// Requests to patients, and what they saved of their answers. Resources come with their etag and
// without their link token, of which only the hash is kept.
namespace rapport::assessment::store {

struct StoredRequest {
  v1::MeasureRequest request;
  int64_t version = 0;
  int64_t save_number = 0;
  std::string sealed;  // answers saved so far; empty: none
};

// Deferred. `link_token` is not stored.
void InsertRequest(sql::Transaction& tx, const v1::MeasureRequest& request,
                   absl::string_view instrument_id, absl::string_view link_token);

// kNotFound ("MeasureRequest").
absl::StatusOr<StoredRequest> GetRequest(sql::Session& session, absl::string_view name);
absl::StatusOr<StoredRequest> GetRequestByLink(sql::Session& session,
                                               absl::string_view organization_id,
                                               absl::string_view link_token);

// Writes `stored` as its next version, with what is in `stored.sealed`.
//   kAborted LOST_RACE  it has changed meanwhile
absl::Status UpdateRequest(sql::Transaction& tx, const StoredRequest& stored);

std::string Document(const v1::MeasureRequest& request);

struct RequestPage {
  std::vector<v1::MeasureRequest> requests;
  std::string next_key;  // empty: this was the last
};
// Of a course, newest first.
absl::StatusOr<RequestPage> ListRequests(sql::Session& session, absl::string_view course,
                                         const call::Page& page);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_MEASURE_REQUESTS_H_
