#include "tools/rapportctl/score_lines.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/forms.h"

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ScoreLine Line(absl::string_view json) {
  const auto line = ReadScoreLine(json);
  EXPECT_TRUE(line.ok()) << line.status() << " " << json;
  return line.value_or(ScoreLine());
}

// A line as `rapportctl score` answers it.
std::string Answer(absl::string_view json) {
  const ScoreLine line = Line(json);
  av1::ScoredForm scored;
  if (!line.refusal.reason().empty()) {
    *scored.mutable_refusal() = line.refusal;
  } else {
    scored = assessment::ScoreForm(
        assessment::ShippedInstruments().FindById(line.form.instrument()), line.form);
  }
  return WriteScoreLine(line.form.instrument(), scored);
}

std::string Refused(absl::string_view instrument, absl::string_view reason,
                    absl::string_view field) {
  return absl::StrCat("{\"instrument\":\"", instrument, "\",\"error\":{\"reason\":\"", reason,
                      "\",\"field\":\"", field, "\"}}");
}

TEST(ScoreLines, AreAnsweredWithKeysInOrder) {
  EXPECT_EQ(Answer(R"({"instrument":"phq-9","answers":[2,2,2,2,2,1,0,0,1],)"
                   R"("context":{"sex":"female","age":34,"difficulty":2}})"),
            R"({"instrument":"phq-9","complete":true,"missing":[],"total":12,)"
            R"("severity":"moderate","subscales":{},"flags":{"positive":true,)"
            R"("major_depressive_syndrome":true,"other_depressive_syndrome":false,)"
            R"("unknown_context":["sex"]},"critical":[9]})");
}

TEST(ScoreLines, WriteNullWhereNothingIsTold) {
  EXPECT_EQ(Answer(R"({"instrument":"phq-9","answers":[3,3,3,null,null,null,null,null,null]})"),
            R"({"instrument":"phq-9","complete":false,"missing":[4,5,6,7,8,9],"total":null,)"
            R"("severity":null,"subscales":{},"flags":{"positive":null,)"
            R"("major_depressive_syndrome":null,"other_depressive_syndrome":null},"critical":[]})");
}

TEST(ScoreLines, TellWhatWasEstimated) {
  EXPECT_EQ(Answer(R"({"instrument":"gad-7","answers":[2,2,2,2,2,2,null]})"),
            R"({"instrument":"gad-7","complete":false,"missing":[7],"total":14,"severity":null,)"
            R"("subscales":{},"flags":{"positive":null,"prorated":true},"critical":[]})");
}

TEST(ScoreLines, TellWhatIsUnexpectedAndOutsideOfTheAge) {
  EXPECT_EQ(Answer(R"({"instrument":"wsas","answers":[8,1,1,1,1],"context":{"not_working":true}})"),
            R"({"instrument":"wsas","complete":true,"missing":[],"total":4,"severity":null,)"
            R"("subscales":{},"flags":{"unexpected_items":[1]},"critical":[]})");
  EXPECT_THAT(
      Answer(R"({"instrument":"phq-9","answers":[0,0,0,0,0,0,0,0,0],"context":{"age":12}})"),
      ::testing::HasSubstr(R"("age_outside_range":true)"));
}

TEST(ScoreLines, WriteFractionsOnlyWhereThereAreAny) {
  av1::ScoredForm scored;
  av1::Score& score = *scored.mutable_score();
  score.set_total(12.5);
  for (const auto& [id, value] :
       std::vector<std::pair<std::string, double>>{{"b", 3}, {"a", 1.0 / 3}, {"c", -2}}) {
    av1::FigureScore& figure = *score.add_figures();
    figure.set_id(id);
    figure.set_value(value);
  }
  score.add_figures()->set_id("d");
  (*score.mutable_other_severities())["zimmerman_2013"] = "mild";
  (*score.mutable_other_severities())["another"] = "low";
  EXPECT_EQ(
      WriteScoreLine("made-up", scored),
      R"({"instrument":"made-up","complete":false,"missing":[],"total":12.5,)"
      R"("severity":null,"subscales":{"b":3,"a":0.3333333333333333,"c":-2,"d":null},)"
      R"("flags":{"severity_another":"low","severity_zimmerman_2013":"mild"},"critical":[]})");
}

TEST(ScoreLines, ReadAnswersInItemOrder) {
  const ScoreLine line = Line(R"({"instrument":"x","answers":[0,null,true,false,2.0,-0.0,1e1]})");
  EXPECT_THAT(line.form.codes(), ElementsAre(0, -1, 1, 0, 2, 0, 10));
  EXPECT_FALSE(line.form.has_total_only());
  EXPECT_THAT(Line(R"({"instrument":"x"})").form.codes(), IsEmpty());
  EXPECT_THAT(Line(R"({"instrument":"x","answers":null,"total":null,"context":null})").form.codes(),
              IsEmpty());
}

