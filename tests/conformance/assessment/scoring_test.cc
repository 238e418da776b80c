#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "google/protobuf/text_format.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ScoringTest : public WorldTest {
 protected:
  v1::ScoreRequest Asking(absl::string_view instrument, absl::string_view digits) {
    v1::ScoreRequest request;
    request.set_instrument(std::string(instrument));
    *request.mutable_answers() = world.Form("any", digits).assessment().answers();
    return request;
  }
  absl::StatusOr<v1::ScoreResponse> Score(const v1::ScoreRequest& request) {
    return world.scoring.Score(world.By("ada"), request);
  }
  std::vector<std::string> FieldsOf(const v1::ScoreRequest& request) {
    const absl::Status status = Score(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    std::vector<std::string> fields;
    for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
    return fields;
  }
  void MakeOwn(absl::string_view formula, int max) {
    v1::CreateInstrumentRequest request;
    request.set_parent("organizations/acme");
    request.set_instrument_id("mood-check");
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        absl::StrCat("display_name: 'Mood check' direction: DIRECTION_LOWER_BETTER"
                     " licence: LICENCE_PUBLIC_DOMAIN"
                     " items { number: 1 label: 'low' max: 3 }"
                     " figures { id: 'total' label: 'Total' formula: '",
                     formula, "' max: ", max,
                     " } total: 'total'"
                     " sources { facts: 'items, figures, total, direction, licence'"
                     " source: 'The clinic' confidence: FACT_CONFIDENCE_OWN }"),
        request.mutable_instrument()));
    const auto made =
        world.instruments.CreateInstrument(world.By("admin", "organization_admin"), request);
    ASSERT_TRUE(made.ok()) << made.status();
  }

  static void Add(v1::StreamScoresRequest& request, absl::string_view instrument,
                  absl::string_view digits) {
    v1::AnsweredForm& form = *request.add_forms();
    form.set_instrument(std::string(instrument));
    for (const char digit : digits) form.add_codes(digit == '-' ? -1 : digit - '0');
  }
  // What one message of a stream is answered with, each form in a few words.
  std::vector<std::string> Taken(
      call::Exchange<v1::StreamScoresRequest, v1::StreamScoresResponse>& exchange,
      const v1::StreamScoresRequest& request, absl::string_view organization = "acme") {
    google::protobuf::RepeatedPtrField<v1::StreamScoresResponse> responses;
    const absl::Status taken =
        exchange.Take(world.By("ada", "therapist", organization), request, responses);
    EXPECT_TRUE(taken.ok()) << taken;
    EXPECT_THAT(responses, SizeIs(1)) << "one response for each request";
    std::vector<std::string> told;
    for (const v1::ScoredForm& scored : responses.at(0).forms()) {
      EXPECT_NE(scored.has_score(), scored.has_refusal());
      EXPECT_FALSE(scored.score().has_explanation());
      told.push_back(scored.has_refusal()
                         ? absl::StrCat(scored.refusal().reason(), " ", scored.refusal().field())
                     : scored.score().has_total() ? absl::StrCat(scored.score().total())
                                                  : "no total");
      EXPECT_EQ(scored.refusal().description().empty(), !scored.has_refusal());
    }
    return told;
  }
};

TEST_P(ScoringTest, TellsAScoreAndHowItCameAbout) {
  const auto scored = Score(Asking("instruments/gad-7", "2222222"));
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->score().total(), 14);
  EXPECT_EQ(scored->score().severity(), "moderate");
  EXPECT_EQ(scored->score().explanation().instrument(), "instruments/gad-7/revisions/1");
  ASSERT_THAT(scored->score().explanation().figures(), ::testing::Not(IsEmpty()));
  EXPECT_THAT(scored->score().explanation().figures(0).items_used(), SizeIs(7));

  v1::ScoreRequest brief = Asking("instruments/gad-7/revisions/1", "2222222");
  brief.set_without_explanation(true);
  const auto briefly = Score(brief);
  ASSERT_TRUE(briefly.ok()) << briefly.status();
  EXPECT_FALSE(briefly->score().has_explanation());
  EXPECT_EQ(briefly->score().total(), 14);
  EXPECT_THAT(world.Events(), IsEmpty()) << "nothing is kept";
}

