#include "services/scheduling/domain/protocols.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace rapport::scheduling {
namespace {

constexpr int kMaxSessions = 200;
constexpr int kMaxWeeks = 520;
constexpr int kMaxSessionMinutes = 480;
constexpr int kMaxCadenceDays = 366;
constexpr int kMaxAge = 120;
constexpr int kMaxMembers = 50;
constexpr int kMaxMaintenanceMonths = 120;
constexpr int kDaysPerWeek = 7;
constexpr int kMaxDaysWithoutSuicideItem = 28;
constexpr absl::string_view kShippedPattern = "protocols/{protocol}/revisions/{revision}";
constexpr absl::string_view kOwnPattern =
    "organizations/{organization}/protocols/{protocol}/revisions/{revision}";
constexpr absl::string_view kAskAboutSuicide[] = {"bdi-ii", "c-ssrs",  "cesd-r", "core-10",
                                                  "epds",   "hamd-17", "hamd-7", "madrs",
                                                  "phq-9",  "phq-9m",  "phq-a",  "qids-sr16"};
// Need a citation wherever they are set.
constexpr absl::string_view kCitedFields[] = {"min_sessions",
                                              "max_sessions",
                                              "max_weeks",
                                              "cadence_days",
                                              "session_minutes",
                                              "assessment_sessions",
                                              "formulation_due_session",
                                              "min_age",
                                              "max_age",
                                              "phases",
                                              "measures",
                                              "evidence_grade",
                                              "indications",
                                              "extension",
                                              "segments",
                                              "required_participants",
                                              "min_members",
                                              "max_members",
                                              "maintenance",
                                              "series_policy"};

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    faults_.push_back(absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message));
  }
  std::vector<std::string> faults_;
};

