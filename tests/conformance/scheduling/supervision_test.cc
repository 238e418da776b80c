#include "tests/conformance/scheduling/fixture.h"

#include "common/time/convert.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;

class SupervisionTest : public SchedulingTest {
 protected:
  // A pair from `start` days after now to `end` days after now, if given.
  v1::CreateSupervisionRequest Pair(const std::string& supervisor, const std::string& supervisee,
                                    int start, std::optional<int> end = {}) {
    v1::CreateSupervisionRequest request;
    request.set_parent("organizations/acme");
    v1::Supervision& pair = *request.mutable_supervision();
    pair.set_supervisor("organizations/acme/clinicians/" + supervisor);
    pair.set_supervisee("organizations/acme/clinicians/" + supervisee);
    *pair.mutable_start_time() = Day(start);
    if (end) *pair.mutable_end_time() = Day(*end);
    return request;
  }
  google::protobuf::Timestamp Day(int days) const {
    return time::ToTimestamp(now_ + absl::Hours(24 * days));
  }
  v1::Supervision Made(const v1::CreateSupervisionRequest& request) {
    const auto pair = Do(&SupervisionHandlers::CreateSupervision, admin_, request);
    EXPECT_TRUE(pair.ok()) << pair.status();
    return pair.ok() ? *pair : v1::Supervision();
  }
  absl::StatusOr<v1::Supervision> End(const std::string& name, std::optional<int> day = {},
                                      const std::string& etag = "") {
    v1::EndSupervisionRequest request;
    request.set_name(name);
    request.set_etag(etag);
    if (day) *request.mutable_end_time() = Day(*day);
    return Do(&SupervisionHandlers::EndSupervision, admin_, request);
  }
  std::string Reason(const v1::CreateSupervisionRequest& request) {
    return errors::Reason(Do(&SupervisionHandlers::CreateSupervision, admin_, request).status());
  }
};
INSTANTIATE_ON_ENGINES(SupervisionTest);

