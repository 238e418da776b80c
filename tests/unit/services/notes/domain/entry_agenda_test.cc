#include "services/notes/domain/entry_agenda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "services/notes/data/entries/entry_rules.h"
#include "services/notes/domain/couple_rules.h"
#include "services/notes/domain/entries.h"
#include "services/notes/domain/entry_safety.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kAnna[] = "organizations/acme/patients/anna";
constexpr char kBert[] = "organizations/acme/patients/bert";

v1::Entry Text(const std::string& id, const std::string& text) {
  v1::Entry entry;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &entry)) << text;
  entry.set_name(absl::StrCat("organizations/acme/cases/c1/entries/", id));
  return entry;
}
std::string Of(const std::string& patient) { return absl::StrCat("about: '", patient, "' "); }

// "kBarrier b1" and so on.
std::vector<std::string> Said(const std::vector<AgendaItem>& agenda) {
  std::vector<std::string> said;
  for (const AgendaItem& item : agenda) {
    const size_t slash = item.entry.rfind('/');
    said.push_back(absl::StrCat(
        static_cast<int>(item.kind), " ",
        item.entry.empty() ? absl::StrCat(item.about, item.task) : item.entry.substr(slash + 1)));
  }
  return said;
}

const absl::CivilDay kToday(2026, 3, 4);

TEST(EntryAgendaTest, OpenBarriersHeadItUntilTheyAreResolved) {
  std::vector<v1::Entry> entries = {
      Text("a", Of(kAnna) + "action { text: 't' immediate_change: true }"),
      Text("r", "referral { state: REFERRAL_STATE_SENT }"),
      Text("i", "additional_issue { text: 't' }"),
      Text("i2", "additional_issue { text: 't' disposition: ISSUE_DISPOSITION_WATCH }"),
      Text("b1", "barrier { text: 't' }"),
      Text("b2", "barrier { text: 't' resolve_date { year: 2026 month: 1 day: 1 } }"),
      Text("b3", "voided: true barrier { text: 't' }"),
  };
  const AgendaFacts facts{.patients = {kAnna}, .today = kToday};
  EXPECT_THAT(Said(BuildAgenda(entries, facts, ShippedEntryRules())),
              ElementsAre("0 b1", "3 a", "4 r", "5 i"));
}

TEST(EntryAgendaTest, AChangeForNowIsAskedForUntilThereIsOneOrWhyNone) {
  const AgendaFacts facts{.patients = {kAnna}, .today = kToday};
  EXPECT_THAT(Said(BuildAgenda({}, facts, ShippedEntryRules())),
              ElementsAre(absl::StrCat("2 ", kAnna)));
  const std::vector<v1::Entry> none = {
      Text("a", Of(kAnna) + "action { immediate_change: true why_none: 'w' }")};
  EXPECT_THAT(BuildAgenda(none, facts, ShippedEntryRules()), IsEmpty());
}

TEST(EntryAgendaTest, TheSickRoleReappearsWhenItsReviewIsDue) {
  AgendaFacts facts{.patients = {}, .today = kToday};
  const std::vector<v1::Entry> entries = {
      Text("s",
           "sick_role { variant: SICK_ROLE_VARIANT_FULL "
           "review_date { year: 2026 month: 3 day: 5 } }"),
      Text("n", "sick_role { variant: SICK_ROLE_VARIANT_NONE }")};
  EXPECT_THAT(BuildAgenda(entries, facts, ShippedEntryRules()), IsEmpty());
  facts.today += 1;
  EXPECT_THAT(Said(BuildAgenda(entries, facts, ShippedEntryRules())), ElementsAre("1 s"));
}

