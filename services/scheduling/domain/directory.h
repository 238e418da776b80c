#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_DIRECTORY_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_DIRECTORY_H_

#include "absl/status/status.h"
#include "rapport/scheduling/v1/directory.pb.h"

// What holds between the fields of directory entries; each field by itself was checked at the front
// door. All answer INVALID_ARGUMENT naming the field from the request.
namespace rapport::scheduling {

// A clinic without display name, zone or jurisdiction, as an update might leave it.
absl::Status CheckClinic(const v1::Clinic& clinic);

// No display name, profession or clinic, as an update might leave it. Hours that end before they
// start, are of no whole minute, or of a clinic where the clinician does not work; dates that are
// none; a clinic named twice.
absl::Status CheckClinician(const v1::Clinician& clinician);

// The end after the start, at most 2 years later.
absl::Status CheckTimeOff(const v1::TimeOff& time_off);

// The end after the start, at most 1 year later; two different clinicians.
absl::Status CheckCover(const v1::Cover& cover);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_DIRECTORY_H_
