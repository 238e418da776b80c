#include "services/notes/domain/release_rules.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"

namespace rapport::notes {
namespace {

constexpr absl::Duration kShortestBreakGlass = absl::Minutes(1);

bool IsBlank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

bool IsReasonToRelease(v1::NoteReleaseReason reason) {
  return reason == v1::NOTE_RELEASE_REASON_REVIEWED ||
         reason == v1::NOTE_RELEASE_REASON_EACH_SUBJECT_CONSENTED ||
         reason == v1::NOTE_RELEASE_REASON_REDACTED;
}

bool IsReasonToHold(v1::NoteReleaseReason reason) {
  return reason == v1::NOTE_RELEASE_REASON_DANGER ||
         reason == v1::NOTE_RELEASE_REASON_THIRD_PERSON ||
         reason == v1::NOTE_RELEASE_REASON_MINOR ||
         reason == v1::NOTE_RELEASE_REASON_OTHER_SUBJECTS ||
         reason == v1::NOTE_RELEASE_REASON_LEGAL;
}

absl::TimeZone ZoneOf(const scheduling::v1::CourseEvent& course) {
  const absl::StatusOr<absl::TimeZone> zone = time::LoadZone(course.patient_time_zone());
  return zone.ok() ? *zone : absl::UTCTimeZone();
}

}  // namespace

absl::CivilDay DayOf(const scheduling::v1::CourseEvent& course, absl::Time now) {
  return absl::ToCivilDay(now, ZoneOf(course));
}

absl::Time MajorityStart(const scheduling::v1::CourseEvent& course) {
  if (!course.has_majority_on()) return absl::InfiniteFuture();
  return absl::FromCivil(time::ToCivilDay(course.majority_on()), ZoneOf(course));
}

bool IsMinor(const scheduling::v1::CourseEvent& course, absl::CivilDay day) {
  if (!course.has_majority_on()) return course.has_may_consent_from();
  return day < time::ToCivilDay(course.majority_on());
}

v1::NoteRelease DefaultRelease(const scheduling::v1::CourseEvent& course, bool safety_flag,
                               absl::Time sign_time, const v1::AccessSettings& settings) {
  v1::NoteRelease release;
  const absl::CivilDay signed_on = DayOf(course, sign_time);
  const bool alone = course.kind() != scheduling::v1::COURSE_KIND_CONJOINT &&
                     course.kind() != scheduling::v1::COURSE_KIND_GROUP && course.group().empty();
  if (alone && !safety_flag && !IsMinor(course, signed_on)) {
    release.set_state(v1::NOTE_RELEASE_STATE_RELEASED);
    release.set_reason(v1::NOTE_RELEASE_REASON_ON_SIGNING);
  } else {
    release.set_state(v1::NOTE_RELEASE_STATE_HELD);
    release.set_reason(v1::NOTE_RELEASE_REASON_AWAITS_AUTHOR);
    *release.mutable_review_date() = time::ToDate(signed_on + settings.hold_review_default_days());
  }
  return release;
}

absl::Status CheckNoteRelease(const v1::NoteRelease& release, absl::CivilDay today,
                              const v1::AccessSettings& settings) {
  const bool held = release.state() == v1::NOTE_RELEASE_STATE_HELD;
  std::vector<errors::FieldViolation> violations;
  if (held ? !IsReasonToHold(release.reason()) : !IsReasonToRelease(release.reason())) {
    violations.push_back({"release.reason", "is not one that a caller gives for this state"});
  }
  if (held != release.has_review_date()) {
    violations.push_back({"release.review_date", "is needed to hold a note, and only then"});
  } else if (held) {
    const absl::CivilDay review = time::ToCivilDay(release.review_date());
    if (review <= today || review > today + settings.hold_review_max_days()) {
      violations.push_back(
          {"release.review_date", absl::StrCat("must be after today, by at most ",
                                               settings.hold_review_max_days(), " days")});
    }
  }
  if ((release.reason() == v1::NOTE_RELEASE_REASON_REDACTED) != release.has_redacted_content()) {
    violations.push_back({"release.redacted_content", "is needed for REDACTED, and only then"});
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  return absl::OkStatus();
}

absl::Status CheckSubjects(const v1::NoteRelease& release, const std::vector<std::string>& others,
                           const std::vector<std::string>& consented) {
  if (release.state() != v1::NOTE_RELEASE_STATE_RELEASED ||
      release.reason() == v1::NOTE_RELEASE_REASON_REDACTED) {
    return absl::OkStatus();
  }
  const bool each = std::all_of(others.begin(), others.end(), [&](const std::string& other) {
    return std::find(consented.begin(), consented.end(), other) != consented.end();
  });
  if (each) return absl::OkStatus();
  return errors::FailedPrecondition(
      "SUBJECTS_NOT_CONSENTED",
      "The note speaks of others who have not consented (JOINT_NOTES). Redact it for this patient, "
      "or record their consents.");
}

absl::Status CheckConsent(const v1::Consent& consent, absl::Time now) {
  std::vector<errors::FieldViolation> violations;
  const bool tells_others = consent.purpose() == v1::CONSENT_PURPOSE_DISCLOSURE ||
                            consent.purpose() == v1::CONSENT_PURPOSE_LEGAL_PROCEEDINGS;
  if (tells_others && IsBlank(consent.recipient())) {
    violations.push_back({"consent.recipient", "is needed for this purpose"});
  }
  if (tells_others && IsBlank(consent.scope())) {
    violations.push_back({"consent.scope", "is needed for this purpose"});
  }
  if (consent.has_expire_time()) {
    if (time::ToTime(consent.expire_time()) <= now) {
      violations.push_back({"consent.expire_time", "must be in the future"});
    }
  } else if (tells_others) {
    violations.push_back({"consent.expire_time", "is needed for this purpose"});
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  return absl::OkStatus();
}

v1::ConsentState ConsentStateAt(const v1::Consent& consent, absl::Time now) {
  if (consent.has_revoke_time()) return v1::CONSENT_STATE_REVOKED;
  if (consent.has_expire_time() && time::ToTime(consent.expire_time()) <= now) {
    return v1::CONSENT_STATE_EXPIRED;
  }
  return v1::CONSENT_STATE_ACTIVE;
}

GuardianSight SightOf(const v1::Guardian& guardian, const scheduling::v1::CourseEvent& course,
                      bool minor_consents, absl::CivilDay today) {
  const auto limited = [&](v1::CourtLimit limit) {
    return std::find(guardian.court_limits().begin(), guardian.court_limits().end(), limit) !=
           guardian.court_limits().end();
  };
  GuardianSight sight;
  if (!course.has_majority_on() || !course.has_may_consent_from() || guardian.erased() ||
      guardian.withdrawn() ||
      guardian.authority() == v1::GUARDIAN_AUTHORITY_PARENT_WITHOUT_CUSTODY ||
      guardian.authority() == v1::GUARDIAN_AUTHORITY_UNSPECIFIED ||
      limited(v1::COURT_LIMIT_NO_INFORMATION) || !IsMinor(course, today)) {
    return sight;
  }
  if (guardian.has_end_date() && today > time::ToCivilDay(guardian.end_date())) return sight;
  if (today >= time::ToCivilDay(course.may_consent_from()) && !minor_consents) return sight;
  sight.open = true;
  sight.whereabouts = !limited(v1::COURT_LIMIT_NO_WHEREABOUTS);
  return sight;
}

absl::Status CheckBreakGlass(const v1::BreakGlass& wanted, const v1::AccessSettings& settings) {
  std::vector<errors::FieldViolation> violations;
  if (IsBlank(wanted.reason())) {
    violations.push_back({"break_glass.reason", "must not be blank"});
  }
  const absl::Duration longest = time::ToDuration(settings.break_glass_max());
  if (wanted.has_duration() && (time::ToDuration(wanted.duration()) < kShortestBreakGlass ||
                                time::ToDuration(wanted.duration()) > longest)) {
    violations.push_back({"break_glass.duration",
                          absl::StrCat("must be a minute to ", absl::FormatDuration(longest))});
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  return absl::OkStatus();
}

absl::Duration BreakGlassDuration(const v1::BreakGlass& wanted,
                                  const v1::AccessSettings& settings) {
  return time::ToDuration(wanted.has_duration() ? wanted.duration() : settings.break_glass_max());
}

absl::Status CheckPsychotherapyRelease(const v1::PsychotherapyRelease& release, absl::Time now,
                                       const v1::AccessSettings& settings) {
  std::vector<errors::FieldViolation> violations;
  const bool training = release.basis() == v1::PSYCHOTHERAPY_RELEASE_BASIS_OWN_TRAINING;
  if (release.recipient().empty() == IsBlank(release.outside_recipient())) {
    violations.push_back({"release.recipient", "needs to be set, or outside_recipient, not both"});
  } else if (training && release.recipient().empty()) {
    violations.push_back({"release.recipient", "must be inside the organisation for its training"});
  }
  if (!training && release.basis() != v1::PSYCHOTHERAPY_RELEASE_BASIS_SERIOUS_THREAT &&
      IsBlank(release.evidence())) {
    violations.push_back({"release.evidence", "is needed for this basis"});
  }
  if (IsBlank(release.reason())) violations.push_back({"release.reason", "must not be blank"});
  const absl::Time expiry = time::ToTime(release.expire_time());
  if (expiry <= now || expiry > now + absl::Hours(24) * settings.psychotherapy_release_max_days()) {
    violations.push_back(
        {"release.expire_time", absl::StrCat("must be in the future, by at most ",
                                             settings.psychotherapy_release_max_days(), " days")});
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  return absl::OkStatus();
}

std::string RedisclosureNotice(const std::vector<v1::CaseLabel>& labels,
                               const v1::AccessSettings& settings) {
  std::string text;
  for (const v1::RedisclosureNotice& notice : settings.notices()) {
    if (std::find(labels.begin(), labels.end(), notice.label()) == labels.end()) continue;
    absl::StrAppend(&text, text.empty() ? "" : " ", notice.text());
  }
  return text;
}

v1::ReleasedNote AsReleased(const v1::Note& note) {
  v1::ReleasedNote released;
  released.set_note(note.name());
  released.set_appointment(note.appointment());
  released.set_author(note.author());
  *released.mutable_sign_time() = note.signature().sign_time();
  *released.mutable_content() = note.content();
  for (const v1::Addendum& addendum : note.addenda()) released.add_addenda(addendum.text());
  return released;
}

v1::PatientGoal AsPatientGoal(const v1::Goal& goal) {
  v1::PatientGoal shown;
  shown.set_text(goal.text());
  if (goal.has_target_date()) *shown.mutable_target_date() = goal.target_date();
  shown.set_status(goal.status());
  shown.set_progress_percent(goal.progress_percent());
  return shown;
}

v1::PatientFormulation AsPatientFormulation(const v1::Formulation& formulation) {
  v1::PatientFormulation shown;
  if (formulation.agreement() != v1::AGREEMENT_AGREED &&
      formulation.agreement() != v1::AGREEMENT_MODIFIED) {
    return shown;
  }
  shown.set_diagnosis(formulation.diagnosis());
  shown.set_link(formulation.link());
  if (formulation.has_agreement_date()) {
    *shown.mutable_agreement_date() = formulation.agreement_date();
  }
  return shown;
}

}  // namespace rapport::notes
