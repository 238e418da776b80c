#include "services/notes/rpc/case_handlers.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/case_rules.h"
#include "services/notes/domain/entry_rules.h"
#include "services/notes/domain/payloads.h"
#include "services/notes/rpc/access.h"
#include "services/notes/rpc/signing.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/entries.h"
#include "services/notes/store/goal_store.h"
#include "services/notes/store/risk_store.h"
#include "services/notes/store/screen_store.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

std::string Below(absl::string_view case_name, absl::string_view collection, absl::string_view id) {
  return absl::StrCat(case_name, "/", collection, "/", id);
}

// The number at the end of a name, as of a formulation's version.
int64_t LastNumber(absl::string_view name) {
  int64_t number = 0;
  return absl::SimpleAtoi(names::Last(name), &number) ? number : 0;
}

// Keeps the case and tells of it.
absl::Status SaveCase(Change& change, const crypto::Vault& vault, CaseRecord& record) {
  ASSIGN_OR_RETURN(const std::string stored,
                   UpdateCase(change.tx(), vault, record, change.context().now));
  change.Record(record.resource.name(), record.version,
                PayloadOf(record.resource, record.was_determined), stored);
  return absl::OkStatus();
}

// One list of something that belongs to a case.
template <class Response, class Request, class List, class Add>
absl::StatusOr<Response> ListOfCase(sql::Database& database, const Access& gate,
                                    const crypto::Vault& vault, const CallContext& context,
                                    const Request& request, List list, Add add) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<Response>(
      database, context, [&](sql::Session& session) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         gate.RequireCase(session, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(auto listed,
                         list(session, vault, context.organization_id, access.case_id, page));
        Response response;
        for (auto& item : listed.items) *add(response) = std::move(item);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

}  // namespace

void CaseHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.CaseService", this)
      .Unary("GetCase", &CaseHandlers::GetCase)
      .Unary("ListCases", &CaseHandlers::ListCases)
      .Unary("SignDetermination", &CaseHandlers::SignDetermination)
      .Unary("ReopenDetermination", &CaseHandlers::ReopenDetermination)
      .Unary("ListDeterminations", &CaseHandlers::ListDeterminations)
      .Unary("SetProblemAreas", &CaseHandlers::SetProblemAreas)
      .Unary("WriteFormulation", &CaseHandlers::WriteFormulation)
      .Unary("ListFormulations", &CaseHandlers::ListFormulations)
      .Unary("CreateGoal", &CaseHandlers::CreateGoal)
      .Unary("ReviseGoal", &CaseHandlers::ReviseGoal)
      .Unary("GetGoal", &CaseHandlers::GetGoal)
      .Unary("ListGoals", &CaseHandlers::ListGoals)
      .Unary("RecordPartnerScreen", &CaseHandlers::RecordPartnerScreen)
      .Unary("CountersignPartnerScreen", &CaseHandlers::CountersignPartnerScreen)
      .Unary("ListPartnerScreens", &CaseHandlers::ListPartnerScreens)
      .Unary("CreateRiskAssessment", &CaseHandlers::CreateRiskAssessment)
      .Unary("GetRiskAssessment", &CaseHandlers::GetRiskAssessment)
      .Unary("ListRiskAssessments", &CaseHandlers::ListRiskAssessments)
      .Unary("WriteSafetyPlan", &CaseHandlers::WriteSafetyPlan)
      .Unary("GetSafetyPlan", &CaseHandlers::GetSafetyPlan);
}

