#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_STORED_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_STORED_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/errors/errors.h"
#include "common/sql/database.h"

namespace rapport::scheduling::store {

// A resource as it is stored, and its version. The document holds no etag; readers set it.
template <class Resource>
struct Stored {
  Resource resource;
  int64_t version = 0;
};

// kInternal: the row holds something else than a serialised `resource`.
template <class Resource>
absl::Status ParseDocument(const std::string& document, int64_t version, Resource& resource) {
  if (!resource.ParseFromString(document)) {
    return errors::Internal(
        absl::StrCat("A stored document is no ", Resource::descriptor()->full_name()));
  }
  resource.set_etag(absl::StrCat(version));
  return absl::OkStatus();
}

template <class Resource>
std::string Document(const Resource& resource) {
  Resource stored = resource;
  stored.clear_etag();
  return stored.SerializeAsString();
}

// kAborted LOST_RACE unless the update met the version that it was made for.
inline absl::Status RequireOneRow(const sql::Result& result) {
  if (result.affected() == 1) return absl::OkStatus();
  return errors::Aborted("LOST_RACE", "Another change came first. Read again and repeat.");
}

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_STORED_H_
