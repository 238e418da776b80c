// rapport-embed-instruments OUTPUT.cc FILE.textproto...
//
// Parses and checks the instruments and writes a source that holds them, for shipped.h. Says of
// each unsound file what is wrong, and fails.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "services/assessment/domain/instruments.h"

namespace {

using rapport::assessment::Problems;
using rapport::assessment::v1::Instrument;

class PrintErrors : public google::protobuf::io::ErrorCollector {
 public:
  explicit PrintErrors(const std::string& file) : file_(file) {}
  void AddError(int line, int column, const std::string& message) override {
    std::cerr << file_ << ":" << line + 1 << ":" << column + 1 << ": " << message << "\n";
  }

 private:
  const std::string& file_;
};

bool Load(const std::string& file, Instrument& instrument) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    std::cerr << file << ": can't be read\n";
    return false;
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  PrintErrors errors(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(text, &instrument)) return false;
  const std::vector<std::string> problems = Problems(instrument);
  for (const std::string& problem : problems) std::cerr << file << ": " << problem << "\n";
  return problems.empty();
}

std::string Literal(const std::string& bytes) {
  std::string literal;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 24 == 0) literal += i == 0 ? "\"" : "\"\n        \"";
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
  std::set<std::string> names;
  for (int i = 2; i < argc; ++i) {
    const std::string file = argv[i];
    Instrument instrument;
    if (!Load(file, instrument)) {
      sound = false;
      continue;
    }
    if (!names.insert(instrument.name()).second) {
      std::cerr << file << ": name: " << instrument.name() << " is in another file\n";
      sound = false;
    }
    const std::string bytes = instrument.SerializeAsString();
    source += "    // " + instrument.name() + "\n    add(" + Literal(bytes) + ",\n        " +
              std::to_string(bytes.size()) + ");\n";
  }
  if (!sound) return 1;
  source +=
      "    auto made = Catalogue::Make(std::move(instruments));\n"
      "    if (!made.ok()) std::abort();  // checked when it was built\n"
      "    return new Catalogue(*std::move(made));\n"
      "  }();\n"
      "  return catalogue;\n"
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
