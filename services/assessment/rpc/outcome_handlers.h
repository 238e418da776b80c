#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_OUTCOME_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_OUTCOME_HANDLERS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/concurrency/mutex.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/outcome_service.pb.h"
#include "services/assessment/domain/disclosure.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// OutcomeService. An analyst sees all but clinicians' figures, a clinic manager the same of their
// own clinics (those that their token names, else the directory), a clinician their own and those
// whom they supervise, unsuppressed: they know these courses. Nobody else's figures are for anyone.
//
// Answers are kept for a while, and so is what may be told, which is decided anew for an
// organisation and an instrument once in that while: figures then are of now, told or not as it was
// decided, and never of fewer than kLeastCell. Thread-safe.
class OutcomeHandlers {
 public:
  OutcomeHandlers(sql::Database& database, const Catalogues& catalogues,
                  absl::Duration keep = absl::Seconds(60))
      : database_(database), catalogues_(catalogues), keep_(keep) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::GetOutcomesResponse> GetOutcomes(const call::CallContext& context,
                                                      const v1::GetOutcomesRequest& request);
  absl::StatusOr<v1::RebuildOutcomesResponse> RebuildOutcomes(
      const call::CallContext& context, const v1::RebuildOutcomesRequest& request);

 private:
  // What is asked for, and whose figures the caller may see of it.
  struct Asked {
    std::string instrument;
    bool by_clinic = false;
    bool by_clinician = false;
    bool by_protocol = false;
    bool by_problem_area = false;
    int period_months = 0;  // 0: not by time
    std::string clinic;     // filters; empty: none
    std::string clinician;
    std::string protocol;
    std::optional<int> first_month;  // inclusive
    std::optional<int> last_month;
    // Of whom alone; nothing: of all.
    std::optional<std::vector<std::string>> clinics;
    std::optional<std::vector<std::string>> clinicians;  // then all of it is told

    std::string Key() const;
  };
  struct Cell {
    std::string key;  // in whose order cells are told
    v1::OutcomeCell cell;
  };
  using Cells = std::vector<Cell>;
  // Values of one kind that are kept for a while, by key; bounded.
  template <class Value>
  struct Kept {
    struct Entry {
      absl::Time since;
      std::shared_ptr<const Value> value;
    };
    absl::flat_hash_map<std::string, Entry> entries;
  };

  static absl::StatusOr<Asked> Read(const v1::GetOutcomesRequest& request);
  absl::Status Limit(const call::CallContext& context, Asked& asked) const;
  absl::StatusOr<Cells> Compute(sql::Session& session, const call::CallContext& context,
                                const Asked& asked);
  absl::StatusOr<std::shared_ptr<const Disclosure>> DisclosureOf(sql::Session& session,
                                                                 const call::CallContext& context,
                                                                 const std::string& instrument);
  template <class Value>
  std::shared_ptr<const Value> Find(const Kept<Value>& kept, const std::string& key,
                                    absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <class Value>
  void Keep(Kept<Value>& kept, const std::string& key, absl::Time now,
            std::shared_ptr<const Value> value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  sql::Database& database_;
  const Catalogues& catalogues_;
  const absl::Duration keep_;
  mutable Mutex mutex_;
  Kept<Cells> answers_ ABSL_GUARDED_BY(mutex_);
  Kept<Disclosure> disclosures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_OUTCOME_HANDLERS_H_