bool IsId(absl::string_view id) {
  return !id.empty() && absl::ascii_islower(id.front()) && id.back() != '-' && id.size() <= 63 &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

int Revision(absl::string_view name) {
  int revision = 0;
  return absl::SimpleAtoi(names::Id(name, "revisions"), &revision) ? revision : 0;
}

// Whether an enum field has a value that we know and that says something.
template <class Enum>
bool Given(Enum value, bool (*known)(int)) {
  return value != 0 && known(value);
}

bool Within(int value, int least, int most) { return least <= value && value <= most; }

std::string At(absl::string_view field, int index, absl::string_view rest) {
  return absl::StrCat(field, "[", index, "].", rest);
}

// The phase that gives way in a shorter course; -1: there are no phases.
int GivingWay(const v1::Protocol& protocol) {
  for (int i = 0; i < protocol.phases_size(); ++i) {
    if (protocol.phases(i).phase() == v1::PHASE_MIDDLE) return i;
  }
  return protocol.phases_size() - 1;
}

// How many sessions the window has.
int Length(const v1::ParticipantRequirement& required) {
  return required.last_session() - required.first_session() + 1;
}

const v1::ProtocolSegment* SegmentOf(const v1::Protocol& protocol, int session) {
  for (const v1::ProtocolSegment& segment : protocol.segments()) {
    if (Within(session, segment.first_session(), segment.last_session())) return &segment;
  }
  return nullptr;
}

// Collects the faults of one protocol, part by part.
class Examiner {
 public:
  explicit Examiner(const v1::Protocol& protocol)
      : protocol_(protocol), most_(protocol.max_sessions()) {}

  std::vector<errors::FieldViolation> Examine() {
    Bounds();
    Kind();
    Indications();
    Segments();
    Span();
    Phases();
    Measures();
    Participants();
    AfterAndBetween();
    Citations();
    return std::move(faults_);
  }

 private:
  template <class... What>
  bool Need(bool holds, std::string field, const What&... what) {
    if (!holds) faults_.push_back({std::move(field), absl::StrCat(what...)});
    return holds;
  }

  void Bounds() {
    const std::string& name = protocol_.name();
    Need((names::Matches(kShippedPattern, name) || names::Matches(kOwnPattern, name)) &&
             IsId(ProtocolId(name)) && Revision(name) > 0 &&
             names::Id(name, "revisions") == absl::StrCat(Revision(name)),
         "name", "must be protocols/{id}/revisions/{number from 1}, in an organisation or not");
    Need(!protocol_.display_name().empty(), "display_name", "is missing");
    sound_ = Need(Within(protocol_.min_sessions(), 1, most_) && most_ <= kMaxSessions,
                  "min_sessions", "must be 1 <= min_sessions <= max_sessions <= ", kMaxSessions);
    sound_ &=
        Need(Within(protocol_.max_weeks(), 1, kMaxWeeks), "max_weeks", "must be 1 to ", kMaxWeeks);
    sound_ &= Need(Within(protocol_.cadence_days(), 1, kMaxCadenceDays), "cadence_days",
                   "must be 1 to ", kMaxCadenceDays);
    Need(Within(protocol_.session_minutes(), 1, kMaxSessionMinutes), "session_minutes",
         "must be 1 to ", kMaxSessionMinutes);
    Need(Within(protocol_.assessment_sessions(), 1, protocol_.min_sessions()),
         "assessment_sessions", "must be 1 to min_sessions");
    Need(Within(protocol_.formulation_due_session(), 1, protocol_.min_sessions()),
         "formulation_due_session", "must be 1 to min_sessions");
    Need(Within(protocol_.min_age(), 0, kMaxAge), "min_age", "must be 0 to ", kMaxAge);
    Need(Within(protocol_.max_age(), 0, kMaxAge) &&
             (protocol_.max_age() == 0 || protocol_.min_age() <= protocol_.max_age()),
         "max_age", "must be min_age to ", kMaxAge, ", or 0");
  }

  void Kind() {
    Need(v1::CourseKind_IsValid(protocol_.kind()), "kind", "is none that we know");
    if (protocol_.kind() == v1::COURSE_KIND_GROUP) {
      Need(Within(protocol_.min_members(), 2, protocol_.max_members()) &&
               protocol_.max_members() <= kMaxMembers,
           "min_members", "must be 2 <= min_members <= max_members <= ", kMaxMembers);
    } else {
      Need(protocol_.min_members() == 0 && protocol_.max_members() == 0, "min_members",
           "only a protocol of kind GROUP has members");
    }
  }

  void Indications() {
    Need(Given(protocol_.evidence_grade(), v1::EvidenceGrade_IsValid), "evidence_grade",
         "is missing");
    std::set<int> conditions;
    for (int i = 0; i < protocol_.indications_size(); ++i) {
      const v1::ProtocolIndication& indication = protocol_.indications(i);
      Need(Given(indication.condition(), v1::Condition_IsValid) &&
               conditions.insert(indication.condition()).second,
           At("indications", i, "condition"), "must be a known condition, each once");
      Need(Given(indication.evidence_grade(), v1::EvidenceGrade_IsValid),
           At("indications", i, "evidence_grade"), "is missing");
    }
    std::set<int> areas;
    for (int i = 0; i < protocol_.focus_areas_size(); ++i) {
      Need(Given(protocol_.focus_areas(i), v1::FocusArea_IsValid) &&
               areas.insert(protocol_.focus_areas(i)).second,
           absl::StrCat("focus_areas[", i, "]"), "must be a known area, each once");
    }
    for (int i = 0; i < protocol_.cautions_size(); ++i) {
      Need(!protocol_.cautions(i).empty(), absl::StrCat("cautions[", i, "]"), "is empty");
    }
  }

  void Segments() {
    int free_from = 1;
    for (int i = 0; i < protocol_.segments_size(); ++i) {
      const v1::ProtocolSegment& segment = protocol_.segments(i);
      sound_ &= Need(segment.first_session() >= free_from, At("segments", i, "first_session"),
                     "segments must be in order and not overlap: at least ", free_from);
      sound_ &= Need(Within(segment.last_session(), segment.first_session(), most_),
                     At("segments", i, "last_session"), "must be first_session to max_sessions");
      sound_ &= Need(Within(segment.cadence_days(), 0, kMaxCadenceDays),
                     At("segments", i, "cadence_days"), "must be 0 to ", kMaxCadenceDays);
      Need(Within(segment.session_minutes(), 0, kMaxSessionMinutes),
           At("segments", i, "session_minutes"), "must be 0 to ", kMaxSessionMinutes);
      for (int m = 0; m < segment.modalities_size(); ++m) {
        Need(Given(segment.modalities(m), v1::Modality_IsValid),
             At("segments", i, absl::StrCat("modalities[", m, "]")), "must be a known modality");
      }
      Need(v1::CourseKind_IsValid(segment.format()), At("segments", i, "format"),
           "is none that we know");
      Need(segment.cadence_days() != 0 || segment.session_minutes() != 0 ||
               segment.modalities_size() != 0 || segment.format() != 0,
           absl::StrCat("segments[", i, "]"), "says nothing; leave it out");
      free_from = std::max(free_from, segment.last_session() + 1);
    }
  }

  void Span() {
    if (!sound_) return;
    Need(DayOffsets(protocol_, 1, most_).back() <= protocol_.max_weeks() * kDaysPerWeek,
         "max_weeks", "is shorter than max_sessions at their cadences");
    if (!protocol_.has_extension()) return;
    const v1::ExtensionRule& extension = protocol_.extension();
    const bool holds =
        Need(extension.max_sessions() >= 0 && extension.max_sessions() <= kMaxSessions - most_,
             "extension.max_sessions", "must be 0 to ", kMaxSessions - most_) &&
        Need(Within(extension.max_weeks(), 0, kMaxWeeks - protocol_.max_weeks()),
             "extension.max_weeks", "must be 0 to ", kMaxWeeks - protocol_.max_weeks());
    if (!holds) return;
    Need(extension.max_sessions() + extension.max_weeks() > 0, "extension",
         "extends by nothing; leave it out");
    Need(DayOffsets(protocol_, 1, most_ + extension.max_sessions()).back() <=
             (protocol_.max_weeks() + extension.max_weeks()) * kDaysPerWeek,
         "extension.max_weeks", "is too short for the sessions of the extension");
  }

  void Phases() {
    const int fewer = most_ - protocol_.min_sessions();
    const int giving_way = GivingWay(protocol_);
    int next = 1;
    int last_phase = 0;
    int last_begins_by = 0;  // the latest first session of the phase before
    for (int i = 0; i < protocol_.phases_size(); ++i) {
      const v1::ProtocolPhase& phase = protocol_.phases(i);
      Need(Given(phase.phase(), v1::Phase_IsValid) && phase.phase() > last_phase,
           At("phases", i, "phase"), "phases must be known, each once, in the order of treatment");
      Need(phase.first_session() == next, At("phases", i, "first_session"), "must be ", next);
      Need(phase.last_session() >= phase.first_session(), At("phases", i, "last_session"),
           "must not be before first_session");
      Need(i != giving_way || phase.last_session() - phase.first_session() >= fewer,
           At("phases", i, "last_session"),
           "a course of min_sessions would leave nothing of the phase that gives way");
      int earliest = phase.earliest_first_session();
      int latest = phase.latest_first_session();
      if (earliest == 0 && latest == 0) {
        earliest = latest = phase.first_session();
      } else {
        Need(i > 0 || (earliest == 1 && latest == 1), At("phases", i, "earliest_first_session"),
             "the first phase begins with session 1");
        Need(Within(phase.first_session(), earliest, latest),
             At("phases", i, "earliest_first_session"),
             "must be earliest_first_session <= first_session <= latest_first_session");
        Need(latest <= phase.last_session() - (i == giving_way ? fewer : 0),
             At("phases", i, "latest_first_session"), "would leave nothing of the phase");
      }
      Need(earliest - (i > giving_way ? fewer : 0) > last_begins_by,
           At("phases", i, "earliest_first_session"),
           "declared beginnings could leave nothing of the phase before");
      last_phase = phase.phase();
      last_begins_by = latest;
      next = phase.last_session() + 1;
      Tasks(i);
    }
    Need(next == most_ + 1, "phases", "must cover every session up to max_sessions");
  }

  void Tasks(int index) {
    const v1::ProtocolPhase& phase = protocol_.phases(index);
    for (int i = 0; i < phase.tasks_size(); ++i) {
      const v1::ProtocolTask& task = phase.tasks(i);
      Need(IsId(task.id()) && tasks_.insert(task.id()).second,
           At("phases", index, At("tasks", i, "id")), "'", task.id(),
           "' must be an id of its own of lower-case letters, digits and hyphens");
      Need(!task.label().empty(), At("phases", index, At("tasks", i, "label")), "is missing");
    }
  }

  void Measures() {
    Need(!protocol_.measures().empty(), "measures", "are missing");
    std::set<std::string> instruments;
    bool countable = sound_;
    for (int i = 0; i < protocol_.measures_size(); ++i) {
      const v1::ProtocolMeasure& measure = protocol_.measures(i);
      Need(IsId(measure.instrument()) && instruments.insert(measure.instrument()).second,
           At("measures", i, "instrument"), "'", measure.instrument(),
           "' must be the id of an instrument, each once");
      countable &= Need(Within(measure.every_sessions(), 1, kMaxSessions),
                        At("measures", i, "every_sessions"), "must be 1 to ", kMaxSessions);
    }
    if (countable && !protocol_.measures().empty()) {
      Need(LongestWithoutSuicideItem() <= kMaxDaysWithoutSuicideItem, "measures",
           "must ask about suicide at least every ", kMaxDaysWithoutSuicideItem,
           " days, as phq-9 at each session does");
    }
  }

  // In days, from the first session to the last of the longest course.
  int LongestWithoutSuicideItem() const {
    const std::vector<int> days = DayOffsets(protocol_, 1, most_);
    int longest = 0;
    int asked = -1;
    for (int session = 1; session <= most_; ++session) {
      const bool asks =
          std::any_of(protocol_.measures().begin(), protocol_.measures().end(),
                      [&](const v1::ProtocolMeasure& measure) {
                        return std::find(std::begin(kAskAboutSuicide), std::end(kAskAboutSuicide),
                                         measure.instrument()) != std::end(kAskAboutSuicide) &&
                               ((session - 1) % measure.every_sessions() == 0 ||
                                (measure.at_last_session() && session == most_));
                      });
      if (asked < 0 && !asks) return kMaxDaysWithoutSuicideItem + 1;
      if (asks || session == most_) {
        if (asked >= 0) longest = std::max(longest, days[session - 1] - asked);
        asked = days[session - 1];
      }
    }
    return longest;
  }

  void Participants() {
    for (int i = 0; i < protocol_.required_participants_size(); ++i) {
      const v1::ParticipantRequirement& required = protocol_.required_participants(i);
      Need(Given(required.role(), v1::ParticipantRole_IsValid),
           At("required_participants", i, "role"), "must be a known role");
      Need(Within(required.first_session(), 1, most_),
           At("required_participants", i, "first_session"), "must be 1 to max_sessions");
      Need(Within(required.last_session(), required.first_session(), most_),
           At("required_participants", i, "last_session"), "must be first_session to max_sessions");
      Need(Within(required.at_least(), 1, Length(required)),
           At("required_participants", i, "at_least"),
           "must be 1 to the number of sessions between first_session and last_session");
    }
  }

  void AfterAndBetween() {
    if (protocol_.has_maintenance()) {
      const v1::MaintenanceRule& rule = protocol_.maintenance();
      Need(!rule.cadence_days().empty(), "maintenance.cadence_days", "is missing");
      int last = 0;
      for (int i = 0; i < rule.cadence_days_size(); ++i) {
        Need(rule.cadence_days(i) > last && rule.cadence_days(i) <= kMaxCadenceDays,
             absl::StrCat("maintenance.cadence_days[", i, "]"), "must be 1 to ", kMaxCadenceDays,
             ", each more than the one before");
        last = rule.cadence_days(i);
      }
      Need(Within(rule.max_months(), 1, kMaxMaintenanceMonths), "maintenance.max_months",
           "must be 1 to ", kMaxMaintenanceMonths);
    }
    if (protocol_.has_series_policy()) {
      const v1::SeriesPolicy& policy = protocol_.series_policy();
      const int all = policy.max_exceptions();
      Need(Within(all, 0, most_), "series_policy.max_exceptions", "must be 0 to max_sessions");
      Need(Within(policy.max_initial(), 0, all), "series_policy.max_initial",
           "must be 0 to max_exceptions");
      Need(Within(policy.max_termination(), 0, all), "series_policy.max_termination",
           "must be 0 to max_exceptions");
    }
  }

  void Citations() {
    std::set<std::string> cited;
    for (int i = 0; i < protocol_.citations_size(); ++i) {
      const v1::Citation& citation = protocol_.citations(i);
      Need(!citation.facts().empty(), At("citations", i, "facts"), "is missing");
      Need(!citation.source().empty(), At("citations", i, "source"), "is missing");
      Need(Given(citation.confidence(), v1::Confidence_IsValid), At("citations", i, "confidence"),
           "is missing");
      for (absl::string_view word : absl::StrSplit(citation.facts(), absl::ByAnyChar(" ,;:.()"))) {
        cited.emplace(word);
      }
    }
    const auto* reflection = v1::Protocol::GetReflection();
    for (absl::string_view name : kCitedFields) {
      const auto* field = v1::Protocol::descriptor()->FindFieldByName(std::string(name));
      const bool set = field->is_repeated() ? reflection->FieldSize(protocol_, field) > 0
                       : field->type() == google::protobuf::FieldDescriptor::TYPE_INT32
                           ? reflection->GetInt32(protocol_, field) != 0
                           : reflection->HasField(protocol_, field);
      Need(!set || cited.count(std::string(name)) > 0, "citations", "none names ", name,
           " among its facts");
    }
  }

  const v1::Protocol& protocol_;
  const int most_;
  bool sound_ = true;  // the days of its sessions can be counted
  std::set<std::string> tasks_;
  std::vector<errors::FieldViolation> faults_;
};

}  // namespace

