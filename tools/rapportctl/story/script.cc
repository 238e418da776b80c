#include "tools/rapportctl/story/script.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tools/rapportctl/story/act.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::story {
namespace {

namespace sv1 = scheduling::v1;
namespace av1 = assessment::v1;
namespace nv1 = notes::v1;

constexpr char kOrganizations[] = "rapport.scheduling.v1.OrganizationService/";
constexpr char kDirectory[] = "rapport.scheduling.v1.DirectoryService/";
constexpr char kCourses[] = "rapport.scheduling.v1.CourseService/";
constexpr char kAppointments[] = "rapport.scheduling.v1.AppointmentService/";
constexpr char kAssessments[] = "rapport.assessment.v1.AssessmentService/";
constexpr char kProgress[] = "rapport.assessment.v1.ProgressService/";
constexpr char kAlerts[] = "rapport.assessment.v1.AlertService/";
constexpr char kCases[] = "rapport.notes.v1.CaseService/";
constexpr char kEntries[] = "rapport.notes.v1.CaseEntryService/";
constexpr char kNotes[] = "rapport.notes.v1.NoteService/";

constexpr int kPageSize = 500;

// A change: the request with the step's id.
template <class Response, class Request>
absl::StatusOr<Response> Change(Stage& stage, const ctl::Identity& who, absl::string_view service,
                                absl::string_view method, Request request) {
  request.set_request_id(stage.request_id);
  return stage.caller.Call<Response>(who, absl::StrCat(service, method), request);
}

template <class Response, class Request>
absl::StatusOr<Response> Ask(Stage& stage, const ctl::Identity& who, absl::string_view service,
                             absl::string_view method, const Request& request) {
  return stage.caller.Call<Response>(who, absl::StrCat(service, method), request);
}

std::string KeyOf(const Session& session) { return session.start(); }
std::string KeyOf(const Session& session, const Form& form) {
  return absl::StrCat(session.start(), " ", form.instrument(), " ", form.filled_in());
}
std::string KeyOf(const sv1::Appointment& appointment) {
  const absl::CivilDay day = time::ToCivilDay(appointment.local_date());
  const int minutes = time::ToMinutes(appointment.local_time());
  return FormatLocal(absl::CivilMinute(day) + minutes);
}

bool IsAttended(const Session& session) {
  return session.attendance() == ATTENDED || session.attendance() == ATTENDANCE_UNSPECIFIED;
}

std::string Label(const Session& session) {
  return IsAttended(session) ? absl::StrCat("session ", session.number())
                             : absl::StrCat("appointment of ", session.start());
}

class Builder {
 public:
  Builder(const Story& story, Calendar calendar)
      : story_(story), treatment_(story.treatment()), calendar_(calendar) {}

  absl::StatusOr<std::vector<Step>> Build() {
    ASSIGN_OR_RETURN(begin_, calendar_.At(story_.begins(), "begins"));
    RETURN_IF_ERROR(AddDirectory());
    RETURN_IF_ERROR(AddLeaves());
    if (story_.has_treatment()) RETURN_IF_ERROR(AddTreatment());
    for (int i = 0; i < story_.sessions_size(); ++i) {
      RETURN_IF_ERROR(AddSession(story_.sessions(i), absl::StrCat("sessions[", i, "]")));
    }
    RETURN_IF_ERROR(AddDiaries());
    RETURN_IF_ERROR(AddMaintenance());
    RETURN_IF_ERROR(AddEnding());
    RETURN_IF_ERROR(AddActs());
    for (const Step& step : steps_) {
      if (step.at < begin_) {
        return errors::InvalidArgument("begins",
                                       absl::StrCat("later than what happens first, ", step.what));
      }
    }
    std::stable_sort(steps_.begin(), steps_.end(),
                     [](const Step& a, const Step& b) { return a.at < b.at; });
    return std::move(steps_);
  }

 private:
  using CallFunction = std::function<absl::Status(Stage&)>;
  using WaitFunction = std::function<absl::StatusOr<bool>(Stage&)>;

  void Call(absl::Time at, std::string what, CallFunction call) {
    steps_.push_back({at, std::move(what), std::move(call), nullptr, nullptr});
  }
  void Wait(absl::Time at, std::string what, WaitFunction wait) {
    steps_.push_back({at, std::move(what), nullptr, std::move(wait), nullptr});
  }
  void Tell(std::function<std::string(const Stage&)> tell) { steps_.back().tell = std::move(tell); }

  const std::string& therapist() const { return treatment_.clinician(); }
  absl::Duration SessionLength() const {
    return absl::Minutes(treatment_.session_minutes() == 0 ? 50 : treatment_.session_minutes());
  }

