#ifndef RAPPORT_TOOLS_RAPPORTCTL_CSV_LINES_H_
#define RAPPORT_TOOLS_RAPPORTCTL_CSV_LINES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/assessment/v1/outcome.pb.h"

namespace rapport::ctl {

// One record of CSV (RFC 4180), ended by a newline. A cell that a spreadsheet would take for a
// formula gets an apostrophe in front; numbers stay numbers.
std::string CsvLine(const std::vector<std::string>& cells);

// The headers of OutcomeLine.
std::string OutcomeHeaders();

// A cell of outcomes: what its courses share, then its figures, of all that began (itt_) and of
// those who completed. Figures of a suppressed cell, and those that are not told, are empty, never
// 0.
std::string OutcomeLine(const assessment::v1::OutcomeCell& cell);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_CSV_LINES_H_
