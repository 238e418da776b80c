#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_RELEASE_RULES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_RELEASE_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/notes/v1/psychotherapy_note.pb.h"
#include "rapport/notes/v1/release.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// What patients, guardians and others outside the treating circle may see: clinical rules 2.6 and
// 2.7, and the notes on release in the security page. Errors name fields and never quote text.
namespace rapport::notes {

// The civil day of `now` where the patient lives; UTC where the zone is not known.
absl::CivilDay DayOf(const scheduling::v1::CourseEvent& course, absl::Time now);

// When the day of the patient's majority begins where they live; InfiniteFuture where the registry
// has not told it.
absl::Time MajorityStart(const scheduling::v1::CourseEvent& course);

// Whether the patient is a minor on `day`: their majority is still to come, or only a day of
// consent is recorded, which none but minors have. Without either they are taken as of age, and no
// guardian sees anything.
bool IsMinor(const scheduling::v1::CourseEvent& course, absl::CivilDay day);

// What holds for a note signed at `sign_time` as long as nobody has decided (clinical rule 2.7):
// state, reason and, held, the day by which it is to be decided.
v1::NoteRelease DefaultRelease(const scheduling::v1::CourseEvent& course, bool safety_flag,
                               absl::Time sign_time, const v1::AccessSettings& settings);

// Whether `release` is a decision: its reason fits its state, a held one has a review date from
// `today` on within the settings, a redacted one its content and no other.
//   kInvalidArgument  "release.…"
absl::Status CheckNoteRelease(const v1::NoteRelease& release, absl::CivilDay today,
                              const v1::AccessSettings& settings);

// Whether the decision may show the note whole: each of `others`, the subjects besides the patient,
// has a consent in force among `consented`; for held and redacted ones always.
//   kFailedPrecondition SUBJECTS_NOT_CONSENTED
absl::Status CheckSubjects(const v1::NoteRelease& release, const std::vector<std::string>& others,
                           const std::vector<std::string>& consented);

// What the purpose needs: DISCLOSURE and LEGAL_PROCEEDINGS say to whom, what and until when; an
// expiry lies after `now`.
//   kInvalidArgument  "consent.…"
absl::Status CheckConsent(const v1::Consent& consent, absl::Time now);

// Where the consent stands at `now`.
v1::ConsentState ConsentStateAt(const v1::Consent& consent, absl::Time now);

// What one guardian sees at `today`.
struct GuardianSight {
  bool open = false;         // else nothing, and not that there is anything
  bool whereabouts = false;  // sessions and clinic as well
};
// Closed without both dates, from majority on, from the day of consent on unless the minor has
// consented (`minor_consents`), for who is withdrawn or past their last day, for a parent without
// custody, and where a court forbids all information. Clinical rule 2.6.
GuardianSight SightOf(const v1::Guardian& guardian, const scheduling::v1::CourseEvent& course,
                      bool minor_consents, absl::CivilDay today);

//   kInvalidArgument  "break_glass.…": the reason is blank, the duration is not a minute to the
//   most
//                     that the settings allow
absl::Status CheckBreakGlass(const v1::BreakGlass& wanted, const v1::AccessSettings& settings);

// How long the emergency access lasts: what is wanted, else the settings' longest.
absl::Duration BreakGlassDuration(const v1::BreakGlass& wanted, const v1::AccessSettings& settings);

// What the basis needs: one recipient; inside for training; the evidence for all but training and
// threat; an expiry after `now` within the settings.
//   kInvalidArgument  "release.…"
absl::Status CheckPsychotherapyRelease(const v1::PsychotherapyRelease& release, absl::Time now,
                                       const v1::AccessSettings& settings);

// What must be shown with whatever leaves a case with `labels`; empty: nothing.
std::string RedisclosureNotice(const std::vector<v1::CaseLabel>& labels,
                               const v1::AccessSettings& settings);

// Allowlists: each copies what the view names and nothing else.

v1::ReleasedNote AsReleased(const v1::Note& note);
v1::PatientGoal AsPatientGoal(const v1::Goal& goal);
// Unset fields where the patient has not agreed to it.
v1::PatientFormulation AsPatientFormulation(const v1::Formulation& formulation);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_RELEASE_RULES_H_