absl::StatusOr<v1::Case> CaseHandlers::GetCase(const CallContext& context,
                                               const v1::GetCaseRequest& request) {
  return call::Read<v1::Case>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::Case> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, request.name(), "Case"));
        ASSIGN_OR_RETURN(CaseRecord record,
                         notes::GetCase(session, vault_, context.organization_id, access.case_id));
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::ListCasesResponse> CaseHandlers::ListCases(const CallContext& context,
                                                              const v1::ListCasesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListCasesResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListCasesResponse> {
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        ASSIGN_OR_RETURN(
            Listed<v1::Case> listed,
            notes::ListCases(session, vault_, context.organization_id, reach.clinicians, page));
        v1::ListCasesResponse response;
        for (v1::Case& item : listed.items) *response.add_cases() = std::move(item);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::Determination> CaseHandlers::SignDetermination(
    const CallContext& context, const v1::SignDeterminationRequest& request) {
  return call::Mutate<v1::Determination>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::Determination> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, name, "Case"));
        return GetDetermination(session, vault_, context.organization_id, access.case_id,
                                names::Last(name));
      },
      [&](Change& change) -> absl::StatusOr<v1::Determination> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.parent()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        RETURN_IF_ERROR(
            RequireLicensed(tx, context, access.clinician, access.course.state).status());
        RETURN_IF_ERROR(CheckDetermination(request.determination(), context.organization_id));
        ASSIGN_OR_RETURN(CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, access.case_id));

        v1::Determination determination = request.determination();
        determination.set_name(Below(record.resource.name(), "determinations", ids::NewUlid()));
        determination.set_clinician(access.clinician);
        *determination.mutable_sign_time() = time::ToTimestamp(context.now);
        determination.clear_reopened();
        determination.clear_reopen_time();
        determination.clear_undisposed_issues();
        ASSIGN_OR_RETURN(std::vector<std::string> undisposed,
                         OpenEntries(tx, context.organization_id, access.case_id,
                                     v1::ENTRY_KIND_ADDITIONAL_ISSUE,
                                     /*also_private=*/record.resource.partner().empty()));
        for (std::string& issue : undisposed) {
          determination.add_undisposed_issues(std::move(issue));
        }
        determination.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored,
                         InsertDetermination(tx, vault_, SubjectOf(record.resource), determination,
                                             absl::Now()));

        *record.resource.mutable_determination() = determination;
        record.was_determined = true;
        change.SetResult(determination.name(), 1);
        change.Audit(determination.name(), 1, stored);
        RETURN_IF_ERROR(SaveCase(change, vault_, record));
        return determination;
      });
}

absl::StatusOr<v1::Determination> CaseHandlers::ReopenDetermination(
    const CallContext& context, const v1::ReopenDeterminationRequest& request) {
  const auto read = [&](sql::Session& session,
                        absl::string_view name) -> absl::StatusOr<v1::Determination> {
    ASSIGN_OR_RETURN(const CaseAccess access,
                     access_.RequireCase(session, context, name, "Determination"));
    return GetDetermination(session, vault_, context.organization_id, access.case_id,
                            names::Last(name));
  };
  return call::Mutate<v1::Determination>(
      database_, context, request.request_id(), read,
      [&](Change& change) -> absl::StatusOr<v1::Determination> {
        sql::Transaction& tx = change.tx();
        const std::string case_name = names::InOrganization(context.organization_id, "cases",
                                                            names::Id(request.name(), "cases"));
        tx.Lock({case_name});
        RETURN_IF_ERROR(read(tx, request.name()).status());
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.name(), "Determination"));
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        ASSIGN_OR_RETURN(
            const std::string stored,
            notes::ReopenDetermination(tx, vault_, request.name(),
                                       {context.now, access.clinician, request.reason()}));

        ASSIGN_OR_RETURN(CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, access.case_id));
        ASSIGN_OR_RETURN(v1::Determination determination, read(tx, request.name()));
        change.SetResult(determination.name(), 2);
        change.Audit(determination.name(), 2, stored);
        RETURN_IF_ERROR(SaveCase(change, vault_, record));
        return determination;
      });
}

absl::StatusOr<v1::ListDeterminationsResponse> CaseHandlers::ListDeterminations(
    const CallContext& context, const v1::ListDeterminationsRequest& request) {
  return ListOfCase<v1::ListDeterminationsResponse>(
      database_, access_, vault_, context, request, notes::ListDeterminations,
      [](v1::ListDeterminationsResponse& response) { return response.add_determinations(); });
}