std::vector<errors::FieldViolation> ProtocolFaults(const v1::Protocol& protocol) {
  return Examiner(protocol).Examine();
}

absl::StatusOr<v1::Protocol> ParseProtocol(absl::string_view text) {
  v1::Protocol protocol;
  Collector collector;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  std::vector<std::string> faults;
  if (parser.ParseFromString(std::string(text), &protocol)) {
    for (const errors::FieldViolation& fault : ProtocolFaults(protocol)) {
      faults.push_back(absl::StrCat(fault.field, ": ", fault.description));
    }
  } else {
    faults = collector.faults_;
  }
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
  return protocol;
}

std::vector<v1::ProtocolPhase> PhasesOf(const v1::Protocol& protocol, int planned_sessions,
                                        const DeclaredPhases& declared) {
  const int fewer = protocol.max_sessions() - planned_sessions;
  const int giving_way = GivingWay(protocol);
  std::vector<v1::ProtocolPhase> phases(protocol.phases().begin(), protocol.phases().end());
  for (int i = 0; i < static_cast<int>(phases.size()); ++i) {
    v1::ProtocolPhase& phase = phases[i];
    if (i >= giving_way) phase.set_last_session(phase.last_session() - fewer);
    if (i <= giving_way) continue;
    phase.set_first_session(phase.first_session() - fewer);
    if (phase.latest_first_session() == 0) continue;
    phase.set_earliest_first_session(phase.earliest_first_session() - fewer);
    phase.set_latest_first_session(phase.latest_first_session() - fewer);
  }
  for (size_t i = 1; i < phases.size(); ++i) {
    v1::ProtocolPhase& phase = phases[i];
    if (phase.latest_first_session() == 0) continue;
    for (const v1::DeclaredPhase& declaration : declared) {
      if (declaration.phase() != phase.phase()) continue;
      phase.set_first_session(std::clamp(declaration.first_session(),
                                         phase.earliest_first_session(),
                                         phase.latest_first_session()));
      phases[i - 1].set_last_session(phase.first_session() - 1);
    }
  }
  return phases;
}

