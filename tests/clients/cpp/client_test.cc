// What the C++ client does for its callers, asked of the running suite and of the faults before it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rapport/client/client.h"
#include "rapport/common/v1/event_service.grpc.pb.h"
#include "rapport/scheduling/v1/directory_service.grpc.pb.h"

namespace {

namespace cv1 = rapport::common::v1;
namespace sv1 = rapport::scheduling::v1;
using rapport::client::CallOptions;
using rapport::client::Client;
using rapport::client::DetailsOf;
using rapport::client::ErrorDetails;
using rapport::client::Service;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string Organization() { return Environment("RAPPORT_ORGANIZATION"); }
std::string Good() { return *rapport::client::TokenFromFile(Environment("RAPPORT_TOKEN_FILE"))(); }
std::string Forged() {
  std::string token = Good();
  return token.replace(token.size() - 4, 4, "AAAA");
}

// A client whose scheduling service is behind what the variable names. Its source gives the tokens
// one after the other, the last for ever.
class Caller {
 public:
  explicit Caller(const char* variable, std::vector<std::string> tokens = {Good()})
      : tokens_(std::move(tokens)),
        client_({.scheduling = Environment(variable),
                 .token =
                     [this] {
                       const size_t number = asked_++;
                       return tokens_[std::min(number, tokens_.size() - 1)];
                     },
                 .arguments = Arguments()}),
        stub_(sv1::DirectoryService::NewStub(client_.channel(Service::kScheduling))) {}

  absl::StatusOr<sv1::Clinic> Create(const sv1::CreateClinicRequest& request) {
    return client_.Call(*stub_, &sv1::DirectoryService::Stub::CreateClinic, request,
                        {.timeout = absl::Seconds(30)});
  }
  absl::StatusOr<std::vector<std::string>> List(const CallOptions& options = {
                                                    .timeout = absl::Seconds(30)}) {
    sv1::ListClinicsRequest request;
    request.set_parent(Organization());
    request.set_page_size(500);
    const auto page =
        client_.Call(*stub_, &sv1::DirectoryService::Stub::ListClinics, request, options);
    if (!page.ok()) return page.status();
    std::vector<std::string> names;
    for (const sv1::Clinic& clinic : page->clinics()) names.push_back(clinic.name());
    return names;
  }
  Client& client() { return client_; }
  sv1::DirectoryService::Stub& stub() { return *stub_; }
  size_t asked() const { return asked_; }

 private:
  // Of one program, channels share connections; each test has its own.
  static grpc::ChannelArguments Arguments() {
    static std::atomic<int> number = 0;
    grpc::ChannelArguments arguments;
    arguments.SetInt("rapport.test", ++number);
    arguments.SetInt("grpc.enable_http_proxy", 0);
    return arguments;
  }

