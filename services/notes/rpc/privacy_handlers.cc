#include "services/notes/rpc/privacy_handlers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/audit/audit_log.h"
#include "common/call/mutate.h"
#include "common/call/own_act.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/rpc/access.h"
#include "services/notes/store/privacy_store.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;
using common::v1::Erasure;
using common::v1::ErasurePart;
using common::v1::LegalHold;

constexpr char kOwnService[] = "notes";
constexpr const char* kFollowers[] = {"assessment", "scheduling"};

common::v1::ErasureEvent PayloadOf(const Erasure& erasure) {
  common::v1::ErasureEvent event;
  event.set_patient(erasure.patient());
  event.set_state(erasure.state());
  return event;
}

ErasurePart& PartOf(Erasure& erasure, absl::string_view service) {
  for (ErasurePart& part : *erasure.mutable_parts()) {
    if (part.service() == service) return part;
  }
  ErasurePart& part = *erasure.add_parts();
  part.set_service(std::string(service));
  return part;
}

}  // namespace

void PrivacyHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.common.v1.PrivacyService", this)
      .Unary("PlaceHold", &PrivacyHandlers::PlaceHold)
      .Unary("ReleaseHold", &PrivacyHandlers::ReleaseHold)
      .Unary("ListHolds", &PrivacyHandlers::ListHolds)
      .Unary("ErasePatient", &PrivacyHandlers::ErasePatient)
      .Unary("GetErasure", &PrivacyHandlers::GetErasure)
      .Unary("ListErasures", &PrivacyHandlers::ListErasures);
}

absl::StatusOr<LegalHold> PrivacyHandlers::PlaceHold(const CallContext& context,
                                                     const common::v1::PlaceHoldRequest& request) {
  return call::Mutate<LegalHold>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<LegalHold> {
        ASSIGN_OR_RETURN(HoldRecord hold, GetHold(session, vault_, name));
        return std::move(hold.resource);
      },
      [&](Change& change) -> absl::StatusOr<LegalHold> {
        sql::Transaction& tx = change.tx();
        LegalHold hold = request.legal_hold();
        tx.Lock({hold.patient()});
        ASSIGN_OR_RETURN(const auto erased, FindErasure(tx, hold.patient()));
        if (erased.has_value()) {
          return errors::FailedPrecondition("ERASED",
                                            "The patient was erased: nothing is left to be held.",
                                            {{"erasure", erased->resource.name()}});
        }
        hold.set_name(names::InOrganization(context.organization_id, "legalHolds", ids::NewUlid()));
        hold.set_principal(context.principal->subject);
        *hold.mutable_create_time() = time::ToTimestamp(context.now);
        hold.clear_release_time();
        hold.clear_release_principal();
        hold.clear_release_reason();
        ASSIGN_OR_RETURN(const std::string stored, InsertHold(tx, vault_, hold));
        change.SetResult(hold.name(), 1);
        change.Audit(hold.name(), 1, stored);
        return hold;
      });
}

absl::StatusOr<LegalHold> PrivacyHandlers::ReleaseHold(
    const CallContext& context, const common::v1::ReleaseHoldRequest& request) {
  return call::Mutate<LegalHold>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<LegalHold> {
        ASSIGN_OR_RETURN(HoldRecord hold, GetHold(session, vault_, name));
        return std::move(hold.resource);
      },
      [&](Change& change) -> absl::StatusOr<LegalHold> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(HoldRecord hold, GetHold(tx, vault_, request.name()));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), hold.version));
        LegalHold& resource = hold.resource;
        resource.set_release_principal(context.principal->subject);
        resource.set_release_reason(request.reason());
        *resource.mutable_release_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::string stored, notes::ReleaseHold(tx, vault_, hold));
        change.SetResult(resource.name(), hold.version);
        change.Audit(resource.name(), hold.version, stored);
        return std::move(resource);
      });
}

