#include "tools/rapportctl/story/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "tools/rapportctl/story/chart.h"

namespace rapport::story {
namespace {

namespace sv1 = scheduling::v1;
namespace av1 = assessment::v1;
namespace nv1 = notes::v1;

constexpr int kWidth = 100;

// Columns that `text` takes on a terminal: its code points.
int Columns(absl::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Pad(absl::string_view text, int columns) {
  return absl::StrCat(text, std::string(std::max(0, columns - Columns(text)), ' '));
}

// `text` broken at blanks into lines that begin with `first` and then `rest`.
std::string Wrap(absl::string_view first, absl::string_view rest, absl::string_view text) {
  std::string out;
  std::string line(first);
  bool empty = true;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \n\t"), absl::SkipEmpty())) {
    if (!empty && Columns(line) + 1 + Columns(word) > kWidth) {
      absl::StrAppend(&out, line, "\n");
      line = std::string(rest);
      empty = true;
    }
    absl::StrAppend(&line, empty ? "" : " ", word);
    empty = false;
  }
  absl::StrAppend(&out, line, "\n");
  return out;
}

// "moderately severe" of GOAL_STATUS_MODERATELY_SEVERE.
std::string Words(const std::string& name, absl::string_view prefix) {
  absl::string_view rest = name;
  if (absl::StartsWith(rest, prefix)) rest.remove_prefix(prefix.size());
  return absl::StrReplaceAll(absl::AsciiStrToLower(rest), {{"_", " "}});
}

std::string Figure(double value) { return absl::StrFormat("%g", value); }

std::string Signed(double value) {
  return value < 0 ? absl::StrCat("−", Figure(-value)) : absl::StrCat("+", Figure(value));
}

std::string Many(int count, absl::string_view one, absl::string_view many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

// "14 min", "2 h 05 min", "3 days".
std::string Span(absl::Duration span) {
  const int64_t minutes = absl::ToInt64Minutes(span);
  if (minutes < 60) return absl::StrCat(minutes, " min");
  if (minutes < 48 * 60) return absl::StrFormat("%d h %02d min", minutes / 60, minutes % 60);
  return absl::StrCat(minutes / (24 * 60), " days");
}

std::string TermWords(av1::Term term) { return Words(av1::Term_Name(term), "TERM_"); }

std::string ReferenceWords(av1::Reference reference) {
  switch (reference) {
    case av1::REFERENCE_BASELINE:
      return "the baseline";
    case av1::REFERENCE_PREVIOUS:
      return "the form before";
    case av1::REFERENCE_BEST:
      return "the best so far";
    default:
      return "?";
  }
}

std::string ProfessionWords(sv1::Profession profession) {
  return Words(sv1::Profession_Name(profession), "PROFESSION_");
}

class Report {
 public:
  Report(const CourseRecord& record, const ReportOptions& options)
      : record_(record), options_(options), zone_(absl::UTCTimeZone()) {
    if (auto zone = time::LoadZone(record.clinic.time_zone()); zone.ok()) zone_ = *zone;
  }

  std::string Write() {
    Header();
    Sessions();
    Charts();
    Outcome();
    Flags();
    Rhythm();
    CaseFile();
    Goals();
    Alerts();
    Notes();
    Ending();
    return options_.ascii ? Plain(out_) : out_;
  }

 private:
  static std::string Plain(const std::string& text) {
    return absl::StrReplaceAll(text, {{"–", "-"},
                                      {"−", "-"},
                                      {"→", "->"},
                                      {"≥", ">="},
                                      {"≤", "<="},
                                      {"·", "*"},
                                      {"═", "="},
                                      {"─", "-"},
                                      {"“", "\""},
                                      {"”", "\""}});
  }

  void Line(absl::string_view text) {
    std::string line(text);
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&out_, line, "\n");
  }
  void Say(absl::string_view first, absl::string_view rest, absl::string_view text) {
    absl::StrAppend(&out_, Wrap(first, rest, text));
  }
  void Say(absl::string_view indent, absl::string_view text) { Say(indent, indent, text); }
  void Rule(absl::string_view glyph) {
    std::string line;
    for (int i = 0; i < kWidth; ++i) absl::StrAppend(&line, glyph);
    Line(line);
  }
  void Section(absl::string_view title) {
    Line("");
    Line(title);
    Rule("─");
  }
  // "  Where      Riverside Clinic".
  void Entry(absl::string_view label, absl::string_view text) {
    Say(Pad(absl::StrCat("  ", label), 16), std::string(16, ' '), text);
  }

  std::string Person(absl::string_view clinician) const {
    for (const sv1::Clinician& known : record_.clinicians) {
      if (known.name() == clinician) return known.display_name();
    }
    return std::string(names::Last(clinician));
  }
  std::string DateTime(absl::Time instant) const {
    return absl::FormatTime("%a %e %b %Y %H:%M %Z", instant, zone_);
  }
  template <class Timestamp>
  std::string DateTime(const Timestamp& timestamp) const {
    return DateTime(time::ToTime(timestamp));
  }
  std::string Day(absl::Time instant) const {
    return std::string(
        absl::StripLeadingAsciiWhitespace(absl::FormatTime("%e %b %Y", instant, zone_)));
  }
  template <class Timestamp>
  std::string DayOf(const Timestamp& timestamp) const {
    return Day(time::ToTime(timestamp));
  }
  std::string DateWords(const google::type::Date& date) const {
    if (date.month() == 0) return absl::StrCat(date.year());
    const absl::CivilDay day(date.year(), date.month(), std::max(1, date.day()));
    const std::string text =
        absl::FormatTime(date.day() == 0 ? "%b %Y" : "%e %b %Y",
                         absl::FromCivil(day, absl::UTCTimeZone()), absl::UTCTimeZone());
    return std::string(absl::StripLeadingAsciiWhitespace(text));
  }

  const sv1::Appointment* AppointmentOf(absl::string_view name) const {
    for (const sv1::Appointment& appointment : record_.appointments) {
      if (appointment.name() == name) return &appointment;
    }
    return nullptr;
  }
  const nv1::Note* NoteOf(absl::string_view appointment) const {
    for (const nv1::Note& note : record_.notes) {
      if (note.appointment() == appointment) return &note;
    }
    return nullptr;
  }
  static bool IsHeld(const sv1::Appointment& appointment) {
    return appointment.state() == sv1::APPOINTMENT_STATE_CHECKED_IN ||
           appointment.state() == sv1::APPOINTMENT_STATE_COMPLETED;
  }
  std::vector<const sv1::Appointment*> Held() const {
    std::vector<const sv1::Appointment*> held;
    for (const sv1::Appointment& appointment : record_.appointments) {
      if (IsHeld(appointment)) held.push_back(&appointment);
    }
    return held;
  }

  // The series of progress with its instrument, where it is known.
  std::string ShortName(const av1::InstrumentProgress& series) const {
    return absl::AsciiStrToUpper(names::Id(series.instrument(), "instruments"));
  }
  const av1::Instrument& InstrumentOf(const av1::InstrumentProgress& series) const {
    static const auto* const kNone = new av1::Instrument;
    const std::string id =
        absl::StrCat("instruments/", names::Id(series.instrument(), "instruments"));
    for (const av1::Instrument& instrument : record_.instruments) {
      if (instrument.name() == id || absl::StartsWith(instrument.name(), id + "/")) {
        return instrument;
      }
    }
    return *kNone;
  }
  std::vector<const av1::InstrumentProgress*> SeriesByWeight() const {
    std::vector<const av1::InstrumentProgress*> all;
    for (const av1::InstrumentProgress& series : record_.progress.instruments()) {
      all.push_back(&series);
    }
    std::stable_sort(all.begin(), all.end(), [](const auto* a, const auto* b) {
      return a->points_size() > b->points_size();
    });
    return all;
  }
  // Maintenance counts its sessions anew: a number alone does not say which session is meant.
  static bool IsFor(const av1::ProgressPoint& point, const sv1::Appointment& appointment) {
    return point.session_number() > 0 && point.session_number() == appointment.session_number() &&
           absl::AbsDuration(time::ToTime(point.answer_time()) -
                             time::ToTime(appointment.start_time())) <= absl::Hours(28 * 24);
  }
  // The form that counts for a session: its last complete one, else its last.
  static const av1::ProgressPoint* PointOf(const av1::InstrumentProgress& series,
                                           const sv1::Appointment& appointment) {
    const av1::ProgressPoint* found = nullptr;
    for (const av1::ProgressPoint& point : series.points()) {
      if (!IsFor(point, appointment)) continue;
      if (found == nullptr || point.complete() || !found->complete()) found = &point;
    }
    return found;
  }
  static std::string TotalWords(const av1::ProgressPoint& point) {
    if (!point.has_total()) return "–";
    return absl::StrCat(point.prorated() ? "~" : "", Figure(point.total()));
  }

  void Header() {
    const sv1::Course& course = record_.course;
    const sv1::PatientParticulars& patient = course.patient_particulars();
    Rule("═");
    Line(absl::StrCat("  ", options_.title.empty() ? "A course of therapy" : options_.title));
    Rule("═");
    std::string age;
    if (patient.birth_year() > 0 && !record_.appointments.empty()) {
      const absl::CivilDay first =
          absl::ToCivilDay(time::ToTime(record_.appointments.front().start_time()), zone_);
      const int years = static_cast<int>(first.year()) - patient.birth_year() -
                        (first.month() < patient.birth_month() ? 1 : 0);
      age = absl::StrCat("aged ", years, " at the start, ");
    }
    Entry("Patient", absl::StrCat(age, "living in ", patient.jurisdiction(), " (",
                                  names::Last(course.patient()), ")"));
    Entry("Where", absl::StrCat(record_.clinic.display_name(), ", by the clock of ",
                                record_.clinic.time_zone()));
    std::string therapist = Person(course.clinician());
    for (const sv1::Clinician& known : record_.clinicians) {
      if (known.name() == course.clinician()) {
        absl::StrAppend(&therapist, ", ", ProfessionWords(known.profession()));
      }
    }
    Entry("Therapist", therapist);
    const sv1::Protocol& protocol = record_.protocol;
    Entry("Protocol",
          absl::StrCat(protocol.display_name(), ", revision ", names::Last(protocol.name()), ": ",
                       protocol.min_sessions(), "–", protocol.max_sessions(), " sessions of ",
                       protocol.session_minutes(), " min every ", protocol.cadence_days(),
                       " days; ", course.planned_sessions(), " agreed"));
    std::vector<std::string> life = {absl::StrCat("proposed ", DayOf(course.create_time()))};
    if (course.has_activate_time()) {
      life.push_back(absl::StrCat("active from ", DayOf(course.activate_time())));
    }
    if (course.has_end()) {
      life.push_back(absl::StrCat(StateWords(), " ", DayOf(course.end().end_time())));
    } else {
      life.push_back(StateWords());
    }
    Entry("Course", absl::StrJoin(life, ", "));
  }

  std::string StateWords() const {
    return Words(sv1::CourseState_Name(record_.course.state()), "COURSE_STATE_");
  }

  std::string NoteWords(const sv1::Appointment& appointment) const {
    const nv1::Note* note = NoteOf(appointment.name());
    if (note == nullptr) return "no note";
    if (note->state() != nv1::NOTE_STATE_SIGNED) return "note in draft";
    const absl::Time signed_at = time::ToTime(note->signature().sign_time());
    const bool same_day = absl::ToCivilDay(signed_at, zone_) ==
                          absl::ToCivilDay(time::ToTime(appointment.start_time()), zone_);
    return absl::StrCat("note signed ",
                        same_day ? absl::FormatTime("%H:%M", signed_at, zone_) : Day(signed_at));
  }

  void Sessions() {
    Section("SESSIONS");
    const auto series = SeriesByWeight();
    for (const sv1::Appointment& appointment : record_.appointments) {
      const std::string when = Pad(DateTime(appointment.start_time()), 27);
      if (!IsHeld(appointment)) {
        Line(absl::StrCat(Pad(NotHeldLabel(appointment), 12), when, NotHeldWords(appointment)));
        continue;
      }
      const int number = appointment.session_number();
      const bool maintenance =
          record_.course.has_maintenance() && appointment.segment() == record_.course.segment();
      const sv1::Phase phase =
          maintenance ? sv1::PHASE_MAINTENANCE
                      : PhaseOf(record_.protocol, record_.course.planned_sessions(), number);
      std::string line = absl::StrCat(
          Pad(absl::StrCat("Session ", number), 12), when,
          Pad(Words(sv1::Phase_Name(phase), "PHASE_"), 13),
          Pad(appointment.state() == sv1::APPOINTMENT_STATE_COMPLETED ? "attended" : "arrived",
              10));
      for (size_t i = 0; i < series.size() && i < 2; ++i) {
        const av1::ProgressPoint* point = PointOf(*series[i], appointment);
        const std::string cell =
            point == nullptr ? ""
                             : absl::StrFormat("%s %2s", ShortName(*series[i]), TotalWords(*point));
        absl::StrAppend(&line, Pad(cell, Columns(ShortName(*series[i])) + 5));
      }
      Line(absl::StrCat(line, NoteWords(appointment)));
    }
    const auto held = Held();
    if (held.empty()) return;
    const int missed = CountState(sv1::APPOINTMENT_STATE_NO_SHOW);
    const int cancelled = CountState(sv1::APPOINTMENT_STATE_CANCELLED);
    const absl::CivilDay first = absl::ToCivilDay(time::ToTime(held.front()->start_time()), zone_);
    const absl::CivilDay last = absl::ToCivilDay(time::ToTime(held.back()->start_time()), zone_);
    Line("");
    Say("  ", absl::StrCat(held.size(), " of ", record_.course.planned_sessions(),
                           " sessions held in ", (last - first) / 7 + 1, " weeks; ", missed,
                           " missed, ", cancelled, " called off."));
    const int forms = static_cast<int>(record_.assessments.size());
    const auto alone = std::count_if(
        record_.assessments.begin(), record_.assessments.end(), [](const av1::Assessment& form) {
          return form.administration() == av1::ADMINISTRATION_SELF_REPORT;
        });
    const auto incomplete =
        std::count_if(record_.assessments.begin(), record_.assessments.end(),
                      [](const av1::Assessment& form) { return !form.score().complete(); });
    const auto unmet = std::count_if(
        record_.due_measures.begin(), record_.due_measures.end(),
        [](const av1::DueMeasure& due) { return due.state() == av1::DUE_STATE_OVERDUE; });
    Say("  ", absl::StrCat(Many(forms, "questionnaire", "questionnaires"), " filled in, ", alone,
                           " of them by the patient alone, ", incomplete, " incomplete; ",
                           record_.due_measures.size(), " were expected, ", unmet,
                           " of them did not come."));
  }

  int CountState(sv1::AppointmentState state) const {
    return static_cast<int>(std::count_if(
        record_.appointments.begin(), record_.appointments.end(),
        [state](const sv1::Appointment& appointment) { return appointment.state() == state; }));
  }

  static std::string NotHeldLabel(const sv1::Appointment& appointment) {
    switch (appointment.state()) {
      case sv1::APPOINTMENT_STATE_NO_SHOW:
        return "Missed";
      case sv1::APPOINTMENT_STATE_CANCELLED:
        return "Called off";
      default:
        return "Booked";
    }
  }

  std::string NotHeldWords(const sv1::Appointment& appointment) const {
    std::string words;
    switch (appointment.state()) {
      case sv1::APPOINTMENT_STATE_NO_SHOW:
        words = "did not come";
        break;
      case sv1::APPOINTMENT_STATE_CANCELLED:
        words = absl::StrCat(
            "by the ", Words(sv1::CancelReason_Name(appointment.cancel_reason()), "CANCEL_REASON_"),
            appointment.cancelled_late() ? ", late" : "");
        break;
      default:
        return words;
    }
    return absl::StrCat(words,
                        appointment.session_number() > 0
                            ? absl::StrCat("; counts as session ", appointment.session_number())
                            : "; does not count");
  }

  // The administrations of all instruments by time, so that one chart stands below the other: by
  // session, or by form where it was for none.
  std::vector<std::pair<int, std::string>> ChartColumns() const {
    std::map<std::pair<int, std::string>, absl::Time> first;
    for (const av1::InstrumentProgress& series : record_.progress.instruments()) {
      for (const av1::ProgressPoint& point : series.points()) {
        const absl::Time at = time::ToTime(point.answer_time());
        const auto [found, fresh] = first.try_emplace(ColumnOf(point), at);
        if (!fresh) found->second = std::min(found->second, at);
      }
    }
    std::vector<std::pair<int, std::string>> columns;
    for (const auto& [column, at] : first) columns.push_back(column);
    std::stable_sort(columns.begin(), columns.end(),
                     [&first](const auto& a, const auto& b) { return first.at(a) < first.at(b); });
    return columns;
  }
  std::pair<int, std::string> ColumnOf(const av1::ProgressPoint& point) const {
    if (point.session_number() == 0) return {0, point.assessment()};
    const sv1::Appointment* session = SessionOf(point);
    return {point.session_number(), session == nullptr ? "" : session->name()};
  }
  const sv1::Appointment* SessionOf(const av1::ProgressPoint& point) const {
    for (const sv1::Appointment& appointment : record_.appointments) {
      if (IsHeld(appointment) && IsFor(point, appointment)) return &appointment;
    }
    return nullptr;
  }

  void Charts() {
    const auto columns = ChartColumns();
    for (const av1::InstrumentProgress* series : SeriesByWeight()) {
      const av1::Instrument& instrument = InstrumentOf(*series);
      Chart chart;
      double largest = 1;
      for (const auto& [session, assessment] : columns) {
        Chart::Column& column = chart.columns.emplace_back();
        column.label = session > 0 ? absl::StrCat(session) : "·";
        for (const av1::ProgressPoint& point : series->points()) {
          if (ColumnOf(point) != std::make_pair(session, assessment)) continue;
          const sv1::Appointment* held = SessionOf(point);
          if (held != nullptr && PointOf(*series, *held) != &point) continue;
          if (point.has_total()) column.total = point.total();
          column.hollow = point.prorated();
          largest = std::max(largest, point.total());
        }
      }
      const bool lower = instrument.direction() != av1::DIRECTION_HIGHER_BETTER;
      SetScale(instrument, largest, chart);
      Section(absl::StrCat(ShortName(*series), ", total 0–", chart.max,
                           lower ? ", lower is better" : ", higher is better"));
      absl::StrAppend(&out_, Draw(chart, options_.ascii));
    }
  }

  static const av1::Milestone* Find(const google::protobuf::RepeatedPtrField<av1::Milestone>& all,
                                    av1::Term term) {
    for (const av1::Milestone& milestone : all) {
      if (milestone.term() == term) return &milestone;
    }
    return nullptr;
  }

  void Term(av1::Term term, const av1::Milestone* milestone, absl::string_view otherwise) {
    const std::string label = Pad(absl::StrCat("    ", TermWords(term)), 30);
    if (milestone == nullptr) {
      Line(absl::StrCat(label, otherwise));
      return;
    }
    const std::string session = milestone->session_number() > 0
                                    ? absl::StrCat("session ", milestone->session_number(), ", ")
                                    : "";
    Line(absl::StrCat(label, session, DayOf(milestone->reach_time()),
                      milestone->holds() ? "" : "; no longer so by the newest form"));
    if (!milestone->rule().empty()) Say(std::string(30, ' '), milestone->rule());
  }

  void Outcome() {
    Section("OUTCOME");
    for (const av1::InstrumentProgress* series : SeriesByWeight()) {
      const av1::Instrument& instrument = InstrumentOf(*series);
      std::string line = absl::StrCat(ShortName(*series), ": ");
      if (!series->has_baseline()) {
        absl::StrAppend(&line, "no baseline, so no change is told");
      } else {
        absl::StrAppend(&line, "baseline ", Figure(series->baseline().total()));
        if (series->has_change()) {
          absl::StrAppend(&line, ", last ",
                          Figure(series->baseline().total() + series->change().points()), ": ",
                          Signed(series->change().points()));
          if (series->change().has_percent()) {
            absl::StrAppend(&line, " (", Signed(std::round(series->change().percent())), " %)");
          }
        }
        if (series->reliable_change_points() > 0) {
          absl::StrAppend(&line, "; a change of ", Figure(series->reliable_change_points()),
                          " or more is reliable (",
                          series->reliable_change_published() ? "published" : "computed", ")");
        }
      }
      Say("  ", line);
      if (!series->has_baseline()) continue;
      InstrumentTerms(*series, instrument);
    }
    Say("  ", "Over the course, depression and anxiety together:");
    for (const av1::Term term :
         {av1::TERM_RELIABLE_IMPROVEMENT, av1::TERM_CASE_RECOVERY, av1::TERM_RELIABLE_RECOVERY}) {
      Term(term, Find(record_.progress.milestones(), term), "not reached");
    }
    for (const std::string& source : record_.progress.unavailable_sources()) {
      Say("  ", absl::StrCat("Could not be asked: ", source, "; what depends on it is left out."));
    }
  }

  void InstrumentTerms(const av1::InstrumentProgress& series, const av1::Instrument& instrument) {
    const auto& reached = series.milestones();
    const std::string below = "not applicable: the baseline was below a case";
    Term(av1::TERM_RELIABLE_IMPROVEMENT, Find(reached, av1::TERM_RELIABLE_IMPROVEMENT),
         "not reached");
    if (instrument.change().response_percent() > 0) {
      Term(av1::TERM_RESPONSE, Find(reached, av1::TERM_RESPONSE),
           series.response_applicable() ? "not reached" : below);
    }
    if (instrument.change().has_remission_cutoff()) {
      for (const av1::Term term :
           {av1::TERM_REMISSION_LEVEL, av1::TERM_REMISSION, av1::TERM_SUSTAINED_RECOVERY}) {
        Term(term, Find(reached, term), series.response_applicable() ? "not reached" : below);
      }
    }
    Term(av1::TERM_RELIABLE_DETERIORATION, Find(reached, av1::TERM_RELIABLE_DETERIORATION), "none");
    for (const av1::Term term : {av1::TERM_POSSIBLE_RELAPSE, av1::TERM_POSSIBLE_RECURRENCE}) {
      if (const av1::Milestone* milestone = Find(reached, term)) Term(term, milestone, "");
    }
  }

  // Reliable worsenings on the way, reckoned from the points as the service reckons the newest.
  void Flags() {
    std::vector<std::string> flags;
    for (const av1::InstrumentProgress* series : SeriesByWeight()) {
      const double reliable = series->reliable_change_points();
      if (reliable <= 0) continue;
      const bool lower = InstrumentOf(*series).direction() != av1::DIRECTION_HIGHER_BETTER;
      const auto worse = [lower](double from, double to) { return lower ? to - from : from - to; };
      std::optional<double> previous;
      std::optional<double> best;
      for (const av1::ProgressPoint& point : series->points()) {
        if (!point.complete() || !point.has_total()) continue;
        std::vector<std::string> worse_than;
        std::vector<std::string> within;
        const auto compare = [&](av1::Reference reference, std::optional<double> total) {
          if (!total) return;
          const double by = worse(*total, point.total());
          const std::string text = absl::StrCat(ReferenceWords(reference), " (", Figure(*total),
                                                ", ", Signed(point.total() - *total), ")");
          if (by >= reliable) {
            worse_than.push_back(text);
          } else if (by > 0) {
            within.push_back(text);
          }
        };
        compare(av1::REFERENCE_PREVIOUS, previous);
        if (best != previous) compare(av1::REFERENCE_BEST, best);
        if (series->has_baseline() && previous &&
            series->baseline().assessment() != point.assessment()) {
          compare(av1::REFERENCE_BASELINE, series->baseline().total());
        }
        if (!worse_than.empty()) {
          const std::string session = point.session_number() > 0
                                          ? absl::StrCat("session ", point.session_number(), ", ")
                                          : "";
          flags.push_back(absl::StrCat(
              ShortName(*series), " ", Figure(point.total()), " for ", session,
              DateTime(point.answer_time()), ": reliably worse than ",
              absl::StrJoin(worse_than, " and "),
              within.empty() ? ""
                             : absl::StrCat("; against ", absl::StrJoin(within, " and "),
                                            " within measurement error")));
        }
        previous = point.total();
        if (!best || worse(*best, point.total()) < 0) best = point.total();
      }
    }
    Section("FLAGS ON THE WAY");
    if (flags.empty()) Line("  None: no form was reliably worse than another before it.");
    for (const std::string& flag : flags) Say("  ", "    ", flag + ".");
    for (const av1::ProgressFlag& flag : record_.progress.flags()) {
      if (flag.kind() == av1::PROGRESS_FLAG_KIND_RELIABLE_WORSENING) continue;
      const std::string name = av1::ProgressFlagKind_Name(flag.kind());
      Say("  ", "    ",
          absl::StrCat(Words(name, "PROGRESS_FLAG_KIND_"), " since ",
                       flag.session_number() > 0
                           ? absl::StrCat("session ", flag.session_number(), ", ")
                           : "",
                       DayOf(flag.time()), flag.holds() ? "" : ", no longer so", ": ", flag.rule(),
                       "; evidence: ", flag.evidence(), "."));
    }
  }

  void Rhythm() {
    if (record_.progress.rhythm().empty()) return;
    Section("SOCIAL RHYTHM, WEEK BY WEEK");
    for (const av1::RhythmWeek& week : record_.progress.rhythm()) {
      Line(absl::StrCat("  ", Pad(absl::StrCat("from ", DateWords(week.start_date())), 20),
                        week.has_score() ? absl::StrFormat("%.1f hits a week", week.score()) : "–",
                        week.level().empty() ? "" : absl::StrCat(", ", week.level()), ", ",
                        Many(week.diary_days(), "day", "days"), " kept"));
    }
  }

  void CaseFile() {
    Section("WHAT THE THERAPY WORKED ON");
    const nv1::Case& file = record_.case_file;
    if (file.has_determination()) {
      const nv1::Determination& determination = file.determination();
      std::map<nv1::ReasonDirection, int> reasons;
      for (const nv1::SuitabilityReason& reason : determination.reasons()) {
        ++reasons[reason.direction()];
      }
      Entry(
          "Suitability",
          absl::StrCat(
              Words(nv1::SuitabilityOutcome_Name(determination.outcome()), "SUITABILITY_OUTCOME_"),
              ", signed by ", Person(determination.clinician()), " on ",
              DateTime(determination.sign_time()), "; interpersonal trigger: ",
              Words(nv1::Answered_Name(determination.interpersonal_trigger()), "ANSWERED_"),
              "; reasons: ", reasons[nv1::REASON_DIRECTION_FOR], " for, ",
              reasons[nv1::REASON_DIRECTION_AGAINST], " against, ",
              reasons[nv1::REASON_DIRECTION_UNKNOWN], " not known"));
    } else {
      Entry("Suitability", "no determination is in force");
    }
    for (const nv1::ProblemArea& area : file.problem_areas()) {
      std::string text = Words(nv1::ProblemAreaKind_Name(area.kind()), "PROBLEM_AREA_KIND_");
      if (!area.person().empty()) absl::StrAppend(&text, ": ", area.person());
      if (area.dispute_stage() != nv1::DISPUTE_STAGE_UNSPECIFIED) {
        absl::StrAppend(&text, "; stage: ",
                        Words(nv1::DisputeStage_Name(area.dispute_stage()), "DISPUTE_STAGE_"));
      }
      if (area.has_death_date()) absl::StrAppend(&text, "; died ", DateWords(area.death_date()));
      Entry(area.rank() == nv1::FOCUS_RANK_SECONDARY ? "Second area" : "Problem area", text);
      Entry("", absl::StrCat("“", area.statement(), "”"));
    }
    if (!file.has_formulation()) {
      Entry("Formulation", "none yet");
      return;
    }
    const nv1::Formulation& formulation = file.formulation();
    std::string text =
        absl::StrCat("version ", formulation.version(), ", ",
                     Words(nv1::Agreement_Name(formulation.agreement()), "AGREEMENT_"));
    if (formulation.agreement() == nv1::AGREEMENT_MODIFIED) text += " and agreed";
    if (formulation.has_agreement_date()) {
      absl::StrAppend(&text, " on ", DateWords(formulation.agreement_date()));
    }
    Entry("Formulation", text);
    Entry("", formulation.has_onset_date() ? absl::StrCat(formulation.diagnosis(), "; since ",
                                                          DateWords(formulation.onset_date()))
                                           : formulation.diagnosis());
    Entry("", absl::StrCat("“", formulation.link(), "”"));
    if (!formulation.patient_changes().empty()) {
      Entry("", absl::StrCat("Changed by the patient: ", formulation.patient_changes()));
    }
  }

  std::string RealismWords(nv1::Realism realism) const {
    return Words(nv1::Realism_Name(realism), "REALISM_");
  }
  std::string RaterWords(nv1::RealismRater rater) const {
    switch (rater) {
      case nv1::REALISM_RATER_CLINICIAN:
        return "the clinician's view";
      case nv1::REALISM_RATER_PATIENT:
        return "the patient's view";
      case nv1::REALISM_RATER_BOTH:
        return "both agree";
      default:
        return "not rated";
    }
  }

  void Goals() {
    Section("GOALS, IN THE PATIENT'S WORDS");
    if (record_.goals.empty()) Line("  None was set.");
    int number = 0;
    for (const nv1::Goal& goal : record_.goals) {
      Say(absl::StrFormat("  %d  ", ++number), "     ", absl::StrCat("“", goal.text(), "”"));
      Say("     ",
          absl::StrCat(Words(nv1::GoalStatus_Name(goal.status()), "GOAL_STATUS_"), ", ",
                       goal.progress_percent(), " %; ", RealismWords(goal.realism()), " (",
                       RaterWords(goal.realism_rater()), ")",
                       goal.measure().empty() ? "" : absl::StrCat("; seen by: ", goal.measure())));
      const std::string& first =
          goal.revisions().empty() ? goal.text() : goal.revisions(0).old_text();
      std::string set = absl::StrCat("set ", DayOf(goal.create_time()));
      if (first != goal.text()) {
        absl::StrAppend(&set, " as “", first, "” (", RealismWords(goal.revisions(0).old_realism()),
                        ")");
      }
      Say("     · ", "       ", set);
      for (const nv1::GoalRevision& revision : goal.revisions()) GoalRevision(revision);
    }
  }

  void GoalRevision(const nv1::GoalRevision& revision) {
    std::string text;
    if (const sv1::Appointment* appointment = AppointmentOf(revision.appointment());
        appointment != nullptr && appointment->session_number() > 0) {
      text = absl::StrCat("session ", appointment->session_number(), ", ");
    }
    absl::StrAppend(&text, DayOf(revision.revise_time()), ": ");
    if (revision.old_text() != revision.new_text()) {
      absl::StrAppend(&text, "changed to “", revision.new_text(), "” (",
                      RealismWords(revision.new_realism()), "): ");
    } else if (revision.old_status() != revision.new_status()) {
      absl::StrAppend(&text, Words(nv1::GoalStatus_Name(revision.new_status()), "GOAL_STATUS_"),
                      ": ");
    }
    Say("     · ", "       ", absl::StrCat(text, revision.reason()));
  }

  static std::string KindWords(const av1::Alert& alert) {
    std::string words;
    switch (alert.kind()) {
      case av1::ALERT_KIND_CRITICAL_ANSWER:
        words = "critical answer";
        break;
      case av1::ALERT_KIND_RISK_NOT_ASKED:
        words = "risk was not asked";
        break;
      case av1::ALERT_KIND_MISSED_AFTER_RISK:
        words = "missed after a risk";
        break;
      case av1::ALERT_KIND_MANIA:
        words = "signs of mania";
        break;
      case av1::ALERT_KIND_SAFEGUARDING:
        words = "safeguarding";
        break;
      default:
        words = "alert";
        break;
    }
    if (!alert.items().empty()) {
      absl::StrAppend(&words, ", item ", absl::StrJoin(alert.items(), ", "));
    }
    return words;
  }

  std::string OwnerWords(absl::string_view owner, av1::OwnerBasis basis) const {
    switch (basis) {
      case av1::OWNER_BASIS_RESPONSIBLE:
        return absl::StrCat(Person(owner), ", the responsible clinician");
      case av1::OWNER_BASIS_COVER:
        return absl::StrCat(Person(owner), ", who covers for ", Person(record_.course.clinician()),
                            " while away");
      case av1::OWNER_BASIS_CLINIC_DUTY:
        return absl::StrCat(Person(owner), ", on duty at the clinic");
      case av1::OWNER_BASIS_ORGANIZATION_DUTY:
        return absl::StrCat(Person(owner), ", on duty for the organisation");
      default:
        return Person(owner);
    }
  }

  void Alerts() {
    Section("RISK ALERTS");
    if (record_.alerts.empty()) Line("  None was raised.");
    int number = 0;
    for (const av1::Alert& alert : record_.alerts) OneAlert(alert, ++number);
    if (record_.alerts.empty()) return;
    std::string summary = absl::StrCat(Many(static_cast<int>(record_.risk_assessments.size()),
                                            "risk assessment", "risk assessments"),
                                       " in the case file; ");
    if (record_.safety_plan) {
      absl::StrAppend(&summary, "safety plan in version ", record_.safety_plan->version(),
                      ", written by ", Person(record_.safety_plan->clinician()), " on ",
                      DateTime(record_.safety_plan->create_time()), ".");
    } else {
      summary += "no safety plan.";
    }
    Say("  ", summary);
  }

  void OneAlert(const av1::Alert& alert, int number) {
    const absl::Time raised = time::ToTime(alert.create_time());
    Line(absl::StrCat(absl::StrFormat("  %d  ", number), DateTime(raised), "  ", KindWords(alert),
                      "; ", Words(av1::AlertSeverity_Name(alert.severity()), "ALERT_SEVERITY_")));
    if (alert.ownerships().empty()) {
      Say("     ", absl::StrCat("owned by ", OwnerWords(alert.owner(), alert.owner_basis())));
    }
    bool first = true;
    for (const av1::Ownership& ownership : alert.ownerships()) {
      const std::string owner = OwnerWords(ownership.owner(), ownership.basis());
      Say("     ",
          first ? absl::StrCat("owned by ", owner)
                : absl::StrCat("then by ", owner, ", from ", DateTime(ownership.start_time())));
      first = false;
    }
    if (!alert.has_acknowledgement()) {
      Say("     ", "not acknowledged");
      return;
    }
    const absl::Time acknowledged = time::ToTime(alert.acknowledgement().acknowledge_time());
    std::string text = absl::StrCat("acknowledged by ", Person(alert.acknowledgement().clinician()),
                                    " after ", Span(acknowledged - raised));
    if (alert.has_acknowledge_before_time()) {
      const absl::Time before = time::ToTime(alert.acknowledge_before_time());
      absl::StrAppend(&text, " (", acknowledged <= before ? "within" : "later than", " the ",
                      Span(before - raised), " allowed)");
    }
    Say("     ", text);
    if (!alert.has_resolution()) {
      Say("     ", "not resolved");
      return;
    }
    Resolution(alert.resolution());
  }

  void Resolution(const av1::AlertResolution& resolution) {
    std::vector<std::string> parts;
    std::vector<std::string> times;
    for (const auto& at : resolution.contact_times()) {
      times.push_back(absl::FormatTime("%a %H:%M", time::ToTime(at), zone_));
    }
    parts.push_back(
        absl::StrCat(resolution.contact() == av1::CONTACT_MADE ? "contact made" : "contact tried",
                     " (", absl::StrJoin(times, ", "), ")"));
    parts.push_back(resolution.risk_assessment().empty() ? "no risk assessment" : "risk assessed");
    std::string plan = absl::StrCat(
        "safety plan ",
        Words(av1::SafetyPlanOutcome_Name(resolution.safety_plan()), "SAFETY_PLAN_OUTCOME_"));
    if (!resolution.safety_plan_reason().empty()) {
      absl::StrAppend(&plan, " (", resolution.safety_plan_reason(), ")");
    }
    parts.push_back(plan);
    std::vector<std::string> informed;
    for (const int who : resolution.informed()) {
      informed.push_back(Words(av1::Informed_Name(static_cast<av1::Informed>(who)), "INFORMED_"));
    }
    if (!informed.empty())
      parts.push_back(absl::StrCat("informed: ", absl::StrJoin(informed, ", ")));
    if (resolution.guardian() != av1::GUARDIAN_INFORMED_UNSPECIFIED) {
      parts.push_back(absl::StrCat(
          "guardian informed: ",
          Words(av1::GuardianInformed_Name(resolution.guardian()), "GUARDIAN_INFORMED_")));
    }
    parts.push_back(absl::StrCat("next check ", DateWords(resolution.next_check_date())));
    Say("     ",
        absl::StrCat("resolved by ", Person(resolution.clinician()), " on ",
                     DateTime(resolution.resolve_time()), ": ", absl::StrJoin(parts, "; ")));
    if (!resolution.comment().empty()) Say("     ", absl::StrCat("“", resolution.comment(), "”"));
  }

  void Notes() {
    Section("NOTES");
    std::vector<absl::Duration> spans;
    int late = 0;
    int addenda = 0;
    for (const nv1::Note& note : record_.notes) {
      addenda += note.addenda_size();
      if (note.state() != nv1::NOTE_STATE_SIGNED) continue;
      const absl::Time signed_at = time::ToTime(note.signature().sign_time());
      if (note.has_due_time() && signed_at > time::ToTime(note.due_time())) ++late;
      if (const sv1::Appointment* appointment = AppointmentOf(note.appointment())) {
        spans.push_back(signed_at - time::ToTime(appointment->end_time()));
      }
    }
    std::sort(spans.begin(), spans.end());
    const int held = static_cast<int>(Held().size());
    const int signed_notes = static_cast<int>(std::count_if(
        record_.notes.begin(), record_.notes.end(),
        [](const nv1::Note& note) { return note.state() == nv1::NOTE_STATE_SIGNED; }));
    Say("  ", absl::StrCat(Many(held, "note was", "notes were"), " due, ", signed_notes,
                           " signed, ", record_.due_notes.size(), " still to sign."));
    if (!spans.empty()) {
      const auto hours = [](absl::Duration span) {
        return absl::StrFormat("%.1f h", absl::ToDoubleHours(span));
      };
      Say("  ",
          absl::StrCat("From the end of the session to the signature: median ",
                       hours(spans[spans.size() / 2]), ", longest ", hours(spans.back()), "."));
    }
    const int overdue =
        static_cast<int>(std::count_if(record_.due_notes.begin(), record_.due_notes.end(),
                                       [](const nv1::DueNote& note) { return note.overdue(); }));
    Say("  ",
        absl::StrCat(overdue == 0 ? "None is overdue" : absl::StrCat(overdue, " overdue"), ", ",
                     late == 0 ? "none was signed late" : absl::StrCat(late, " signed late"), "; ",
                     addenda == 0 ? "no addenda" : Many(addenda, "addendum", "addenda"), "."));
  }

  void Ending() {
    Section("HOW IT ENDED");
    const sv1::Course& course = record_.course;
    if (course.has_ending_announced_date()) {
      const absl::CivilDay day = time::ToCivilDay(course.ending_announced_date());
      std::string session;
      for (const sv1::Appointment* held : Held()) {
        if (absl::ToCivilDay(time::ToTime(held->start_time()), zone_) == day) {
          session = absl::StrCat(", in session ", held->session_number());
        }
      }
      Say("  ", absl::StrCat("The ending was announced on ",
                             DateWords(course.ending_announced_date()), session, "."));
    }
    if (!course.has_end()) {
      Say("  ", absl::StrCat("It has not ended: the course is ", StateWords(), ", ",
                             course.sessions_used(), " of ", course.planned_sessions(),
                             " sessions used."));
      return;
    }
    std::string text = absl::StrCat(
        course.state() == sv1::COURSE_STATE_COMPLETED ? "Completed as planned" : "Discontinued",
        " on ", DateTime(course.end().end_time()), " after ", course.sessions_used(), " of ",
        course.planned_sessions(), " sessions");
    if (course.end().reason() != sv1::DISCONTINUE_REASON_UNSPECIFIED) {
      absl::StrAppend(
          &text, "; reason: ",
          Words(sv1::DiscontinueReason_Name(course.end().reason()), "DISCONTINUE_REASON_"));
    }
    absl::StrAppend(
        &text,
        course.end().referral() == sv1::REFERRAL_UNSPECIFIED
            ? "; no referral"
            : absl::StrCat("; referred to ",
                           Words(sv1::Referral_Name(course.end().referral()), "REFERRAL_")),
        ".");
    Say("  ", text);
  }

  const CourseRecord& record_;
  const ReportOptions& options_;
  absl::TimeZone zone_;
  std::string out_;
};

}  // namespace

std::string Render(const CourseRecord& record, const ReportOptions& options) {
  return Report(record, options).Write();
}

void SetScale(const av1::Instrument& instrument, double largest, Chart& chart) {
  chart.max = static_cast<int>(largest);
  // The bands of the total that hold whatever else is known.
  for (const av1::Figure& figure : instrument.figures()) {
    if (figure.id() != instrument.total()) continue;
    for (const av1::BandSet& set : figure.band_sets()) {
      if (!set.id().empty() || !set.when().empty()) continue;
      for (const av1::SeverityBand& band : set.bands()) {
        const int top = static_cast<int>(band.max());
        chart.bands.push_back(
            {static_cast<int>(band.min()), top, absl::AsciiStrToLower(band.label())});
        chart.max = std::max(chart.max, top);
      }
      break;
    }
  }
  const bool lower = instrument.direction() != av1::DIRECTION_HIGHER_BETTER;
  const av1::ChangeFacts& facts = instrument.change();
  if (facts.has_case_cutoff()) {
    chart.thresholds.push_back(
        {static_cast<int>(facts.case_cutoff()),
         absl::StrCat(lower ? "case ≥" : "case ≤", Figure(facts.case_cutoff()))});
  }
  if (facts.has_remission_cutoff()) {
    chart.thresholds.push_back(
        {static_cast<int>(facts.remission_cutoff()),
         absl::StrCat(lower ? "remission ≤" : "remission ≥", Figure(facts.remission_cutoff()))});
  }
}

sv1::Phase PhaseOf(const sv1::Protocol& protocol, int planned_sessions, int number) {
  const sv1::ProtocolPhase* found = nullptr;
  for (const sv1::ProtocolPhase& phase : protocol.phases()) {
    const int length = phase.last_session() - phase.first_session() + 1;
    if (phase.phase() == sv1::PHASE_TERMINATION) {
      if (planned_sessions > 0 && number > planned_sessions - length) return sv1::PHASE_TERMINATION;
    } else if (found == nullptr || number >= phase.first_session()) {
      found = &phase;
    }
  }
  return found == nullptr ? sv1::PHASE_UNSPECIFIED : found->phase();
}

}  // namespace rapport::story