  const std::vector<std::string> tokens_;
  std::atomic<size_t> asked_ = 0;
  Client client_;
  const std::unique_ptr<sv1::DirectoryService::Stub> stub_;
};

sv1::CreateClinicRequest NewClinic(const std::string& name = "Harbour") {
  sv1::CreateClinicRequest request;
  request.set_parent(Organization());
  request.mutable_clinic()->set_display_name(name);
  request.mutable_clinic()->set_time_zone("Europe/London");
  request.mutable_clinic()->set_jurisdiction("GB-ENG");
  return request;
}

TEST(ClientTest, ABadRequestNamesEachField) {
  sv1::CreateClinicRequest request = NewClinic("");
  request.mutable_clinic()->set_time_zone("Mars/Olympus");
  const absl::Status status = Caller("RAPPORT_SCHEDULING").Create(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.reason, "INVALID_FIELD");
  std::vector<std::string> fields;
  for (const auto& one : details.field_violations) fields.push_back(one.field);
  EXPECT_THAT(fields, ElementsAre("clinic.display_name", "clinic.time_zone"));
  EXPECT_THAT(rapport::client::Describe(status), HasSubstr("; clinic.time_zone: "));
}

TEST(ClientTest, EachCodeHasItsReason) {
  Caller caller("RAPPORT_SCHEDULING");
  sv1::GetClinicRequest absent;
  absent.set_name(absl::StrCat(Organization(), "/clinics/absent"));
  const absl::Status none =
      caller.client().Call(caller.stub(), &sv1::DirectoryService::Stub::GetClinic, absent).status();
  EXPECT_TRUE(absl::IsNotFound(none));
  EXPECT_EQ(DetailsOf(none).reason, "RESOURCE_NOT_FOUND");

  sv1::UpdateClinicRequest change;
  *change.mutable_clinic() = *caller.Create(NewClinic());
  const auto update = [&](const char* name) {
    change.mutable_clinic()->set_display_name(name);
    return caller.client()
        .Call(caller.stub(), &sv1::DirectoryService::Stub::UpdateClinic, change)
        .status();
  };
  EXPECT_TRUE(update("Hill").ok());
  const absl::Status stale = update("Quay");
  EXPECT_TRUE(absl::IsAborted(stale));
  EXPECT_EQ(DetailsOf(stale).reason, "STALE_ETAG");
}

TEST(ClientTest, ATokenThatLastsIsAskedForOnce) {
  Caller caller("RAPPORT_SCHEDULING");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(caller.List().ok());
  EXPECT_EQ(caller.asked(), 1u);
}

TEST(ClientTest, ATokenThatIsRefusedIsReplacedWithinTheCall) {
  Caller caller("RAPPORT_SCHEDULING", {Forged(), Good()});
  EXPECT_TRUE(caller.List().ok());
  EXPECT_EQ(caller.asked(), 2u);
}

TEST(ClientTest, AWrongTokenFailsOnceAnotherWasAskedFor) {
  Caller caller("RAPPORT_SCHEDULING", {Forged()});
  const absl::Status status = caller.List().status();
  EXPECT_TRUE(absl::IsUnauthenticated(status));
  EXPECT_EQ(DetailsOf(status).reason, "UNAUTHENTICATED");
  EXPECT_EQ(caller.asked(), 2u);
}

TEST(ClientTest, ATokenThatCanNotBeHadIsWhatTheCallFailsWith) {
  Client client({.scheduling = Environment("RAPPORT_SCHEDULING"),
                 .token = rapport::client::TokenFromFile("/nowhere/token")});
  const auto stub = sv1::DirectoryService::NewStub(client.channel(Service::kScheduling));
  const absl::Status status =
      client.Call(*stub, &sv1::DirectoryService::Stub::CreateClinic, NewClinic()).status();
  EXPECT_THAT(status.message(), HasSubstr("/nowhere/token"));
}

TEST(ClientTest, ACallEndsByItsDeadline) {
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      Caller("RAPPORT_SLOW").List({.timeout = absl::Milliseconds(200)}).status()));
}

TEST(ClientTest, AFullServerThatSaysSoonIsAskedAgain) {
  Caller caller("RAPPORT_BUSY");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(caller.List().ok());
}

TEST(ClientTest, AFullServerThatSaysLaterIsTheCallersToWaitFor) {
  const absl::Status status = Caller("RAPPORT_FULL").List().status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(DetailsOf(status).retry_after, absl::Milliseconds(2500));
}

TEST(ClientTest, AChangeWhoseAnswerWasLostIsDoneOnce) {
  Caller caller("RAPPORT_SCHEDULING");
  const size_t before = caller.List()->size();
  Caller lossy("RAPPORT_LOST");
  const sv1::CreateClinicRequest request = NewClinic();
  for (size_t made = 1; made <= 2; ++made) {
    const absl::StatusOr<sv1::Clinic> clinic = lossy.Create(request);
    ASSERT_TRUE(clinic.ok()) << clinic.status();
    EXPECT_EQ(request.request_id(), "");
    const auto after = caller.List();
    EXPECT_EQ(after->size(), before + made);
    EXPECT_THAT(*after, Contains(clinic->name()));
  }
}

