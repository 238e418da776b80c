// rapport-embed-track-rules OUTPUT.cc FILE.textproto...
//
// Parses and checks the rules and writes a source that holds them, for shipped_rules.h. Says of
// each unsound file what is wrong, and fails.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>

#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "services/assessment/domain/track.h"

namespace {

using rapport::assessment::Problems;
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
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    std::cerr << file << ": can't be read\n";
    return false;
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  PrintErrors errors(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(text, &rule)) return false;
  const auto problems = Problems(rule);
  for (const std::string& problem : problems) std::cerr << file << ": " << problem << "\n";
  return problems.empty();
}

std::string Literal(const std::string& bytes) {
  std::string literal = "\"";
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 22 == 0 && i > 0) literal += "\"\n        \"";
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\%03o", static_cast<unsigned char>(bytes[i]));
    literal += escaped;
  }
  return literal + "\"";
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
    const std::string bytes = rule.SerializeAsString();
    source += "    // " + rule.id() + "\n    add(" + Literal(bytes) + ",\n        " +
              std::to_string(bytes.size()) + ");\n";
  }
  if (!sound) return 1;
  source +=
      "    return all;\n"
      "  }();\n"
      "  return rules;\n"
      "}\n\n"
      "}  // namespace rapport::assessment\n";
  std::ofstream out(argv[1], std::ios::binary | std::ios::trunc);
  out << source;
  out.close();
  if (!out) {
    std::cerr << argv[1] << ": can't be written\n";
    return 1;
  }
  return 0;
}
