#include "tools/rapportctl/story/report.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/time/convert.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::story {
namespace {

namespace sv1 = scheduling::v1;
namespace av1 = assessment::v1;
namespace nv1 = notes::v1;

constexpr char kOrganization[] = "organizations/riverside";

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What the services would hold after story S1, made from the story itself.
class S1Record {
 public:
  S1Record()
      : story_(*LoadStory(RAPPORT_STORIES "/s1-role-dispute.textproto")),
        calendar_(*Calendar::Make(story_)) {
    Directory();
    Sessions();
    Outcome();
    CaseFile();
    record.course.set_sessions_used(16);
  }

  CourseRecord record;

 private:
  std::string Name(absl::string_view collection, absl::string_view id) const {
    return absl::StrCat(kOrganization, "/", collection, "/", id);
  }
  google::protobuf::Timestamp At(absl::string_view text) const {
    return time::ToTimestamp(*calendar_.At(text, "at"));
  }
  google::protobuf::Timestamp At(absl::string_view text, absl::Time base,
                                 absl::Duration otherwise = absl::ZeroDuration()) const {
    return time::ToTimestamp(*calendar_.At(text, base, otherwise, "at"));
  }

  void Directory() {
    sv1::Course& course = record.course;
    course.set_name(Name("courses", "c1"));
    course.set_patient(Name("patients", story_.patient().id()));
    *course.mutable_patient_particulars() = story_.patient().particulars();
    course.set_clinician(Name("clinicians", "jonas"));
    course.set_planned_sessions(16);
    course.set_state(sv1::COURSE_STATE_COMPLETED);
    *course.mutable_create_time() = At("2026-02-09 10:00");
    *course.mutable_activate_time() = At("2026-02-23 17:55");
    *course.mutable_end()->mutable_end_time() = At(story_.ending().at());
    course.mutable_end()->set_referral(story_.ending().referral());
    *course.mutable_ending_announced_date() = time::ToDate(absl::CivilDay(2026, 5, 11));
    record.clinic.set_display_name("Riverside Clinic");
    record.clinic.set_time_zone("Europe/London");
    for (const Clinician& clinician : story_.clinicians()) {
      sv1::Clinician& entry = record.clinicians.emplace_back();
      entry.set_name(Name("clinicians", clinician.id()));
      entry.set_display_name(clinician.display_name());
      entry.set_profession(clinician.profession());
    }
    record.protocol = Parse<sv1::Protocol>(R"pb(
      name: "protocols/classic/revisions/1"
      display_name: "Interpersonal psychotherapy (classic)"
      min_sessions: 12
      max_sessions: 16
      cadence_days: 7
      session_minutes: 50
      phases { phase: PHASE_INITIAL first_session: 1 last_session: 3 }
      phases { phase: PHASE_MIDDLE first_session: 4 last_session: 12 }
      phases { phase: PHASE_TERMINATION first_session: 13 last_session: 16 }
    )pb");
    record.instruments.push_back(Parse<av1::Instrument>(R"pb(
      name: "instruments/phq-9/revisions/1"
      total: "total"
      figures {
        id: "total"
        band_sets {
          bands { label: "None or minimal" min: 0 max: 4 }
          bands { label: "Mild" min: 5 max: 9 }
          bands { label: "Moderate" min: 10 max: 14 }
          bands { label: "Moderately severe" min: 15 max: 19 }
          bands { label: "Severe" min: 20 max: 27 }
        }
      }
      direction: DIRECTION_LOWER_BETTER
      change { case_cutoff: 10 response_percent: 50 remission_cutoff: 4 }
    )pb"));
    record.instruments.push_back(Parse<av1::Instrument>(R"pb(
      name: "instruments/gad-7/revisions/1"
      total: "total"
      figures {
        id: "total"
        band_sets {
          bands { label: "Minimal" min: 0 max: 4 }
          bands { label: "Mild" min: 5 max: 9 }
          bands { label: "Moderate" min: 10 max: 14 }
          bands { label: "Severe" min: 15 max: 21 }
        }
      }
      direction: DIRECTION_LOWER_BETTER
      change { case_cutoff: 8 }
    )pb"));
  }

  void Sessions() {
    av1::InstrumentProgress& phq = *record.progress.add_instruments();
    phq.set_instrument("instruments/phq-9");
    phq.set_reliable_change_points(6);
    av1::InstrumentProgress& gad = *record.progress.add_instruments();
    gad.set_instrument("instruments/gad-7");
    gad.set_reliable_change_points(4);
    int rank = 0;
    for (const Session& session : story_.sessions()) {
      const absl::Time start = *calendar_.At(session.start(), "start");
      sv1::Appointment& appointment = record.appointments.emplace_back();
      appointment.set_name(Name("appointments", absl::StrCat("a", ++rank)));
      *appointment.mutable_start_time() = time::ToTimestamp(start);
      *appointment.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(50));
      appointment.set_session_number(session.number());
      appointment.set_state(session.attendance() == MISSED ? sv1::APPOINTMENT_STATE_NO_SHOW
                                                           : sv1::APPOINTMENT_STATE_COMPLETED);
      if (session.has_note()) Note(session, appointment, start);
      for (const Form& form : session.forms()) {
        av1::InstrumentProgress& series = form.instrument() == "phq-9" ? phq : gad;
        av1::ProgressPoint& point = *series.add_points();
        point.set_assessment(absl::StrCat(session.start(), form.instrument()));
        *point.mutable_answer_time() = At(form.filled_in(), start, -absl::Minutes(15));
        point.set_session_number(session.number());
        point.set_complete(true);
        double total = 0;
        for (const av1::Answer& answer : Answers(form.answers())) total += answer.value();
        point.set_total(total);
        av1::Assessment& assessment = record.assessments.emplace_back();
        assessment.set_administration(av1::ADMINISTRATION_SELF_REPORT);
        assessment.mutable_score()->set_complete(true);
        record.due_measures.emplace_back().set_state(av1::DUE_STATE_DONE);
        if (form.has_alert()) {
          Alert(form.alert(), time::ToTime(point.answer_time()), av1::ALERT_KIND_CRITICAL_ANSWER);
        }
      }
      if (session.has_missed_alert()) {
        Alert(session.missed_alert(), start + absl::Minutes(20), av1::ALERT_KIND_MISSED_AFTER_RISK);
      }
      for (const GoalStep& step : session.goals()) Goal(step, start, appointment.name());
    }
    for (av1::InstrumentProgress* series : {&phq, &gad}) {
      series->set_reliable_change_published(true);
      series->set_response_applicable(true);
      *series->mutable_baseline() = series->points(0);
      const double last = series->points(series->points_size() - 1).total();
      series->mutable_change()->set_points(last - series->baseline().total());
      series->mutable_change()->set_percent(100 * series->change().points() /
                                            series->baseline().total());
    }
  }

  void Note(const Session& session, const sv1::Appointment& appointment, absl::Time start) {
    nv1::Note& note = record.notes.emplace_back();
    note.set_appointment(appointment.name());
    note.set_state(nv1::NOTE_STATE_SIGNED);
    const absl::Time end = start + absl::Minutes(50);
    *note.mutable_signature()->mutable_sign_time() =
        At(session.note_signed(), end, absl::Minutes(50));
    *note.mutable_due_time() = time::ToTimestamp(end + absl::Hours(48));
  }

  void Alert(const AlertHandling& handling, absl::Time raised, av1::AlertKind kind) {
    av1::Alert& alert = record.alerts.emplace_back();
    alert.set_kind(kind);
    if (kind == av1::ALERT_KIND_CRITICAL_ANSWER) alert.add_items(9);
    alert.set_severity(handling.severity());
    *alert.mutable_create_time() = time::ToTimestamp(raised);
    if (handling.severity() == av1::ALERT_SEVERITY_SAME_DAY) {
      *alert.mutable_acknowledge_before_time() = time::ToTimestamp(raised + absl::Hours(2));
    }
    av1::Ownership& ownership = *alert.add_ownerships();
    ownership.set_owner(Name("clinicians", handling.owner()));
    ownership.set_basis(handling.basis());
    alert.mutable_acknowledgement()->set_clinician(ownership.owner());
    *alert.mutable_acknowledgement()->mutable_acknowledge_time() =
        At(handling.acknowledged(), raised);
    av1::AlertResolution& resolution = *alert.mutable_resolution();
    resolution = handling.resolution();
    for (const std::string& contact : handling.contacts()) {
      *resolution.add_contact_times() = At(contact, raised);
    }
    resolution.set_risk_assessment("some");
    *resolution.mutable_next_check_date() =
        time::ToDate(*ParseDay(handling.next_check(), "next_check"));
    resolution.set_clinician(ownership.owner());
    *resolution.mutable_resolve_time() = At(handling.resolved(), raised);
    record.risk_assessments.push_back(handling.risk_assessment());
    if (handling.has_safety_plan()) {
      record.safety_plan = handling.safety_plan();
      record.safety_plan->set_version(1);
      record.safety_plan->set_clinician(ownership.owner());
      *record.safety_plan->mutable_create_time() = At(handling.assessed(), raised);
    }
  }

  void Goal(const GoalStep& step, absl::Time start, const std::string& appointment) {
    const auto found = goals_.find(step.id());
    if (found == goals_.end()) {
      goals_[step.id()] = record.goals.size();
      nv1::Goal& goal = record.goals.emplace_back(step.goal());
      *goal.mutable_create_time() = time::ToTimestamp(start + absl::Minutes(30));
      return;
    }
    nv1::Goal& goal = record.goals[found->second];
    nv1::GoalRevision revision;
    revision.set_old_text(goal.text());
    revision.set_old_realism(goal.realism());
    revision.set_old_status(goal.status());
    goal.MergeFrom(step.goal());
    revision.set_new_text(goal.text());
    revision.set_new_realism(goal.realism());
    revision.set_new_status(goal.status());
    revision.set_reason(step.reason());
    revision.set_appointment(appointment);
    *revision.mutable_revise_time() = time::ToTimestamp(start + absl::Minutes(30));
    *goal.add_revisions() = revision;
  }

  void Outcome() {
    for (const ExpectTerm& expected : story_.expect().reached()) {
      av1::InstrumentProgress& phq = *record.progress.mutable_instruments(0);
      av1::Milestone& milestone =
          expected.instrument().empty() ? *record.progress.add_milestones() : *phq.add_milestones();
      milestone.set_term(expected.term());
      milestone.set_session_number(expected.session());
      *milestone.mutable_reach_time() = phq.points(expected.session() - 1).answer_time();
      milestone.set_holds(true);
      milestone.set_rule(absl::StrCat("the rule of ", av1::Term_Name(expected.term())));
    }
  }

  void CaseFile() {
    nv1::Case& file = record.case_file;
    *file.mutable_determination() = story_.sessions(1).determination();
    file.mutable_determination()->set_clinician(Name("clinicians", "jonas"));
    *file.mutable_determination()->mutable_sign_time() = At("2026-02-23 17:40");
    *file.mutable_problem_areas() = story_.sessions(8).problem_areas();
    *file.mutable_formulation() = story_.sessions(2).formulation();
    file.mutable_formulation()->set_version(1);
    *file.mutable_formulation()->mutable_agreement_date() =
        time::ToDate(absl::CivilDay(2026, 3, 2));
  }

  const Story story_;
  const Calendar calendar_;
  std::map<std::string, size_t> goals_;
};

std::vector<std::string> LinesThatBegin(const std::string& report, absl::string_view beginning) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(report, '\n')) {
    if (absl::StartsWith(line, beginning)) lines.emplace_back(line);
  }
  return lines;
}

