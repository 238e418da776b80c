#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_PAGING_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_PAGING_H_

#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"

namespace rapport::assessment::store {

// A place in a list that is ordered by an instant (in microseconds) and a name.
struct Place {
  int64_t micros = 0;
  std::string name;

  std::string Key() const { return call::JoinKey(absl::StrCat(micros), name); }

  // Where the page before ended; `first` where there was none. Keys are authenticated, so others
  // than Key() made don't come.
  static Place After(const call::Page& page, Place first) {
    const auto [micros, name] = call::SplitKey(page.after);
    Place place{0, name};
    return absl::SimpleAtoi(micros, &place.micros) ? place : first;
  }
};

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_PAGING_H_
