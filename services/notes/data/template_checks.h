#ifndef RAPPORT_SERVICES_NOTES_DATA_TEMPLATE_CHECKS_H_
#define RAPPORT_SERVICES_NOTES_DATA_TEMPLATE_CHECKS_H_

#include <string>
#include <vector>

#include "rapport/notes/v1/note.pb.h"

namespace rapport::notes {

// What is wrong with a set of templates, one line each; empty: nothing. There is exactly one
// general one for each phase and at most one for each protocol and phase, ids are unique, each has
// a revision and says its source, and what it requires and asks about are distinct fields of
// NoteContent.
std::vector<std::string> TemplateFaults(const std::vector<v1::NoteTemplate>& templates);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_TEMPLATE_CHECKS_H_
