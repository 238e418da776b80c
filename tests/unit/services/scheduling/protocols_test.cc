#include "services/scheduling/domain/protocols.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/call/validate.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const v1::Protocol& Shipped(const std::string& id) {
  const v1::Protocol* found =
      ShippedProtocols().Find(absl::StrCat("protocols/", id, "/revisions/1"));
  EXPECT_NE(found, nullptr) << id;
  return found == nullptr ? v1::Protocol::default_instance() : *found;
}

std::string ClassicText() {
  std::string text = Classic().DebugString();
  EXPECT_TRUE(ParseProtocol(text).ok());
  return text;
}

DeclaredPhases Declared(const std::vector<std::pair<v1::Phase, int>>& beginnings) {
  DeclaredPhases declared;
  for (const auto& [phase, session] : beginnings) {
    v1::DeclaredPhase& one = *declared.Add();
    one.set_phase(phase);
    one.set_first_session(session);
  }
  return declared;
}

std::string PhaseLetters(const v1::Protocol& protocol, int planned,
                         const DeclaredPhases& declared = {}) {
  std::string letters;
  for (int session = 1; session <= planned; ++session) {
    const v1::Phase phase = PhaseOf(session, planned, protocol, declared);
    letters += phase == v1::PHASE_MAINTENANCE ? 'K' : v1::Phase_Name(phase)[6];
  }
  return letters;
}

TEST(ProtocolsTest, TerminationKeepsItsLengthAndTheMiddleGivesWay) {
  EXPECT_EQ(PhaseLetters(Classic(), 16), "IIIMMMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(Classic(), 15), "IIIMMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(Classic(), 14), "IIIMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(Classic(), 13), "IIIMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(Classic(), 12), "IIIMMMMMTTTT");
}

TEST(ProtocolsTest, AnExtensionLengthensTheMiddle) {
  EXPECT_EQ(PhaseLetters(Shipped("ipt-a"), 12), "IIIIMMMMTTTT");
  EXPECT_EQ(PhaseLetters(Shipped("ipt-a"), 16), "IIIIMMMMMMMMTTTT");
}

TEST(ProtocolsTest, WithoutAMiddleTheLastPhaseGivesWay) {
  EXPECT_EQ(PhaseLetters(Shipped("ipsrt-maintenance"), 12), "KKKKKKKKKKKK");
  EXPECT_EQ(PhaseLetters(Shipped("maintenance"), 13), "IKKKKKKKKKKKK");
}

TEST(ProtocolsTest, SessionsOutsideTheCourseHaveThePhaseNextToThem) {
  EXPECT_EQ(PhaseOf(0, 16, Classic()), v1::PHASE_UNSPECIFIED);
  EXPECT_EQ(PhaseOf(17, 16, Classic()), v1::PHASE_TERMINATION);
}

