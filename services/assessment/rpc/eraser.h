#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ERASER_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ERASER_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/common/v1/event.pb.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// Does this service's part of an erasure that notes tells of by an ErasureEvent, all in one
// transaction. The patient's key is destroyed: answers, diaries, and what was saved of requests
// open no more, wherever a copy is. Forms, diary days and requests go, those that wait for answers
// told as cancelled. Alerts are resolved and taken off the patient. Totals, and what outcomes
// count, stay under new ids that lead to nobody; so figures of cohorts stay what they were. The
// audit entry names what is gone, and an event confirms it to notes. Done before, it does nothing;
// done before by another name (notes was brought back from a copy of before), it confirms it.
absl::Status Erase(sql::Transaction& tx, const Catalogues& catalogues, const crypto::Vault& vault,
                   const common::v1::Event& event, absl::Time now);

// kFailedPrecondition ERASED where the patient was erased.
absl::Status RequireNotErased(sql::Session& session, absl::string_view patient);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ERASER_H_
