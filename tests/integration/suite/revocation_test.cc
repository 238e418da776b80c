// Who is signed out in one place is out everywhere: at every replica of the three services.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/revocation_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"

namespace rapport::testing {
namespace {

constexpr char kRevocations[] = "rapport.scheduling.v1.RevocationService/";

// Repeats `holds` until it does; fails the test after 20 s.
void Eventually(const std::string& what, const std::function<bool()>& holds) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!holds()) {
    ASSERT_LT(absl::Now(), give_up) << what;
    absl::SleepFor(absl::Milliseconds(20));
  }
}

class RevocationSuiteTest : public ::testing::Test {
 protected:
  RevocationSuiteTest() {
    suite_.StartAll();
    replica_ = suite_.StartReplica("notes", "notes-b");
    suite_.AwaitReady("notes-b");
    caller_ = suite_.NewCaller();
    practice_ = std::make_unique<Practice>(*caller_, "revoked");
  }

  // What the therapist is answered at each place; `caller` keeps its token from call to call.
  std::map<std::string, absl::Status> Ask(ctl::GrpcCaller& caller, ctl::GrpcCaller& at_replica) {
    scheduling::v1::GetCourseRequest course;
    course.set_name(practice_->course.name());
    assessment::v1::ListAlertsRequest alerts;
    alerts.set_parent(practice_->organization);
    notes::v1::ListCasesRequest cases;
    cases.set_parent(practice_->organization);
    const ctl::Identity& who = practice_->therapist;
    return {{"scheduling", caller
                               .Call<scheduling::v1::Course>(
                                   who, "rapport.scheduling.v1.CourseService/GetCourse", course)
                               .status()},
            {"assessment", caller
                               .Call<assessment::v1::ListAlertsResponse>(
                                   who, "rapport.assessment.v1.AlertService/ListAlerts", alerts)
                               .status()},
            {"notes", caller
                          .Call<notes::v1::ListCasesResponse>(
                              who, "rapport.notes.v1.CaseService/ListCases", cases)
                          .status()},
            {"notes-b", at_replica
                            .Call<notes::v1::ListCasesResponse>(
                                who, "rapport.notes.v1.CaseService/ListCases", cases)
                            .status()}};
  }

  std::unique_ptr<ctl::GrpcCaller> NewCallerOfReplica() const {
    ctl::Targets targets = suite_.targets();
    targets.notes = replica_;
    return std::make_unique<ctl::GrpcCaller>(
        targets, *auth::TokenSigner::FromPemFile(suite_.keys_dir() + "/user.pem"));
  }

  Suite suite_{sql::Engine::kPostgres};
  std::string replica_;
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<Practice> practice_;
};

TEST_F(RevocationSuiteTest, WhoIsSignedOutIsOutOfAllThreeServicesUntilTheySignInAnew) {
  const auto at_replica = NewCallerOfReplica();
  for (const char* place : {"scheduling", "assessment", "notes", "notes-b"}) {
    Eventually(absl::StrCat(place, " knows the organisation"),
               [&] { return Ask(*caller_, *at_replica)[place].ok(); });
  }
  scheduling::v1::RevokeSubjectRequest revoke;
  revoke.set_parent(practice_->organization);
  revoke.set_subject(practice_->therapist.subject);
  revoke.set_reason(scheduling::v1::REVOCATION_REASON_COMPROMISED);
  EXPECT_TRUE(absl::IsPermissionDenied(
      caller_
          ->Call<scheduling::v1::Revocation>(practice_->therapist,
                                             absl::StrCat(kRevocations, "RevokeSubject"), revoke)
          .status()));
  const auto revoked = caller_->Call<scheduling::v1::Revocation>(
      practice_->admin, absl::StrCat(kRevocations, "RevokeSubject"), revoke);
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  for (const char* place : {"scheduling", "assessment", "notes", "notes-b"}) {
    Eventually(absl::StrCat(place, " refuses the tokens"),
               [&] { return absl::IsUnauthenticated(Ask(*caller_, *at_replica)[place]); });
  }
  // Tokens issued later are good; others never were in question.
  for (const char* place : {"scheduling", "assessment", "notes", "notes-b"}) {
    Eventually(absl::StrCat(place, " takes a new token"), [&] {
      const auto anew = suite_.NewCaller();
      const auto anew_at_replica = NewCallerOfReplica();
      return Ask(*anew, *anew_at_replica)[place].ok();
    });
  }
  scheduling::v1::ListRevocationsRequest list;
  list.set_parent(practice_->organization);
  const auto listed = caller_->Call<scheduling::v1::ListRevocationsResponse>(
      practice_->admin, absl::StrCat(kRevocations, "ListRevocations"), list);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->revocations_size(), 1);
}

}  // namespace
}  // namespace rapport::testing
