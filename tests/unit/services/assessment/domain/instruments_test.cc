#include "services/assessment/domain/instruments.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/errors/errors.h"
#include "tests/unit/services/assessment/domain/made.h"

namespace rapport::assessment {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Items;
using testing::Made;
using testing::Parsed;
using testing::ProblemsOf;

const char kBands[] =
    " band_sets { bands { id: 'low' label: 'Low' max: 4 } bands { id: 'high' label: 'High' min: 5 "
    "max: 9 } }";

// Three items from 0 to 3 and their sum, banded.
std::string Three(absl::string_view bands = kBands) {
  return absl::StrCat(Items(3, 0, 3),
                      "figures { id: 'total' label: 'Total' formula: 'sum(1..3)' max: 9", bands,
                      "}\ntotal: 'total'\n");
}

TEST(Problems, AreNoneOfASoundInstrument) { EXPECT_THAT(ProblemsOf(Three()), IsEmpty()); }

struct WrongRow {
  const char* lines;  // beside Three()
  const char* problem;
};

TEST(Problems, NameTheFieldAndWhatWouldBeRight) {
  const WrongRow rows[] = {
      {"name: 'phq-9'", "name: must be instruments/{instrument}/revisions/{revision}"},
      {"name: 'instruments/Phq/revisions/1'", "name: must be instruments/"},
      {"name: 'instruments/phq-9/revisions/0'", "name: must be instruments/"},
      {"display_name: ''", "display_name: is missing"},
      {"licence: LICENCE_UNSPECIFIED", "licence: is missing"},
      {"direction: DIRECTION_UNSPECIFIED", "direction: is missing"},
      {"min_age: 18 max_age: 12", "max_age: must be at least min_age"},
      {"loinc { total: '44261-7' }", "loinc.total: 44261-7 is not a LOINC code"},
      {"total: 'sum'", "total: there is no figure 'sum'"},
      {"items { number: 5 label: 'x' max: 1 optional: true }", "items[3].number: must be 4"},
      {"items { number: 4 max: 1 }", "items[3].label: is missing"},
      {"items { number: 4 label: 'x' }", "items[3]: needs 0 ≤ min < max ≤ 10000"},
      {"items { number: 4 label: 'x' codes: [0, 2, 2] }",
       "items[3].codes: must be two or more, rise"},
      {"items { number: 4 label: 'x' codes: [0, 2] max: 2 }",
       "items[3]: has codes, min and max are left out"},
      {"items { number: 4 label: 'x' max: 2 values: [1, 2] }",
       "items[3].values: must be one for each of the 3 codes"},
      {"items { number: 4 label: 'x' max: 1 id: 'Age' }", "items[3].id: must be in snake_case"},
      {"items { number: 4 label: 'x' max: 1 id: 'a' } items { number: 5 label: 'x' max: 1 }",
       "items[4]: follows one with an id; items with an id come last"},
      {"items { number: 4 label: 'x' max: 1 loinc: '1-1' }",
       "items[3].loinc: 1-1 is not a LOINC code"},
      {"answers: ANSWER_MEANING_ITEM_SCORE items { number: 4 label: 'x' max: 1 reversed: true }",
       "items[3]: answers are item scores: nothing is turned or converted"},
      {"flags { id: 'total' label: 'x' formula: 'i1 == 1' }", "flags[0].id: 'total' is taken"},
      {"flags { id: 'It' label: 'x' formula: 'i1 == 1' }", "flags[0].id: must be in snake_case"},
      {"flags { id: 'it' formula: 'i1 == 1' }", "flags[0].label: is missing"},
      {"flags { id: 'it' label: 'x' formula: 'i1 = 1' }",
       "flags[0].formula: at 4: expected an operator or the end at '='"},
      {"context { id: 'sex' label: 'x' codes: 'female' }",
       "context[0].codes: must be two or more different ones in snake_case, or none"},
      {"context { id: 'age' label: 'x' }", "context: 'age' is known to every instrument"},
      {"tables { id: 'metric' }", "tables[0].values: are missing"},
      {"figures { id: 'half' label: 'x' formula: 'sum(1..2)' max: 6 max_missing: 2 }",
       "figures[1].max_missing: must leave an answered item"},
      {"figures { id: 'half' label: 'x' formula: 'i1 + i2' max: 6 max_missing: 1 }",
       "figures[1].max_missing: only one sum or mean of items, alone or times a number"},
      {"figures { id: 'half' label: 'x' max: 6 }", "figures[1].formula: is missing"},
      {"critical_items { item: 4 at_least: 1 }", "critical_items[0].item: there is no item 4"},
      {"critical_items { item: 1 at_least: 0 }",
       "critical_items[0].at_least: must be a code of the item above 0"},
      {"critical_items { item: 1 at_least: 2 immediate_at: 1 }",
       "critical_items[0].immediate_at: must be 0 or a code of the item from at_least on"},
      {"critical_items { item: 1 at_least: 1 } critical_items { item: 1 at_least: 2 }",
       "critical_items[1].item: is there twice"},
      {"concern_rules { when: 'total > 3' }", "concern_rules[0].concern: is missing"},
      {"levels { id: 'high' label: 'High' when: 'i1 == 1' }",
       "figures[0].band_sets[0]: severity is told by levels or by bands of the total, not both"},
      {"social_rhythm { activities: 'up' diary_days: 7 min_days: 3 outlier_sd: 1.5 hit_minutes: 45 "
       "stable_from: 3.5 max_score: 7 }",
       "social_rhythm: has neither items nor figures beside it"},
      {"change { case_cutoff: 10 }", "change.case_cutoff: is outside of 0 to 9"},
      {"change { case_cutoff: 5 remission_cutoff: 5 }",
       "change.remission_cutoff: must be better than case_cutoff"},
      {"direction: DIRECTION_HIGHER_BETTER change { case_cutoff: 5 remission_cutoff: 4 }",
       "change.remission_cutoff: must be better than case_cutoff"},
      {"direction: DIRECTION_NONE change { sd: 1 }", "change: neither direction is better"},
      {"total: '' change { sd: 1 }", "change: there is no total that could change"},
      {"change { response_percent: 101 }", "change.response_percent: must be 0 to 100"},
      {"change { reliable_change: 10 }", "change.reliable_change: must be above 0 and at most 9"},
      {"change { reliability { kind: RELIABILITY_KIND_ALPHA coefficient: 1 } }",
       "change.reliability[0].coefficient: must be between 0 and 1"},
      {"change { clinical_norm { mean: 5 } }", "change.clinical_norm.sd: must be above 0"},
      {"change { full_syndrome_flag: 'none' }",
       "change.full_syndrome_flag: there is no flag 'none'"},
      {"sources { facts: 'items' confidence: FACT_CONFIDENCE_OWN }",
       "sources[1].source: is missing"},
      {"sources { facts: 'items' source: 'x' }", "sources[1].confidence: is missing"},
      {"sources { facts: 'item' source: 'x' confidence: FACT_CONFIDENCE_OWN }",
       "sources[1].facts: 'item': there is no field 'item'"},
      {"sources { facts: 'flags[it]' source: 'x' confidence: FACT_CONFIDENCE_OWN }",
       "sources[1].facts: 'flags[it]': there is no flags[it]"},
      {"sources { facts: 'change.mean' source: 'x' confidence: FACT_CONFIDENCE_OWN }",
       "sources[1].facts: 'change.mean': there is no field 'mean'"},
  };
  for (const WrongRow& row : rows) {
    EXPECT_THAT(ProblemsOf(Three() + row.lines), Contains(HasSubstr(row.problem))) << row.lines;
  }
}

TEST(Bands, CoverTheRangeWithoutGapOrOverlap) {
  const auto bands = [](absl::string_view text) { return ProblemsOf(Three(text)); };
  const std::string at = "figures[0].band_sets[0].bands";
  EXPECT_THAT(bands(" band_sets { bands { id: 'a' label: 'a' max: 4 }"
                    " bands { id: 'b' label: 'b' min: 6 max: 9 } }"),
              ElementsAre(at + "[1].min: must follow 4 by 1: no gap and no overlap in the figure's "
                               "decimals"));
  EXPECT_THAT(bands(" band_sets { bands { id: 'a' label: 'a' max: 4 }"
                    " bands { id: 'b' label: 'b' min: 4 max: 9 } }"),
              Contains(HasSubstr("[1].min: must follow 4 by 1")));
  EXPECT_THAT(bands(" band_sets { bands { id: 'a' label: 'a' min: 1 max: 8 } }"),
              ElementsAre(at + "[0].min: must be 0, the figure's min",
                          at + "[0].max: must be 9, the figure's max"));
  EXPECT_THAT(bands(" band_sets { }"), ElementsAre(at + ": are missing"));
  EXPECT_THAT(bands(" band_sets { bands { id: 'a' label: 'a' max: 4 }"
                    " bands { id: 'a' label: 'b' min: 5 max: 9 } }"),
              ElementsAre(at + "[1].id: must be in snake_case and there once"));
  EXPECT_THAT(bands(absl::StrCat(kBands, kBands)),
              ElementsAre("figures[0].band_sets[1]: is never used: a set before it holds always"));
  EXPECT_THAT(bands(absl::StrCat(kBands,
                                 " band_sets { id: 'other' bands { id: 'x' label: 'x' max: "
                                 "9 } }")),
              IsEmpty());
}

TEST(Bands, FollowInTheFiguresDecimals) {
  const auto mean = [](absl::string_view rest) {
    return ProblemsOf(absl::StrCat(
        Items(2, 1, 7), "figures { id: 'm' label: 'm' formula: 'mean(1..2)' min: 1 max: 7 ", rest,
        "}"));
  };
  const char bands[] =
      "band_sets { bands { id: 'a' label: 'a' min: 1 max: 2.9 }"
      " bands { id: 'b' label: 'b' min: 3 max: 7 } }";
  EXPECT_THAT(mean(absl::StrCat("band_decimals: 1 ", bands)), IsEmpty());
  EXPECT_THAT(mean(bands), ElementsAre(HasSubstr("bands[1].min: must follow 2.9 by 1")));
  EXPECT_THAT(mean(absl::StrCat("band_decimals: 2 ", bands)),
              ElementsAre(HasSubstr("bands[1].min: must follow 2.9 by 0.01")));
}

// With one source, which supports `facts`.
std::vector<std::string> SourcedBy(absl::string_view facts, absl::string_view lines) {
  v1::Instrument instrument = Parsed(lines);
  instrument.mutable_sources(0)->set_facts(std::string(facts));
  std::vector<std::string> problems;
  for (const Problem& problem : Problems(instrument)) {
    problems.push_back(absl::StrCat(problem.field, ": ", problem.message));
  }
  return problems;
}

TEST(Sources, EveryFactHasOne) {
  const std::string lines = absl::StrReplaceAll(
      Three() +
          "flags { id: 'positive' label: 'x' formula: 'total >= 5' }"
          "flags { id: 'other' label: 'x' formula: 'total >= 6' }"
          "critical_items { item: 3 at_least: 1 }"
          "change { sd: 2 case_cutoff: 5 } recall_days: 14 loinc { total: '44261-6' }",
      {{"max: 9 band", "max: 9 max_missing: 1 band"},
       {"number: 2 ", "number: 2 loinc: '44255-8' "}});
  const std::string all =
      "items, figures, flags, critical_items, direction, change, licence, recall_days, loinc";
  EXPECT_THAT(SourcedBy(all, lines), IsEmpty());
  const auto without = [&](absl::string_view what, absl::string_view instead) {
    return SourcedBy(absl::StrReplaceAll(all, {{what, instead}}), lines);
  };
  EXPECT_THAT(without("recall_days, ", ""),
              ElementsAre("recall_days: no entry of sources names recall_days"));
  EXPECT_THAT(without("loinc", "loinc.total"),
              ElementsAre("loinc: no entry of sources names loinc"));
  EXPECT_THAT(without("change", "change.sd"),
              ElementsAre("change.case_cutoff: no entry of sources names change.case_cutoff"));
  EXPECT_THAT(without("flags", "flags[positive]"),
              ElementsAre("flags[1]: no entry of sources names flags[other]"));
  EXPECT_THAT(without("flags", "flags[positive], flags[other]"), IsEmpty());
  EXPECT_THAT(without("flags", "flags[positive, other]"), IsEmpty());
  EXPECT_THAT(without("critical_items", "critical_items[item 3]"), IsEmpty());
  EXPECT_THAT(without("items, ", ""), Contains("items[0]: no entry of sources names items[1]"));
  EXPECT_THAT(
      without("figures", "figures.formula"),
      ElementsAre("figures[0]: no entry of sources names figures[total]",
                  "figures[0].max_missing: no entry of sources names figures[total].max_missing"));
}

TEST(Sources, OfAFactIsTheMostParticular) {
  const auto rules =
      Made(Three() +
           "sources { facts: 'figures[total].max_missing, flags[it]' source: 'Arrieta 2017'"
           " confidence: FACT_CONFIDENCE_VERIFIED }"
           "sources { facts: 'flags' source: 'Memory' confidence: FACT_CONFIDENCE_FROM_MEMORY }"
           "flags { id: 'it' label: 'x' formula: 'total >= 5' }"
           "flags { id: 'other' label: 'x' formula: 'total >= 6' }");
  EXPECT_EQ(rules->SourceOf("figures[total].max_missing"), "Arrieta 2017 (verified)");
  EXPECT_EQ(rules->SourceOf("figures[total]"), "This test (the suite's own)");
  EXPECT_EQ(rules->SourceOf("flags[it]"), "Arrieta 2017 (verified)");
  EXPECT_EQ(rules->SourceOf("flags[other]"), "This test (the suite's own)");
  EXPECT_EQ(rules->SourceOf("display_name"), "");
}

TEST(Reading, TellsTheLine) {
  const std::string text =
      "name: 'instruments/made-up/revisions/1'\n"                        // 1
      "display_name: 'Made up'\n"                                        // 2
      "items { number: 1 label: 'x' max: 3 }\n"                          // 3
      "items { number: 2 label: 'x' max: 3 }\n"                          // 4
      "figures {\n"                                                      // 5
      "  id: 'total'\n"                                                  // 6
      "  label: 'Total'\n"                                               // 7
      "  formula: 'sum(1..3)'\n"                                         // 8
      "  max: 6\n"                                                       // 9
      "  band_sets {\n"                                                  // 10
      "    bands { id: 'a' label: 'a' max: 2 }\n"                        // 11
      "    bands { id: 'b' label: 'b' min: 4 max: 6 }\n"                 // 12
      "  }\n"                                                            // 13
      "}\n"                                                              // 14
      "total: 'total'\n"                                                 // 15
      "licence: LICENCE_PUBLIC_DOMAIN\n"                                 // 16
      "change { sd: -1 }\n"                                              // 17
      "direction: DIRECTION_LOWER_BETTER\n"                              // 18
      "sources { facts: 'items, figures, direction, licence, change'\n"  // 19
      "  source: 'x' confidence: FACT_CONFIDENCE_OWN }\n";               // 20
  v1::Instrument instrument;
  std::vector<std::string> told;
  for (const LocatedProblem& located : ReadInstrument(text, instrument)) {
    told.push_back(absl::StrCat(located.line, " ", located.problem.field));
  }
  EXPECT_THAT(told, ElementsAre("8 figures[0].formula", "12 figures[0].band_sets[0].bands[1].min",
                                "17 change.sd"));
  v1::Instrument other;
  const auto unparsed = ReadInstrument("name: 'x'\nnickname: 'y'\n", other);
  ASSERT_EQ(unparsed.size(), 1u);
  EXPECT_EQ(unparsed[0].line, 2);
  EXPECT_THAT(unparsed[0].problem.message, HasSubstr("nickname"));
}

TEST(Rules, RefuseAnUnsoundInstrumentByItsFields) {
  v1::Instrument instrument = Parsed(Three());
  instrument.mutable_figures(0)->set_formula("sum(1..2)");
  const auto rules = InstrumentRules::Make(instrument);
  EXPECT_EQ(rules.status().code(), absl::StatusCode::kInvalidArgument);
  const auto violations = errors::FieldViolations(rules.status());
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].field, "instrument.figures[0].max");
  EXPECT_EQ(violations[0].description, "is 9, the formula reaches 6");
}

