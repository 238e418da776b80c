#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "common/telemetry/metrics.h"
#include "services/notes/rpc/background.h"
#include "services/notes/rpc/release_handlers.h"
#include "services/notes/store/guardian_store.h"
#include "services/notes/store/majority_store.h"
#include "services/notes/store/release_store.h"
#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::Contains;
using ::testing::Not;

constexpr char kPatient[] = "organizations/acme/patients/p1";
// The patient of c1 comes of age on 10 March in Auckland, where that day begins at 11:00 UTC the
// day before.
constexpr char kMinor[] =
    "patient_time_zone: 'Pacific/Auckland' majority_on { year: 2026 month: 3 day: 10 } "
    "may_consent_from { year: 2020 month: 1 day: 1 }";
const absl::Time kOfAge =
    absl::FromCivil(absl::CivilMinute(2026, 3, 9, 11, 0), absl::UTCTimeZone());

class MajorityTest : public NotesTest {
 protected:
  MajorityTest() { clock_.Set(now_); }

  // A guardian who sees the patient, by the patient's consent.
  void Guard(const std::string& id) {
    v1::Guardian guardian;
    guardian.set_name(absl::StrCat(kPatient, "/guardians/", id));
    guardian.set_subject(id);
    guardian.set_authority(v1::GUARDIAN_AUTHORITY_CUSTODIAL_PARENT);
    guardian.set_contact_permission(v1::CONTACT_PERMISSION_YES);
    guardian.set_remark(kSecret);
    *guardian.mutable_create_time() = time::ToTimestamp(now_);
    *guardian.mutable_update_time() = time::ToTimestamp(now_);
    Write([&](sql::Transaction& tx) { return InsertGuardian(tx, vault_, guardian).status(); });
  }
  void Consent(const std::string& id, v1::ConsentPurpose purpose) {
    v1::Consent consent;
    consent.set_name(absl::StrCat(CaseName(), "/consents/", id));
    consent.set_patient(kPatient);
    consent.set_purpose(purpose);
    consent.set_recorder(Clinician("ada"));
    *consent.mutable_create_time() = time::ToTimestamp(now_);
    Write([&](sql::Transaction& tx) { return InsertConsent(tx, vault_, consent).status(); });
  }
  void Write(const std::function<absl::Status(sql::Transaction&)>& body) {
    const absl::Status status = database_->Write(sql::Access::Tenant("acme"), Deadline(), body);
    ASSERT_TRUE(status.ok()) << status;
  }

  // Does what is due `at`, by two replicas at once, until nothing is.
  void DoAt(absl::Time at) {
    clock_.Set(at);
    std::atomic<int> done;
    do {
      done = 0;
      std::vector<std::thread> threads;
      for (Background* replica : {&first_, &second_}) {
        threads.emplace_back([&done, replica] {
          const absl::StatusOr<int> did = replica->RunOnce();
          EXPECT_TRUE(did.ok()) << did.status();
          done += did.value_or(0);
        });
      }
      for (std::thread& thread : threads) thread.join();
    } while (done > 0);
  }

