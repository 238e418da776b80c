#include "tools/rapportctl/bulk/directory_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/errors/status_macros.h"
#include "google/api/field_behavior.pb.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"
#include "rapport/common/v1/options.pb.h"
#include "tools/rapportctl/resource/request.h"

namespace rapport::ctl {
namespace {

namespace sv1 = scheduling::v1;

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

constexpr std::array<const char*, 5> kKinds = {"clinic", "room", "clinician", "cover",
                                               "supervision"};
constexpr char kKindsInWords[] = "clinic, room, clinician, cover or supervision";

bool IsKind(absl::string_view word) {
  return std::any_of(kKinds.begin(), kKinds.end(),
                     [word](const char* kind) { return word == kind; });
}

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

// "organizations/acme/clinics/harbour" of "harbour", "clinics/harbour" or itself, where `pattern`
// is "organizations/{organization}/clinics/{clinic}".
std::string WholeName(const std::string& name, absl::string_view pattern,
                      const std::string& organization_id) {
  if (name.empty() || organization_id.empty() || absl::StartsWith(name, "organizations/")) {
    return name;
  }
  const Words given = absl::StrSplit(name, '/');
  Words whole = absl::StrSplit(pattern.substr(0, pattern.find('|')), '/');
  if (whole.size() != 2 * (given.size() + 1)) {
    return absl::StrCat("organizations/", organization_id, "/", name);
  }
  whole[1] = organization_id;
  for (size_t i = 0; i < given.size(); ++i) whole[2 * i + 3] = given[i];
  return absl::StrJoin(whole, "/");
}

void CompleteNames(const std::string& organization_id, Message& message) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        CompleteNames(organization_id, field->is_repeated()
                                           ? *reflection->MutableRepeatedMessage(&message, field, i)
                                           : *reflection->MutableMessage(&message, field));
        continue;
      }
      const std::string& pattern = field->options().GetExtension(common::v1::rules).resource();
      if (pattern.empty() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
      if (field->is_repeated()) {
        reflection->SetRepeatedString(
            &message, field, i,
            WholeName(reflection->GetRepeatedString(message, field, i), pattern, organization_id));
      } else {
        reflection->SetString(
            &message, field,
            WholeName(reflection->GetString(message, field), pattern, organization_id));
      }
    }
  }
}

bool IsOutputOnly(const FieldDescriptor& field) {
  const auto& options = field.options();
  for (int i = 0; i < options.ExtensionSize(google::api::field_behavior); ++i) {
    if (options.GetExtension(google::api::field_behavior, i) == google::api::OUTPUT_ONLY) {
      return true;
    }
  }
  return false;
}

// The entry itself: the one of the oneof that is set.
Message& EntryOf(sv1::ImportDirectoryRequest& row) {
  const auto* reflection = row.GetReflection();
  const FieldDescriptor* field =
      reflection->GetOneofFieldDescriptor(row, row.GetDescriptor()->oneof_decl(0));
  return *reflection->MutableMessage(&row, field);
}

void Finish(const DirectoryFileOptions& options, sv1::ImportDirectoryRequest& row) {
  Message& entry = EntryOf(row);
  for (int i = 0; i < entry.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = entry.GetDescriptor()->field(i);
    if (field->name() == "etag" || IsOutputOnly(*field)) {
      entry.GetReflection()->ClearField(&entry, field);
    }
  }
  CompleteNames(options.organization_id, entry);
}

// "clinician" of "organizations/acme/clinicians/thea"; empty: the name does not say it.
std::string KindOfName(const std::string& name) {
  const Words parts = absl::StrSplit(name, '/');
  if (parts.size() < 2) return "";
  const absl::string_view collection = parts[parts.size() - 2];
  if (!absl::EndsWith(collection, "s")) return "";
  const std::string kind(collection.substr(0, collection.size() - 1));
  return IsKind(kind) ? kind : "";
}

// Days from 1, Monday, to 7.
absl::StatusOr<std::vector<int>> ReadDays(absl::string_view text) {
  static constexpr absl::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto day_of = [](absl::string_view word) {
    const std::string lower = absl::AsciiStrToLower(word.substr(0, 3));
    const auto* found = std::find(std::begin(kDays), std::end(kDays), lower);
    return found == std::end(kDays) ? 0 : static_cast<int>(found - std::begin(kDays)) + 1;
  };
  std::vector<int> days;
  for (const absl::string_view stretch : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(stretch, absl::MaxSplits('-', 1));
    const int first = day_of(ends.first);
    const int last = ends.second.empty() ? first : day_of(ends.second);
    if (first == 0 || last < first) {
      return Bad(absl::StrCat("weekly_hours: '", stretch, "' is no day, as mon or mon-fri"));
    }
    for (int day = first; day <= last; ++day) days.push_back(day);
  }
  return days;
}

absl::Status ReadTime(absl::string_view text, google::type::TimeOfDay& time) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  int hours = 0, minutes = 0;
  if (!absl::SimpleAtoi(parts.first, &hours) || !absl::SimpleAtoi(parts.second, &minutes)) {
    return Bad(absl::StrCat("weekly_hours: '", text, "' is no time of day, as 09:00"));
  }
  time.set_hours(hours);
  time.set_minutes(minutes);
  return absl::OkStatus();
}

