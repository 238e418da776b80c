#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using DirectoryTest = SchedulingTest;
INSTANTIATE_ON_ENGINES(DirectoryTest);

TEST_P(DirectoryTest, ClinicsAreListedInPagesBoundToTheirQuery) {
  v1::ListClinicsRequest request =
      Parse<v1::ListClinicsRequest>("parent: 'organizations/acme' page_size: 1");
  const auto first = Do(&DirectoryHandlers::ListClinics, admin_, request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->clinics_size(), 1);
  EXPECT_EQ(first->clinics(0).name(), "organizations/acme/clinics/north");
  request.set_page_token(first->next_page_token());
  const auto second = Do(&DirectoryHandlers::ListClinics, admin_, request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->clinics(0).name(), "organizations/acme/clinics/south");
  EXPECT_EQ(second->next_page_token(), "");

  v1::ListCliniciansRequest other =
      Parse<v1::ListCliniciansRequest>("parent: 'organizations/acme'");
  other.set_page_token(first->next_page_token());
  EXPECT_EQ(
      errors::FieldViolations(Do(&DirectoryHandlers::ListClinicians, admin_, other).status())[0]
          .field,
      "page_token");
  request.set_page_token("x" + first->next_page_token());
  EXPECT_EQ(Do(&DirectoryHandlers::ListClinics, admin_, request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(DirectoryTest, AClinicWithoutChosenIdGetsAUlidInLowerCase) {
  const auto clinic = Do(&DirectoryHandlers::CreateClinic, admin_,
                         Parse<v1::CreateClinicRequest>(R"pb(
                           parent: "organizations/acme"
                           clinic {
                             name: "ignored"
                             display_name: "E"
                             time_zone: "Asia/Kathmandu"
                             jurisdiction: "NP"
                           })pb"));
  ASSERT_TRUE(clinic.ok()) << clinic.status();
  EXPECT_THAT(clinic->name(), ::testing::MatchesRegex("organizations/acme/clinics/[0-9a-z]{26}"));
}

TEST_P(DirectoryTest, AChosenIdIsTakenOnce) {
  const auto request = Parse<v1::CreateClinicRequest>(R"pb(
    parent: "organizations/acme"
    clinic_id: "north"
    clinic { display_name: "E" time_zone: "Asia/Kathmandu" jurisdiction: "NP" })pb");
  EXPECT_EQ(Do(&DirectoryHandlers::CreateClinic, admin_, request).status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_P(DirectoryTest, ASubjectIsOfOneClinician) {
  auto request = NewClinician("acme", "carl");
  request.mutable_clinician()->set_subject("anna");
  EXPECT_EQ(errors::Reason(Do(&DirectoryHandlers::CreateClinician, admin_, request).status()),
            "SUBJECT_TAKEN");
  request.mutable_clinician()->clear_subject();
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, request).ok());
  request.set_clinician_id("dora");
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, request).ok());
  const auto update = Parse<v1::UpdateClinicianRequest>(
      "clinician { name: 'organizations/acme/clinicians/dora' subject: 'ben' }");
  EXPECT_EQ(errors::Reason(Do(&DirectoryHandlers::UpdateClinician, admin_, update).status()),
            "SUBJECT_TAKEN");
}

TEST_P(DirectoryTest, CliniciansWorkAtKnownClinics) {
  auto request = NewClinician("acme", "carl");
  request.mutable_clinician()->add_clinics("organizations/acme/clinics/west");
  const absl::Status status = Do(&DirectoryHandlers::CreateClinician, admin_, request).status();
  EXPECT_EQ(errors::Reason(status), "UNKNOWN_CLINIC");
  EXPECT_EQ(errors::MetadataValue(status, "clinic"), "organizations/acme/clinics/west");
}

TEST_P(DirectoryTest, TimeOffNamesWhatItAffectsAndItsDeletionIsTold) {
  const v1::Course course = Begun("p");
  const v1::Appointment within = Booked(course, 2, 10, 14);
  Booked(course, 2, 17, 14);
  const auto time_off =
      Do(&DirectoryHandlers::CreateTimeOff, admin_, Parse<v1::CreateTimeOffRequest>(R"pb(
        parent: "organizations/acme/clinicians/anna"
        time_off {
          start_time { seconds: 1770681600 }
          end_time { seconds: 1770768000 }
        })pb"));
  ASSERT_TRUE(time_off.ok()) << time_off.status();
  EXPECT_THAT(time_off->affected_appointments(), ElementsAre(within.name()));
  EXPECT_EQ(
      errors::Reason(
          Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 2, 10, 9)).status()),
      "CLINICIAN_AWAY");

  v1::DeleteTimeOffRequest remove;
  remove.set_name(time_off->name());
  remove.set_request_id("d1");
  ASSERT_TRUE(Do(&DirectoryHandlers::DeleteTimeOff, admin_, remove).ok());
  ASSERT_TRUE(Do(&DirectoryHandlers::DeleteTimeOff, admin_, remove).ok());
  EXPECT_TRUE(replayed_);
  remove.clear_request_id();
  EXPECT_EQ(Do(&DirectoryHandlers::DeleteTimeOff, admin_, remove).status().code(),
            absl::StatusCode::kNotFound);
  const auto events = Events();
  v1::TimeOffEvent last;
  ASSERT_TRUE(events.back().payload().UnpackTo(&last));
  EXPECT_TRUE(last.deleted());
  EXPECT_EQ(events.back().version(), 2);
  EXPECT_EQ(last.clinician(), "organizations/acme/clinicians/anna");
  EXPECT_TRUE(Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 2, 10, 9)).ok());
}