TEST(ClientTest, ACallThatCrossedTheGoawayOfAServerThatDrainsIsMadeAgain) {
  const size_t before = Caller("RAPPORT_SCHEDULING").List()->size();
  Caller crossed("RAPPORT_CROSSED");
  const absl::StatusOr<sv1::Clinic> made = crossed.Create(NewClinic());
  ASSERT_TRUE(made.ok()) << made.status();
  const auto after = crossed.List();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->size(), before + 1);
  bool told = false;
  const absl::Status watched = crossed.client().Watch(
      Service::kScheduling,
      {.types = {"rapport.scheduling.v1.ClinicEvent"}, .first_backoff = absl::Milliseconds(1)},
      [&](const cv1::WatchResponse& response) {
        for (const auto& event : response.events()) told |= event.resource() == made->name();
        return !told;
      });
  EXPECT_TRUE(watched.ok()) << watched;
}

TEST(ClientTest, ACallThatMayDoHarmTwiceIsNotMadeAgain) {
  Caller crossed("RAPPORT_CROSSED");
  const auto stub = cv1::EventService::NewStub(crossed.client().channel(Service::kScheduling));
  EXPECT_TRUE(absl::IsCancelled(
      crossed.client()
          .Call(*stub, &cv1::EventService::Stub::RetryParkedEvents, cv1::RetryParkedEventsRequest())
          .status()));
}

TEST(ClientTest, ACallOrFeedThatTheCallerGaveUpEndsAtOnce) {
  std::stop_source stop;
  stop.request_stop();
  Caller slow("RAPPORT_SLOW");
  EXPECT_TRUE(absl::IsCancelled(
      slow.List({.timeout = absl::Seconds(30), .stop = stop.get_token()}).status()));
  EXPECT_EQ(slow.asked(), 1u);

  std::stop_source later;
  Caller caller("RAPPORT_SCHEDULING");
  ASSERT_TRUE(caller.Create(NewClinic()).ok());
  std::thread stopper;
  const absl::Status watched = caller.client().Watch(
      Service::kScheduling, {.stop = later.get_token()}, [&](const cv1::WatchResponse&) {
        if (!stopper.joinable()) {
          stopper = std::thread([&later] { later.request_stop(); });
        }
        return true;
      });
  stopper.join();
  EXPECT_TRUE(absl::IsCancelled(watched)) << watched;
}

TEST(ClientTest, AFeedGoesOnOverStreamsThatAreCut) {
  Caller caller("RAPPORT_SCHEDULING"), cut("RAPPORT_CUT");
  std::vector<std::string> made{caller.Create(NewClinic())->name()};
  std::vector<std::string> told;
  const absl::Status watched = cut.client().Watch(
      Service::kScheduling,
      {.types = {"rapport.scheduling.v1.ClinicEvent"}, .first_backoff = absl::Milliseconds(1)},
      [&](const cv1::WatchResponse& response) {
        for (const auto& event : response.events()) {
          if (event.resource() == made[0] || !told.empty()) told.push_back(event.resource());
        }
        if (told.size() >= 4) return false;
        if (told.size() == made.size()) made.push_back(caller.Create(NewClinic())->name());
        return true;
      });
  EXPECT_TRUE(watched.ok()) << watched;
  EXPECT_EQ(told, made);
}

TEST(ClientTest, ACursorThatIsNoneIsNotTriedForEver) {
  const absl::Status status = Caller("RAPPORT_SCHEDULING")
                                  .client()
                                  .Watch(Service::kScheduling, {.cursor = "nonsense"},
                                         [](const cv1::WatchResponse&) { return true; });
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  ASSERT_EQ(DetailsOf(status).field_violations.size(), 1u);
  EXPECT_EQ(DetailsOf(status).field_violations[0].field, "cursor");
}

}  // namespace
