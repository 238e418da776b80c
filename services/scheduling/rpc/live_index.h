#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_LIVE_INDEX_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_LIVE_INDEX_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "rapport/common/v1/event.pb.h"
#include "services/scheduling/domain/openings/availability.h"

namespace rapport::scheduling {

// The free time of every organisation, in memory: loaded from one snapshot of the database, then
// kept by following the service's own event log, on every replica for itself. It is a hint that
// trails the bookings by a fraction of a second; the claims in the database decide. Thread-safe.
class LiveIndex {
 public:
  LiveIndex(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics);
  ~LiveIndex();

  // Loads what there is and follows the log from here until Stop.
  void Start(absl::Duration period = absl::Milliseconds(50));
  void Stop();

  // Takes up all that the log holds by now, in the caller's thread.
  absl::Status CatchUp();

  // Runs `body` over the index of the organisation, which does not change meanwhile. Clinicians,
  // clinics and bookings go by their ids, rooms by "{clinic}/{room}".
  //   kUnavailable INDEX_NOT_READY  it is not loaded yet
  absl::Status Read(absl::string_view organization_id,
                    absl::FunctionRef<void(const openings::AvailabilityIndex&)> body) const;

  // All that was in the log at this instant is in the index.
  absl::Time as_of() const { return absl::FromUnixMicros(as_of_.load()); }

  // The nearest free start of a clinician at a clinic (names) within 14 days of `around`, not
  // before now; nothing where there is none, or the index is not ready.
  std::optional<absl::Time> NearestFree(absl::string_view clinician, absl::string_view clinic,
                                        absl::Time around, int minutes) const;

 private:
  class Organization;

  absl::Status Follow();
  absl::Status LoadAll();
  absl::Status Load(const std::string& organization_id);
  absl::Status Apply(const std::vector<common::v1::Event>& events);
  absl::Status Renew();
  std::shared_ptr<Organization> Find(absl::string_view organization_id) const;

  sql::Database& database_;
  time::Clock& clock_;
  telemetry::Gauge lag_;

  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Organization>, std::less<>> organizations_
      ABSL_GUARDED_BY(mutex_);

  // Those who follow, one at a time.
  Mutex follow_mutex_;
  bool loaded_ ABSL_GUARDED_BY(follow_mutex_) = false;
  std::string epoch_ ABSL_GUARDED_BY(follow_mutex_);
  int64_t position_ ABSL_GUARDED_BY(follow_mutex_) = 0;

  std::atomic<int64_t> as_of_{0};
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_LIVE_INDEX_H_
