#ifndef RAPPORT_COMMON_AUDITING_AUDIT_BUNDLE_H_
#define RAPPORT_COMMON_AUDITING_AUDIT_BUNDLE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/common/v1/audit.pb.h"

namespace rapport::auditing {

// Entries of the log of `service` ("notes") as a FHIR R4 (4.0.1) bundle of type collection, made at
// `now`: JSON in UTF-8, one AuditEvent each, in their order. Who did it, what it was done to and
// the service are references by identifier, below "https://rapport.invalid/fhir": what they name is
// served elsewhere, and what a name stands for is no part of a log. An emergency access is of the
// purpose BTG, a denial a minor failure.
std::string MakeAuditBundle(
    const google::protobuf::RepeatedPtrField<common::v1::AuditEntry>& entries,
    absl::string_view service, absl::Time now);

}  // namespace rapport::auditing

#endif  // RAPPORT_COMMON_AUDITING_AUDIT_BUNDLE_H_
