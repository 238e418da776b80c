#include <memory>
#include <string>
#include <thread>
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

// Two items, told as their sum.
v1::Instrument MoodCheck(absl::string_view formula = "sum(1..2)", int max = 6) {
  v1::Instrument instrument;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      absl::StrCat(
          "display_name: 'Mood check' direction: DIRECTION_LOWER_BETTER"
          " licence: LICENCE_PUBLIC_DOMAIN"
          " items { number: 1 label: 'low' max: 3 } items { number: 2 label: 'tired' max: 3 }"
          " figures { id: 'total' label: 'Total' formula: '",
          formula, "' max: ", max,
          " } total: 'total'"
          " sources { facts: 'items, figures, total, direction, licence'"
          " source: 'The clinic' confidence: FACT_CONFIDENCE_OWN }"),
      &instrument));
  return instrument;
}

class InstrumentsTest : public WorldTest {
 protected:
  static v1::CreateInstrumentRequest Creating(absl::string_view id, v1::Instrument instrument,
                                              absl::string_view organization = "acme") {
    v1::CreateInstrumentRequest request;
    request.set_parent(names::Organization(organization));
    request.set_instrument_id(std::string(id));
    *request.mutable_instrument() = std::move(instrument);
    return request;
  }
  absl::StatusOr<v1::Instrument> Create(absl::string_view id,
                                        const v1::Instrument& instrument = MoodCheck()) {
    return world.instruments.CreateInstrument(world.By("admin", "organization_admin"),
                                              Creating(id, instrument));
  }
  absl::StatusOr<v1::Instrument> Get(absl::string_view name,
                                     absl::string_view organization = "acme") {
    v1::GetInstrumentRequest request;
    request.set_name(std::string(name));
    return world.instruments.GetInstrument(world.By("ada", "therapist", organization), request);
  }
  // Names, over pages of `size`.
  std::vector<std::string> List(absl::string_view parent, int size,
                                absl::string_view organization = "acme") {
    v1::ListInstrumentsRequest request;
    request.set_parent(std::string(parent));
    request.set_page_size(size);
    std::vector<std::string> listed;
    do {
      const auto page =
          world.instruments.ListInstruments(world.By("ada", "therapist", organization), request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      EXPECT_LE(page->instruments_size(), size);
      for (const auto& instrument : page->instruments()) listed.push_back(instrument.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return listed;
  }
  static std::vector<std::string> ShippedNames() {
    std::vector<std::string> shipped;
    for (const InstrumentRules* rules : ShippedInstruments().newest()) {
      shipped.push_back(rules->instrument().name());
    }
    return shipped;
  }
  static std::vector<std::string> FieldsOf(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    std::vector<std::string> fields;
    for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
    return fields;
  }

  static v1::InstrumentWording Wording(absl::string_view instrument, absl::string_view language) {
    v1::InstrumentWording wording;
    wording.set_instrument(std::string(instrument));
    wording.set_language(std::string(language));
    wording.set_introduction("How was your week?");
    return wording;
  }
  absl::StatusOr<v1::InstrumentWording> Load(const v1::InstrumentWording& wording) {
    v1::SetInstrumentWordingRequest request;
    request.set_parent("organizations/acme");
    *request.mutable_wording() = wording;
    return world.instruments.SetInstrumentWording(world.By("admin", "organization_admin"), request);
  }
  absl::StatusOr<v1::InstrumentWording> Worded(absl::string_view id,
                                               absl::string_view organization = "acme") {
    v1::GetInstrumentWordingRequest request;
    request.set_name(World::In(organization, "instrumentWordings", id));
    return world.instruments.GetInstrumentWording(world.By("ada", "therapist", organization),
                                                  request);
  }
};

constexpr char kMoodCheck[] = "organizations/acme/instruments/mood-check";

TEST_P(InstrumentsTest, AnOwnOneIsMadeAndRead) {
  world.clock.Set(World::kStart + absl::Hours(1));
  const auto made = Create("mood-check");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->name(), absl::StrCat(kMoodCheck, "/revisions/1"));
  EXPECT_EQ(time::ToTime(made->create_time()), World::kStart + absl::Hours(1));
  for (const std::string& name : {std::string(kMoodCheck), made->name()}) {
    const auto got = Get(name);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->SerializeAsString(), made->SerializeAsString());
  }
  EXPECT_THAT(world.Events(), ElementsAre("rapport.assessment.v1.InstrumentEvent"));
}

TEST_P(InstrumentsTest, ReadsTheShippedByNewestAndNamedRevision) {
  EXPECT_EQ(Get("instruments/phq-9")->name(), "instruments/phq-9/revisions/1");
  EXPECT_EQ(Get("instruments/phq-9/revisions/1")->display_name(), "PHQ-9");
  for (const char* absent :
       {"instruments/none", "instruments/phq-9/revisions/99", "instruments/phq-9/", "instruments/",
        "organizations/acme/instruments/none", "organizations/acme/instruments/none/revisions/1",
        "organizations/acme/instruments/phq-9", "organizations/acme/courses/c1", "phq-9"}) {
    EXPECT_TRUE(absl::IsNotFound(Get(absent).status())) << absent;
  }
}

TEST_P(InstrumentsTest, RevisionsNeverChangeAndTheNextHasTheNextNumber) {
  const auto first = Create("mood-check");
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(Get(kMoodCheck)->name(), first->name()) << "so that it is known in this process";
  const auto second = Create("mood-check", MoodCheck("sum(1..2) * 2", 12));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->name(), absl::StrCat(kMoodCheck, "/revisions/2"));
  EXPECT_EQ(Get(kMoodCheck)->SerializeAsString(), second->SerializeAsString());
  EXPECT_EQ(Get(first->name())->SerializeAsString(), first->SerializeAsString());
  for (const char* absent : {"/revisions/3", "/revisions/0", "/revisions/-1", "/revisions/x",
                             "/revisions/99999999999"}) {
    EXPECT_TRUE(absl::IsNotFound(Get(absl::StrCat(kMoodCheck, absent)).status())) << absent;
  }
  EXPECT_EQ(Create("other")->name(), "organizations/acme/instruments/other/revisions/1");
}

