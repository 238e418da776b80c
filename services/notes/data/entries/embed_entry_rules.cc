// embed_entry_rules OUTPUT.cc RULES.textproto
//
// Checks the rules of entries and writes the C++ file that holds them; fails with one line a fault.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "google/protobuf/text_format.h"
#include "services/notes/data/entries/entry_rule_checks.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: embed_entry_rules OUTPUT.cc RULES.textproto\n";
    return 2;
  }
  rapport::notes::v1::EntryRules rules;
  std::ifstream file(argv[2]);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || !google::protobuf::TextFormat::ParseFromString(text.str(), &rules)) {
    std::cerr << argv[2] << ": not EntryRules in text format\n";
    return 1;
  }
  const auto faults = rapport::notes::EntryRuleFaults(rules);
  for (const std::string& fault : faults) std::cerr << argv[2] << ": " << fault << "\n";
  if (!faults.empty()) return 1;

  const std::string bytes = rules.SerializeAsString();
  std::ofstream out(argv[1]);
  out << "// Generated from the rules of entries.\n"
         "#include \"services/notes/data/entries/entry_rules.h\"\n\n"
         "#include <string>\n\n"
         "namespace rapport::notes {\n\n"
         "const v1::EntryRules& ShippedEntryRules() {\n"
         "  static const auto& rules = *[] {\n"
         "    auto* parsed = new v1::EntryRules;\n"
         "    parsed->ParseFromString(std::string(\""
      << absl::CEscape(bytes) << "\", " << bytes.size()
      << "));\n"
         "    return parsed;\n"
         "  }();\n"
         "  return rules;\n"
         "}\n\n"
         "}  // namespace rapport::notes\n";
  return out.good() ? 0 : 1;
}
