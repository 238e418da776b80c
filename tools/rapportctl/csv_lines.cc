#include "tools/rapportctl/csv_lines.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;
using Cells = std::vector<std::string>;

const std::vector<const char*> kFigures = {"n",
                                           "baseline_mean",
                                           "baseline_sd",
                                           "last_mean",
                                           "change_mean",
                                           "change_sd",
                                           "effect_size",
                                           "effect_size_low",
                                           "effect_size_high",
                                           "cases",
                                           "responded",
                                           "at_remission_level",
                                           "reliably_improved",
                                           "reliably_deteriorated",
                                           "no_reliable_change"};
const std::vector<const char*> kCounts = {"started",
                                          "with_two_scores",
                                          "completed",
                                          "ended_before_planned",
                                          "ended_before_half",
                                          "under_way",
                                          "percent_without_data",
                                          "sessions_held",
                                          "sessions_missed",
                                          "sessions_cancelled_late"};

// What is set of `fields`, each as a cell; a field that can be unset and is, is empty.
void AppendFields(const google::protobuf::Message& message, const std::vector<const char*>& fields,
                  bool told, Cells& cells) {
  using google::protobuf::FieldDescriptor;
  const auto* reflection = message.GetReflection();
  for (const char* name : fields) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (!told || (field->has_presence() && !reflection->HasField(message, field))) {
      cells.emplace_back();
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      cells.push_back(absl::StrCat(reflection->GetDouble(message, field)));
    } else {
      cells.push_back(absl::StrCat(reflection->GetInt32(message, field)));
    }
  }
}

bool IsFormula(const std::string& cell) {
  double number = 0;
  return !cell.empty() && absl::string_view("=+-@\t\r").find(cell[0]) != absl::string_view::npos &&
         !absl::SimpleAtod(cell, &number);
}

}  // namespace

std::string CsvLine(const Cells& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    const std::string text = IsFormula(cell) ? absl::StrCat("'", cell) : cell;
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
      line += text;
    } else {
      absl::StrAppend(&line, "\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
    }
  }
  return line + "\n";
}

std::string OutcomeHeaders() {
  Cells cells = {"clinic", "clinician", "protocol", "period_start", "problem_area", "suppressed"};
  cells.insert(cells.end(), kCounts.begin(), kCounts.end());
  for (const char* whose : {"itt_", "completers_"}) {
    for (const char* figure : kFigures) cells.push_back(absl::StrCat(whose, figure));
  }
  return CsvLine(cells);
}

std::string OutcomeLine(const av1::OutcomeCell& cell) {
  const av1::CellKey& key = cell.key();
  absl::string_view area = scheduling::v1::FocusArea_Name(key.problem_area());
  absl::ConsumePrefix(&area, "FOCUS_AREA_");
  Cells cells = {
      std::string(names::Last(key.clinic())),
      std::string(names::Last(key.clinician())),
      key.protocol(),
      key.has_period_start() ? absl::FormatCivilTime(time::ToCivilDay(key.period_start())) : "",
      area == "UNSPECIFIED" ? "" : absl::AsciiStrToLower(area),
      cell.suppressed() ? "true" : "false"};
  AppendFields(cell, kCounts, !cell.suppressed(), cells);
  AppendFields(cell.intention_to_treat(), kFigures,
               !cell.suppressed() && cell.has_intention_to_treat(), cells);
  AppendFields(cell.completers(), kFigures, !cell.suppressed() && cell.has_completers(), cells);
  return CsvLine(cells);
}

}  // namespace rapport::ctl
