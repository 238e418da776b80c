#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_OUTCOME_KEEPER_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_OUTCOME_KEEPER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "common/work/work.h"
#include "rapport/common/v1/event.pb.h"
#include "services/assessment/rpc/catalogues.h"

// Keeps what outcomes are told from. There is one function of a course's facts (the course, its
// appointments, its forms, the problem area); whatever changes a fact schedules, in its
// transaction, that the course is looked at again. So the order in which facts come does not
// matter, and what is kept is what would be made from scratch.
namespace rapport::assessment {

// The kind of work item that looks at a course again; its key is the course's id.
inline constexpr absl::string_view kOutcomeWork = "outcome";
// The kind of work items that schedule the courses of an organisation; key: the id after which.
inline constexpr absl::string_view kRebuildWork = "outcome_rebuild";

// A form or the problem area of `course` has changed. Deferred.
void OutcomeChanged(sql::Transaction& tx, absl::string_view course, absl::Time now);

// What an event of scheduling has changed, after the replica was brought up to it.
absl::Status OutcomesChanged(sql::Transaction& tx, const common::v1::Event& event, absl::Time now);

// Makes what is kept of `course` anew. One that is not known is dropped.
absl::Status RefreshOutcome(sql::Transaction& tx, const Catalogues& catalogues,
                            absl::string_view course);

// The act for kOutcomeWork. `catalogues` outlives it.
work::Act OutcomeAct(const Catalogues& catalogues);

// Makes all of an organisation anew: schedules every course, some hundred at a time. May run while
// the service does, and goes on after a restart.
void RebuildOutcomes(sql::Transaction& tx, absl::string_view organization_id, absl::Time now);

// The act for kRebuildWork.
absl::Status ContinueRebuild(sql::Transaction& tx, const work::Item& item, absl::Time now);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_OUTCOME_KEEPER_H_
