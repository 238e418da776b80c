#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_PROTOCOL_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_PROTOCOL_STORE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/protocol.pb.h"

// Organisations' own protocols, `organizations/{organization}/protocols/{protocol}/revisions/
// {revision}`, each revision once and for ever.
namespace rapport::scheduling::store {

// kNotFound ("Protocol").
absl::StatusOr<v1::Protocol> GetProtocol(sql::Session& session, absl::string_view name);

// The number of the newest revision of `protocol_id`; 0: there is none.
absl::StatusOr<int> NewestRevision(sql::Session& session, absl::string_view organization_id,
                                   absl::string_view protocol_id);

// kAborted LOST_RACE: the revision exists.
absl::Status InsertProtocol(sql::Transaction& tx, const v1::Protocol& protocol);

// The newest revision of each protocol whose id is greater than `after_id`, by id.
absl::StatusOr<std::vector<v1::Protocol>> ListNewestProtocols(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              absl::string_view after_id,
                                                              int limit);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_PROTOCOL_STORE_H_
