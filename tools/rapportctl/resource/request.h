#ifndef RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_REQUEST_H_
#define RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_REQUEST_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace rapport::ctl {

// What a request is made of.
struct RequestWords {
  // At most one resource name, and fields as "path=value": "display_name=Riverside",
  // "course.patient=organizations/acme/patients/ann", "languages=en" (once for each),
  // "answers=[{…}]" as JSON. Times are RFC 3339, dates "2026-03-02", enums with or without their
  // prefix, in any case.
  std::vector<std::string> words;
  // A JSON object that the words are put into; empty: none.
  std::string json;
  // Stands before names that do not begin with "organizations/", and for a missing `parent`.
  std::string organization_id;
};

// Makes the request of `type`.
//
// The name goes to `name`, or to `parent`, or to the only field that takes a resource name. A path
// that the request does not have is sought in the resource that it carries: `clinic update NAME
// display_name=North` sets clinic.name, clinic.display_name and update_mask. A request_id is made
// up where there is none, so that every change can be repeated.
//
// INVALID_ARGUMENT names the word and says what would be right.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> MakeRequest(
    const google::protobuf::Descriptor& type, const RequestWords& words);

// An empty message of `type`, of any pool.
std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor& type);

// The fields of `type` as rows of help: path, kind ("string", "time", "one of A, B"), comment.
struct FieldHelp {
  std::string path;
  std::string kind;
  std::string comment;
};
std::vector<FieldHelp> FieldsOf(const google::protobuf::Descriptor& type);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_REQUEST_H_
