#include "services/assessment/rpc/alert_handlers.h"

#include <algorithm>
#include <utility>

#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "services/assessment/domain/alerts.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {
namespace {

// Whether an owner on this ground reaches the case file; who is on duty does not, and what they
// name can't be looked up on their behalf.
bool SeesCase(v1::OwnerBasis basis) {
  return basis == v1::OWNER_BASIS_RESPONSIBLE || basis == v1::OWNER_BASIS_COVER;
}

bool EscalatedTo(const v1::Alert& alert, const std::string& clinician) {
  return std::find(alert.escalated_to().begin(), alert.escalated_to().end(), clinician) !=
         alert.escalated_to().end();
}

absl::Status RequireState(const v1::Alert& alert, v1::AlertState state) {
  if (alert.state() == state) return absl::OkStatus();
  return errors::FailedPrecondition("ALERT_STATE",
                                    state == v1::ALERT_STATE_OPEN
                                        ? "The alert is no longer open."
                                        : "An alert is acknowledged first, and resolved once.",
                                    {{"state", v1::AlertState_Name(alert.state())}});
}

}  // namespace

absl::StatusOr<AlertHandlers::Seen> AlertHandlers::Require(sql::Session& session,
                                                           const call::CallContext& context,
                                                           absl::string_view name) const {
  Seen seen;
  ASSIGN_OR_RETURN(seen.stored, store::GetAlert(session, name));
  const v1::Alert& alert = seen.stored.alert;
  ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
  seen.clinician = reach.clinician;
  absl::StatusOr<care::CourseFacts> course = care::GetCourse(session, alert.course());
  if (!course.ok() && !absl::IsNotFound(course.status())) return course.status();
  const bool theirs = !reach.clinician.empty() &&
                      (reach.clinician == alert.owner() || EscalatedTo(alert, reach.clinician));
  const bool treats = course.ok() && reach.Reaches(course->state.clinician());
  if (!theirs && !treats && !context.is_service()) return errors::NotFound("Alert");
  RETURN_IF_ERROR(store::ReadResolutionTexts(session, vault_, {&seen.stored.alert}));
  if (!course.ok()) return seen;
  seen.course = *std::move(course);
  const scheduling::v1::CourseEvent& state = seen.course->state;
  const bool partner = !state.partner().empty() && alert.respondent() == state.partner();
  const auto zone = time::LoadZone(partner ? state.partner_time_zone() : state.patient_time_zone());
  if (zone.ok()) seen.zone = *zone;
  if (!partner && state.has_majority_on()) {
    seen.majority_on = time::ToCivilDay(state.majority_on());
  }
  return seen;
}

void AlertHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.AlertService", this)
      .Unary("GetAlert", &AlertHandlers::GetAlert)
      .Unary("ListAlerts", &AlertHandlers::ListAlerts)
      .Unary("AcknowledgeAlert", &AlertHandlers::AcknowledgeAlert)
      .Unary("ResolveAlert", &AlertHandlers::ResolveAlert)
      .Stream<v1::WatchAlertsResponse>("WatchAlerts", &AlertHandlers::WatchAlerts);
}

absl::StatusOr<v1::Alert> AlertHandlers::GetAlert(const call::CallContext& context,
                                                  const v1::GetAlertRequest& request) {
  return call::Read<v1::Alert>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::Alert> {
        ASSIGN_OR_RETURN(Seen seen, Require(session, context, request.name()));
        return std::move(seen.stored.alert);
      });
}

