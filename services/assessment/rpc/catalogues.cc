#include "services/assessment/rpc/catalogues.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/assessment/store/instruments.h"

namespace rapport::assessment {
namespace {

constexpr absl::string_view kShipped = "instruments/";
constexpr absl::string_view kNewest = "organizations/{organization}/instruments/{instrument}";
constexpr absl::string_view kRevision =
    "organizations/{organization}/instruments/{instrument}/revisions/{revision}";

// The shipped catalogue outlives every pointer to one of its instruments.
std::shared_ptr<const InstrumentRules> Unowned(const InstrumentRules* rules) {
  return std::shared_ptr<const InstrumentRules>(std::shared_ptr<void>(), rules);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const InstrumentRules>> Catalogues::Find(
    sql::Session& session, absl::string_view organization_id, absl::string_view name) const {
  if (absl::StartsWith(name, kShipped)) return Unowned(shipped_.Find(name));
  const bool newest = names::Matches(kNewest, name);
  if ((!newest && !names::Matches(kRevision, name)) ||
      names::OrganizationId(name) != organization_id) {
    return nullptr;
  }
  const absl::string_view id = names::Id(name, "instruments");
  int revision = 0;
  if (newest) {
    ASSIGN_OR_RETURN(revision, store::NewestRevision(session, organization_id, id));
  } else if (!absl::SimpleAtoi(names::Id(name, "revisions"), &revision)) {
    return nullptr;
  }
  if (revision <= 0) return nullptr;

  const std::string full =
      absl::StrCat("organizations/", organization_id, "/instruments/", id, "/revisions/", revision);
  if (auto kept = own_.Get(full, absl::InfinitePast())) return *std::move(kept);
  ASSIGN_OR_RETURN(std::optional<v1::Instrument> stored,
                   store::GetInstrument(session, organization_id, id, revision));
  if (!stored) return nullptr;
  ASSIGN_OR_RETURN(std::shared_ptr<const InstrumentRules> rules,
                   InstrumentRules::Make(*std::move(stored)));
  own_.Put(full, rules, absl::InfiniteFuture());
  return rules;
}

absl::StatusOr<std::shared_ptr<const InstrumentRules>> Catalogues::FindById(
    sql::Session& session, absl::string_view organization_id, absl::string_view id) const {
  if (const InstrumentRules* rules = shipped_.FindById(id)) return Unowned(rules);
  return Find(session, organization_id, names::InOrganization(organization_id, "instruments", id));
}

bool Catalogues::FindsAtOnce(absl::string_view name) const {
  return absl::StartsWith(name, kShipped) || shipped_.FindById(name) != nullptr;
}

absl::StatusOr<std::shared_ptr<const InstrumentRules>> Catalogues::FindEither(
    sql::Database& database, absl::Time deadline, absl::string_view organization_id,
    absl::string_view name) const {
  if (absl::StartsWith(name, kShipped)) return Unowned(shipped_.Find(name));
  if (const InstrumentRules* rules = shipped_.FindById(name)) return Unowned(rules);
  std::shared_ptr<const InstrumentRules> found;
  RETURN_IF_ERROR(database.Read(
      sql::Access::Tenant(organization_id), deadline, [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(found, absl::StrContains(name, '/')
                                    ? Find(session, organization_id, name)
                                    : FindById(session, organization_id, name));
        return absl::OkStatus();
      }));
  return found;
}

}  // namespace rapport::assessment