  absl::Status AddDirectory() {
    Call(begin_, "create the organisation", [this](Stage& stage) {
      sv1::CreateOrganizationRequest request;
      request.set_organization_id(stage.organization_id);
      request.mutable_organization()->set_display_name(story_.organization().display_name());
      return Change<sv1::Organization>(stage, stage.Operator(), kOrganizations,
                                       "CreateOrganization", request)
          .status();
    });
    for (const Clinic& clinic : story_.clinics()) {
      Call(begin_, absl::StrCat("create the clinic ", clinic.id()), [&clinic](Stage& stage) {
        sv1::CreateClinicRequest request;
        request.set_parent(stage.organization);
        request.set_clinic_id(clinic.id());
        request.mutable_clinic()->set_display_name(clinic.display_name());
        request.mutable_clinic()->set_time_zone(clinic.time_zone());
        request.mutable_clinic()->set_jurisdiction(clinic.jurisdiction());
        return Change<sv1::Clinic>(stage, stage.Administrator(), kDirectory, "CreateClinic",
                                   request)
            .status();
      });
    }
    for (const Clinician& clinician : story_.clinicians()) AddClinician(clinician);
    for (const Clinic& clinic : story_.clinics()) {
      if (clinic.duty_list().empty()) continue;
      Call(begin_, absl::StrCat("set the duty list of ", clinic.id()), [&clinic](Stage& stage) {
        sv1::UpdateClinicRequest request;
        request.mutable_clinic()->set_name(stage.Name("clinics", clinic.id()));
        for (const std::string& id : clinic.duty_list()) {
          request.mutable_clinic()->add_duty_list(stage.Name("clinicians", id));
        }
        request.mutable_update_mask()->add_paths("duty_list");
        return Change<sv1::Clinic>(stage, stage.Administrator(), kDirectory, "UpdateClinic",
                                   request)
            .status();
      });
    }
    Call(begin_, "set who is on duty and whom to turn to in a crisis", [this](Stage& stage) {
      sv1::UpdateOrganizationRequest request;
      sv1::Organization& organization = *request.mutable_organization();
      organization.set_name(stage.organization);
      for (const std::string& id : story_.organization().duty_list()) {
        organization.mutable_settings()->add_duty_list(stage.Name("clinicians", id));
      }
      *organization.mutable_settings()->mutable_crisis_resources() =
          story_.organization().crisis_resources();
      request.mutable_update_mask()->add_paths("settings.duty_list");
      request.mutable_update_mask()->add_paths("settings.crisis_resources");
      return Change<sv1::Organization>(stage, stage.Administrator(), kOrganizations,
                                       "UpdateOrganization", request)
          .status();
    });
    return absl::OkStatus();
  }

  void AddClinician(const Clinician& clinician) {
    Call(begin_, absl::StrCat("enter the clinician ", clinician.id()),
         [this, &clinician](Stage& stage) {
           sv1::CreateClinicianRequest request;
           request.set_parent(stage.organization);
           request.set_clinician_id(clinician.id());
           sv1::Clinician& entry = *request.mutable_clinician();
           entry.set_display_name(clinician.display_name());
           entry.set_subject(stage.Subject(clinician.id()));
           entry.set_profession(clinician.profession());
           entry.set_licence_number(clinician.licence_number());
           if (!clinician.licence_until().empty()) {
             ASSIGN_OR_RETURN(const absl::CivilDay until,
                              ParseDay(clinician.licence_until(), "licence_until"));
             *entry.mutable_licence_expire_date() = time::ToDate(until);
           }
           std::vector<std::string> clinics(clinician.clinics().begin(), clinician.clinics().end());
           if (clinics.empty()) clinics.push_back(story_.clinics(0).id());
           for (const std::string& clinic : clinics)
             entry.add_clinics(stage.Name("clinics", clinic));
           *entry.mutable_certified_protocols() = clinician.certified_protocols();
           *entry.mutable_languages() = clinician.languages();
           for (const Hours& hours : clinician.hours()) {
             sv1::WorkingHours& rule = *entry.add_weekly_hours();
             rule.set_clinic(
                 stage.Name("clinics", hours.clinic().empty() ? clinics.front() : hours.clinic()));
             rule.set_day_of_week(hours.day());
             ASSIGN_OR_RETURN(const int from, ParseTimeOfDay(hours.from(), "hours.from"));
             ASSIGN_OR_RETURN(const int until, ParseTimeOfDay(hours.until(), "hours.until"));
             *rule.mutable_start_time() = time::ToTimeOfDay(from);
             *rule.mutable_end_time() = time::ToTimeOfDay(until);
           }
           return Change<sv1::Clinician>(stage, stage.Administrator(), kDirectory,
                                         "CreateClinician", request)
               .status();
         });
  }

  absl::Status AddLeaves() {
    for (int i = 0; i < story_.leaves_size(); ++i) {
      const Leave& leave = story_.leaves(i);
      const std::string field = absl::StrCat("leaves[", i, "]");
      ASSIGN_OR_RETURN(const absl::Time from, calendar_.At(leave.from(), field + ".from"));
      ASSIGN_OR_RETURN(const absl::Time until, calendar_.At(leave.until(), field + ".until"));
      ASSIGN_OR_RETURN(
          const absl::Time entered,
          calendar_.At(leave.entered(), begin_, absl::ZeroDuration(), field + ".entered"));
      Call(entered, absl::StrCat("leave of ", leave.clinician()),
           [&leave, from, until](Stage& stage) {
             sv1::CreateTimeOffRequest request;
             request.set_parent(stage.Name("clinicians", leave.clinician()));
             *request.mutable_time_off()->mutable_start_time() = time::ToTimestamp(from);
             *request.mutable_time_off()->mutable_end_time() = time::ToTimestamp(until);
             return Change<sv1::TimeOff>(stage, stage.Administrator(), kDirectory, "CreateTimeOff",
                                         request)
                 .status();
           });
      if (leave.cover().empty()) continue;
      Call(entered, absl::StrCat(leave.cover(), " covers for ", leave.clinician()),
           [&leave, from, until](Stage& stage) {
             sv1::CreateCoverRequest request;
             request.set_parent(stage.organization);
             sv1::Cover& cover = *request.mutable_cover();
             cover.set_clinician(stage.Name("clinicians", leave.clinician()));
             cover.set_covering_clinician(stage.Name("clinicians", leave.cover()));
             *cover.mutable_start_time() = time::ToTimestamp(from);
             *cover.mutable_end_time() = time::ToTimestamp(until);
             return Change<sv1::Cover>(stage, stage.Administrator(), kDirectory, "CreateCover",
                                       request)
                 .status();
           });
    }
    return absl::OkStatus();
  }