v1::Phase PhaseOf(int session, int planned_sessions, const v1::Protocol& protocol,
                  const DeclaredPhases& declared) {
  if (session < 1) return v1::PHASE_UNSPECIFIED;
  v1::Phase found = v1::PHASE_UNSPECIFIED;
  for (const v1::ProtocolPhase& phase : PhasesOf(protocol, planned_sessions, declared)) {
    if (session >= phase.first_session()) found = phase.phase();
  }
  return found;
}

SessionPlan SessionPlanOf(const v1::Protocol& protocol, int session) {
  SessionPlan plan;
  plan.cadence_days = protocol.cadence_days();
  plan.minutes = protocol.session_minutes();
  if (protocol.kind() != v1::COURSE_KIND_UNSPECIFIED) plan.format = protocol.kind();
  const v1::ProtocolSegment* segment = SegmentOf(protocol, session);
  if (segment == nullptr) return plan;
  if (segment->cadence_days() != 0) plan.cadence_days = segment->cadence_days();
  if (segment->session_minutes() != 0) plan.minutes = segment->session_minutes();
  if (segment->format() != v1::COURSE_KIND_UNSPECIFIED) plan.format = segment->format();
  if (!segment->modalities().empty()) {
    plan.modality =
        segment->modalities((session - segment->first_session()) % segment->modalities_size());
  }
  return plan;
}

