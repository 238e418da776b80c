#include "services/notes/domain/note_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "google/protobuf/text_format.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kCase[] = "organizations/acme/cases/c";

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::vector<std::string> Wrong(const std::string& content) {
  std::vector<std::string> fields;
  for (const auto& each :
       errors::FieldViolations(CheckContent(Text<v1::NoteContent>(content), kCase, "content"))) {
    fields.push_back(each.field);
  }
  return fields;
}

TEST(NoteRulesTest, WhatANoteNamesIsOfItsCase) {
  EXPECT_THAT(Wrong("goals: 'organizations/acme/cases/c/goals/g'"), IsEmpty());
  EXPECT_THAT(Wrong("goals: 'organizations/acme/cases/cc/goals/g'"),
              ElementsAre("content.goals[0]"));
  EXPECT_THAT(Wrong("links { symptom: 's' event: 'e' date { year: 2026 month: 3 day: 2 } "
                    "relationship: 'organizations/acme/cases/d/entries/r' }"),
              ElementsAre("content.links[0].relationship"));
}

TEST(NoteRulesTest, DatesAreRealOrPartlyUnknown) {
  const auto dated = [](const std::string& date) {
    return Wrong("links { symptom: 's' event: 'e' " + date + " }");
  };
  EXPECT_THAT(dated("date { year: 2026 month: 2 day: 28 }"), IsEmpty());
  EXPECT_THAT(dated("date { year: 2026 month: 2 }"), IsEmpty());
  EXPECT_THAT(dated("date { year: 2026 }"), IsEmpty());
  for (const char* date : {"", "date { year: 2026 month: 2 day: 30 }", "date { month: 2 }",
                           "date { year: 2026 day: 3 }", "date { year: 2026 month: 13 }"}) {
    EXPECT_THAT(dated(date), ElementsAre("content.links[0].date")) << date;
  }
}

TEST(NoteRulesTest, MinutesComeOnceAKindAndNoneFoundMeansNone) {
  EXPECT_THAT(Wrong("minutes { use: TIME_USE_GOALS minutes: 1 } "
                    "minutes { use: TIME_USE_GOALS minutes: 2 }"),
              ElementsAre("content.minutes[1].use"));
  EXPECT_THAT(Wrong("no_link_found: true links { symptom: 's' event: 'e' date { year: 2026 } }"),
              ElementsAre("content.no_link_found"));
}

std::vector<v1::NoteWarningCode> Warned(const std::string& note, const std::string& of,
                                        WarningFacts facts = {},
                                        const std::string& note_template = "") {
  const auto state = Text<v1::Case>(of);
  facts.of = &state;
  std::vector<v1::NoteWarningCode> codes;
  for (const v1::NoteWarning& each :
       WarningsOf(Text<v1::Note>(note), Text<v1::NoteTemplate>(note_template), facts)) {
    codes.push_back(each.code());
  }
  return codes;
}

constexpr char kAgreed[] = "formulation { agreement: AGREEMENT_AGREED }";

TEST(NoteRulesTest, HistoryOverItsCeilingWarnsAndUnknownMinutesDoNot) {
  WarningFacts facts;
  facts.history_percent = 20;
  const auto minutes = [&](int history, int other) {
    v1::Note note;
    const auto add = [&](v1::TimeUse use, int count) {
      v1::Minutes& each = *note.mutable_content()->add_minutes();
      each.set_use(use);
      each.set_minutes(count);
    };
    add(v1::TIME_USE_HISTORY, history);
    add(v1::TIME_USE_EMOTIONS, other);
    std::string text;
    google::protobuf::TextFormat::PrintToString(note, &text);
    return Warned(text, kAgreed, facts);
  };
  EXPECT_THAT(minutes(10, 40), IsEmpty());
  EXPECT_THAT(minutes(11, 39), ElementsAre(v1::NOTE_WARNING_CODE_HISTORY_OVER_CEILING));
  EXPECT_THAT(Warned("", kAgreed, facts), IsEmpty());
  facts.history_percent = 0;
  EXPECT_THAT(minutes(50, 0), IsEmpty()) << "no ceiling";
}

TEST(NoteRulesTest, APartnerWithoutAStrategyIsNamedFromTheMiddlePhase) {
  WarningFacts facts;
  facts.without_strategy = {"p2"};
  EXPECT_THAT(Warned("kind: NOTE_KIND_JOINT phase: NOTE_PHASE_INITIAL", kAgreed, facts), IsEmpty());
  EXPECT_THAT(Warned("kind: NOTE_KIND_JOINT phase: NOTE_PHASE_MIDDLE", kAgreed, facts),
              ElementsAre(v1::NOTE_WARNING_CODE_STRATEGY_MISSING));
  EXPECT_THAT(Warned("kind: NOTE_KIND_PRIVATE phase: NOTE_PHASE_MIDDLE", kAgreed, facts),
              IsEmpty());
}

TEST(NoteRulesTest, APlanThatIsNotAgreedOrMissingWarns) {
  EXPECT_THAT(Warned("phase: NOTE_PHASE_MIDDLE", "formulation { agreement: AGREEMENT_NOT_YET }"),
              ElementsAre(v1::NOTE_WARNING_CODE_PLAN_NOT_AGREED));
  EXPECT_THAT(Warned("phase: NOTE_PHASE_INITIAL", "formulation { agreement: AGREEMENT_NOT_YET }"),
              IsEmpty());
  EXPECT_THAT(Warned("phase: NOTE_PHASE_MIDDLE", "formulation { agreement: AGREEMENT_MODIFIED }"),
              IsEmpty());
  EXPECT_THAT(Warned("session_number: 4", "formulation_due_session: 3"),
              ElementsAre(v1::NOTE_WARNING_CODE_FORMULATION_OVERDUE));
  EXPECT_THAT(Warned("session_number: 3", "formulation_due_session: 3"), IsEmpty());
}

