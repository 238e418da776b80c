#include "services/scheduling/domain/courses.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/booking.h"

namespace rapport::scheduling {
namespace {

constexpr int kDaysPerWeek = 7;

absl::Status RequireState(const v1::Course& course, std::initializer_list<v1::CourseState> states) {
  if (std::find(states.begin(), states.end(), course.state()) != states.end()) {
    return absl::OkStatus();
  }
  return WrongCourseState(course.state());
}

template <class Values, class Value>
bool Contains(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// In whole years; the day of birth is not known, so the month of birth counts as reached.
int AgeOn(absl::CivilDay today, const v1::PatientParticulars& particulars) {
  const int years = static_cast<int>(today.year()) - particulars.birth_year();
  return today.month() < particulars.birth_month() ? years - 1 : years;
}

bool AgeFits(const v1::PatientParticulars& particulars, const v1::Protocol& protocol,
             absl::CivilDay on) {
  const int age = AgeOn(on, particulars);
  return age >= protocol.min_age() && (protocol.max_age() == 0 || age <= protocol.max_age());
}

// Keeps `reason` where it is needed.
absl::Status OverrideAge(v1::Course& course, const v1::Protocol& protocol, absl::CivilDay today,
                         v1::AgeOverrideReason reason) {
  course.clear_age_override_reason();
  if (AgeFits(course.patient_particulars(), protocol, today)) return absl::OkStatus();
  if (reason == v1::AGE_OVERRIDE_REASON_UNSPECIFIED) {
    return errors::FailedPrecondition(
        "AGE_OUTSIDE_PROTOCOL",
        "The patient's age is outside the protocol's band; choose another protocol, or let the "
        "therapist give an age_override_reason.",
        {{"min_age", absl::StrCat(protocol.min_age())},
         {"max_age", absl::StrCat(protocol.max_age())}});
  }
  course.set_age_override_reason(reason);
  return absl::OkStatus();
}

// Keeps `reason` where one course more needs it.
absl::Status OverrideCaseload(v1::Course& course, const CourseSetting& setting,
                              v1::CaseloadOverrideReason reason) {
  course.clear_caseload_override_reason();
  const v1::Clinician& clinician = setting.clinician;
  const bool full =
      clinician.caseload_cap() > 0 && setting.open_courses >= clinician.caseload_cap();
  if (!full && !clinician.closed_to_new_courses()) return absl::OkStatus();
  if (reason != v1::CASELOAD_OVERRIDE_REASON_UNSPECIFIED) {
    course.set_caseload_override_reason(reason);
    return absl::OkStatus();
  }
  constexpr absl::string_view kAdvice =
      "choose another, or let the clinic's manager give a caseload_override_reason.";
  if (!full) {
    return errors::FailedPrecondition("CLOSED_TO_NEW_COURSES",
                                      absl::StrCat("The clinician takes no new courses; ", kAdvice),
                                      {{"clinician", clinician.name()}});
  }
  return errors::FailedPrecondition(
      "CASELOAD_CAP_REACHED",
      absl::StrCat("The clinician has ", setting.open_courses, " open courses of at most ",
                   clinician.caseload_cap(), "; ", kAdvice),
      {{"clinician", clinician.name()},
       {"open_courses", absl::StrCat(setting.open_courses)},
       {"caseload_cap", absl::StrCat(clinician.caseload_cap())}});
}

absl::Status CheckConditions(const v1::Course& course) {
  std::set<int> named;
  for (int i = 0; i < course.conditions_size(); ++i) {
    const v1::Condition condition = course.conditions(i);
    if (condition == v1::CONDITION_UNSPECIFIED || !named.insert(condition).second) {
      return errors::InvalidArgument(absl::StrCat("course.conditions[", i, "]"),
                                     "must be a condition, each named once");
    }
  }
  return absl::OkStatus();
}

// Who is treated, as fits the kind of course.
absl::Status CheckParties(const v1::Course& course, v1::CourseKind kind, absl::CivilDay today) {
  RETURN_IF_ERROR(
      CheckParticulars(course.patient_particulars(), "course.patient_particulars", today));
  if (kind != v1::COURSE_KIND_CONJOINT) {
    constexpr absl::string_view kOnly = "only for a protocol of kind CONJOINT";
    if (!course.partner().empty()) return errors::InvalidArgument("course.partner", kOnly);
    if (course.has_partner_particulars()) {
      return errors::InvalidArgument("course.partner_particulars", kOnly);
    }
    return absl::OkStatus();
  }
  if (course.partner().empty()) {
    return errors::InvalidArgument("course.partner", "is required for a protocol for couples");
  }
  if (course.partner() == course.patient()) {
    return errors::InvalidArgument("course.partner", "must be another than the patient");
  }
  if (!course.has_partner_particulars()) {
    return errors::InvalidArgument("course.partner_particulars",
                                   "is required for a protocol for couples");
  }
  return CheckParticulars(course.partner_particulars(), "course.partner_particulars", today);
}

absl::Status CheckPlanned(int planned, int least, int most) {
  if (least <= planned && planned <= most) return absl::OkStatus();
  return errors::FailedPrecondition(
      "PLANNED_SESSIONS_OUT_OF_BOUNDS", absl::StrCat("Plan ", least, " to ", most, " sessions."),
      {{"min_sessions", absl::StrCat(least)}, {"max_sessions", absl::StrCat(most)}});
}

absl::Status RequireAtClinic(const v1::Clinician& clinician, const v1::Course& course) {
  if (Contains(clinician.clinics(), course.clinic())) return absl::OkStatus();
  return errors::FailedPrecondition("CLINICIAN_NOT_AT_CLINIC",
                                    "The clinician does not work at that clinic; choose another.",
                                    {{"clinician", clinician.name()}, {"clinic", course.clinic()}});
}

bool EvidenceIsWeak(const v1::Course& course, const v1::Protocol& protocol) {
  if (course.conditions().empty()) return protocol.evidence_grade() == v1::EVIDENCE_GRADE_WEAK;
  return std::any_of(course.conditions().begin(), course.conditions().end(), [&](int condition) {
    return GradeFor(protocol, static_cast<v1::Condition>(condition)) == v1::EVIDENCE_GRADE_WEAK;
  });
}

// All that is kept with the course, in the order of the enum.
void SetWarnings(v1::Course& course, const CourseSetting& setting, bool age_fits) {
  const auto& protocol = setting.protocol;
  course.clear_warnings();
  const auto warn = [&](bool of, v1::CourseWarning warning) {
    if (of) course.add_warnings(warning);
  };
  warn(!age_fits, v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL);
  warn(!Contains(setting.clinician.certified_protocols(), ProtocolId(protocol.name())),
       v1::COURSE_WARNING_CLINICIAN_NOT_CERTIFIED);
  warn(!TreatsAny(protocol, course.conditions()), v1::COURSE_WARNING_CONDITION_OUTSIDE_PROTOCOL);
  warn(course.maintenance().remission_needed_medication(),
       v1::COURSE_WARNING_MAINTENANCE_AFTER_MEDICATION);
  warn(EvidenceIsWeak(course, protocol), v1::COURSE_WARNING_WEAK_EVIDENCE);
  const auto abroad = [&](const v1::PatientParticulars& person) {
    return !MayTreatIn(setting.clinician, setting.clinic, person.jurisdiction());
  };
  warn(abroad(course.patient_particulars()) ||
           (course.has_partner_particulars() && abroad(course.partner_particulars())),
       v1::COURSE_WARNING_JURISDICTION);
  warn(course.caseload_override_reason() != v1::CASELOAD_OVERRIDE_REASON_UNSPECIFIED,
       v1::COURSE_WARNING_OVER_CASELOAD_CAP);
}

absl::Status RequireHeld(int held, const v1::Protocol& protocol) {
  if (held >= protocol.min_sessions()) return absl::OkStatus();
  return errors::FailedPrecondition(
      "TOO_FEW_SESSIONS",
      absl::StrCat("Of at least ", protocol.min_sessions(), " sessions ", held,
                   " were held; discontinue the course instead."),
      {{"sessions_held", absl::StrCat(held)},
       {"min_sessions", absl::StrCat(protocol.min_sessions())}});
}

int IndexOf(absl::Span<const v1::ProtocolPhase> phases, v1::Phase phase) {
  for (size_t i = 0; i < phases.size(); ++i) {
    if (phases[i].phase() == phase) return static_cast<int>(i);
  }
  return -1;
}

absl::Status MaintenanceNotOffered(const v1::Protocol& protocol) {
  const v1::MaintenanceRule& rule = protocol.maintenance();
  return errors::FailedPrecondition(
      "MAINTENANCE_NOT_OFFERED",
      protocol.has_maintenance()
          ? absl::StrCat("The protocol offers maintenance every ",
                         absl::StrJoin(rule.cadence_days(), ", "), " days for at most ",
                         rule.max_months(), " months.")
          : std::string("The protocol offers no maintenance; complete the course instead."),
      {{"cadence_days", absl::StrJoin(rule.cadence_days(), ",")},
       {"max_months", absl::StrCat(rule.max_months())}});
}

void End(v1::Course& course, v1::CourseState state, v1::Referral referral, absl::Time now) {
  course.set_state(state);
  course.clear_group();
  course.clear_seat();
  course.mutable_end()->set_referral(referral);
  *course.mutable_end()->mutable_end_time() = time::ToTimestamp(now);
}

}  // namespace

absl::Status CheckParticulars(const v1::PatientParticulars& particulars, absl::string_view path,
                              absl::CivilDay today) {
  const absl::CivilMonth born(particulars.birth_year(), particulars.birth_month());
  if (born > absl::CivilMonth(today)) {
    return errors::InvalidArgument(absl::StrCat(path, ".birth_year"), "must not be in the future");
  }
  if (particulars.has_majority_on()) {
    RETURN_IF_ERROR(time::CheckDate(particulars.majority_on(), absl::StrCat(path, ".majority_on")));
  }
  if (particulars.has_may_consent_from()) {
    RETURN_IF_ERROR(
        time::CheckDate(particulars.may_consent_from(), absl::StrCat(path, ".may_consent_from")));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Course> ProposeCourse(const v1::Course& asked, const CourseSetting& setting) {
  const v1::Protocol& protocol = setting.protocol;
  RETURN_IF_ERROR(CheckParties(asked, KindOf(protocol), setting.today));
  RETURN_IF_ERROR(CheckConditions(asked));
  RETURN_IF_ERROR(RequireAtClinic(setting.clinician, asked));
  const int planned =
      asked.planned_sessions() == 0 ? protocol.max_sessions() : asked.planned_sessions();
  RETURN_IF_ERROR(CheckPlanned(planned, protocol.min_sessions(), protocol.max_sessions()));

  v1::Course course;
  course.set_patient(asked.patient());
  *course.mutable_patient_particulars() = asked.patient_particulars();
  course.set_partner(asked.partner());
  if (asked.has_partner_particulars()) {
    *course.mutable_partner_particulars() = asked.partner_particulars();
  }
  *course.mutable_conditions() = asked.conditions();
  course.set_clinician(asked.clinician());
  course.set_clinic(asked.clinic());
  course.set_protocol(asked.protocol());
  course.set_kind(KindOf(protocol));
  course.set_planned_sessions(planned);
  course.set_max_sessions(protocol.max_sessions());
  course.set_max_weeks(protocol.max_weeks());
  course.set_state(v1::COURSE_STATE_PROPOSED);
  RETURN_IF_ERROR(OverrideAge(course, protocol, setting.today, asked.age_override_reason()));
  RETURN_IF_ERROR(OverrideCaseload(course, setting, asked.caseload_override_reason()));
  SetWarnings(course, setting, course.age_override_reason() == v1::AGE_OVERRIDE_REASON_UNSPECIFIED);
  return course;
}

absl::Status CheckRevisable(const google::protobuf::FieldMask& mask) {
  if (mask.paths().empty()) {
    return errors::InvalidArgument("update_mask", "must name at least one field");
  }
  static const auto& revisable = *new std::set<absl::string_view>{
      "patient_particulars", "partner_particulars", "conditions", "planned_sessions"};
  for (const std::string& path : mask.paths()) {
    if (revisable.count(absl::string_view(path).substr(0, path.find('.'))) == 0) {
      return errors::InvalidArgument("update_mask",
                                     absl::StrCat("'", path, "' can not be changed by an update"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReviseCourse(v1::Course& course, const CourseSetting& setting, absl::CivilDay began,
                          const SessionCounts& sessions) {
  if (!IsOpen(course.state())) return WrongCourseState(course.state());
  const v1::Protocol& protocol = setting.protocol;
  RETURN_IF_ERROR(CheckParties(course, KindOf(protocol), setting.today));
  RETURN_IF_ERROR(CheckConditions(course));
  const int least = course.has_maintenance() ? 1 : protocol.min_sessions();
  RETURN_IF_ERROR(CheckPlanned(course.planned_sessions(), std::max(least, sessions.counted),
                               MaxSessions(course, protocol)));
  SetWarnings(course, setting, AgeFits(course.patient_particulars(), protocol, began));
  return absl::OkStatus();
}

absl::Status BeginAssessment(v1::Course& course) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_PROPOSED}));
  course.set_state(v1::COURSE_STATE_ASSESSING);
  return absl::OkStatus();
}

absl::Status ActivateCourse(v1::Course& course, absl::Time now) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ASSESSING}));
  course.set_state(v1::COURSE_STATE_ACTIVE);
  *course.mutable_activate_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

absl::Status PauseCourse(v1::Course& course, v1::PauseReason reason,
                         const google::type::Date& return_date, absl::CivilDay today) {
  RETURN_IF_ERROR(time::CheckDate(return_date, "return_date"));
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_MAINTENANCE}));
  if (time::ToCivilDay(return_date) <= today) {
    return errors::InvalidArgument("return_date", "must be after today in the clinic's zone");
  }
  course.mutable_pause()->set_reason(reason);
  *course.mutable_pause()->mutable_return_date() = return_date;
  course.mutable_pause()->set_from_state(course.state());
  course.set_state(v1::COURSE_STATE_PAUSED);
  return absl::OkStatus();
}