// "mon-fri 09:00-17:00; sat 10:00-12:00 @north".
absl::Status ReadHours(absl::string_view text, sv1::Clinician& clinician) {
  for (const absl::string_view rule : absl::StrSplit(text, ';', absl::SkipWhitespace())) {
    const Words parts = absl::StrSplit(rule, ' ', absl::SkipWhitespace());
    if (parts.size() < 2 || parts.size() > 3 || (parts.size() == 3 && parts[2][0] != '@')) {
      return Bad(absl::StrCat("weekly_hours: '", absl::StripAsciiWhitespace(rule),
                              "' is not as 'mon-fri 09:00-17:00 @clinic'"));
    }
    const std::pair<std::string, std::string> times =
        absl::StrSplit(parts[1], absl::MaxSplits('-', 1));
    ASSIGN_OR_RETURN(const std::vector<int> days, ReadDays(parts[0]));
    if (parts.size() < 3 && clinician.clinics().empty()) {
      return Bad("weekly_hours: the row names no clinic at which they could be");
    }
    for (const int day : days) {
      sv1::WorkingHours& hours = *clinician.add_weekly_hours();
      hours.set_clinic(parts.size() == 3 ? parts[2].substr(1) : clinician.clinics(0));
      hours.set_day_of_week(static_cast<google::type::DayOfWeek>(day));
      RETURN_IF_ERROR(ReadTime(times.first, *hours.mutable_start_time()));
      RETURN_IF_ERROR(ReadTime(times.second, *hours.mutable_end_time()));
    }
  }
  return absl::OkStatus();
}

const FieldDescriptor* FieldAt(const Descriptor* type, absl::string_view path) {
  const FieldDescriptor* field = nullptr;
  for (const absl::string_view step : absl::StrSplit(path, '.')) {
    field = type == nullptr ? nullptr : type->FindFieldByName(std::string(step));
    if (field == nullptr) return nullptr;
    type = field->message_type();
  }
  return field;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitCsv(absl::string_view record) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < record.size(); ++i) {
    const char c = record[i];
    if (quoted) {
      if (c != '"') {
        cells.back() += c;
      } else if (i + 1 < record.size() && record[i + 1] == '"') {
        cells.back() += record[++i];
      } else {
        quoted = false;
        if (i + 1 < record.size() && record[i + 1] != ',') {
          return Bad("CSV: after a closing quote comes a comma");
        }
      }
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c != '"') {
      cells.back() += c;
    } else if (cells.back().empty()) {
      quoted = true;
    } else {
      return Bad("CSV: a cell that holds a quote is quoted, and the quote doubled");
    }
  }
  if (quoted) return Bad("CSV: a quote is not closed");
  return cells;
}

absl::StatusOr<sv1::ImportDirectoryRequest> RowOfJson(absl::string_view line,
                                                      const DirectoryFileOptions& options) {
  Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Bad("the line is not an object of JSON");
  const bool says_kind =
      json.size() == 1 && IsKind(json.begin().key()) && json.begin()->is_object();
  if (!says_kind) {
    const Json name = json.value("name", Json(""));
    std::string kind = KindOfName(name.is_string() ? name.get<std::string>() : "");
    if (kind.empty()) kind = options.kind;
    if (kind.empty()) {
      return Bad(absl::StrCat("neither its name nor --kind says whether it is a ", kKindsInWords));
    }
    Json wrapped;
    wrapped[kind] = std::move(json);
    json = std::move(wrapped);
  }
  sv1::ImportDirectoryRequest row;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json.dump(), &row);
  if (!parsed.ok()) return Bad(std::string(parsed.message()));
  Finish(options, row);
  return row;
}

absl::StatusOr<sv1::ImportDirectoryRequest> RowOfCells(const std::vector<std::string>& headers,
                                                       const std::vector<std::string>& cells,
                                                       const DirectoryFileOptions& options) {
  if (cells.size() != headers.size()) {
    return Bad(
        absl::StrCat("the row has ", cells.size(), " cells, the headers are ", headers.size()));
  }
  std::string kind = options.kind;
  const auto column = std::find(headers.begin(), headers.end(), "kind");
  if (column != headers.end()) {
    kind = absl::AsciiStrToLower(cells[static_cast<size_t>(column - headers.begin())]);
  }
  if (!IsKind(kind)) return Bad(absl::StrCat("'", kind, "' is no kind: ", kKindsInWords));
  const Descriptor* request = sv1::ImportDirectoryRequest::descriptor();
  const Descriptor* type = request->FindFieldByName(kind)->message_type();
  Words words;
  std::string hours;
  for (size_t i = 0; i < headers.size(); ++i) {
    const std::string text(absl::StripAsciiWhitespace(cells[i]));
    if (text.empty() || headers[i] == "kind") continue;
    const std::string path = headers[i] == "id" ? "name" : headers[i];
    const FieldDescriptor* field = FieldAt(type, path);
    if (field == nullptr) return Bad(absl::StrCat("a ", kind, " has no '", path, "'"));
    if (path == "weekly_hours" && text[0] != '[') {
      hours = text;
    } else if (field->is_repeated() && text[0] != '[') {
      for (const absl::string_view item : absl::StrSplit(text, ';', absl::SkipWhitespace())) {
        words.push_back(absl::StrCat(kind, ".", path, "=", absl::StripAsciiWhitespace(item)));
      }
    } else {
      words.push_back(absl::StrCat(kind, ".", path, "=", text));
    }
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Message> made,
                   MakeRequest(*request, {.words = words, .json = "", .organization_id = ""}));
  sv1::ImportDirectoryRequest row;
  row.ParseFromString(made->SerializeAsString());
  if (words.empty()) return Bad("the row is empty");
  if (!hours.empty()) RETURN_IF_ERROR(ReadHours(hours, *row.mutable_clinician()));
  Finish(options, row);
  return row;
}