absl::StatusOr<v1::Case> CaseHandlers::SetProblemAreas(const CallContext& context,
                                                       const v1::SetProblemAreasRequest& request) {
  return call::Mutate<v1::Case>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::Case> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, name, "Case"));
        ASSIGN_OR_RETURN(CaseRecord record,
                         notes::GetCase(session, vault_, context.organization_id, access.case_id));
        return std::move(record.resource);
      },
      [&](Change& change) -> absl::StatusOr<v1::Case> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.name(), "Case"));
        RETURN_IF_ERROR(CheckProblemAreas(request.problem_areas(), access.course.state.protocol()));
        ASSIGN_OR_RETURN(const std::vector<v1::Entry> inventory,
                         AllEntries(tx, vault_, context.organization_id, access.case_id,
                                    {.kinds = {v1::ENTRY_KIND_RELATIONSHIP}}));
        RETURN_IF_ERROR(CheckFocusPersons(request.problem_areas(), inventory));
        ASSIGN_OR_RETURN(CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, access.case_id));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), record.version));

        *record.resource.mutable_problem_areas() = request.problem_areas();
        if (record.resource.problem_areas(0).rank() != v1::FOCUS_RANK_PRIMARY) {
          record.resource.mutable_problem_areas()->SwapElements(0, 1);
        }
        RETURN_IF_ERROR(SaveCase(change, vault_, record));
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::Formulation> CaseHandlers::WriteFormulation(
    const CallContext& context, const v1::WriteFormulationRequest& request) {
  return call::Mutate<v1::Formulation>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::Formulation> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, name, "Case"));
        return GetFormulation(session, vault_, context.organization_id, access.case_id,
                              LastNumber(name));
      },
      [&](Change& change) -> absl::StatusOr<v1::Formulation> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.parent()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        RETURN_IF_ERROR(CheckFormulation(request.formulation()));
        ASSIGN_OR_RETURN(CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, access.case_id));

        v1::Formulation formulation = request.formulation();
        formulation.set_version(record.resource.formulation().version() + 1);
        formulation.set_clinician(access.clinician);
        *formulation.mutable_create_time() = time::ToTimestamp(context.now);
        formulation.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored,
                         InsertFormulation(tx, vault_, record.resource, formulation));
        *record.resource.mutable_formulation() = formulation;

        const std::string name =
            Below(record.resource.name(), "formulations", absl::StrCat(formulation.version()));
        change.SetResult(name, formulation.version());
        change.Audit(name, formulation.version(), stored);
        RETURN_IF_ERROR(SaveCase(change, vault_, record));
        return formulation;
      });
}

absl::StatusOr<v1::ListFormulationsResponse> CaseHandlers::ListFormulations(
    const CallContext& context, const v1::ListFormulationsRequest& request) {
  return ListOfCase<v1::ListFormulationsResponse>(
      database_, access_, vault_, context, request, notes::ListFormulations,
      [](v1::ListFormulationsResponse& response) { return response.add_formulations(); });
}

absl::StatusOr<v1::Goal> CaseHandlers::CreateGoal(const CallContext& context,
                                                  const v1::CreateGoalRequest& request) {
  return call::Mutate<v1::Goal>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::Goal> {
        RETURN_IF_ERROR(access_.RequireCase(session, context, name, "Case").status());
        ASSIGN_OR_RETURN(GoalRecord record, notes::GetGoal(session, vault_, name));
        return std::move(record.resource);
      },
      [&](Change& change) -> absl::StatusOr<v1::Goal> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        RETURN_IF_ERROR(CheckGoal(request.goal()));
        ASSIGN_OR_RETURN(const CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, access.case_id));
        if (!record.resource.partner().empty()) {
          ASSIGN_OR_RETURN(
              const std::vector<std::string> told,
              PatientsWith(tx, context.organization_id, access.case_id, v1::ENTRY_KIND_HOPE));
          if (told.size() < 2) {
            return errors::FailedPrecondition(
                "HOPES_NOT_TOLD",
                "Of a couple each first tells what they hope for. Keep an entry HOPE of each.");
          }
        }

        v1::Goal goal = NewGoal(request.goal(), context.now);
        goal.set_name(Below(access.name, "goals", ids::NewUlid()));
        goal.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored, InsertGoal(tx, vault_, record.resource, goal));
        change.Record(goal.name(), 1, PayloadOf(goal), stored);
        return goal;
      });
}

absl::StatusOr<v1::Goal> CaseHandlers::ReviseGoal(const CallContext& context,
                                                  const v1::ReviseGoalRequest& request) {
  return call::Mutate<v1::Goal>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::Goal> {
        RETURN_IF_ERROR(access_.RequireCase(session, context, name, "Goal").status());
        ASSIGN_OR_RETURN(GoalRecord record, notes::GetGoal(session, vault_, name));
        return std::move(record.resource);
      },
      [&](Change& change) -> absl::StatusOr<v1::Goal> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.name(), "Goal"));
        ASSIGN_OR_RETURN(const GoalRecord record, notes::GetGoal(tx, vault_, request.name()));
        RETURN_IF_ERROR(CheckGoal(request.goal()));
        if (!request.appointment().empty()) {
          ASSIGN_OR_RETURN(const care::AppointmentFacts session,
                           care::GetAppointment(tx, request.appointment()));
          if (session.state.course() != access.course.course) {
            return errors::NotFound("Appointment");
          }
        }
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), record.version));
        ASSIGN_OR_RETURN(v1::Goal goal, notes::ReviseGoal(record.resource, request.goal(),
                                                          {request.reason(), request.appointment(),
                                                           access.clinician, context.now}));
        goal.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored,
                         UpdateGoal(tx, vault_, goal, record.version, record.subject));
        change.Record(goal.name(), record.version + 1, PayloadOf(goal), stored);
        return goal;
      });
}

