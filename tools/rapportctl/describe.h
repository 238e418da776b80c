#ifndef RAPPORT_TOOLS_RAPPORTCTL_DESCRIBE_H_
#define RAPPORT_TOOLS_RAPPORTCTL_DESCRIBE_H_

#include <string>

#include "absl/status/status.h"

namespace rapport::ctl {

// "CODE reason: message", each wrong field on a line of its own in place of a message that says no
// more than these, and what to do about it.
std::string Describe(const absl::Status& status);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_DESCRIBE_H_
