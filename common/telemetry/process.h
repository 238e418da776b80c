#ifndef RAPPORT_COMMON_TELEMETRY_PROCESS_H_
#define RAPPORT_COMMON_TELEMETRY_PROCESS_H_

#include "absl/strings/string_view.h"
#include "common/telemetry/metrics.h"

namespace rapport::telemetry {

// Tells what this process is and uses: kBuildInfo, and the metrics of a process under the names
// that Prometheus's own clients give them, read from /proc at each scrape.
void TellOfProcess(Metrics& metrics, absl::string_view version);

}  // namespace rapport::telemetry

#endif  // RAPPORT_COMMON_TELEMETRY_PROCESS_H_
