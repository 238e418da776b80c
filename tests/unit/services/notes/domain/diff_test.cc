#include "services/notes/domain/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As "=same -removed +added", with '|' between runs.
std::string Told(absl::string_view from, absl::string_view to) {
  std::string told;
  for (const v1::DiffRun& run : DiffText(from, to)) {
    absl::StrAppend(&told, told.empty() ? "" : "|",
                    run.kind() == v1::DIFF_KIND_SAME      ? "="
                    : run.kind() == v1::DIFF_KIND_REMOVED ? "-"
                                                          : "+",
                    run.text());
  }
  return told;
}

TEST(DiffTest, WordsThatChangedAreTold) {
  EXPECT_EQ(Told("", ""), "");
  EXPECT_EQ(Told("", "new"), "+new");
  EXPECT_EQ(Told("old", ""), "-old");
  EXPECT_EQ(Told("it was Monday morning", "it was Tuesday morning"),
            "=it was |-Monday |+Tuesday |=morning");
  EXPECT_EQ(Told("a b c d", "a c d e"), "=a |-b |=c |-d|+d e");
  EXPECT_EQ(Told("one two three", "one two three"), "=one two three");
}

std::string Join(const std::vector<v1::DiffRun>& runs, v1::DiffKind but) {
  std::string text;
  for (const v1::DiffRun& run : runs) {
    if (run.kind() != but) text += run.text();
  }
  return text;
}

TEST(DiffTest, TheRunsGiveBothTextsToTheByte) {
  std::mt19937 random(7);
  const auto text = [&](size_t words) {
    std::string made;
    for (size_t i = 0; i < words; ++i) {
      absl::StrAppend(&made, std::string(1, static_cast<char>('a' + random() % 4)),
                      random() % 5 == 0 ? "\n" : " ");
    }
    return made;
  };
  for (int i = 0; i < 500; ++i) {
    const std::string from = text(random() % 40), to = text(random() % 40);
    const std::vector<v1::DiffRun> runs = DiffText(from, to);
    EXPECT_EQ(Join(runs, v1::DIFF_KIND_ADDED), from);
    EXPECT_EQ(Join(runs, v1::DIFF_KIND_REMOVED), to);
    for (size_t j = 1; j < runs.size(); ++j) EXPECT_NE(runs[j].kind(), runs[j - 1].kind());
  }
}

TEST(DiffTest, TooManyChangesCountAsReplaced) {
  std::string from = "begin ", to = "begin ";
  for (int i = 0; i < 1'500; ++i) {
    absl::StrAppend(&from, "x", i, " ");
    absl::StrAppend(&to, "y", i, " ");
  }
  const std::vector<v1::DiffRun> runs = DiffText(from + "end", to + "end");
  ASSERT_EQ(runs.size(), 4u);
  EXPECT_EQ(Join(runs, v1::DIFF_KIND_ADDED), from + "end");
}

TEST(DiffTest, FieldsComeInTheOrderOfTheNote) {
  v1::NoteContent from;
  from.set_plan("call");
  from.set_focus_kept(v1::FOCUS_KEPT_YES);
  v1::NoteContent to = from;
  EXPECT_THAT(DiffContent(from, to), IsEmpty());
  to.set_plan("write");
  to.set_focus_kept(v1::FOCUS_KEPT_NO);
  v1::Minutes& minutes = *to.add_minutes();
  minutes.set_use(v1::TIME_USE_HISTORY);
  minutes.set_minutes(5);
  std::vector<std::string> fields;
  for (const v1::FieldDiff& diff : DiffContent(from, to)) fields.push_back(diff.field());
  EXPECT_THAT(fields, ElementsAre("content.focus_kept", "content.plan", "content.minutes"));
  EXPECT_THAT(DiffContent(from, to).at(0).runs(0).text(), "FOCUS_KEPT_YES\n");
}

}  // namespace
}  // namespace rapport::notes
