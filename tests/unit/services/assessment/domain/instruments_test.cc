#include "services/assessment/domain/instruments.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/assessment/data/shipped.h"
#include "tests/unit/services/assessment/domain/forms.h"

namespace rapport::assessment {
namespace {

using ::testing::Contains;
using testing::Gad7;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Phq9;
using ::testing::SizeIs;

TEST(ShippedInstruments, AreSound) {
  ASSERT_THAT(ShippedInstruments().newest(), SizeIs(2));
  for (const InstrumentRules* rules : ShippedInstruments().newest()) {
    EXPECT_THAT(Problems(rules->instrument()), IsEmpty()) << rules->id();
  }
}

struct Spoiled {
  const char* problem;
  void (*spoil)(v1::Instrument&);
};

TEST(Problems, NameTheFieldThatIsUnsound) {
  const Spoiled rows[] = {
      {"name:", [](v1::Instrument& i) { i.set_name("instruments/PHQ/revisions/1"); }},
      {"name:", [](v1::Instrument& i) { i.set_name("instruments/phq-9"); }},
      {"name:", [](v1::Instrument& i) { i.set_name("instruments/phq-9/revisions/0"); }},
      {"display_name:", [](v1::Instrument& i) { i.clear_display_name(); }},
      {"items[1].number:", [](v1::Instrument& i) { i.mutable_items(1)->set_number(1); }},
      {"items[1].label:", [](v1::Instrument& i) { i.mutable_items(1)->clear_label(); }},
      {"items[1]: needs", [](v1::Instrument& i) { i.mutable_items(1)->set_max(0); }},
      {"items[1].loinc:", [](v1::Instrument& i) { i.mutable_items(1)->set_loinc("44250-8"); }},
      {"scored_items: is empty", [](v1::Instrument& i) { i.clear_scored_items(); }},
      {"scored_items: there is no item 11", [](v1::Instrument& i) { i.add_scored_items(11); }},
      {"scored_items: item 1 is there twice", [](v1::Instrument& i) { i.add_scored_items(1); }},
      {"max_prorated_items:", [](v1::Instrument& i) { i.set_max_prorated_items(9); }},
      {"bands[1].min:", [](v1::Instrument& i) { i.mutable_bands(1)->set_min(6); }},
      {"bands[1].min:", [](v1::Instrument& i) { i.mutable_bands(1)->set_min(4); }},
      {"bands[2].id:", [](v1::Instrument& i) { i.mutable_bands(2)->set_id("mild"); }},
      {"bands: must end at 27", [](v1::Instrument& i) { i.mutable_bands()->RemoveLast(); }},
      {"critical_items[0].item:",
       [](v1::Instrument& i) { i.mutable_critical_items(0)->set_item(11); }},
      {"critical_items[0].at_least:",
       [](v1::Instrument& i) { i.mutable_critical_items(0)->set_at_least(4); }},
      {"critical_items[0].immediate_at:",
       [](v1::Instrument& i) { i.mutable_critical_items(0)->set_immediate_at(4); }},
      {"direction:", [](v1::Instrument& i) { i.clear_direction(); }},
      {"direction:", [](v1::Instrument& i) { i.set_direction(v1::DIRECTION_NONE); }},
      {"case_cutoff:", [](v1::Instrument& i) { i.set_case_cutoff(28); }},
      {"case_cutoff:", [](v1::Instrument& i) { i.clear_case_cutoff(); }},
      {"remission_cutoff:", [](v1::Instrument& i) { i.set_remission_cutoff(10); }},
      {"reliable_change.points:",
       [](v1::Instrument& i) { i.mutable_reliable_change()->set_points(0); }},
      {"response_percent:", [](v1::Instrument& i) { i.set_response_percent(101); }},
      {"min_age:", [](v1::Instrument& i) { i.set_max_age(17); }},
      {"licence:", [](v1::Instrument& i) { i.clear_licence(); }},
      {"loinc_total:", [](v1::Instrument& i) { i.set_loinc_total("44261-5"); }},
      {"diagnostic_rule:", [](v1::Instrument& i) { i.mutable_diagnostic_rule()->set_major(2); }},
      {"diagnostic_rule.cardinal_items: item 10",
       [](v1::Instrument& i) { i.mutable_diagnostic_rule()->add_cardinal_items(10); }},
      {"bands: no entry of sources",
       [](v1::Instrument& i) { i.mutable_sources(0)->set_facts("items"); }},
      {"sources[0].facts:", [](v1::Instrument& i) { i.mutable_sources(0)->set_facts("beds"); }},
      {"sources[0].confidence:",
       [](v1::Instrument& i) { i.mutable_sources(0)->clear_confidence(); }},
  };
  for (const Spoiled& row : rows) {
    v1::Instrument instrument = Phq9().instrument();
    row.spoil(instrument);
    EXPECT_THAT(Problems(instrument), Contains(HasSubstr(row.problem)));
    EXPECT_EQ(InstrumentRules::Make(instrument).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(Catalogue, FindsTheNewestRevisionAndEachByName) {
  v1::Instrument second = Phq9().instrument();
  second.set_name("instruments/phq-9/revisions/2");
  const auto catalogue = Catalogue::Make({Phq9().instrument(), second, Gad7().instrument()});
  ASSERT_TRUE(catalogue.ok());
  EXPECT_EQ(catalogue->Find("instruments/phq-9")->revision(), 2);
  EXPECT_EQ(catalogue->Find("instruments/phq-9/revisions/1")->revision(), 1);
  EXPECT_EQ(catalogue->FindById("phq-9")->revision(), 2);
  EXPECT_THAT(catalogue->newest(), SizeIs(2));
  EXPECT_EQ(catalogue->newest()[0]->id(), "gad-7");
  for (const char* absent :
       {"", "phq-9", "instruments/", "instruments/phq", "instruments/phq-9/", "instruments//",
        "instruments/phq-9/revisions/", "instruments/phq-9/revisions/3",
        "instruments/phq-9/revisions/01", "instruments/phq-9/revisions/-1",
        "instruments/phq-9/versions/1", "instruments/phq-9/revisions/1/x"}) {
    EXPECT_EQ(catalogue->Find(absent), nullptr) << absent;
  }
}

TEST(Catalogue, RefusesARevisionTwice) {
  EXPECT_FALSE(Catalogue::Make({Phq9().instrument(), Phq9().instrument()}).ok());
}

TEST(InstrumentRules, KnowWhichWayIsBetter) {
  EXPECT_EQ(Phq9().Gain(17, 11), 6);
  EXPECT_TRUE(Phq9().IsCase(10));
  EXPECT_FALSE(Phq9().IsCase(9));
  EXPECT_TRUE(Phq9().AtRemission(4));
  EXPECT_FALSE(Phq9().AtRemission(5));
  EXPECT_TRUE(Gad7().IsCase(8));
  EXPECT_FALSE(Gad7().IsCase(7));
  EXPECT_FALSE(Gad7().AtRemission(0)) << "no remission level is published";

  v1::Instrument rising = Phq9().instrument();
  rising.set_direction(v1::DIRECTION_HIGHER_BETTER);
  rising.set_case_cutoff(10);
  rising.set_remission_cutoff(20);
  const auto rules = InstrumentRules::Make(rising);
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ((*rules)->Gain(10, 16), 6);
  EXPECT_TRUE((*rules)->IsCase(10));
  EXPECT_FALSE((*rules)->IsCase(11));
  EXPECT_TRUE((*rules)->AtRemission(20));
}

}  // namespace
}  // namespace rapport::assessment
