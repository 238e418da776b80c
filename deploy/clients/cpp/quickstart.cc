// From nothing to a booked first session, and what the feed tells of it. Run it again: nothing is
// done twice.
//
//   RAPPORT_SCHEDULING=127.0.0.1:7401 RAPPORT_ASSESSMENT=127.0.0.1:7402
//   RAPPORT_ORGANIZATION=organizations/riverside RAPPORT_TOKEN_FILE=token rapport_quickstart
//
// The token's subject is "thea"; its roles are organization_admin, therapist and integration.
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "rapport/assessment/v1/scoring_service.grpc.pb.h"
#include "rapport/client/client.h"
#include "rapport/scheduling/v1/appointment_service.grpc.pb.h"
#include "rapport/scheduling/v1/course_service.grpc.pb.h"
#include "rapport/scheduling/v1/directory_service.grpc.pb.h"
#include "rapport/scheduling/v1/opening_service.grpc.pb.h"

namespace {

namespace av1 = rapport::assessment::v1;
namespace sv1 = rapport::scheduling::v1;
using rapport::client::Client;
using rapport::client::Service;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    std::cerr << name << " is not set\n";
    std::exit(2);
  }
  return value;
}

// The answer, or the end of the program with what is wrong.
template <class Answer>
Answer OrEnd(absl::StatusOr<Answer> answer) {
  if (!answer.ok()) {
    std::cerr << rapport::client::Describe(answer.status()) << "\n";
    std::exit(1);
  }
  return *std::move(answer);
}

// A clinic, and a therapist who works there on every day of the week.
sv1::Clinician MakeDirectory(Client& client, const std::string& organization) {
  const auto stub = sv1::DirectoryService::NewStub(client.channel(Service::kScheduling));
  sv1::CreateClinicRequest clinic;
  clinic.set_parent(organization);
  clinic.set_clinic_id("london");
  clinic.set_request_id("quickstart-clinic");
  clinic.mutable_clinic()->set_display_name("London");
  clinic.mutable_clinic()->set_time_zone("Europe/London");
  clinic.mutable_clinic()->set_jurisdiction("GB-ENG");
  const sv1::Clinic made =
      OrEnd(client.Call(*stub, &sv1::DirectoryService::Stub::CreateClinic, clinic));

  sv1::CreateClinicianRequest request;
  request.set_parent(organization);
  request.set_clinician_id("thea");
  request.set_request_id("quickstart-clinician");
  sv1::Clinician& thea = *request.mutable_clinician();
  thea.set_display_name("Thea");
  thea.set_subject("thea");
  thea.set_licence_number("1");
  thea.set_profession(sv1::PROFESSION_PSYCHOLOGIST);
  thea.mutable_licence_expire_date()->set_year(2040);
  thea.mutable_licence_expire_date()->set_month(1);
  thea.mutable_licence_expire_date()->set_day(1);
  thea.add_clinics(made.name());
  thea.add_certified_protocols("classic");
  for (int day = google::type::MONDAY; day <= google::type::SUNDAY; ++day) {
    sv1::WorkingHours& hours = *thea.add_weekly_hours();
    hours.set_clinic(made.name());
    hours.set_day_of_week(static_cast<google::type::DayOfWeek>(day));
    hours.mutable_start_time()->set_hours(9);
    hours.mutable_end_time()->set_hours(17);
  }
  return OrEnd(client.Call(*stub, &sv1::DirectoryService::Stub::CreateClinician, request));
}

// A course for a patient of the caller's registry, whose assessment begins.
sv1::Course Propose(Client& client, const std::string& organization, const sv1::Clinician& thea) {
  const auto stub = sv1::CourseService::NewStub(client.channel(Service::kScheduling));
  sv1::CreateCourseRequest request;
  request.set_parent(organization);
  request.set_request_id("quickstart-course");
  sv1::Course& course = *request.mutable_course();
  course.set_patient(absl::StrCat(organization, "/patients/4711"));
  course.set_clinic(thea.clinics(0));
  course.set_clinician(thea.name());
  course.set_protocol("protocols/classic/revisions/1");
  sv1::PatientParticulars& patient = *course.mutable_patient_particulars();
  patient.set_birth_year(1980);
  patient.set_birth_month(5);
  patient.set_jurisdiction("GB-ENG");
  patient.set_time_zone("Europe/London");
  sv1::BeginAssessmentRequest begin;
  begin.set_name(
      OrEnd(client.Call(*stub, &sv1::CourseService::Stub::CreateCourse, request)).name());
  begin.set_request_id("quickstart-begin");
  return OrEnd(client.Call(*stub, &sv1::CourseService::Stub::BeginAssessment, begin));
}