TEST_P(ScoringTest, TakesATotalAlone) {
  v1::ScoreRequest request = Asking("instruments/phq-9", "");
  request.set_total_only(12);
  const auto scored = Score(request);
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->score().severity(), "moderate");
  EXPECT_THAT(scored->score().unanswered_critical_items(), ElementsAre(9));
  EXPECT_TRUE(scored->score().has_explanation());
  request.set_without_explanation(true);
  EXPECT_FALSE(Score(request)->score().has_explanation());
  request.set_total_only(28);
  EXPECT_THAT(FieldsOf(request), ElementsAre("total_only"));
  request.set_total_only(12.5);
  EXPECT_THAT(FieldsOf(request), ElementsAre("total_only"));
  request = Asking("instruments/phq-9", "111111111");
  request.set_total_only(9);
  EXPECT_THAT(FieldsOf(request), ElementsAre("total_only"));
  request = Asking("instruments/hads", "");
  request.set_total_only(9);
  EXPECT_THAT(FieldsOf(request), ElementsAre("total_only")) << "it has no headline figure";
}

TEST_P(ScoringTest, NamesWhatIsWrongByItsField) {
  for (const char* unknown :
       {"instruments/none", "instruments/phq-9/revisions/2", "organizations/acme/instruments/none",
        "organizations/acme/courses/c", "organizations/other/instruments/mood-check"}) {
    EXPECT_THAT(FieldsOf(Asking(unknown, "1")), ElementsAre("instrument")) << unknown;
  }
  EXPECT_THAT(FieldsOf(Asking("instruments/phq-9", "000400000")), ElementsAre("answers[3].value"));
  EXPECT_THAT(FieldsOf(Asking("instruments/phq-9", "00000000000")),
              ElementsAre("answers[10].item"));
  EXPECT_THAT(FieldsOf(Asking("instruments/moca", "1")), ElementsAre("answers"));
  v1::ScoreRequest twice = Asking("instruments/phq-9", "000000000");
  twice.mutable_answers(4)->set_item(1);
  EXPECT_THAT(FieldsOf(twice), ElementsAre("answers[4].item"));
  v1::ScoreRequest context = Asking("instruments/wsas", "11111");
  context.add_context()->set_id("age");
  context.add_context()->set_id("not_working");
  context.mutable_context(1)->set_code("perhaps");
  EXPECT_THAT(FieldsOf(context), ElementsAre("context[1]"));
}

TEST_P(ScoringTest, AnswersWithoutValueAreUnanswered) {
  v1::ScoreRequest request = Asking("instruments/phq-9", "11111111-");
  request.add_answers()->set_item(9);
  const auto scored = Score(request);
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_THAT(scored->score().missing_items(), ElementsAre(9));
  EXPECT_TRUE(scored->score().prorated());
}

