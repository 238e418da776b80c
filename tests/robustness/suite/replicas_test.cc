// Replicas that do not agree on what time it is, and one that freezes with work in its hands: what
// is due is done once, and the order of things is that of their numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tests/robustness/suite/course_writers.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/tcp_proxy.h"
#include "tools/rapportctl/story/player.h"

namespace rapport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;
using namespace scheduling::v1;  // NOLINT: the messages of one package

constexpr char kHold[] = "rapport.scheduling.v1.AppointmentService/HoldAppointment";
constexpr int kHolds = 40;

class TwoReplicasTest : public ::testing::Test {
 protected:
  // Where a flag's value is among the arguments of scheduling.
  std::string Flag(const std::string& name) const {
    for (const std::string& argument : suite_.Arguments("scheduling")) {
      absl::string_view value = argument;
      if (absl::ConsumePrefix(&value, absl::StrCat("--", name, "="))) return std::string(value);
    }
    return "";
  }

  // Starts scheduling, and another replica of it with some flags of its own.
  void Start(const std::vector<std::string>& more) {
    suite_.Start("scheduling");
    suite_.AwaitReady("scheduling");
    caller_ = suite_.NewCaller();
    practice_ = std::make_unique<Practice>(*caller_, "two");
    const std::string address = suite_.StartReplica("scheduling", "scheduling-b");
    suite_.Kill("scheduling-b");
    std::vector<std::string> arguments = suite_.Arguments("scheduling");
    // The last of a flag counts.
    arguments.push_back("--listen=" + address);
    arguments.push_back(
        absl::StrCat("--health_listen=127.0.0.1:", suite_.health_port("scheduling-b")));
    arguments.push_back("--log_file=" + dir_.File("b.log"));
    arguments.insert(arguments.end(), more.begin(), more.end());
    suite_.StartWith("scheduling-b", arguments);
    suite_.AwaitReady("scheduling-b");
    ctl::Targets targets = suite_.targets();
    targets.scheduling = address;
    b_ = std::make_unique<ctl::GrpcCaller>(
        targets, *auth::TokenSigner::FromPemFile(suite_.keys_dir() + "/user.pem"));
  }

  // Holds that last for half an hour, from the midnight that the clocks begin at.
  std::vector<std::string> Hold(ctl::Caller& caller, int day) {
    std::vector<std::string> names;
    for (int i = 0; i < kHolds; ++i) {
      HoldAppointmentRequest request;
      request.set_parent(practice_->organization);
      request.set_patient(practice_->Name(absl::StrCat("patients/h", day, "-", i)));
      request.set_clinician(practice_->clinician);
      request.set_clinic(practice_->clinic);
      request.mutable_session()->mutable_local_date()->set_year(2026);
      request.mutable_session()->mutable_local_date()->set_month(1);
      request.mutable_session()->mutable_local_date()->set_day(day + i / 10);
      request.mutable_session()->mutable_local_time()->set_hours(9 + i % 10);
      request.mutable_session()->set_minutes(30);
      request.mutable_hold_for()->set_seconds(30 * 60);
      request.set_request_id(absl::StrCat("hold-", day, "-", i));
      const auto held = caller.Call<Appointment>(practice_->therapist, kHold, request);
      EXPECT_TRUE(held.ok()) << held.status();
      if (held.ok()) names.push_back(held->name());
    }
    return names;
  }

  std::set<int> StatesOf(const std::vector<std::string>& names) {
    std::set<int> states;
    for (const std::string& name : names) {
      GetAppointmentRequest get;
      get.set_name(name);
      const auto appointment = caller_->Call<Appointment>(
          practice_->therapist, "rapport.scheduling.v1.AppointmentService/GetAppointment", get);
      EXPECT_TRUE(appointment.ok()) << appointment.status();
      states.insert(appointment.ok() ? static_cast<int>(appointment->state()) : -1);
    }
    return states;
  }

  // What was told of a resource, in its order: versions.
  std::vector<std::string> Versions(const std::string& resource) {
    return sql::testing::PostgresServer::Shared().Admin(
        Flag("postgres_name"), absl::StrCat("SELECT version FROM event WHERE resource = '",
                                            resource, "' ORDER BY position"));
  }
  void ExpectEndedOnce(const std::vector<std::string>& holds) {
    for (const std::string& hold : holds) EXPECT_THAT(Versions(hold), ElementsAre("1", "2"));
  }
  // What failed is tried again after a pause of domain time, which goes on from `from`, if given.
  bool AwaitEnded(const std::vector<std::string>& holds, absl::Time from = absl::InfinitePast()) {
    const absl::Time begun = absl::Now();
    return Eventually([&] {
      if (from != absl::InfinitePast()) SetClock(from + 20 * (absl::Now() - begun));
      return sql::testing::PostgresServer::Shared().Admin(
                 Flag("postgres_name"),
                 absl::StrCat("SELECT count(*) FROM event WHERE version = 2 AND resource IN ('",
                              absl::StrJoin(holds, "','"), "')")) ==
             std::vector<std::string>{absl::StrCat(holds.size())};
    });
  }

  static absl::Time At(int hours, int minutes = 0) {
    return absl::FromCivil(absl::CivilSecond(2026, 1, 1, hours, minutes), absl::UTCTimeZone());
  }
  void SetClock(absl::Time now) { ASSERT_TRUE(story::FileClock(suite_.clock_file())(now).ok()); }

  TempDir dir_;
  Suite suite_{sql::Engine::kPostgres};
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<ctl::GrpcCaller> b_;
  std::unique_ptr<Practice> practice_;
};

