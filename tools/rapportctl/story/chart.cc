#include "tools/rapportctl/story/chart.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace rapport::story {
namespace {

constexpr int kMostRows = 14;
constexpr int kMostColumns = 32;

struct Glyphs {
  absl::string_view full, half, zero, hollow, line, axis, tick, corner, floor;
};
constexpr Glyphs kUnicode = {"█", "▄", "▁", "░", "┄", "│", "┤", "└", "─"};
constexpr Glyphs kAscii = {"#", "_", "_", ":", "-", "|", "+", "+", "-"};

std::string Repeat(absl::string_view glyph, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) absl::StrAppend(&text, glyph);
  return text;
}

// The names of the columns' groups, each from its first column on, cut where the next begins.
std::string Groups(const std::vector<Chart::Column>& columns, int width, absl::string_view edge) {
  std::string line;
  for (size_t i = 0; i < columns.size();) {
    size_t end = i;
    while (end < columns.size() && columns[end].group == columns[i].group) ++end;
    const size_t room = (end - i) * static_cast<size_t>(width) - 1;
    std::string name = columns[i].group;
    if (end < columns.size()) name.resize(room, ' ');
    absl::StrAppend(&line, columns[i].group.empty() ? " " : edge, name);
    i = end;
  }
  return line;
}

std::string TrimRight(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::string Draw(const Chart& chart, bool ascii) {
  const Glyphs& glyphs = ascii ? kAscii : kUnicode;
  std::vector<Chart::Column> columns = chart.columns;
  if (columns.size() > kMostColumns) columns.erase(columns.begin(), columns.end() - kMostColumns);
  const int width = columns.size() <= 16 ? 4 : columns.size() <= 21 ? 3 : 2;
  const int per_row = std::max(2, (chart.max + kMostRows - 1) / kMostRows);
  const int rows = (chart.max + per_row - 1) / per_row;
  const auto row_of = [per_row](int total) { return total <= 0 ? 0 : (total - 1) / per_row; };

  std::map<int, std::string> names;  // at the right, by row
  std::map<int, int> ticks;          // at the left, by row
  for (const Chart::Band& band : chart.bands) {
    const int row = row_of(band.min);
    if (names.count(row) > 0) continue;
    names[row] = absl::StrCat(band.label, " ", band.min, ascii ? "-" : "–", band.max);
    ticks[row] = band.min;
  }
  std::map<int, bool> lines;
  for (const Chart::Threshold& threshold : chart.thresholds) {
    const int row = row_of(threshold.at);
    lines[row] = true;
    std::string& name = names[row];
    absl::StrAppend(&name, name.empty() ? "" : ", ", threshold.label);
  }

  std::string out;
  for (int row = rows - 1; row >= 0; --row) {
    const bool line = lines.count(row) > 0;
    const auto tick = ticks.find(row);
    if (tick != ticks.end()) {
      absl::StrAppendFormat(&out, "   %3d %s", tick->second, glyphs.tick);
    } else {
      absl::StrAppend(&out, "       ", glyphs.axis);
    }
    std::string bars;
    for (const Chart::Column& column : columns) {
      absl::string_view glyph = line ? glyphs.line : " ";
      if (column.total) {
        const double above = *column.total - row * per_row;
        const bool full = above >= per_row;
        const bool half = !full && above > 0 && above >= per_row / 2.0;
        if (full || half) glyph = column.hollow ? glyphs.hollow : full ? glyphs.full : glyphs.half;
        if (row == 0 && *column.total == 0) glyph = glyphs.zero;
      }
      absl::StrAppend(&bars, line ? glyphs.line : " ", Repeat(glyph, width - 1));
    }
    const auto name = names.find(row);
    if (name != names.end()) absl::StrAppend(&bars, line ? glyphs.line : " ", " ", name->second);
    absl::StrAppend(&out, TrimRight(bars), "\n");
  }

  absl::StrAppend(&out, "       ", glyphs.corner,
                  Repeat(glyphs.floor, width * static_cast<int>(columns.size()) + 1), "\n");
  std::string totals = "  total ";
  std::string labels = "session ";
  for (const Chart::Column& column : columns) {
    const std::string total = column.total ? absl::StrCat(*column.total) : "";
    absl::StrAppendFormat(&totals, "%*s", width, total);
    absl::StrAppendFormat(&labels, "%*s", width, column.label);
  }
  absl::StrAppend(&out, TrimRight(totals), "\n", TrimRight(labels), "\n");
  const bool grouped = std::any_of(columns.begin(), columns.end(), [](const Chart::Column& column) {
    return !column.group.empty();
  });
  if (grouped) {
    absl::StrAppend(&out, "        ", TrimRight(Groups(columns, width, glyphs.axis)), "\n");
  }
  return out;
}

}  // namespace rapport::story