TEST_P(DirectoryTest, TimeOffOfAnUnknownClinicianIsNotFound) {
  EXPECT_EQ(Do(&DirectoryHandlers::CreateTimeOff, admin_, Parse<v1::CreateTimeOffRequest>(R"pb(
              parent: "organizations/acme/clinicians/nobody"
              time_off {
                start_time { seconds: 1 }
                end_time { seconds: 2 }
              })pb"))
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

// Anna works in both clinics; leave and cover decide who sees her patients in either.
TEST_P(DirectoryTest, AManagerOfOneClinicDoesNotReachBeyondIt) {
  Who manager = manager_;
  manager.clinics = {{"south"}};
  const auto cover = Parse<v1::CreateCoverRequest>(
      "parent: 'organizations/acme' cover { clinician: 'organizations/acme/clinicians/anna' "
      "covering_clinician: 'organizations/acme/clinicians/ben' start_time { seconds: 100 } "
      "end_time { seconds: 400 } }");
  EXPECT_EQ(errors::Reason(Do(&DirectoryHandlers::CreateCover, manager, cover).status()),
            "OTHER_CLINIC");
  const auto leave = Parse<v1::CreateTimeOffRequest>(
      "parent: 'organizations/acme/clinicians/anna' "
      "time_off { start_time { seconds: 1 } end_time { seconds: 2 } }");
  EXPECT_EQ(errors::Reason(Do(&DirectoryHandlers::CreateTimeOff, manager, leave).status()),
            "OTHER_CLINIC");
  const auto subject = Parse<v1::UpdateClinicianRequest>(
      "clinician { name: 'organizations/acme/clinicians/anna' subject: 'mallory' }");
  EXPECT_EQ(errors::Reason(Do(&DirectoryHandlers::UpdateClinician, manager, subject).status()),
            "OTHER_CLINIC");
  const auto north = Parse<v1::UpdateClinicRequest>(
      "clinic { name: 'organizations/acme/clinics/north' display_name: 'Mine' }");
  EXPECT_EQ(errors::Reason(Do(&DirectoryHandlers::UpdateClinic, manager, north).status()),
            "OTHER_CLINIC");
  const auto south = Parse<v1::UpdateClinicRequest>(
      "clinic { name: 'organizations/acme/clinics/south' display_name: 'Mine' }");
  EXPECT_TRUE(Do(&DirectoryHandlers::UpdateClinic, manager, south).ok());
  manager.clinics = {{"south", "north"}};
  EXPECT_TRUE(Do(&DirectoryHandlers::CreateCover, manager, cover).ok());
}

TEST_P(DirectoryTest, CoversAreListedByStart) {
  for (int start : {300, 100, 200}) {
    const auto cover = Do(
        &DirectoryHandlers::CreateCover, admin_,
        Parse<v1::CreateCoverRequest>(absl::StrCat(
            "parent: 'organizations/acme' cover { clinician: 'organizations/acme/clinicians/anna' "
            "covering_clinician: 'organizations/acme/clinicians/ben' start_time { seconds: ",
            start, " } end_time { seconds: 400 } }")));
    ASSERT_TRUE(cover.ok()) << cover.status();
  }
  std::vector<int64_t> starts;
  v1::ListCoversRequest request =
      Parse<v1::ListCoversRequest>("parent: 'organizations/acme' page_size: 2");
  do {
    const auto page = Do(&DirectoryHandlers::ListCovers, admin_, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Cover& cover : page->covers()) starts.push_back(cover.start_time().seconds());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(starts, ElementsAre(100, 200, 300));
  EXPECT_EQ(
      errors::Reason(Do(&DirectoryHandlers::CreateCover, admin_, Parse<v1::CreateCoverRequest>(R"pb(
                       parent: "organizations/acme"
                       cover {
                         clinician: "organizations/acme/clinicians/anna"
                         covering_clinician: "organizations/acme/clinicians/nobody"
                         start_time { seconds: 1 }
                         end_time { seconds: 2 }
                       })pb"))
                         .status()),
      "UNKNOWN_CLINICIAN");
}

TEST_P(DirectoryTest, OrganizationsAreApart) {
  MakeOrganization("beta");
  Who stranger = admin_;
  stranger.organization = "beta";
  const v1::Course course = Begun("p");
  const v1::Appointment appointment = Booked(course, 2, 10, 14);

  v1::ListCliniciansRequest list;
  list.set_parent("organizations/beta");
  const auto clinicians = Do(&DirectoryHandlers::ListClinicians, stranger, list);
  ASSERT_TRUE(clinicians.ok());
  for (const v1::Clinician& clinician : clinicians->clinicians()) {
    EXPECT_THAT(clinician.name(), ::testing::StartsWith("organizations/beta/"));
  }
  // The same ids, asked for within the stranger's own organisation, are absent.
  Who desk = scheduler_;
  desk.organization = "beta";
  v1::GetAppointmentRequest get;
  get.set_name(absl::StrCat("organizations/beta/appointments/",
                            appointment.name().substr(appointment.name().rfind('/') + 1)));
  const absl::Status hidden = Do(&AppointmentHandlers::GetAppointment, desk, get).status();
  get.set_name("organizations/beta/appointments/none");
  EXPECT_EQ(hidden, Do(&AppointmentHandlers::GetAppointment, desk, get).status());
  EXPECT_EQ(hidden.code(), absl::StatusCode::kNotFound);
  v1::ListAppointmentsRequest appointments;
  appointments.set_parent("organizations/beta");
  appointments.set_clinician("organizations/beta/clinicians/anna");
  EXPECT_THAT(Do(&AppointmentHandlers::ListAppointments, desk, appointments)->appointments(),
              IsEmpty());
  // The same clinician id and time are free in the other organisation.
  Who anna = anna_;
  anna.organization = "beta";
  auto other = Do(&CourseHandlers::CreateCourse, anna, NewCourse("p", "anna", "north", "beta"));
  ASSERT_TRUE(other.ok()) << other.status();
  v1::BeginAssessmentRequest begin;
  begin.set_name(other->name());
  ASSERT_TRUE(Do(&CourseHandlers::BeginAssessment, anna, begin).ok());
  EXPECT_TRUE(Do(&AppointmentHandlers::BookAppointment, anna, At(*other, 2, 10, 14)).ok());
}

}  // namespace
}  // namespace rapport::scheduling
