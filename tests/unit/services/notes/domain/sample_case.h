#ifndef RAPPORT_TESTS_UNIT_SERVICES_NOTES_DOMAIN_SAMPLE_CASE_H_
#define RAPPORT_TESTS_UNIT_SERVICES_NOTES_DOMAIN_SAMPLE_CASE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/time/convert.h"
#include "google/protobuf/text_format.h"
#include "services/notes/domain/case_file.h"
#include "services/notes/domain/entries.h"

// A dispute after a move, at its ninth session of sixteen; or a couple's case of the same.
namespace rapport::notes::testing {

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

inline constexpr char kPatient[] = "organizations/acme/patients/p1";
inline constexpr char kPartner[] = "organizations/acme/patients/p2";
inline constexpr char kAda[] = "organizations/acme/clinicians/ada";
inline constexpr char kCase[] = "organizations/acme/cases/c1";

inline absl::Time Day(int64_t year, int month, int day, int hour = 16) {
  return absl::FromCivil(absl::CivilHour(year, month, day, hour), absl::UTCTimeZone());
}

inline std::string Name(const std::string& collection, const std::string& id) {
  return absl::StrCat(kCase, "/", collection, "/", id);
}

class SampleCase {
 public:
  CaseFile file;

  SampleCase() {
    file.organization_id = "acme";
    file.zone = absl::UTCTimeZone();
    file.now = Day(2026, 5, 4, 12);
    file.record = Text<v1::Case>(
        absl::StrCat("name: '", kCase, "' course: 'organizations/acme/courses/c1' patient: '",
                     kPatient, "' clinician: '", kAda, "' formulation_due_session: 3"));
    *file.record.mutable_create_time() = time::ToTimestamp(Day(2026, 3, 1));
    *file.record.mutable_update_time() = time::ToTimestamp(Day(2026, 3, 20));
    file.course = Text<scheduling::v1::CourseEvent>(absl::StrCat(
        "state: COURSE_STATE_ACTIVE patient: '", kPatient, "' clinician: '", kAda,
        "' protocol: 'protocols/classic/revisions/1' planned_sessions: 16 cadence_days: 7 "
        "assessment_sessions: 3 measures { instrument: 'phq-9' every_sessions: 1 } "
        "phases { phase: PHASE_INITIAL first_session: 1 last_session: 3 } "
        "phases { phase: PHASE_MIDDLE first_session: 4 last_session: 13 } "
        "phases { phase: PHASE_TERMINATION first_session: 14 last_session: 16 }"));
    // Mondays; the ninth is today.
    for (int i = 0; i < 16; ++i) {
      AddSitting(absl::StrCat("a", i + 1), Day(2026, 3, 9) + absl::Hours(24 * 7 * i), i + 1,
                 i < 8 ? scheduling::v1::APPOINTMENT_STATE_COMPLETED
                       : scheduling::v1::APPOINTMENT_STATE_BOOKED);
    }
  }

  void AddSitting(const std::string& id, absl::Time start, int number,
                  scheduling::v1::AppointmentState state) {
    Sitting& sitting = file.sittings.emplace_back();
    sitting.appointment = absl::StrCat("organizations/acme/appointments/", id);
    sitting.number = number;
    sitting.state.set_state(state);
    sitting.state.set_clinician(kAda);
    sitting.state.set_patient(kPatient);
    *sitting.state.mutable_start_time() = time::ToTimestamp(start);
    *sitting.state.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(50));
  }

  void MakeConjoint() {
    file.record.set_partner(kPartner);
    file.course.set_partner(kPartner);
    file.course.set_protocol("protocols/conjoint/revisions/1");
  }

  // Of a couple, `more` may say about and private.
  v1::Entry& AddEntry(const std::string& id, const std::string& text,
                      absl::Time when = Day(2026, 3, 10)) {
    v1::Entry entry = Text<v1::Entry>(text);
    entry.set_name(Name("entries", id));
    entry.set_kind(KindOf(entry));
    entry.set_version(1);
    entry.set_clinician(kAda);
    entry.set_open(IsOpen(entry));
    *entry.mutable_create_time() = time::ToTimestamp(when);
    *entry.mutable_update_time() = time::ToTimestamp(when);
    return file.entries.emplace_back(std::move(entry));
  }

