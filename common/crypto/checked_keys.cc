#include "common/crypto/checked_keys.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/crypto/rewrapper.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::crypto {
namespace {

constexpr int kEnough = 20;                              // data keys to look at
constexpr absl::Duration kPatience = absl::Seconds(30);  // for a transaction, real clock

}  // namespace

absl::Status CheckedKeys::Check(sql::Database& database) {
  const Vault vault(keys_);
  ASSIGN_OR_RETURN(const auto organizations, Organizations(database));
  std::map<std::string, KeyTrial> trials;  // by key-encryption key
  KeyTrial all;
  for (const std::string& organization_id : organizations) {
    if (all.tried >= kEnough) break;
    std::map<std::string, KeyTrial> of_this;
    RETURN_IF_ERROR(database.Read(
        sql::Access::Tenant(organization_id), absl::Now() + kPatience,
        [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(of_this, vault.TryKeys(session, organization_id, kEnough - all.tried));
          return absl::OkStatus();
        }));
    for (const auto& [id, trial] : of_this) {
      trials[id] += trial;
      all += trial;
    }
  }
  const KeyTrial& of_active = trials[active_id()];
  const KeyTrial& judged = of_active.tried > 0 && of_active.opened == 0 ? of_active : all;
  if (judged.tried > 0 && judged.opened == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("these are not the keys that wrapped the data keys of the database: of ",
                     judged.tried, " that were tried none opens (", judged.fault,
                     "). Give the directory with the files of before."));
  }
  checked_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::string> CheckedKeys::Wrap(absl::string_view id, absl::string_view context,
                                              absl::string_view data_key) const {
  if (checked_) return keys_->Wrap(id, context, data_key);
  return errors::Unavailable(
      "KEYS_NOT_CHECKED", "The key-encryption keys are not held against the database yet.", "keys");
}

absl::StatusOr<std::string> CheckedKeys::Unwrap(absl::string_view id, absl::string_view context,
                                                absl::string_view wrapped) const {
  return keys_->Unwrap(id, context, wrapped);
}

}  // namespace rapport::crypto
