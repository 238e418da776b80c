#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/target.h"

namespace rapport::fuzz {
namespace {

constexpr int kMutations = 4000;

const Target& TargetOf(const std::string& name) {
  for (const Target* target : {&Requests(), &Tokens(), &Instruments(), &Replies()}) {
    if (target->name == name) return *target;
  }
  std::abort();
}

class Replay : public ::testing::TestWithParam<std::string> {
 protected:
  // The seeds, and what the corpus keeps: bytes that once broke a promise.
  std::vector<std::string> Inputs(const Target& target) {
    std::vector<std::string> inputs = target.seeds();
    const std::filesystem::path folder = std::filesystem::path(RAPPORT_CORPUS) / target.name;
    if (std::filesystem::exists(folder)) {
      for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream in(entry.path(), std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
      }
    }
    return inputs;
  }
};

// One small change, of the kinds by which parsers break.
std::string Mutate(std::string text, const std::string& other, std::mt19937_64& random) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  switch (random() % 6) {
    case 0:  // a bit
      if (!text.empty()) text[below(text.size())] ^= static_cast<char>(1 << (random() % 8));
      break;
    case 1:  // an extreme byte
      if (!text.empty()) text[below(text.size())] = "\x00\x7f\x80\xff"[random() % 4];
      break;
    case 2:  // cut short
      text.resize(below(text.size() + 1));
      break;
    case 3: {  // a piece twice
      const size_t at = below(text.size());
      text.insert(below(text.size() + 1), text.substr(at, 1 + below(16)));
      break;
    }
    case 4:  // a piece left out
      text.erase(below(text.size()), 1 + below(16));
      break;
    default:  // a piece of another
      text.insert(below(text.size() + 1), other.substr(below(other.size()), 1 + below(32)));
  }
  return text;
}

TEST_P(Replay, KeepsItsPromisesOverSeedsAndTheirMutations) {
  const Target& target = TargetOf(GetParam());
  const std::vector<std::string> inputs = Inputs(target);
  ASSERT_FALSE(inputs.empty());
  for (const std::string& input : inputs) target.run(input);
  std::mt19937_64 random(20260101);
  for (int i = 0; i < kMutations; ++i) {
    std::string text = inputs[random() % inputs.size()];
    const std::string& other = inputs[random() % inputs.size()];
    for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes) {
      text = Mutate(std::move(text), other, random);
    }
    SCOPED_TRACE(i);
    target.run(text);
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay,
                         ::testing::Values("requests", "tokens", "instruments", "replies"),
                         [](const auto& which) { return which.param; });

}  // namespace
}  // namespace rapport::fuzz