TEST(NoteRulesTest, OnlyTheTemplateMakesAWarningBlock) {
  const auto state = Text<v1::Case>(kAgreed);
  WarningFacts facts;
  facts.of = &state;
  facts.draft_copies = 1;
  facts.cosign_required = true;
  const auto warnings = WarningsOf(
      v1::Note(), Text<v1::NoteTemplate>("blocking: NOTE_WARNING_CODE_NO_SUPERVISOR"), facts);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0].code(), v1::NOTE_WARNING_CODE_NO_SUPERVISOR);
  EXPECT_TRUE(warnings[0].blocks());
  EXPECT_EQ(warnings[1].code(), v1::NOTE_WARNING_CODE_UNMERGED_COPY);
  EXPECT_FALSE(warnings[1].blocks());
}

TEST(NoteRulesTest, ALateFirstVersionWarns) {
  WarningFacts facts;
  facts.now = absl::FromUnixSeconds(101);
  EXPECT_THAT(Warned("version: 1 due_time { seconds: 100 }", kAgreed, facts),
              ElementsAre(v1::NOTE_WARNING_CODE_LATE));
  EXPECT_THAT(Warned("version: 2 due_time { seconds: 100 }", kAgreed, facts), IsEmpty());
}

TEST(NoteRulesTest, CopiedTextIsReckonedBySentence) {
  v1::NotePrefill prefill;
  prefill.set_last_plan("Call the brother. Sleep by eleven.");
  prefill.add_goals()->set_text("be at ease");
  v1::NoteContent content;
  EXPECT_EQ(CopiedPercent(content, prefill), 0);
  content.set_plan("Call the brother.\nbe at ease");
  EXPECT_EQ(CopiedPercent(content, prefill), 100);
  content.set_tried("nothing of the kind at all!");
  EXPECT_EQ(CopiedPercent(content, prefill), 100 * 26 / (26 + 26));
}

TEST(NoteRulesTest, AMemberHasTheSharedTextAndTheirOwn) {
  const auto shared = Text<v1::NoteContent>(
      "plan: 'all' tried: 'all tried' focus_kept: FOCUS_KEPT_YES no_link_found: true "
      "techniques: TECHNIQUE_ROLE_PLAY minutes { use: TIME_USE_GOALS minutes: 5 } "
      "minutes { use: TIME_USE_EMOTIONS minutes: 7 }");
  const auto own = Text<v1::NoteContent>(
      "plan: 'mine' focus_kept: FOCUS_KEPT_PARTLY techniques: TECHNIQUE_CLARIFICATION "
      "links { symptom: 's' event: 'e' } minutes { use: TIME_USE_GOALS minutes: 9 }");
  const v1::NoteContent member = ForMember(shared, own);
  EXPECT_EQ(member.plan(), "all\n\nmine");
  EXPECT_EQ(member.tried(), "all tried");
  EXPECT_EQ(member.focus_kept(), v1::FOCUS_KEPT_PARTLY);
  EXPECT_EQ(member.techniques_size(), 2);
  EXPECT_FALSE(member.no_link_found());
  ASSERT_EQ(member.minutes_size(), 2);
  EXPECT_EQ(member.minutes(0).minutes(), 9);
  EXPECT_EQ(member.minutes(1).minutes(), 7);
  EXPECT_EQ(ForMember(shared, {}).SerializeAsString(), shared.SerializeAsString());
}

TEST(NoteRulesTest, WhomANoteSpeaksOfFollowsFromTheCaseAndTheSession) {
  const auto one = Text<v1::Case>("name: 'c' patient: 'p1'");
  const auto couple = Text<v1::Case>("name: 'c' patient: 'p1' partner: 'p2'");
  const auto told = [](const absl::StatusOr<NoteScope>& scope) -> std::string {
    if (!scope.ok()) return errors::FieldViolations(scope.status()).at(0).field;
    std::string text = v1::NoteKind_Name(scope->kind).substr(10) + " " + scope->about;
    for (const std::string& subject : scope->subjects) text += " of " + subject;
    return text;
  };
  const auto none = v1::NOTE_KIND_UNSPECIFIED;
  EXPECT_EQ(told(ScopeOf(one, none, "", "")), "INDIVIDUAL  of p1");
  EXPECT_EQ(told(ScopeOf(one, none, "p1", "p1")), "INDIVIDUAL  of p1");
  EXPECT_EQ(told(ScopeOf(one, none, "p2", "")), "about");
  EXPECT_EQ(told(ScopeOf(one, v1::NOTE_KIND_PRIVATE, "p1", "")), "kind");
  EXPECT_EQ(told(ScopeOf(couple, none, "", "")), "JOINT  of p1 of p2");
  EXPECT_EQ(told(ScopeOf(couple, none, "p2", "")), "PRIVATE p2 of p2");
  EXPECT_EQ(told(ScopeOf(couple, none, "", "p2")), "PRIVATE p2 of p2");
  EXPECT_EQ(told(ScopeOf(couple, none, "p1", "p2")), "about");
  EXPECT_EQ(told(ScopeOf(couple, v1::NOTE_KIND_JOINT, "", "p2")), "kind");
  EXPECT_EQ(told(ScopeOf(couple, v1::NOTE_KIND_PRIVATE, "", "")), "about");
  EXPECT_EQ(told(ScopeOf(couple, v1::NOTE_KIND_INDIVIDUAL, "", "")), "kind");
}

}  // namespace
}  // namespace rapport::notes
