// Bad input over the wire: the right code, reason and field, and nothing changed.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/errors/errors.h"
#include "google/protobuf/dynamic_message.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"

namespace rapport::testing {
namespace {

// Calls `method` with a request in text format; the response is dropped.
absl::Status Call(ctl::Caller& caller, const ctl::Identity& who, std::string method,
                  const std::string& text) {
  std::string dotted = method;
  dotted[dotted.find('/')] = '.';
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(dotted);
  EXPECT_NE(descriptor, nullptr) << method;
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  std::unique_ptr<google::protobuf::Message> request(
      factory->GetPrototype(descriptor->input_type())->New());
  std::unique_ptr<google::protobuf::Message> response(
      factory->GetPrototype(descriptor->output_type())->New());
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get())) << text;
  return caller.Call(who, method, *request, *response);
}

class BadInputTest : public ::testing::Test {
 protected:
  BadInputTest() : suite_(sql::Engine::kSqlite) {
    suite_.StartAll();
    caller_ = suite_.NewCaller();
    ours_ = std::make_unique<Practice>(*caller_, "ours");
    theirs_ = std::make_unique<Practice>(*caller_, "theirs");
  }

  Suite suite_;
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<Practice> ours_;
  std::unique_ptr<Practice> theirs_;
};

TEST_F(BadInputTest, NamesTheFieldThatIsWrong) {
  const std::string course = ours_->course.name();
  struct Row {
    const ctl::Identity& who;
    std::string method;
    std::string request;
    std::string field;
  };
  const std::vector<Row> rows = {
      {ours_->therapist, "rapport.scheduling.v1.CourseService/GetCourse", R"(name: "courses/1")",
       "name"},
      {ours_->admin, "rapport.scheduling.v1.DirectoryService/CreateClinic",
       R"(parent: "organizations/ours" clinic_id: "x" clinic {
            display_name: "X" time_zone: "Europe/Atlantis" jurisdiction: "GB" })",
       "clinic.time_zone"},
      {ours_->admin, "rapport.scheduling.v1.DirectoryService/CreateTimeOff",
       R"(parent: "organizations/ours/clinicians/thea" time_off {
            start_time { seconds: 1767225600 } end_time { seconds: 1767225600 } })",
       "time_off.end_time"},
      {ours_->admin, "rapport.scheduling.v1.DirectoryService/UpdateClinician",
       R"(clinician { name: "organizations/ours/clinicians/thea" } update_mask { paths: "wings" })",
       "update_mask"},
      {ours_->app, "rapport.assessment.v1.ScoringService/Score",
       R"(instrument: "instruments/phq-9" answers { item: 1 value: 4 })", "answers[0].value"},
      {ours_->app, "rapport.assessment.v1.ScoringService/Score",
       R"(instrument: "instruments/phq-9" answers { item: 11 value: 1 })", "answers[0].item"},
      {ours_->app, "rapport.assessment.v1.ScoringService/Score",
       R"(instrument: "instruments/phq-9" answers { item: 1 value: 1 } answers { item: 1 value: 2 })",
       "answers[1].item"},
      {ours_->app, "rapport.assessment.v1.ScoringService/Score",
       R"(instrument: "instruments/horoscope" answers { item: 1 value: 1 })", "instrument"},
      {ours_->therapist, "rapport.scheduling.v1.AppointmentService/ListAppointments",
       R"(parent: "organizations/ours" page_token: "made up" course: ")" + course + R"(")",
       "page_token"},
      {ours_->therapist, "rapport.scheduling.v1.AppointmentService/BookSeries",
       R"(course: ")" + course +
           R"(" first_date { year: 2026 month: 2 day: 30 } local_time { hours: 10 } count: 1)",
       "first_date"},
  };
  for (const Row& row : rows) {
    const absl::Status status = Call(*caller_, row.who, row.method, row.request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.method << status;
    ASSERT_FALSE(errors::FieldViolations(status).empty()) << row.method << status;
    EXPECT_EQ(errors::FieldViolations(status)[0].field, row.field) << row.method;
    EXPECT_EQ(errors::Reason(status), "INVALID_FIELD") << row.method;
  }
}