absl::Status ResumeCourse(v1::Course& course) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_PAUSED}));
  course.set_state(course.pause().from_state() == v1::COURSE_STATE_MAINTENANCE
                       ? v1::COURSE_STATE_MAINTENANCE
                       : v1::COURSE_STATE_ACTIVE);
  course.clear_pause();
  return absl::OkStatus();
}

absl::Status SwitchProtocol(v1::Course& course, const ProtocolChange& change,
                            const v1::Protocol& from, const CourseSetting& setting,
                            const SessionCounts& sessions, int to_come, absl::Time now) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ACTIVE}));
  const v1::Protocol& protocol = setting.protocol;
  if (protocol.name() == course.protocol()) {
    return errors::FailedPrecondition("SAME_PROTOCOL", "The course has that protocol already.",
                                      {{"protocol", protocol.name()}});
  }
  if (KindOf(protocol) != KindOf(from)) {
    return errors::FailedPrecondition(
        "PROTOCOL_KIND",
        "The protocol is for another kind of course; end this one and propose another.",
        {{"kind", v1::CourseKind_Name(KindOf(from))},
         {"protocol_kind", v1::CourseKind_Name(KindOf(protocol))}});
  }
  if (!course.group().empty()) {
    return errors::FailedPrecondition(
        "COURSE_IN_GROUP", "The course has a seat in a group of its protocol; leave that first.",
        {{"group", course.group()}});
  }
  const bool restarted = change.counter == v1::SESSION_COUNTER_RESTARTED;
  const int extended = restarted ? 0 : MaxSessions(course, from) - from.max_sessions();
  const int extended_weeks = restarted ? 0 : MaxWeeks(course, from) - from.max_weeks();
  const int most = protocol.max_sessions() + extended;
  const int planned = change.planned_sessions == 0 ? most : change.planned_sessions;
  RETURN_IF_ERROR(CheckPlanned(
      planned, std::max(protocol.min_sessions(), restarted ? to_come : sessions.counted), most));

  v1::Course switched = course;
  RETURN_IF_ERROR(OverrideAge(switched, protocol, setting.today, change.age_override_reason));
  v1::ProtocolSwitch* before = switched.add_protocol_history();
  before->set_from_protocol(course.protocol());
  before->set_reason(change.reason);
  before->set_counter(change.counter);
  before->set_sessions_used(sessions.used);
  before->set_planned_sessions(course.planned_sessions());
  *before->mutable_switch_time() = time::ToTimestamp(now);
  switched.set_protocol(protocol.name());
  switched.set_planned_sessions(planned);
  switched.set_max_sessions(most);
  switched.set_max_weeks(protocol.max_weeks() + extended_weeks);
  if (restarted) {
    switched.set_segment(course.segment() + 1);
    switched.clear_declared_phases();
  }
  SetWarnings(switched, setting,
              switched.age_override_reason() == v1::AGE_OVERRIDE_REASON_UNSPECIFIED);
  course = std::move(switched);
  return absl::OkStatus();
}

