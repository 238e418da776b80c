#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ALERTING_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ALERTING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/call/mutate.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/alert.pb.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/assessment/v1/events.pb.h"
#include "services/assessment/domain/alerts.h"

// How alerts come to be and whose they are: shared by the handlers, the follower of scheduling's
// events and the background. All of it runs inside a transaction that holds store::LockAlerts.
namespace rapport::assessment {

// The kind of work item that gives an organisation's alerts to whom they belong when leave or cover
// begins or ends; its key is that instant in microseconds.
inline constexpr absl::string_view kOwnershipWork = "alert_owners";

// The payload of an assessment's event: state without answers or free text.
v1::AssessmentEvent EventOf(const v1::Assessment& assessment);

// A new open alert of `course` about `respondent` (a patient of it; empty: its patient), with its
// owner and deadline at `now`. Not yet stored.
absl::StatusOr<v1::Alert> MakeAlert(sql::Session& session, const care::CourseFacts& course,
                                    const RaisedAlert& raised, absl::string_view source,
                                    absl::Time now, absl::string_view respondent = "");

// Stores and records what `source` of `respondent` raises, in a caller's change: names of the
// alerts, by `raised`, some of which may have stood before.
absl::StatusOr<std::vector<std::string>> RaiseAlerts(call::Change& change,
                                                     const care::CourseFacts& course,
                                                     absl::Span<const RaisedAlert> raised,
                                                     absl::string_view source,
                                                     absl::string_view respondent);

// Looks again whose the organisation's alerts are at the next instant after `now` at which leave or
// cover begins or ends.
absl::Status ScheduleOwnership(sql::Transaction& tx, absl::string_view organization_id,
                               absl::Time now);

// Gives each unresolved alert to whom it belongs at `now`: of one course, or of the whole
// organisation where `course` is empty. Each that changes hands gets an entry in its ownerships, an
// event and an audit entry; its escalation goes on. Takes store::LockAlerts itself.
absl::Status RecomputeOwners(sql::Transaction& tx, absl::string_view organization_id,
                             absl::string_view course, absl::Time now);

// Gives `alert`, of `course`, to `clinician`, whom it was escalated to and who has acknowledged it.
// It stays theirs while they are present.
absl::Status TakeOver(sql::Session& session, const care::CourseFacts& course,
                      const std::string& clinician, absl::Time now, v1::Alert& alert);

// A missed or late cancelled appointment raises MISSED_AFTER_RISK, SAME_DAY, once, if someone who
// was expected, the patient or the couple, had an alert unresolved at `occur_time` or raised or
// resolved in the 14 days before (clinical rule 1.6). Takes store::LockAlerts itself.
absl::Status RaiseMissed(sql::Transaction& tx, absl::string_view appointment,
                         const scheduling::v1::AppointmentEvent& state, absl::Time occur_time,
                         absl::Time now);

// Of a change that the service makes by itself: its event and audit entry. `act` as
// "RecomputeOwners".
void RecordOwn(sql::Transaction& tx, absl::string_view act, const v1::Alert& alert, int64_t version,
               absl::Time now);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ALERTING_H_
