// embed_templates OUTPUT.cc TEMPLATE.textproto...
//
// Checks the note templates and writes the C++ file that holds them; fails with one line a fault.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "rapport/notes/v1/note.pb.h"
#include "services/notes/data/template_checks.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: embed_templates OUTPUT.cc TEMPLATE.textproto...\n";
    return 2;
  }
  std::vector<rapport::notes::v1::NoteTemplate> templates;
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i]);
    std::stringstream text;
    text << file.rdbuf();
    if (!file ||
        !google::protobuf::TextFormat::ParseFromString(text.str(), &templates.emplace_back())) {
      std::cerr << argv[i] << ": not a NoteTemplate in text format\n";
      return 1;
    }
  }
  const std::vector<std::string> faults = rapport::notes::TemplateFaults(templates);
  for (const std::string& fault : faults) std::cerr << "note templates: " << fault << "\n";
  if (!faults.empty()) return 1;

  std::ofstream out(argv[1]);
  out << "// Generated from the note templates.\n"
         "#include \"services/notes/data/templates.h\"\n\n"
         "#include <string>\n\n"
         "namespace rapport::notes {\n\n"
         "const std::vector<v1::NoteTemplate>& ShippedTemplates() {\n"
         "  static const auto& templates = *[] {\n"
         "    auto* all = new std::vector<v1::NoteTemplate>;\n"
         "    const auto add = [all](const char* bytes, size_t size) {\n"
         "      all->emplace_back().ParseFromString(std::string(bytes, size));\n"
         "    };\n";
  for (auto& note_template : templates) {
    note_template.set_name(absl::StrCat("noteTemplates/", note_template.id(), "/revisions/",
                                        note_template.revision()));
    const std::string bytes = note_template.SerializeAsString();
    out << "    add(\"" << absl::CEscape(bytes) << "\", " << bytes.size() << ");\n";
  }
  out << "    return all;\n"
         "  }();\n"
         "  return templates;\n"
         "}\n\n"
         "}  // namespace rapport::notes\n";
  return out.good() ? 0 : 1;
}
