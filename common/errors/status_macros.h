#ifndef RAPPORT_COMMON_ERRORS_STATUS_MACROS_H_
#define RAPPORT_COMMON_ERRORS_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expr` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                           \
  do {                                                  \
    if (absl::Status _status = (expr); !_status.ok()) { \
      return _status;                                   \
    }                                                   \
  } while (false)

// Declares or assigns `lhs` from a StatusOr, or returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  RAPPORT_ASSIGN_OR_RETURN_IMPL(RAPPORT_CONCAT(_status_or_, __LINE__), lhs, expr)

#define RAPPORT_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                                  \
  if (!tmp.ok()) return std::move(tmp).status();      \
  lhs = *std::move(tmp)

#define RAPPORT_CONCAT(a, b) RAPPORT_CONCAT_IMPL(a, b)
#define RAPPORT_CONCAT_IMPL(a, b) a##b

#endif  // RAPPORT_COMMON_ERRORS_STATUS_MACROS_H_
