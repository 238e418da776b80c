#ifndef RAPPORT_COMMON_NAMES_NAMES_H_
#define RAPPORT_COMMON_NAMES_NAMES_H_

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

// Resource names (AIP-122): "organizations/acme/clinics/north". The front door has checked the
// syntax of every name in a request; these only take apart and put together.
namespace rapport::names {

// The id that follows the collection `collection` in `name`, as Id("organizations/acme/clinics/n",
// "clinics") == "n"; empty where there is none.
absl::string_view Id(absl::string_view name, absl::string_view collection);

// The last segment of `name`.
absl::string_view Last(absl::string_view name);

// Make({{"organizations", "acme"}, {"clinics", "north"}}).
std::string Make(std::initializer_list<std::pair<absl::string_view, absl::string_view>> parts);

inline absl::string_view OrganizationId(absl::string_view name) {
  return Id(name, "organizations");
}
inline std::string Organization(absl::string_view organization) {
  return Make({{"organizations", organization}});
}
// A resource right below its organisation.
inline std::string InOrganization(absl::string_view organization, absl::string_view collection,
                                  absl::string_view id) {
  return Make({{"organizations", organization}, {collection, id}});
}

// Whether `name` fits `pattern` ("organizations/{organization}/clinics/{clinic}"): the same literal
// segments, and ids of 1 to 128 letters, digits, '-', '_', '.', '~' in the places of variables.
bool Matches(absl::string_view pattern, absl::string_view name);

}  // namespace rapport::names

#endif  // RAPPORT_COMMON_NAMES_NAMES_H_
