#ifndef RAPPORT_COMMON_CONCURRENCY_SHARDED_CACHE_H_
#define RAPPORT_COMMON_CONCURRENCY_SHARDED_CACHE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"

namespace rapport {

// A map from strings to values that forgets: an entry at its expiry, the least recently used of its
// shard when the shard is full. Shards have a lock each. Values are copied out, so `V` is small or
// a shared_ptr. The caller brings the clock. Thread-safe.
template <class V>
class ShardedCache {
 public:
  // Holds at most `capacity` entries, at least one.
  explicit ShardedCache(size_t capacity, size_t shards = 16)
      : shards_(std::clamp<size_t>(shards, 1, std::max<size_t>(capacity, 1))),
        shard_capacity_(std::max<size_t>(capacity / shards_.size(), 1)) {}

  // The value under `key`, unless it expires at or before `now`.
  std::optional<V> Get(absl::string_view key, absl::Time now) {
    Shard& shard = ShardOf(key);
    MutexLock lock(shard.mutex);
    auto found = shard.index.find(key);
    if (found == shard.index.end()) return std::nullopt;
    auto entry = found->second;
    if (entry->expiry <= now) {
      shard.index.erase(found);
      shard.entries.erase(entry);
      return std::nullopt;
    }
    shard.entries.splice(shard.entries.begin(), shard.entries, entry);
    return entry->value;
  }

  // Keeps `value` under `key`, in place of what is there.
  void Put(absl::string_view key, V value, absl::Time expiry) {
    Shard& shard = ShardOf(key);
    MutexLock lock(shard.mutex);
    if (auto found = shard.index.find(key); found != shard.index.end()) {
      auto entry = found->second;
      entry->value = std::move(value);
      entry->expiry = expiry;
      shard.entries.splice(shard.entries.begin(), shard.entries, entry);
      return;
    }
    if (shard.entries.size() >= shard_capacity_) {
      shard.index.erase(shard.entries.back().key);
      shard.entries.pop_back();
    }
    shard.entries.push_front({std::string(key), std::move(value), expiry});
    shard.index.emplace(shard.entries.front().key, shard.entries.begin());
  }

  void Erase(absl::string_view key) {
    Shard& shard = ShardOf(key);
    MutexLock lock(shard.mutex);
    auto found = shard.index.find(key);
    if (found == shard.index.end()) return;
    auto entry = found->second;
    shard.index.erase(found);
    shard.entries.erase(entry);
  }

  void Clear() {
    for (Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      shard.index.clear();
      shard.entries.clear();
    }
  }

  // Entries held, expired ones included.
  size_t size() const {
    size_t total = 0;
    for (Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      total += shard.entries.size();
    }
    return total;
  }

 private:
  struct Entry {
    std::string key;
    V value;
    absl::Time expiry;
  };
  struct Shard {
    Mutex mutex;
    std::list<Entry> entries ABSL_GUARDED_BY(mutex);  // most recently used first
    // Keys are views of the entries' own; list nodes don't move.
    absl::flat_hash_map<absl::string_view, typename std::list<Entry>::iterator> index
        ABSL_GUARDED_BY(mutex);
  };

  Shard& ShardOf(absl::string_view key) const {
    return shards_[(absl::Hash<absl::string_view>()(key) >> 7) % shards_.size()];
  }

  mutable std::vector<Shard> shards_;
  const size_t shard_capacity_;
};

}  // namespace rapport

#endif  // RAPPORT_COMMON_CONCURRENCY_SHARDED_CACHE_H_
