#ifndef RAPPORT_COMMON_CALL_PAGES_H_
#define RAPPORT_COMMON_CALL_PAGES_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "google/protobuf/message.h"

// Pages of lists (AIP-158). Tokens are opaque, authenticated and bound to the request's other
// arguments, its method and its organisation.
namespace rapport::call {

struct Page {
  int size = 50;      // 1 to 500
  std::string after;  // the last key of the page before; empty: from the first
};

// Reads `page_size` (0: 50; above 500: 500) and `page_token` of `request`.
//   kInvalidArgument  page_token: of another query, or not one of ours
absl::StatusOr<Page> ReadPage(const CallContext& context, const google::protobuf::Message& request);

// The token of the page after the entry with key `last_key`.
std::string NextPageToken(const CallContext& context, absl::string_view last_key);

// Keys of more than one part are joined with '\n'.
std::string JoinKey(absl::string_view first, absl::string_view second);
std::pair<std::string, std::string> SplitKey(absl::string_view key);

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_PAGES_H_