TEST(EntryAgendaTest, OfACoupleEachPartnerHasAStrategyFromTheMiddleOn) {
  AgendaFacts facts{.patients = {kAnna, kBert}, .today = kToday};
  std::vector<v1::Entry> entries = {
      Text("a", "action { text: 't' immediate_change: true status: ACTION_STATUS_DONE }"),
      Text("s", Of(kAnna) + "strategy { text: 't' }"),
      Text("d", Of(kBert) + "strategy { text: 't' status: STRATEGY_STATUS_DROPPED }")};
  EXPECT_THAT(BuildAgenda(entries, facts, ShippedEntryRules()), IsEmpty());
  facts.middle = true;
  EXPECT_THAT(Said(BuildAgenda(entries, facts, ShippedEntryRules())),
              ElementsAre(absl::StrCat("6 ", kBert)));
  entries.push_back(Text("both", "strategy { text: 't' }"));
  EXPECT_THAT(PartnersWithoutStrategy(entries, facts.patients), IsEmpty());
}

TEST(EntryAgendaTest, AtTheEndWhatWasLeftOutIsOfferedAgain) {
  AgendaFacts facts{.patients = {}, .today = kToday};
  const std::vector<v1::Entry> entries = {
      Text("o", "out_of_scope_topic { text: 't' }"),
      Text("t", "termination_task { task: 'contingency' status: TASK_STATUS_OPEN }")};
  EXPECT_THAT(BuildAgenda(entries, facts, ShippedEntryRules()), IsEmpty());
  facts.termination = true;
  const std::vector<AgendaItem> agenda = BuildAgenda(entries, facts, ShippedEntryRules());
  ASSERT_THAT(agenda, SizeIs(1 + ShippedEntryRules().termination_tasks_size()));
  EXPECT_EQ(agenda[0].kind, AgendaKind::kOutOfScopeTopic);
  EXPECT_EQ(agenda[1].task, "contingency");
}

TEST(EntryAgendaTest, ACaseClosesWhenNothingIsLeft) {
  std::vector<v1::Entry> entries;
  for (const auto& task : ShippedEntryRules().termination_tasks()) {
    entries.push_back(Text(task.id(), absl::StrCat("termination_task { task: '", task.id(),
                                                   "' status: TASK_STATUS_DONE }")));
  }
  EXPECT_THAT(ClosingObstaclesOf(entries, ShippedEntryRules()).obstacles(), IsEmpty());

  entries.push_back(Text("o", "out_of_scope_topic { text: 't' }"));
  entries.push_back(Text("s", "sick_role { variant: SICK_ROLE_VARIANT_FULL }"));
  entries.push_back(Text("sent", "referral { state: REFERRAL_STATE_SENT }"));
  entries.push_back(Text("why", "referral { state: REFERRAL_STATE_SENT close_reason: 'w' }"));
  entries.push_back(Text("accepted", "referral { state: REFERRAL_STATE_ACCEPTED }"));
  entries.front().mutable_termination_task()->set_status(v1::TASK_STATUS_OPEN);
  const auto obstacles = ClosingObstaclesOf(entries, ShippedEntryRules());
  ASSERT_THAT(obstacles.obstacles(), SizeIs(4));
  EXPECT_EQ(obstacles.obstacles(0).kind(), v1::CLOSING_OBSTACLE_KIND_REFERRAL_UNACCEPTED);
  EXPECT_EQ(obstacles.obstacles(0).entry(), entries[entries.size() - 3].name());
  EXPECT_EQ(obstacles.obstacles(1).kind(), v1::CLOSING_OBSTACLE_KIND_SICK_ROLE_OPEN);
  EXPECT_EQ(obstacles.obstacles(2).kind(), v1::CLOSING_OBSTACLE_KIND_TERMINATION_TASK_OPEN);
  EXPECT_EQ(obstacles.obstacles(3).kind(), v1::CLOSING_OBSTACLE_KIND_TOPIC_NOT_OFFERED);

  EXPECT_THAT(ClosingObstaclesOf({}, ShippedEntryRules()).obstacles(),
              SizeIs(ShippedEntryRules().termination_tasks_size()))
      << "those that were not begun";
}