absl::StatusOr<common::v1::ListHoldsResponse> PrivacyHandlers::ListHolds(
    const CallContext& context, const common::v1::ListHoldsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  using Response = common::v1::ListHoldsResponse;
  return call::Read<Response>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(Listed<LegalHold> listed,
                         notes::ListHolds(session, vault_, context.organization_id,
                                          request.patient(), request.show_released(), page));
        Response response;
        for (LegalHold& hold : listed.items) *response.add_legal_holds() = std::move(hold);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<Erasure> PrivacyHandlers::ErasePatient(
    const CallContext& context, const common::v1::ErasePatientRequest& request) {
  if (request.ground() == common::v1::ERASURE_GROUND_UNSPECIFIED) {
    return errors::InvalidArgument("ground", "is needed");
  }
  return call::Mutate<Erasure>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<Erasure> {
        ASSIGN_OR_RETURN(ErasureRecord erasure, notes::GetErasure(session, name));
        return std::move(erasure.resource);
      },
      [&](Change& change) -> absl::StatusOr<Erasure> {
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        sql::Transaction& tx = change.tx();
        tx.Lock({request.patient()});
        ASSIGN_OR_RETURN(auto known, FindErasure(tx, request.patient()));
        if (known.has_value()) {
          change.SetResult(known->resource.name(), known->version);
          return std::move(known->resource);
        }
        ASSIGN_OR_RETURN(const std::string hold, StandingHold(tx, request.patient()));
        if (!hold.empty()) {
          return errors::Conflict("LEGAL_HOLD",
                                  "A legal hold stands on the patient's records. Have it released "
                                  "first.",
                                  "LegalHold", hold, {{"hold", hold}});
        }
        ASSIGN_OR_RETURN(const Shredded shredded,
                         Shred(tx, vault_, request.patient(), context.now));
        Erasure erasure;
        erasure.set_name(
            names::InOrganization(context.organization_id, "erasures", ids::NewUlid()));
        erasure.set_patient(request.patient());
        erasure.set_ground(request.ground());
        erasure.set_state(common::v1::ERASURE_STATE_UNDER_WAY);
        erasure.set_principal(context.principal->subject);
        *erasure.mutable_create_time() = time::ToTimestamp(context.now);
        ErasurePart& own = PartOf(erasure, kOwnService);
        own.set_confirmed(true);
        *own.mutable_confirm_time() = erasure.create_time();
        own.mutable_covers()->Add(shredded.covers.begin(), shredded.covers.end());
        for (const char* follower : kFollowers) PartOf(erasure, follower);
        erasure.mutable_kept_cases()->Add(shredded.kept_cases.begin(), shredded.kept_cases.end());
        ASSIGN_OR_RETURN(const std::string stored, InsertErasure(tx, erasure));
        events::Append(tx, context.organization_id, erasure.name(), 1, context.now,
                       PayloadOf(erasure));
        audit::Entry entry{.organization_id = context.organization_id,
                           .principal = context.principal->subject,
                           .method = context.method,
                           .resource = erasure.name(),
                           .version = 1,
                           .occur_time = context.now,
                           .trace_id = context.trace.trace_id,
                           .kind = audit::Kind::kErasure};
        entry.covers.push_back(erasure.patient());
        for (const std::string& name : shredded.whole_cases) {
          entry.covers.push_back(absl::StrCat(name, "/*"));
        }
        audit::Append(tx, entry, stored);
        change.SetResult(erasure.name(), 1);
        return erasure;
      });
}

absl::StatusOr<Erasure> PrivacyHandlers::GetErasure(const CallContext& context,
                                                    const common::v1::GetErasureRequest& request) {
  return call::Read<Erasure>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<Erasure> {
        ASSIGN_OR_RETURN(ErasureRecord erasure, notes::GetErasure(session, request.name()));
        return std::move(erasure.resource);
      });
}

absl::StatusOr<common::v1::ListErasuresResponse> PrivacyHandlers::ListErasures(
    const CallContext& context, const common::v1::ListErasuresRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  using Response = common::v1::ListErasuresResponse;
  return call::Read<Response>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(
            Listed<Erasure> listed,
            notes::ListErasures(session, context.organization_id, request.under_way_only(), page));
        Response response;
        for (Erasure& erasure : listed.items) *response.add_erasures() = std::move(erasure);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::Status ConfirmErasure(sql::Transaction& tx, const common::v1::Event& event) {
  common::v1::ErasurePartEvent payload;
  if (!event.payload().UnpackTo(&payload)) return errors::Internal("unreadable ErasurePartEvent");
  const std::string name =
      names::InOrganization(names::OrganizationId(event.organization()), "erasures",
                            names::Id(event.resource(), "erasures"));
  tx.Lock({name});
  absl::StatusOr<ErasureRecord> known = notes::GetErasure(tx, name);
  if (absl::IsNotFound(known.status())) return absl::OkStatus();
  RETURN_IF_ERROR(known.status());
  Erasure& erasure = known->resource;
  ErasurePart& part = PartOf(erasure, payload.part().service());
  if (part.confirmed()) return absl::OkStatus();
  part = payload.part();
  part.set_confirmed(true);
  *part.mutable_confirm_time() = event.occur_time();
  if (std::all_of(erasure.parts().begin(), erasure.parts().end(),
                  [](const ErasurePart& other) { return other.confirmed(); })) {
    erasure.set_state(common::v1::ERASURE_STATE_DONE);
    *erasure.mutable_done_time() = event.occur_time();
  }
  ASSIGN_OR_RETURN(const std::string stored, UpdateErasure(tx, *known));
  call::RecordOwnAct(tx, kOwnService, "ConfirmErasure", name, known->version,
                     time::ToTime(event.occur_time()), PayloadOf(erasure), stored);
  return absl::OkStatus();
}

}  // namespace rapport::notes
