#include "services/scheduling/rpc/reminders.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/own_act.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/domain/organizations.h"
#include "services/scheduling/domain/reminders.h"
#include "services/scheduling/store/organization_store.h"
#include "services/scheduling/store/reminder_store.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kEvery = absl::Minutes(1);
// Of starts, in one transaction.
constexpr absl::Duration kLongestWindow = absl::Minutes(15);
constexpr int kPage = 500;

std::vector<absl::Duration> LeadTimesOf(const v1::Organization& organization) {
  v1::OrganizationSettings settings = organization.settings();
  FillDefaults(settings);
  std::vector<absl::Duration> lead_times;
  if (organization.state() != v1::ORGANIZATION_STATE_ACTIVE || settings.reminders_off()) {
    return lead_times;
  }
  for (const auto& lead : settings.reminder_lead_times()) {
    lead_times.push_back(time::ToDuration(lead));
  }
  return lead_times;
}

// When the appointment got the start it has.
absl::Time StartSet(const v1::Appointment& appointment) {
  return time::ToTime(appointment.has_moved_from() ? appointment.update_time()
                                                   : appointment.create_time());
}

void Remind(sql::Transaction& tx, const v1::Appointment& appointment, absl::Duration lead_time,
            absl::Time now) {
  v1::ReminderDueEvent event;
  event.set_appointment(appointment.name());
  if (!appointment.patient().empty()) event.add_patients(appointment.patient());
  for (const v1::Participant& participant : appointment.participants()) {
    if (!names::Id(participant.person(), "patients").empty()) {
      event.add_patients(participant.person());
    }
  }
  *event.mutable_start_time() = appointment.start_time();
  *event.mutable_lead_time() = time::ToDurationProto(lead_time);
  call::RecordOwnAct(
      tx, "scheduling", "RemindOfSession",
      absl::StrCat(appointment.name(), "/reminders/", absl::ToInt64Minutes(lead_time)),
      appointment.sequence() + 1, now, event, event.SerializeAsString());
}

absl::Status RemindWithin(sql::Transaction& tx, absl::string_view organization_id,
                          const ReminderWindow& window, absl::Time now) {
  if (window.after == window.until) return absl::OkStatus();
  store::StartKey last;
  for (size_t found = kPage; found == kPage;) {
    ASSIGN_OR_RETURN(
        const auto appointments,
        store::ListToRemindOf(tx, organization_id, window.after, window.until, last, kPage));
    for (const v1::Appointment& appointment : appointments) {
      const absl::Time start = time::ToTime(appointment.start_time());
      last = {absl::ToUnixMicros(start), std::string(names::Last(appointment.name()))};
      if (!RemindsOf(window, start, StartSet(appointment))) continue;
      Remind(tx, appointment, window.lead_time, now);
    }
    found = appointments.size();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RemindOfSessions(sql::Transaction& tx, const work::Item& item, absl::Time now) {
  ASSIGN_OR_RETURN(const auto organization, store::GetOrganization(tx, item.organization_id));
  const std::vector<absl::Duration> lead_times = LeadTimesOf(organization.resource);
  ASSIGN_OR_RETURN(const auto marks, store::ListReminderMarks(tx, item.organization_id));
  for (const ReminderMark& mark : marks) {
    if (std::find(lead_times.begin(), lead_times.end(), mark.lead_time) == lead_times.end()) {
      store::DropReminderMark(tx, item.organization_id, mark.lead_time);
    }
  }
  bool caught_up = true;
  for (const ReminderWindow& window : ReminderWindows(lead_times, marks, now, kLongestWindow)) {
    RETURN_IF_ERROR(RemindWithin(tx, item.organization_id, window, now));
    store::PutReminderMark(tx, item.organization_id, window.mark);
    caught_up &= CatchesUp(window, now);
  }
  work::Schedule(tx, item.organization_id, item.kind, item.key, caught_up ? now + kEvery : now);
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