TEST_P(InstrumentsTest, OfTwoNextRevisionsAtOnceOneIsToComeAgain) {
  ASSERT_TRUE(Create("mood-check").ok());
  std::vector<absl::Status> ended(4);
  std::vector<std::thread> threads;
  for (absl::Status& status : ended) {
    threads.emplace_back([&] { status = Create("mood-check").status(); });
  }
  for (std::thread& thread : threads) thread.join();
  int made = 0;
  for (const absl::Status& status : ended) {
    made += status.ok();
    EXPECT_TRUE(status.ok() || absl::IsAborted(status)) << status;
  }
  EXPECT_GE(made, 1);
  EXPECT_EQ(Get(kMoodCheck)->name(), absl::StrCat(kMoodCheck, "/revisions/", made + 1));
}

TEST_P(InstrumentsTest, ARepeatReturnsTheRevisionThatItMade) {
  v1::CreateInstrumentRequest request = Creating("mood-check", MoodCheck());
  request.set_request_id("r1");
  const auto by = [&] { return world.By("admin", "organization_admin", "acme", "same"); };
  const auto first = world.instruments.CreateInstrument(by(), request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(Create("mood-check", MoodCheck("max(1..2)", 3)).ok());
  const call::CallContext again = by();
  const auto second = world.instruments.CreateInstrument(again, request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(second->SerializeAsString(), first->SerializeAsString());
}

TEST_P(InstrumentsTest, OnlyCheckingWritesNothing) {
  v1::CreateInstrumentRequest request = Creating("mood-check", MoodCheck());
  request.set_validate_only(true);
  const auto checked = world.instruments.CreateInstrument(world.By("ada"), request);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->name(), absl::StrCat(kMoodCheck, "/revisions/1"));
  EXPECT_TRUE(absl::IsNotFound(Get(kMoodCheck).status()));
  EXPECT_THAT(world.Events(), IsEmpty());
  request.mutable_instrument()->mutable_figures(0)->set_formula("sum(1..3)");
  EXPECT_THAT(FieldsOf(world.instruments.CreateInstrument(world.By("ada"), request).status()),
              ElementsAre("instrument.figures[0].formula"));
}

TEST_P(InstrumentsTest, IsCheckedAsStrictlyAsTheShipped) {
  EXPECT_THAT(FieldsOf(Create("mood-check", MoodCheck("sum(1..2", 6)).status()),
              ElementsAre("instrument.figures[0].formula"));
  EXPECT_THAT(FieldsOf(Create("mood-check", MoodCheck("sum(1..2)", 7)).status()),
              ElementsAre("instrument.figures[0].max"));
  v1::Instrument unsourced = MoodCheck();
  unsourced.clear_sources();
  EXPECT_FALSE(FieldsOf(Create("mood-check", unsourced).status()).empty());
  v1::Instrument gap = MoodCheck();
  gap.mutable_items(1)->set_number(3);
  EXPECT_THAT(FieldsOf(Create("mood-check", gap).status()),
              ::testing::Contains("instrument.items[1].number"));
  EXPECT_TRUE(absl::IsNotFound(Get(kMoodCheck).status()));
  EXPECT_THAT(world.Events(), IsEmpty());
}

TEST_P(InstrumentsTest, AShippedOnesIdIsTaken) {
  for (const bool only_check : {true, false}) {
    v1::CreateInstrumentRequest request = Creating("phq-9", MoodCheck());
    request.set_validate_only(only_check);
    EXPECT_TRUE(absl::IsAlreadyExists(
        world.instruments.CreateInstrument(world.By("ada"), request).status()));
  }
}

TEST_P(InstrumentsTest, AreTheOrganisationsAlone) {
  world.Organization("other");
  ASSERT_TRUE(Create("mood-check").ok());
  const std::string revision = absl::StrCat(kMoodCheck, "/revisions/1");
  ASSERT_TRUE(Get(revision).ok()) << "so that it is known in this process";
  EXPECT_TRUE(absl::IsNotFound(Get(kMoodCheck, "other").status()));
  EXPECT_TRUE(absl::IsNotFound(Get(revision, "other").status()));
  EXPECT_TRUE(absl::IsNotFound(
      Get("organizations/other/instruments/mood-check/revisions/1", "other").status()));
  EXPECT_EQ(List("organizations/other", 500, "other"), ShippedNames());
  v1::CreateInstrumentRequest request = Creating("mood-check", MoodCheck(), "other");
  const auto theirs =
      world.instruments.CreateInstrument(world.By("admin", "organization_admin", "other"), request);
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  EXPECT_EQ(theirs->name(), "organizations/other/instruments/mood-check/revisions/1");

  v1::ScoreRequest score;
  score.set_instrument(kMoodCheck);
  *score.mutable_answers() = world.Form("any", "11").assessment().answers();
  EXPECT_TRUE(world.scoring.Score(world.By("ada"), score).ok());
  EXPECT_THAT(FieldsOf(world.scoring.Score(world.By("eve", "therapist", "other"), score).status()),
              ElementsAre("instrument"));
}

TEST_P(InstrumentsTest, AreListedOwnFirstInPagesOfAnySize) {
  for (const char* id : {"zest", "mood-check", "mood-check-2", "alpha"}) {
    ASSERT_TRUE(Create(id).ok());
  }
  ASSERT_TRUE(Create("mood-check").ok());
  std::vector<std::string> expected;
  for (const char* revision : {"alpha/revisions/1", "mood-check/revisions/2",
                               "mood-check-2/revisions/1", "zest/revisions/1"}) {
    expected.push_back(absl::StrCat("organizations/acme/instruments/", revision));
  }
  const std::vector<std::string> shipped = ShippedNames();
  ASSERT_THAT(shipped, SizeIs(::testing::Gt(10)));
  expected.insert(expected.end(), shipped.begin(), shipped.end());
  for (const int size : {1, 2, 3, 4, 5, 500}) {
    EXPECT_EQ(List("organizations/acme", size), expected) << size;
    EXPECT_EQ(List("", size), shipped) << size;
  }
  v1::ListInstrumentsRequest request;
  request.set_page_token("forged");
  EXPECT_THAT(FieldsOf(world.instruments.ListInstruments(world.By("ada"), request).status()),
              ElementsAre("page_token"));
}

TEST_P(InstrumentsTest, AFormPinsTheRevisionThatScoredIt) {
  ASSERT_TRUE(Create("mood-check").ok());
  v1::RecordAssessmentRequest request = world.Form("any", "12");
  request.mutable_assessment()->set_instrument(kMoodCheck);
  const auto recorded = world.assessments.RecordAssessment(world.By("ada"), request);
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(recorded->assessment().score().total(), 3);
  ASSERT_TRUE(Create("mood-check", MoodCheck("sum(1..2) * 2", 12)).ok());

  v1::GetAssessmentRequest get;
  get.set_name(recorded->assessment().name());
  const auto kept = world.assessments.GetAssessment(world.By("ada"), get);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->instrument(), absl::StrCat(kMoodCheck, "/revisions/1"));
  EXPECT_EQ(kept->score().total(), 3);
  EXPECT_EQ(kept->score().explanation().instrument(), kept->instrument());

  const auto newer = world.assessments.RecordAssessment(world.By("ada"), request);
  ASSERT_TRUE(newer.ok()) << newer.status();
  EXPECT_EQ(newer->assessment().instrument(), absl::StrCat(kMoodCheck, "/revisions/2"));
  EXPECT_EQ(newer->assessment().score().total(), 6);
  request.mutable_assessment()->set_instrument(absl::StrCat(kMoodCheck, "/revisions/1"));
  const auto older = world.assessments.RecordAssessment(world.By("ada"), request);
  ASSERT_TRUE(older.ok()) << older.status();
  EXPECT_EQ(older->assessment().score().total(), 3);
}

