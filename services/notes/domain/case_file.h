#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_CASE_FILE_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_CASE_FILE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/type/date.pb.h"
#include "rapport/assessment/v1/alert.pb.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/assessment/v1/instrument.pb.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/notes/v1/release.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// What a case comes to when it is looked over: its records, and what the other services tell. What
// the reviews and documents are drawn from; each loads the parts that it needs, and the others are
// empty.
namespace rapport::notes {

// An appointment of the course.
struct Sitting {
  std::string appointment;
  scheduling::v1::AppointmentEvent state;
  int number = 0;  // 0: does not count
  absl::Time start() const;
  absl::Time end() const;
};

// Time off of the clinician who is responsible for the course, [start, end).
struct Leave {
  absl::Time start;
  absl::Time end;
};

struct CaseFile {
  std::string organization_id;
  v1::Case record;
  scheduling::v1::CourseEvent course;
  std::vector<Sitting> sittings;  // by start
  std::vector<Leave> leave;       // not over yet, by start
  absl::TimeZone zone;            // the patient's
  absl::Time now;
  std::vector<v1::Entry> entries;                    // newest versions, not voided, oldest first
  std::vector<v1::Goal> goals;                       // oldest first
  std::vector<v1::Formulation> formulations;         // newest first
  std::vector<v1::Determination> determinations;     // newest first
  std::vector<v1::RiskAssessment> risk_assessments;  // newest first
  std::optional<v1::SafetyPlan> safety_plan;         // the newest
  std::vector<v1::PartnerScreen> screens;            // the newest of each partner
  std::vector<v1::Note> notes;                       // signed, by session
  v1::CaseLabels labels;
  std::vector<v1::Consent> consents;
  std::vector<std::string> consented;  // patients who let the other be shown joint notes
  std::vector<assessment::v1::Assessment> assessments;            // that count, by answer time
  std::vector<assessment::v1::Progress> progress;                 // one for each respondent
  std::vector<assessment::v1::Alert> alerts;                      // not resolved
  std::map<std::string, assessment::v1::Instrument> instruments;  // by revision's name
  std::vector<std::string> unavailable_sources;
  bool shortened = false;  // there is more than was loaded

  bool conjoint() const { return !record.partner().empty(); }
  absl::CivilDay today() const { return absl::ToCivilDay(now, zone); }
  absl::CivilDay DayOf(absl::Time time) const { return absl::ToCivilDay(time, zone); }
  // Patient, and of a couple partner.
  std::vector<std::string> Patients() const;
};

// What of a file the documents of `patient` are made of. Of a couple the identified patient alone
// is told of goals, focus, determination, formulation and risk: the partner's has none of them.
CaseFile FileOf(const CaseFile& file, absl::string_view patient);

// Whose view of a case file is told.
struct View {
  std::string about;         // of a couple one partner; empty: what is of both
  bool with_private = true;  // also what is private to `about`; of a couple without it nothing is
};

// Whether an entry is in the view. Of an individual case private ones are with_private's; of a
// couple nothing that is private to the other, or to those who treat, ever is.
bool IsIn(const CaseFile& file, const View& view, const v1::Entry& entry);

// The entries of a kind in a view, oldest first. Erased ones are left out.
std::vector<const v1::Entry*> EntriesIn(const CaseFile& file, const View& view, v1::EntryKind kind);

// The entry of this name; null: none.
const v1::Entry* FindEntry(const CaseFile& file, absl::string_view name);

// Whom a relationship entry is of, by what they are to the patient, as "a friend"; "someone".
// Names nobody.
std::string Someone(const CaseFile& file, absl::string_view relationship);

// The sitting under way, else the next one that is booked; null: none.
const Sitting* NextSitting(const CaseFile& file);
const Sitting* FindSitting(const CaseFile& file, absl::string_view appointment);
// It was held, or is being held.
bool WasHeld(const Sitting& sitting);
// Nobody came, or it was cancelled late.
bool WasMissed(const Sitting& sitting);

// "3 March 2026", "March 2026", "2026"; empty without a year.
std::string DateText(const google::type::Date& date);
std::string DateText(absl::CivilDay day);
// The first day that it can mean; nothing without a year.
std::optional<absl::CivilDay> EarliestDay(const google::type::Date& date);

// "ROLE_DISPUTE" of an enum's value and its prefix, in words: "Role dispute".
std::string InWords(absl::string_view enum_name, absl::string_view prefix);

// 16, 4.5.
std::string NumberText(double number);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_CASE_FILE_H_
