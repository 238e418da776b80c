#ifndef RAPPORT_COMMON_CACHE_MEMORY_H_
#define RAPPORT_COMMON_CACHE_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"

namespace rapport::cache {

// The tier in the process: values by key, and what is known of how old a value may be. Shards have
// a lock each; what has not been asked for longest goes when a shard holds more bytes than its
// share. The caller brings the clock. Thread-safe.
//
// A value is kept with the position of the event log up to which the snapshot goes that it was read
// in. `Changed` raises what is asked of a key's position; so a reader that looked before a change
// and puts after it is refused, however late it comes: there is no fill race. `Dirty` does the same
// for a change whose position is not known yet: no value of the key is taken before a look at the
// log that began after it has ended.
class Memory {
 public:
  using Value = std::shared_ptr<const void>;

  // One load that several wait for.
  struct Flight {
    CondVar landed;
    bool done = false;
    absl::Status status;
    Value value;
  };
  struct Found {
    Value value;                     // null: not there
    std::shared_ptr<Flight> flight;  // then; to be loaded by who leads, the others wait
    bool leads = false;
  };

  explicit Memory(int64_t bytes, size_t shards = 16);

  Value Get(absl::string_view key, absl::Time now);
  // As Get; where nothing is there, joins the flight of the key or begins one.
  Found GetOrJoin(absl::string_view key, absl::Time now);
  // Tells the outcome to those who wait. Each flight once, by who leads.
  void Land(absl::string_view key, const std::shared_ptr<Flight>& flight, absl::Status status,
            Value value);
  // kDeadlineExceeded: the flight is still under way then.
  absl::Status Await(absl::string_view key, Flight& flight, absl::Time deadline, Value& value);

  // Whether a value read at `position` may be given out.
  bool Fresh(absl::string_view key, int64_t position) const;
  // Keeps `value`, of about so many bytes, if it is fresh and not too large. Whether it is fresh.
  bool Put(absl::string_view key, Value value, int64_t bytes, absl::Time expiry, int64_t position);

  // What is under `key` changed at `position` of the log: forgets it, and takes no older one.
  void Changed(absl::string_view key, int64_t position);
  // What is under `key` has changed, by a transaction that has ended.
  void Dirty(absl::string_view key);

  // A look at the log begins; its number.
  uint64_t BeginLook() { return ++looks_begun_; }
  // It has ended, and Changed was told of all that it found.
  void EndLook(uint64_t look);

  // Forgets the changes before those told since the last call: values older than them are refused.
  // `position` is that of the log now. Called from time to time.
  void ForgetChanges(int64_t position);

  // Forgets everything; values from before `position` are refused.
  void Clear(int64_t position);

  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  int64_t entries() const { return entries_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    std::string key;
    Value value;
    int64_t bytes;
    absl::Time expiry;
  };
  struct Floor {
    int64_t position = 0;
    uint64_t dirty_until = 0;  // the look that settles it; 0: clean
  };
  using Floors = absl::flat_hash_map<std::string, Floor>;
  struct Shard {
    mutable Mutex mutex;
    std::list<Entry> entries ABSL_GUARDED_BY(mutex);  // most recently used first
    // Keys are views of the entries' own; list nodes don't move.
    absl::flat_hash_map<absl::string_view, std::list<Entry>::iterator> index ABSL_GUARDED_BY(mutex);
    int64_t bytes ABSL_GUARDED_BY(mutex) = 0;
    absl::flat_hash_map<std::string, std::shared_ptr<Flight>> flights ABSL_GUARDED_BY(mutex);
    // Changes since `recent_since`, and those before since `horizon`; none is known before that.
    Floors recent ABSL_GUARDED_BY(mutex);
    Floors older ABSL_GUARDED_BY(mutex);
    int64_t recent_since ABSL_GUARDED_BY(mutex) = 0;
    int64_t horizon ABSL_GUARDED_BY(mutex) = 0;
  };

  Shard& ShardOf(absl::string_view key) const;
  Value Find(Shard& shard, absl::string_view key, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Erase(Shard& shard, absl::string_view key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Remove(Shard& shard, std::list<Entry>::iterator entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  bool IsFresh(const Shard& shard, absl::string_view key, int64_t position) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Rotate(Shard& shard, int64_t position) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  mutable std::vector<Shard> shards_;
  const int64_t shard_bytes_;
  std::atomic<int64_t> bytes_{0};
  std::atomic<int64_t> entries_{0};
  std::atomic<uint64_t> looks_begun_{0};
  std::atomic<uint64_t> looks_ended_{0};
  std::atomic<int64_t> position_{0};  // the highest that Changed, ForgetChanges or Clear told
};

}  // namespace rapport::cache

#endif  // RAPPORT_COMMON_CACHE_MEMORY_H_
