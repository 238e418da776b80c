#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_PROTOCOLS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_PROTOCOLS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rapport/scheduling/v1/protocol.pb.h"

namespace rapport::scheduling {

// What is wrong with `protocol`, one sentence a fault; empty: it holds together. Among others: its
// phases cover 1 to max_sessions in order and without gap, the middle phase still exists in the
// shortest course, the longest course fits into max_weeks, and every citation says how sure it is.
std::vector<std::string> ProtocolFaults(const v1::Protocol& protocol);

// Reads the text format.
//   kInvalidArgument  not the text format (with line and column), or what ProtocolFaults found
absl::StatusOr<v1::Protocol> ParseProtocol(absl::string_view text);

// The phases of a course of `planned_sessions`: the termination phase keeps its length and the
// middle phase gives way (or grows).
std::vector<v1::ProtocolPhase> PhasesOf(const v1::Protocol& protocol, int planned_sessions);

// The phase of session `session` (from 1) of a course of `planned_sessions`; sessions beyond the
// planned ones are of the last phase, before the first PHASE_UNSPECIFIED.
v1::Phase PhaseOf(int session, int planned_sessions, const v1::Protocol& protocol);

// "classic" of "protocols/classic/revisions/1".
absl::string_view ProtocolId(absl::string_view name);

// All revisions of all protocols. Immutable.
class ProtocolCatalogue {
 public:
  //   kInvalidArgument  as ParseProtocol, or a revision occurs twice
  static absl::StatusOr<ProtocolCatalogue> Make(absl::Span<const absl::string_view> texts);

  // Null where there is none of that name.
  const v1::Protocol* Find(absl::string_view name) const;

  // The newest revision of each protocol whose id is greater than `after_id`, by id; at most
  // `limit`.
  std::vector<const v1::Protocol*> Newest(absl::string_view after_id, size_t limit) const;

 private:
  std::map<std::pair<std::string, int>, v1::Protocol> protocols_;  // by id and revision
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_PROTOCOLS_H_
