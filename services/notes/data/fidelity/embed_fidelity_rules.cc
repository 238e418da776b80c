// embed_fidelity_rules OUTPUT.cc FIDELITY.textproto SUPERVISION.textproto
//
// Checks the rules of fidelity and supervision and writes the C++ file that holds them; fails with
// one line a fault.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "google/protobuf/text_format.h"
#include "services/notes/data/fidelity/fidelity_checks.h"

namespace {

template <class Rules>
bool Read(const char* path, std::vector<std::string> (*faults_of)(const Rules&), Rules& rules) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || !google::protobuf::TextFormat::ParseFromString(text.str(), &rules)) {
    std::cerr << path << ": not " << Rules::descriptor()->name() << " in text format\n";
    return false;
  }
  const std::vector<std::string> faults = faults_of(rules);
  for (const std::string& fault : faults) std::cerr << path << ": " << fault << "\n";
  return faults.empty();
}

void Write(std::ostream& out, const google::protobuf::Message& rules) {
  const std::string type = rules.GetDescriptor()->name();
  const std::string bytes = rules.SerializeAsString();
  out << "const v1::" << type << "& Shipped" << type << "() {\n"
      << "  static const auto& rules = *[] {\n"
      << "    auto* parsed = new v1::" << type << ";\n"
      << "    parsed->ParseFromString(std::string(\"" << absl::CEscape(bytes) << "\", "
      << bytes.size() << "));\n"
      << "    return parsed;\n"
      << "  }();\n"
      << "  return rules;\n"
      << "}\n\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: embed_fidelity_rules OUTPUT.cc FIDELITY.textproto SUPERVISION.textproto\n";
    return 2;
  }
  rapport::notes::v1::FidelityRules fidelity;
  rapport::notes::v1::SupervisionRules supervision;
  if (!Read(argv[2], rapport::notes::FidelityRuleFaults, fidelity) ||
      !Read(argv[3], rapport::notes::SupervisionRuleFaults, supervision)) {
    return 1;
  }
  std::ofstream out(argv[1]);
  out << "// Generated from the rules of fidelity and supervision.\n"
         "#include \"services/notes/data/fidelity/fidelity_rules.h\"\n\n"
         "#include <string>\n\n"
         "namespace rapport::notes {\n\n";
  Write(out, fidelity);
  Write(out, supervision);
  out << "}  // namespace rapport::notes\n";
  return out.good() ? 0 : 1;
}
