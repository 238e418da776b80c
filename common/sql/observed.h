#ifndef RAPPORT_COMMON_SQL_OBSERVED_H_
#define RAPPORT_COMMON_SQL_OBSERVED_H_

#include <memory>

#include "common/sql/database.h"
#include "common/telemetry/metrics.h"

namespace rapport::sql {

// `database`, whose transactions are counted and timed, waiting for a connection included. In a
// call that is traced each is a span, with the names of its statements: never their parameters.
// `metrics` outlives it.
std::unique_ptr<Database> Observe(std::unique_ptr<Database> database, telemetry::Metrics& metrics);

}  // namespace rapport::sql

#endif  // RAPPORT_COMMON_SQL_OBSERVED_H_