  v1::Guardian GuardianNow(const std::string& id) {
    v1::Guardian guardian;
    const absl::Status status = database_->Read(
        sql::Access::Tenant("acme"), Deadline(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const GuardianRecord record,
                           GetGuardian(session, vault_, absl::StrCat(kPatient, "/guardians/", id)));
          guardian = record.resource;
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return guardian;
  }
  std::vector<std::string> Consented(v1::ConsentPurpose purpose) {
    std::vector<std::string> consented;
    const absl::Status status = database_->Read(
        sql::Access::Tenant("acme"), Deadline(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(consented, ListConsented(session, "acme", "c1", purpose, clock_.Now()));
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return consented;
  }

  const std::string event_ = absl::StrCat(kPatient, "/majority");
  time::ManualClock clock_{now_};
  const std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  Background first_{*database_, clock_, *metrics_, vault_};
  Background second_{*database_, clock_, *metrics_, vault_};
};

TEST_P(MajorityTest, EndsWhatGuardiansSeeOnceAndAtTheStartOfTheDay) {
  TellCourse("c1", 2, "ada", kMinor);
  Guard("gil");
  Guard("gus");
  Consent("k1", v1::CONSENT_PURPOSE_GUARDIAN_VIEW);
  Consent("k2", v1::CONSENT_PURPOSE_JOINT_NOTES);
  DoAt(kOfAge - absl::Seconds(1));
  EXPECT_THAT(Events(), Not(Contains(event_ + " v1")));
  EXPECT_FALSE(GuardianNow("gil").withdrawn());

  DoAt(kOfAge);
  const auto count = [told = Events()](const std::string& name) {
    return std::count(told.begin(), told.end(), name);
  };
  EXPECT_EQ(count(event_ + " v1"), 1);
  for (const char* id : {"gil", "gus"}) {
    EXPECT_EQ(count(absl::StrCat(kPatient, "/guardians/", id, " v2")), 1) << id;
    EXPECT_TRUE(GuardianNow(id).withdrawn()) << id;
    EXPECT_EQ(GuardianNow(id).recorder(), "service:notes") << id;
    EXPECT_EQ(GuardianNow(id).remark(), kSecret) << "what was written stays";
  }
  EXPECT_EQ(count(CaseName() + "/consents/k1 v2"), 1);
  EXPECT_EQ(count(CaseName() + "/consents/k2 v2"), 0);
  EXPECT_THAT(Consented(v1::CONSENT_PURPOSE_GUARDIAN_VIEW), ::testing::IsEmpty());
  EXPECT_THAT(Consented(v1::CONSENT_PURPOSE_JOINT_NOTES), ::testing::SizeIs(1));
  const auto majority = LastEvent<v1::MajorityEvent>(event_);
  EXPECT_EQ(majority.patient(), kPatient);
  EXPECT_EQ(majority.majority_on().day(), 10);
  EXPECT_EQ(majority.guardians_ended(), 2);
  EXPECT_EQ(majority.consents_ended(), 1);
  EXPECT_TRUE(LastEvent<v1::GuardianEvent>(absl::StrCat(kPatient, "/guardians/gil")).withdrawn());
  EXPECT_TRUE(LastEvent<v1::ConsentEvent>(CaseName() + "/consents/k1").revoked());

  TellCourse("c1", 3, "ada", kMinor);
  const std::vector<std::string> told = Events();
  ASSERT_TRUE(first_.Adopt().ok());
  DoAt(kOfAge + absl::Hours(72));
  EXPECT_EQ(Events(), told) << "once, whatever tells of the day again";
}

TEST_P(MajorityTest, ADayThatIsPutOffIsWaitedFor) {
  TellCourse("c1", 2, "ada", kMinor);
  Guard("gil");
  TellCourse("c1", 3, "ada",
             "majority_on { year: 2026 month: 6 day: 1 } "
             "may_consent_from { year: 2020 month: 1 day: 1 }");
  DoAt(kOfAge);
  EXPECT_FALSE(GuardianNow("gil").withdrawn());
  DoAt(absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone()));
  EXPECT_TRUE(GuardianNow("gil").withdrawn());
  EXPECT_EQ(LastEvent<v1::MajorityEvent>(event_).majority_on().month(), 6);
}

TEST_P(MajorityTest, ADayThatIsPutRightAfterwardsIsToldAgain) {
  TellCourse("c1", 2, "ada", kMinor);
  DoAt(kOfAge);
  EXPECT_THAT(Events(), Contains(event_ + " v1")) << "also where nobody saw anything";
  TellCourse("c1", 3, "ada", "majority_on { year: 2026 month: 3 day: 12 }");
  Guard("gil");
  DoAt(kOfAge + absl::Hours(24 * 7));
  EXPECT_THAT(Events(), Contains(event_ + " v2"));
  EXPECT_TRUE(GuardianNow("gil").withdrawn());
}

TEST_P(MajorityTest, WhoWasOfAgeWhenTheyCameDoesNotComeOfAge) {
  TellCourse("c1", 2, "ada", "majority_on { year: 1998 month: 1 day: 1 }");
  DoAt(now_ + absl::Hours(1));
  EXPECT_THAT(Events(), Not(Contains(event_ + " v1")));
  // But where somebody was let see, it ends.
  Guard("gil");
  TellCourse("c1", 3, "ada", "majority_on { year: 1998 month: 1 day: 1 }");
  DoAt(now_ + absl::Hours(2));
  EXPECT_THAT(Events(), Contains(event_ + " v1"));
  EXPECT_TRUE(GuardianNow("gil").withdrawn());
}

// As with courses that were told to an earlier release.
TEST_P(MajorityTest, TheDailyLookFindsWhatNoEventHasPutDown) {
  TellCourse("c1", 2, "ada", kMinor);
  Guard("gil");
  Write([](sql::Transaction& tx) {
    work::Unschedule(tx, "acme", kMajorityWork, "p1");
    return absl::OkStatus();
  });
  DoAt(kOfAge);
  EXPECT_FALSE(GuardianNow("gil").withdrawn());
  ASSERT_TRUE(second_.Adopt().ok());
  DoAt(kOfAge);
  EXPECT_TRUE(GuardianNow("gil").withdrawn());
  EXPECT_THAT(Events(), Contains(event_ + " v1"));
}

INSTANTIATE_TEST_SUITE_P(Engines, MajorityTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