// The golden text is written anew where UPDATE_GOLDEN is set.
void ExpectGolden(const std::string& report, const std::string& file) {
  const std::string path = absl::StrCat(RAPPORT_TESTDATA, "/", file);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << report;
  EXPECT_EQ(report, ReadFile(path));
}

TEST(ReportTest, S1ReadsAsItShould) {
  ExpectGolden(Render(S1Record().record, {"A role dispute, sixteen sessions"}), "s1_report.txt");
}

TEST(ReportTest, S1ReadsAsItShouldInPlainAscii) {
  const std::string report = Render(S1Record().record, {"A role dispute, sixteen sessions", true});
  ExpectGolden(report, "s1_report_ascii.txt");
  for (char c : report) ASSERT_EQ(c & 0x80, 0) << report.substr(report.find(c), 40);
}

TEST(ReportTest, EachSessionHasOneLine) {
  const std::string report = Render(S1Record().record, {});
  const auto sessions = LinesThatBegin(report, "Session ");
  ASSERT_EQ(sessions.size(), 16u);
  for (size_t i = 0; i < sessions.size(); ++i) {
    EXPECT_TRUE(absl::StartsWith(sessions[i], absl::StrCat("Session ", i + 1, " ")));
  }
  EXPECT_EQ(LinesThatBegin(report, "Missed ").size(), 1u);
}

