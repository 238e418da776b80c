#include "common/cache/memory.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"

namespace rapport::cache {
namespace {

// Beside what the value itself takes: nodes, hash slots.
constexpr int64_t kOverhead = 160;
// A shard that knows of more changes than that forgets the older half at once.
constexpr size_t kMostChanges = 50'000;

}  // namespace

Memory::Memory(int64_t bytes, size_t shards)
    : shards_(std::max<size_t>(shards, 1)),
      shard_bytes_(bytes / static_cast<int64_t>(shards_.size())) {}

Memory::Shard& Memory::ShardOf(absl::string_view key) const {
  return shards_[(absl::Hash<absl::string_view>()(key) >> 7) % shards_.size()];
}

void Memory::Remove(Shard& shard, std::list<Entry>::iterator entry) {
  shard.bytes -= entry->bytes;
  bytes_ -= entry->bytes;
  --entries_;
  shard.index.erase(entry->key);
  shard.entries.erase(entry);
}

void Memory::Erase(Shard& shard, absl::string_view key) {
  const auto found = shard.index.find(key);
  if (found != shard.index.end()) Remove(shard, found->second);
}

Memory::Value Memory::Find(Shard& shard, absl::string_view key, absl::Time now) {
  const auto found = shard.index.find(key);
  if (found == shard.index.end()) return nullptr;
  const auto entry = found->second;
  if (entry->expiry <= now) {
    Remove(shard, entry);
    return nullptr;
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, entry);
  return entry->value;
}

Memory::Value Memory::Get(absl::string_view key, absl::Time now) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  return Find(shard, key, now);
}

Memory::Found Memory::GetOrJoin(absl::string_view key, absl::Time now) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  Found found;
  found.value = Find(shard, key, now);
  if (found.value != nullptr) return found;
  std::shared_ptr<Flight>& flight = shard.flights[key];
  if (flight == nullptr) {
    flight = std::make_shared<Flight>();
    found.leads = true;
  }
  found.flight = flight;
  return found;
}

void Memory::Land(absl::string_view key, const std::shared_ptr<Flight>& flight, absl::Status status,
                  Value value) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  flight->done = true;
  flight->status = std::move(status);
  flight->value = std::move(value);
  const auto found = shard.flights.find(key);
  if (found != shard.flights.end() && found->second == flight) shard.flights.erase(found);
  flight->landed.SignalAll();
}

absl::Status Memory::Await(absl::string_view key, Flight& flight, absl::Time deadline,
                           Value& value) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  while (!flight.done) {
    if (!flight.landed.WaitUntil(shard.mutex, deadline) && !flight.done) {
      return absl::DeadlineExceededError("");
    }
  }
  value = flight.value;
  return flight.status;
}

bool Memory::IsFresh(const Shard& shard, absl::string_view key, int64_t position) const {
  if (position < shard.horizon) return false;
  for (const Floors* floors : {&shard.recent, &shard.older}) {
    const auto found = floors->find(key);
    if (found == floors->end()) continue;
    if (position < found->second.position || looks_ended_ < found->second.dirty_until) return false;
  }
  return true;
}

bool Memory::Fresh(absl::string_view key, int64_t position) const {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  return IsFresh(shard, key, position);
}

bool Memory::Put(absl::string_view key, Value value, int64_t bytes, absl::Time expiry,
                 int64_t position) {
  bytes += static_cast<int64_t>(key.size()) + kOverhead;
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  if (!IsFresh(shard, key, position)) return false;
  Erase(shard, key);
  if (bytes > shard_bytes_ / 4) return true;
  while (shard.bytes + bytes > shard_bytes_) Remove(shard, std::prev(shard.entries.end()));
  shard.entries.push_front({std::string(key), std::move(value), bytes, expiry});
  shard.index.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += bytes;
  bytes_ += bytes;
  ++entries_;
  return true;
}

void Memory::Changed(absl::string_view key, int64_t position) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  Erase(shard, key);
  shard.flights.erase(key);
  Floor& floor = shard.recent[key];
  floor.position = std::max(floor.position, position);
  int64_t known = position_;
  while (known < position && !position_.compare_exchange_weak(known, position)) {
  }
  if (shard.recent.size() > kMostChanges) Rotate(shard, position_);
}

void Memory::Dirty(absl::string_view key) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  Erase(shard, key);
  shard.flights.erase(key);
  shard.recent[key].dirty_until = looks_begun_ + 1;
}

void Memory::EndLook(uint64_t look) { looks_ended_ = look; }

void Memory::Rotate(Shard& shard, int64_t position) {
  Floors dropped = std::exchange(shard.older, std::exchange(shard.recent, Floors()));
  shard.horizon = shard.recent_since;
  shard.recent_since = position;
  for (auto& [key, floor] : dropped) {
    if (looks_ended_ < floor.dirty_until) shard.recent[key].dirty_until = floor.dirty_until;
  }
}

void Memory::ForgetChanges(int64_t position) {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    Rotate(shard, std::max(position, position_.load()));
  }
}

void Memory::Clear(int64_t position) {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    while (!shard.entries.empty()) Remove(shard, shard.entries.begin());
    shard.flights.clear();
    shard.older.clear();
    Floors before = std::exchange(shard.recent, Floors());
    for (auto& [key, floor] : before) {
      if (looks_ended_ < floor.dirty_until) shard.recent[key].dirty_until = floor.dirty_until;
    }
    shard.horizon = shard.recent_since = position;
  }
  position_ = position;
}

}  // namespace rapport::cache
