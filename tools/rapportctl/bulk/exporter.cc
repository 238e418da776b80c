#include "tools/rapportctl/bulk/exporter.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"
#include "tools/rapportctl/bulk/checksum.h"
#include "tools/rapportctl/methods.h"
#include "tools/rapportctl/resource/output.h"

namespace rapport::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "rapport-export/1";
constexpr char kManifest[] = "manifest.json";
constexpr char kState[] = "unfinished.json";
constexpr char kSums[] = "SHA256SUMS";
constexpr absl::Duration kBetweenStates = absl::Seconds(1);
constexpr int kPage = 100;  // rows; a page of the largest stays below what a message may hold

// One list of the API as a file. Where `of` is set, the list is asked for once for each resource of
// that file, whose name goes into the field `by`.
struct Source {
  const char* file;
  const char* part;
  const char* method;
  const char* of;
  const char* by;
};
constexpr Source kSources[] = {
    {"clinics.ndjson", "directory", "DirectoryService/ListClinics", "", ""},
    {"rooms.ndjson", "directory", "DirectoryService/ListRooms", "clinics.ndjson", "parent"},
    {"clinicians.ndjson", "directory", "DirectoryService/ListClinicians", "", ""},
    {"time_offs.ndjson", "directory", "DirectoryService/ListTimeOffs", "clinicians.ndjson",
     "parent"},
    {"covers.ndjson", "directory", "DirectoryService/ListCovers", "", ""},
    {"supervisions.ndjson", "directory", "SupervisionService/ListSupervisions", "", ""},
    {"courses.ndjson", "courses", "CourseService/ListCourses", "", ""},
    {"appointments.ndjson", "appointments", "AppointmentService/ListAppointments", "clinics.ndjson",
     "clinic"},
};

// What is exported of `parts`; a file that another is read by comes along.
std::vector<Source> SourcesOf(const std::vector<std::string>& parts) {
  std::vector<Source> sources;
  const auto wanted = [&parts](const Source& source) {
    return std::count(parts.begin(), parts.end(), source.part) > 0;
  };
  for (const Source& source : kSources) {
    const bool is_key =
        std::any_of(std::begin(kSources), std::end(kSources), [&](const Source& other) {
          return wanted(other) && absl::string_view(other.of) == source.file;
        });
    if (wanted(source) || is_key) sources.push_back(source);
  }
  return sources;
}

