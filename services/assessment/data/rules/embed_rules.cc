// rapport-embed-track-rules OUTPUT.cc FILE.textproto...
//
// Parses and checks the rules and writes a source that holds them, for shipped_rules.h. Says of
// each unsound file what is wrong, and fails.

#include <iostream>
#include <optional>
#include <set>
#include <string>

#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "services/assessment/data/embedding.h"
#include "services/assessment/domain/track.h"

namespace {

using rapport::assessment::AddStatement;
using rapport::assessment::Problems;
using rapport::assessment::ReadFile;
using rapport::assessment::WriteFile;
using rapport::assessment::v1::TrackRule;

class PrintErrors : public google::protobuf::io::ErrorCollector {
 public:
  explicit PrintErrors(const std::string& file) : file_(file) {}
  void AddError(int line, int column, const std::string& message) override {
    std::cerr << file_ << ":" << line + 1 << ":" << column + 1 << ": " << message << "\n";
  }

 private:
  const std::string& file_;
};

bool Load(const std::string& file, TrackRule& rule) {
  const std::optional<std::string> text = ReadFile(file);
  if (!text) return false;
  PrintErrors errors(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(*text, &rule)) return false;
  const auto problems = Problems(rule);
  for (const std::string& problem : problems) std::cerr << file << ": " << problem << "\n";
  return problems.empty();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " OUTPUT.cc FILE.textproto...\n";
    return 2;
  }
  std::string source =
      "#include \"services/assessment/data/rules/shipped_rules.h\"\n\n#include <cstdlib>\n"
      "#include <string>\n#include <vector>\n\n"
      "namespace rapport::assessment {\n\n"
      "absl::Span<const v1::TrackRule> ShippedTrackRules() {\n"
      "  static const auto& rules = *[] {\n"
      "    auto* all = new std::vector<v1::TrackRule>;\n"
      "    const auto add = [&](const char* bytes, size_t size) {\n"
      "      if (!all->emplace_back().ParseFromString(std::string(bytes, size))) std::abort();\n"
      "    };\n";
  bool sound = true;
  std::set<std::string> ids;
  for (int i = 2; i < argc; ++i) {
    const std::string file = argv[i];
    TrackRule rule;
    if (!Load(file, rule)) {
      sound = false;
      continue;
    }
    if (!ids.insert(rule.id()).second) {
      std::cerr << file << ": id: " << rule.id() << " is in another file\n";
      sound = false;
    }
    source += AddStatement(rule.id(), rule);
  }
  if (!sound) return 1;
  source +=
      "    return all;\n"
      "  }();\n"
      "  return rules;\n"
      "}\n\n"
      "}  // namespace rapport::assessment\n";
  return WriteFile(argv[1], source) ? 0 : 1;
}