absl::Status DeclarePhase(v1::Course& course, v1::Phase phase, const v1::Protocol& protocol,
                          int sessions_used, absl::Time now) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ACTIVE}));
  const std::vector<v1::ProtocolPhase> phases =
      PhasesOf(protocol, course.planned_sessions(), course.declared_phases());
  const int asked = IndexOf(phases, phase);
  if (asked < 0) {
    return errors::InvalidArgument("phase", "must be one of the protocol's phases");
  }
  const int next = sessions_used + 1;
  const v1::ProtocolPhase& wanted = phases[asked];
  const bool fixed = wanted.latest_first_session() == 0;
  const int earliest = fixed ? wanted.first_session() : wanted.earliest_first_session();
  const int latest = fixed ? wanted.first_session() : wanted.latest_first_session();
  const int running = IndexOf(phases, PhaseOf(sessions_used, course.planned_sessions(), protocol,
                                              course.declared_phases()));
  const bool declared =
      std::any_of(course.declared_phases().begin(), course.declared_phases().end(),
                  [&](const v1::DeclaredPhase& before) { return before.phase() == phase; });
  if (asked == 0 || declared || running > asked || (running == asked && next > latest)) {
    return errors::FailedPrecondition(
        "PHASE_PASSED", "That phase or a later one is running.",
        {{"phase", v1::Phase_Name(phases[std::max(running, 0)].phase())}});
  }
  if (next < earliest || next > latest) {
    return errors::FailedPrecondition(
        "PHASE_OUT_OF_RANGE",
        absl::StrCat("The protocol has that phase begin with session ", earliest, " to ", latest,
                     "; the next is ", next, "."),
        {{"earliest_first_session", absl::StrCat(earliest)},
         {"latest_first_session", absl::StrCat(latest)},
         {"next_session", absl::StrCat(next)}});
  }
  v1::DeclaredPhase* begun = course.add_declared_phases();
  begun->set_phase(phase);
  begun->set_first_session(next);
  *begun->mutable_declare_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