TEST(Rules, TellTheWayTheTotalGoes) {
  const auto lower = Made(Three() + "change { case_cutoff: 5 remission_cutoff: 2 }");
  EXPECT_EQ(lower->min_total(), 0);
  EXPECT_EQ(lower->max_total(), 9);
  EXPECT_EQ(lower->Gain(7, 4), 3);
  EXPECT_TRUE(lower->IsCase(5));
  EXPECT_FALSE(lower->IsCase(4));
  EXPECT_TRUE(lower->AtRemission(2));
  EXPECT_FALSE(lower->AtRemission(3));
  const auto higher = Made(Three() +
                           "direction: DIRECTION_HIGHER_BETTER change { case_cutoff: 4 "
                           "remission_cutoff: 6 }");
  EXPECT_EQ(higher->Gain(4, 7), 3);
  EXPECT_TRUE(higher->IsCase(4));
  EXPECT_FALSE(higher->IsCase(5));
  EXPECT_TRUE(higher->AtRemission(6));
  EXPECT_FALSE(higher->AtRemission(5));
  const auto neither = Made(Three() + "direction: DIRECTION_NONE total: ''");
  EXPECT_EQ(neither->Gain(7, 4), 0);
  EXPECT_FALSE(neither->IsCase(9));
  EXPECT_TRUE(std::isnan(neither->min_total()));
}

