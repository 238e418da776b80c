#ifndef RAPPORT_TESTS_INTEGRATION_SUITE_PRACTICE_H_
#define RAPPORT_TESTS_INTEGRATION_SUITE_PRACTICE_H_

#include <string>

#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/caller.h"

namespace rapport::testing {

// The smallest network that treats someone: one organisation, a clinic in London, a therapist who
// works there all week, and a course that is being assessed. Domain time is Thursday 1 January
// 2026, 00:00 UTC.
class Practice {
 public:
  // Sets it up through the RPCs; fails the test where that fails.
  Practice(ctl::Caller& caller, const std::string& organization_id);

  std::string Name(const std::string& rest) const { return organization + "/" + rest; }

  const std::string organization_id;
  const std::string organization;  // name
  const ctl::Identity admin;
  const ctl::Identity therapist;
  const ctl::Identity app;  // the patients' app
  std::string clinic;
  std::string clinician;
  scheduling::v1::Course course;

  // Books `day` January 2026 at 10:00.
  scheduling::v1::Appointment Book(ctl::Caller& caller, int day) const;
};

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_INTEGRATION_SUITE_PRACTICE_H_