absl::Status ExtendCourse(v1::Course& course, int sessions, int weeks, v1::ExtensionReason reason,
                          const v1::Protocol& protocol, absl::Time now) {
  if (sessions == 0 && weeks == 0) {
    return errors::InvalidArgument("sessions", "give sessions, weeks or both");
  }
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE}));
  const int sessions_left = protocol.extension().max_sessions() -
                            (MaxSessions(course, protocol) - protocol.max_sessions());
  const int weeks_left =
      protocol.extension().max_weeks() - (MaxWeeks(course, protocol) - protocol.max_weeks());
  if (sessions > sessions_left || weeks > weeks_left) {
    return errors::FailedPrecondition(
        "EXTENSION_OUT_OF_BOUNDS",
        absl::StrCat("The protocol leaves ", std::max(0, sessions_left), " sessions and ",
                     std::max(0, weeks_left), " weeks to extend the course by."),
        {{"sessions_left", absl::StrCat(std::max(0, sessions_left))},
         {"weeks_left", absl::StrCat(std::max(0, weeks_left))}});
  }
  course.set_max_sessions(MaxSessions(course, protocol) + sessions);
  course.set_max_weeks(MaxWeeks(course, protocol) + weeks);
  course.set_planned_sessions(course.planned_sessions() + sessions);
  v1::CourseExtension* extension = course.add_extensions();
  extension->set_sessions(sessions);
  extension->set_weeks(weeks);
  extension->set_reason(reason);
  *extension->mutable_extend_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