absl::StatusOr<v1::Goal> CaseHandlers::GetGoal(const CallContext& context,
                                               const v1::GetGoalRequest& request) {
  return call::Read<v1::Goal>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::Goal> {
        RETURN_IF_ERROR(access_.RequireCase(session, context, request.name(), "Goal").status());
        ASSIGN_OR_RETURN(GoalRecord record, notes::GetGoal(session, vault_, request.name()));
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::ListGoalsResponse> CaseHandlers::ListGoals(const CallContext& context,
                                                              const v1::ListGoalsRequest& request) {
  return ListOfCase<v1::ListGoalsResponse>(
      database_, access_, vault_, context, request, notes::ListGoals,
      [](v1::ListGoalsResponse& response) { return response.add_goals(); });
}

absl::StatusOr<v1::PartnerScreen> CaseHandlers::RecordPartnerScreen(
    const CallContext& context, const v1::RecordPartnerScreenRequest& request) {
  return call::Mutate<v1::PartnerScreen>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::PartnerScreen> {
        RETURN_IF_ERROR(access_.RequireCase(session, context, name, "Case").status());
        return GetPartnerScreen(session, vault_, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::PartnerScreen> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        const scheduling::v1::CourseEvent& course = access.course.state;
        if (course.kind() != scheduling::v1::COURSE_KIND_CONJOINT) {
          return errors::FailedPrecondition("NOT_CONJOINT", "The course is not of a couple.");
        }
        v1::PartnerScreen screen = request.partner_screen();
        if (!screen.seen_alone()) {
          return errors::InvalidArgument("partner_screen.seen_alone",
                                         "must be true: each partner is asked alone");
        }
        if (screen.patient() != course.patient() && screen.patient() != course.partner()) {
          return errors::InvalidArgument("partner_screen.patient",
                                         "must be one of the course's two patients");
        }
        RETURN_IF_ERROR(
            notes::GetCase(tx, vault_, context.organization_id, access.case_id).status());
        screen.set_name(Below(access.name, "partnerScreens", ids::NewUlid()));
        screen.set_clinician(access.clinician);
        *screen.mutable_create_time() = time::ToTimestamp(context.now);
        screen.clear_countersignature();
        screen.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored, InsertPartnerScreen(tx, vault_, screen));
        change.SetResult(screen.name(), 1);
        change.Audit(screen.name(), 1, stored);
        return screen;
      });
}

absl::StatusOr<v1::PartnerScreen> CaseHandlers::CountersignPartnerScreen(
    const CallContext& context, const v1::CountersignPartnerScreenRequest& request) {
  const auto read = [&](sql::Session& session,
                        absl::string_view name) -> absl::StatusOr<v1::PartnerScreen> {
    RETURN_IF_ERROR(access_.RequireCase(session, context, name, "PartnerScreen").status());
    return GetPartnerScreen(session, vault_, name);
  };
  return call::Mutate<v1::PartnerScreen>(
      database_, context, request.request_id(), read,
      [&](Change& change) -> absl::StatusOr<v1::PartnerScreen> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(tx, context, request.name(), "PartnerScreen"));
        ASSIGN_OR_RETURN(v1::PartnerScreen screen, GetPartnerScreen(tx, vault_, request.name()));
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        if (access.clinician == screen.clinician() ||
            access.clinician == access.course.state.clinician()) {
          return errors::FailedPrecondition("SAME_CLINICIAN",
                                            "Another clinician than the one who made the screen "
                                            "or is responsible signs.");
        }
        if (screen.violence() != v1::SCREEN_RESULT_POSITIVE) {
          return errors::FailedPrecondition("NOT_POSITIVE",
                                            "Only a positive screen is countersigned.");
        }
        RETURN_IF_ERROR(
            RequireLicensed(tx, context, access.clinician, access.course.state).status());
        v1::ScreenCountersignature& signature = *screen.mutable_countersignature();
        signature.set_clinician(access.clinician);
        signature.set_reason(request.reason());
        *signature.mutable_sign_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::string stored,
                         notes::CountersignPartnerScreen(tx, vault_, screen, signature));
        change.SetResult(screen.name(), 2);
        change.Audit(screen.name(), 2, stored);
        return screen;
      });
}

