#include "tools/rapportctl/story/record.h"

#include <string>
#include <vector>

#include "common/errors/errors.h"
#include "common/names/names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/notes/v1/note_service.pb.h"

namespace rapport::story {
namespace {

constexpr char kCourse[] = "organizations/o/courses/c";
constexpr char kCase[] = "organizations/o/cases/c";

class FakeSuite : public ctl::Caller {
 public:
  absl::Status Call(const ctl::Identity& who, absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    EXPECT_EQ(who.subject, "jonas");
    const std::string name(names::Last(method));
    if (name == refused) return refusal;
    if (name == "ListNotes") {
      const auto& list = static_cast<const notes::v1::ListNotesRequest&>(request);
      auto& page = static_cast<notes::v1::ListNotesResponse&>(response);
      page.add_notes()->set_name(list.page_token().empty() ? "first" : "second");
      if (list.page_token().empty()) page.set_next_page_token("more");
    } else if (name == "ListAlerts") {
      auto& page = static_cast<assessment::v1::ListAlertsResponse&>(response);
      page.add_alerts()->set_name("newer");
      page.add_alerts()->set_name("older");
    } else if (name == "ListDueNotes") {
      auto& page = static_cast<notes::v1::ListDueNotesResponse&>(response);
      page.add_due_notes()->set_case_(kCase);
      page.add_due_notes()->set_case_("organizations/o/cases/another");
    }
    return absl::OkStatus();
  }

  std::string refused = "GetSafetyPlan";
  absl::Status refusal = errors::NotFound("SafetyPlan");
};

const ctl::Identity kJonas{"jonas", "o", {"therapist"}};

TEST(GatherTest, ReadsEveryPageOldestAlertFirstAndOnlyThisCourse) {
  FakeSuite suite;
  const auto record = Gather(suite, kJonas, kCourse, kCase);
  ASSERT_TRUE(record.ok()) << record.status();
  ASSERT_EQ(record->notes.size(), 2u);
  EXPECT_EQ(record->notes[1].name(), "second");
  ASSERT_EQ(record->alerts.size(), 2u);
  EXPECT_EQ(record->alerts[0].name(), "older");
  EXPECT_EQ(record->due_notes.size(), 1u);
  EXPECT_FALSE(record->safety_plan.has_value());
}

TEST(GatherTest, AnErrorIsTheErrorOfTheCall) {
  FakeSuite suite;
  suite.refused = "GetProgress";
  suite.refusal = errors::Unavailable("PEER_UNAVAILABLE", "Down.", "assessment");
  EXPECT_EQ(Gather(suite, kJonas, kCourse, kCase).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace rapport::story
