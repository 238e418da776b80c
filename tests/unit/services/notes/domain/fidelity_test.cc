#include "services/notes/domain/fidelity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "google/protobuf/text_format.h"
#include "services/notes/data/fidelity/fidelity_checks.h"
#include "services/notes/data/fidelity/fidelity_rules.h"

namespace rapport::notes {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kCase[] = "organizations/acme/cases/c1";

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

const v1::FidelityRules& Rules() { return ShippedFidelityRules(); }

class FidelityTest : public ::testing::Test {
 protected:
  FidelityTest() {
    of_.name = kCase;
    of_.course = Text<scheduling::v1::CourseEvent>(R"(
        state: COURSE_STATE_ACTIVE protocol: 'protocols/classic/revisions/1' planned_sessions: 6
        phases { phase: PHASE_INITIAL first_session: 1 last_session: 2
                 tasks { id: 'interpersonal-inventory' } tasks { id: 'formulation' } }
        phases { phase: PHASE_MIDDLE first_session: 3 last_session: 4
                 tasks { id: 'score-symptoms' } tasks { id: 'review-goals' } }
        phases { phase: PHASE_TERMINATION first_session: 5 last_session: 6
                 tasks { id: 'announce-ending' } })");
    of_.areas = {v1::PROBLEM_AREA_KIND_ROLE_DISPUTE};
  }

