#include "services/scheduling/domain/reminders.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"

namespace rapport::scheduling {

absl::Status CheckLeadTimes(absl::Span<const absl::Duration> lead_times, absl::string_view field) {
  if (lead_times.size() > kMaxLeadTimes) {
    return errors::InvalidArgument(field,
                                   absl::StrCat("must be at most ", kMaxLeadTimes, " lead times"));
  }
  for (auto lead = lead_times.begin(); lead != lead_times.end(); ++lead) {
    if (*lead < kShortestLeadTime || *lead > kLongestLeadTime) {
      return errors::InvalidArgument(field, "must each be from 5 minutes to 30 days");
    }
    if (std::find(lead_times.begin(), lead, *lead) != lead) {
      return errors::InvalidArgument(field, "must differ from each other");
    }
  }
  return absl::OkStatus();
}

std::vector<ReminderWindow> ReminderWindows(absl::Span<const absl::Duration> lead_times,
                                            absl::Span<const ReminderMark> marks, absl::Time now,
                                            absl::Duration longest) {
  const absl::Time settled = now - kBookingSettles;
  std::vector<ReminderWindow> windows;
  for (const absl::Duration lead : lead_times) {
    const auto kept = std::find_if(marks.begin(), marks.end(), [lead](const ReminderMark& mark) {
      return mark.lead_time == lead;
    });
    const absl::Time mark = kept == marks.end() ? settled : kept->reminded_until;
    // What starts by now is past reminding.
    const absl::Time from = std::max(mark, now - lead);
    const absl::Time to = std::max(from, std::min(settled, from + longest));
    windows.push_back({lead, from + lead, to + lead, {lead, to}});
  }
  return windows;
}

bool CatchesUp(const ReminderWindow& window, absl::Time now) {
  return window.mark.reminded_until >= now - kBookingSettles;
}

bool RemindsOf(const ReminderWindow& window, absl::Time start, absl::Time start_set) {
  return window.after < start && start <= window.until && start_set <= start - window.lead_time;
}

}  // namespace rapport::scheduling
