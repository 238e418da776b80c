#ifndef RAPPORT_COMMON_SQL_DURABILITY_H_
#define RAPPORT_COMMON_SQL_DURABILITY_H_

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/concurrency/mutex.h"
#include "common/sql/database.h"
#include "common/sql/postgres_connection.h"

namespace rapport::sql::internal {

// What the server that we are connected to makes of a commit that it has acknowledged. One row, for
// Durability::Observe; every role may run it.
extern const Command kInspect;

inline constexpr char kStalePrimary[] = "STALE_PRIMARY";

// Makes the session's commits wait for the disk, and for the standby where there is one. Any user
// may set it, so a server whose default is looser needs no refusal.
extern const Command kRaiseCommit;

// Judges the servers that this process meets. Thread-safe.
class Durability {
 public:
  struct Rules {
    bool allow_unsafe = false;
    bool require_synchronous_standby = false;
  };
  explicit Durability(Rules rules) : rules_(rules) {}

  // False: nothing is asked of the server, and nothing refused.
  bool enforced() const { return !rules_.allow_unsafe; }

  // Whether a server may be written to whose row of kInspect this is. All refusals are
  // kUnavailable, and told in the log when they change:
  //   UNSAFE_DURABILITY  fsync or full_page_writes is off; or a standby is required and none is
  //                      named by synchronous_standby_names, or none is attached
  //   STALE_PRIMARY      of an older timeline than one that this process has met: the primary from
  //                      before a failover
  //   DATABASE_READ_ONLY the server is a standby
  absl::Status Observe(const Result& row);

  // How far the log of a primary is on disk, by its row of kInspect: all that it has acknowledged
  // with synchronous_commit is before.
  struct LogPlace {
    std::string system;    // the cluster's identifier
    std::string timeline;  // eight hexadecimal digits
    std::string flushed;   // pg_lsn
  };
  static LogPlace PlaceOf(const Result& row);

 private:
  absl::Status Judge(const Result& row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Rules rules_;
  Mutex mutex_;
  absl::Status told_ ABSL_GUARDED_BY(mutex_);
  // The newest timeline met, by the cluster's system identifier.
  std::map<std::string, std::string> timelines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_DURABILITY_H_