  static FidelitySession Session(v1::NotePhase phase, const std::string& content, int number = 3) {
    FidelitySession session;
    v1::Note& note = session.note;
    note.set_name(absl::StrCat(kCase, "/notes/n", number));
    note.set_appointment(absl::StrCat("organizations/acme/appointments/a", number));
    note.set_session_number(number);
    note.set_phase(phase);
    note.set_version(1);
    note.set_author("organizations/acme/clinicians/ada");
    const absl::Time start = absl::FromUnixSeconds(1'772'000'000);
    *note.mutable_session_time() = time::ToTimestamp(start);
    *note.mutable_session_end_time() = time::ToTimestamp(start + absl::Minutes(50));
    *note.mutable_content() = Text<v1::NoteContent>(content);
    session.history_ceiling = 20;
    return session;
  }
  static FidelitySession Middle(const std::string& content, int number = 3) {
    return Session(v1::NOTE_PHASE_MIDDLE, content, number);
  }

  std::map<std::string, v1::FidelityResult> Results(const FidelitySession& session) const {
    std::map<std::string, v1::FidelityResult> results;
    const v1::SessionFidelity told = SessionFidelityOf(Rules(), of_, session);
    for (const auto& finding : told.findings()) {
      results[finding.criterion()] = finding.result();
    }
    return results;
  }
  v1::FidelityResult Result(const FidelitySession& session, const std::string& criterion) const {
    return Results(session).at(criterion);
  }

  FidelityCase of_;
};

TEST_F(FidelityTest, WhatANoteDoesNotTellIsUnknownAndCountsAgainstNobody) {
  const v1::SessionFidelity told = SessionFidelityOf(
      Rules(), of_,
      Middle("symptom_event_link: 'x' focus_kept: FOCUS_KEPT_YES tried: 'y' plan: 'z'"));
  for (const auto& finding : told.findings()) {
    EXPECT_NE(finding.result(), v1::FIDELITY_RESULT_NOT_MET) << finding.criterion();
  }
  EXPECT_EQ(told.percent(), 100);
  EXPECT_EQ(told.known(), 2);
  EXPECT_GT(told.unknown(), 4);

  const v1::SessionFidelity silent = SessionFidelityOf(Rules(), of_, Middle(""));
  EXPECT_FALSE(silent.has_percent());
  EXPECT_EQ(silent.known(), 0);
}

TEST_F(FidelityTest, ReadsWhatTheNoteSays) {
  const auto good = Results(Middle(R"(
      score_reviewed: OBSERVED_YES time_limit_mentioned: OBSERVED_YES focus_kept: FOCUS_KEPT_YES
      links { symptom: 's' event: 'e' } tasks_done: 'review-goals'
      techniques: [TECHNIQUE_COMMUNICATION_ANALYSIS, TECHNIQUE_ENCOURAGEMENT_OF_AFFECT]
      minutes { use: TIME_USE_HISTORY minutes: 5 } minutes { use: TIME_USE_EMOTIONS minutes: 45 })"));
  for (const auto& [criterion, result] : good) {
    if (criterion == "non-transferential") {
      EXPECT_EQ(result, v1::FIDELITY_RESULT_UNKNOWN) << "people alone can tell";
    } else if (criterion == "ending-handled") {
      EXPECT_EQ(result, v1::FIDELITY_RESULT_NOT_APPLICABLE);
    } else {
      EXPECT_EQ(result, v1::FIDELITY_RESULT_MET) << criterion;
    }
  }
  const v1::SessionFidelity bad = SessionFidelityOf(Rules(), of_, Middle(R"(
      score_reviewed: OBSERVED_NO time_limit_mentioned: OBSERVED_NO focus_kept: FOCUS_KEPT_NO
      techniques: TECHNIQUE_THERAPEUTIC_RELATIONSHIP
      minutes { use: TIME_USE_HISTORY minutes: 40 })"));
  EXPECT_EQ(bad.percent(), 0);
  EXPECT_EQ(bad.known(), 6);
  EXPECT_EQ(bad.history_percent(), 80);
}

TEST_F(FidelityTest, NoLinkFoundIsAnAnswer) {
  EXPECT_EQ(Result(Middle("no_link_found: true"), "mood-event-link"), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(Result(Middle("symptom_event_link: '  '"), "mood-event-link"),
            v1::FIDELITY_RESULT_UNKNOWN);
}

TEST_F(FidelityTest, TheFocusIsNotAskedForBeforeThereIsOne) {
  EXPECT_EQ(
      Result(Session(v1::NOTE_PHASE_INITIAL, "focus_kept: FOCUS_KEPT_NOT_YET", 1), "focus-kept"),
      v1::FIDELITY_RESULT_NOT_APPLICABLE);
  EXPECT_EQ(Result(Middle("focus_kept: FOCUS_KEPT_NOT_YET"), "focus-kept"),
            v1::FIDELITY_RESULT_NOT_MET);
  EXPECT_EQ(Result(Middle("focus_kept: FOCUS_KEPT_PARTLY"), "focus-kept"),
            v1::FIDELITY_RESULT_PARTLY);
}

TEST_F(FidelityTest, HistoryIsMeasuredAgainstTheWholeSession) {
  const auto result = [&](int history, int ceiling) {
    FidelitySession session =
        Middle(absl::StrCat("minutes { use: TIME_USE_HISTORY minutes: ", history, " }"));
    session.history_ceiling = ceiling;
    return Result(session, "time-budget");
  };
  EXPECT_EQ(result(10, 20), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(result(15, 20), v1::FIDELITY_RESULT_PARTLY);
  EXPECT_EQ(result(16, 20), v1::FIDELITY_RESULT_NOT_MET);
  FidelitySession without = Middle("minutes { use: TIME_USE_HISTORY minutes: 49 }");
  without.history_ceiling.reset();
  EXPECT_EQ(Result(without, "time-budget"), v1::FIDELITY_RESULT_NOT_APPLICABLE);
  EXPECT_EQ(Result(Middle("minutes { use: TIME_USE_EMOTIONS minutes: 40 }"), "time-budget"),
            v1::FIDELITY_RESULT_UNKNOWN);
}

TEST_F(FidelityTest, MinutesLeftAsTheTemplateHadThemAreNobodysWord) {
  FidelitySession session = Middle(
      "minutes { use: TIME_USE_HISTORY minutes: 5 } minutes { use: TIME_USE_EMOTIONS minutes: 20 "
      "}");
  session.default_minutes = {session.note.content().minutes(1), session.note.content().minutes(0)};
  EXPECT_EQ(Result(session, "time-budget"), v1::FIDELITY_RESULT_UNKNOWN);
  EXPECT_EQ(Result(session, "affect"), v1::FIDELITY_RESULT_UNKNOWN);
  session.default_minutes.pop_back();
  EXPECT_EQ(Result(session, "time-budget"), v1::FIDELITY_RESULT_MET);
}

TEST_F(FidelityTest, TechniquesAreThoseOfTheArea) {
  EXPECT_EQ(Result(Middle("techniques: TECHNIQUE_CLARIFICATION"), "area-techniques"),
            v1::FIDELITY_RESULT_PARTLY);
  EXPECT_EQ(Result(Middle("techniques: TECHNIQUE_THERAPEUTIC_RELATIONSHIP"), "area-techniques"),
            v1::FIDELITY_RESULT_NOT_MET);
  of_.areas = {v1::PROBLEM_AREA_KIND_INTERPERSONAL_DEFICITS};
  EXPECT_EQ(Result(Middle("techniques: TECHNIQUE_THERAPEUTIC_RELATIONSHIP"), "area-techniques"),
            v1::FIDELITY_RESULT_MET);
  of_.areas.clear();
  EXPECT_EQ(Result(Middle("techniques: TECHNIQUE_ROLE_PLAY"), "area-techniques"),
            v1::FIDELITY_RESULT_UNKNOWN);
}

TEST_F(FidelityTest, EntriesOfTheSessionTellToo) {
  const FidelitySession session = Middle("");
  v1::Entry entry = Text<v1::Entry>(R"(
      kind: ENTRY_KIND_INCIDENT appointment: 'organizations/acme/appointments/a3'
      incident { communication_analysis { steps { words: 'w' } } affect_work { emotion: 'anger' } })");
  entry.set_name(absl::StrCat(kCase, "/entries/e1"));
  of_.entries.push_back(RecordedEntryOf(entry));
  const auto results = Results(session);
  EXPECT_EQ(results.at("affect"), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(results.at("communication-analysis"), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(results.at("area-techniques"), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(Result(Middle("", 4), "affect"), v1::FIDELITY_RESULT_UNKNOWN) << "another session";

  entry = Text<v1::Entry>(R"(
      kind: ENTRY_KIND_TERMINATION_TASK appointment: 'organizations/acme/appointments/a5'
      termination_task { task: 'announce-ending' status: TASK_STATUS_DONE })");
  of_.entries.push_back(RecordedEntryOf(entry));
  const auto ending = Results(Session(v1::NOTE_PHASE_TERMINATION, "", 5));
  EXPECT_EQ(ending.at("ending-handled"), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(ending.at("phase-tasks"), v1::FIDELITY_RESULT_MET);
}

TEST_F(FidelityTest, OfAnErasedNoteNothingIsKnown) {
  FidelitySession session = Middle("focus_kept: FOCUS_KEPT_NO");
  session.note.set_erased(true);
  const v1::SessionFidelity told = SessionFidelityOf(Rules(), of_, session);
  EXPECT_TRUE(told.erased());
  EXPECT_EQ(told.known(), 0);
  EXPECT_FALSE(told.has_percent());
}

class CourseFidelityTest : public FidelityTest {
 protected:
  void Hold(v1::NotePhase phase, int number, const std::string& content) {
    record_.held.push_back({absl::StrCat("organizations/acme/appointments/a", number), phase,
                            "organizations/acme/clinicians/ada"});
    if (content != "unsigned") record_.sessions.push_back(Session(phase, content, number));
  }
  v1::CourseFidelity Told() const { return CourseFidelityOf(Rules(), of_, record_); }
  v1::CriterionSummary Summary(const std::string& criterion) const {
    const v1::CourseFidelity told = Told();
    for (const auto& summary : told.criteria()) {
      if (summary.criterion() == criterion) return summary;
    }
    return {};
  }
  std::vector<std::string> Tasks(int phase) const {
    std::vector<std::string> tasks;
    const v1::CourseFidelity told = Told();
    for (const auto& task : told.phases(phase).tasks()) {
      tasks.push_back(absl::StrCat(task.task(), " ", v1::FidelityResult_Name(task.result())));
    }
    return tasks;
  }

  CourseRecord record_;
};

TEST_F(CourseFidelityTest, ATaskIsMissingOnlyWhereAllIsToldAndThePhaseIsOver) {
  Hold(v1::NOTE_PHASE_INITIAL, 1, "tasks_done: 'interpersonal-inventory'");
  EXPECT_THAT(Tasks(0), ElementsAre("interpersonal-inventory FIDELITY_RESULT_MET",
                                    "formulation FIDELITY_RESULT_UNKNOWN"));
  EXPECT_EQ(Told().phases(0).result(), v1::FIDELITY_RESULT_UNKNOWN);
  Hold(v1::NOTE_PHASE_INITIAL, 2, "unsigned");
  Hold(v1::NOTE_PHASE_MIDDLE, 3, "");
  EXPECT_TRUE(Told().phases(0).over());
  EXPECT_THAT(Tasks(0), Contains("formulation FIDELITY_RESULT_UNKNOWN")) << "a note is missing";
  record_.sessions.push_back(Session(v1::NOTE_PHASE_INITIAL, "", 2));
  EXPECT_THAT(Tasks(0), Contains("formulation FIDELITY_RESULT_NOT_MET"));
  EXPECT_EQ(Told().phases(0).result(), v1::FIDELITY_RESULT_PARTLY);
  of_.formulation = true;
  EXPECT_THAT(Tasks(0), Contains("formulation FIDELITY_RESULT_MET"));
}

TEST_F(CourseFidelityTest, WhereNoNoteTellsOfTasksNoneIsMissing) {
  Hold(v1::NOTE_PHASE_INITIAL, 1, "");
  Hold(v1::NOTE_PHASE_MIDDLE, 3, "");
  EXPECT_THAT(Tasks(0), ElementsAre("interpersonal-inventory FIDELITY_RESULT_UNKNOWN",
                                    "formulation FIDELITY_RESULT_UNKNOWN"));
}

TEST_F(CourseFidelityTest, ACriterionThatWasMetTellsItsTask) {
  Hold(v1::NOTE_PHASE_MIDDLE, 3, "score_reviewed: OBSERVED_YES tasks_done: 'review-goals'");
  EXPECT_THAT(Tasks(0), ElementsAre("score-symptoms FIDELITY_RESULT_MET",
                                    "review-goals FIDELITY_RESULT_MET"));
}

TEST_F(CourseFidelityTest, SumsUpByShareOfWhatIsKnown) {
  Hold(v1::NOTE_PHASE_MIDDLE, 3, "focus_kept: FOCUS_KEPT_YES");
  Hold(v1::NOTE_PHASE_MIDDLE, 4, "");
  EXPECT_EQ(Summary("focus-kept").result(), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(Summary("focus-kept").unknown(), 1);
  record_.sessions[1] = Middle("focus_kept: FOCUS_KEPT_NO", 4);
  EXPECT_EQ(Summary("focus-kept").result(), v1::FIDELITY_RESULT_PARTLY);
  EXPECT_EQ(Summary("score-used").result(), v1::FIDELITY_RESULT_UNKNOWN);
  EXPECT_EQ(Summary("ending-handled").result(), v1::FIDELITY_RESULT_NOT_APPLICABLE);
}

TEST_F(CourseFidelityTest, CommunicationIsToBeAnalysedOnceInADispute) {
  Hold(v1::NOTE_PHASE_MIDDLE, 3, "techniques: TECHNIQUE_CLARIFICATION");
  EXPECT_EQ(Summary("communication-analysis").result(), v1::FIDELITY_RESULT_UNKNOWN);
  Hold(v1::NOTE_PHASE_TERMINATION, 5, "");
  EXPECT_EQ(Summary("communication-analysis").result(), v1::FIDELITY_RESULT_NOT_MET);
  of_.entries.push_back({});
  of_.entries[0].communication_analysis = true;
  EXPECT_EQ(Summary("communication-analysis").result(), v1::FIDELITY_RESULT_MET);
  of_.areas = {v1::PROBLEM_AREA_KIND_GRIEF};
  EXPECT_EQ(Summary("communication-analysis").result(), v1::FIDELITY_RESULT_NOT_APPLICABLE);
}

TEST(HistoryCeilingTest, TheClinicsComesFirstThenTheTemplatesThenTheRules) {
  const auto policy =
      Text<v1::NotePolicy>("history_ceilings { phase: NOTE_PHASE_MIDDLE percent: 7 }");
  v1::NoteTemplate note_template;
  note_template.set_history_percent(11);
  EXPECT_EQ(HistoryCeilingOf(Rules(), &policy, &note_template, v1::NOTE_PHASE_MIDDLE), 7);
  EXPECT_EQ(HistoryCeilingOf(Rules(), &policy, &note_template, v1::NOTE_PHASE_INITIAL), 11);
  EXPECT_EQ(HistoryCeilingOf(Rules(), &policy, nullptr, v1::NOTE_PHASE_INITIAL), 40);
  note_template.set_history_percent(0);
  EXPECT_EQ(HistoryCeilingOf(Rules(), nullptr, &note_template, v1::NOTE_PHASE_INITIAL),
            std::nullopt);
}

TEST(RatingTest, RatesEachCriterionOfTheRulesOnce) {
  const auto rating = Text<v1::SessionRating>(R"(
      criteria { criterion: 'focus-kept' result: FIDELITY_RESULT_MET }
      criteria { criterion: 'non-transferential' result: FIDELITY_RESULT_PARTLY }
      criteria { criterion: 'affect' result: FIDELITY_RESULT_UNKNOWN })");
  EXPECT_TRUE(CheckRating(Rules(), rating).ok());
  EXPECT_EQ(PercentOf(Rules(), rating), 75);
  const auto wrong = Text<v1::SessionRating>(R"(
      criteria { criterion: 'focus-kept' result: FIDELITY_RESULT_MET }
      criteria { criterion: 'focus-kept' result: FIDELITY_RESULT_MET }
      criteria { criterion: 'charm' })");
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(CheckRating(Rules(), wrong))) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields, ElementsAre("rating.criteria[1].criterion", "rating.criteria[2].criterion",
                                  "rating.criteria[2].result"));
}

TEST(SupervisorSeesTest, WhatIsSharedOrWhatTheRuleOpens) {
  const absl::Time signed_at = absl::FromUnixSeconds(1'772'000'000);
  v1::FidelityPolicy policy;
  EXPECT_FALSE(SupervisorSees(policy, false, signed_at, signed_at + absl::Hours(1000)));
  EXPECT_TRUE(SupervisorSees(policy, true, signed_at, signed_at));
  policy.set_visibility(v1::FIDELITY_VISIBILITY_AFTER_SIGNING);
  policy.set_delay_days(7);
  EXPECT_FALSE(SupervisorSees(policy, false, signed_at, signed_at + absl::Hours(167)));
  EXPECT_TRUE(SupervisorSees(policy, false, signed_at, signed_at + absl::Hours(168)));
}

TEST(FidelityRulesTest, TheShippedOnesAreWhole) {
  EXPECT_THAT(FidelityRuleFaults(ShippedFidelityRules()), IsEmpty());
  EXPECT_THAT(SupervisionRuleFaults(ShippedSupervisionRules()), IsEmpty());
}

TEST(FidelityRulesTest, NamesWhatIsWrong) {
  v1::FidelityRules rules = ShippedFidelityRules();
  rules.mutable_criteria(0)->set_weight(0);
  rules.mutable_criteria(1)->set_id("score-used");
  rules.mutable_area_techniques()->RemoveLast();
  rules.set_partly_percent(90);
  rules.mutable_citations(0)->clear_source();
  const std::vector<std::string> faults = FidelityRuleFaults(rules);
  for (const char* fault : {"weight is below 1", "not its own", "LOSS_OF_HEALTHY_SELF has no",
                            "in this order", "has no source"}) {
    EXPECT_THAT(faults, Contains(HasSubstr(fault)));
  }
  v1::SupervisionRules supervision = ShippedSupervisionRules();
  supervision.mutable_need_weights()->RemoveLast();
  supervision.mutable_requirements(0)->clear_citations();
  EXPECT_THAT(SupervisionRuleFaults(supervision), Contains(HasSubstr("has no weight")));
  EXPECT_THAT(SupervisionRuleFaults(supervision), Contains(HasSubstr("supervision_minutes")));
}

}  // namespace
}  // namespace rapport::notes
