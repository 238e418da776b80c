#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ALERTING_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ALERTING_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/alert.pb.h"
#include "rapport/assessment/v1/events.pb.h"
#include "services/assessment/domain/alerts.h"

// How alerts come to be and whose they are: shared by the handlers, the follower of scheduling's
// events and the clock watch. All of it runs inside a transaction that holds store::LockAlerts.
namespace rapport::assessment {

// The event payloads: state without answers or free text.
v1::AssessmentEvent EventOf(const v1::Assessment& assessment);
v1::AlertEvent EventOf(const v1::Alert& alert);

// A new open alert of `course`, with its owner and deadline at `now`. Not yet stored.
absl::StatusOr<v1::Alert> MakeAlert(sql::Session& session, const care::CourseFacts& course,
                                    const RaisedAlert& raised, absl::string_view source,
                                    absl::Time now);

// Gives each unresolved alert to whom it belongs at `now`: of one course, or of the whole
// organisation where `course` is empty. Each that changes hands gets an entry in its ownerships, an
// event and an audit entry. Takes store::LockAlerts itself.
absl::Status RecomputeOwners(sql::Transaction& tx, absl::string_view organization_id,
                             absl::string_view course, absl::Time now);

// A missed or late cancelled appointment raises MISSED_AFTER_RISK, SAME_DAY, once, if the patient
// had an alert unresolved at `occur_time` or raised or resolved in the 14 days before (clinical
// rule 1.6). Takes store::LockAlerts itself.
absl::Status RaiseMissed(sql::Transaction& tx, absl::string_view appointment,
                         const scheduling::v1::AppointmentEvent& state, absl::Time occur_time,
                         absl::Time now);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ALERTING_H_