std::vector<int> DayOffsets(const v1::Protocol& protocol, int first_session, int count) {
  std::vector<int> offsets;
  int days = 0;
  for (int i = 0; i < count; ++i) {
    offsets.push_back(days);
    days += SessionPlanOf(protocol, first_session + i).cadence_days;
  }
  return offsets;
}

bool TreatsAny(const v1::Protocol& protocol,
               const google::protobuf::RepeatedField<int>& conditions) {
  if (protocol.indications().empty() || conditions.empty()) return true;
  return std::any_of(conditions.begin(), conditions.end(), [&](int condition) {
    return GradeFor(protocol, static_cast<v1::Condition>(condition)) !=
           v1::EVIDENCE_GRADE_UNSPECIFIED;
  });
}

v1::EvidenceGrade GradeFor(const v1::Protocol& protocol, v1::Condition condition) {
  if (protocol.indications().empty()) return protocol.evidence_grade();
  for (const v1::ProtocolIndication& indication : protocol.indications()) {
    if (indication.condition() == condition) return indication.evidence_grade();
  }
  return v1::EVIDENCE_GRADE_UNSPECIFIED;
}

std::vector<v1::ParticipantRequirement> RequirementsOf(const v1::Protocol& protocol,
                                                       int planned_sessions) {
  std::vector<v1::ParticipantRequirement> requirements(protocol.required_participants().begin(),
                                                       protocol.required_participants().end());
  const int giving_way = GivingWay(protocol);
  if (planned_sessions == 0 || giving_way < 0) return requirements;
  const int fewer = protocol.max_sessions() - planned_sessions;
  const v1::ProtocolPhase& phase = protocol.phases(giving_way);
  for (v1::ParticipantRequirement& required : requirements) {
    if (required.last_session() < phase.first_session()) continue;
    const bool at_each = required.at_least() == Length(required);
    if (required.first_session() > phase.last_session()) {
      required.set_first_session(required.first_session() - fewer);
    }
    required.set_last_session(std::max(required.first_session(), required.last_session() - fewer));
    required.set_at_least(at_each ? Length(required)
                                  : std::min(required.at_least(), Length(required)));
  }
  return requirements;
}