  absl::Status AddActs() {
    for (int i = 0; i < story_.acts_size(); ++i) {
      const Act& act = story_.acts(i);
      ASSIGN_OR_RETURN(const absl::Time at,
                       calendar_.At(act.at(), absl::StrCat("acts[", i, "].at")));
      if (act.wait()) {
        Wait(at, act.what(), [&act](Stage& stage) { return Ask(stage, act); });
      } else {
        Call(at, act.what(), [&act](Stage& stage) { return Perform(stage, act); });
      }
      Tell([&act](const Stage&) {
        return absl::StrCat(act.at(), "  ", act.what(),
                            act.refused().empty() ? "" : absl::StrCat(": ", act.refused()));
      });
    }
    return absl::OkStatus();
  }

  absl::Status AddTreatment() {
    ASSIGN_OR_RETURN(const absl::Time proposed,
                     calendar_.At(treatment_.proposed(), "treatment.proposed"));
    ASSIGN_OR_RETURN(const absl::Time assessing,
                     calendar_.At(treatment_.assessment_begun(), proposed, absl::ZeroDuration(),
                                  "treatment.assessment_begun"));
    Call(proposed, "propose the course", [this](Stage& stage) {
      sv1::CreateCourseRequest request;
      request.set_parent(stage.organization);
      sv1::Course& course = *request.mutable_course();
      course.set_patient(stage.Name("patients", story_.patient().id()));
      *course.mutable_patient_particulars() = story_.patient().particulars();
      course.set_clinician(stage.Name("clinicians", therapist()));
      course.set_clinic(stage.Name("clinics", treatment_.clinic()));
      course.set_protocol(treatment_.protocol());
      course.set_planned_sessions(treatment_.planned_sessions());
      ASSIGN_OR_RETURN(const sv1::Course created,
                       Change<sv1::Course>(stage, stage.Clinician(therapist()), kCourses,
                                           "CreateCourse", request));
      stage.course = created.name();
      stage.case_file = stage.Name("cases", names::Last(created.name()));
      return absl::OkStatus();
    });
    AddWaitForCase(proposed, therapist());
    Call(assessing, "begin the assessment", [this](Stage& stage) {
      sv1::BeginAssessmentRequest request;
      request.set_name(stage.course);
      return Change<sv1::Course>(stage, stage.Clinician(therapist()), kCourses, "BeginAssessment",
                                 request)
          .status();
    });
    return treatment_.has_series() ? AddSeries() : absl::OkStatus();
  }

  absl::Status AddSeries() {
    const Series& series = treatment_.series();
    ASSIGN_OR_RETURN(const absl::Time booked,
                     calendar_.At(series.booked(), "treatment.series.booked"));
    ASSIGN_OR_RETURN(const absl::CivilMinute first,
                     ParseLocal(series.first(), "treatment.series.first"));
    Call(booked, absl::StrCat("book the series of ", series.count()),
         [this, &series, first](Stage& stage) {
           sv1::BookSeriesRequest request;
           request.set_course(stage.course);
           *request.mutable_first_date() = time::ToDate(absl::CivilDay(first));
           *request.mutable_local_time() = time::ToTimeOfDay(first.hour() * 60 + first.minute());
           request.set_count(series.count());
           request.set_modality(series.modality());
           ASSIGN_OR_RETURN(const sv1::BookSeriesResponse response,
                            Change<sv1::BookSeriesResponse>(stage, stage.Clinician(therapist()),
                                                            kAppointments, "BookSeries", request));
           for (const sv1::Appointment& appointment : response.appointments()) {
             stage.appointments[KeyOf(appointment)] = appointment.name();
           }
           return absl::OkStatus();
         });
    return absl::OkStatus();
  }

  void AddWaitForCase(absl::Time at, const std::string& clinician) {
    Wait(at, absl::StrCat("the case file reaches ", clinician),
         [clinician](Stage& stage) -> absl::StatusOr<bool> {
           nv1::GetCaseRequest request;
           request.set_name(stage.case_file);
           RETURN_IF_ERROR(
               Ask<nv1::Case>(stage, stage.Clinician(clinician), kCases, "GetCase", request)
                   .status());
           return true;
         });
  }

  absl::Status AddSession(const Session& session, const std::string& field) {
    ASSIGN_OR_RETURN(const absl::Time start, calendar_.At(session.start(), field + ".start"));
    if (!session.booked().empty()) RETURN_IF_ERROR(AddBooking(session, field));
    for (int i = 0; i < session.forms_size(); ++i) {
      RETURN_IF_ERROR(
          AddForm(session, session.forms(i), start, absl::StrCat(field, ".forms[", i, "]")));
    }
    switch (session.attendance()) {
      case MISSED:
        return AddMissed(session, start, field);
      case CANCELLED:
        return AddCancelled(session, start, field);
      default:
        return AddAttended(session, start, field);
    }
  }

  absl::Status AddBooking(const Session& session, const std::string& field) {
    ASSIGN_OR_RETURN(const absl::Time booked, calendar_.At(session.booked(), field + ".booked"));
    Call(booked, absl::StrCat("book the appointment of ", session.start()),
         [this, &session](Stage& stage) {
           ASSIGN_OR_RETURN(const absl::CivilMinute local, ParseLocal(session.start(), "start"));
           sv1::BookAppointmentRequest request;
           request.set_course(stage.course);
           *request.mutable_local_date() = time::ToDate(absl::CivilDay(local));
           *request.mutable_local_time() = time::ToTimeOfDay(local.hour() * 60 + local.minute());
           request.set_modality(session.modality());
           ASSIGN_OR_RETURN(const sv1::Appointment appointment,
                            Change<sv1::Appointment>(stage, stage.Clinician(therapist()),
                                                     kAppointments, "BookAppointment", request));
           stage.appointments[KeyOf(session)] = appointment.name();
           return absl::OkStatus();
         });
    return absl::OkStatus();
  }

