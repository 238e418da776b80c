#ifndef RAPPORT_SERVICES_NOTES_DATA_ENTRIES_ENTRY_RULES_H_
#define RAPPORT_SERVICES_NOTES_DATA_ENTRIES_ENTRY_RULES_H_

#include "rapport/notes/v1/entry_rules.pb.h"

namespace rapport::notes {

// The shipped rules of entries, from data/entries/entry-rules.textproto, checked and embedded when
// the program was built.
const v1::EntryRules& ShippedEntryRules();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_ENTRIES_ENTRY_RULES_H_
