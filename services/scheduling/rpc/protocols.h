#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOLS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOLS_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/concurrency/sharded_cache.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "services/scheduling/domain/protocols.h"

namespace rapport::scheduling {

// Every revision of every protocol: the shipped ones, and the organisations' own. As revisions
// never change, own ones are kept in memory once read, at most `capacity` of them. Thread-safe; one
// for the process, which all handlers share. `shipped` outlives it and what it hands out.
class Protocols {
 public:
  static constexpr size_t kCapacity = 10'000;

  explicit Protocols(const ProtocolCatalogue& shipped, size_t capacity = kCapacity)
      : shipped_(shipped), own_(capacity) {}

  // The revision called `name`, never null. `name` is shipped or of the session's organisation: the
  // front door has seen to that for names in requests, and what is stored names no other.
  //   kNotFound  there is none ("Protocol")
  absl::StatusOr<std::shared_ptr<const v1::Protocol>> Find(sql::Session& session,
                                                           absl::string_view name) const;

  const ProtocolCatalogue& shipped() const { return shipped_; }

 private:
  const ProtocolCatalogue& shipped_;
  mutable ShardedCache<std::shared_ptr<const v1::Protocol>> own_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_PROTOCOLS_H_
