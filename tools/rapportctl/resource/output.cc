#include "tools/rapportctl/resource/output.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/errors/status_macros.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace rapport::ctl {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

constexpr size_t kCell = 40;    // characters of a table's cell
constexpr size_t kColumns = 7;  // of a table whose fields nobody named

absl::StatusOr<Json> JsonOf(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto printed = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!printed.ok()) {
    return absl::InternalError(
        absl::StrCat("can not be printed: ", std::string(printed.message())));
  }
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// The field that holds the resources of a list; null: the message is no list.
const FieldDescriptor* ListOf(const Descriptor& type) {
  if (type.FindFieldByName("next_page_token") == nullptr) return nullptr;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->is_repeated() && field->type() == FieldDescriptor::TYPE_MESSAGE) return field;
  }
  return nullptr;
}

Json At(const Json& value, absl::string_view path) {
  const Json* at = &value;
  for (const absl::string_view step : absl::StrSplit(path, '.')) {
    if (!at->is_object() || !at->contains(std::string(step))) return nullptr;
    at = &(*at)[std::string(step)];
  }
  return *at;
}

Json Only(const Json& value, const std::vector<std::string>& fields) {
  if (fields.empty()) return value;
  Json kept = Json::object();
  for (const std::string& field : fields) kept[field] = At(value, field);
  return kept;
}

std::string Cut(const std::string& text) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && ++characters > kCell) return text.substr(0, i) + "…";
  }
  return text;
}

size_t Width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string Cell(const Json& value, const FieldDescriptor* field) {
  if (value.is_null()) return "";
  if (value.is_array()) {
    std::vector<std::string> cells;
    for (const Json& each : value) cells.push_back(Cell(each, field));
    return Cut(absl::StrJoin(cells, ","));
  }
  if (value.is_object()) {
    if (value.contains("year")) {
      return absl::StrCat(value.value("year", 0), "-",
                          absl::Dec(value.value("month", 0), absl::kZeroPad2), "-",
                          absl::Dec(value.value("day", 0), absl::kZeroPad2));
    }
    return Cut(value.dump());
  }
  if (!value.is_string()) return value.dump();
  std::string text = value.get<std::string>();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const std::string prefix(
        absl::StripSuffix(field->enum_type()->value(0)->name(), "UNSPECIFIED"));
    return absl::AsciiStrToLower(absl::StripPrefix(text, prefix));
  }
  if (field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE &&
      field->message_type()->full_name() == "google.protobuf.Timestamp" && text.size() > 16) {
    return absl::StrCat(text.substr(0, 10), " ", text.substr(11, 5), "Z");
  }
  if (absl::StartsWith(text, "organizations/")) {
    const std::vector<std::string> parts = absl::StrSplit(text, '/');
    if (parts.size() > 2) return parts.back();
  }
  return Cut(text);
}

const FieldDescriptor* FieldAt(const Descriptor* type, absl::string_view path) {
  const FieldDescriptor* field = nullptr;
  for (const absl::string_view step : absl::StrSplit(path, '.')) {
    field = type == nullptr ? nullptr : type->FindFieldByName(std::string(step));
    if (field == nullptr) return nullptr;
    type = field->type() == FieldDescriptor::TYPE_MESSAGE ? field->message_type() : nullptr;
  }
  return field;
}

// What a line of a list shows unasked: the name, then what is short and set in any line.
std::vector<std::string> Columns(const Descriptor& type, const Json& rows) {
  std::vector<std::string> columns;
  for (int i = 0; i < type.field_count() && columns.size() < kColumns; ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_repeated() || field.name() == "etag" || field.name() == "uid") continue;
    if (field.type() == FieldDescriptor::TYPE_MESSAGE &&
        !absl::StartsWith(field.message_type()->full_name(), "google.")) {
      continue;
    }
    if (std::any_of(rows.begin(), rows.end(),
                    [&](const Json& row) { return row.contains(field.name()); })) {
      columns.push_back(field.name());
    }
  }
  return columns;
}

