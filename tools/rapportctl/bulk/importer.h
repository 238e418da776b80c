#ifndef RAPPORT_TOOLS_RAPPORTCTL_BULK_IMPORTER_H_
#define RAPPORT_TOOLS_RAPPORTCTL_BULK_IMPORTER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tools/rapportctl/bulk/directory_file.h"
#include "tools/rapportctl/caller.h"

namespace rapport::ctl {

// What became of rows.
struct ImportTally {
  int64_t created = 0;
  int64_t updated = 0;
  int64_t unchanged = 0;
  int64_t failed = 0;

  int64_t rows() const { return created + updated + unchanged + failed; }
  void Count(scheduling::v1::ImportOutcome outcome);
};

// The next row; nullopt after the last.
using NextRow = std::function<absl::StatusOr<std::optional<DirectoryRow>>()>;
// Told of each row what became of it, in the order of the rows; a row that could not be sent has
// outcome FAILED and reason BAD_LINE.
using RowAnswered = std::function<void(const DirectoryRow& row,
                                       const scheduling::v1::ImportDirectoryResponse& answer)>;

struct ImportOptions {
  bool validate_only = false;
  // How long it goes on although no row is answered, as while a service starts again.
  absl::Duration patience = absl::Minutes(2);
  // Between streams, growing.
  absl::Duration first_pause = absl::Milliseconds(50);
};

// Imports rows through ImportDirectory. Where the stream breaks (its token ends, the service is
// started again or away), another is opened, with a new token, and the rows that were not answered
// are sent again: one that was taken already is answered as unchanged. With `validate_only` the
// stream is not opened again, as what a row may count on was in the rows before it.
absl::StatusOr<ImportTally> ImportRows(Caller& caller, const Identity& who, const NextRow& next,
                                       const RowAnswered& answered, const ImportOptions& options);

// How far an import of a file is, to go on there; kept beside the file.
struct ImportState {
  std::string organization_id;
  int64_t line = 0;    // the last whose row was answered
  int64_t bytes = 0;   // of the file up to its end
  std::string sha256;  // of these, in hex
  ImportTally tally;
};
// nullopt: there is none, or it can not be read.
std::optional<ImportState> ReadImportState(const std::string& path);
absl::Status WriteImportState(const std::string& path, const ImportState& state);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_BULK_IMPORTER_H_
