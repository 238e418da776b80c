#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_CHART_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_CHART_H_

#include <optional>
#include <string>
#include <vector>

namespace rapport::story {

// Totals as bars, drawn with characters: one column for each administration, severity bands named
// at the right where each begins, thresholds as lines.
struct Chart {
  struct Column {
    std::string label;            // below the bar, as "12"; at most 3 characters
    std::optional<double> total;  // nothing: a gap
    bool hollow = false;          // an estimate
    std::string group = "";       // named below the first of neighbours that share it, as a phase
  };
  struct Band {
    int min = 0;
    int max = 0;
    std::string label;
  };
  struct Threshold {
    int at = 0;
    std::string label;  // as "case ≥10"
  };

  int max = 0;  // largest total there can be
  std::vector<Column> columns;
  std::vector<Band> bands;  // from the lowest
  std::vector<Threshold> thresholds;
};

// The chart, at most 100 columns wide, each line ended. More than 32 columns: the newest 32.
// With `ascii`, bars and lines are drawn with plain ASCII; labels are left as they are.
std::string Draw(const Chart& chart, bool ascii);

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_CHART_H_
