#include "services/scheduling/rpc/background.h"

#include <utility>

#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"
#include "services/scheduling/rpc/reminders.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kAdoptEvery = absl::Minutes(1);

}  // namespace

Background::Background(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
                       const Booker& booker, const Waitlist& waitlist, std::string tzdata_version)
    : database_(database),
      clock_(clock),
      time_watch_(booker, std::move(tzdata_version)),
      worker_(database, clock, metrics) {
  waitlist.Register(worker_);
  worker_.On(kRemindersWork, RemindOfSessions);
  worker_.On(kTimeWatchWork, [this](sql::Transaction& tx, const work::Item& item, absl::Time now) {
    return time_watch_.Check(tx, item, now);
  });
}

void Background::Start(absl::Duration period) {
  if (!time_watch_.knows_version()) {
    telemetry::Log(telemetry::Severity::kWarning,
                   "The zone data does not say its release; sessions are not checked against it");
  }
  worker_.Start(period);
  adopting_ = std::make_unique<PeriodicThread>("adopt", kAdoptEvery, [this] {
    if (const absl::Status status = Adopt(); !status.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "New organisations can't be looked for now",
                     {{"status", status.ToString()}});
    }
  });
}

void Background::Stop() {
  adopting_.reset();
  worker_.Stop();
}

absl::Status Background::Adopt() {
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(work::ScheduleEverywhere(database_, kRemindersWork, "", now));
  if (!time_watch_.knows_version()) return absl::OkStatus();
  return work::ScheduleEverywhere(database_, kTimeWatchWork, time_watch_.tzdata_version(), now);
}

}  // namespace rapport::scheduling
