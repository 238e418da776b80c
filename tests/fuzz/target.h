#ifndef RAPPORT_TESTS_FUZZ_TARGET_H_
#define RAPPORT_TESTS_FUZZ_TARGET_H_

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// What takes any bytes from outside, under any bytes. Each target is a program for libFuzzer
// (engine.cc, tests/fuzz/run) and, over its seeds and a fixed number of mutations of them, a test
// (replay_test.cc).
namespace rapport::fuzz {

struct Target {
  const char* name;  // folder of its corpus too
  // Ends the process where a promise is broken.
  void (*run)(absl::string_view input);
  // Inputs from which good ones are a short way off.
  std::vector<std::string> (*seeds)();
};

const Target& Requests();     // every request's bytes, up to the handlers
const Target& Tokens();       // access tokens and what we hand out and take back
const Target& Instruments();  // an organisation's instruments, and forms against them
const Target& Replies();      // what a Redis that others write to may answer

inline void Require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

}  // namespace rapport::fuzz

#endif  // RAPPORT_TESTS_FUZZ_TARGET_H_
