#ifndef RAPPORT_TOOLS_RAPPORTCTL_BULK_DIRECTORY_FILE_H_
#define RAPPORT_TOOLS_RAPPORTCTL_BULK_DIRECTORY_FILE_H_

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tools/rapportctl/bulk/checksum.h"

// Files of a directory's entries, to import.
namespace rapport::ctl {

// One entry of a file, or why it is none.
struct DirectoryRow {
  int64_t line = 0;                            // on which it begins, from 1
  scheduling::v1::ImportDirectoryRequest row;  // its `row` is the line
  absl::Status fault;                          // not OK: it can not be sent
  int64_t end = 0;                             // bytes of the file up to its end
  std::string sha256;                          // of these, in hex
};

struct DirectoryFileOptions {
  std::string organization_id;  // stands before names that leave it out
  // "clinic", "room", "clinician", "cover" or "supervision": what rows are that do not say it.
  std::string kind;
  bool csv = false;
};

// Reads a file row by row.
//
// JSON lines: each is an object {"clinician": {…}}, or the entry itself, whose name says what it
// is: a line of `export data`, so that what was exported can be imported. What the services put in
// by themselves (times, etags) is left out.
//
// CSV: RFC 4180, with a line of headers: paths of fields ("display_name",
// "licence_expire_date"), `id` or `name`, and `kind` unless that is said for all. A cell of a list
// holds its items apart by ';'. `weekly_hours` is written as "mon-fri 09:00-17:00; sat 10:00-12:00
// @north", by default at the first of the row's clinics. An empty cell leaves its field unset.
//
// Names may be ids ("harbour") or lack their organisation ("clinics/harbour").
class DirectoryFile {
 public:
  // INVALID_ARGUMENT: it can not be read, or its headers are not known.
  static absl::StatusOr<std::unique_ptr<DirectoryFile>> Open(const std::string& path,
                                                             DirectoryFileOptions options);

  // nullopt at the end. An error: it can not be read any more.
  absl::StatusOr<std::optional<DirectoryRow>> Next();

  int64_t size() const { return size_; }  // in bytes; 0: not known, as of a pipe

 private:
  DirectoryFile(const std::string& path, DirectoryFileOptions options);
  bool ReadLine(std::string& line);
  absl::StatusOr<bool> ReadRecord(std::vector<std::string>& cells);
  absl::Status ReadHeaders();

  const std::string path_;
  const DirectoryFileOptions options_;
  std::ifstream file_;
  int64_t size_ = 0;
  int64_t line_ = 0;
  int64_t bytes_ = 0;
  Checksum checksum_;
  std::vector<std::string> headers_;
};

// The cells of one record of CSV, whose quotes are closed. INVALID_ARGUMENT: a quote where none
// may stand.
absl::StatusOr<std::vector<std::string>> SplitCsv(absl::string_view record);

// The entry that a line of JSON holds; INVALID_ARGUMENT says what is wrong.
absl::StatusOr<scheduling::v1::ImportDirectoryRequest> RowOfJson(
    absl::string_view line, const DirectoryFileOptions& options);

// The entry that a record of CSV holds.
absl::StatusOr<scheduling::v1::ImportDirectoryRequest> RowOfCells(
    const std::vector<std::string>& headers, const std::vector<std::string>& cells,
    const DirectoryFileOptions& options);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_BULK_DIRECTORY_FILE_H_