absl::Status TransferCourse(v1::Course& course, v1::TransferReason reason,
                            v1::CaseloadOverrideReason caseload_override_reason,
                            const CourseSetting& setting, absl::Time now) {
  if (!IsOpen(course.state())) return WrongCourseState(course.state());
  if (setting.clinician.name() == course.clinician()) {
    return errors::FailedPrecondition("SAME_CLINICIAN", "The course is that clinician's already.",
                                      {{"clinician", course.clinician()}});
  }
  RETURN_IF_ERROR(RequireAtClinic(setting.clinician, course));
  v1::Course transferred = course;
  RETURN_IF_ERROR(OverrideCaseload(transferred, setting, caseload_override_reason));
  v1::CourseTransfer* transfer = transferred.add_transfers();
  transfer->set_from_clinician(course.clinician());
  transfer->set_reason(reason);
  *transfer->mutable_transfer_time() = time::ToTimestamp(now);
  transferred.set_clinician(setting.clinician.name());
  SetWarnings(transferred, setting,
              !Contains(course.warnings(), v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL));
  course = std::move(transferred);
  return absl::OkStatus();
}

absl::Status BeginMaintenance(v1::Course& course, const v1::MaintenanceContract& contract,
                              const v1::Protocol& protocol, const SessionCounts& sessions,
                              int to_come, absl::CivilDay today) {
  RETURN_IF_ERROR(time::CheckDate(contract.ends_on(), "contract.ends_on"));
  std::set<absl::string_view> instruments;
  for (int i = 0; i < contract.measures_size(); ++i) {
    if (!instruments.insert(contract.measures(i).instrument()).second) {
      return errors::InvalidArgument(absl::StrCat("contract.measures[", i, "].instrument"),
                                     "must be named only once");
    }
  }
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE}));
  const absl::CivilDay ends_on = time::ToCivilDay(contract.ends_on());
  if (ends_on <= today) {
    return errors::InvalidArgument("contract.ends_on", "must be after today in the clinic's zone");
  }
  RETURN_IF_ERROR(RequireHeld(sessions.held, protocol));
  const v1::MaintenanceRule& rule = protocol.maintenance();
  const absl::CivilDay latest(today.year(), today.month() + rule.max_months(), today.day());
  if (!Contains(rule.cadence_days(), contract.cadence_days()) || ends_on > latest) {
    return MaintenanceNotOffered(protocol);
  }
  const int days = static_cast<int>(ends_on - today);
  course.set_state(v1::COURSE_STATE_MAINTENANCE);
  *course.mutable_maintenance() = contract;
  course.set_segment(course.segment() + 1);
  course.clear_declared_phases();
  course.set_planned_sessions(std::max({1, days / contract.cadence_days(), to_come}));
  course.set_max_sessions(std::max(course.planned_sessions(), days / kDaysPerWeek + 1));
  course.set_max_weeks((days + kDaysPerWeek - 1) / kDaysPerWeek);
  if (contract.remission_needed_medication()) {
    course.add_warnings(v1::COURSE_WARNING_MAINTENANCE_AFTER_MEDICATION);
  }
  return absl::OkStatus();
}