TEST_P(InstrumentsTest, ARequestPinsTheRevisionThatIsShown) {
  ASSERT_TRUE(Create("mood-check").ok());
  v1::CreateMeasureRequestRequest ask;
  ask.set_parent("organizations/acme");
  ask.mutable_measure_request()->set_course(World::Of("courses", "c1"));
  ask.mutable_measure_request()->set_instrument(kMoodCheck);
  const auto asked = world.requests.CreateMeasureRequest(world.By("ada"), ask);
  ASSERT_TRUE(asked.ok()) << asked.status();
  ASSERT_TRUE(Create("mood-check", MoodCheck("max(1..2)", 3)).ok());
  v1::SubmitMeasureRequest submit;
  submit.set_parent("organizations/acme");
  submit.set_link_token(asked->link_token());
  *submit.mutable_answers() = world.Form("any", "12").assessment().answers();
  ASSERT_TRUE(world.requests.SubmitMeasure(world.By("page", "integration"), submit).ok());
  v1::ListAssessmentsRequest list;
  list.set_course(World::Of("courses", "c1"));
  const auto listed = world.assessments.ListAssessments(world.By("ada"), list);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_THAT(listed->assessments(), SizeIs(1));
  EXPECT_EQ(listed->assessments(0).instrument(), absl::StrCat(kMoodCheck, "/revisions/1"));
  EXPECT_EQ(listed->assessments(0).score().total(), 3);
}

