#ifndef RAPPORT_SERVICES_NOTES_STORE_PAGING_H_
#define RAPPORT_SERVICES_NOTES_STORE_PAGING_H_

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/errors/status_macros.h"
#include "common/sql/database.h"
#include "common/telemetry/log.h"

// Keyset pages that the stores share.
namespace rapport::notes {

// A page of a list.
template <class Item>
struct Listed {
  std::vector<Item> items;
  std::string next_key;  // of the last item, for the next page; empty: this was the last
};

// Keys of lists that are ordered by an instant or number and an id.
struct ListKey {
  int64_t number;
  std::string id;
};
inline constexpr int64_t kFromFirst = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kFromLast = std::numeric_limits<int64_t>::max();

// Where `page` goes on; at `start` where it is the first.
inline ListKey After(const call::Page& page, int64_t start) {
  const auto [number, id] = call::SplitKey(page.after);
  ListKey key{start, id};
  if (!absl::SimpleAtoi(number, &key.number)) key = {start, ""};
  return key;
}

// Takes what a statement returned that asked for one row more than the page holds; `read(row)`
// makes the item, `key(row)` its ListKey.
template <class Item, class Read, class Key>
Listed<Item> TakePage(const sql::Result& rows, const call::Page& page, Read read, Key key) {
  Listed<Item> listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) listed.items.push_back(read(row));
  if (rows.rows() > size) {
    const ListKey last = key(size - 1);
    listed.next_key = call::JoinKey(absl::StrCat(last.number), last.id);
  }
  return listed;
}

// As TakePage, where read(row) makes an absl::StatusOr<Item>.
template <class Item, class Read, class Key>
absl::StatusOr<Listed<Item>> TryTakePage(const sql::Result& rows, const call::Page& page, Read read,
                                         Key key) {
  Listed<Item> listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t row = 0; row < rows.rows() && row < size; ++row) {
    ASSIGN_OR_RETURN(Item item, read(row));
    listed.items.push_back(std::move(item));
  }
  if (rows.rows() > size) {
    const ListKey last = key(size - 1);
    listed.next_key = call::JoinKey(absl::StrCat(last.number), last.id);
  }
  return listed;
}

// `texts` as a JSON array, for `IN (SELECT value FROM json_each($n))`.
inline std::string JsonArray(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    telemetry::AppendJsonString(json, text);
  }
  return json + "]";
}

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_PAGING_H_
