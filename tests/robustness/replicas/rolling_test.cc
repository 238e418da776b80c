// Three replicas of each service behind one target each, restarted one after the other under load,
// as a rollout does. The callers use the service configs that ship and repeat nothing themselves:
// no idempotent call fails, and each write that was acknowledged is there once.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/channel.h"
#include "common/rpc/service_config.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "tests/integration/suite/health.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tests/support/postgres/instance.h"

namespace rapport::testing {
namespace {

constexpr int kReplicas = 3;
constexpr absl::Duration kPatience = absl::Seconds(60);

class RollingTest : public ::testing::Test {
 protected:
  struct Replica {
    std::string key;  // "notes-1"
    std::string service;
    std::string health;
    std::vector<std::string> arguments;
  };

  void SetUp() override {
    std::map<std::string, std::vector<std::string>> addresses;
    for (const std::string& service : Suite::Services()) {
      for (int i = 0; i < kReplicas; ++i) {
        addresses[service].push_back(absl::StrCat("127.0.0.1:", sql::testing::FreeLoopbackPort()));
      }
      targets_[service] = absl::StrCat("ipv4:", absl::StrJoin(addresses[service], ","));
    }
    for (const std::string& service : Suite::Services()) {
      for (int i = 0; i < kReplicas; ++i) {
        Replica replica{.key = absl::StrCat(service, "-", i),
                        .service = service,
                        .health = absl::StrCat("127.0.0.1:", sql::testing::FreeLoopbackPort()),
                        .arguments = suite_.Arguments(service)};
        // The last of a flag counts.
        for (const auto& [name, target] : targets_) {
          replica.arguments.push_back(absl::StrCat("--", name, "_target=", target));
        }
        for (const std::string& argument :
             {absl::StrCat("--listen=", addresses[service][i]),
              absl::StrCat("--health_listen=", replica.health),
              absl::StrCat("--log_file=", dir_.File(replica.key + ".log")),
              std::string("--postgres_connections=3"), std::string("--drain_linger=500ms"),
              std::string("--connection_age=3s")}) {
          replica.arguments.push_back(argument);
        }
        replicas_.push_back(std::move(replica));
      }
    }
    for (const Replica& replica : replicas_) suite_.StartWith(replica.key, replica.arguments);
    for (const Replica& replica : replicas_) AwaitReady(replica);
    for (const auto& [name, target] : targets_) {
      channels_[name] = std::make_unique<rpc::Channel>(
          rpc::ChannelOptions{.target = target,
                              .service_config = std::string(rpc::ServiceConfigOf(name)),
                              .tls = std::nullopt});
    }
  }

  void TearDown() override { EndLoad(); }

  void EndLoad() {
    stop_ = true;
    for (std::thread& caller : callers_) caller.join();
    callers_.clear();
  }

  void AwaitReady(const Replica& replica) {
    const absl::Time give_up = absl::Now() + kPatience;
    while (!IsServing(replica.health, replica.service)) {
      ASSERT_LT(absl::Now(), give_up) << replica.key << " is not ready";
      absl::SleepFor(absl::Milliseconds(20));
    }
  }

  // One call, as who is not repeating anything.
  absl::Status Call(const ctl::Identity& who, const std::string& service, const std::string& method,
                    const google::protobuf::Message& request, google::protobuf::Message& response) {
    return channels_.at(service)->Call(
        absl::StrCat("rapport.", service, ".v1.", method),
        {.user_token = ctl::MintToken(*signer_, who, absl::Minutes(5)),
         .service_token = "",
         .traceparent = ""},
        absl::Now() + absl::Seconds(10), request, response);
  }

  // Repeats `once` until the end of the load.
  void Load(std::function<absl::Status(int)> once) {
    callers_.emplace_back([this, once = std::move(once)] {
      for (int i = 0; !stop_; ++i) {
        const absl::Status status = once(i);
        ++calls_;
        if (!status.ok()) {
          MutexLock lock(mutex_);
          failures_.push_back(status.ToString());
        }
      }
    });
  }

