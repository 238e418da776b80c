#ifndef RAPPORT_TESTS_INTEGRATION_SUITE_HEALTH_H_
#define RAPPORT_TESTS_INTEGRATION_SUITE_HEALTH_H_

#include <string>

namespace rapport::testing {

// Whether grpc.health.v1 at `address` says SERVING of `service`; waits at most a second for an
// answer. False as well when nobody answers.
bool IsServing(const std::string& address, const std::string& service);

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_INTEGRATION_SUITE_HEALTH_H_
