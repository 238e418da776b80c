#include "tools/rapportctl/describe.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/errors/errors.h"

namespace rapport::ctl {
namespace {

// What to do about an error; empty: its message says it.
absl::string_view RemedyOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "the token is missing, over, or of an issuer or key that the service does not know: "
             "see --token_command, --token_file and --keys_dir; `rapportctl doctor` tells more";
    case absl::StatusCode::kPermissionDenied:
      return "no role of the token grants it: `rapportctl help NOUN VERB` names the permission";
    case absl::StatusCode::kNotFound:
      return "it is not there, or this token may not know that it is";
    case absl::StatusCode::kUnavailable:
      return "`rapportctl doctor` tells which service is down or not ready";
    case absl::StatusCode::kAborted:
      return errors::Reason(status) == "STALE_ETAG" ? "read it again and repeat the change" : "";
    default:
      return "";
  }
}

// As the services put a message together of the fields that are wrong.
std::string MessageOf(const std::vector<errors::FieldViolation>& violations) {
  std::string message;
  for (const errors::FieldViolation& violation : violations) {
    absl::StrAppend(&message, message.empty() ? "" : "; ", violation.field, ": ",
                    violation.description);
  }
  return message;
}

}  // namespace

std::string Describe(const absl::Status& status) {
  const std::string reason = errors::Reason(status);
  std::string text =
      absl::StrCat(absl::StatusCodeToString(status.code()), reason.empty() ? "" : " ", reason, ":");
  const std::vector<errors::FieldViolation> violations = errors::FieldViolations(status);
  if (violations.empty() || status.message() != MessageOf(violations)) {
    absl::StrAppend(&text, " ", status.message());
  }
  for (const errors::FieldViolation& violation : violations) {
    absl::StrAppend(&text, "\n  ", violation.field, " ", violation.description);
  }
  if (const absl::string_view remedy = RemedyOf(status); !remedy.empty()) {
    absl::StrAppend(&text, "\n", remedy);
  }
  return text;
}

}  // namespace rapport::ctl