TEST_P(SupervisionTest, APairIsEnteredReadAndTold) {
  auto request = Pair("anna", "ben", -1);
  request.set_supervision_id("first");
  request.set_request_id("r");
  const v1::Supervision pair = Made(request);
  EXPECT_EQ(pair.name(), "organizations/acme/supervisions/first");
  EXPECT_EQ(pair.etag(), "1");
  EXPECT_EQ(Made(request).DebugString(), pair.DebugString());
  EXPECT_TRUE(replayed_);
  v1::GetSupervisionRequest get;
  get.set_name(pair.name());
  EXPECT_EQ(Do(&SupervisionHandlers::GetSupervision, admin_, get)->DebugString(),
            pair.DebugString());
  get.set_name("organizations/acme/supervisions/none");
  EXPECT_EQ(Do(&SupervisionHandlers::GetSupervision, admin_, get).status().code(),
            absl::StatusCode::kNotFound);
  v1::SupervisionEvent told;
  ASSERT_TRUE(Events().back().payload().UnpackTo(&told));
  EXPECT_EQ(told.supervisor(), pair.supervisor());
  EXPECT_EQ(told.supervisee(), pair.supervisee());
  EXPECT_FALSE(told.has_end_time());

  request = Pair("ben", "anna", 0);
  request.set_supervision_id("first");
  EXPECT_EQ(Do(&SupervisionHandlers::CreateSupervision, admin_, request).status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_P(SupervisionTest, RefusesWhatIsNoPair) {
  EXPECT_EQ(Reason(Pair("anna", "nobody", 0)), "UNKNOWN_CLINICIAN");
  EXPECT_EQ(Reason(Pair("nobody", "ben", 0)), "UNKNOWN_CLINICIAN");
  EXPECT_EQ(Reason(Pair("anna", "anna", 0)), "INVALID_FIELD");
  EXPECT_EQ(Reason(Pair("anna", "ben", 1, 1)), "INVALID_FIELD");
  Who south = manager_;
  south.clinics = {{"south"}};
  EXPECT_EQ(
      errors::Reason(
          Do(&SupervisionHandlers::CreateSupervision, south, Pair("anna", "ben", 0)).status()),
      "OTHER_CLINIC");
}

TEST_P(SupervisionTest, TheSameTwoAreOnePairAtATime) {
  const v1::Supervision first = Made(Pair("anna", "ben", 0, 10));
  const absl::Status taken =
      Do(&SupervisionHandlers::CreateSupervision, admin_, Pair("anna", "ben", 9)).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(taken), "SUPERVISION_OVERLAPS");
  EXPECT_EQ(errors::MetadataValue(taken, "supervision"), first.name());
  EXPECT_EQ(Reason(Pair("anna", "ben", -5)), "SUPERVISION_OVERLAPS");
  Made(Pair("anna", "ben", -5, 0));
  Made(Pair("anna", "ben", 10));
  EXPECT_EQ(Reason(Pair("anna", "ben", 500)), "SUPERVISION_OVERLAPS");
  Made(Pair("ben", "anna", 5));
}

TEST_P(SupervisionTest, EndsNowOrLater) {
  const v1::Supervision pair = Made(Pair("anna", "ben", -3));
  EXPECT_EQ(errors::Reason(End(pair.name(), 5, "8").status()), "STALE_ETAG");
  EXPECT_EQ(errors::FieldViolations(End(pair.name(), -1).status())[0].field, "end_time");
  const auto later = End(pair.name(), 5, "1");
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->end_time().seconds(), Day(5).seconds());
  EXPECT_EQ(later->etag(), "2");
  now_ += absl::Nanoseconds(1500);  // instants are kept to the microsecond
  const auto ended = End(pair.name());
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(time::ToTime(ended->end_time()), absl::FromUnixMicros(absl::ToUnixMicros(now_)));
  EXPECT_EQ(errors::Reason(End(pair.name()).status()), "SUPERVISION_ENDED");
  EXPECT_EQ(errors::Reason(End(pair.name(), 9).status()), "SUPERVISION_ENDED");
  v1::SupervisionEvent told;
  ASSERT_TRUE(Events().back().payload().UnpackTo(&told));
  EXPECT_EQ(told.end_time().nanos(), ended->end_time().nanos());
  Made(Pair("anna", "ben", 1));
  EXPECT_EQ(End("organizations/acme/supervisions/none").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(SupervisionTest, APairToComeEndsAfterItBegins) {
  const v1::Supervision pair = Made(Pair("anna", "ben", 3));
  EXPECT_EQ(errors::FieldViolations(End(pair.name()).status())[0].field, "end_time");
  EXPECT_TRUE(End(pair.name(), 4).ok());
  Made(Pair("anna", "ben", 6));
  EXPECT_EQ(errors::Reason(End(pair.name(), 7).status()), "SUPERVISION_OVERLAPS");
}

TEST_P(SupervisionTest, AreListedByStartAndByWho) {
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", "carl")).ok());
  Made(Pair("anna", "ben", 3));
  Made(Pair("anna", "carl", 1));
  Made(Pair("ben", "carl", 2));
  const auto starts = [&](const std::string& supervisor, const std::string& supervisee) {
    v1::ListSupervisionsRequest request;
    request.set_parent("organizations/acme");
    request.set_page_size(1);
    if (!supervisor.empty()) request.set_supervisor("organizations/acme/clinicians/" + supervisor);
    if (!supervisee.empty()) request.set_supervisee("organizations/acme/clinicians/" + supervisee);
    std::vector<int> days;
    do {
      const auto page = Do(&SupervisionHandlers::ListSupervisions, admin_, request);
      EXPECT_TRUE(page.ok()) << page.status();
      for (const v1::Supervision& pair : page->supervisions()) {
        days.push_back(absl::ToInt64Hours(time::ToTime(pair.start_time()) - now_) / 24);
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return days;
  };
  EXPECT_THAT(starts("", ""), ElementsAre(1, 2, 3));
  EXPECT_THAT(starts("anna", ""), ElementsAre(1, 3));
  EXPECT_THAT(starts("", "carl"), ElementsAre(1, 2));
  EXPECT_THAT(starts("ben", "carl"), ElementsAre(2));
}

}  // namespace
}  // namespace rapport::scheduling
