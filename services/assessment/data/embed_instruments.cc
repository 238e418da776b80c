// rapport-embed-instruments OUTPUT.cc FILE.textproto...
// rapport-embed-instruments --check FILE.textproto...
//
// Parses and checks the instruments and writes a source that holds them, for shipped.h. Says of
// each unsound file where and what is wrong, as FILE:LINE: FIELD: MESSAGE, of all files at once,
// and fails. With --check nothing is written.

#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/assessment/data/embedding.h"
#include "services/assessment/domain/instruments.h"

namespace {

using rapport::assessment::AddStatement;
using rapport::assessment::LocatedProblem;
using rapport::assessment::ReadFile;
using rapport::assessment::ReadInstrument;
using rapport::assessment::WriteFile;
using rapport::assessment::v1::Instrument;

bool Load(const std::string& file, Instrument& instrument) {
  const std::optional<std::string> text = ReadFile(file);
  if (!text) return false;
  const std::vector<LocatedProblem> problems = ReadInstrument(*text, instrument);
  for (const LocatedProblem& located : problems) {
    std::cerr << file << ":" << located.line << ": ";
    if (!located.problem.field.empty()) std::cerr << located.problem.field << ": ";
    std::cerr << located.problem.message << "\n";
  }
  return problems.empty();
}

// "phq-9.textproto", or "phq-9.2.textproto" for its second revision.
bool IsCalledAfter(const std::string& file, const std::string& name) {
  const std::string stem = std::filesystem::path(file).stem().string();
  const size_t dot = stem.find('.');
  const std::string prefix = "instruments/" + stem.substr(0, dot) + "/revisions/";
  return dot == std::string::npos ? name.rfind(prefix, 0) == 0
                                  : name == prefix + stem.substr(dot + 1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " OUTPUT.cc|--check FILE.textproto...\n";
    return 2;
  }
  const std::string output = argv[1];
  std::string source =
      "#include \"services/assessment/data/shipped.h\"\n\n#include <cstdlib>\n#include <string>\n"
      "#include <utility>\n#include <vector>\n\n"
      "namespace rapport::assessment {\n\n"
      "const Catalogue& ShippedInstruments() {\n"
      "  static const auto& catalogue = *[] {\n"
      "    std::vector<v1::Instrument> instruments;\n"
      "    const auto add = [&](const char* bytes, size_t size) {\n"
      "      if (!instruments.emplace_back().ParseFromString(std::string(bytes, size))) "
      "std::abort();\n"
      "    };\n";
  bool sound = true;
  std::map<std::string, std::string> files;  // by name
  for (int i = 2; i < argc; ++i) {
    const std::string file = argv[i];
    Instrument instrument;
    if (!Load(file, instrument)) {
      sound = false;
      continue;
    }
    const auto [found, is_new] = files.try_emplace(instrument.name(), file);
    if (!is_new) {
      std::cerr << file << ":1: name: " << instrument.name() << " is in " << found->second
                << " too\n";
      sound = false;
    }
    if (!IsCalledAfter(file, instrument.name())) {
      std::cerr << file << ":1: name: " << instrument.name()
                << " belongs in a file called after its id\n";
      sound = false;
    }
    source += AddStatement(instrument.name(), instrument);
  }
  if (!sound) return 1;
  if (output == "--check") return 0;
  source +=
      "    auto made = Catalogue::Make(std::move(instruments));\n"
      "    if (!made.ok()) std::abort();  // checked when it was built\n"
      "    return new Catalogue(*std::move(made));\n"
      "  }();\n"
      "  return catalogue;\n"
      "}\n\n"
      "}  // namespace rapport::assessment\n";
  return WriteFile(output, source) ? 0 : 1;
}
