#include "common/audit/audit_log.h"
#include "common/errors/status_macros.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "rapport/common/v1/privacy.pb.h"
#include "services/scheduling/rpc/follower.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::SizeIs;

const sql::Statement kDocuments{"test.scheduling.documents", R"sql(
  SELECT document FROM course WHERE organization_id = $1
  UNION ALL SELECT document FROM appointment WHERE organization_id = $1)sql"};

class ErasureTest : public SchedulingTest {
 protected:
  // As notes tells it.
  absl::Status TryErase(const std::string& patient, const absl::Status& then = absl::OkStatus()) {
    common::v1::ErasureEvent payload;
    payload.set_patient(absl::StrCat("organizations/acme/patients/", patient));
    common::v1::Event event;
    event.set_organization("organizations/acme");
    event.set_resource("organizations/acme/erasures/e1");
    event.set_version(1);
    *event.mutable_occur_time() = time::ToTimestamp(now_);
    event.mutable_payload()->PackFrom(payload);
    time::ManualClock clock(now_);
    const NotesFollower follower(revisions_, clock);
    return database_->Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                            [&](sql::Transaction& tx) -> absl::Status {
                              RETURN_IF_ERROR(follower.Apply(tx, event));
                              return then;
                            });
  }
  void Erase(const std::string& patient) {
    const absl::Status erased = TryErase(patient);
    ASSERT_TRUE(erased.ok()) << erased;
  }

  v1::Course Get(const std::string& name) {
    v1::GetCourseRequest request;
    request.set_name(name);
    const auto course = Do(&CourseHandlers::GetCourse, anna_, request);
    EXPECT_TRUE(course.ok()) << course.status();
    return course.ok() ? *course : v1::Course();
  }
  v1::Appointment GetAppointment(const std::string& name) {
    v1::GetAppointmentRequest request;
    request.set_name(name);
    const auto appointment = Do(&AppointmentHandlers::GetAppointment, anna_, request);
    EXPECT_TRUE(appointment.ok()) << appointment.status();
    return appointment.ok() ? *appointment : v1::Appointment();
  }

  // A remote session of the course, at which the patient said where they are.
  v1::Appointment Seen(const v1::Course& course) {
    v1::UpdateClinicianRequest update = Parse<v1::UpdateClinicianRequest>(
        "clinician { name: 'organizations/acme/clinicians/anna' "
        "modalities: MODALITY_VIDEO telehealth_uri: 'https://meet.example/anna' } "
        "update_mask { paths: 'modalities' paths: 'telehealth_uri' }");
    EXPECT_TRUE(Do(&DirectoryHandlers::UpdateClinician, admin_, update).ok());
    v1::BookAppointmentRequest book = At(course, 2, 2, 10);
    book.set_modality(v1::MODALITY_VIDEO);
    const auto booked = Do(&AppointmentHandlers::BookAppointment, scheduler_, book);
    EXPECT_TRUE(booked.ok()) << booked.status();
    if (!booked.ok()) return {};
    now_ = time::ToTime(booked->start_time());
    v1::CheckInRequest check_in;
    check_in.set_name(booked->name());
    *check_in.mutable_telehealth() = Parse<v1::TelehealthDetails>(
        "jurisdiction: 'GB-ENG' location: 'at her sister' callback_number: '0123' "
        "emergency_contact: 'sister' alone: ALONE_NO");
    const auto seen = Do(&AppointmentHandlers::CheckIn, anna_, check_in);
    EXPECT_TRUE(seen.ok()) << seen.status();
    return seen.ok() ? *seen : v1::Appointment();
  }

  bool AnyDocumentSays(const std::string& text) {
    bool says = false;
    EXPECT_TRUE(database_
                    ->Read(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                           [&](sql::Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const sql::Result rows,
                                              session.Query(kDocuments, {sql::Text("acme")}));
                             for (size_t row = 0; row < rows.rows(); ++row) {
                               says |= rows.Bytes(row, 0).find(text) != std::string::npos;
                             }
                             return absl::OkStatus();
                           })
                    .ok());
    return says;
  }

  std::vector<common::v1::Event> Confirmations() {
    std::vector<common::v1::Event> events = Events();
    std::erase_if(events, [](const common::v1::Event& event) {
      return !event.payload().Is<common::v1::ErasurePartEvent>();
    });
    return events;
  }
};

TEST_P(ErasureTest, WhatIsKnownOfAPatientGoesAndTheWorkDoneStays) {
  const v1::Course course = Active("p1");
  const v1::Course other = Active("p2", "ben");
  const v1::Appointment seen = Seen(course);
  ASSERT_TRUE(AnyDocumentSays("her sister"));
  Erase("p1");

  const v1::Course after = Get(course.name());
  EXPECT_EQ(after.patient_particulars().birth_year(), 0);
  EXPECT_EQ(after.patient_particulars().jurisdiction(), "");
  EXPECT_EQ(after.state(), course.state());
  EXPECT_FALSE(AnyDocumentSays("her sister"));
  const v1::Appointment kept = GetAppointment(seen.name());
  EXPECT_FALSE(kept.has_telehealth());
  EXPECT_EQ(kept.state(), seen.state());
  v1::GetCourseRequest get;
  get.set_name(other.name());
  EXPECT_EQ(Do(&CourseHandlers::GetCourse, ben_, get)->patient_particulars().birth_year(), 1980);

  // The replicas are told.
  bool told = false;
  for (const common::v1::Event& event : Events()) {
    v1::CourseEvent payload;
    if (event.resource() == course.name() && event.payload().UnpackTo(&payload)) {
      told = payload.patient_jurisdiction().empty();
    }
  }
  EXPECT_TRUE(told);
  ASSERT_THAT(Confirmations(), SizeIs(1));
  common::v1::ErasurePartEvent part;
  ASSERT_TRUE(Confirmations()[0].payload().UnpackTo(&part));
  EXPECT_EQ(part.part().service(), "scheduling");
  EXPECT_THAT(part.part().covers(), SizeIs(2));
}

TEST_P(ErasureTest, NobodyBeginsACourseOfWhoWasErased) {
  Erase("p1");
  const auto refused = Do(&CourseHandlers::CreateCourse, anna_, NewCourse("p1"));
  EXPECT_EQ(errors::Reason(refused.status()), "ERASED");
  EXPECT_TRUE(Do(&CourseHandlers::CreateCourse, anna_, NewCourse("p2")).ok());
}

TEST_P(ErasureTest, IsDoneAndConfirmedOnceAlsoAfterAKill) {
  const v1::Course course = Active("p1");
  EXPECT_FALSE(TryErase("p1", absl::CancelledError("killed")).ok());
  EXPECT_EQ(Get(course.name()).patient_particulars().birth_year(), 1980);
  EXPECT_THAT(Confirmations(), SizeIs(0));
  Erase("p1");
  const std::string etag = Get(course.name()).etag();
  Erase("p1");  // a redelivery
  EXPECT_EQ(Get(course.name()).etag(), etag);
  EXPECT_THAT(Confirmations(), SizeIs(1));
}

INSTANTIATE_ON_ENGINES(ErasureTest);

}  // namespace
}  // namespace rapport::scheduling