std::string Aligned(const std::vector<std::vector<std::string>>& lines) {
  std::vector<size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string written;
    for (size_t i = 0; i < line.size(); ++i) {
      absl::StrAppend(&written, line[i], std::string(widths[i] + 2 - Width(line[i]), ' '));
    }
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(written), "\n");
  }
  return text;
}

std::string Table(const Descriptor& type, const Json& value,
                  const std::vector<std::string>& fields) {
  std::vector<std::vector<std::string>> lines;
  if (const FieldDescriptor* list = ListOf(type)) {
    const Json rows = value.value(list->name(), Json::array());
    const std::vector<std::string> columns =
        fields.empty() ? Columns(*list->message_type(), rows) : fields;
    lines.emplace_back();
    for (const std::string& column : columns) lines[0].push_back(absl::AsciiStrToUpper(column));
    for (const Json& row : rows) {
      lines.emplace_back();
      for (const std::string& column : columns) {
        lines.back().push_back(Cell(At(row, column), FieldAt(list->message_type(), column)));
      }
    }
    if (rows.empty()) return "none\n";
    return Aligned(lines);
  }
  const Json shown = Only(value, fields);
  for (const auto& [name, each] : shown.items()) {
    lines.push_back({name, Cell(each, FieldAt(&type, name))});
  }
  return Aligned(lines);
}

// JSON's scalars are YAML's.
void AppendYaml(const Json& value, size_t indent, std::string& text) {
  const std::string space(indent, ' ');
  if (value.is_object()) {
    for (const auto& [name, each] : value.items()) {
      absl::StrAppend(&text, space, name, ":");
      if (each.is_structured() && !each.empty()) {
        absl::StrAppend(&text, "\n");
        AppendYaml(each, indent + 2, text);
      } else {
        absl::StrAppend(&text, " ", each.dump(), "\n");
      }
    }
    return;
  }
  for (const Json& each : value) {
    if (!each.is_structured() || each.empty()) {
      absl::StrAppend(&text, space, "- ", each.dump(), "\n");
      continue;
    }
    std::string item;
    AppendYaml(each, indent + 2, item);
    item[indent] = '-';  // in place of the first of two spaces
    absl::StrAppend(&text, item);
  }
}

}  // namespace

absl::StatusOr<Format> ParseFormat(absl::string_view text) {
  if (text == "table") return Format::kTable;
  if (text == "json") return Format::kJson;
  if (text == "yaml") return Format::kYaml;
  return absl::InvalidArgumentError(
      absl::StrCat("--output is table, json or yaml, not '", text, "'"));
}

absl::StatusOr<std::string> Render(const google::protobuf::Message& message, Format format,
                                   const std::vector<std::string>& fields) {
  const Descriptor& type = *message.GetDescriptor();
  ASSIGN_OR_RETURN(Json value, JsonOf(message));
  const FieldDescriptor* list = ListOf(type);
  const Descriptor* fields_of = list != nullptr ? list->message_type() : &type;
  for (const std::string& field : fields) {
    if (FieldAt(fields_of, field) != nullptr) continue;
    std::vector<std::string> known;
    for (int i = 0; i < fields_of->field_count(); ++i) known.push_back(fields_of->field(i)->name());
    return absl::InvalidArgumentError(absl::StrCat("--fields: '", field, "' is not a field of ",
                                                   fields_of->name(), "; there are ",
                                                   absl::StrJoin(known, ", ")));
  }
  if (format == Format::kTable) return Table(type, value, fields);
  if (!fields.empty()) {
    if (list == nullptr) {
      value = Only(value, fields);
    } else if (value.contains(list->name())) {
      for (Json& row : value[list->name()]) row = Only(row, fields);
    }
  }
  if (format == Format::kJson) return value.dump(2) + "\n";
  if (value.empty()) return std::string("{}\n");
  std::string text;
  AppendYaml(value, 0, text);
  return text;
}

absl::StatusOr<std::string> JsonLine(const google::protobuf::Message& message) {
  ASSIGN_OR_RETURN(const Json value, JsonOf(message));
  return value.dump() + "\n";
}

}  // namespace rapport::ctl