TEST(ReportTest, NoLineIsWiderThanAHundredColumns) {
  for (const bool ascii : {false, true}) {
    for (absl::string_view line : absl::StrSplit(Render(S1Record().record, {"", ascii}), '\n')) {
      const auto columns =
          std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
      EXPECT_LE(columns, 100) << line;
    }
  }
}

TEST(ReportTest, ACourseThatHasOnlyBegunIsToldAsFarAsItGoes) {
  CourseRecord record;
  record.clinic.set_time_zone("Europe/London");
  record.course.set_state(sv1::COURSE_STATE_PROPOSED);
  record.course.set_planned_sessions(12);
  sv1::Appointment& booked = record.appointments.emplace_back();
  booked.set_state(sv1::APPOINTMENT_STATE_BOOKED);
  const std::string report = Render(record, {});
  EXPECT_TRUE(absl::StrContains(report, "It has not ended: the course is proposed"));
  EXPECT_TRUE(absl::StrContains(report, "no determination is in force"));
  EXPECT_TRUE(absl::StrContains(report, "None was raised."));
  EXPECT_EQ(LinesThatBegin(report, "Session ").size(), 0u);
  EXPECT_EQ(LinesThatBegin(report, "Booked ").size(), 1u);
}

TEST(ReportTest, AnEstimatedTotalIsMarked) {
  S1Record s1;
  av1::ProgressPoint& point = *s1.record.progress.mutable_instruments(0)->mutable_points(0);
  point.set_complete(false);
  point.set_prorated(true);
  EXPECT_TRUE(absl::StrContains(Render(s1.record, {}), "PHQ-9 ~17"));
}

TEST(PhaseTest, TheEndingKeepsItsLengthAndTheMiddleGivesWay) {
  const sv1::Protocol protocol = S1Record().record.protocol;
  EXPECT_EQ(PhaseOf(protocol, 16, 3), sv1::PHASE_INITIAL);
  EXPECT_EQ(PhaseOf(protocol, 16, 12), sv1::PHASE_MIDDLE);
  EXPECT_EQ(PhaseOf(protocol, 16, 13), sv1::PHASE_TERMINATION);
  EXPECT_EQ(PhaseOf(protocol, 12, 8), sv1::PHASE_MIDDLE);
  EXPECT_EQ(PhaseOf(protocol, 12, 9), sv1::PHASE_TERMINATION);
  EXPECT_EQ(PhaseOf(sv1::Protocol(), 12, 9), sv1::PHASE_UNSPECIFIED);
}

}  // namespace
}  // namespace rapport::story