TEST(ScoreLines, RefuseAnswersThatAreNoneByTheirPlace) {
  const auto answers = [](absl::string_view fourth) {
    return Answer(
        absl::StrCat("{\"instrument\":\"phq-9\",\"answers\":[0,0,0,", fourth, ",0,0,0,0,0]}"));
  };
  for (const char* fraction : {"1.5", "-0.5", "1e-3"}) {
    EXPECT_EQ(answers(fraction), Refused("phq-9", "ANSWER_NOT_WHOLE", "answers[3]")) << fraction;
  }
  for (const char* beyond : {"4", "-1", "-2", "99999999999", "1e300"}) {
    EXPECT_EQ(answers(beyond), Refused("phq-9", "ANSWER_OUT_OF_RANGE", "answers[3]")) << beyond;
  }
  for (const char* other : {"\"2\"", "\"\"", "{}", "[1]", "[]"}) {
    EXPECT_EQ(answers(other), Refused("phq-9", "ANSWER_NOT_A_NUMBER", "answers[3]")) << other;
  }
  EXPECT_EQ(Answer(R"({"instrument":"phq-9","answers":"000000000"})"),
            Refused("phq-9", "WRONG_ANSWER_COUNT", "answers"));
  EXPECT_EQ(Answer(R"({"instrument":"phq-9","answers":[0,0]})"),
            Refused("phq-9", "WRONG_ANSWER_COUNT", "answers"));
  std::string many = "0";
  for (int i = 0; i < 200; ++i) many += ",0";
  EXPECT_EQ(Answer(absl::StrCat("{\"instrument\":\"phq-9\",\"answers\":[", many, "]}")),
            Refused("phq-9", "WRONG_ANSWER_COUNT", "answers"));
}

TEST(ScoreLines, TakeATotalInPlaceOfAnswers) {
  EXPECT_EQ(Answer(R"({"instrument":"moca","answers":[1]})"),
            Refused("moca", "NO_ITEMS", "answers"));
  EXPECT_THAT(Answer(R"({"instrument":"moca","total":25})"),
              ::testing::HasSubstr("\"complete\":true,\"missing\":[],\"total\":25,"));
  EXPECT_EQ(Answer(R"({"instrument":"moca","total":31})"),
            Refused("moca", "TOTAL_OUT_OF_RANGE", "total"));
  EXPECT_EQ(Answer(R"({"instrument":"phq-9","total":"12"})"),
            Refused("phq-9", "TOTAL_OUT_OF_RANGE", "total"));
  EXPECT_EQ(Answer(R"({"instrument":"hads","total":12})"),
            Refused("hads", "TOTAL_NOT_TAKEN", "total"));
}

TEST(ScoreLines, RefuseContextThatAnInstrumentKnowsOtherwise) {
  const auto context = [](absl::string_view instrument, absl::string_view answers,
                          absl::string_view given) {
    return Answer(absl::StrCat("{\"instrument\":\"", instrument, "\",\"answers\":[", answers,
                               "],\"context\":", given, "}"));
  };
  const std::string nine = "0,0,0,0,0,0,0,0,0";
  EXPECT_EQ(context("phq-9", nine, R"({"difficulty":1.5})"),
            Refused("phq-9", "ANSWER_NOT_WHOLE", "context.difficulty"));
  EXPECT_EQ(context("phq-9", nine, R"({"difficulty":4})"),
            Refused("phq-9", "ANSWER_OUT_OF_RANGE", "context.difficulty"));
  for (const char* other : {"\"much\"", "\"2\"", "[2]", "{}"}) {
    EXPECT_EQ(context("phq-9", nine, absl::StrCat("{\"difficulty\":", other, "}")),
              Refused("phq-9", "ANSWER_NOT_A_NUMBER", "context.difficulty"))
        << other;
  }
  for (const char* other : {"\"yes\"", "2", "0.5", "[true]"}) {
    EXPECT_EQ(context("wsas", "1,1,1,1,1", absl::StrCat("{\"not_working\":", other, "}")),
              Refused("wsas", "INVALID_CONTEXT", "context.not_working"))
        << other;
  }
  for (const char* other : {"-1", "34.5", "151", "\"34\"", "true"}) {
    EXPECT_EQ(context("phq-9", nine, absl::StrCat("{\"age\":", other, "}")),
              Refused("phq-9", "INVALID_CONTEXT", "context.age"))
        << other;
  }
  EXPECT_EQ(context("phq-9", nine, "[1]"), Refused("phq-9", "INVALID_CONTEXT", "context"));
  for (const char* unset : {"null", "{}", R"({"difficulty":null,"age":null})"}) {
    EXPECT_THAT(context("phq-9", nine, unset), ::testing::HasSubstr("\"total\":0")) << unset;
  }
}

TEST(ScoreLines, IgnoreAndListContextThatNobodyKnows) {
  const std::string answer =
      Answer(R"({"instrument":"gad-7","answers":[0,0,0,0,0,0,0],"context":)"
             R"({"weight":71.5,"delta":-3,"note":"text","ward":["a"],"big":1e300,"yes":true,)"
             R"("none":null,"age":40}})");
  EXPECT_THAT(answer, ::testing::HasSubstr(
                          R"("unknown_context":["weight","delta","note","ward","big","yes"])"));
  const std::string text(100, 't');
  EXPECT_THAT(Answer(absl::StrCat(R"({"instrument":"gad-7","answers":[0,0,0,0,0,0,0],)",
                                  R"("context":{"note":")", text, "\"}}")),
              ::testing::HasSubstr(R"("unknown_context":["note"])"));
}

