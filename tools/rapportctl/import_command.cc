#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "nlohmann/json.hpp"
#include "tools/rapportctl/bulk/directory_file.h"
#include "tools/rapportctl/bulk/importer.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/progress_bar.h"

ABSL_FLAG(std::string, kind, "",
          "Of an import: what rows are that do not say it: clinic, room, clinician, cover or "
          "supervision.");
ABSL_FLAG(std::string, format, "",
          "Of an import: csv or json (lines); default csv for a file named so, else json.");
ABSL_FLAG(bool, validate_only, false, "Of an import: only check; change nothing.");
ABSL_FLAG(
    bool, resume, false,
    "Of an import: go on where the last one of this file ended, if the file is the same up to "
    "there.");
ABSL_FLAG(std::string, state_file, "", "Of an import: how far it is; default FILE.import.");
ABSL_FLAG(std::string, errors_file, "",
          "Of an import: rows that were not taken, as JSON lines; default standard error.");

namespace rapport::ctl {
namespace {

namespace sv1 = scheduling::v1;

constexpr absl::Duration kBetweenStates = absl::Seconds(1);

// What the row is, as "clinicians/thea".
std::string EntryName(const DirectoryRow& row) {
  const auto* reflection = row.row.GetReflection();
  const auto* field =
      reflection->GetOneofFieldDescriptor(row.row, row.row.GetDescriptor()->oneof_decl(0));
  if (field == nullptr) return "";
  const auto& entry = reflection->GetMessage(row.row, field);
  return entry.GetReflection()->GetString(entry, entry.GetDescriptor()->FindFieldByName("name"));
}

class FaultSink {
 public:
  static absl::StatusOr<FaultSink> Open(const std::string& path, bool goes_on) {
    FaultSink sink;
    if (path.empty()) return sink;
    sink.file_.reset(std::fopen(path.c_str(), goes_on ? "a" : "w"));
    if (sink.file_ == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("--errors_file: can not write ", path));
    }
    return sink;
  }

  void Tell(const std::string& path, const DirectoryRow& row,
            const sv1::ImportDirectoryResponse& answer, ProgressBar& bar) {
    const std::string name = EntryName(row);
    if (file_ == nullptr) {
      const std::string& message = answer.message();
      const bool says_field = absl::StartsWith(message, answer.field());
      bar.Say(absl::StrCat(
          path, ":", row.line, ": ", name, name.empty() ? "" : " ", answer.reason(), " ",
          says_field || answer.field().empty() ? "" : answer.field() + ": ", message));
      return;
    }
    const nlohmann::ordered_json json = {{"line", row.line},
                                         {"name", name},
                                         {"reason", answer.reason()},
                                         {"field", answer.field()},
                                         {"message", answer.message()}};
    std::fprintf(
        file_.get(), "%s\n",
        json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    std::fflush(file_.get());
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

// Reads past the rows of `file` that `state` says are answered; false: the file is not what it was
// up to there.
absl::StatusOr<bool> SkipTo(const ImportState& state, DirectoryFile& file) {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<DirectoryRow> row, file.Next());
    if (!row || row->end > state.bytes) return false;
    if (row->end == state.bytes) return row->sha256 == state.sha256;
  }
}

}  // namespace

absl::Status ImportFile(const Words& words) {
  if (words.size() != 1) {
    return absl::InvalidArgumentError("usage: rapportctl import FILE --organization=ID [--flags]");
  }
  const std::string& path = words[0];
  Identity who = IdentityFromFlags();
  if (who.roles.empty()) who.roles = {"organization_admin"};
  if (who.organization_id.empty()) return absl::InvalidArgumentError("--organization is needed");
  const std::string format = absl::GetFlag(FLAGS_format);
  if (!format.empty() && format != "csv" && format != "json") {
    return absl::InvalidArgumentError("--format is csv or json");
  }
  const DirectoryFileOptions reading{
      .organization_id = who.organization_id,
      .kind = absl::GetFlag(FLAGS_kind),
      .csv = format == "csv" ||
             (format.empty() && absl::EndsWith(absl::AsciiStrToLower(path), ".csv"))};
  ASSIGN_OR_RETURN(std::unique_ptr<DirectoryFile> file, DirectoryFile::Open(path, reading));

  std::string state_path = absl::GetFlag(FLAGS_state_file);
  if (state_path.empty()) state_path = path + ".import";
  // What is only checked, or comes from a pipe, is not gone on with.
  const bool keeps_state = !absl::GetFlag(FLAGS_validate_only) && file->size() > 0;
  ImportState state;
  if (absl::GetFlag(FLAGS_resume) && keeps_state) {
    const std::optional<ImportState> last = ReadImportState(state_path);
    if (last && last->organization_id == who.organization_id) {
      ASSIGN_OR_RETURN(const bool same, SkipTo(*last, *file));
      if (same) {
        state = *last;
        std::fprintf(stderr, "going on after line %lld\n", static_cast<long long>(state.line));
      } else {
        std::fprintf(stderr, "%s is not what it was up to line %lld: read from the start\n",
                     path.c_str(), static_cast<long long>(last->line));
        ASSIGN_OR_RETURN(file, DirectoryFile::Open(path, reading));
      }
    }
  }
  ASSIGN_OR_RETURN(FaultSink faults, FaultSink::Open(absl::GetFlag(FLAGS_errors_file),
                                                     /*goes_on=*/state.line > 0));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());

  state.organization_id = who.organization_id;
  absl::Status kept;
  absl::StatusOr<ImportTally> tally = ImportTally();
  {
    ProgressBar bar("rows", file->size());
    bar.Set(state.tally.rows(), state.bytes);
    absl::Time kept_at = absl::Now();
    tally = ImportRows(
        *caller, who, [&] { return file->Next(); },
        [&](const DirectoryRow& row, const sv1::ImportDirectoryResponse& answer) {
          state.tally.Count(answer.outcome());
          state.line = row.line;
          state.bytes = row.end;
          state.sha256 = row.sha256;
          if (answer.outcome() == sv1::IMPORT_OUTCOME_FAILED) faults.Tell(path, row, answer, bar);
          bar.Set(state.tally.rows(), state.bytes);
          if (!keeps_state || absl::Now() - kept_at < kBetweenStates) return;
          kept.Update(WriteImportState(state_path, state));
          kept_at = absl::Now();
        },
        {.validate_only = absl::GetFlag(FLAGS_validate_only)});
  }
  if (keeps_state && !tally.ok()) kept.Update(WriteImportState(state_path, state));
  std::printf(
      "%s%lld rows: %lld created, %lld updated, %lld unchanged, %lld not taken\n",
      absl::GetFlag(FLAGS_validate_only) ? "only checked: " : "",
      static_cast<long long>(state.tally.rows()), static_cast<long long>(state.tally.created),
      static_cast<long long>(state.tally.updated), static_cast<long long>(state.tally.unchanged),
      static_cast<long long>(state.tally.failed));
  std::fflush(stdout);
  if (!tally.ok()) {
    if (keeps_state) std::fprintf(stderr, "it goes on where it ended with --resume\n");
    return tally.status();
  }
  std::error_code ignored;
  if (keeps_state) std::filesystem::remove(state_path, ignored);
  RETURN_IF_ERROR(kept);
  if (state.tally.failed == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      state.tally.failed, state.tally.failed == 1 ? " row was not taken" : " rows were not taken",
      "; mend them and import the file again: the others are unchanged then"));
}

}  // namespace rapport::ctl
