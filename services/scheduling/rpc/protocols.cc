#include "services/scheduling/rpc/protocols.h"

#include <utility>

#include "absl/time/time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/scheduling/store/protocol_store.h"

namespace rapport::scheduling {

absl::StatusOr<std::shared_ptr<const v1::Protocol>> Protocols::Find(sql::Session& session,
                                                                    absl::string_view name) const {
  if (names::OrganizationId(name).empty()) {
    const v1::Protocol* shipped = shipped_.Find(name);
    if (shipped == nullptr) return errors::NotFound("Protocol");
    return std::shared_ptr<const v1::Protocol>(std::shared_ptr<void>(), shipped);  // not owned
  }
  const absl::Time now = absl::InfinitePast();  // entries never expire
  if (auto kept = own_.Get(name, now)) return *std::move(kept);
  ASSIGN_OR_RETURN(v1::Protocol read, store::GetProtocol(session, name));
  auto own = std::make_shared<const v1::Protocol>(std::move(read));
  own_.Put(name, own, absl::InfiniteFuture());
  return own;
}

}  // namespace rapport::scheduling