TEST_P(ScoringTest, AStreamScoresAMixtureInOrder) {
  MakeOwn("sum(1)", 3);
  const auto exchange = world.scoring.StreamScores(world.By("ada"));
  ASSERT_TRUE(exchange.ok());
  v1::StreamScoresRequest request;
  Add(request, "phq-9", "111111111");
  Add(request, "none", "1");
  Add(request, "instruments/gad-7", "2222222");
  Add(request, "mood-check", "3");
  Add(request, "phq-9", "11");
  Add(request, "phq-9", "111111114");
  Add(request, "organizations/acme/instruments/mood-check/revisions/1", "2");
  Add(request, "", "2");
  Add(request, "phq-9", "222222222");
  v1::AnsweredForm& moca = *request.add_forms();
  moca.set_instrument("moca");
  moca.set_total_only(25);
  EXPECT_THAT(Taken(**exchange, request),
              ElementsAre("9", "UNKNOWN_INSTRUMENT instrument", "14", "3",
                          "WRONG_ANSWER_COUNT answers", "ANSWER_OUT_OF_RANGE answers[8]", "2",
                          "UNKNOWN_INSTRUMENT instrument", "18", "25"));
  EXPECT_THAT(Taken(**exchange, {}), IsEmpty());
  v1::StreamScoresRequest more;
  Add(more, "gad-7", "111111-");
  EXPECT_THAT(Taken(**exchange, more), ElementsAre("7"));
  google::protobuf::RepeatedPtrField<v1::StreamScoresResponse> last;
  EXPECT_TRUE((*exchange)->Finish(world.By("ada"), last).ok());
  EXPECT_THAT(last, IsEmpty());
}

TEST_P(ScoringTest, AStreamScoresAsTheCallDoes) {
  for (const char* digits : {"000000000", "333333333", "2---2222-", "12121212-"}) {
    v1::ScoreRequest one = Asking("instruments/phq-9", digits);
    one.set_without_explanation(true);
    const auto scored = Score(one);
    ASSERT_TRUE(scored.ok()) << scored.status();
    v1::StreamScoresRequest request;
    Add(request, "phq-9", digits);
    google::protobuf::RepeatedPtrField<v1::StreamScoresResponse> responses;
    const auto exchange = world.scoring.StreamScores(world.By("ada"));
    ASSERT_TRUE((*exchange)->Take(world.By("ada"), request, responses).ok());
    EXPECT_EQ(responses.at(0).forms(0).score().SerializeAsString(),
              scored->score().SerializeAsString());
  }
}

TEST_P(ScoringTest, AStreamReadsTheOrganisationsOwnAlone) {
  world.Organization("other");
  MakeOwn("sum(1)", 3);
  v1::StreamScoresRequest request;
  Add(request, "mood-check", "3");
  Add(request, "organizations/acme/instruments/mood-check", "3");
  Add(request, "phq-9", "000000000");
  const auto theirs = world.scoring.StreamScores(world.By("eve", "therapist", "other"));
  EXPECT_THAT(Taken(**theirs, request, "other"),
              ElementsAre("UNKNOWN_INSTRUMENT instrument", "UNKNOWN_INSTRUMENT instrument", "0"));
}

TEST_P(ScoringTest, AStreamFindsAnOwnOneThatIsMadeMeanwhile) {
  const auto exchange = world.scoring.StreamScores(world.By("ada"));
  v1::StreamScoresRequest request;
  Add(request, "mood-check", "3");
  EXPECT_THAT(Taken(**exchange, request), ElementsAre("UNKNOWN_INSTRUMENT instrument"));
  MakeOwn("sum(1)", 3);
  EXPECT_THAT(Taken(**exchange, request), ElementsAre("3"));
  MakeOwn("sum(1) * 2", 6);
  EXPECT_THAT(Taken(**exchange, request), ElementsAre("3")) << "one revision for a whole stream";
  const auto next = world.scoring.StreamScores(world.By("ada"));
  EXPECT_THAT(Taken(**next, request), ElementsAre("6"));
}

TEST_P(ScoringTest, AStreamTakesADiary) {
  const auto exchange = world.scoring.StreamScores(world.By("ada"));
  v1::StreamScoresRequest request;
  for (const int days : {7, 2}) {
    v1::AnsweredForm& form = *request.add_forms();
    form.set_instrument("srm-5");
    for (int day = 0; day < days; ++day) {
      for (const int minutes : {420, 450, 540, 1080, 1400}) form.add_codes(minutes);
    }
  }
  EXPECT_THAT(Taken(**exchange, request), ElementsAre("7", "no total"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ScoringTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
