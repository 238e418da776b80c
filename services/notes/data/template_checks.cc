#include "services/notes/data/template_checks.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rapport::notes {

std::vector<std::string> TemplateFaults(const std::vector<v1::NoteTemplate>& templates) {
  std::vector<std::string> faults;
  std::set<std::string> ids;
  std::set<v1::NotePhase> phases;
  std::set<std::pair<v1::NotePhase, std::string>> of_protocols;
  for (const v1::NoteTemplate& note_template : templates) {
    const std::string& id = note_template.id();
    if (id.empty()) faults.push_back("a template has no id");
    if (!ids.insert(id).second) faults.push_back(absl::StrCat(id, ": the id is used twice"));
    if (note_template.phase() == v1::NOTE_PHASE_UNSPECIFIED) {
      faults.push_back(absl::StrCat(id, ": has no phase"));
    } else if (note_template.protocols().empty() && !phases.insert(note_template.phase()).second) {
      faults.push_back(absl::StrCat(id, ": its phase has a general template already"));
    }
    for (const std::string& protocol : note_template.protocols()) {
      if (!of_protocols.emplace(note_template.phase(), protocol).second) {
        faults.push_back(absl::StrCat(id, ": ", protocol, " has a template for the phase already"));
      }
    }
    if (note_template.revision() < 1) faults.push_back(absl::StrCat(id, ": has no revision"));
    for (const v1::NotePrompt& prompt : note_template.prompts()) {
      if (v1::NoteContent::descriptor()->FindFieldByName(prompt.field()) == nullptr) {
        faults.push_back(absl::StrCat(id, ": NoteContent has no field '", prompt.field(), "'"));
      }
    }
    if (note_template.source().empty()) faults.push_back(absl::StrCat(id, ": has no source"));
    if (note_template.required().empty()) {
      faults.push_back(
          absl::StrCat(id, ": requires nothing, so that an empty note could be signed"));
    }
    std::set<std::string> required;
    for (const std::string& field : note_template.required()) {
      if (v1::NoteContent::descriptor()->FindFieldByName(field) == nullptr) {
        faults.push_back(absl::StrCat(id, ": NoteContent has no field '", field, "'"));
      }
      if (!required.insert(field).second) {
        faults.push_back(absl::StrCat(id, ": '", field, "' is required twice"));
      }
    }
  }
  for (int phase = v1::NotePhase_MIN; phase <= v1::NotePhase_MAX; ++phase) {
    if (phase != v1::NOTE_PHASE_UNSPECIFIED && v1::NotePhase_IsValid(phase) &&
        !phases.contains(static_cast<v1::NotePhase>(phase))) {
      faults.push_back(absl::StrCat("no general template for ",
                                    v1::NotePhase_Name(static_cast<v1::NotePhase>(phase))));
    }
  }
  return faults;
}

}  // namespace rapport::notes
