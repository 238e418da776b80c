#include "services/scheduling/domain/protocols.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace rapport::scheduling {
namespace {

constexpr int kMaxSessions = 200;
constexpr int kMaxSessionMinutes = 480;
constexpr int kMaxCadenceDays = 366;
constexpr int kMaxAge = 120;
constexpr int kDaysPerWeek = 7;
constexpr absl::string_view kNamePattern = "protocols/{protocol}/revisions/{revision}";

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

}  // namespace

std::vector<std::string> ProtocolFaults(const v1::Protocol& protocol) {
  std::vector<std::string> faults;
  const auto need = [&](bool holds, const auto&... what) {
    if (!holds) faults.push_back(absl::StrCat(what...));
  };
  const int most = protocol.max_sessions();

  need(names::Matches(kNamePattern, protocol.name()) && IsId(ProtocolId(protocol.name())) &&
           Revision(protocol.name()) > 0 &&
           names::Id(protocol.name(), "revisions") == absl::StrCat(Revision(protocol.name())),
       "name must be protocols/{id}/revisions/{number from 1}");
  need(!protocol.display_name().empty(), "display_name is missing");
  need(protocol.min_sessions() >= 1 && protocol.min_sessions() <= most && most <= kMaxSessions,
       "min_sessions and max_sessions must be 1 <= min <= max <= ", kMaxSessions);
  need(protocol.cadence_days() >= 1 && protocol.cadence_days() <= kMaxCadenceDays,
       "cadence_days must be 1 to ", kMaxCadenceDays);
  need(protocol.session_minutes() >= 1 && protocol.session_minutes() <= kMaxSessionMinutes,
       "session_minutes must be 1 to ", kMaxSessionMinutes);
  need((most - 1) * protocol.cadence_days() <= protocol.max_weeks() * kDaysPerWeek,
       "max_weeks is shorter than max_sessions at cadence_days");
  need(protocol.assessment_sessions() >= 1 &&
           protocol.assessment_sessions() <= protocol.min_sessions(),
       "assessment_sessions must be 1 to min_sessions");
  need(protocol.formulation_due_session() >= 1 &&
           protocol.formulation_due_session() <= protocol.min_sessions(),
       "formulation_due_session must be 1 to min_sessions");
  need(protocol.min_age() >= 0 && protocol.min_age() <= kMaxAge && protocol.max_age() >= 0 &&
           protocol.max_age() <= kMaxAge &&
           (protocol.max_age() == 0 || protocol.min_age() <= protocol.max_age()),
       "min_age and max_age must be 0 <= min <= max <= ", kMaxAge);

  int next = 1;
  int last_phase = 0;
  bool middle_survives = protocol.min_sessions() == most;
  std::set<std::string> tasks;
  for (const v1::ProtocolPhase& phase : protocol.phases()) {
    const std::string& label = v1::Phase_Name(phase.phase());
    need(Given(phase.phase(), v1::Phase_IsValid) && phase.phase() > last_phase,
         "phases must be known, each once, in the order of treatment");
    need(phase.first_session() == next, label, " must begin with session ", next);
    need(phase.last_session() >= phase.first_session(), label, " ends before it begins");
    if (phase.phase() == v1::PHASE_MIDDLE) {
      const int length = phase.last_session() - phase.first_session() + 1;
      middle_survives |= length > most - protocol.min_sessions();
    }
    for (const v1::ProtocolTask& task : phase.tasks()) {
      need(IsId(task.id()) && tasks.insert(task.id()).second, label, ": task '", task.id(),
           "' needs an id of its own of lower-case letters, digits and hyphens");
      need(!task.label().empty(), label, ": task '", task.id(), "' needs a label");
    }
    last_phase = phase.phase();
    next = phase.last_session() + 1;
  }
  need(next == most + 1, "phases must cover every session up to max_sessions");
  need(middle_survives, "a course of min_sessions would leave no middle phase");

  std::set<std::string> instruments;
  for (const v1::ProtocolMeasure& measure : protocol.measures()) {
    need(IsId(measure.instrument()) && instruments.insert(measure.instrument()).second, "measure '",
         measure.instrument(), "' needs the id of an instrument, each once");
    need(measure.every_sessions() >= 1 && measure.every_sessions() <= kMaxSessions, "measure '",
         measure.instrument(), "': every_sessions must be 1 to ", kMaxSessions);
  }
  need(!protocol.measures().empty(), "measures are missing");
  need(Given(protocol.evidence_grade(), v1::EvidenceGrade_IsValid), "evidence_grade is missing");
  need(!protocol.citations().empty(), "citations are missing");
  for (const v1::Citation& citation : protocol.citations()) {
    need(!citation.facts().empty() && !citation.source().empty() &&
             Given(citation.confidence(), v1::Confidence_IsValid),
         "citation '", citation.source(), "' needs facts, source and confidence");
  }
  return faults;
}

absl::StatusOr<v1::Protocol> ParseProtocol(absl::string_view text) {
  v1::Protocol protocol;
  Collector collector;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  std::vector<std::string> faults;
  if (parser.ParseFromString(std::string(text), &protocol)) {
    faults = ProtocolFaults(protocol);
  } else {
    faults = collector.faults_;
  }
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
  return protocol;
}

std::vector<v1::ProtocolPhase> PhasesOf(const v1::Protocol& protocol, int planned_sessions) {
  const int fewer = protocol.max_sessions() - planned_sessions;
  std::vector<v1::ProtocolPhase> phases(protocol.phases().begin(), protocol.phases().end());
  for (v1::ProtocolPhase& phase : phases) {
    if (phase.phase() > v1::PHASE_MIDDLE) phase.set_first_session(phase.first_session() - fewer);
    if (phase.phase() >= v1::PHASE_MIDDLE) phase.set_last_session(phase.last_session() - fewer);
  }
  return phases;
}

v1::Phase PhaseOf(int session, int planned_sessions, const v1::Protocol& protocol) {
  if (session < 1) return v1::PHASE_UNSPECIFIED;
  v1::Phase found = v1::PHASE_UNSPECIFIED;
  for (const v1::ProtocolPhase& phase : PhasesOf(protocol, planned_sessions)) {
    if (session >= phase.first_session()) found = phase.phase();
  }
  return found;
}

absl::string_view ProtocolId(absl::string_view name) { return names::Id(name, "protocols"); }

absl::StatusOr<ProtocolCatalogue> ProtocolCatalogue::Make(
    absl::Span<const absl::string_view> texts) {
  ProtocolCatalogue catalogue;
  for (absl::string_view text : texts) {
    ASSIGN_OR_RETURN(v1::Protocol protocol, ParseProtocol(text));
    const std::string name = protocol.name();
    const std::pair<std::string, int> key(ProtocolId(name), Revision(name));
    if (!catalogue.protocols_.emplace(key, std::move(protocol)).second) {
      return absl::InvalidArgumentError(absl::StrCat(name, " occurs twice"));
    }
  }
  return catalogue;
}

const v1::Protocol* ProtocolCatalogue::Find(absl::string_view name) const {
  const auto found = protocols_.find({std::string(ProtocolId(name)), Revision(name)});
  // "revisions/01" is no name of revision 1.
  return found == protocols_.end() || found->second.name() != name ? nullptr : &found->second;
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