TEST(EntrySafetyTest, WarningsTellOfTheFlagAndTheTechnique) {
  const std::vector<v1::Entry> entries = {
      Text("p",
           "relationship { person: 'p' kind: RELATIONSHIP_KIND_PARTNER "
           "status: RELATIONSHIP_STATUS_CURRENT }"),
      Text("check",
           "private: true create_time { seconds: 10 } safety_check { "
           "result: SAFETY_RESULT_DANGER "
           "valid_until_date { year: 2026 month: 3 day: 4 } }")};
  const v1::Entry action =
      Text("a", absl::StrCat("action { text: 't' relationship: '", entries[0].name(),
                             "' due_date { year: 2026 month: 3 day: 4 } }"));
  const v1::Entry dispute =
      Text("d", absl::StrCat("dispute { stage: DISPUTE_STAGE_IMPASSE relationship: '",
                             entries[0].name(), "' }"));
  const auto warnings = [&](const v1::Entry& entry, absl::CivilDay day, bool conjoint = false) {
    return WarningsOf(entry, entries, conjoint, day, ShippedEntryRules());
  };
  EXPECT_THAT(warnings(action, kToday), ElementsAre(v1::ENTRY_WARNING_SAFETY_FLAG));
  EXPECT_THAT(warnings(dispute, kToday), ElementsAre(v1::ENTRY_WARNING_TECHNIQUE_CAUTION));
  EXPECT_THAT(warnings(action, kToday + 1),
              ElementsAre(v1::ENTRY_WARNING_SAFETY_FLAG, v1::ENTRY_WARNING_SAFETY_CHECK_DUE,
                          v1::ENTRY_WARNING_OVERDUE))
      << "danger is not forgotten when the check runs out";
  EXPECT_THAT(warnings(action, kToday, /*conjoint=*/true), IsEmpty())
      << "what one partner tells colours nothing of both";
  EXPECT_THAT(warnings(dispute, kToday, /*conjoint=*/true), IsEmpty());
}

TEST(EntriesTest, APartnersViewHoldsNothingPrivateToTheOther) {
  EXPECT_TRUE(IsInViewOf(Text("1", "hope { words: 'w' }"), kAnna));
  EXPECT_TRUE(IsInViewOf(Text("2", Of(kAnna) + "private: true hope { words: 'w' }"), kAnna));
  EXPECT_FALSE(IsInViewOf(Text("3", Of(kBert) + "private: true hope { words: 'w' }"), kAnna));
  EXPECT_FALSE(IsInViewOf(Text("4", "private: true review_wish { reason: 'w' }"), kAnna));
}

TEST(EntriesTest, TheEventTellsOfStateAndDaysAndNoWord) {
  const std::string secret = "SECRET OF THE PATIENT";
  const v1::Entry entry =
      Text("t", absl::StrCat("about: '", kAnna, "' revision_reason: '", secret,
                             "' treatment_event { treatment: '", secret, "' prescriber: '", secret,
                             "' text: '", secret,
                             "' treatment_class: TREATMENT_CLASS_ANTIDEPRESSANT "
                             "change: TREATMENT_CHANGE_STARTED "
                             "change_date { year: 2026 month: 3 day: 4 } }"));
  const v1::EntryEvent event = PayloadOf(entry);
  EXPECT_EQ(event.SerializeAsString().find(secret), std::string::npos);
  EXPECT_EQ(event.case_(), "organizations/acme/cases/c1");
  EXPECT_EQ(event.kind(), v1::ENTRY_KIND_TREATMENT_EVENT);
  EXPECT_EQ(event.treatment_change(), v1::TREATMENT_CHANGE_STARTED);
  EXPECT_EQ(event.event_date().day(), 4);
  EXPECT_FALSE(event.has_due_date());
}

TEST(EntriesTest, EachKindIsThatOfItsContent) {
  const auto& content = *v1::Entry::descriptor()->oneof_decl(0);
  for (int i = 0; i < content.field_count(); ++i) {
    const auto* kind = v1::EntryKind_descriptor()->FindValueByNumber(content.field(i)->number());
    ASSERT_NE(kind, nullptr) << content.field(i)->name();
    EXPECT_EQ(absl::AsciiStrToUpper(absl::StrCat("entry_kind_", content.field(i)->name())),
              kind->name());
  }
  EXPECT_EQ(v1::EntryKind_descriptor()->value_count(), content.field_count() + 1);
}

}  // namespace
}  // namespace rapport::notes
