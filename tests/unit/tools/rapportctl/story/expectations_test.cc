#include "tools/rapportctl/story/expectations.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace rapport::story {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

const char kProgress[] = R"pb(
  instruments {
    instrument: "instruments/phq-9/revisions/1"
    points { session_number: 1 total: 17 complete: true }
    points { session_number: 2 total: 9 complete: true }
    points { session_number: 2 total: 8 complete: true }
    points { session_number: 3 total: 16 prorated: true }
    points { session_number: 1 total: 4 complete: true }  # of maintenance
    worsening { reference: REFERENCE_PREVIOUS points: 8 }
    milestones { term: TERM_RESPONSE session_number: 2 }
  }
  milestones { term: TERM_CASE_RECOVERY session_number: 2 }
)pb";

std::vector<std::string> Check(const std::string& expect) {
  const auto progress = Parse<assessment::v1::Progress>(kProgress);
  return Differences(Parse<Expect>(expect), progress, {{2, progress}});
}

TEST(ExpectationsTest, NothingDiffersWhereAllIsAsExpected) {
  EXPECT_THAT(Check(R"pb(
                totals {
                  instrument: "phq-9"
                  totals: [ 17, 8 ]
                }
                reached { instrument: "phq-9" term: TERM_RESPONSE session: 2 }
                reached { term: TERM_CASE_RECOVERY session: 2 }
                not_reached { instrument: "phq-9" term: TERM_REMISSION }
                not_reached { instrument: "gad-7" term: TERM_RESPONSE }
                worsening { session: 2 instrument: "phq-9" against: REFERENCE_PREVIOUS points: 8 }
                no_worsening { session: 2 instrument: "phq-9" against: REFERENCE_BASELINE }
              )pb"),
              IsEmpty());
}

TEST(ExpectationsTest, EachDifferenceIsOneReadableLine) {
  EXPECT_THAT(
      Check(R"pb(
        totals {
          instrument: "phq-9"
          sessions: [ 1, 3, 4 ]
          totals: [ 18, 16, 2 ]
        }
        totals { instrument: "gad-7" totals: 3 }
        reached { instrument: "phq-9" term: TERM_RESPONSE session: 3 }
        reached { term: TERM_RELIABLE_RECOVERY session: 3 }
        not_reached { term: TERM_CASE_RECOVERY }
        worsening { session: 2 instrument: "phq-9" against: REFERENCE_PREVIOUS points: 6 }
        worsening { session: 2 instrument: "phq-9" against: REFERENCE_BEST }
        worsening { session: 9 instrument: "phq-9" against: REFERENCE_BEST }
        no_worsening { session: 2 instrument: "phq-9" against: REFERENCE_PREVIOUS }
      )pb"),
      ElementsAre("phq-9: session 1 has the total 17, not 18",
                  "phq-9: session 3 has no total; expected 16",
                  "phq-9: session 4 has no total; expected 2", "gad-7: no form was recorded",
                  "phq-9: RESPONSE was reached at session 2, not 3",
                  "course: RELIABLE_RECOVERY was not reached; expected at session 3",
                  "course: CASE_RECOVERY was reached at session 2; expected never",
                  "phq-9 after session 2: worse than PREVIOUS by 8, not 6",
                  "phq-9 after session 2: not flagged as reliably worse than BEST",
                  "phq-9 after session 9: no progress was told",
                  "phq-9 after session 2: flagged as reliably worse than PREVIOUS (by 8)"));
}

}  // namespace
}  // namespace rapport::story