  absl::Status AddForm(const Session& session, const Form& form, absl::Time start,
                       const std::string& field) {
    ASSIGN_OR_RETURN(const absl::Time at, calendar_.At(form.filled_in(), start, -absl::Minutes(15),
                                                       field + ".filled_in"));
    const std::string label = absl::StrCat(Label(session), ": ", form.instrument());
    if (!form.unasked()) {
      Wait(at, absl::StrCat(label, " is expected"), [this, &session, &form](Stage& stage) {
        return IsDue(stage, therapist(), form.instrument(), stage.appointments[KeyOf(session)]);
      });
    }
    if (form.alert().basis() == av1::OWNER_BASIS_COVER) {
      const std::string& cover = form.alert().owner();
      Wait(at, absl::StrCat(label, ": ", cover, " covers"), [this, &session, cover](Stage& stage) {
        return IsDue(stage, cover, "", stage.appointments[KeyOf(session)]);
      });
    }
    Call(at, absl::StrCat(label, " filled in"), [this, &session, &form, at](Stage& stage) {
      av1::RecordAssessmentRequest request;
      request.set_parent(stage.organization);
      av1::Assessment& filled = *request.mutable_assessment();
      filled.set_course(stage.course);
      filled.set_instrument(absl::StrCat("instruments/", form.instrument()));
      for (av1::Answer& answer : Answers(form.answers())) *filled.add_answers() = std::move(answer);
      if (form.has_total_only()) filled.set_total_only(form.total_only());
      *filled.mutable_context() = form.context();
      const bool alone = form.administration() == av1::ADMINISTRATION_UNSPECIFIED ||
                         form.administration() == av1::ADMINISTRATION_SELF_REPORT;
      filled.set_administration(alone ? av1::ADMINISTRATION_SELF_REPORT : form.administration());
      *filled.mutable_answer_time() = time::ToTimestamp(at);
      ASSIGN_OR_RETURN(const av1::RecordAssessmentResponse response,
                       Change<av1::RecordAssessmentResponse>(
                           stage, alone ? stage.PatientApp() : stage.Clinician(therapist()),
                           kAssessments, "RecordAssessment", request));
      stage.sources[KeyOf(session, form)] = response.assessment().name();
      const av1::Score& score = response.assessment().score();
      stage.scores[KeyOf(session)].push_back(
          score.has_total()
              ? absl::StrCat(absl::AsciiStrToUpper(form.instrument()), " ", score.total())
              : absl::StrCat(absl::AsciiStrToUpper(form.instrument()), " –"));
      const std::string severity = score.severity().empty() ? "none" : score.severity();
      if (!form.severity().empty() && form.severity() != severity) {
        stage.differences.push_back(absl::StrCat(Label(session), ": ", form.instrument(),
                                                 ": the severity is ", severity, ", not ",
                                                 form.severity()));
      }
      const bool critical = !score.critical_items().empty();
      if (critical &&
          response.respondent_guidance() != av1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES) {
        stage.differences.push_back(
            absl::StrCat(Label(session), ": ", form.instrument(),
                         ": a critical answer, and the respondent was not shown whom to turn to"));
      }
      return absl::OkStatus();
    });
    if (!form.has_alert()) return absl::OkStatus();
    return AddAlert(form.alert(), KeyOf(session, form), at, label, field + ".alert");
  }

  // Whether the service expects `instrument` (empty: any) for `appointment`, as `clinician` sees
  // it.
  absl::StatusOr<bool> IsDue(Stage& stage, const std::string& clinician,
                             const std::string& instrument, const std::string& appointment) {
    av1::ListDueMeasuresRequest request;
    request.set_parent(stage.organization);
    request.set_course(stage.course);
    request.set_page_size(kPageSize);
    ASSIGN_OR_RETURN(const av1::ListDueMeasuresResponse due,
                     Ask<av1::ListDueMeasuresResponse>(stage, stage.Clinician(clinician),
                                                       kAssessments, "ListDueMeasures", request));
    for (const av1::DueMeasure& measure : due.due_measures()) {
      if (measure.appointment() == appointment &&
          (instrument.empty() || measure.instrument() == instrument)) {
        return true;
      }
    }
    stage.waiting_for =
        absl::StrCat(due.due_measures_size(), " measures are due, this one is not among them");
    return false;
  }