  v1::Note& AddNote(const std::string& id, int session, const std::string& content) {
    v1::Note note;
    note.set_name(Name("notes", id));
    note.set_appointment(absl::StrCat("organizations/acme/appointments/a", session));
    note.set_session_number(session);
    note.set_author(kAda);
    note.set_state(v1::NOTE_STATE_SIGNED);
    note.set_kind(v1::NOTE_KIND_INDIVIDUAL);
    note.add_subjects(kPatient);
    note.set_version(1);
    *note.mutable_content() = Text<v1::NoteContent>(content);
    v1::Signature& signature = *note.mutable_signature();
    signature.set_clinician(kAda);
    signature.set_meaning(v1::SIGNATURE_MEANING_AUTHOR);
    signature.set_ed25519(std::string(64, 's'));
    *signature.mutable_sign_time() =
        time::ToTimestamp(Day(2026, 3, 9, 18) + absl::Hours(24 * 7 * (session - 1)));
    *note.mutable_session_time() =
        time::ToTimestamp(Day(2026, 3, 9) + absl::Hours(24 * 7 * (session - 1)));
    return file.notes.emplace_back(std::move(note));
  }

  assessment::v1::InstrumentProgress& AddSeries(const std::string& instrument,
                                                const std::vector<double>& totals,
                                                const std::string& patient = kPatient) {
    assessment::v1::Progress* of = nullptr;
    for (assessment::v1::Progress& progress : file.progress) {
      if (progress.patient() == patient) of = &progress;
    }
    if (of == nullptr) {
      of = &file.progress.emplace_back();
      of->set_patient(patient);
    }
    assessment::v1::InstrumentProgress& series = *of->add_instruments();
    series.set_instrument("instruments/" + instrument);
    series.set_direction(assessment::v1::DIRECTION_LOWER_BETTER);
    for (size_t i = 0; i < totals.size(); ++i) {
      assessment::v1::ProgressPoint& point = *series.add_points();
      point.set_assessment(absl::StrCat("organizations/acme/assessments/", instrument, "-", i + 1));
      *point.mutable_answer_time() =
          time::ToTimestamp(Day(2026, 3, 9, 15) + absl::Hours(24 * 7 * static_cast<int>(i)));
      point.set_total(totals[i]);
      point.set_complete(true);
    }
    if (!totals.empty()) {
      *series.mutable_baseline() = series.points(0);
      series.mutable_change()->set_points(totals.back() - totals.front());
    }
    return series;
  }

  assessment::v1::Assessment& AddForm(const std::string& id, const std::string& instrument,
                                      const std::vector<int>& answers, int session,
                                      const std::string& patient = kPatient) {
    assessment::v1::Assessment form;
    form.set_name("organizations/acme/assessments/" + id);
    form.set_patient(patient);
    form.set_instrument(absl::StrCat("instruments/", instrument, "/revisions/1"));
    form.set_appointment(absl::StrCat("organizations/acme/appointments/a", session));
    *form.mutable_answer_time() =
        time::ToTimestamp(Day(2026, 3, 9, 15) + absl::Hours(24 * 7 * (session - 1)));
    double total = 0;
    for (size_t i = 0; i < answers.size(); ++i) {
      assessment::v1::Answer& answer = *form.add_answers();
      answer.set_item(static_cast<int>(i) + 1);
      answer.set_value(answers[i]);
      total += answers[i];
    }
    form.mutable_score()->set_total(total);
    form.mutable_score()->set_complete(true);
    return file.assessments.emplace_back(std::move(form));
  }
};

}  // namespace rapport::notes::testing

#endif  // RAPPORT_TESTS_UNIT_SERVICES_NOTES_DOMAIN_SAMPLE_CASE_H_