TEST(ScoreLines, ReadTrueAndFalseAsYesAndNo) {
  const std::string without =
      Answer(R"({"instrument":"wsas","answers":[null,1,1,1,1],"context":{"not_working":true}})");
  EXPECT_THAT(without, ::testing::HasSubstr("\"complete\":true"));
  EXPECT_EQ(Answer(R"({"instrument":"wsas","answers":[null,1,1,1,1],"context":{"not_working":1}})"),
            without);
  EXPECT_EQ(Answer(R"({"instrument":"gad-2","answers":[true,false]})"),
            Answer(R"({"instrument":"gad-2","answers":[1,0]})"));
}

TEST(ScoreLines, RefuseWhatNoMessageCanHold) {
  std::string context;
  for (int i = 0; i < 21; ++i) absl::StrAppend(&context, i ? "," : "", "\"k", i, "\":1");
  EXPECT_EQ(
      Line(absl::StrCat("{\"instrument\":\"gad-7\",\"context\":{", context, "}}")).refusal.field(),
      "context");
  const std::string name(64, 'n');
  EXPECT_EQ(Line(absl::StrCat("{\"instrument\":\"gad-7\",\"context\":{\"", name, "\":1}}"))
                .refusal.field(),
            "context." + name);
  const ScoreLine line = Line(absl::StrCat("{\"instrument\":\"", std::string(241, 'i'), "\"}"));
  EXPECT_EQ(line.refusal.reason(), "UNKNOWN_INSTRUMENT");
  EXPECT_EQ(line.refusal.field(), "instrument");
}

TEST(ScoreLines, MustBeObjectsWithAnInstrument) {
  for (const char* wrong :
       {"", "phq-9", "[]", "1", "null", "{", "{}", R"({"instrument":9})",
        R"({"instrument":"phq-9"} x)", "{'instrument':'phq-9'}", "{\"instrument\":\"\xff\"}",
        R"({"instrument":"phq-9","total":1e999})"}) {
    EXPECT_EQ(ReadScoreLine(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
  EXPECT_EQ(Answer(R"({"instrument":"none","answers":[1]})"),
            Refused("none", "UNKNOWN_INSTRUMENT", "instrument"));
  EXPECT_EQ(
      Answer(R"({"instrument":"a\"b"})"),
      R"({"instrument":"a\"b","error":{"reason":"UNKNOWN_INSTRUMENT","field":"instrument"}})");
}

TEST(ScoreLines, ReadADiaryOfClockTimes) {
  const ScoreLine line = Line(
      R"({"instrument":"srm-5","answers":[["07:05",null,"0:00","23:59","9:30"],null,["07:05"],[]]})");
  EXPECT_EQ(line.refusal.reason(), "");
  EXPECT_THAT(line.form.codes(), ElementsAre(425, -1, 0, 1439, 570, -1, -1, -1, -1, -1, 425, -1, -1,
                                             -1, -1, -1, -1, -1, -1, -1));
  for (const char* wrong : {"\"24:00\"", "\"7:60\"", "\"07\"", "\"07:05x\"", "\"-1:00\"", "\"\"",
                            "425", "true", "\"+7:05\"", "\" 7:05\"", "\"7: 5\""}) {
    EXPECT_EQ(Answer(absl::StrCat(
                  "{\"instrument\":\"srm-5\",\"answers\":[[null,null,null,null,null],[null,", wrong,
                  ",null,null,null]]}")),
              Refused("srm-5", "ANSWER_OUT_OF_RANGE", "answers[1][1]"))
        << wrong;
  }
  EXPECT_EQ(Answer(R"({"instrument":"srm-5","answers":[["07:05",null,null,null,null],3]})"),
            Refused("srm-5", "ANSWER_NOT_A_NUMBER", "answers[1]"));
}

TEST(ScoreLines, ScoreAWeeksDiary) {
  std::string days;
  for (int day = 0; day < 7; ++day) {
    absl::StrAppend(&days, day ? "," : "", R"(["07:00","08:00","09:00","18:00","23:30"])");
  }
  EXPECT_EQ(Answer(absl::StrCat(R"({"instrument":"srm-5","answers":[)", days, "]}")),
            R"({"instrument":"srm-5","complete":true,"missing":[],"total":7,"severity":"stable",)"
            R"("subscales":{},"flags":{},"critical":[]})");
  EXPECT_EQ(Answer(R"({"instrument":"srm-5","answers":[null,null,null,null,null,null,null]})"),
            R"({"instrument":"srm-5","complete":false,"missing":[],"total":null,"severity":null,)"
            R"("subscales":{},"flags":{},"critical":[]})");
}

}  // namespace
}  // namespace rapport::ctl
