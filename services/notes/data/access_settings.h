#ifndef RAPPORT_SERVICES_NOTES_DATA_ACCESS_SETTINGS_H_
#define RAPPORT_SERVICES_NOTES_DATA_ACCESS_SETTINGS_H_

#include "rapport/notes/v1/release.pb.h"

namespace rapport::notes {

// The limits of access that ship with the service (data/access/access.textproto), checked when it
// is built.
const v1::AccessSettings& ShippedAccessSettings();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_ACCESS_SETTINGS_H_