// The course's session, or else the first opening.
sv1::Appointment Book(Client& client, const std::string& organization, const sv1::Course& course) {
  const auto stub = sv1::AppointmentService::NewStub(client.channel(Service::kScheduling));
  sv1::ListAppointmentsRequest list;
  list.set_parent(organization);
  list.set_course(course.name());
  const auto booked =
      OrEnd(client.Call(*stub, &sv1::AppointmentService::Stub::ListAppointments, list));
  if (booked.appointments_size() > 0) return booked.appointments(0);

  const auto openings = sv1::OpeningService::NewStub(client.channel(Service::kScheduling));
  sv1::SearchOpeningsRequest search;
  search.set_parent(organization);
  search.set_course(course.name());
  search.set_page_size(1);
  for (int tries = 0; tries < 50; ++tries) {
    const auto found =
        OrEnd(client.Call(*openings, &sv1::OpeningService::Stub::SearchOpenings, search));
    if (found.openings_size() > 0) {
      sv1::BookAppointmentRequest request;
      request.set_course(course.name());
      *request.mutable_local_date() = found.openings(0).local_date();
      *request.mutable_local_time() = found.openings(0).local_time();
      request.set_request_id("quickstart-book");
      return OrEnd(client.Call(*stub, &sv1::AppointmentService::Stub::BookAppointment, request));
    }
    absl::SleepFor(
        absl::Milliseconds(100));  // who is new in the directory is found within a second
  }
  std::cerr << "no opening\n";
  std::exit(1);
}

}  // namespace

int main() {
  const std::string organization = Environment("RAPPORT_ORGANIZATION");
  Client client({.scheduling = Environment("RAPPORT_SCHEDULING"),
                 .assessment = Environment("RAPPORT_ASSESSMENT"),
                 .token = rapport::client::TokenFromFile(Environment("RAPPORT_TOKEN_FILE"))});
  std::cout << "grpc " << grpc::Version() << "\n";
  const sv1::Clinician thea = MakeDirectory(client, organization);
  std::cout << "clinic " << thea.clinics(0) << "\nclinician " << thea.name() << "\n";
  const sv1::Course course = Propose(client, organization, thea);
  std::cout << "course " << sv1::CourseState_Name(course.state()) << " of " << course.patient()
            << "\n"
            << "appointment " << Book(client, organization, course).name() << "\n";

  const auto scoring = av1::ScoringService::NewStub(client.channel(Service::kAssessment));
  av1::ScoreRequest form;
  form.set_instrument("instruments/phq-9");
  for (const int value : {2, 3, 1, 2, 1, 1, 0, 1, 0}) {
    av1::Answer& answer = *form.add_answers();
    answer.set_item(form.answers_size());
    answer.set_value(value);
  }
  const av1::ScoreResponse scored =
      OrEnd(client.Call(*scoring, &av1::ScoringService::Stub::Score, form));
  std::cout << "score " << scored.score().total() << " " << scored.score().severity() << "\n";

  const absl::Status watched =
      client.Watch(Service::kScheduling, {.types = {"rapport.scheduling.v1.CourseEvent"}},
                   [&course](const rapport::common::v1::WatchResponse& response) {
                     for (const auto& event : response.events()) {
                       if (event.resource() != course.name()) continue;
                       std::cout << "told of version " << event.version() << "\n";
                       return false;
                     }
                     return true;
                   });
  if (watched.ok()) return 0;
  std::cerr << rapport::client::Describe(watched) << "\n";
  return 1;
}