Json ToJson(const ExportedFile& file) {
  return {{"name", file.name}, {"rows", file.rows}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

std::optional<ExportedFile> FileOf(const Json& json) {
  const auto is = [&json](const char* field, bool (Json::*kind)() const noexcept) {
    return json.is_object() && json.contains(field) && (json[field].*kind)();
  };
  if (!is("name", &Json::is_string) || !is("rows", &Json::is_number_integer) ||
      !is("bytes", &Json::is_number_integer) || !is("sha256", &Json::is_string)) {
    return std::nullopt;
  }
  return ExportedFile{json["name"].get<std::string>(), json["rows"].get<int64_t>(),
                      json["bytes"].get<int64_t>(), json["sha256"].get<std::string>()};
}

Json ReadJson(const std::string& path) {
  std::ifstream file(path);
  return Json::parse(file, nullptr, /*allow_exceptions=*/false);
}

std::string Now() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
}

class Export {
 public:
  Export(Caller& caller, const Identity& who, const std::string& directory,
         const ExportOptions& options)
      : caller_(caller),
        who_(who),
        directory_(directory),
        options_(options),
        organization_(names::Organization(options.organization_id)) {}

  absl::StatusOr<std::vector<ExportedFile>> Run() {
    for (const std::string& part : options_.parts) {
      if (std::count(ExportParts().begin(), ExportParts().end(), part) > 0) continue;
      return absl::InvalidArgumentError(absl::StrCat("there is no part '", part, "'; there are ",
                                                     absl::StrJoin(ExportParts(), ", ")));
    }
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    if (error) return absl::InvalidArgumentError(absl::StrCat("can not make ", directory_));
    chmod(directory_.c_str(), 0700);
    if (std::filesystem::exists(Path(kManifest))) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory_, " holds a whole export already; give another directory"));
    }
    RETURN_IF_ERROR(Begin());
    for (const Source& source : SourcesOf(options_.parts)) {
      const bool is_done = std::any_of(done_.begin(), done_.end(), [&](const ExportedFile& file) {
        return file.name == source.file;
      });
      if (!is_done) RETURN_IF_ERROR(ExportFile(source));
    }
    RETURN_IF_ERROR(WriteManifest());
    std::filesystem::remove(Path(kState), error);
    return done_;
  }

 private:
  // Where an export in pages is.
  struct Place {
    ExportedFile file;  // so far
    int64_t key = 0;    // of Source::of: which line
    std::string page_token = "";
  };

  std::string Path(absl::string_view file) const { return absl::StrCat(directory_, "/", file); }

  absl::Status Begin() {
    begun_ = Now();
    const Json state = ReadJson(Path(kState));
    if (!state.is_object()) {
      if (std::filesystem::exists(Path(kState))) {
        return absl::FailedPreconditionError(
            absl::StrCat(Path(kState), " is damaged; give another directory"));
      }
      return absl::OkStatus();
    }
    if (state.value("organization", "") != organization_ ||
        state.value("parts", Json()) != Json(options_.parts)) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory_,
                       " holds half an export of another organisation or of other parts; give "
                       "another directory"));
    }
    begun_ = state.value("begun", begun_);
    for (const Json& each : state.value("done", Json::array())) {
      std::optional<ExportedFile> file = FileOf(each);
      if (!file) return absl::DataLossError(absl::StrCat(Path(kState), " is damaged"));
      done_.push_back(*std::move(file));
    }
    if (const std::optional<ExportedFile> file = FileOf(state.value("at", Json()))) {
      place_ = Place{*file, state.value("key", int64_t{0}), state.value("page_token", "")};
    }
    if (options_.say != nullptr) {
      options_.say(absl::StrCat("going on in ", directory_, ": ", done_.size(), " files are whole",
                                place_ ? absl::StrCat(", ", place_->file.rows, " rows of ",
                                                      place_->file.name, " are there")
                                       : ""));
    }
    return absl::OkStatus();
  }

  absl::Status Keep(const Place* place) {
    Json state = {{"organization", organization_}, {"parts", options_.parts}, {"begun", begun_}};
    state["done"] = Json::array();
    for (const ExportedFile& file : done_) state["done"].push_back(ToJson(file));
    if (place != nullptr) {
      state["at"] = ToJson(place->file);
      state["key"] = place->key;
      state["page_token"] = place->page_token;
    }
    kept_at_ = absl::Now();
    return WriteFile(Path(kState), state.dump(2) + "\n");
  }

  // The names that the list is asked for by; one empty name where it is asked for once.
  absl::StatusOr<std::vector<std::string>> KeysOf(const Source& source) const {
    if (*source.of == '\0') return std::vector<std::string>{""};
    std::vector<std::string> names;
    std::ifstream file(Path(source.of));
    for (std::string line; std::getline(file, line);) {
      const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (!json.is_object()) {
        return absl::DataLossError(absl::StrCat(Path(source.of), " is damaged"));
      }
      names.push_back(json.value("name", ""));
    }
    return names;
  }

  // The file as it was when its last page was kept, or empty.
  absl::Status Rewind(const Source& source, Checksum& checksum, Place& place) {
    place = {.file = {.name = source.file}};
    if (place_ && place_->file.name == source.file) place = *std::exchange(place_, std::nullopt);
    std::error_code error;
    const std::string path = Path(source.file);
    if (place.file.bytes > 0) {
      ASSIGN_OR_RETURN(const FileSum sum, SumFile(path, place.file.bytes));
      if (sum.sha256 != place.file.sha256) {
        return absl::DataLossError(absl::StrCat(path, " is not what was written"));
      }
      std::filesystem::resize_file(path, static_cast<uintmax_t>(place.file.bytes), error);
      std::ifstream file(path, std::ios::binary);
      for (std::string line; std::getline(file, line);) checksum.Add(line + "\n");
    } else {
      RETURN_IF_ERROR(WriteFile(path, ""));
    }
    return error ? absl::InternalError(absl::StrCat("can not write ", path)) : absl::OkStatus();
  }

  absl::Status ExportFile(const Source& source) {
    ASSIGN_OR_RETURN(const std::vector<std::string> keys, KeysOf(source));
    Checksum checksum;
    Place place;
    RETURN_IF_ERROR(Rewind(source, checksum, place));
    std::ofstream out(Path(source.file), std::ios::binary | std::ios::app);
    const std::string method = absl::StrCat("rapport.scheduling.v1.", source.method);
    const auto* descriptor = FindUnaryMethod(method);
    if (descriptor == nullptr) return absl::InternalError(absl::StrCat("no method ", method));
    auto* factory = google::protobuf::MessageFactory::generated_factory();
    const std::unique_ptr<Message> request(factory->GetPrototype(descriptor->input_type())->New());
    const std::unique_ptr<Message> response(
        factory->GetPrototype(descriptor->output_type())->New());
    while (place.key < static_cast<int64_t>(keys.size())) {
      Set(*request, "parent", organization_);
      if (*source.by != '\0') Set(*request, source.by, keys[static_cast<size_t>(place.key)]);
      Set(*request, "page_token", place.page_token);
      request->GetReflection()->SetInt32(
          request.get(), request->GetDescriptor()->FindFieldByName("page_size"), kPage);
      response->Clear();
      RETURN_IF_ERROR(caller_.Call(who_, method, *request, *response));
      ASSIGN_OR_RETURN(const int64_t rows, Append(*response, out, checksum, place.file));
      const auto* token = response->GetDescriptor()->FindFieldByName("next_page_token");
      place.page_token = response->GetReflection()->GetString(*response, token);
      if (place.page_token.empty()) ++place.key;
      place.file.sha256 = checksum.Hex();
      // Pages without rows, as of clinicians without time off, are soon asked for again.
      if (rows > 0 || absl::Now() - kept_at_ > kBetweenStates) RETURN_IF_ERROR(Keep(&place));
      if (options_.progress != nullptr) options_.progress(source.file, rows);
    }
    place.file.sha256 = checksum.Hex();
    done_.push_back(place.file);
    return Keep(nullptr);
  }

  static void Set(Message& message, const char* field, const std::string& text) {
    message.GetReflection()->SetString(&message, message.GetDescriptor()->FindFieldByName(field),
                                       text);
  }

  // Writes the resources of a page; how many there were.
  static absl::StatusOr<int64_t> Append(const Message& page, std::ofstream& out, Checksum& checksum,
                                        ExportedFile& file) {
    const auto& type = *page.GetDescriptor();
    const FieldDescriptor* list = nullptr;
    for (int i = 0; i < type.field_count() && list == nullptr; ++i) {
      if (type.field(i)->is_repeated()) list = type.field(i);
    }
    const int count = page.GetReflection()->FieldSize(page, list);
    for (int i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(const std::string line,
                       JsonLine(page.GetReflection()->GetRepeatedMessage(page, list, i)));
      out << line;
      checksum.Add(line);
      file.bytes += static_cast<int64_t>(line.size());
    }
    file.rows += count;
    if (!out.flush()) return absl::InternalError(absl::StrCat("can not write ", file.name));
    return count;
  }

  absl::Status WriteManifest() {
    Json manifest = {{"format", kFormat},
                     {"organization", organization_},
                     {"parts", options_.parts},
                     {"begun", begun_},
                     {"ended", Now()}};
    manifest["files"] = Json::array();
    std::string sums;
    for (const ExportedFile& file : done_) {
      manifest["files"].push_back(ToJson(file));
      absl::StrAppend(&sums, file.sha256, "  ", file.name, "\n");
    }
    RETURN_IF_ERROR(WriteFile(Path(kSums), sums));
    return WriteFile(Path(kManifest), manifest.dump(2) + "\n");
  }

  Caller& caller_;
  const Identity& who_;
  const std::string& directory_;
  const ExportOptions& options_;
  const std::string organization_;
  std::string begun_;
  absl::Time kept_at_ = absl::InfinitePast();
  std::vector<ExportedFile> done_;
  std::optional<Place> place_;  // of a file that was broken off
};

}  // namespace

