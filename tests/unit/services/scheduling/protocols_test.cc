#include "services/scheduling/domain/protocols.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string PhaseLetters(int planned) {
  std::string letters;
  for (int session = 1; session <= planned; ++session) {
    letters += v1::Phase_Name(PhaseOf(session, planned, Classic()))[6];
  }
  return letters;
}

TEST(ProtocolsTest, TerminationKeepsItsLengthAndTheMiddleGivesWay) {
  EXPECT_EQ(PhaseLetters(16), "IIIMMMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(15), "IIIMMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(14), "IIIMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(13), "IIIMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(12), "IIIMMMMMTTTT");
}

TEST(ProtocolsTest, SessionsOutsideTheCourseHaveThePhaseNextToThem) {
  EXPECT_EQ(PhaseOf(0, 16, Classic()), v1::PHASE_UNSPECIFIED);
  EXPECT_EQ(PhaseOf(17, 16, Classic()), v1::PHASE_TERMINATION);
}

TEST(ProtocolsTest, ClassicIsShippedAsTheBookSays) {
  const v1::Protocol& classic = Classic();
  EXPECT_THAT(ProtocolFaults(classic), IsEmpty());
  EXPECT_EQ(classic.min_sessions(), 12);
  EXPECT_EQ(classic.max_sessions(), 16);
  EXPECT_EQ(classic.session_minutes(), 50);
  EXPECT_EQ(classic.cadence_days(), 7);
  EXPECT_EQ(classic.assessment_sessions(), 3);
  EXPECT_FALSE(classic.assigns_homework());
}

TEST(ProtocolsTest, WrongDataIsNamedWithItsReason) {
  struct Case {
    std::string from, to, fault;
  };
  const std::string good(ShippedProtocolTexts()[0]);
  ASSERT_TRUE(ParseProtocol(good).ok());
  const std::vector<Case> cases = {
      {"first_session: 4", "first_session: 5", "PHASE_MIDDLE must begin with session 4"},
      {"last_session: 16", "last_session: 15", "cover every session up to max_sessions"},
      {"max_weeks: 20", "max_weeks: 14", "max_weeks is shorter"},
      {"min_sessions: 12", "min_sessions: 17", "min_sessions and max_sessions"},
      {"min_sessions: 12", "min_sessions: 5", "leave no middle phase"},
      {"classic/revisions/1", "classic/revisions/01", "name must be"},
      {"classic/revisions/1", "Classic/revisions/1", "name must be"},
      {"session_minutes: 50", "session_minutes: 481", "session_minutes must be"},
      {"id: \"contract\"", "id: \"risk\"", "'risk' needs an id of its own"},
      {"instrument: \"gad-7\"", "instrument: \"phq-9\"", "each once"},
      {"confidence: CONFIDENCE_OWN", "", "needs facts, source and confidence"},
      {"assessment_sessions: 3", "assessment_sessions: 13", "assessment_sessions must be"},
      {"evidence_grade: EVIDENCE_GRADE_STRONG", "", "evidence_grade is missing"},
      {"phase: PHASE_TERMINATION", "phase: PHASE_INITIAL", "in the order of treatment"},
      {"max_weeks: 20", "max_weeks: twenty", "line 11, column 12"},
      {"max_weeks: 20", "max_moons: 20", "max_moons"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<v1::Protocol> parsed =
        ParseProtocol(absl::StrReplaceAll(good, {{c.from, c.to}}));
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << c.to;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(c.fault)) << c.to;
  }
}

TEST(ProtocolsTest, TheCatalogueKnowsAllRevisionsAndListsTheNewest) {
  const std::string first(ShippedProtocolTexts()[0]);
  const std::string second = absl::StrReplaceAll(first, {{"revisions/1", "revisions/2"}});
  const std::string tenth = absl::StrReplaceAll(first, {{"revisions/1", "revisions/10"}});
  const std::string other = absl::StrReplaceAll(first, {{"protocols/classic", "protocols/brief"}});
  const std::vector<absl::string_view> texts = {first, tenth, second, other};
  const absl::StatusOr<ProtocolCatalogue> catalogue = ProtocolCatalogue::Make(texts);
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  EXPECT_NE(catalogue->Find("protocols/classic/revisions/2"), nullptr);
  EXPECT_EQ(catalogue->Find("protocols/classic/revisions/3"), nullptr);
  EXPECT_EQ(catalogue->Find("protocols/classic/revisions/02"), nullptr);
  EXPECT_EQ(catalogue->Find("protocols/none/revisions/1"), nullptr);
  std::vector<std::string> names;
  for (const v1::Protocol* protocol : catalogue->Newest("", 9)) names.push_back(protocol->name());
  EXPECT_THAT(names, ElementsAre("protocols/brief/revisions/1", "protocols/classic/revisions/10"));
  EXPECT_EQ(catalogue->Newest("brief", 9).size(), 1u);
  EXPECT_EQ(catalogue->Newest("", 1).size(), 1u);

  const std::vector<absl::string_view> twice = {first, first};
  EXPECT_EQ(ProtocolCatalogue::Make(twice).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rapport::scheduling
