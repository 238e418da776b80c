#include "services/scheduling/rpc/organization_handlers.h"

#include <string>
#include <vector>

#include "common/call/masks.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/domain/organizations.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/organization_store.h"

namespace rapport::scheduling {
namespace {

absl::Status CheckOrganization(const v1::Organization& organization) {
  if (organization.display_name().empty()) {
    return errors::InvalidArgument("organization.display_name", "is required");
  }
  return CheckSettings(organization.settings(), "organization.settings");
}

// Holds off the deletion of who is on the list.
absl::Status CheckDutyList(sql::Transaction& tx, absl::string_view organization_id,
                           const v1::OrganizationSettings& settings) {
  const std::vector<std::string> duty(settings.duty_list().begin(), settings.duty_list().end());
  if (duty.empty()) return absl::OkStatus();
  tx.Lock(duty);
  ASSIGN_OR_RETURN(const std::string unknown,
                   store::FirstUnknownClinician(tx, organization_id, duty));
  if (unknown.empty()) return absl::OkStatus();
  return errors::FailedPrecondition("UNKNOWN_CLINICIAN",
                                    "The duty list names a clinician who is not in the directory.",
                                    {{"clinician", unknown}});
}

absl::StatusOr<v1::Organization> ReadOne(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(auto stored, store::GetOrganization(session, names::OrganizationId(name)));
  return std::move(stored.resource);
}

// In the place of `version`.
absl::StatusOr<v1::Organization> Store(call::Change& change, v1::Organization organization,
                                       int64_t version) {
  const call::CallContext& context = change.context();
  *organization.mutable_update_time() = time::ToTimestamp(context.now);
  RETURN_IF_ERROR(
      store::UpdateOrganization(change.tx(), context.organization_id, organization, version));
  change.Record(organization.name(), version + 1, PayloadOf(organization),
                store::Document(organization));
  organization.set_etag(call::Etag(version + 1));
  return organization;
}

}  // namespace

void OrganizationHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.OrganizationService", this)
      .Unary("CreateOrganization", &OrganizationHandlers::CreateOrganization)
      .Unary("GetOrganization", &OrganizationHandlers::GetOrganization)
      .Unary("UpdateOrganization", &OrganizationHandlers::UpdateOrganization)
      .Unary("SuspendOrganization", &OrganizationHandlers::SuspendOrganization)
      .Unary("ResumeOrganization", &OrganizationHandlers::ResumeOrganization);
}

absl::StatusOr<v1::Organization> OrganizationHandlers::CreateOrganization(
    const call::CallContext& context, const v1::CreateOrganizationRequest& request) {
  // The caller is of no organisation; the change is the new one's.
  call::CallContext tenant = context;
  tenant.organization_id = request.organization_id();
  absl::StatusOr<v1::Organization> result = call::Mutate<v1::Organization>(
      database_, tenant, request.request_id(), ReadOne,
      [&](call::Change& change) -> absl::StatusOr<v1::Organization> {
        v1::Organization organization;
        RETURN_IF_ERROR(call::ApplyMask({}, request.organization(), organization));
        RETURN_IF_ERROR(CheckOrganization(organization));
        FillDefaults(*organization.mutable_settings());
        organization.set_name(names::Organization(tenant.organization_id));
        organization.set_state(v1::ORGANIZATION_STATE_ACTIVE);
        *organization.mutable_create_time() = time::ToTimestamp(tenant.now);
        *organization.mutable_update_time() = organization.create_time();
        RETURN_IF_ERROR(store::InsertOrganization(change.tx(), tenant.organization_id, organization,
                                                  tenant.now));
        RETURN_IF_ERROR(
            CheckDutyList(change.tx(), tenant.organization_id, organization.settings()));
        change.Record(organization.name(), 1, PayloadOf(organization),
                      store::Document(organization));
        organization.set_etag(call::Etag(1));
        return organization;
      });
  context.replayed = tenant.replayed;
  return result;
}

absl::StatusOr<v1::Organization> OrganizationHandlers::GetOrganization(
    const call::CallContext& context, const v1::GetOrganizationRequest& request) {
  return call::Read<v1::Organization>(
      database_, context, [&](sql::Session& session) { return ReadOne(session, request.name()); });
}

absl::StatusOr<v1::Organization> OrganizationHandlers::UpdateOrganization(
    const call::CallContext& context, const v1::UpdateOrganizationRequest& request) {
  const std::string& name = request.organization().name();
  RETURN_IF_ERROR(RequireName(name, "organization.name"));
  return call::Mutate<v1::Organization>(
      database_, context, request.request_id(), ReadOne,
      [&](call::Change& change) -> absl::StatusOr<v1::Organization> {
        change.tx().Lock({name});
        ASSIGN_OR_RETURN(auto stored, store::GetOrganization(change.tx(), context.organization_id));
        RETURN_IF_ERROR(call::CheckEtag(request.organization().etag(), stored.version));
        v1::Organization& organization = stored.resource;
        RETURN_IF_ERROR(
            call::ApplyMask(request.update_mask(), request.organization(), organization));
        RETURN_IF_ERROR(CheckOrganization(organization));
        FillDefaults(*organization.mutable_settings());
        RETURN_IF_ERROR(
            CheckDutyList(change.tx(), context.organization_id, organization.settings()));
        return Store(change, std::move(organization), stored.version);
      });
}

absl::StatusOr<v1::Organization> OrganizationHandlers::SuspendOrganization(
    const call::CallContext& context, const v1::SuspendOrganizationRequest& request) {
  return Switch(context, request, v1::ORGANIZATION_STATE_ACTIVE, v1::ORGANIZATION_STATE_SUSPENDED);
}

absl::StatusOr<v1::Organization> OrganizationHandlers::ResumeOrganization(
    const call::CallContext& context, const v1::ResumeOrganizationRequest& request) {
  return Switch(context, request, v1::ORGANIZATION_STATE_SUSPENDED, v1::ORGANIZATION_STATE_ACTIVE);
}

template <class Request>
absl::StatusOr<v1::Organization> OrganizationHandlers::Switch(const call::CallContext& context,
                                                              const Request& request,
                                                              v1::OrganizationState from,
                                                              v1::OrganizationState to) {
  return call::Mutate<v1::Organization>(
      database_, context, request.request_id(), ReadOne,
      [&](call::Change& change) -> absl::StatusOr<v1::Organization> {
        change.tx().Lock({request.name()});
        ASSIGN_OR_RETURN(auto stored, store::GetOrganization(change.tx(), context.organization_id));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), stored.version));
        RETURN_IF_ERROR(ChangeState(stored.resource, from, to));
        store::DeferOrganizationState(change.tx(), context.organization_id, to);
        return Store(change, std::move(stored.resource), stored.version);
      });
}

}  // namespace rapport::scheduling
