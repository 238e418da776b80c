#include "tools/rapportctl/facts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;

absl::string_view Words(av1::FactConfidence confidence) {
  switch (confidence) {
    case av1::FACT_CONFIDENCE_FROM_MEMORY:
      return "from memory";
    case av1::FACT_CONFIDENCE_DISPUTED:
      return "sources disagree";
    case av1::FACT_CONFIDENCE_OWN:
      return "our own default";
    default:
      return "";
  }
}

// A table's cell can hold no bar.
std::string Cell(const std::string& text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

}  // namespace

std::string UnconfirmedFacts(const assessment::Catalogue& catalogue) {
  std::string page =
      "# Facts that a clinician has yet to confirm\n\n"
      "Of each shipped instrument the fields whose source was quoted from memory or is disputed, "
      "or "
      "that are our own defaults.\nMade by `rapportctl instruments unconfirmed`; a test keeps it "
      "in "
      "step with the files.\n";
  for (const assessment::InstrumentRules* rules : catalogue.newest()) {
    std::string rows;
    for (const av1::Source& source : rules->instrument().sources()) {
      const absl::string_view words = Words(source.confidence());
      if (words.empty()) continue;
      absl::StrAppend(&rows, "| ", Cell(source.facts()), " | ", words, " | ", Cell(source.source()),
                      " |\n");
    }
    if (rows.empty()) continue;
    absl::StrAppend(&page, "\n## ", rules->instrument().display_name(), " (", rules->id(),
                    ", revision ", rules->revision(),
                    ")\n\n| fields | how sure | source |\n|---|---|---|\n", rows);
  }
  return page;
}

}  // namespace rapport::ctl
