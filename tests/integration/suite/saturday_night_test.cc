// Clinical rule 1.9: Saturday 23:10, the therapist is on leave, and the replica that their cover is
// watching is killed: the cover still has the alert.
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/sync_stream.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/story/player.h"

namespace rapport::testing {
namespace {

using namespace assessment::v1;  // NOLINT: the messages of one package

constexpr absl::Duration kBound = absl::Seconds(10);  // ten times what is promised
constexpr int kRounds = 3;

// One open WatchAlerts.
class Watcher {
 public:
  // Ends by itself after `life`.
  Watcher(const std::string& address, const std::string& token, const std::string& organization,
          absl::Duration life = absl::Minutes(1))
      : channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
    WatchAlertsRequest request;
    request.set_parent(organization);
    context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    context_.set_deadline(absl::ToChronoTime(absl::Now() + life));
    reader_.reset(grpc::internal::ClientReaderFactory<WatchAlertsResponse>::Create(
        channel_.get(),
        grpc::internal::RpcMethod("/rapport.assessment.v1.AlertService/WatchAlerts",
                                  grpc::internal::RpcMethod::SERVER_STREAMING),
        &context_, request));
  }
  ~Watcher() {
    context_.TryCancel();
    AwaitEnd();
  }

  // Reads until something fits; false where the stream ends first.
  bool Await(const std::function<bool(const WatchAlertsResponse&)>& fits) {
    WatchAlertsResponse response;
    while (reader_->Read(&response)) {
      if (fits(response)) return true;
    }
    return false;
  }
  void AwaitEnd() {
    if (ended_) return;
    Await([](const WatchAlertsResponse&) { return false; });
    reader_->Finish();
    ended_ = true;
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<WatchAlertsResponse>> reader_;
  bool ended_ = false;
};

class SaturdayNightTest : public ::testing::Test {
 protected:
  template <class Response>
  Response Must(const ctl::Identity& who, absl::string_view method,
                const google::protobuf::Message& request) {
    auto response = caller_->Call<Response>(who, method, request);
    EXPECT_TRUE(response.ok()) << method << ": " << response.status();
    return response.ok() ? *std::move(response) : Response();
  }

  // The therapist away for the weekend, and Colm in her place.
  void SendTheTherapistOnLeave(absl::Time from, absl::Time to) {
    using namespace scheduling::v1;  // NOLINT: the messages of one package
    CreateClinicianRequest colm;
    colm.set_parent(practice_->organization);
    colm.set_clinician_id("colm");
    colm.mutable_clinician()->set_display_name("Colm");
    colm.mutable_clinician()->set_subject("colm");
    colm.mutable_clinician()->set_profession(PROFESSION_PSYCHOLOGIST);
    colm.mutable_clinician()->set_licence_number("2");
    *colm.mutable_clinician()->mutable_licence_expire_date() =
        time::ToDate(absl::CivilDay(2030, 1, 1));
    colm.mutable_clinician()->add_clinics(practice_->clinic);
    cover_name_ = Must<Clinician>(practice_->admin,
                                  "rapport.scheduling.v1.DirectoryService/CreateClinician", colm)
                      .name();
    CreateTimeOffRequest leave;
    leave.set_parent(practice_->clinician);
    *leave.mutable_time_off()->mutable_start_time() = time::ToTimestamp(from);
    *leave.mutable_time_off()->mutable_end_time() = time::ToTimestamp(to);
    Must<TimeOff>(practice_->admin, "rapport.scheduling.v1.DirectoryService/CreateTimeOff", leave);
    CreateCoverRequest cover;
    cover.set_parent(practice_->organization);
    cover.mutable_cover()->set_clinician(practice_->clinician);
    cover.mutable_cover()->set_covering_clinician(cover_name_);
    *cover.mutable_cover()->mutable_start_time() = time::ToTimestamp(from);
    *cover.mutable_cover()->mutable_end_time() = time::ToTimestamp(to);
    Must<Cover>(practice_->admin, "rapport.scheduling.v1.DirectoryService/CreateCover", cover);
  }

