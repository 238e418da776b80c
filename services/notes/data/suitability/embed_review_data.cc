// embed_review_data OUTPUT.cc SUITABILITY.textproto REVIEW.textproto WORDING.textproto
//
// Checks what the files say and writes the C++ file that holds it; fails with one line a fault.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "google/protobuf/text_format.h"
#include "services/notes/data/suitability/review_data_checks.h"

namespace {

using rapport::notes::v1::ExportWording;
using rapport::notes::v1::ReviewRules;
using rapport::notes::v1::SuitabilityRules;

bool Read(const char* path, google::protobuf::Message& message) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (file && google::protobuf::TextFormat::ParseFromString(text.str(), &message)) return true;
  std::cerr << path << ": no " << message.GetDescriptor()->name() << " in text format\n";
  return false;
}

void Write(std::ostream& out, const char* function, const google::protobuf::Message& message) {
  const std::string bytes = message.SerializeAsString();
  const std::string type = "v1::" + std::string(message.GetDescriptor()->name());
  out << "const " << type << "& " << function << "() {\n"
      << "  static const auto& shipped = *[] {\n"
      << "    auto* message = new " << type << ";\n"
      << "    message->ParseFromString(std::string(\"" << absl::CEscape(bytes) << "\", "
      << bytes.size() << "));\n"
      << "    return message;\n"
      << "  }();\n"
      << "  return shipped;\n"
      << "}\n\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: embed_review_data OUTPUT.cc SUITABILITY REVIEW WORDING\n";
    return 2;
  }
  SuitabilityRules suitability;
  ReviewRules review;
  ExportWording wording;
  if (!Read(argv[2], suitability) || !Read(argv[3], review) || !Read(argv[4], wording)) return 1;
  std::vector<std::string> faults = rapport::notes::SuitabilityFaults(suitability);
  for (std::string& fault : rapport::notes::ReviewFaults(review)) faults.push_back(fault);
  for (std::string& fault : rapport::notes::WordingFaults(wording)) faults.push_back(fault);
  for (const std::string& fault : faults) std::cerr << fault << "\n";
  if (!faults.empty()) return 1;

  std::ofstream out(argv[1]);
  out << "// Generated from the rules of suitability and review.\n"
         "#include \"services/notes/data/suitability/review_data.h\"\n\n"
         "#include <string>\n\n"
         "namespace rapport::notes {\n\n";
  Write(out, "ShippedSuitabilityRules", suitability);
  Write(out, "ShippedReviewRules", review);
  Write(out, "ShippedExportWording", wording);
  out << "}  // namespace rapport::notes\n";
  return out.good() ? 0 : 1;
}