const std::vector<std::string>& ExportParts() {
  static const auto* const parts =
      new std::vector<std::string>{"directory", "courses", "appointments"};
  return *parts;
}

absl::StatusOr<std::vector<ExportedFile>> ExportData(Caller& caller, const Identity& who,
                                                     const std::string& directory,
                                                     const ExportOptions& options) {
  return Export(caller, who, directory, options).Run();
}

absl::StatusOr<std::vector<ExportedFile>> VerifyExport(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/", kManifest);
  if (!std::filesystem::exists(path)) {
    if (std::filesystem::exists(absl::StrCat(directory, "/", kState))) {
      return absl::FailedPreconditionError(absl::StrCat(
          directory, " holds an export that was broken off: `rapportctl export data` goes on"));
    }
    return absl::NotFoundError(absl::StrCat("there is no ", path));
  }
  const Json manifest = ReadJson(path);
  if (!manifest.is_object() || manifest.value("format", Json()) != kFormat ||
      !manifest.value("files", Json()).is_array()) {
    return absl::DataLossError(absl::StrCat(path, " is no manifest of ", kFormat));
  }
  std::vector<ExportedFile> files;
  std::vector<std::string> faults;
  for (const Json& each : manifest["files"]) {
    const std::optional<ExportedFile> file = FileOf(each);
    if (!file) return absl::DataLossError(absl::StrCat(path, " is damaged"));
    const absl::StatusOr<FileSum> sum = SumFile(absl::StrCat(directory, "/", file->name));
    if (!sum.ok()) {
      faults.push_back(absl::StrCat(file->name, " is missing"));
    } else if (sum->sha256 != file->sha256) {
      faults.push_back(absl::StrCat(file->name, " was changed: ", sum->lines, " rows of ",
                                    sum->bytes, " bytes, exported were ", file->rows, " of ",
                                    file->bytes));
    }
    files.push_back(*file);
  }
  if (faults.empty()) return files;
  return absl::DataLossError(absl::StrJoin(faults, "; "));
}

}  // namespace rapport::ctl