std::vector<v1::ParticipantRole> RequiredRoles(const v1::Protocol& protocol, int session,
                                               int planned_sessions) {
  std::set<v1::ParticipantRole> roles;
  for (const v1::ParticipantRequirement& required : RequirementsOf(protocol, planned_sessions)) {
    if (!required.if_focus_involves() && required.at_least() == Length(required) &&
        Within(session, required.first_session(), required.last_session())) {
      roles.insert(required.role());
    }
  }
  return {roles.begin(), roles.end()};
}

std::vector<v1::MissingParticipant> MissingParticipants(const v1::Protocol& protocol,
                                                        absl::Span<const AttendedSession> attended,
                                                        int planned_sessions) {
  std::vector<v1::MissingParticipant> all;
  for (const v1::ParticipantRequirement& required : RequirementsOf(protocol, planned_sessions)) {
    const auto came =
        std::count_if(attended.begin(), attended.end(), [&](const AttendedSession& session) {
          return Within(session.number, required.first_session(), required.last_session()) &&
                 std::count(session.roles.begin(), session.roles.end(), required.role()) > 0;
        });
    if (came >= required.at_least()) continue;
    v1::MissingParticipant& missing = all.emplace_back();
    missing.set_role(required.role());
    missing.set_first_session(required.first_session());
    missing.set_last_session(required.last_session());
    missing.set_missing(required.at_least() - static_cast<int>(came));
    missing.set_if_focus_involves(required.if_focus_involves());
  }
  return all;
}

