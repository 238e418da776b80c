#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_DIRECTORY_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_DIRECTORY_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rapport/scheduling/v1/directory.pb.h"

// What holds between the fields of directory entries; each field by itself was checked at the front
// door. All answer INVALID_ARGUMENT naming the field from the request.
namespace rapport::scheduling {

// A clinic without display name, zone or jurisdiction, as an update might leave it. Holidays that
// are no whole dates or given twice; monitored hours as CheckWeeklyStretches has them.
absl::Status CheckClinic(const v1::Clinic& clinic);

// No display name, nobody fits in, a feature named twice.
absl::Status CheckRoom(const v1::Room& room);

// No display name, profession or clinic, as an update might leave it. Hours, weekly or dated, that
// end before they start, are of no whole minute, or of a clinic where the clinician does not work;
// a day that is both free and worked at one clinic; dates that are none; a clinic, jurisdiction or
// modality named twice; a telehealth_uri that is none.
absl::Status CheckClinician(const v1::Clinician& clinician);

// The end after the start, at most 2 years later.
absl::Status CheckTimeOff(const v1::TimeOff& time_off);

// The end after the start, at most 1 year later; two different clinicians.
absl::Status CheckCover(const v1::Cover& cover);

// The end, if any, after the start; two different clinicians.
absl::Status CheckSupervision(const v1::Supervision& supervision);

// Each on a day of the week, in whole minutes, its end after its start. `path` names the list.
absl::Status CheckWeeklyStretches(
    const google::protobuf::RepeatedPtrField<v1::WeeklyStretch>& stretches, absl::string_view path);

// An absolute http or https address without blanks.
absl::Status CheckWebAddress(absl::string_view uri, absl::string_view field);

// That the id at the end of `name`, which the caller has chosen, is 1 to 63 lower-case letters,
// digits and hyphens, none of them at either end.
absl::Status CheckChosenId(absl::string_view name, absl::string_view field);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_DIRECTORY_H_
