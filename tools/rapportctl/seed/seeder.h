#ifndef RAPPORT_TOOLS_RAPPORTCTL_SEED_SEEDER_H_
#define RAPPORT_TOOLS_RAPPORTCTL_SEED_SEEDER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "tools/rapportctl/caller.h"
#include "tools/rapportctl/seed/network.h"

namespace rapport::seed {

struct Seeded {
  int64_t entries = 0;   // of the directory
  int64_t courses = 0;   // made now
  int64_t sessions = 0;  // booked now
  int64_t there = 0;     // courses that were there already, with their sessions
};

// Told how much is made: what, how many more of it, and of how much in all it is one.
struct SeedProgress {
  std::function<void(int64_t total)> total = nullptr;
  std::function<void(const std::string& what, int64_t count)> made = nullptr;
};

// Makes the network in a running suite through its RPCs: the organisation where it is missing, the
// directory by import, then course by course: proposed, in assessment, its sessions booked. What is
// there already is left as it is, so that a seed that was broken off goes on when it is sown again.
//
// Acts as a platform operator, an administrator and each clinician in turn: wants a caller that
// mints tokens.
absl::StatusOr<Seeded> Seed(ctl::Caller& caller, const NetworkOptions& options,
                            const SeedProgress& progress);

}  // namespace rapport::seed

#endif  // RAPPORT_TOOLS_RAPPORTCTL_SEED_SEEDER_H_
