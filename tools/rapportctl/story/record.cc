#include "tools/rapportctl/story/record.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "rapport/scheduling/v1/protocol_service.pb.h"

namespace rapport::story {
namespace {

namespace sv1 = scheduling::v1;
namespace av1 = assessment::v1;
namespace nv1 = notes::v1;

// Reads as one clinician.
class Reader {
 public:
  Reader(ctl::Caller& caller, const ctl::Identity& who) : caller_(caller), who_(who) {}

  template <class Response, class Request>
  absl::StatusOr<Response> Get(absl::string_view method, const Request& request) {
    return caller_.Call<Response>(who_, method, request);
  }

  template <class Response, class Request>
  absl::StatusOr<Response> GetByName(absl::string_view method, absl::string_view name) {
    Request request;
    request.set_name(std::string(name));
    return Get<Response>(method, request);
  }

  // Every entry of a list, page by page; `items` takes the repeated field out of a page.
  template <class Item, class Response, class Request, class Items>
  absl::StatusOr<std::vector<Item>> All(absl::string_view method, Request request, Items items) {
    std::vector<Item> all;
    do {
      ASSIGN_OR_RETURN(Response page, Get<Response>(method, request));
      for (Item& item : *items(page)) all.push_back(std::move(item));
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return all;
  }

 private:
  ctl::Caller& caller_;
  const ctl::Identity& who_;
};

template <class Request>
Request OfParent(absl::string_view parent) {
  Request request;
  request.set_parent(std::string(parent));
  request.set_page_size(500);
  return request;
}

absl::Status GatherScheduling(Reader& reader, CourseRecord& record, absl::string_view course,
                              absl::string_view organization) {
  ASSIGN_OR_RETURN(record.course, (reader.GetByName<sv1::Course, sv1::GetCourseRequest>(
                                      "rapport.scheduling.v1.CourseService/GetCourse", course)));
  ASSIGN_OR_RETURN(record.clinic, (reader.GetByName<sv1::Clinic, sv1::GetClinicRequest>(
                                      "rapport.scheduling.v1.DirectoryService/GetClinic",
                                      record.course.clinic())));
  ASSIGN_OR_RETURN(record.protocol, (reader.GetByName<sv1::Protocol, sv1::GetProtocolRequest>(
                                        "rapport.scheduling.v1.ProtocolService/GetProtocol",
                                        record.course.protocol())));
  ASSIGN_OR_RETURN(record.clinicians, (reader.All<sv1::Clinician, sv1::ListCliniciansResponse>(
                                          "rapport.scheduling.v1.DirectoryService/ListClinicians",
                                          OfParent<sv1::ListCliniciansRequest>(organization),
                                          [](auto& page) { return page.mutable_clinicians(); })));
  auto appointments = OfParent<sv1::ListAppointmentsRequest>(organization);
  appointments.set_course(std::string(course));
  ASSIGN_OR_RETURN(record.appointments,
                   (reader.All<sv1::Appointment, sv1::ListAppointmentsResponse>(
                       "rapport.scheduling.v1.AppointmentService/ListAppointments", appointments,
                       [](auto& page) { return page.mutable_appointments(); })));
  return absl::OkStatus();
}

absl::Status GatherAssessment(Reader& reader, CourseRecord& record, absl::string_view course,
                              absl::string_view organization) {
  auto assessments = OfParent<av1::ListAssessmentsRequest>(organization);
  assessments.set_course(std::string(course));
  ASSIGN_OR_RETURN(record.assessments,
                   (reader.All<av1::Assessment, av1::ListAssessmentsResponse>(
                       "rapport.assessment.v1.AssessmentService/ListAssessments", assessments,
                       [](auto& page) { return page.mutable_assessments(); })));
  auto due = OfParent<av1::ListDueMeasuresRequest>(organization);
  due.set_course(std::string(course));
  ASSIGN_OR_RETURN(record.due_measures,
                   (reader.All<av1::DueMeasure, av1::ListDueMeasuresResponse>(
                       "rapport.assessment.v1.AssessmentService/ListDueMeasures", due,
                       [](auto& page) { return page.mutable_due_measures(); })));
  av1::GetProgressRequest progress;
  progress.set_course(std::string(course));
  ASSIGN_OR_RETURN(
      record.progress,
      reader.Get<av1::Progress>("rapport.assessment.v1.ProgressService/GetProgress", progress));
  for (const av1::InstrumentProgress& series : record.progress.instruments()) {
    ASSIGN_OR_RETURN(
        record.instruments.emplace_back(),
        (reader.GetByName<av1::Instrument, av1::GetInstrumentRequest>(
            "rapport.assessment.v1.InstrumentService/GetInstrument", series.instrument())));
  }
  auto alerts = OfParent<av1::ListAlertsRequest>(organization);
  alerts.set_course(std::string(course));
  ASSIGN_OR_RETURN(record.alerts, (reader.All<av1::Alert, av1::ListAlertsResponse>(
                                      "rapport.assessment.v1.AlertService/ListAlerts", alerts,
                                      [](auto& page) { return page.mutable_alerts(); })));
  std::reverse(record.alerts.begin(), record.alerts.end());
  return absl::OkStatus();
}

absl::Status GatherNotes(Reader& reader, CourseRecord& record, absl::string_view case_file,
                         absl::string_view organization) {
  ASSIGN_OR_RETURN(record.case_file, (reader.GetByName<nv1::Case, nv1::GetCaseRequest>(
                                         "rapport.notes.v1.CaseService/GetCase", case_file)));
  ASSIGN_OR_RETURN(record.formulations,
                   (reader.All<nv1::Formulation, nv1::ListFormulationsResponse>(
                       "rapport.notes.v1.CaseService/ListFormulations",
                       OfParent<nv1::ListFormulationsRequest>(case_file),
                       [](auto& page) { return page.mutable_formulations(); })));
  ASSIGN_OR_RETURN(record.goals, (reader.All<nv1::Goal, nv1::ListGoalsResponse>(
                                     "rapport.notes.v1.CaseService/ListGoals",
                                     OfParent<nv1::ListGoalsRequest>(case_file),
                                     [](auto& page) { return page.mutable_goals(); })));
  ASSIGN_OR_RETURN(record.risk_assessments,
                   (reader.All<nv1::RiskAssessment, nv1::ListRiskAssessmentsResponse>(
                       "rapport.notes.v1.CaseService/ListRiskAssessments",
                       OfParent<nv1::ListRiskAssessmentsRequest>(case_file),
                       [](auto& page) { return page.mutable_risk_assessments(); })));
  nv1::GetSafetyPlanRequest plan_request;
  plan_request.set_parent(std::string(case_file));
  absl::StatusOr<nv1::SafetyPlan> plan =
      reader.Get<nv1::SafetyPlan>("rapport.notes.v1.CaseService/GetSafetyPlan", plan_request);
  if (plan.ok()) {
    record.safety_plan = *std::move(plan);
  } else if (!absl::IsNotFound(plan.status())) {
    return plan.status();
  }
  ASSIGN_OR_RETURN(record.notes, (reader.All<nv1::Note, nv1::ListNotesResponse>(
                                     "rapport.notes.v1.NoteService/ListNotes",
                                     OfParent<nv1::ListNotesRequest>(case_file),
                                     [](auto& page) { return page.mutable_notes(); })));
  auto due = OfParent<nv1::ListDueNotesRequest>(organization);
  due.set_clinician(record.course.clinician());
  ASSIGN_OR_RETURN(record.due_notes, (reader.All<nv1::DueNote, nv1::ListDueNotesResponse>(
                                         "rapport.notes.v1.NoteService/ListDueNotes", due,
                                         [](auto& page) { return page.mutable_due_notes(); })));
  const auto of_another = [case_file](const nv1::DueNote& note) {
    return note.case_() != case_file;
  };
  record.due_notes.erase(
      std::remove_if(record.due_notes.begin(), record.due_notes.end(), of_another),
      record.due_notes.end());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CourseRecord> Gather(ctl::Caller& caller, const ctl::Identity& therapist,
                                    absl::string_view course, absl::string_view case_file) {
  Reader reader(caller, therapist);
  CourseRecord record;
  const std::string organization = names::Organization(names::OrganizationId(course));
  RETURN_IF_ERROR(GatherScheduling(reader, record, course, organization));
  RETURN_IF_ERROR(GatherAssessment(reader, record, course, organization));
  RETURN_IF_ERROR(GatherNotes(reader, record, case_file, organization));
  return record;
}

}  // namespace rapport::story
