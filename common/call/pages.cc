#include "common/call/pages.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"

namespace rapport::call {
namespace {

constexpr absl::string_view kPurpose = "page_token";
constexpr int kDefaultSize = 50;
constexpr int kMaxSize = 500;

std::string Binding(const CallContext& context) {
  return absl::StrCat(context.organization_id, "\n", context.method, "\n",
                      context.request_fingerprint);
}

}  // namespace

absl::StatusOr<Page> ReadPage(const CallContext& context,
                              const google::protobuf::Message& request) {
  const auto* descriptor = request.GetDescriptor();
  const auto* reflection = request.GetReflection();
  Page page;
  const int size = reflection->GetInt32(request, descriptor->FindFieldByName("page_size"));
  page.size = size == 0 ? kDefaultSize : std::min(size, kMaxSize);
  const std::string token =
      reflection->GetString(request, descriptor->FindFieldByName("page_token"));
  if (!token.empty()) {
    auto after = context.integrity->Open(kPurpose, Binding(context), token);
    if (!after) {
      return errors::InvalidArgument("page_token",
                                     "must be the next_page_token of a page of this very query");
    }
    page.after = *std::move(after);
  }
  return page;
}

std::string NextPageToken(const CallContext& context, absl::string_view last_key) {
  return context.integrity->Seal(kPurpose, Binding(context), last_key);
}

std::string JoinKey(absl::string_view first, absl::string_view second) {
  return absl::StrCat(first, "\n", second);
}

std::pair<std::string, std::string> SplitKey(absl::string_view key) {
  return absl::StrSplit(key, absl::MaxSplits('\n', 1));
}

}  // namespace rapport::call
