#include "services/notes/domain/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "services/notes/data/suitability/review_data.h"
#include "services/notes/domain/closeness.h"
#include "tests/unit/services/notes/domain/sample_case.h"

namespace rapport::notes {
namespace {

using testing::Day;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPartner;
using testing::kPatient;
using ::testing::Not;
using testing::SampleCase;

std::vector<std::string> Texts(const SampleCase& sample, const View& view = {}) {
  std::vector<std::string> texts;
  std::string last;
  for (const TimelineEntry& entry : TimelineOf(sample.file, view)) {
    EXPECT_LT(last, entry.key);
    EXPECT_THAT(entry.key, Not(HasSubstr(entry.point.text())));
    last = entry.key;
    texts.push_back(entry.point.text());
  }
  return texts;
}

TEST(TimelineTest, MoodAndEventsStandOnOneLine) {
  SampleCase sample;
  sample.file.sittings.resize(2);
  sample.AddEntry("t1",
                  "timeline_event { kind: TIMELINE_EVENT_KIND_LIFE_EVENT text: 'moved' "
                  "start_date { year: 2026 month: 3 } date_uncertain: true }");
  sample.AddEntry("t2",
                  "timeline_event { kind: TIMELINE_EVENT_KIND_SYMPTOM text: 'no sleep' "
                  "start_date { year: 2026 month: 3 day: 9 } severity: 7 }");
  sample.AddEntry("t3",
                  "incident { text: 'quarrel' "
                  "incident_date { year: 2026 month: 3 day: 14 } }");
  sample.AddEntry("t4",
                  "treatment_event { treatment: 'sertraline 50 mg' "
                  "treatment_class: TREATMENT_CLASS_ANTIDEPRESSANT "
                  "change: TREATMENT_CHANGE_STARTED "
                  "change_date { year: 2026 month: 3 day: 12 } }");
  sample.AddNote("n1", 1,
                 "links { date { year: 2026 month: 3 day: 8 } symptom: 'low' event: 'call' }");
  sample.AddForm("f1", "phq-9", {2, 3, 2}, 1);
  EXPECT_THAT(Texts(sample), ElementsAre("moved", "low ↔ call", "no sleep", "phq-9 7", "Session 1",
                                         "sertraline 50 mg: Started", "quarrel", "Session 2"));
  for (const TimelineEntry& entry : TimelineOf(sample.file, {})) {
    if (entry.point.kind() == v1::TIMELINE_POINT_KIND_SCORE) {
      EXPECT_EQ(entry.point.items_size(), 3);
      EXPECT_EQ(entry.point.session_number(), 1);
    }
  }
}

TEST(TimelineTest, OfACoupleEachSeesTheirOwn) {
  SampleCase sample;
  sample.MakeConjoint();
  sample.file.sittings.clear();
  sample.AddEntry("s", "incident { text: 'shared' incident_date { year: 2026 month: 3 day: 1 } }");
  sample.AddEntry("b", "about: '" + std::string(kPartner) +
                           "' private: true incident { text: 'alone' "
                           "incident_date { year: 2026 month: 3 day: 2 } }");
  sample.AddForm("fa", "phq-9", {1}, 1, kPatient);
  sample.AddForm("fb", "csi-16", {2}, 1, kPartner);
  EXPECT_THAT(Texts(sample), ElementsAre("shared"));
  EXPECT_THAT(Texts(sample, {.about = kPatient}), ElementsAre("shared", "phq-9 1"));
  EXPECT_THAT(Texts(sample, {.about = kPartner}), ElementsAre("shared", "alone", "csi-16 2"));
}

v1::Entry Person(const std::string& id, const std::string& person, int ring, int version,
                 absl::Time when) {
  v1::Entry entry;
  entry.set_name(testing::Name("entries", id));
  entry.set_kind(v1::ENTRY_KIND_RELATIONSHIP);
  entry.set_version(version);
  entry.mutable_relationship()->set_person(person);
  entry.mutable_relationship()->set_closeness(ring);
  *entry.mutable_update_time() = time::ToTimestamp(when);
  return entry;
}

TEST(ClosenessTest, TheFirstCircleIsKeptBesideTheLast) {
  SampleCase sample;
  const auto circles = CirclesOf(
      sample.file, {},
      {Person("e1", "Kim", 3, 1, Day(2026, 3, 9)), Person("e1", "Kim", 1, 2, Day(2026, 5, 1)),
       Person("e2", "Lee", 2, 1, Day(2026, 3, 16)), Person("e3", "Mo", 2, 1, Day(2026, 4, 30)),
       Person("e4", "unplaced", 0, 1, Day(2026, 3, 9))},
      ShippedReviewRules());
  ASSERT_EQ(circles.first().places_size(), 2);
  EXPECT_EQ(circles.first().places(0).person(), "Lee");
  EXPECT_EQ(circles.first().places(1).ring(), 3);
  EXPECT_EQ(circles.first().date().day(), 16);
  EXPECT_EQ(circles.last().places_size(), 3);
  std::vector<std::string> moved;
  for (const auto& change : circles.changes()) {
    moved.push_back(
        absl::StrCat(change.person(), " ", change.first_ring(), "-", change.last_ring()));
  }
  EXPECT_THAT(moved, ElementsAre("Mo 0-2", "Kim 3-1"));
}

TEST(ClosenessTest, NamesAreEscapedAndEachIsDrawnOnce) {
  SampleCase sample;
  const auto circles = CirclesOf(
      sample.file, {}, {Person("e1", "<script>alert('x')</script>", 1, 1, Day(2026, 3, 9))},
      ShippedReviewRules());
  EXPECT_THAT(circles.first().svg(), ::testing::StartsWith("<svg"));
  EXPECT_THAT(circles.first().svg(), Not(HasSubstr("<script")));
  EXPECT_THAT(circles.first().svg(), HasSubstr("&lt;script&gt;"));
}

TEST(ClosenessTest, NobodyPlacedMeansNoPicture) {
  SampleCase sample;
  const auto circles = CirclesOf(sample.file, {}, {}, ShippedReviewRules());
  EXPECT_THAT(circles.first().svg(), IsEmpty());
  EXPECT_FALSE(circles.first().has_date());
}

TEST(ClosenessTest, LabelsOfManyPeopleStandApart) {
  SampleCase sample;
  std::vector<v1::Entry> people;
  for (int i = 0; i < 60; ++i) {
    people.push_back(
        Person(absl::StrCat("e", 100 + i), absl::StrCat("P", i), i % 4 + 1, 1, Day(2026, 3, 9)));
  }
  const std::string svg = CirclesOf(sample.file, {}, people, ShippedReviewRules()).first().svg();
  std::map<std::string, std::vector<double>> by_side;
  for (size_t at = svg.find("font-size=\"17\""); at != std::string::npos;
       at = svg.find("font-size=\"17\"", at + 1)) {
    const size_t begin = svg.rfind("<text", at);
    double x = 0, y = 0;
    ASSERT_EQ(std::sscanf(svg.c_str() + begin, "<text x=\"%lf\" y=\"%lf\"", &x, &y), 2);
    by_side[x > 310 ? "right" : "left"].push_back(y);
  }
  for (auto& [side, rows] : by_side) {
    ASSERT_EQ(rows.size(), 30u);
    std::sort(rows.begin(), rows.end());
    for (size_t i = 1; i < rows.size(); ++i) EXPECT_GE(rows[i] - rows[i - 1], 20) << side;
  }
}

}  // namespace
}  // namespace rapport::notes
