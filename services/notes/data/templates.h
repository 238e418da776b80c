#ifndef RAPPORT_SERVICES_NOTES_DATA_TEMPLATES_H_
#define RAPPORT_SERVICES_NOTES_DATA_TEMPLATES_H_

#include <vector>

#include "rapport/notes/v1/note.pb.h"

namespace rapport::notes {

// The shipped note templates with their names, a general one for each phase and those of single
// protocols, by file, from data/templates/*.textproto. They were checked and embedded when the
// program was built.
const std::vector<v1::NoteTemplate>& ShippedTemplates();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DATA_TEMPLATES_H_