  // Until assessment has heard of the cover, and so of all that was before.
  void AwaitCover() {
    ListAssessmentsRequest request;
    request.set_parent(practice_->organization);
    request.set_course(practice_->course.name());
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    absl::Status heard = absl::UnknownError("not asked");
    while (!heard.ok()) {
      ASSERT_LT(absl::Now(), give_up) << heard;
      heard = caller_
                  ->Call<ListAssessmentsResponse>(
                      colm_, "rapport.assessment.v1.AssessmentService/ListAssessments", request)
                  .status();
    }
  }

  // What the patient's device sends: item nine at its worst.
  absl::StatusOr<RecordAssessmentResponse> Record(int round) {
    RecordAssessmentRequest request;
    request.set_parent(practice_->organization);
    request.set_request_id(absl::StrCat("night-", round));
    Assessment& form = *request.mutable_assessment();
    form.set_course(practice_->course.name());
    form.set_instrument("instruments/phq-9");
    form.set_administration(ADMINISTRATION_SELF_REPORT);
    form.set_device(DEVICE_OWN);
    for (int item = 1; item <= 9; ++item) {
      Answer& answer = *form.add_answers();
      answer.set_item(item);
      answer.set_value(item == 9 ? 3 : 2);
    }
    return device_caller_->Call<RecordAssessmentResponse>(
        {"p1", practice_->organization_id, {"patient_proxy"}},
        "rapport.assessment.v1.AssessmentService/RecordAssessment", request);
  }

  Suite suite_{sql::Engine::kPostgres};
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<ctl::GrpcCaller> device_caller_;
  std::unique_ptr<Practice> practice_;
  std::string cover_name_;
  ctl::Identity colm_{"colm", "night", {"therapist"}};
};

TEST_F(SaturdayNightTest, TheCoverHasTheAlertThoughTheirReplicaIsKilled) {
  for (const char* service : {"scheduling", "assessment"}) suite_.Start(service);
  for (const char* service : {"scheduling", "assessment"}) suite_.AwaitReady(service);
  caller_ = suite_.NewCaller();
  device_caller_ = suite_.NewCaller();
  practice_ = std::make_unique<Practice>(*caller_, "night");
  const absl::Time night =
      absl::FromCivil(absl::CivilSecond(2026, 1, 3, 23, 10, 0), *time::LoadZone("Europe/London"));
  SendTheTherapistOnLeave(night - absl::Hours(24), night + absl::Hours(36));
  ASSERT_TRUE(story::FileClock(suite_.clock_file())(night).ok());
  ASSERT_NO_FATAL_FAILURE(AwaitCover());
  const auto signer = auth::TokenSigner::FromPemFile(absl::StrCat(suite_.keys_dir(), "/user.pem"));
  ASSERT_TRUE(signer.ok()) << signer.status();
  const std::string token = ctl::MintToken(**signer, colm_, absl::Minutes(5));

  for (int round = 0; round < kRounds; ++round) {
    const std::string b = suite_.StartReplica("assessment", "assessment-b");
    suite_.AwaitReady("assessment-b");
    Watcher before(b, token, practice_->organization);
    ASSERT_TRUE(before.Await([](const auto& response) { return response.caught_up(); }));

    absl::StatusOr<RecordAssessmentResponse> recorded = absl::UnknownError("not sent");
    absl::Time committed;
    std::thread device([&] {
      recorded = Record(round);
      committed = absl::Now();
    });
    absl::SleepFor(absl::Milliseconds(5 * round));  // before, in and after the commit
    suite_.Kill("assessment-b");
    before.AwaitEnd();
    Watcher after(suite_.targets().assessment, token, practice_->organization);
    device.join();
    ASSERT_TRUE(recorded.ok()) << recorded.status();
    EXPECT_EQ(recorded->respondent_guidance(), RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
    Alert alert;
    ASSERT_TRUE(after.Await([&](const WatchAlertsResponse& response) {
      for (const Alert& told : response.alerts()) {
        if (told.source() == recorded->assessment().name()) alert = told;
      }
      return !alert.name().empty();
    }));
    EXPECT_LT(absl::Now() - committed, kBound);
    EXPECT_EQ(alert.owner(), cover_name_);
    EXPECT_EQ(alert.owner_basis(), OWNER_BASIS_COVER);
    EXPECT_EQ(alert.severity(), ALERT_SEVERITY_IMMEDIATE);
    EXPECT_EQ(alert.state(), ALERT_STATE_OPEN);
  }
}

}  // namespace
}  // namespace rapport::testing
