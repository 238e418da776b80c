#include "services/assessment/rpc/assessment_handlers.h"

#include <memory>
#include <string>
#include <utility>

#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/rpc/planning.h"
#include "services/assessment/store/alerts.h"
#include "services/assessment/store/assessments.h"

namespace rapport::assessment {
namespace {

// A patient's own device learns that the form is kept and what to show now, no more.
v1::RecordAssessmentResponse ResponseOf(const call::CallContext& context,
                                        v1::Assessment assessment) {
  v1::RecordAssessmentResponse response;
  response.set_respondent_guidance(GuidanceOf(assessment.score()));
  if (care::IsPatientProxy(*context.principal)) {
    response.mutable_assessment()->set_name(assessment.name());
  } else {
    *response.mutable_assessment() = std::move(assessment);
  }
  return response;
}

}  // namespace

void AssessmentHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.AssessmentService", this)
      .Unary("RecordAssessment", &AssessmentHandlers::RecordAssessment)
      .Unary("GetAssessment", &AssessmentHandlers::GetAssessment)
      .Unary("ListAssessments", &AssessmentHandlers::ListAssessments)
      .Unary("VoidAssessment", &AssessmentHandlers::VoidAssessment)
      .Unary("ListDueMeasures", &AssessmentHandlers::ListDueMeasures)
      .Unary("GetMeasurementPlan", &AssessmentHandlers::GetMeasurementPlan)
      .Unary("UpdateMeasurementPlan", &AssessmentHandlers::UpdateMeasurementPlan)
      .Unary("RecordRhythmDay", &AssessmentHandlers::RecordRhythmDay)
      .Unary("ListRhythmDays", &AssessmentHandlers::ListRhythmDays);
}

absl::StatusOr<v1::RecordAssessmentResponse> AssessmentHandlers::RecordAssessment(
    const call::CallContext& context, const v1::RecordAssessmentRequest& request) {
  return call::Mutate<v1::RecordAssessmentResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session,
          absl::string_view name) -> absl::StatusOr<v1::RecordAssessmentResponse> {
        ASSIGN_OR_RETURN(store::StoredAssessment stored,
                         store::GetAssessment(session, vault_, name));
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, stored.assessment.course(), "Course").status());
        return ResponseOf(context, std::move(stored.assessment));
      },
      [&](call::Change& change) -> absl::StatusOr<v1::RecordAssessmentResponse> {
        ASSIGN_OR_RETURN(
            Recorder::Recorded recorded,
            recorder_.Record(change, request.assessment(),
                             {.measure_request = {}, .recorder = context.principal->subject}));
        return ResponseOf(context, std::move(recorded.assessment));
      });
}

absl::StatusOr<v1::Assessment> AssessmentHandlers::GetAssessment(
    const call::CallContext& context, const v1::GetAssessmentRequest& request) {
  return call::Read<v1::Assessment>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::Assessment> {
        ASSIGN_OR_RETURN(store::StoredAssessment stored,
                         store::GetAssessment(session, vault_, request.name()));
        RETURN_IF_ERROR(
            care::RequireCourse(session, context, stored.assessment.course(), "Assessment")
                .status());
        return std::move(stored.assessment);
      });
}

absl::StatusOr<v1::ListAssessmentsResponse> AssessmentHandlers::ListAssessments(
    const call::CallContext& context, const v1::ListAssessmentsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListAssessmentsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListAssessmentsResponse> {
        RETURN_IF_ERROR(care::RequireCourse(session, context, request.course(), "Course").status());
        store::AssessmentQuery query{.course = request.course(),
                                     .instrument_id = {},
                                     .patient = request.patient(),
                                     .include_void = request.include_void()};
        if (!request.instrument().empty()) {
          ASSIGN_OR_RETURN(
              const std::shared_ptr<const InstrumentRules> rules,
              catalogues_.Find(session, context.organization_id, request.instrument()));
          if (rules == nullptr) {
            return errors::InvalidArgument("instrument",
                                           "must be an instrument that ListInstruments tells");
          }
          query.instrument_id = std::string(rules->id());
        }
        ASSIGN_OR_RETURN(store::AssessmentPage listed,
                         store::ListAssessments(session, vault_, query, page));
        v1::ListAssessmentsResponse response;
        for (v1::Assessment& assessment : listed.assessments) {
          *response.add_assessments() = std::move(assessment);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::Assessment> AssessmentHandlers::VoidAssessment(
    const call::CallContext& context, const v1::VoidAssessmentRequest& request) {
  if (!v1::VoidReason_IsValid(request.reason()) ||
      request.reason() == v1::VOID_REASON_UNSPECIFIED) {
    return errors::InvalidArgument("reason", "must say why the form should not count");
  }
  const auto read = [&](sql::Session& session,
                        absl::string_view name) -> absl::StatusOr<store::StoredAssessment> {
    ASSIGN_OR_RETURN(store::StoredAssessment stored, store::GetAssessment(session, vault_, name));
    RETURN_IF_ERROR(
        RequireTherapist(session, context, stored.assessment.course(), "Assessment").status());
    return stored;
  };
  return call::Mutate<v1::Assessment>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::Assessment> {
        ASSIGN_OR_RETURN(store::StoredAssessment stored, read(session, name));
        return std::move(stored.assessment);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Assessment> {
        ASSIGN_OR_RETURN(store::StoredAssessment stored,
                         store::GetAssessment(change.tx(), vault_, request.name()));
        v1::Assessment& assessment = stored.assessment;
        ASSIGN_OR_RETURN(const std::string clinician,
                         RequireTherapist(change.tx(), context, assessment.course(), "Assessment"));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), stored.version));
        if (assessment.has_void_()) {
          return errors::FailedPrecondition("ASSESSMENT_VOIDED", "This form is void already.");
        }
        assessment.mutable_void_()->set_reason(request.reason());
        assessment.mutable_void_()->set_clinician(clinician);
        *assessment.mutable_void_()->mutable_void_time() = time::ToTimestamp(context.now);
        assessment.set_etag(call::Etag(stored.version + 1));
        ASSIGN_OR_RETURN(const std::string document,
                         store::VoidAssessment(change.tx(), assessment, stored.version));
        change.Record(assessment.name(), stored.version + 1, EventOf(assessment), document);
        OutcomeChanged(change.tx(), assessment.course(), context.now);
        if (!assessment.alerts().empty()) {
          RETURN_IF_ERROR(store::MarkSourceVoided(change.tx(),
                                                  assessment.measure_request().empty()
                                                      ? assessment.name()
                                                      : assessment.measure_request(),
                                                  context.now));
        }
        return std::move(assessment);
      });
}

absl::StatusOr<v1::ListDueMeasuresResponse> AssessmentHandlers::ListDueMeasures(
    const call::CallContext& context, const v1::ListDueMeasuresRequest& request) {
  if (request.course().empty() == request.clinician().empty()) {
    return errors::InvalidArgument({{"course", "one of course and clinician must be given"},
                                    {"clinician", "one of course and clinician must be given"}});
  }
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListDueMeasuresResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListDueMeasuresResponse> {
        return ListDue(session, catalogues_, context, request, page);
      });
}

}  // namespace rapport::assessment
