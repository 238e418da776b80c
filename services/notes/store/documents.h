#ifndef RAPPORT_SERVICES_NOTES_STORE_DOCUMENTS_H_
#define RAPPORT_SERVICES_NOTES_STORE_DOCUMENTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/errors/errors.h"
#include "common/sql/database.h"
#include "google/protobuf/message.h"

namespace rapport::notes {

// Serialised messages as values of columns, and back.
inline sql::Value Document(const google::protobuf::Message& message) {
  return sql::Bytes(message.SerializeAsString());
}

template <class Message>
Message Parsed(const std::string& bytes) {
  Message message;
  message.ParseFromString(bytes);
  return message;
}

// OK iff the statement changed a row.
inline absl::Status Changed(const absl::StatusOr<sql::Result>& result) {
  if (!result.ok()) return result.status();
  if (result->affected() == 1) return absl::OkStatus();
  return errors::Aborted("LOST_RACE", "It was changed by another call meanwhile. Read it again.");
}

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_DOCUMENTS_H_