  absl::Status AddAlert(const AlertHandling& handling, const std::string& key, absl::Time raised,
                        const std::string& label, const std::string& field) {
    const std::string owner = handling.owner().empty() ? therapist() : handling.owner();
    Wait(raised, absl::StrCat(label, ": the alert reaches ", owner),
         [&handling, key, owner, label](Stage& stage) {
           return AlertReaches(stage, handling, key, owner, label);
         });
    if (handling.acknowledged().empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const absl::Time acknowledged,
                     calendar_.At(handling.acknowledged(), raised, absl::ZeroDuration(),
                                  field + ".acknowledged"));
    Call(acknowledged, absl::StrCat(label, ": the alert is acknowledged"),
         [key, owner](Stage& stage) {
           av1::AcknowledgeAlertRequest request;
           request.set_name(stage.alerts[key]);
           return Change<av1::Alert>(stage, stage.Clinician(owner), kAlerts, "AcknowledgeAlert",
                                     request)
               .status();
         });
    if (handling.resolved().empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(
        const absl::Time resolved,
        calendar_.At(handling.resolved(), raised, absl::ZeroDuration(), field + ".resolved"));
    ASSIGN_OR_RETURN(
        const absl::Time assessed,
        handling.assessed().empty()
            ? absl::StatusOr<absl::Time>(std::max(acknowledged, resolved - absl::Minutes(10)))
            : calendar_.At(handling.assessed(), raised, absl::ZeroDuration(), field + ".assessed"));
    std::vector<absl::Time> contacts;
    for (const std::string& contact : handling.contacts()) {
      ASSIGN_OR_RETURN(contacts.emplace_back(),
                       calendar_.At(contact, raised, absl::ZeroDuration(), field + ".contacts"));
    }
    if (acknowledged < raised || assessed < acknowledged || resolved < assessed) {
      return errors::InvalidArgument(field,
                                     "raised, acknowledged, assessed, resolved: in this order");
    }
    AddAlertEvidence(handling, key, owner, assessed, label);
    Call(resolved, absl::StrCat(label, ": the alert is resolved"),
         [&handling, key, owner, contacts](Stage& stage) {
           av1::ResolveAlertRequest request;
           request.set_name(stage.alerts[key]);
           av1::AlertResolution& resolution = *request.mutable_resolution();
           resolution = handling.resolution();
           for (absl::Time contact : contacts) {
             *resolution.add_contact_times() = time::ToTimestamp(contact);
           }
           ASSIGN_OR_RETURN(const absl::CivilDay next,
                            ParseDay(handling.next_check(), "next_check"));
           *resolution.mutable_next_check_date() = time::ToDate(next);
           if (handling.has_risk_assessment()) {
             resolution.set_risk_assessment(stage.risk_assessments[key]);
           }
           return Change<av1::Alert>(stage, stage.Clinician(owner), kAlerts, "ResolveAlert",
                                     request)
               .status();
         });
    return absl::OkStatus();
  }

  void AddAlertEvidence(const AlertHandling& handling, const std::string& key,
                        const std::string& owner, absl::Time assessed, const std::string& label) {
    if (owner != therapist()) AddWaitForCase(assessed, owner);
    if (handling.has_risk_assessment()) {
      Call(assessed, absl::StrCat(label, ": risk is assessed"),
           [&handling, key, owner](Stage& stage) {
             nv1::CreateRiskAssessmentRequest request;
             request.set_parent(stage.case_file);
             *request.mutable_risk_assessment() = handling.risk_assessment();
             ASSIGN_OR_RETURN(const nv1::RiskAssessment created,
                              Change<nv1::RiskAssessment>(stage, stage.Clinician(owner), kCases,
                                                          "CreateRiskAssessment", request));
             stage.risk_assessments[key] = created.name();
             return absl::OkStatus();
           });
    }
    if (handling.has_safety_plan()) {
      Call(assessed, absl::StrCat(label, ": the safety plan is written"),
           [&handling, owner](Stage& stage) {
             nv1::WriteSafetyPlanRequest request;
             request.set_parent(stage.case_file);
             *request.mutable_safety_plan() = handling.safety_plan();
             return Change<nv1::SafetyPlan>(stage, stage.Clinician(owner), kCases,
                                            "WriteSafetyPlan", request)
                 .status();
           });
    }
  }

  static absl::StatusOr<bool> AlertReaches(Stage& stage, const AlertHandling& handling,
                                           const std::string& key, const std::string& owner,
                                           const std::string& label) {
    av1::ListAlertsRequest request;
    request.set_parent(stage.organization);
    request.set_course(stage.course);
    request.set_page_size(kPageSize);
    ASSIGN_OR_RETURN(const av1::ListAlertsResponse response,
                     Ask<av1::ListAlertsResponse>(stage, stage.Clinician(owner), kAlerts,
                                                  "ListAlerts", request));
    stage.waiting_for = absl::StrCat(response.alerts_size(), " alerts, none of this source");
    for (const av1::Alert& alert : response.alerts()) {
      if (alert.source() != stage.sources[key]) continue;
      if (handling.kind() != av1::ALERT_KIND_UNSPECIFIED && handling.kind() != alert.kind()) {
        stage.waiting_for =
            absl::StrCat("there is one of kind ", av1::AlertKind_Name(alert.kind()));
        continue;
      }
      if (alert.owner() != stage.Name("clinicians", owner)) {
        stage.waiting_for = absl::StrCat("it is owned by ", names::Last(alert.owner()));
        return false;
      }
      stage.alerts[key] = alert.name();
      if (handling.basis() != av1::OWNER_BASIS_UNSPECIFIED &&
          handling.basis() != alert.owner_basis()) {
        stage.differences.push_back(absl::StrCat(label, ": the alert is owned as ",
                                                 av1::OwnerBasis_Name(alert.owner_basis()),
                                                 ", not ", av1::OwnerBasis_Name(handling.basis())));
      }
      if (handling.severity() != av1::ALERT_SEVERITY_UNSPECIFIED &&
          handling.severity() != alert.severity()) {
        stage.differences.push_back(
            absl::StrCat(label, ": the alert is ", av1::AlertSeverity_Name(alert.severity()),
                         ", not ", av1::AlertSeverity_Name(handling.severity())));
      }
      return true;
    }
    return false;
  }

  absl::Status AddMissed(const Session& session, absl::Time start, const std::string& field) {
    ASSIGN_OR_RETURN(
        const absl::Time recorded,
        calendar_.At(session.recorded(), start, absl::Minutes(15), field + ".recorded"));
    Call(recorded, absl::StrCat(Label(session), ": missed"), [this, &session](Stage& stage) {
      sv1::MarkNoShowRequest request;
      request.set_name(stage.appointments[KeyOf(session)]);
      stage.sources[KeyOf(session)] = request.name();
      return Change<sv1::Appointment>(stage, stage.Clinician(therapist()), kAppointments,
                                      "MarkNoShow", request)
          .status();
    });
    Tell(Line(session, start, "missed"));
    if (!session.has_missed_alert()) return absl::OkStatus();
    return AddAlert(session.missed_alert(), KeyOf(session), recorded, Label(session),
                    field + ".missed_alert");
  }

  absl::Status AddCancelled(const Session& session, absl::Time start, const std::string& field) {
    ASSIGN_OR_RETURN(
        const absl::Time recorded,
        calendar_.At(session.recorded(), start, -absl::Hours(48), field + ".recorded"));
    Call(recorded, absl::StrCat(Label(session), ": called off"), [this, &session](Stage& stage) {
      sv1::CancelAppointmentRequest request;
      request.set_name(stage.appointments[KeyOf(session)]);
      stage.sources[KeyOf(session)] = request.name();
      request.set_reason(session.cancelled_by() == sv1::CANCEL_REASON_UNSPECIFIED
                             ? sv1::CANCEL_REASON_PATIENT
                             : session.cancelled_by());
      return Change<sv1::Appointment>(stage, stage.Clinician(therapist()), kAppointments,
                                      "CancelAppointment", request)
          .status();
    });
    Tell(Line(session, start, "called off"));
    if (!session.has_missed_alert()) return absl::OkStatus();
    return AddAlert(session.missed_alert(), KeyOf(session), recorded, Label(session),
                    field + ".missed_alert");
  }

  absl::Status AddAttended(const Session& session, absl::Time start, const std::string& field) {
    const absl::Time end = start + SessionLength();
    Call(start - absl::Minutes(3), absl::StrCat(Label(session), ": checked in"),
         [this, &session](Stage& stage) {
           sv1::CheckInRequest request;
           request.set_name(stage.appointments[KeyOf(session)]);
           return Change<sv1::Appointment>(stage, stage.Clinician(therapist()), kAppointments,
                                           "CheckIn", request)
               .status();
         });
    AddCaseWork(session, start);
    Call(end, absl::StrCat(Label(session), ": held"), [this, &session](Stage& stage) {
      sv1::CompleteAppointmentRequest request;
      request.set_name(stage.appointments[KeyOf(session)]);
      return Change<sv1::Appointment>(stage, stage.Clinician(therapist()), kAppointments,
                                      "CompleteAppointment", request)
          .status();
    });
    if (IsExpected(session.number())) {
      Call(end, absl::StrCat(Label(session), ": progress is looked at"),
           [this, &session](Stage& stage) {
             av1::GetProgressRequest request;
             request.set_course(stage.course);
             ASSIGN_OR_RETURN(stage.after_session[session.number()],
                              Ask<av1::Progress>(stage, stage.Clinician(therapist()), kProgress,
                                                 "GetProgress", request));
             return absl::OkStatus();
           });
    }
    if (session.announces_ending()) {
      Call(end, absl::StrCat(Label(session), ": the ending is announced"),
           [this, &session](Stage& stage) {
             ASSIGN_OR_RETURN(const absl::CivilMinute local, ParseLocal(session.start(), "start"));
             sv1::AnnounceEndingRequest request;
             request.set_name(stage.course);
             *request.mutable_date() = time::ToDate(absl::CivilDay(local));
             return Change<sv1::Course>(stage, stage.Clinician(therapist()), kCourses,
                                        "AnnounceEnding", request)
                 .status();
           });
    }
    if (session.activates()) {
      Call(end + absl::Minutes(5), absl::StrCat(Label(session), ": the course is activated"),
           [this](Stage& stage) {
             sv1::ActivateCourseRequest request;
             request.set_name(stage.course);
             return Change<sv1::Course>(stage, stage.Clinician(therapist()), kCourses,
                                        "ActivateCourse", request)
                 .status();
           });
    }
    if (session.has_note()) return AddNote(session, start, end, field);
    Tell(Line(session, start, "held"));
    return absl::OkStatus();
  }

  bool IsExpected(int number) const {
    for (const ExpectWorsening& expected : story_.expect().worsening()) {
      if (expected.session() == number) return true;
    }
    for (const ExpectWorsening& expected : story_.expect().no_worsening()) {
      if (expected.session() == number) return true;
    }
    return false;
  }

  void AddCaseWork(const Session& session, absl::Time start) {
    for (const nv1::ProblemArea& area : session.problem_areas()) AddPerson(session, area, start);
    if (!session.problem_areas().empty()) {
      Call(start + absl::Minutes(20), absl::StrCat(Label(session), ": problem areas"),
           [this, &session](Stage& stage) {
             nv1::SetProblemAreasRequest request;
             request.set_name(stage.case_file);
             *request.mutable_problem_areas() = session.problem_areas();
             for (nv1::ProblemArea& area : *request.mutable_problem_areas()) {
               const auto known = stage.relationships.find(area.person());
               if (area.relationship().empty() && known != stage.relationships.end()) {
                 area.set_relationship(known->second);
               }
             }
             return Change<nv1::Case>(stage, stage.Clinician(therapist()), kCases,
                                      "SetProblemAreas", request)
                 .status();
           });
    }
    if (session.has_formulation()) {
      Call(start + absl::Minutes(25), absl::StrCat(Label(session), ": formulation"),
           [this, &session](Stage& stage) {
             nv1::WriteFormulationRequest request;
             request.set_parent(stage.case_file);
             nv1::Formulation& formulation = *request.mutable_formulation();
             formulation = session.formulation();
             if (!formulation.has_agreement_date() &&
                 formulation.agreement() != nv1::AGREEMENT_NOT_YET) {
               ASSIGN_OR_RETURN(const absl::CivilMinute local,
                                ParseLocal(session.start(), "start"));
               *formulation.mutable_agreement_date() = time::ToDate(absl::CivilDay(local));
             }
             return Change<nv1::Formulation>(stage, stage.Clinician(therapist()), kCases,
                                             "WriteFormulation", request)
                 .status();
           });
    }
    for (const GoalStep& goal : session.goals()) AddGoal(session, goal, start + absl::Minutes(30));
    if (session.has_determination()) {
      Call(start + absl::Minutes(40), absl::StrCat(Label(session), ": suitability is determined"),
           [this, &session](Stage& stage) {
             nv1::SignDeterminationRequest request;
             request.set_parent(stage.case_file);
             *request.mutable_determination() = session.determination();
             if (request.determination().protocol().empty()) {
               request.mutable_determination()->set_protocol(treatment_.protocol());
             }
             return Change<nv1::Determination>(stage, stage.Clinician(therapist()), kCases,
                                               "SignDetermination", request)
                 .status();
           });
    }
  }

  // Whom a focus concerns is put into the inventory first.
  void AddPerson(const Session& session, const nv1::ProblemArea& area, absl::Time start) {
    const bool grief = area.kind() == nv1::PROBLEM_AREA_KIND_GRIEF;
    if (!grief && area.kind() != nv1::PROBLEM_AREA_KIND_ROLE_DISPUTE) return;
    if (!area.relationship().empty() || !people_.insert(area.person()).second) return;
    Call(start + absl::Minutes(15),
         absl::StrCat(Label(session), ": a person is put into the inventory"),
         [this, grief, &session, &area](Stage& stage) {
           nv1::CreateEntryRequest request;
           request.set_parent(stage.case_file);
           nv1::Entry& entry = *request.mutable_entry();
           entry.set_appointment(stage.appointments[KeyOf(session)]);
           nv1::Relationship& person = *entry.mutable_relationship();
           person.set_person(area.person());
           person.set_kind(grief ? nv1::RELATIONSHIP_KIND_DECEASED : nv1::RELATIONSHIP_KIND_OTHER);
           person.set_status(grief ? nv1::RELATIONSHIP_STATUS_LOST
                                   : nv1::RELATIONSHIP_STATUS_CURRENT);
           if (grief) *person.mutable_death_date() = area.death_date();
           ASSIGN_OR_RETURN(entry, Change<nv1::Entry>(stage, stage.Clinician(therapist()), kEntries,
                                                      "CreateEntry", request));
           stage.relationships[area.person()] = entry.name();
           return absl::OkStatus();
         });
  }

  void AddGoal(const Session& session, const GoalStep& goal, absl::Time at) {
    const bool first = goals_.insert(goal.id()).second;
    if (first) {
      Call(at, absl::StrCat(Label(session), ": goal '", goal.id(), "' is set"),
           [this, &goal](Stage& stage) {
             nv1::CreateGoalRequest request;
             request.set_parent(stage.case_file);
             *request.mutable_goal() = goal.goal();
             ASSIGN_OR_RETURN(stage.goals[goal.id()],
                              Change<nv1::Goal>(stage, stage.Clinician(therapist()), kCases,
                                                "CreateGoal", request));
             return absl::OkStatus();
           });
      return;
    }
    Call(at, absl::StrCat(Label(session), ": goal '", goal.id(), "' is revised"),
         [this, &session, &goal](Stage& stage) {
           nv1::ReviseGoalRequest request;
           *request.mutable_goal() = stage.goals[goal.id()];
           request.set_name(request.goal().name());
           request.mutable_goal()->MergeFrom(goal.goal());
           request.mutable_goal()->clear_revisions();
           request.set_reason(goal.reason());
           request.set_appointment(stage.appointments[KeyOf(session)]);
           ASSIGN_OR_RETURN(stage.goals[goal.id()],
                            Change<nv1::Goal>(stage, stage.Clinician(therapist()), kCases,
                                              "ReviseGoal", request));
           return absl::OkStatus();
         });
  }

  absl::Status AddNote(const Session& session, absl::Time start, absl::Time end,
                       const std::string& field) {
    ASSIGN_OR_RETURN(
        const absl::Time sign,
        calendar_.At(session.note_signed(), end, absl::Minutes(50), field + ".note_signed"));
    if (sign < end + absl::Minutes(20)) {
      return errors::InvalidArgument(field + ".note_signed",
                                     "at least 20 minutes after the end of the session");
    }
    Wait(end, absl::StrCat(Label(session), ": the note is due"),
         [this, &session](Stage& stage) { return NoteIsDue(stage, session); });
    Call(sign - absl::Minutes(20), absl::StrCat(Label(session), ": the note is started"),
         [this, &session](Stage& stage) {
           nv1::StartNoteRequest request;
           request.set_parent(stage.case_file);
           request.set_appointment(stage.appointments[KeyOf(session)]);
           ASSIGN_OR_RETURN(stage.notes[KeyOf(session)],
                            Change<nv1::Note>(stage, stage.Clinician(therapist()), kNotes,
                                              "StartNote", request));
           return absl::OkStatus();
         });
    Call(sign - absl::Minutes(12), absl::StrCat(Label(session), ": half of the note is kept"),
         [this, &session](Stage& stage) {
           nv1::NoteContent half;
           half.set_symptom_event_link(session.note().symptom_event_link());
           half.set_focus_kept(session.note().focus_kept());
           return SaveDraft(stage, session, half);
         });
    Call(sign - absl::Minutes(2), absl::StrCat(Label(session), ": the whole note is kept"),
         [this, &session](Stage& stage) { return SaveDraft(stage, session, session.note()); });
    Call(sign, absl::StrCat(Label(session), ": the note is signed"),
         [this, &session](Stage& stage) {
           nv1::SignNoteRequest request;
           request.set_name(stage.notes[KeyOf(session)].name());
           ASSIGN_OR_RETURN(
               stage.notes[KeyOf(session)],
               Change<nv1::Note>(stage, stage.Clinician(therapist()), kNotes, "SignNote", request));
           return absl::OkStatus();
         });
    Tell(Line(session, start, "held, note signed"));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> NoteIsDue(Stage& stage, const Session& session) {
    nv1::ListDueNotesRequest request;
    request.set_parent(stage.organization);
    request.set_clinician(stage.Name("clinicians", therapist()));
    request.set_page_size(kPageSize);
    ASSIGN_OR_RETURN(const nv1::ListDueNotesResponse due,
                     Ask<nv1::ListDueNotesResponse>(stage, stage.Clinician(therapist()), kNotes,
                                                    "ListDueNotes", request));
    for (const nv1::DueNote& note : due.due_notes()) {
      if (note.appointment() == stage.appointments[KeyOf(session)]) return true;
    }
    stage.waiting_for =
        absl::StrCat(due.due_notes_size(), " notes are due, this session's is not among them");
    return false;
  }

  absl::Status SaveDraft(Stage& stage, const Session& session, const nv1::NoteContent& content) {
    nv1::Note& note = stage.notes[KeyOf(session)];
    nv1::SaveDraftRequest request;
    request.set_name(note.name());
    *request.mutable_content() = content;
    request.set_base_sequence(note.draft_sequence());
    request.set_sequence(note.draft_sequence() + 1);
    ASSIGN_OR_RETURN(
        note, Ask<nv1::Note>(stage, stage.Clinician(therapist()), kNotes, "SaveDraft", request));
    return absl::OkStatus();
  }

  absl::Status AddDiaries() {
    for (int i = 0; i < story_.diaries_size(); ++i) {
      const Diary& diary = story_.diaries(i);
      const std::string field = absl::StrCat("diaries[", i, "]");
      ASSIGN_OR_RETURN(const absl::Time at, calendar_.At(diary.recorded(), field + ".recorded"));
      ASSIGN_OR_RETURN(const absl::CivilDay first, ParseDay(diary.first(), field + ".first"));
      for (int d = 0; d < diary.days_size(); ++d) {
        if (diary.days(d).empty()) continue;
        ASSIGN_OR_RETURN(const auto entries, DiaryDay(diary.days(d), field + ".days"));
        Call(at, absl::StrCat("the diary of ", absl::FormatCivilTime(first + d)),
             [day = first + d, entries](Stage& stage) {
               av1::RecordRhythmDayRequest request;
               request.set_parent(stage.organization);
               request.mutable_day()->set_course(stage.course);
               *request.mutable_day()->mutable_date() = time::ToDate(day);
               for (const av1::RhythmEntry& entry : entries) {
                 *request.mutable_day()->add_entries() = entry;
               }
               return Change<av1::RhythmDay>(stage, stage.PatientApp(), kAssessments,
                                             "RecordRhythmDay", request)
                   .status();
             });
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddMaintenance() {
    if (!story_.has_maintenance()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const absl::Time at,
                     calendar_.At(story_.maintenance().begun(), "maintenance.begun"));
    counted_anew_ = at;
    Call(at, "maintenance begins", [this](Stage& stage) {
      sv1::BeginMaintenanceRequest request;
      request.set_name(stage.course);
      *request.mutable_contract() = story_.maintenance().contract();
      request.set_future_appointments(sv1::FUTURE_APPOINTMENTS_CANCEL);
      return Change<sv1::Course>(stage, stage.Clinician(therapist()), kCourses, "BeginMaintenance",
                                 request)
          .status();
    });
    return absl::OkStatus();
  }

  absl::Status AddEnding() {
    if (!story_.has_ending()) return absl::OkStatus();
    const Ending& ending = story_.ending();
    ASSIGN_OR_RETURN(const absl::Time at, calendar_.At(ending.at(), "ending.at"));
    if (ending.completed()) {
      Call(at, "the course is completed", [this, &ending](Stage& stage) {
        sv1::CompleteCourseRequest request;
        request.set_name(stage.course);
        request.set_referral(ending.referral());
        request.set_future_appointments(sv1::FUTURE_APPOINTMENTS_CANCEL);
        return Change<sv1::Course>(stage, stage.Clinician(therapist()), kCourses, "CompleteCourse",
                                   request)
            .status();
      });
      return absl::OkStatus();
    }
    Call(at, "the course is discontinued", [this, &ending](Stage& stage) {
      sv1::DiscontinueCourseRequest request;
      request.set_name(stage.course);
      request.set_reason(ending.discontinued());
      request.set_referral(ending.referral());
      request.set_future_appointments(sv1::FUTURE_APPOINTMENTS_CANCEL);
      return Change<sv1::Course>(stage, stage.Clinician(therapist()), kCourses, "DiscontinueCourse",
                                 request)
          .status();
    });
    return absl::OkStatus();
  }

  // "Mon 23 Mar 2026 17:00 GMT  session 6: PHQ-9 22 · held, note signed".
  std::function<std::string(const Stage&)> Line(const Session& session, absl::Time start,
                                                std::string end) const {
    return [this, &session, start, end](const Stage& stage) {
      std::vector<std::string> parts;
      if (auto scores = stage.scores.find(KeyOf(session)); scores != stage.scores.end()) {
        parts = scores->second;
      }
      parts.push_back(end);
      const std::string when = absl::FormatTime("%a %e %b %Y %H:%M %Z", start, calendar_.zone());
      std::string which;
      if (IsAttended(session)) {
        which = start >= counted_anew_
                    ? absl::StrCat("maintenance session ", session.number(), ": ")
                    : absl::StrCat("session ", session.number(), " of ",
                                   treatment_.planned_sessions(), ": ");
      }
      return absl::StrCat(when, "  ", which, absl::StrJoin(parts, " · "));
    };
  }

  const Story& story_;
  const Treatment& treatment_;
  const Calendar calendar_;
  absl::Time begin_;
  absl::Time counted_anew_ = absl::InfiniteFuture();  // with maintenance
  std::set<std::string> goals_;
  std::set<std::string> people_;  // of the inventory so far
  std::vector<Step> steps_;
};

}  // namespace

absl::StatusOr<Script> BuildScript(const Story& story) {
  ASSIGN_OR_RETURN(const Calendar calendar, Calendar::Make(story));
  auto builder = std::make_shared<Builder>(story, calendar);
  Script script;
  ASSIGN_OR_RETURN(script.steps, builder->Build());
  script.holds = std::move(builder);
  return script;
}

}  // namespace rapport::story