TEST_F(BadInputTest, AnotherOrganisationsIdsAreAsIfAbsent) {
  const std::string their_course = theirs_->course.name();
  const std::string their_booking = theirs_->Book(*caller_, 8).name();
  struct Row {
    const ctl::Identity& who;
    std::string method;
    std::string there;   // what the others have
    std::string absent;  // what nobody has
  };
  const std::vector<Row> rows = {
      {ours_->therapist, "rapport.scheduling.v1.CourseService/GetCourse", their_course,
       "organizations/ours/courses/none"},
      {ours_->therapist, "rapport.scheduling.v1.CourseService/BeginAssessment", their_course,
       "organizations/ours/courses/none"},
      {ours_->therapist, "rapport.scheduling.v1.AppointmentService/CheckIn", their_booking,
       "organizations/ours/appointments/none"},
      {ours_->admin, "rapport.scheduling.v1.DirectoryService/GetClinician", theirs_->clinician,
       "organizations/ours/clinicians/none"},
      {ours_->therapist, "rapport.notes.v1.CaseService/GetCase",
       "organizations/theirs/cases/" + their_course.substr(their_course.rfind('/') + 1),
       "organizations/ours/cases/none"},
  };
  for (const Row& row : rows) {
    const absl::Status foreign =
        Call(*caller_, row.who, row.method, R"(name: ")" + row.there + R"(")");
    const absl::Status absent =
        Call(*caller_, row.who, row.method, R"(name: ")" + row.absent + R"(")");
    EXPECT_EQ(foreign.code(), absl::StatusCode::kNotFound) << row.method << foreign;
    EXPECT_EQ(foreign, absent) << row.method;
  }
}

TEST_F(BadInputTest, ARequestIdIsForOneRequest) {
  const std::string course = R"(course: ")" + ours_->course.name() + R"(" request_id: "once" )";
  const std::string book = "rapport.scheduling.v1.AppointmentService/BookAppointment";
  const std::string list = "rapport.scheduling.v1.AppointmentService/ListAppointments";
  const std::string monday = course +
                             "local_date { year: 2026 month: 1 day: 5 } "
                             "local_time { hours: 10 }";
  const std::string tuesday = course +
                              "local_date { year: 2026 month: 1 day: 6 } "
                              "local_time { hours: 10 }";
  EXPECT_TRUE(Call(*caller_, ours_->therapist, book, monday).ok());
  EXPECT_TRUE(Call(*caller_, ours_->therapist, book, monday).ok());
  const absl::Status reused = Call(*caller_, ours_->therapist, book, tuesday);
  EXPECT_EQ(reused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(reused), "REQUEST_ID_REUSED");

  scheduling::v1::ListAppointmentsRequest request;
  request.set_parent("organizations/ours");
  request.set_course(ours_->course.name());
  const auto booked =
      caller_->Call<scheduling::v1::ListAppointmentsResponse>(ours_->therapist, list, request);
  ASSERT_TRUE(booked.ok()) << booked.status();
  EXPECT_EQ(booked->appointments_size(), 1);
}

TEST_F(BadInputTest, AStaleEtagChangesNothing) {
  scheduling::v1::UpdateClinicRequest request;
  request.mutable_clinic()->set_name(ours_->clinic);
  request.mutable_clinic()->set_display_name("Renamed");
  request.mutable_clinic()->set_etag("1");
  const std::string update = "rapport.scheduling.v1.DirectoryService/UpdateClinic";
  EXPECT_TRUE(caller_->Call<scheduling::v1::Clinic>(ours_->admin, update, request).ok());
  request.mutable_clinic()->set_display_name("Renamed again");
  const absl::Status stale =
      caller_->Call<scheduling::v1::Clinic>(ours_->admin, update, request).status();
  EXPECT_EQ(stale.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(errors::Reason(stale), "STALE_ETAG");
  EXPECT_EQ(errors::MetadataValue(stale, "current_etag"), "2");
  scheduling::v1::GetClinicRequest get;
  get.set_name(ours_->clinic);
  EXPECT_EQ(caller_
                ->Call<scheduling::v1::Clinic>(
                    ours_->admin, "rapport.scheduling.v1.DirectoryService/GetClinic", get)
                ->display_name(),
            "Renamed");
}

TEST_F(BadInputTest, ATakenTimeNamesWhatIsInTheWay) {
  const std::string first = ours_->Book(*caller_, 5).name();
  const absl::Status taken = Call(
      *caller_, ours_->therapist, "rapport.scheduling.v1.AppointmentService/BookAppointment",
      R"(course: ")" + ours_->course.name() +
          R"(" local_date { year: 2026 month: 1 day: 5 } local_time { hours: 10 minutes: 30 })");
  EXPECT_EQ(taken.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(taken), "TIME_TAKEN");
}

}  // namespace
}  // namespace rapport::testing
