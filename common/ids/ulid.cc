#include "common/ids/ulid.h"

#include <openssl/rand.h>

#include <cstdint>
#include <cstdlib>

#include "absl/time/clock.h"

namespace rapport::ids {
namespace {

constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

std::string NewUlid() { return NewUlid(absl::Now()); }

std::string NewUlid(absl::Time at) {
  const auto millis = static_cast<uint64_t>(absl::ToUnixMillis(at));
  std::string out(26, '0');
  for (int i = 0; i < 10; ++i) out[i] = kAlphabet[(millis >> (45 - 5 * i)) & 31];
  unsigned char random[16];
  if (RAND_bytes(random, sizeof(random)) != 1) std::abort();
  for (int i = 0; i < 16; ++i) out[10 + i] = kAlphabet[random[i] & 31];
  return out;
}

bool IsUlid(absl::string_view text) {
  if (text.size() != 26 || text[0] > '7') return false;
  for (char c : text) {
    if (kAlphabet.find(c) == absl::string_view::npos) return false;
  }
  return true;
}

}  // namespace rapport::ids