DirectoryFile::DirectoryFile(const std::string& path, DirectoryFileOptions options)
    : path_(path), options_(std::move(options)), file_(path, std::ios::binary) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(path, ignored);
  if (!ignored) size_ = static_cast<int64_t>(size);
}

absl::StatusOr<std::unique_ptr<DirectoryFile>> DirectoryFile::Open(const std::string& path,
                                                                   DirectoryFileOptions options) {
  if (!options.kind.empty() && !IsKind(options.kind)) {
    return Bad(absl::StrCat("--kind is ", kKindsInWords));
  }
  std::unique_ptr<DirectoryFile> file(new DirectoryFile(path, std::move(options)));
  if (!file->file_) return Bad(absl::StrCat("can not read ", path));
  if (file->options_.csv) RETURN_IF_ERROR(file->ReadHeaders());
  return file;
}

bool DirectoryFile::ReadLine(std::string& line) {
  if (!std::getline(file_, line)) return false;
  ++line_;
  checksum_.Add(line);
  bytes_ += static_cast<int64_t>(line.size());
  if (!file_.eof()) {
    checksum_.Add("\n");
    ++bytes_;
  }
  if (absl::EndsWith(line, "\r")) line.pop_back();
  if (line_ == 1 && absl::StartsWith(line, "\xEF\xBB\xBF")) line.erase(0, 3);
  return true;
}

// A record goes on while a quote is open.
absl::StatusOr<bool> DirectoryFile::ReadRecord(std::vector<std::string>& cells) {
  std::string record;
  if (!ReadLine(record)) return false;
  while (std::count(record.begin(), record.end(), '"') % 2 != 0) {
    std::string more;
    if (!ReadLine(more)) break;
    absl::StrAppend(&record, "\n", more);
  }
  ASSIGN_OR_RETURN(cells, SplitCsv(record));
  return true;
}

absl::Status DirectoryFile::ReadHeaders() {
  ASSIGN_OR_RETURN(const bool any, ReadRecord(headers_));
  if (!any) return Bad(absl::StrCat(path_, " has no line of headers"));
  for (std::string& header : headers_) {
    header = std::string(absl::StripAsciiWhitespace(header));
    if (header == "id" || header == "kind") continue;
    const Descriptor* request = sv1::ImportDirectoryRequest::descriptor();
    const bool known = std::any_of(kKinds.begin(), kKinds.end(), [&](const char* kind) {
      return FieldAt(request->FindFieldByName(kind)->message_type(), header) != nullptr;
    });
    if (!known) return Bad(absl::StrCat(path_, ": no entry has a field '", header, "'"));
  }
  if (options_.kind.empty() && std::count(headers_.begin(), headers_.end(), "kind") == 0) {
    return Bad(
        absl::StrCat(path_, ": --kind or a column `kind` says what the rows are: ", kKindsInWords));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<DirectoryRow>> DirectoryFile::Next() {
  DirectoryRow row;
  absl::StatusOr<sv1::ImportDirectoryRequest> read;
  while (true) {
    row.line = line_ + 1;
    if (options_.csv) {
      std::vector<std::string> cells;
      const absl::StatusOr<bool> any = ReadRecord(cells);
      if (any.ok() && !*any) break;
      if (any.ok() && cells.size() == 1 && absl::StripAsciiWhitespace(cells[0]).empty()) continue;
      read = any.ok() ? RowOfCells(headers_, cells, options_) : any.status();
    } else {
      std::string line;
      if (!ReadLine(line)) break;
      if (absl::StripAsciiWhitespace(line).empty()) continue;
      read = RowOfJson(line, options_);
    }
    if (read.ok()) {
      row.row = *std::move(read);
      row.row.set_row(row.line);
    }
    row.fault = read.status();
    row.end = bytes_;
    row.sha256 = checksum_.Hex();
    return std::optional<DirectoryRow>(std::move(row));
  }
  if (file_.bad()) return absl::DataLossError(absl::StrCat("can not read ", path_));
  return std::optional<DirectoryRow>();
}

}  // namespace rapport::ctl
