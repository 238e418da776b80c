#include "tests/integration/suite/practice.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"

namespace rapport::testing {
namespace {

template <class Response>
Response Must(ctl::Caller& caller, const ctl::Identity& who, absl::string_view method,
              const google::protobuf::Message& request) {
  auto response = caller.Call<Response>(who, method, request);
  EXPECT_TRUE(response.ok()) << method << ": " << response.status();
  return response.ok() ? *std::move(response) : Response();
}

}  // namespace

Practice::Practice(ctl::Caller& caller, const std::string& id)
    : organization_id(id),
      organization("organizations/" + id),
      admin{.subject = "ada", .organization_id = id, .roles = {"organization_admin"}},
      therapist{.subject = "thea", .organization_id = id, .roles = {"therapist"}},
      app{.subject = "app", .organization_id = id, .roles = {"integration"}} {
  using namespace scheduling::v1;  // NOLINT: the messages of one package
  CreateOrganizationRequest create;
  create.set_organization_id(id);
  create.mutable_organization()->set_display_name("Practice");
  Must<Organization>(caller,
                     {.subject = "operator", .organization_id = "", .roles = {"platform_operator"}},
                     "rapport.scheduling.v1.OrganizationService/CreateOrganization", create);

  CreateClinicRequest new_clinic;
  new_clinic.set_parent(organization);
  new_clinic.set_clinic_id("london");
  new_clinic.mutable_clinic()->set_display_name("London");
  new_clinic.mutable_clinic()->set_time_zone("Europe/London");
  new_clinic.mutable_clinic()->set_jurisdiction("GB-ENG");
  clinic =
      Must<Clinic>(caller, admin, "rapport.scheduling.v1.DirectoryService/CreateClinic", new_clinic)
          .name();

  CreateClinicianRequest new_clinician;
  new_clinician.set_parent(organization);
  new_clinician.set_clinician_id("thea");
  Clinician& thea = *new_clinician.mutable_clinician();
  thea.set_display_name("Thea");
  thea.set_subject("thea");
  thea.set_profession(PROFESSION_PSYCHOLOGIST);
  thea.set_licence_number("1");
  thea.mutable_licence_expire_date()->set_year(2030);
  thea.mutable_licence_expire_date()->set_month(1);
  thea.mutable_licence_expire_date()->set_day(1);
  thea.add_clinics(clinic);
  thea.add_certified_protocols("classic");
  for (int day = google::type::MONDAY; day <= google::type::SUNDAY; ++day) {
    WorkingHours& hours = *thea.add_weekly_hours();
    hours.set_clinic(clinic);
    hours.set_day_of_week(static_cast<google::type::DayOfWeek>(day));
    hours.mutable_start_time()->set_hours(8);
    hours.mutable_end_time()->set_hours(20);
  }
  clinician =
      Must<Clinician>(caller, admin, "rapport.scheduling.v1.DirectoryService/CreateClinician",
                      new_clinician)
          .name();

  UpdateOrganizationRequest settings;
  settings.mutable_organization()->set_name(organization);
  settings.mutable_organization()->mutable_settings()->add_duty_list(clinician);
  auto* crisis = settings.mutable_organization()->mutable_settings()->add_crisis_resources();
  crisis->set_jurisdiction("GB");
  crisis->set_label("Samaritans");
  crisis->set_contact("116 123");
  settings.mutable_update_mask()->add_paths("settings.duty_list");
  settings.mutable_update_mask()->add_paths("settings.crisis_resources");
  Must<Organization>(caller, admin, "rapport.scheduling.v1.OrganizationService/UpdateOrganization",
                     settings);

  CreateCourseRequest new_course;
  new_course.set_parent(organization);
  Course& wanted = *new_course.mutable_course();
  wanted.set_patient(organization + "/patients/p1");
  wanted.set_clinician(clinician);
  wanted.set_clinic(clinic);
  wanted.set_protocol("protocols/classic/revisions/1");
  wanted.mutable_patient_particulars()->set_birth_year(1980);
  wanted.mutable_patient_particulars()->set_birth_month(5);
  wanted.mutable_patient_particulars()->set_jurisdiction("GB-ENG");
  wanted.mutable_patient_particulars()->set_time_zone("Europe/London");
  course = Must<Course>(caller, therapist, "rapport.scheduling.v1.CourseService/CreateCourse",
                        new_course);
  BeginAssessmentRequest begin;
  begin.set_name(course.name());
  course =
      Must<Course>(caller, therapist, "rapport.scheduling.v1.CourseService/BeginAssessment", begin);
}

scheduling::v1::Appointment Practice::Book(ctl::Caller& caller, int day) const {
  scheduling::v1::BookAppointmentRequest request;
  request.set_course(course.name());
  request.mutable_local_date()->set_year(2026);
  request.mutable_local_date()->set_month(1);
  request.mutable_local_date()->set_day(day);
  request.mutable_local_time()->set_hours(10);
  request.set_request_id(absl::StrCat("book-", day));
  return Must<scheduling::v1::Appointment>(
      caller, therapist, "rapport.scheduling.v1.AppointmentService/BookAppointment", request);
}

}  // namespace rapport::testing
