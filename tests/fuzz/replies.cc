#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"
#include "common/cache/sealer.h"
#include "tests/fuzz/target.h"

namespace rapport::fuzz {
namespace {

const cache::Sealer& TheSealer() {
  static const auto* const sealer =
      new cache::Sealer(std::shared_ptr<const auth::IntegrityKey>(
                            *auth::IntegrityKey::Parse(std::string(64, 'b') + "\n")),
                        "scheduling");
  return *sealer;
}

const std::string& TheKey() {
  static const auto* const key =
      new std::string(TheSealer().Key("course.1", "e1", "acme", "organizations/acme/courses/c1"));
  return *key;
}

const std::string& TheValue() {
  static const auto* const value = new std::string(TheSealer().Seal(
      TheKey(), {.version = 3, .position = 9, .fill_time = absl::FromUnixSeconds(1790000000)},
      "a course as bytes"));
  return *value;
}

// What stands at the key: nothing but the very value that was put there is taken.
void Run(absl::string_view input) {
  const auto opened = TheSealer().Open(TheKey(), input);
  Require(opened.has_value() == (input == TheValue()), "only what was sealed is opened");
  const std::string elsewhere =
      TheSealer().Key("course.1", "e1", "other", "organizations/other/courses/c1");
  Require(!TheSealer().Open(elsewhere, input).has_value(), "and only at its key");
}

std::vector<std::string> Seeds() { return {TheValue(), "R1", ""}; }

}  // namespace

const Target& Replies() {
  static const Target target{"replies", Run, Seeds};
  return target;
}

}  // namespace rapport::fuzz
