// embed_protocols OUTPUT FILE…: checks the protocols in the text-format FILEs and writes them into
// OUTPUT, a C++ file. Says what is wrong where, and fails, for data that does not hold together.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "services/scheduling/domain/protocols.h"

namespace {

constexpr absl::string_view kEnd = ")__protocol__\"";

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: embed_protocols OUTPUT FILE...\n";
    return 2;
  }
  std::vector<std::string> texts;
  bool sound = true;
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i]);
    std::ostringstream text;
    text << file.rdbuf();
    absl::StatusOr<rapport::scheduling::v1::Protocol> protocol =
        rapport::scheduling::ParseProtocol(text.str());
    if (!file || !protocol.ok()) {
      std::cerr << argv[i] << ": "
                << (file ? std::string(protocol.status().message()) : "can't be read") << "\n";
      sound = false;
    } else if (absl::StrContains(text.str(), kEnd)) {
      std::cerr << argv[i] << ": holds the text " << kEnd << ", which can't be embedded\n";
      sound = false;
    }
    texts.push_back(text.str());
  }
  if (!sound) return 1;

  const std::vector<absl::string_view> views(texts.begin(), texts.end());
  if (auto catalogue = rapport::scheduling::ProtocolCatalogue::Make(views); !catalogue.ok()) {
    std::cerr << argv[2] << " and the others: " << catalogue.status().message() << "\n";
    return 1;
  }
  std::ofstream output(argv[1]);
  output << "// Generated from data/protocols.\n"
            "#include \"services/scheduling/data/shipped_protocols.h\"\n\n"
            "namespace rapport::scheduling {\n\n"
            "absl::Span<const absl::string_view> ShippedProtocolTexts() {\n"
            "  static constexpr absl::string_view kTexts[] = {\n";
  for (const std::string& text : texts) output << "R\"__protocol__(" << text << kEnd << ",\n";
  output << "  };\n  return kTexts;\n}\n\n}  // namespace rapport::scheduling\n";
  return output.flush() ? 0 : 1;
}