absl::StatusOr<v1::ListPartnerScreensResponse> CaseHandlers::ListPartnerScreens(
    const CallContext& context, const v1::ListPartnerScreensRequest& request) {
  return ListOfCase<v1::ListPartnerScreensResponse>(
      database_, access_, vault_, context, request, notes::ListPartnerScreens,
      [](v1::ListPartnerScreensResponse& response) { return response.add_partner_screens(); });
}

absl::StatusOr<v1::RiskAssessment> CaseHandlers::CreateRiskAssessment(
    const CallContext& context, const v1::CreateRiskAssessmentRequest& request) {
  return call::Mutate<v1::RiskAssessment>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::RiskAssessment> {
        RETURN_IF_ERROR(access_.RequireCase(session, context, name, "Case").status());
        return notes::GetRiskAssessment(session, vault_, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::RiskAssessment> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(const CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, access.case_id));
        v1::RiskAssessment assessment = request.risk_assessment();
        assessment.set_name(Below(access.name, "riskAssessments", ids::NewUlid()));
        assessment.set_clinician(access.clinician);
        *assessment.mutable_create_time() = time::ToTimestamp(context.now);
        assessment.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored,
                         InsertRiskAssessment(tx, vault_, record.resource, assessment));
        change.SetResult(assessment.name(), 1);
        change.Audit(assessment.name(), 1, stored);
        return assessment;
      });
}

absl::StatusOr<v1::RiskAssessment> CaseHandlers::GetRiskAssessment(
    const CallContext& context, const v1::GetRiskAssessmentRequest& request) {
  return call::Read<v1::RiskAssessment>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::RiskAssessment> {
        RETURN_IF_ERROR(
            access_.RequireCase(session, context, request.name(), "RiskAssessment").status());
        return notes::GetRiskAssessment(session, vault_, request.name());
      });
}

absl::StatusOr<v1::ListRiskAssessmentsResponse> CaseHandlers::ListRiskAssessments(
    const CallContext& context, const v1::ListRiskAssessmentsRequest& request) {
  return ListOfCase<v1::ListRiskAssessmentsResponse>(
      database_, access_, vault_, context, request, notes::ListRiskAssessments,
      [](v1::ListRiskAssessmentsResponse& response) { return response.add_risk_assessments(); });
}

absl::StatusOr<v1::SafetyPlan> CaseHandlers::WriteSafetyPlan(
    const CallContext& context, const v1::WriteSafetyPlanRequest& request) {
  return call::Mutate<v1::SafetyPlan>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::SafetyPlan> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, name, "Case"));
        return notes::GetSafetyPlan(session, vault_, context.organization_id, access.case_id,
                                    LastNumber(name));
      },
      [&](Change& change) -> absl::StatusOr<v1::SafetyPlan> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.parent()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(const CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, access.case_id));
        const absl::StatusOr<v1::SafetyPlan> last =
            notes::GetSafetyPlan(tx, vault_, context.organization_id, access.case_id);
        if (!last.ok() && !absl::IsNotFound(last.status())) return last.status();

        v1::SafetyPlan plan = request.safety_plan();
        plan.set_version(last.ok() ? last->version() + 1 : 1);
        plan.set_clinician(access.clinician);
        *plan.mutable_create_time() = time::ToTimestamp(context.now);
        plan.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored,
                         InsertSafetyPlan(tx, vault_, record.resource, plan));
        const std::string name = Below(access.name, "safetyPlans", absl::StrCat(plan.version()));
        change.SetResult(name, plan.version());
        change.Audit(name, plan.version(), stored);
        return plan;
      });
}

absl::StatusOr<v1::SafetyPlan> CaseHandlers::GetSafetyPlan(
    const CallContext& context, const v1::GetSafetyPlanRequest& request) {
  return call::Read<v1::SafetyPlan>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::SafetyPlan> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, request.parent(), "Case"));
        return notes::GetSafetyPlan(session, vault_, context.organization_id, access.case_id);
      });
}

}  // namespace rapport::notes
