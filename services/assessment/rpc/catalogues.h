#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_CATALOGUES_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_CATALOGUES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/sharded_cache.h"
#include "common/sql/database.h"
#include "services/assessment/domain/instruments.h"

namespace rapport::assessment {

// The instruments that an organisation can score with: the shipped ones and its own. Revisions
// never change, so each is read and compiled once in a process. Thread-safe.
class Catalogues {
 public:
  // `shipped` outlives this.
  explicit Catalogues(const Catalogue& shipped) : shipped_(shipped) {}

  // "instruments/phq-9", "organizations/acme/instruments/mood-check", each alone for the newest
  // revision or with "/revisions/2"; null: there is none in this organisation.
  absl::StatusOr<std::shared_ptr<const InstrumentRules>> Find(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              absl::string_view name) const;

  // The newest revision of the instrument with `id`, as "phq-9".
  absl::StatusOr<std::shared_ptr<const InstrumentRules>> FindById(sql::Session& session,
                                                                  absl::string_view organization_id,
                                                                  absl::string_view id) const;

  // As Find, or as FindById where `name` is an id alone; asks `database` for own instruments only.
  absl::StatusOr<std::shared_ptr<const InstrumentRules>> FindEither(
      sql::Database& database, absl::Time deadline, absl::string_view organization_id,
      absl::string_view name) const;
  // Whether FindEither answers without the database.
  bool FindsAtOnce(absl::string_view name) const;

  const Catalogue& shipped() const { return shipped_; }

 private:
  // Own revisions that are kept compiled, over all organisations.
  static constexpr size_t kMostKept = 10'000;

  const Catalogue& shipped_;
  mutable ShardedCache<std::shared_ptr<const InstrumentRules>> own_{kMostKept};  // by full name
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_CATALOGUES_H_
