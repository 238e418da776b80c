#ifndef RAPPORT_TOOLS_RAPPORTCTL_BULK_EXPORTER_H_
#define RAPPORT_TOOLS_RAPPORTCTL_BULK_EXPORTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/rapportctl/caller.h"

// An organisation's data as files: one resource a line, as JSON, in clinics.ndjson, rooms.ndjson
// and so on; manifest.json with rows, bytes and SHA-256 of each, and the same sums in SHA256SUMS,
// for `sha256sum -c`. Files are readable by their owner alone.
//
// What changes while it is read may be in or not; each resource is whole.
namespace rapport::ctl {

// What can be exported: "directory" (clinics, rooms, clinicians, time off, covers, supervisions),
// "courses" and "appointments".
const std::vector<std::string>& ExportParts();

struct ExportedFile {
  std::string name;
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string sha256 = "";  // hex
};

struct ExportOptions {
  std::string organization_id;
  std::vector<std::string> parts = ExportParts();
  // Told of each page: which file, and how many more rows it has.
  std::function<void(const std::string& file, int64_t rows)> progress = nullptr;
  // Told what is gone on with.
  std::function<void(const std::string& line)> say = nullptr;
};

// Exports to `directory`, which is made where it is missing. Goes on where an export to it was
// broken off; that must have been of the same organisation and parts.
//   FAILED_PRECONDITION  the directory holds a whole export, or another's half
absl::StatusOr<std::vector<ExportedFile>> ExportData(Caller& caller, const Identity& who,
                                                     const std::string& directory,
                                                     const ExportOptions& options);

// Reads an export again and holds it to its manifest.
//   NOT_FOUND            there is no manifest
//   FAILED_PRECONDITION  the export was broken off
//   DATA_LOSS            a file is missing or not what it was; all of them are named
absl::StatusOr<std::vector<ExportedFile>> VerifyExport(const std::string& directory);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_BULK_EXPORTER_H_
