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
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
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
  // Searches do not trust the index when it is more than `bound` behind.
  LiveIndex(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
            absl::Duration bound = absl::Seconds(5));
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

  // As Read, for who must not see less than this: what the caller itself has changed (its
  // positions), and nothing older than the bound. Waits up to 200 ms for it. Where the index is
  // still behind then, one is read from the database just for those who ask now, which takes as
  // long as a start does. Returns the instant whose log is in the index that `body` saw.
  absl::StatusOr<absl::Time> ReadCurrent(
      const call::CallContext& context,
      absl::FunctionRef<void(const openings::AvailabilityIndex&)> body) const;

  // All that was in the log at this instant is in the index.
  absl::Time as_of() const { return absl::FromUnixMicros(as_of_.load()); }

  // The nearest free start of a clinician at a clinic (names) within 14 days of `around`, not
  // before now; nothing where there is none, or the index is not ready.
  std::optional<absl::Time> NearestFree(absl::string_view clinician, absl::string_view clinic,
                                        absl::Time around, int minutes) const;

 private:
  class Organization;
  // One read from the database outside of the log's turn, by organisation.
  struct Fresh {
    Mutex mutex;
    std::shared_ptr<Organization> organization ABSL_GUARDED_BY(mutex);
    absl::Time begun ABSL_GUARDED_BY(mutex);
  };

  absl::Status Follow();
  absl::Status LoadAll();
  absl::Status Load(const std::string& organization_id);
  absl::Status Apply(const std::vector<common::v1::Event>& events);
  absl::Status Renew();
  std::shared_ptr<Organization> Find(absl::string_view organization_id) const;
  absl::StatusOr<std::shared_ptr<Organization>> ReadNow(const std::string& organization_id,
                                                        absl::Time deadline) const;
  absl::StatusOr<bool> Await(const call::CallContext& context) const;
  absl::StatusOr<std::shared_ptr<Organization>> LoadFresh(const std::string& organization_id,
                                                          absl::Time not_before,
                                                          absl::Time deadline) const;

  sql::Database& database_;
  time::Clock& clock_;
  const absl::Duration bound_;
  telemetry::Gauge lag_;

  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Organization>, std::less<>> organizations_
      ABSL_GUARDED_BY(mutex_);

  mutable Mutex fresh_mutex_;
  mutable std::map<std::string, std::shared_ptr<Fresh>> fresh_ ABSL_GUARDED_BY(fresh_mutex_);

  // Those who follow, one at a time.
  Mutex follow_mutex_;
  bool loaded_ ABSL_GUARDED_BY(follow_mutex_) = false;
  std::string epoch_ ABSL_GUARDED_BY(follow_mutex_);
  int64_t position_ ABSL_GUARDED_BY(follow_mutex_) = 0;

  std::atomic<int64_t> as_of_{0};
  std::atomic<int64_t> applied_{0};  // the last position that is in the index
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_LIVE_INDEX_H_
