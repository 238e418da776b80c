#ifndef RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_OUTPUT_H_
#define RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_OUTPUT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace rapport::ctl {

enum class Format { kTable, kJson, kYaml };

// "table", "json" or "yaml".
absl::StatusOr<Format> ParseFormat(absl::string_view text);

// `message` for a person or a program. `fields` ("name", "state", "period.start_time"), where
// given, are all that is shown, in their order; of a message that lists resources they are those of
// each.
//
// A table of a list has a line for each resource: short names, times to the minute in UTC, enums in
// lower case; long texts are cut. Of one resource it has a line for each field that is set. JSON
// and YAML hold the whole message (or the named fields) under the protos' own names.
absl::StatusOr<std::string> Render(const google::protobuf::Message& message, Format format,
                                   const std::vector<std::string>& fields);

// `message` as one line of JSON.
absl::StatusOr<std::string> JsonLine(const google::protobuf::Message& message);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_OUTPUT_H_