absl::Status AnnounceEnding(v1::Course& course, const google::type::Date& date,
                            absl::CivilDay today) {
  RETURN_IF_ERROR(time::CheckDate(date, "date"));
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE}));
  if (time::ToCivilDay(date) > today) {
    return errors::InvalidArgument("date", "must not be in the future in the clinic's zone");
  }
  *course.mutable_ending_announced_date() = date;
  return absl::OkStatus();
}

absl::Status CompleteCourse(v1::Course& course, int sessions_held, const v1::Protocol& protocol,
                            v1::Referral referral, v1::CloseReason close_reason, absl::Time now) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE, v1::COURSE_STATE_MAINTENANCE}));
  if (course.state() == v1::COURSE_STATE_ACTIVE) {
    RETURN_IF_ERROR(RequireHeld(sessions_held, protocol));
  }
  End(course, v1::COURSE_STATE_COMPLETED, referral, now);
  course.mutable_end()->set_close_reason(close_reason);
  return absl::OkStatus();
}

absl::Status DiscontinueCourse(v1::Course& course, v1::DiscontinueReason reason,
                               v1::Referral referral, absl::Time now) {
  if (!IsOpen(course.state())) return WrongCourseState(course.state());
  End(course, v1::COURSE_STATE_DISCONTINUED, referral, now);
  course.clear_pause();
  course.mutable_end()->set_reason(reason);
  return absl::OkStatus();
}

bool SetSuitabilityReviewDue(v1::Course& course, bool due) {
  const bool activated = course.state() == v1::COURSE_STATE_ACTIVE ||
                         course.state() == v1::COURSE_STATE_PAUSED ||
                         course.state() == v1::COURSE_STATE_MAINTENANCE;
  if (!activated || course.suitability_review_due() == due) return false;
  course.set_suitability_review_due(due);
  return true;
}

