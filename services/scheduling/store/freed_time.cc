#include "services/scheduling/store/freed_time.h"

#include "absl/strings/str_cat.h"

namespace rapport::scheduling::store {
namespace {

// work::Schedule, where somebody waits.
const sql::Statement kDefer{"scheduling.freed_time.defer", R"sql(
  INSERT INTO due_work (organization_id, kind, key, due_at, attempts, revision)
  SELECT $1, $2, $3, $4, 0, 0
  WHERE EXISTS (SELECT 1 FROM waitlist_entry AS w
                WHERE w.organization_id = $1 AND w.clinician_id = $5 AND w.state = 1)
  ON CONFLICT (organization_id, kind, key) DO UPDATE
  SET due_at = excluded.due_at, attempts = 0, revision = due_work.revision + 1)sql"};

}  // namespace

void DeferFreedTime(sql::Transaction& tx, absl::string_view organization_id,
                    absl::string_view clinician_id, const Interval& time, absl::Time now) {
  tx.Defer(kDefer, {sql::Text(organization_id), sql::Text(kFreedTimeWork),
                    sql::Text(absl::StrCat(clinician_id, ":", absl::ToUnixMicros(time.start), ":",
                                           absl::ToUnixMicros(time.end))),
                    sql::Micros(now), sql::Text(clinician_id)});
}

}  // namespace rapport::scheduling::store