// What is due is done by the first whose clock says so; nothing is done again when a clock goes
// back, and nobody's versions are told out of their order.
TEST_F(TwoReplicasTest, AClockAnHourOffDoesEverythingOnceAndKeepsTheOrder) {
  const std::string clock = dir_.File("clock-b");
  const auto set_b = [&](absl::Time now) { ASSERT_TRUE(story::FileClock(clock)(now).ok()); };
  std::ofstream(clock) << "2025-12-31T23:00:00Z";
  Start({"--development_clock_file=" + clock});

  // An hour behind: its hand in the work ends nothing early, and what the other ended stays so.
  const std::vector<std::string> first = Hold(*caller_, 5);
  ASSERT_EQ(first.size(), static_cast<size_t>(kHolds));
  EXPECT_THAT(StatesOf(first), ElementsAre(static_cast<int>(APPOINTMENT_STATE_HELD)));
  SetClock(At(0, 31));
  ASSERT_TRUE(AwaitEnded(first));
  ConfirmHoldRequest late;
  late.set_name(first[0]);
  late.set_course(practice_->course.name());
  const absl::Status refused =
      b_->Call<Appointment>(practice_->therapist,
                            "rapport.scheduling.v1.AppointmentService/ConfirmHold", late)
          .status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;

  // An hour ahead: it ends holds up to an hour early, once.
  SetClock(At(1));
  set_b(At(2));
  const std::vector<std::string> second = Hold(*caller_, 10);
  ASSERT_TRUE(AwaitEnded(second));

  // A clinic that both change in turn; a clock that goes back under it.
  UpdateClinicRequest update;
  update.mutable_clinic()->set_name(practice_->clinic);
  update.mutable_update_mask()->add_paths("display_name");
  std::string last;
  for (int i = 0; i < 12; ++i) {
    if (i == 6) set_b(At(0));
    last = absl::StrCat("London ", i);
    update.mutable_clinic()->set_display_name(last);
    const auto changed =
        (i % 2 == 0 ? *caller_ : *b_)
            .Call<Clinic>(practice_->admin, "rapport.scheduling.v1.DirectoryService/UpdateClinic",
                          update);
    ASSERT_TRUE(changed.ok()) << changed.status();
    EXPECT_EQ(changed->etag(), absl::StrCat(i + 2));
  }
  for (const auto* caller : {&caller_, &b_}) {
    GetClinicRequest get;
    get.set_name(practice_->clinic);
    const auto clinic = (*caller)->Call<Clinic>(
        practice_->admin, "rapport.scheduling.v1.DirectoryService/GetClinic", get);
    ASSERT_TRUE(clinic.ok()) << clinic.status();
    EXPECT_EQ(clinic->display_name(), last);
  }
  std::vector<std::string> in_order;
  for (int i = 1; i <= 13; ++i) in_order.push_back(absl::StrCat(i));
  ASSERT_TRUE(Eventually([&] { return Versions(practice_->clinic).size() == in_order.size(); }));
  EXPECT_EQ(Versions(practice_->clinic), in_order);

  // A repeat that meets the other clock is the same call still.
  const std::vector<std::string> again = Hold(*b_, 10);
  EXPECT_EQ(again, second);
  ExpectEndedOnce(first);
  ExpectEndedOnce(second);
}

// Frozen between taking an item and its commit, it holds the item for as long as the server waits
// for an idle transaction: 10 s. The others do all else at once, and then this too.
TEST_F(TwoReplicasTest, OneThatFreezesWithWorkInItsHandsKeepsNothingUndoneOrDoneTwice) {
  sql::testing::TcpProxy proxy("127.0.0.1", std::stoi(Flag("postgres_port")));
  Start({absl::StrCat("--postgres_port=", proxy.port())});
  CourseWriters writers([&] { return suite_.NewCaller(absl::ZeroDuration()); }, *practice_, 2);
  writers.stopwatch().Phase("before");
  ASSERT_TRUE(writers.AwaitAcknowledged(30));
  const std::vector<std::string> holds = Hold(*caller_, 5);

  const pid_t b = suite_.pid("scheduling-b");
  std::atomic<bool> frozen{false};
  proxy.StallAt("work.done", [&] {
    kill(b, SIGSTOP);
    frozen = true;
  });
  writers.stopwatch().Phase("during");
  SetClock(At(0, 31));
  ASSERT_TRUE(Eventually([&] { return frozen.load(); }));
  ASSERT_TRUE(writers.AwaitAcknowledged(30));
  ASSERT_TRUE(AwaitEnded(holds, At(0, 31)));

  writers.stopwatch().Phase("after");
  kill(b, SIGCONT);
  proxy.Heal();
  suite_.AwaitReady("scheduling-b");
  // It works again, and knows what the other did.
  const std::vector<std::string> more = Hold(*b_, 10);
  ASSERT_TRUE(AwaitEnded(more, At(1, 30)));
  ASSERT_TRUE(writers.AwaitAcknowledged(30));
  writers.Stop();
  writers.stopwatch().Report("courses made");
  // Who needs what the frozen one holds is told so after 5 s.
  EXPECT_THAT(writers.failures(), IsSubsetOf({"LOCK_TIMEOUT"}));
  EXPECT_THAT(writers.Check(*caller_), IsEmpty());
  ExpectEndedOnce(holds);
  ExpectEndedOnce(more);
}

}  // namespace
}  // namespace rapport::testing
