#include "services/assessment/domain/sessions.h"

#include <algorithm>

namespace rapport::assessment {
namespace {

constexpr absl::Duration kOldest = absl::Hours(24 * 28);

}  // namespace

const Session* SessionFor(absl::Span<const Session> sessions, absl::Time answer_time) {
  for (const Session& session : sessions) {
    if (session.stands && answer_time >= session.start - kWindow && answer_time <= session.end) {
      return &session;
    }
  }
  return nullptr;
}

std::vector<int> SessionNumbers(absl::Span<const Session> sessions, absl::Span<const Form> forms) {
  std::vector<int> numbers(forms.size(), 0);
  absl::Time previous_end = absl::InfinitePast();
  for (const Session& session : sessions) {
    if (session.number == 0) continue;
    const absl::Time from = std::max(previous_end, session.start - kOldest);
    int before = -1;
    int during = -1;
    for (size_t i = 0; i < forms.size() && forms[i].answer_time <= session.end; ++i) {
      if (!forms[i].complete || numbers[i] != 0 || forms[i].answer_time < from) continue;
      if (forms[i].answer_time <= session.start) {
        before = static_cast<int>(i);
      } else if (during < 0) {
        during = static_cast<int>(i);
      }
    }
    if (const int chosen = before >= 0 ? before : during; chosen >= 0) {
      numbers[chosen] = session.number;
    }
    previous_end = session.end;
  }
  return numbers;
}

}  // namespace rapport::assessment