TEST(Rules, KnowTheirItems) {
  const auto rules = Made(Three() +
                          "items { number: 4 label: 'x' codes: [0, 2, 4] id: 'a' }"
                          "items { number: 5 label: 'x' max: 1 optional: true id: 'b' }"
                          "critical_items { item: 2 at_least: 1 concern: CONCERN_SAFEGUARDING }");
  EXPECT_EQ(rules->id(), "made-up");
  EXPECT_EQ(rules->revision(), 1);
  EXPECT_EQ(rules->required_items(), 3);
  EXPECT_TRUE(rules->IsCode(4, 2));
  EXPECT_FALSE(rules->IsCode(4, 1));
  EXPECT_FALSE(rules->IsCode(1, 4));
  EXPECT_FALSE(rules->IsCode(1, -1));
  EXPECT_FALSE(rules->asks_about_suicide()) << "only about safeguarding";
  EXPECT_THAT(rules->severities(), ElementsAre("low", "high"));
  EXPECT_TRUE(Made(Three() + "critical_items { item: 2 at_least: 1 }")->asks_about_suicide());
  EXPECT_TRUE(Made(Three() + "concern_rules { concern: CONCERN_SELF_HARM when: 'i1 == 3' }")
                  ->asks_about_suicide());
}

TEST(Shipped, ARevisionIsFoundByNameAndTheNewestById) {
  v1::Instrument first = Parsed(Three());
  v1::Instrument second = first;
  second.set_name("instruments/made-up/revisions/10");
  v1::Instrument third = first;
  third.set_name("instruments/made-up/revisions/9");
  auto catalogue = Catalogue::Make({first, second, third});
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  EXPECT_EQ(catalogue->FindById("made-up")->revision(), 10);
  EXPECT_EQ(catalogue->Find("instruments/made-up")->revision(), 10);
  EXPECT_EQ(catalogue->Find("instruments/made-up/revisions/9")->revision(), 9);
  EXPECT_EQ(catalogue->Find("instruments/made-up/revisions/2"), nullptr);
  EXPECT_EQ(catalogue->Find("made-up"), nullptr);
  EXPECT_EQ(catalogue->FindById("phq-9"), nullptr);
  EXPECT_EQ(catalogue->newest().size(), 1u);
  EXPECT_EQ(Catalogue::Make({first, first}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(OwnInstruments, AreOfAnOrganisation) {
  v1::Instrument own = Parsed(Three());
  own.set_name("organizations/riverside/instruments/mood/revisions/3");
  const auto rules = InstrumentRules::Make(own);
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ((*rules)->id(), "mood");
  EXPECT_EQ((*rules)->revision(), 3);
}

}  // namespace
}  // namespace rapport::assessment