TEST(ProtocolsTest, ADeclaredBeginningMovesTheBoundaryWithinItsRange) {
  EXPECT_EQ(PhaseLetters(Classic(), 16, Declared({{v1::PHASE_MIDDLE, 2}})), "IMMMMMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(Classic(), 16, Declared({{v1::PHASE_MIDDLE, 5}})), "IIIIMMMMMMMMTTTT");
  EXPECT_EQ(PhaseLetters(Classic(), 16, Declared({{v1::PHASE_MIDDLE, 9}})), "IIIIMMMMMMMMTTTT")
      << "no later than the protocol's latest";
  EXPECT_EQ(PhaseLetters(Classic(), 16, Declared({{v1::PHASE_MIDDLE, 1}})), "IMMMMMMMMMMMTTTT")
      << "no earlier than its earliest";
  EXPECT_EQ(
      PhaseLetters(Classic(), 16, Declared({{v1::PHASE_MIDDLE, 5}, {v1::PHASE_TERMINATION, 15}})),
      "IIIIMMMMMMMMMMTT");
  EXPECT_EQ(PhaseLetters(Classic(), 12, Declared({{v1::PHASE_TERMINATION, 11}})), "IIIMMMMMMMTT")
      << "the range moves with the shorter course";
  EXPECT_EQ(PhaseLetters(Classic(), 12, Declared({{v1::PHASE_TERMINATION, 15}})), "IIIMMMMMMMTT");
  const auto phases = PhasesOf(Classic(), 12, Declared({{v1::PHASE_MIDDLE, 5}}));
  ASSERT_THAT(phases, SizeIs(3));
  EXPECT_EQ(phases[0].last_session(), 4);
  EXPECT_EQ(phases[1].first_session(), 5);
  EXPECT_EQ(phases[1].last_session(), 8);
  EXPECT_EQ(PhaseLetters(Shipped("fb-ipt"), 14, Declared({{v1::PHASE_MIDDLE, 4}})),
            "IIIIIMMMMMMTTT")
      << "without a range there is nothing to declare";
}

TEST(ProtocolsTest, SegmentsChangeLengthCadenceModalityAndFormat) {
  const v1::Protocol& ipc = Shipped("ipc");
  EXPECT_EQ(SessionPlanOf(ipc, 1).minutes, 30);
  EXPECT_EQ(SessionPlanOf(ipc, 2).minutes, 20);
  EXPECT_EQ(SessionPlanOf(ipc, 2).cadence_days, 7);
  EXPECT_EQ(SessionPlanOf(ipc, 1).format, v1::COURSE_KIND_INDIVIDUAL);

  const v1::Protocol& group = Shipped("group");
  EXPECT_EQ(SessionPlanOf(group, 1).format, v1::COURSE_KIND_INDIVIDUAL);
  EXPECT_EQ(SessionPlanOf(group, 2).format, v1::COURSE_KIND_GROUP);
  EXPECT_EQ(SessionPlanOf(group, 2).minutes, 90);

  const v1::Protocol& blended = Shipped("blended");
  int online = 0;
  for (int session = 1; session <= blended.max_sessions(); ++session) {
    online += SessionPlanOf(blended, session).modality == v1::MODALITY_ONLINE_UNIT;
  }
  EXPECT_EQ(online, 6);
  EXPECT_EQ(SessionPlanOf(blended, 1).modality, v1::MODALITY_UNSPECIFIED);

  v1::Protocol turns = Classic();
  v1::ProtocolSegment& segment = *turns.add_segments();
  segment.set_first_session(3);
  segment.set_last_session(7);
  segment.add_modalities(v1::MODALITY_IN_PERSON);
  segment.add_modalities(v1::MODALITY_VIDEO);
  EXPECT_THAT(ProtocolFaults(turns), SizeIs(1)) << "the segments lack a citation";
  EXPECT_EQ(SessionPlanOf(turns, 3).modality, v1::MODALITY_IN_PERSON);
  EXPECT_EQ(SessionPlanOf(turns, 4).modality, v1::MODALITY_VIDEO);
  EXPECT_EQ(SessionPlanOf(turns, 7).modality, v1::MODALITY_IN_PERSON);
  EXPECT_EQ(SessionPlanOf(turns, 8).modality, v1::MODALITY_UNSPECIFIED);
}

TEST(ProtocolsTest, DaysAreCountedAtTheCadenceOfEachSession) {
  EXPECT_THAT(DayOffsets(Classic(), 1, 4), ElementsAre(0, 7, 14, 21));
  EXPECT_THAT(DayOffsets(Classic(), 9, 2), ElementsAre(0, 7));
  EXPECT_THAT(DayOffsets(Classic(), 1, 0), IsEmpty());
  EXPECT_THAT(DayOffsets(Shipped("ipsrt-maintenance"), 5, 5), ElementsAre(0, 14, 28, 56, 84));
  EXPECT_THAT(DayOffsets(Shipped("inpatient"), 1, 7), ElementsAre(0, 1, 2, 3, 4, 7, 8));
}

TEST(ProtocolsTest, InpatientsHave15IndividualAnd8GroupSessionsWithin5WeeksOnWorkingDays) {
  const v1::Protocol& inpatient = Shipped("inpatient");
  const std::vector<int> days = DayOffsets(inpatient, 1, inpatient.max_sessions());
  int group = 0;
  for (int session = 1; session <= inpatient.max_sessions(); ++session) {
    group += SessionPlanOf(inpatient, session).format == v1::COURSE_KIND_GROUP;
    EXPECT_LT(days[session - 1] % 7, 5) << "begun on a Monday, session " << session;
  }
  EXPECT_EQ(group, 8);
  EXPECT_EQ(inpatient.max_sessions() - group, 15);
  EXPECT_LT(days.back(), 5 * 7);
}

TEST(ProtocolsTest, AMismatchOfConditionsIsKnownWithTheEvidence) {
  v1::Course course;
  EXPECT_TRUE(TreatsAny(Classic(), course.conditions())) << "nothing known";
  course.add_conditions(v1::CONDITION_PANIC);
  EXPECT_FALSE(TreatsAny(Classic(), course.conditions()));
  EXPECT_TRUE(TreatsAny(Shipped("panic"), course.conditions()));
  course.add_conditions(v1::CONDITION_DEPRESSION);
  EXPECT_TRUE(TreatsAny(Classic(), course.conditions()));

  EXPECT_EQ(GradeFor(Shipped("panic"), v1::CONDITION_PANIC), v1::EVIDENCE_GRADE_WEAK);
  EXPECT_EQ(GradeFor(Classic(), v1::CONDITION_PANIC), v1::EVIDENCE_GRADE_UNSPECIFIED);
  EXPECT_EQ(GradeFor(Shipped("ipsrt"), v1::CONDITION_DEPRESSION), v1::EVIDENCE_GRADE_WEAK);
  v1::Protocol any = Classic();
  any.clear_indications();
  EXPECT_EQ(GradeFor(any, v1::CONDITION_PANIC), v1::EVIDENCE_GRADE_STRONG);
  EXPECT_TRUE(TreatsAny(any, course.conditions()));
}

TEST(ProtocolsTest, ParentsOfAdolescentsAreMissedAtThreePoints) {
  const auto parent = v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN;
  const v1::Protocol& ipt_a = Shipped("ipt-a");
  const auto windows = [&](const std::vector<AttendedSession>& attended, int planned) {
    std::vector<std::string> all;
    for (const v1::MissingParticipant& missing : MissingParticipants(ipt_a, attended, planned)) {
      EXPECT_EQ(missing.role(), parent);
      EXPECT_EQ(missing.missing(), 1);
      all.push_back(absl::StrCat(missing.first_session(), "-", missing.last_session(),
                                 missing.if_focus_involves() ? " if" : ""));
    }
    return all;
  };
  EXPECT_THAT(windows({}, 0), ElementsAre("1-4", "5-8 if", "9-12"));
  EXPECT_THAT(windows({{2, {parent}}, {6, {}}, {7, {v1::PARTICIPANT_ROLE_OBSERVER}}}, 12),
              ElementsAre("5-8 if", "9-12"));
  EXPECT_THAT(windows({{2, {parent}}, {6, {parent}}, {9, {parent}}}, 12), IsEmpty());
  EXPECT_THAT(windows({}, 16), ElementsAre("1-4", "5-12 if", "13-16"))
      << "windows move with the phases of a longer course";
  EXPECT_THAT(RequiredRoles(ipt_a, 2), IsEmpty()) << "no one session of the window needs them";
  v1::Protocol each = ipt_a;
  for (auto& required : *each.mutable_required_participants()) required.set_at_least(4);
  EXPECT_THAT(RequiredRoles(each, 2), ElementsAre(parent));
  EXPECT_THAT(RequiredRoles(each, 6), IsEmpty()) << "only where the focus involves them";
}

TEST(ProtocolsTest, ThePartnerIsNeededInEachSessionWhereTheProtocolSaysSo) {
  const auto partner = v1::PARTICIPANT_ROLE_PARTNER;
  const v1::Protocol& assisted = Shipped("partner-assisted");
  EXPECT_THAT(RequiredRoles(assisted, 1), ElementsAre(partner));
  EXPECT_THAT(RequiredRoles(assisted, 8), ElementsAre(partner));
  EXPECT_THAT(RequiredRoles(assisted, 9), IsEmpty());
  EXPECT_THAT(RequiredRoles(assisted, 9, 10), ElementsAre(partner));
  const auto missing = MissingParticipants(assisted, {{{1, {partner}}, {2, {}}, {3, {partner}}}});
  ASSERT_THAT(missing, SizeIs(1));
  EXPECT_EQ(missing[0].missing(), 6);
  for (int session = 1; session <= 14; ++session) {
    EXPECT_THAT(RequiredRoles(Shipped("fb-ipt"), session),
                ElementsAre(v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN));
  }
}

TEST(ProtocolsTest, AllVariantsAreShippedAndHoldTogether) {
  std::set<std::string> ids;
  for (const v1::Protocol* protocol : ShippedProtocols().Newest("", 100)) {
    const std::string id(ProtocolId(protocol->name()));
    ids.insert(id);
    EXPECT_EQ(protocol->name(), absl::StrCat("protocols/", id, "/revisions/1"));
    EXPECT_THAT(ProtocolFaults(*protocol), IsEmpty()) << id;
    const absl::Status contract = call::Validate(*protocol, "protocol");
    EXPECT_TRUE(contract.ok()) << id << contract;
    EXPECT_THAT(protocol->indications(), ::testing::Not(IsEmpty())) << id;
    EXPECT_TRUE(protocol->has_series_policy()) << id;
    int sessions = 0;
    for (const v1::ProtocolPhase& phase : protocol->phases()) {
      sessions += phase.last_session() - phase.first_session() + 1;
      EXPECT_FALSE(phase.tasks().empty()) << id;
    }
    EXPECT_EQ(sessions, protocol->max_sessions()) << id;
    for (int planned = protocol->min_sessions(); planned <= protocol->max_sessions(); ++planned) {
      int next = 1;
      for (const v1::ProtocolPhase& phase : PhasesOf(*protocol, planned)) {
        EXPECT_EQ(phase.first_session(), next) << id << planned;
        EXPECT_GE(phase.last_session(), phase.first_session()) << id << planned;
        next = phase.last_session() + 1;
      }
      EXPECT_EQ(next, planned + 1) << id;
    }
  }
  EXPECT_THAT(
      ids, ElementsAre("binge-eating-group", "blended", "brief", "bulimia", "classic", "conjoint",
                       "fb-ipt", "group", "inpatient", "ipc", "ipc-3", "ipsrt", "ipsrt-maintenance",
                       "ipt-a", "ipt-ast", "late-life", "maintenance", "panic", "partner-assisted",
                       "perinatal", "persistent-depression", "ptsd", "social-anxiety"));
  EXPECT_EQ(ShippedProtocolTexts().size(), ids.size());
}

TEST(ProtocolsTest, WeakEvidenceAndSmallStudiesAreToldBeforeAProtocolIsChosen) {
  for (const v1::Protocol* protocol : ShippedProtocols().Newest("", 100)) {
    if (protocol->evidence_grade() == v1::EVIDENCE_GRADE_WEAK) {
      EXPECT_FALSE(protocol->cautions().empty()) << protocol->name();
    }
  }
  EXPECT_THAT(Shipped("maintenance").cautions(0), HasSubstr("13 of 26 (50%)"));
  EXPECT_THAT(Shipped("conjoint").cautions(0), HasSubstr("N=18"));
}

TEST(ProtocolsTest, OnlyRhythmTherapyMournsTheHealthySelf) {
  for (const v1::Protocol* protocol : ShippedProtocols().Newest("", 100)) {
    const auto& areas = protocol->focus_areas();
    EXPECT_EQ(std::count(areas.begin(), areas.end(), v1::FOCUS_AREA_LOSS_OF_HEALTHY_SELF),
              absl::StrContains(protocol->name(), "ipsrt"))
        << protocol->name();
  }
}

// As domain.md §1 and clinical.md §3.7 give them.
TEST(ProtocolsTest, SessionsAreAsPublished) {
  struct Case {
    std::string id;
    int min, max, minutes;
  };
  const std::vector<Case> cases = {{"classic", 12, 16, 50},
                                   {"ipt-a", 12, 12, 45},
                                   {"fb-ipt", 14, 14, 50},
                                   {"late-life", 12, 16, 50},
                                   {"ipsrt", 13, 20, 50},
                                   {"panic", 12, 14, 50},
                                   {"perinatal", 12, 16, 50},
                                   {"brief", 8, 8, 50},
                                   {"ipc", 3, 6, 20},
                                   {"ipc-3", 3, 3, 30},
                                   {"group", 6, 9, 90},
                                   {"ipt-ast", 8, 10, 90},
                                   {"conjoint", 12, 16, 60},
                                   {"bulimia", 16, 20, 50},
                                   {"binge-eating-group", 14, 20, 90},
                                   {"partner-assisted", 8, 8, 50},
                                   {"ptsd", 14, 14, 50},
                                   {"persistent-depression", 16, 16, 50},
                                   {"social-anxiety", 14, 14, 50},
                                   {"blended", 12, 16, 50}};
  for (const Case& c : cases) {
    EXPECT_EQ(Shipped(c.id).min_sessions(), c.min) << c.id;
    EXPECT_EQ(Shipped(c.id).max_sessions(), c.max) << c.id;
    EXPECT_EQ(Shipped(c.id).session_minutes(), c.minutes) << c.id;
  }
  EXPECT_EQ(Shipped("ipt-a").max_weeks(), 16);
  EXPECT_EQ(Shipped("ipt-a").min_age(), 12);
  EXPECT_EQ(Shipped("ipt-a").max_age(), 18);
  EXPECT_EQ(Shipped("late-life").min_age(), 60);
  EXPECT_TRUE(Shipped("group").lay_facilitators());
  EXPECT_EQ(Shipped("group").min_members(), 6);
  EXPECT_EQ(Shipped("group").max_members(), 10);
  EXPECT_FALSE(Classic().assigns_homework());
  EXPECT_TRUE(Shipped("ipt-a").assigns_homework());
  EXPECT_TRUE(Shipped("ipc").assigns_homework());
}

TEST(ProtocolsTest, EveryFieldWithANumberNeedsACitation) {
  using google::protobuf::Descriptor;
  using google::protobuf::FieldDescriptor;
  const auto has_number = [](const FieldDescriptor& field) {
    if (field.type() == FieldDescriptor::TYPE_INT32) return true;
    const Descriptor* type = field.message_type();
    if (type == nullptr || type == v1::Citation::descriptor()) return false;
    for (int i = 0; i < type->field_count(); ++i) {
      if (type->field(i)->type() == FieldDescriptor::TYPE_INT32)
        return field.name() != "create_time";
    }
    return false;
  };
  std::set<std::string> wanted;
  std::set<std::string> asked;
  for (int i = 0; i < v1::Protocol::descriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *v1::Protocol::descriptor()->field(i);
    if (has_number(field)) wanted.insert(absl::StrCat("none names ", field.name(), " among"));
  }
  for (const v1::Protocol* protocol : ShippedProtocols().Newest("", 100)) {
    v1::Protocol bare = *protocol;
    for (v1::Citation& citation : *bare.mutable_citations()) citation.set_facts("something");
    for (const errors::FieldViolation& fault : ProtocolFaults(bare)) {
      EXPECT_EQ(fault.field, "citations");
      asked.insert(fault.description.substr(0, fault.description.rfind(" its facts")));
    }
  }
  EXPECT_THAT(asked, ::testing::IsSupersetOf(wanted));
}

TEST(ProtocolsTest, WrongDataIsNamedWithItsFieldAndReason) {
  struct Case {
    std::string from, to, fault;
  };
  const std::string good = ClassicText();
  const std::vector<Case> cases = {
      {"first_session: 4\n", "first_session: 5\n", "phases[1].first_session: must be 4"},
      {"last_session: 16", "last_session: 15", "phases: must cover every session"},
      {"max_weeks: 20", "max_weeks: 14", "max_weeks: is shorter"},
      {"max_weeks: 20", "max_weeks: 521", "max_weeks: must be"},
      {"min_sessions: 12", "min_sessions: 17", "min_sessions: must be"},
      {"min_sessions: 12", "min_sessions: 5", "leave nothing of the phase that gives way"},
      {"classic/revisions/1", "classic/revisions/01", "name: must be"},
      {"classic/revisions/1", "Classic/revisions/1", "name: must be"},
      {"session_minutes: 50", "session_minutes: 481", "session_minutes: must be"},
      {"id: \"contract\"", "id: \"risk\"", "phases[0].tasks[10].id: 'risk'"},
      {"instrument: \"gad-7\"", "instrument: \"phq-9\"", "measures[1].instrument: 'phq-9'"},
      {"confidence: CONFIDENCE_OWN", "", "confidence: is missing"},
      {"assessment_sessions: 3", "assessment_sessions: 13", "assessment_sessions: must be"},
      {"evidence_grade: EVIDENCE_GRADE_STRONG\n}", "}", "indications[0].evidence_grade"},
      {"condition: CONDITION_DEPRESSION", "", "indications[0].condition"},
      {"phase: PHASE_TERMINATION", "phase: PHASE_INITIAL", "in the order of treatment"},
      {"max_weeks: 20", "max_weeks: twenty", "line "},
      {"max_weeks: 20", "max_moons: 20", "max_moons"},
      {"kind: COURSE_KIND_INDIVIDUAL", "kind: COURSE_KIND_GROUP", "min_members: must be 2 <="},
      {"max_weeks: 20", "max_weeks: 20 min_members: 6 max_members: 10", "only a protocol of kind"},
      {"max_weeks: 8", "max_weeks: 501", "extension.max_weeks: must be 0 to 500"},
      {"max_weeks: 8", "max_weeks: -1", "extension.max_weeks: must be 0"},
      {"max_sessions: 4\n", "max_sessions: 14\n", "extension.max_weeks: is too short"},
      {"max_sessions: 4\n  max_weeks: 8", "", "extension: extends by nothing"},
      {"earliest_first_session: 2", "earliest_first_session: 5",
       "phases[1].earliest_first_session"},
      {"earliest_first_session: 2", "earliest_first_session: 1",
       "phases[1].earliest_first_session: declared beginnings"},
      {"latest_first_session: 15", "latest_first_session: 17", "phases[2].latest_first_session"},
      {"earliest_first_session: 13", "earliest_first_session: 9", "declared beginnings"},
      {"latest_first_session: 5", "latest_first_session: 9", "phases[1].latest_first_session"},
      {"cadence_days: 14", "cadence_days: 7", "maintenance.cadence_days[1]"},
      {"max_months: 24", "max_months: 0", "maintenance.max_months"},
      {"max_exceptions: 3", "max_exceptions: 17", "series_policy.max_exceptions"},
      {"max_initial: 1", "max_initial: 4", "series_policy.max_initial"},
      {"max_termination: 1", "max_termination: -1", "series_policy.max_termination"},
      {"instrument: \"phq-9\"", "instrument: \"phq-8\"", "measures: must ask about suicide"},
      {"every_sessions: 1\n", "every_sessions: 5\n", "measures: must ask about suicide"},
      {"max_weeks, no_show", "no_show", "citations: none names max_weeks"},
      {"extension, series_policy", "extension", "citations: none names series_policy"},
      {"cautions: \"", "cautions: \"\" # ", "cautions[0]: is empty"},
  };
  for (const Case& c : cases) {
    const std::string text = absl::StrReplaceAll(good, {{c.from, c.to}});
    EXPECT_NE(text, good) << c.from;
    const absl::StatusOr<v1::Protocol> parsed = ParseProtocol(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << c.to;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(c.fault)) << c.to;
  }
}

TEST(ProtocolsTest, WrongAdditionsAreNamedWithTheirField) {
  struct Case {
    std::string added, field;
  };
  const std::vector<Case> cases = {
      {"segments { first_session: 0 last_session: 2 cadence_days: 7 }",
       "segments[0].first_session"},
      {"segments { first_session: 3 last_session: 2 cadence_days: 7 }", "segments[0].last_session"},
      {"segments { first_session: 3 last_session: 17 cadence_days: 7 }",
       "segments[0].last_session"},
      {"segments { first_session: 1 last_session: 4 cadence_days: 7 } segments { first_session: 4 "
       "last_session: 5 cadence_days: 7 }",
       "segments[1].first_session"},
      {"segments { first_session: 1 last_session: 4 }", "segments[0]"},
      {"segments { first_session: 1 last_session: 4 cadence_days: -1 }",
       "segments[0].cadence_days"},
      {"segments { first_session: 1 last_session: 16 cadence_days: 10 }", "max_weeks"},
      {"segments { first_session: 1 last_session: 4 session_minutes: 481 }",
       "segments[0].session_minutes"},
      {"segments { first_session: 1 last_session: 4 modalities: MODALITY_UNSPECIFIED }",
       "segments[0].modalities[0]"},
      {"required_participants { first_session: 1 last_session: 4 at_least: 1 }",
       "required_participants[0].role"},
      {"required_participants { role: PARTICIPANT_ROLE_PARTNER first_session: 1 last_session: 4 "
       "at_least: 5 }",
       "required_participants[0].at_least"},
      {"required_participants { role: PARTICIPANT_ROLE_PARTNER first_session: 1 last_session: 17 "
       "at_least: 1 }",
       "required_participants[0].last_session"},
      {"required_participants { role: PARTICIPANT_ROLE_PARTNER last_session: 4 at_least: 1 }",
       "required_participants[0].first_session"},
      {"focus_areas: FOCUS_AREA_GRIEF focus_areas: FOCUS_AREA_GRIEF", "focus_areas[1]"},
      {"indications { condition: CONDITION_DEPRESSION evidence_grade: EVIDENCE_GRADE_WEAK }",
       "indications[1].condition"},
      {"max_age: 17", "max_age"},
  };
  for (const Case& c : cases) {
    v1::Protocol protocol = Classic();
    protocol.MergeFrom(Parse<v1::Protocol>(c.added));
    std::vector<std::string> fields;
    for (const errors::FieldViolation& fault : ProtocolFaults(protocol)) {
      fields.push_back(fault.field);
      EXPECT_FALSE(fault.description.empty());
    }
    EXPECT_THAT(fields, ::testing::Contains(c.field)) << c.added;
  }
}

TEST(ProtocolsTest, AnOrganizationsOwnMayBeNamedButNotShipped) {
  v1::Protocol own = Classic();
  own.set_name("organizations/acme/protocols/classic-short/revisions/3");
  EXPECT_THAT(ProtocolFaults(own), IsEmpty());
  const std::string text = own.DebugString();
  const std::vector<absl::string_view> texts = {text};
  EXPECT_EQ(ProtocolCatalogue::Make(texts).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ProtocolsTest, TheCatalogueKnowsAllRevisionsAndListsTheNewest) {
  const std::string first = ClassicText();
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
  EXPECT_EQ(catalogue->Find("organizations/acme/protocols/classic/revisions/1"), nullptr);
  EXPECT_TRUE(catalogue->HasId("brief"));
  EXPECT_TRUE(catalogue->HasId("classic"));
  EXPECT_FALSE(catalogue->HasId("classi"));
  EXPECT_FALSE(catalogue->HasId("d"));
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