bool IsOpen(v1::CourseState state) {
  switch (state) {
    case v1::COURSE_STATE_PROPOSED:
    case v1::COURSE_STATE_ASSESSING:
    case v1::COURSE_STATE_ACTIVE:
    case v1::COURSE_STATE_PAUSED:
    case v1::COURSE_STATE_MAINTENANCE:
      return true;
    default:
      return false;
  }
}

absl::Status RequireUnderWay(v1::CourseState state) {
  if (state == v1::COURSE_STATE_ASSESSING || state == v1::COURSE_STATE_ACTIVE ||
      state == v1::COURSE_STATE_MAINTENANCE) {
    return absl::OkStatus();
  }
  return WrongCourseState(state);
}

absl::Status WrongCourseState(v1::CourseState state) {
  const std::string& name = v1::CourseState_Name(state);
  return errors::FailedPrecondition(
      "COURSE_STATE", absl::StrCat("This is not possible while the course is ", name, "."),
      {{"state", name}});
}

v1::CourseKind KindOf(const v1::Protocol& protocol) {
  return protocol.kind() == v1::COURSE_KIND_UNSPECIFIED ? v1::COURSE_KIND_INDIVIDUAL
                                                        : protocol.kind();
}

// Courses from before extensions were kept store neither.
int MaxSessions(const v1::Course& course, const v1::Protocol& protocol) {
  return course.max_sessions() == 0 ? protocol.max_sessions() : course.max_sessions();
}

int MaxWeeks(const v1::Course& course, const v1::Protocol& protocol) {
  return course.max_weeks() == 0 ? protocol.max_weeks() : course.max_weeks();
}

void FillProgress(v1::Course& course, const v1::Protocol& protocol,
                  const CourseProgress& progress) {
  course.set_kind(KindOf(protocol));
  course.set_max_sessions(MaxSessions(course, protocol));
  course.set_max_weeks(MaxWeeks(course, protocol));
  course.set_sessions_used(progress.sessions_used);
  if (course.state() == v1::COURSE_STATE_PROPOSED) {
    course.clear_phase();
    return;
  }
  if (course.has_maintenance()) {
    course.set_phase(v1::PHASE_MAINTENANCE);
    return;
  }
  const int next = std::min(progress.sessions_used + 1, course.planned_sessions());
  course.set_phase(PhaseOf(next, course.planned_sessions(), protocol, course.declared_phases()));
  if (!IsOpen(course.state())) return;
  if (!progress.formulation_agreed &&
      (course.phase() == v1::PHASE_MIDDLE || course.phase() == v1::PHASE_TERMINATION)) {
    course.add_warnings(v1::COURSE_WARNING_FORMULATION_NOT_AGREED);
  }
  for (v1::MissingParticipant& missing :
       MissingParticipants(protocol, progress.attended, course.planned_sessions())) {
    *course.add_missing_participants() = std::move(missing);
  }
}

void KeepExistenceAndTimes(v1::Course& course) {
  course.clear_warnings();
  course.clear_suitability_review_due();
  course.clear_ending_announced_date();
  course.clear_conditions();
  course.clear_age_override_reason();
  course.clear_declared_phases();
  course.clear_missing_participants();
  const auto keep = [](v1::PatientParticulars* person) {
    person->clear_birth_year();
    person->clear_birth_month();
    person->clear_majority_on();
    person->clear_may_consent_from();
  };
  keep(course.mutable_patient_particulars());
  if (course.has_partner_particulars()) keep(course.mutable_partner_particulars());
  if (course.has_pause()) course.mutable_pause()->clear_reason();
  if (course.has_end()) {
    course.mutable_end()->clear_reason();
    course.mutable_end()->clear_referral();
  }
  if (course.has_maintenance()) {
    v1::MaintenanceContract* contract = course.mutable_maintenance();
    contract->clear_focus();
    contract->clear_measures();
    contract->clear_remission_needed_medication();
  }
  for (v1::CourseExtension& extension : *course.mutable_extensions()) extension.clear_reason();
  for (v1::ProtocolSwitch& before : *course.mutable_protocol_history()) before.clear_reason();
  for (v1::CourseTransfer& transfer : *course.mutable_transfers()) transfer.clear_reason();
}

}  // namespace rapport::scheduling