absl::string_view ProtocolId(absl::string_view name) { return names::Id(name, "protocols"); }

absl::StatusOr<ProtocolCatalogue> ProtocolCatalogue::Make(
    absl::Span<const absl::string_view> texts) {
  ProtocolCatalogue catalogue;
  for (absl::string_view text : texts) {
    ASSIGN_OR_RETURN(v1::Protocol protocol, ParseProtocol(text));
    const std::string name = protocol.name();
    if (!names::OrganizationId(name).empty()) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is an organisation's own"));
    }
    const std::pair<std::string, int> key(ProtocolId(name), Revision(name));
    if (!catalogue.protocols_.emplace(key, std::move(protocol)).second) {
      return absl::InvalidArgumentError(absl::StrCat(name, " occurs twice"));
    }
  }
  return catalogue;
}

const v1::Protocol* ProtocolCatalogue::Find(absl::string_view name) const {
  const auto found = protocols_.find({std::string(ProtocolId(name)), Revision(name)});
  // "revisions/01" is no name of revision 1, nor is an organisation's own.
  return found == protocols_.end() || found->second.name() != name ? nullptr : &found->second;
}

bool ProtocolCatalogue::HasId(absl::string_view id) const {
  const auto found = protocols_.lower_bound({std::string(id), 0});
  return found != protocols_.end() && found->first.first == id;
}

std::vector<const v1::Protocol*> ProtocolCatalogue::Newest(absl::string_view after_id,
                                                           size_t limit) const {
  std::vector<const v1::Protocol*> newest;
  for (auto it = protocols_.begin(); it != protocols_.end(); ++it) {
    const auto next = std::next(it);
    const bool is_newest = next == protocols_.end() || next->first.first != it->first.first;
    if (!is_newest || it->first.first <= after_id) continue;
    if (newest.size() == limit) break;
    newest.push_back(&it->second);
  }
  return newest;
}

}  // namespace rapport::scheduling
