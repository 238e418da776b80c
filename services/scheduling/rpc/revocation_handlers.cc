#include "services/scheduling/rpc/revocation_handlers.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/revocation/revocation.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/rpc/directory_pages.h"
#include "services/scheduling/store/revocation_store.h"
#include "services/scheduling/store/stored.h"

namespace rapport::scheduling {
namespace {

// Sorts behind every id.
constexpr char kBehindIds[] = "~";

// Keeps `revocation`, whose target is set, as of now: for the record, for the replicas of this
// service, and, by its event, for those of the others.
v1::Revocation Store(call::Change& change, v1::Revocation revocation) {
  const call::CallContext& context = change.context();
  const absl::Time machine_now = absl::Now();
  revocation.set_name(names::InOrganization(context.organization_id, "revocations", NewId()));
  revocation.set_revoker(context.principal->subject);
  if (revocation.target_case() == v1::Revocation::kSubject) {
    *revocation.mutable_not_before() = time::ToTimestamp(machine_now);
  }
  *revocation.mutable_expire_time() = time::ToTimestamp(revocation::ExpiryOf(machine_now));
  *revocation.mutable_create_time() = time::ToTimestamp(context.now);
  store::InsertRevocation(change.tx(), revocation);
  revocation::Put(change.tx(), revocation.name(),
                  {.subject = revocation.subject(),
                   .token_id = revocation.token_id(),
                   .not_before = machine_now,
                   .expire_time = revocation::ExpiryOf(machine_now)},
                  machine_now);
  change.Record(revocation.name(), 1, PayloadOf(revocation), store::Document(revocation));
  revocation.set_etag(call::Etag(1));
  return revocation;
}

std::string KeyOf(const v1::Revocation& revocation) {
  return call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(revocation.create_time()))),
                       names::Last(revocation.name()));
}

}  // namespace

void RevocationHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.RevocationService", this)
      .Unary("RevokeSubject", &RevocationHandlers::RevokeSubject)
      .Unary("RevokeToken", &RevocationHandlers::RevokeToken)
      .Unary("GetRevocation", &RevocationHandlers::GetRevocation)
      .Unary("ListRevocations", &RevocationHandlers::ListRevocations);
}

absl::StatusOr<v1::Revocation> RevocationHandlers::RevokeSubject(
    const call::CallContext& context, const v1::RevokeSubjectRequest& request) {
  if (absl::StartsWith(request.subject(), "service:")) {
    return errors::InvalidArgument("subject",
                                   "must be a user's; a service's key is taken out of the key set");
  }
  return call::Mutate<v1::Revocation>(database_, context, request.request_id(),
                                      store::GetRevocation,
                                      [&](call::Change& change) -> absl::StatusOr<v1::Revocation> {
                                        v1::Revocation revocation;
                                        revocation.set_subject(request.subject());
                                        revocation.set_reason(request.reason());
                                        return Store(change, std::move(revocation));
                                      });
}

absl::StatusOr<v1::Revocation> RevocationHandlers::RevokeToken(
    const call::CallContext& context, const v1::RevokeTokenRequest& request) {
  return call::Mutate<v1::Revocation>(
      database_, context, request.request_id(), store::GetRevocation,
      [&](call::Change& change) -> absl::StatusOr<v1::Revocation> {
        change.tx().Lock({absl::StrCat(request.parent(), "/tokens/", request.token_id())});
        ASSIGN_OR_RETURN(
            std::optional<v1::Revocation> known,
            store::FindTokenRevocation(change.tx(), context.organization_id, request.token_id()));
        if (known) {
          change.SetResult(known->name(), 1);
          return *std::move(known);
        }
        v1::Revocation revocation;
        revocation.set_token_id(request.token_id());
        revocation.set_reason(request.reason());
        return Store(change, std::move(revocation));
      });
}

absl::StatusOr<v1::Revocation> RevocationHandlers::GetRevocation(
    const call::CallContext& context, const v1::GetRevocationRequest& request) {
  return call::Read<v1::Revocation>(database_, context, [&](sql::Session& session) {
    return store::GetRevocation(session, request.name());
  });
}

absl::StatusOr<v1::ListRevocationsResponse> RevocationHandlers::ListRevocations(
    const call::CallContext& context, const v1::ListRevocationsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  store::RevocationKey before{std::numeric_limits<int64_t>::max(), kBehindIds};
  if (!page.after.empty()) {
    auto [micros, id] = call::SplitKey(page.after);
    (void)absl::SimpleAtoi(micros, &before.create_micros);
    before.id = std::move(id);
  }
  ASSIGN_OR_RETURN(
      auto revocations,
      call::Read<std::vector<v1::Revocation>>(database_, context, [&](sql::Session& session) {
        return store::ListRevocations(session, context.organization_id, request.subject(), before,
                                      page.size + 1);
      }));
  v1::ListRevocationsResponse response;
  response.set_next_page_token(
      FillPage(context, page, std::move(revocations), response.mutable_revocations(), KeyOf));
  return response;
}

}  // namespace rapport::scheduling