TEST_P(InstrumentsTest, AWordingIsLoadedReplacedAndRead) {
  v1::InstrumentWording wording = Wording("phq-9", "en-GB");
  auto& item = *wording.add_items();
  item.set_number(1);
  item.set_text("A question");
  for (const char* option : {"never", "rarely", "often", "always"}) item.add_options(option);
  const auto loaded = Load(wording);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->name(), "organizations/acme/instrumentWordings/phq-9.en-GB");
  EXPECT_EQ(Worded("phq-9.en-GB")->SerializeAsString(), loaded->SerializeAsString());
  EXPECT_TRUE(absl::IsNotFound(Worded("phq-9.de").status()));
  world.Organization("other");
  EXPECT_TRUE(absl::IsNotFound(Worded("phq-9.en-GB", "other").status()));

  wording.set_introduction("How were the last two weeks?");
  wording.set_etag(loaded->etag());
  const auto replaced = Load(wording);
  ASSERT_TRUE(replaced.ok()) << replaced.status();
  EXPECT_NE(replaced->etag(), loaded->etag());
  EXPECT_EQ(Worded("phq-9.en-GB")->introduction(), "How were the last two weeks?");
  EXPECT_EQ(errors::Reason(Load(wording).status()), "STALE_ETAG");
  wording.clear_etag();
  EXPECT_TRUE(Load(wording).ok()) << "whatever its version";
  EXPECT_THAT(world.Events(), SizeIs(3));
}

TEST_P(InstrumentsTest, AWordingFitsItsInstrument) {
  v1::InstrumentWording wording = Wording("phq-9", "en");
  const auto item = [&](int number, int options) {
    auto& added = *wording.add_items();
    added.set_number(number);
    for (int i = 0; i < options; ++i) added.add_options("x");
  };
  item(1, 4);
  item(1, 0);
  item(11, 0);
  item(2, 3);
  EXPECT_THAT(FieldsOf(Load(wording).status()),
              ElementsAre("wording.items[1].number", "wording.items[2].number",
                          "wording.items[3].options"));
  EXPECT_THAT(FieldsOf(Load(Wording("none", "en")).status()), ElementsAre("wording.instrument"));
  EXPECT_THAT(world.Events(), IsEmpty());
  // Items of three and of five codes.
  wording = Wording("hamd-17", "en");
  wording.set_licence_reference("L-1");
  const InstrumentRules& hamd = *ShippedInstruments().FindById("hamd-17");
  for (int number = 1; number <= hamd.items(); ++number) {
    const v1::InstrumentItem& rule = hamd.item(number);
    item(number, rule.codes().empty() ? rule.max() - rule.min() + 1 : rule.codes_size());
  }
  EXPECT_TRUE(Load(wording).ok());
}

TEST_P(InstrumentsTest, AWordingThatIsNotFreeNeedsALicence) {
  v1::InstrumentWording wording = Wording("wsas", "en");
  EXPECT_THAT(FieldsOf(Load(wording).status()), ElementsAre("wording.licence_reference"));
  wording.set_licence_reference("Permission of 3 May 2025");
  EXPECT_TRUE(Load(wording).ok());
  EXPECT_TRUE(Load(Wording("phq-9", "en")).ok()) << "it is in the public domain";
  ASSERT_TRUE(Create("mood-check").ok());
  EXPECT_TRUE(Load(Wording("mood-check", "en")).ok()) << "an own instrument's";
}

INSTANTIATE_TEST_SUITE_P(Engines, InstrumentsTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
