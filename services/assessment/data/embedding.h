#ifndef RAPPORT_SERVICES_ASSESSMENT_DATA_EMBEDDING_H_
#define RAPPORT_SERVICES_ASSESSMENT_DATA_EMBEDDING_H_

#include <optional>
#include <string>

#include "google/protobuf/message.h"

// What the tools share that check data files while building and write a source that holds them.
// What goes wrong is said on standard error.
namespace rapport::assessment {

// Nothing if `file` can't be read.
std::optional<std::string> ReadFile(const std::string& file);

// Whether `file` was written with `text` alone.
bool WriteFile(const std::string& file, const std::string& text);

// A statement of a generated source: `add` is called with the bytes of `message` and their number.
// `name` stands above it.
std::string AddStatement(const std::string& name, const google::protobuf::Message& message);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DATA_EMBEDDING_H_
