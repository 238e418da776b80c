#ifndef RAPPORT_SERVICES_NOTES_DATA_ENTRIES_ENTRY_RULE_CHECKS_H_
#define RAPPORT_SERVICES_NOTES_DATA_ENTRIES_ENTRY_RULE_CHECKS_H_

#include <string>
#include <vector>

#include "rapport/notes/v1/entry_rules.pb.h"

namespace rapport::notes {

// What is wrong with the rules, one line each; empty: nothing. Every field is given and cited once
// with a source and a confidence; numbers are positive; ids are unique; each warning has its words.
std::vector<std::string> EntryRuleFaults(const v1::EntryRules& rules);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_ENTRIES_ENTRY_RULE_CHECKS_H_
