#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_PAGES_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_PAGES_H_

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/pages.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/store/directory_store.h"

// Pages of the directory's lists, which go by id or by start and id.
namespace rapport::scheduling {

inline store::StartKey ReadStartKey(const call::Page& page) {
  store::StartKey key{std::numeric_limits<int64_t>::min(), ""};
  if (!page.after.empty()) {
    const auto [start, id] = call::SplitKey(page.after);
    (void)absl::SimpleAtoi(start, &key.start_micros);
    key.id = id;
  }
  return key;
}

template <class Resource>
std::string KeyOfStart(const Resource& resource) {
  return call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(resource.start_time()))),
                       names::Last(resource.name()));
}

template <class Resource>
std::string KeyOfId(const Resource& resource) {
  return std::string(names::Last(resource.name()));
}

// Moves what was read, one more than the page takes, into the response. Returns the next page's
// token.
template <class Resource, class Repeated>
std::string FillPage(const call::CallContext& context, const call::Page& page,
                     std::vector<Resource> resources, Repeated* out,
                     std::string (*key)(const Resource&)) {
  const bool more = resources.size() > static_cast<size_t>(page.size);
  if (more) resources.resize(page.size);
  for (Resource& resource : resources) *out->Add() = std::move(resource);
  return more ? call::NextPageToken(context, key(out->Get(page.size - 1))) : std::string();
}

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_PAGES_H_
