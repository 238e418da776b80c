#ifndef RAPPORT_COMMON_EVENTS_EVENT_LOG_H_
#define RAPPORT_COMMON_EVENTS_EVENT_LOG_H_

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sql/database.h"
#include "google/protobuf/message.h"
#include "rapport/common/v1/event.pb.h"

// The transactional outbox and the log that a service's feed is served from.
//
// A change inserts its event unnumbered, in its own transaction. One replica at a time moves
// pending events into the log and numbers them densely, in the order of their insertion. A later
// version of a resource is inserted only after the earlier one is committed and seen, so each
// resource's events keep the order of its versions; between resources the order is that of arrival.
// No consumer ever reads a sequence or a transaction id.
namespace rapport::events {

// Appends the pending event of `resource`; deferred to the transaction's next round trip. Comes
// after the statement that holds the resource's row, or versions could change places.
void Append(sql::Transaction& tx, absl::string_view organization_id, absl::string_view resource,
            int64_t version, absl::Time occur_time, const google::protobuf::Message& payload);

// The event that a deferred statement appends, without a position; nothing where it is another
// statement than Append's. For a Database that tells what its transactions change.
std::optional<common::v1::Event> AppendedBy(const sql::Statement& statement,
                                            absl::Span<const sql::Value> parameters);

// Moves pending events and audit entries. Thread-safe.
class Sequencer {
 public:
  static constexpr int kBatch = 1000;

  explicit Sequencer(sql::Database& database) : database_(database) {}

  // Moves at most kBatch of each in one transaction. 0: nothing is pending, which is found out
  // without writing, or another replica is at it.
  absl::StatusOr<int> RunOnce(absl::Time now);

  // Looks where the log stands without writing; whether anything is pending. RunOnce begins with
  // it.
  absl::StatusOr<bool> Look(absl::Time now);

  // As of the last look or run: the newest committed position, and how long the oldest pending
  // event and audit entry had waited.
  int64_t last_position() const { return last_position_.load(); }
  absl::Duration unsequenced_age() const { return absl::Microseconds(event_age_.load()); }
  absl::Duration audit_unsequenced_age() const { return absl::Microseconds(audit_age_.load()); }

 private:
  void Advance(int64_t position);

  sql::Database& database_;
  std::atomic<int64_t> last_position_{0};
  std::atomic<int64_t> event_age_{0};
  std::atomic<int64_t> audit_age_{0};
};

// Where a log stands.
struct LogState {
  std::string epoch;          // random, made with the log; another after a restore
  int64_t last_position = 0;  // 0: empty
};
absl::StatusOr<LogState> ReadState(sql::Session& session);

// What to read of the numbered log: the events after one position up to another. What is read costs
// time by that range, however few fit the rest.
struct Range {
  std::string organization_id;     // empty: all, in a session with sql::Access::Feed()
  std::vector<std::string> types;  // full names of payload types; empty: all
  int64_t after = 0;
  int64_t up_to = 0;  // inclusive
  int limit = 500;
};

// The events of the range, in order.
absl::StatusOr<std::vector<common::v1::Event>> ReadEvents(sql::Session& session,
                                                          const Range& range);

// Of the events of the range, in order, those that are the newest of their resource and payload
// type among all up to `until`.
absl::StatusOr<std::vector<common::v1::Event>> ReadSnapshot(sql::Session& session,
                                                            const Range& range, int64_t until);

// Those committed but not yet numbered, without positions: with the log up to the last position of
// the same snapshot, all that is committed. Only with sql::Access::Feed().
absl::StatusOr<std::vector<common::v1::Event>> ReadPending(sql::Session& session,
                                                           const std::vector<std::string>& types,
                                                           int limit);

}  // namespace rapport::events

#endif  // RAPPORT_COMMON_EVENTS_EVENT_LOG_H_
