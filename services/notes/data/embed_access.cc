// embed_access OUTPUT.cc SETTINGS.textproto
//
// Checks the access settings and writes the C++ file that holds them; fails with one line a fault.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "google/protobuf/text_format.h"
#include "rapport/notes/v1/release.pb.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: embed_access OUTPUT.cc SETTINGS.textproto\n";
    return 2;
  }
  rapport::notes::v1::AccessSettings settings;
  std::ifstream file(argv[2]);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || !google::protobuf::TextFormat::ParseFromString(text.str(), &settings)) {
    std::cerr << argv[2] << ": no AccessSettings in text format\n";
    return 1;
  }
  int faults = 0;
  const auto expect = [&](bool holds, const char* what) {
    if (holds) return;
    std::cerr << argv[2] << ": " << what << "\n";
    ++faults;
  };
  expect(settings.break_glass_max().seconds() >= 60 && settings.break_glass_max().seconds() <= 3600,
         "break_glass_max must be a minute to an hour");
  expect(settings.hold_review_default_days() >= 1 &&
             settings.hold_review_default_days() <= settings.hold_review_max_days(),
         "hold_review_default_days must be 1 to hold_review_max_days");
  expect(settings.psychotherapy_release_max_days() >= 1,
         "psychotherapy_release_max_days must be at least 1");
  expect(!settings.source().empty(), "source is missing");
  for (int label = rapport::notes::v1::CaseLabel_MIN + 1;
       label <= rapport::notes::v1::CaseLabel_MAX; ++label) {
    int notices = 0;
    for (const auto& notice : settings.notices()) {
      notices += notice.label() == label && !notice.text().empty();
    }
    expect(notices == 1, "each label needs one notice");
  }
  if (faults > 0) return 1;

  const std::string bytes = settings.SerializeAsString();
  std::ofstream out(argv[1]);
  out << "// Generated from the access settings.\n"
         "#include \"services/notes/data/access_settings.h\"\n\n"
         "#include <string>\n\n"
         "namespace rapport::notes {\n\n"
         "const v1::AccessSettings& ShippedAccessSettings() {\n"
         "  static const auto& settings = *[] {\n"
         "    auto* shipped = new v1::AccessSettings;\n"
         "    shipped->ParseFromString(std::string(\""
      << absl::CEscape(bytes) << "\", " << bytes.size()
      << "));\n"
         "    return shipped;\n"
         "  }();\n"
         "  return settings;\n"
         "}\n\n"
         "}  // namespace rapport::notes\n";
  return out.good() ? 0 : 1;
}