absl::StatusOr<v1::ListAlertsResponse> AlertHandlers::ListAlerts(
    const call::CallContext& context, const v1::ListAlertsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListAlertsResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListAlertsResponse> {
        v1::ListAlertsResponse response;
        ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
        if (reach.clinician.empty()) return response;
        store::AlertQuery query{.organization_id = context.organization_id,
                                .clinician = reach.clinician,
                                .now = context.now,
                                .course = request.course(),
                                .owner = request.owner(),
                                .states = {}};
        for (const int state : request.states()) {
          query.states.push_back(static_cast<v1::AlertState>(state));
        }
        ASSIGN_OR_RETURN(store::AlertPage listed, store::ListAlerts(session, query, page));
        std::vector<v1::Alert*> told;
        for (v1::Alert& alert : listed.alerts) told.push_back(&alert);
        RETURN_IF_ERROR(store::ReadResolutionTexts(session, vault_, told));
        for (v1::Alert& alert : listed.alerts) *response.add_alerts() = std::move(alert);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::Alert> AlertHandlers::Change(const call::CallContext& context,
                                                absl::string_view request_id,
                                                absl::string_view name, absl::string_view etag,
                                                Edit edit, bool resolves) {
  return call::Mutate<v1::Alert>(
      database_, context, request_id,
      [&](sql::Session& session, absl::string_view) -> absl::StatusOr<v1::Alert> {
        ASSIGN_OR_RETURN(Seen seen, Require(session, context, name));
        return std::move(seen.stored.alert);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Alert> {
        sql::Transaction& tx = change.tx();
        store::LockAlerts(tx, context.organization_id);
        ASSIGN_OR_RETURN(Seen seen, Require(tx, context, name));
        auto& [alert, version] = seen.stored;
        RETURN_IF_ERROR(call::CheckEtag(etag, version));
        RETURN_IF_ERROR(edit(tx, seen));
        RETURN_IF_ERROR(store::UpdateAlert(tx, alert, version));
        alert.set_etag(call::Etag(version + 1));
        change.Record(alert.name(), version + 1, EventOf(alert), store::Document(alert));
        if (resolves) {
          ASSIGN_OR_RETURN(const std::string sealed,
                           store::InsertResolutionTexts(tx, vault_, alert));
          if (!sealed.empty()) change.Audit(store::ResolutionTextsName(alert.name()), 1, sealed);
        }
        return std::move(alert);
      });
}

absl::StatusOr<v1::Alert> AlertHandlers::AcknowledgeAlert(
    const call::CallContext& context, const v1::AcknowledgeAlertRequest& request) {
  return Change(context, request.request_id(), request.name(), request.etag(),
                [&](sql::Session& session, Seen& seen) -> absl::Status {
                  v1::Alert& alert = seen.stored.alert;
                  RETURN_IF_ERROR(RequireState(alert, v1::ALERT_STATE_OPEN));
                  alert.set_state(v1::ALERT_STATE_ACKNOWLEDGED);
                  v1::Acknowledgement& acknowledgement = *alert.mutable_acknowledgement();
                  acknowledgement.set_clinician(seen.clinician);
                  *acknowledgement.mutable_acknowledge_time() = time::ToTimestamp(context.now);
                  if (seen.clinician == alert.owner() || !seen.course ||
                      !EscalatedTo(alert, seen.clinician)) {
                    return absl::OkStatus();
                  }
                  return TakeOver(session, *seen.course, seen.clinician, context.now, alert);
                });
}

AlertHandlers::RiskAssessment AlertHandlers::AskForRiskAssessment(const call::CallContext& context,
                                                                  const std::string& name) {
  RiskAssessment assessment;
  if (name.empty()) return assessment;
  notes::v1::GetRiskAssessmentRequest request;
  request.set_name(name);
  const auto found = notes_.Call<notes::v1::RiskAssessment>(
      context, "rapport.notes.v1.CaseService/GetRiskAssessment", request);
  if (found.ok()) assessment.made = found->create_time();
  assessment.absent = absl::IsNotFound(found.status());
  return assessment;
}

absl::StatusOr<v1::Alert> AlertHandlers::ResolveAlert(const call::CallContext& context,
                                                      const v1::ResolveAlertRequest& request) {
  const RiskAssessment assessed =
      AskForRiskAssessment(context, request.resolution().risk_assessment());
  return Change(
      context, request.request_id(), request.name(), request.etag(),
      [&](sql::Session&, Seen& seen) -> absl::Status {
        v1::Alert& alert = seen.stored.alert;
        RETURN_IF_ERROR(RequireState(alert, v1::ALERT_STATE_ACKNOWLEDGED));
        RETURN_IF_ERROR(
            CheckResolution(request.resolution(), alert, context.now, seen.zone, seen.majority_on));
        if (assessed.absent && SeesCase(alert.owner_basis())) {
          return errors::InvalidArgument("resolution.risk_assessment",
                                         "must be one that is in the case file");
        }
        alert.set_state(v1::ALERT_STATE_RESOLVED);
        v1::AlertResolution& resolution = *alert.mutable_resolution();
        resolution = request.resolution();
        resolution.set_clinician(seen.clinician);
        *resolution.mutable_resolve_time() = time::ToTimestamp(context.now);
        resolution.clear_risk_assessment_time();
        if (assessed.made) *resolution.mutable_risk_assessment_time() = *assessed.made;
        return absl::OkStatus();
      },
      /*resolves=*/true);
}

absl::StatusOr<std::unique_ptr<call::StreamSource>> AlertHandlers::WatchAlerts(
    const call::CallContext& context, const v1::WatchAlertsRequest& request) {
  return news_.Watch(context, request);
}

}  // namespace rapport::assessment
