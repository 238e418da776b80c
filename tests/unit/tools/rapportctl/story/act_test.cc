#include "tools/rapportctl/story/act.h"

#include <string>

#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::story {
namespace {

using ::testing::HasSubstr;

// Answers every booking with a series of two, or refuses it.
class Desk : public ctl::Caller {
 public:
  absl::Status Call(const ctl::Identity& who, absl::string_view,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    asked_by = who;
    asked = request.ShortDebugString();
    if (taken) return errors::FailedPrecondition("TIME_TAKEN", "taken");
    auto& series = static_cast<scheduling::v1::BookSeriesResponse&>(response);
    series.set_series("s1");
    for (const char* name :
         {"organizations/o/appointments/a1", "organizations/o/appointments/a2"}) {
      scheduling::v1::Appointment& appointment = *series.add_appointments();
      appointment.set_name(name);
      appointment.set_state(scheduling::v1::APPOINTMENT_STATE_BOOKED);
    }
    return absl::OkStatus();
  }

  ctl::Identity asked_by;
  std::string asked;
  bool taken = false;
};

Act Booking() {
  Act act;
  act.set_by("desk");
  act.set_method("rapport.scheduling.v1.AppointmentService/BookSeries");
  act.set_request("course: '${organization}/courses/c' count: 2");
  act.set_keep("series");
  return act;
}

void Expect(Act& act, const std::string& path, const std::string& is) {
  Fact& fact = *act.add_expect();
  fact.set_path(path);
  fact.set_is(is);
}

TEST(ActTest, IsMadeByWhoItSaysWithWhatStandsForTheOrganisation) {
  Desk desk;
  Stage stage(desk, "o");
  stage.request_id = "o-7";
  ASSERT_TRUE(Perform(stage, Booking()).ok());
  EXPECT_EQ(desk.asked_by.roles, std::vector<std::string>{"scheduler"});
  EXPECT_THAT(desk.asked, HasSubstr("course: \"organizations/o/courses/c\""));
  EXPECT_THAT(desk.asked, HasSubstr("request_id: \"o-7\""));
}

TEST(ActTest, RefersToWhatWasKept) {
  Desk desk;
  Stage stage(desk, "o");
  ASSERT_TRUE(Perform(stage, Booking()).ok());
  Act next = Booking();
  next.set_request(
      "course: '${series.appointments[1].name}' request_id: '${id series.appointments[0].name}'");
  ASSERT_TRUE(Perform(stage, next).ok());
  EXPECT_THAT(desk.asked, HasSubstr("course: \"organizations/o/appointments/a2\""));
  next.set_request("course: '${hold.name}'");
  EXPECT_TRUE(absl::IsInvalidArgument(Perform(stage, next)));
}

TEST(ActTest, SaysWhatIsNotAsTold) {
  Desk desk;
  Stage stage(desk, "o");
  Act act = Booking();
  Expect(act, "appointments.size", "2");
  Expect(act, "appointments[1].state", "APPOINTMENT_STATE_BOOKED");
  Expect(act, "appointments[0].room", "");
  Expect(act, "appointments[5].name", "");
  EXPECT_TRUE(Perform(stage, act).ok());
  Expect(act, "series", "s2");
  EXPECT_THAT(std::string(Perform(stage, act).message()), HasSubstr("series is 's1', not 's2'"));
  EXPECT_EQ(*Ask(stage, act), false);
  act.mutable_expect(4)->set_path("colour");
  EXPECT_TRUE(absl::IsInvalidArgument(Perform(stage, act)));
}

TEST(ActTest, FindsAnEntryByAFieldOfIt) {
  Desk desk;
  Stage stage(desk, "o");
  ASSERT_TRUE(Perform(stage, Booking()).ok());
  Act act = Booking();
  Expect(act, "appointments[name=organizations/o/appointments/a2].state",
         "APPOINTMENT_STATE_BOOKED");
  Expect(act, "appointments[name=${series.appointments[1].name}].name",
         "${series.appointments[1].name}");
  Expect(act, "appointments[name=organizations/o/appointments/a3].name", "");
  EXPECT_TRUE(Perform(stage, act).ok());
  Expect(act, "appointments[colour=red].name", "");
  EXPECT_TRUE(absl::IsInvalidArgument(Perform(stage, act)));
}

TEST(ActTest, AGuardianAndAPatientComeAsTheirProxies) {
  Desk desk;
  Stage stage(desk, "o");
  Act act = Booking();
  act.set_by("guardian");
  EXPECT_TRUE(CheckAct(Story(), act, "acts[0]").ok());
  ASSERT_TRUE(Perform(stage, act).ok());
  EXPECT_EQ(desk.asked_by.roles, std::vector<std::string>{"guardian_proxy"});
  act.set_by("patient tess");
  EXPECT_TRUE(CheckAct(Story(), act, "acts[0]").ok());
  ASSERT_TRUE(Perform(stage, act).ok());
  EXPECT_EQ(desk.asked_by.roles, std::vector<std::string>{"patient_proxy"});
  EXPECT_EQ(desk.asked_by.subject, "tess");
}

TEST(ActTest, ARefusalIsTheOneThatWasTold) {
  Desk desk;
  Stage stage(desk, "o");
  Act act = Booking();
  act.set_refused("TIME_TAKEN");
  EXPECT_THAT(std::string(Perform(stage, act).message()), HasSubstr("but done"));
  desk.taken = true;
  EXPECT_TRUE(Perform(stage, act).ok());
  act.set_refused("SHORT_NOTICE");
  EXPECT_FALSE(Perform(stage, act).ok());
}

TEST(ActTest, IsCheckedBeforeItIsPlayed) {
  Story story;
  story.add_clinicians()->set_id("ada");
  Act act = Booking();
  EXPECT_TRUE(CheckAct(story, act, "acts[0]").ok());
  act.set_by("ada");
  EXPECT_TRUE(CheckAct(story, act, "acts[0]").ok());
  act.set_by("eve");
  EXPECT_EQ(errors::FieldViolations(CheckAct(story, act, "acts[0]")).front().field, "acts[0].by");
  act = Booking();
  act.set_method("rapport.scheduling.v1.DirectoryService/ImportDirectory");
  EXPECT_EQ(errors::FieldViolations(CheckAct(story, act, "acts[0]")).front().field,
            "acts[0].method");
  act = Booking();
  act.set_wait(true);
  act.set_refused("TIME_TAKEN");
  EXPECT_EQ(errors::FieldViolations(CheckAct(story, act, "acts[0]")).front().field, "acts[0].wait");
}

}  // namespace
}  // namespace rapport::story
