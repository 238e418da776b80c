#ifndef RAPPORT_SERVICES_NOTES_RPC_BACKGROUND_H_
#define RAPPORT_SERVICES_NOTES_RPC_BACKGROUND_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/concurrency/periodic.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/work/work.h"
#include "rapport/common/v1/event.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

namespace rapport::notes {

// A patient comes of age: the key is their id.
inline constexpr char kMajorityWork[] = "majority";
// Once a day and organisation: who comes of age within the next, whatever told of it.
inline constexpr char kMajoritiesWork[] = "majorities";

// Puts down what is due on the day that `course`, told by `event`, names as its patient's majority.
void ExpectMajority(sql::Transaction& tx, const common::v1::Event& event,
                    const scheduling::v1::CourseEvent& course);

// What the service does by itself at some time: when a patient comes of age, ends what guardians
// see of them, and their consents to it, and tells of each. That nothing is shown from that day on
// does not hang on it: each view looks at the day itself. Every replica runs one; they share the
// load.
class Background {
 public:
  Background(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
             const crypto::Vault& vault);
  ~Background() { Stop(); }

  // Looks for what is due every `period` of real time until Stop.
  void Start(absl::Duration period = absl::Milliseconds(200));
  void Stop();

  // Sees to it that each organisation has its daily look.
  absl::Status Adopt();

  // Does what is due now; how much.
  absl::StatusOr<int> RunOnce() { return worker_.RunOnce(); }

 private:
  absl::Status LookForMajorities(sql::Transaction& tx, const work::Item& item,
                                 absl::Time now) const;
  absl::Status ComeOfAge(sql::Transaction& tx, const work::Item& item, absl::Time now) const;

  sql::Database& database_;
  time::Clock& clock_;
  const crypto::Vault& vault_;
  work::Worker worker_;
  std::unique_ptr<PeriodicThread> adopting_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_BACKGROUND_H_
