#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/fuzz/target.h"

// One target as libFuzzer's program.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rapport::fuzz::RAPPORT_TARGET().run(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

// One mutation in fifty begins at a seed again.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most,
                                          unsigned random) {
  static const auto* const seeds =
      new std::vector<std::string>(rapport::fuzz::RAPPORT_TARGET().seeds());
  if (random % 50 == 0) {
    const std::string& seed = (*seeds)[random / 50 % seeds->size()];
    size = std::min(seed.size(), most);
    std::copy_n(seed.begin(), size, data);
  }
  return LLVMFuzzerMutate(data, size, most);
}