  void AwaitCalls(int more) {
    const int wanted = calls_ + more;
    const absl::Time give_up = absl::Now() + kPatience;
    while (calls_ < wanted && absl::Now() < give_up) absl::SleepFor(absl::Milliseconds(2));
    EXPECT_GE(calls_, wanted);
  }

  TempDir dir_;
  Suite suite_{sql::Engine::kPostgres};
  const std::unique_ptr<auth::TokenSigner> signer_ =
      *auth::TokenSigner::FromPemFile(suite_.keys_dir() + "/user.pem");
  std::map<std::string, std::string> targets_;
  std::vector<Replica> replicas_;
  std::map<std::string, std::unique_ptr<rpc::Channel>> channels_;
  std::vector<std::thread> callers_;
  std::atomic<bool> stop_{false};
  std::atomic<int> calls_{0};
  Mutex mutex_;
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(RollingTest, NoIdempotentCallFailsAndNoAcknowledgedWriteIsLost) {
  ctl::GrpcCaller setup({.scheduling = targets_["scheduling"],
                         .assessment = targets_["assessment"],
                         .notes = targets_["notes"]},
                        *auth::TokenSigner::FromPemFile(suite_.keys_dir() + "/user.pem"));
  const Practice practice(setup, "acme");
  const auto course_of = [&](const std::string& patient) {
    scheduling::v1::CreateCourseRequest request;
    request.set_parent(practice.organization);
    *request.mutable_course() = practice.course;
    request.mutable_course()->set_patient(practice.organization + "/patients/" + patient);
    request.set_request_id(patient);
    return request;
  };
  // Reads answer once the other services have heard of the organisation.
  notes::v1::ListCasesRequest cases;
  cases.set_parent(practice.organization);
  ASSERT_TRUE(setup
                  .Call<notes::v1::ListCasesResponse>(
                      practice.therapist, "rapport.notes.v1.CaseService/ListCases", cases)
                  .ok());

  std::vector<std::string> acknowledged;  // the one writer's
  Load([&](int i) {
    const std::string patient = absl::StrCat("w", i);
    scheduling::v1::Course made;
    const absl::Status status = Call(practice.therapist, "scheduling", "CourseService/CreateCourse",
                                     course_of(patient), made);
    if (status.ok()) acknowledged.push_back(made.patient());
    return status;
  });
  Load([&](int) {
    scheduling::v1::GetCourseRequest request;
    request.set_name(practice.course.name());
    scheduling::v1::Course course;
    return Call(practice.therapist, "scheduling", "CourseService/GetCourse", request, course);
  });
  Load([&](int) {
    notes::v1::ListCasesResponse response;
    return Call(practice.therapist, "notes", "CaseService/ListCases", cases, response);
  });
  Load([&](int) {
    assessment::v1::ScoreRequest request;
    request.set_instrument("instruments/phq-9");
    assessment::v1::ScoreResponse response;
    return Call(practice.app, "assessment", "ScoringService/Score", request, response);
  });

  AwaitCalls(50);
  for (const Replica& replica : replicas_) {
    EXPECT_EQ(suite_.Terminate(replica.key), 0) << replica.key;
    AwaitCalls(20);
    suite_.StartWith(replica.key, replica.arguments);
    AwaitReady(replica);
    AwaitCalls(20);
  }
  EndLoad();
  {
    MutexLock lock(mutex_);
    EXPECT_TRUE(failures_.empty()) << failures_.size() << " of " << calls_ << " calls failed:\n"
                                   << absl::StrJoin(failures_, "\n");
  }
  RecordProperty("calls", calls_.load());

  std::map<std::string, int> kept;
  scheduling::v1::ListCoursesRequest list;
  list.set_parent(practice.organization);
  list.set_page_size(500);
  do {
    const auto page = setup.Call<scheduling::v1::ListCoursesResponse>(
        practice.therapist, "rapport.scheduling.v1.CourseService/ListCourses", list);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& course : page->courses()) ++kept[course.patient()];
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  EXPECT_FALSE(acknowledged.empty());
  for (const std::string& patient : acknowledged) EXPECT_EQ(kept[patient], 1) << patient;
}

}  // namespace
}  // namespace rapport::testing
