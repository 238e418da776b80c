#ifndef RAPPORT_COMMON_EVENTS_COMPACTION_H_
#define RAPPORT_COMMON_EVENTS_COMPACTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"

// What bounds the log: of events that are older than its keeping time, only the newest of each
// resource and payload type stays, for ever. Who resumes from before that begins with a snapshot.
namespace rapport::events {

// Records that `consumer`, a service, has durably applied the log up to `position`: nothing after
// it is dropped on the consumer's account. Only forward.
absl::Status NoteConsumer(sql::Database& database, absl::string_view consumer, int64_t position);

// A consumer that has not been heard of for so long is forgotten: it begins with a snapshot should
// it come back.
inline constexpr absl::Duration kConsumerForgotten = absl::Hours(24 * 90);

// How far the log is compacted: a cursor before this position has expired.
absl::StatusOr<int64_t> CompactedUntil(sql::Session& session);

// Goes on with the compaction by at most `batch` positions in one transaction, of one replica at a
// time. Events numbered before `keep_since`, which every known consumer has passed, are compacted.
// Returns by how many positions it went on; 0: there is nothing to do, or another replica is at it.
absl::StatusOr<int64_t> CompactOnce(sql::Database& database, absl::Time keep_since,
                                    int64_t batch = 500);

}  // namespace rapport::events

#endif  // RAPPORT_COMMON_EVENTS_COMPACTION_H_
