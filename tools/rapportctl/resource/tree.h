#ifndef RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_TREE_H_
#define RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_TREE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace rapport::ctl {

// Every RPC of the suite as a noun and a verb, read from the descriptors that rapportctl carries:
//   CourseService.GetCourse         course get
//   CourseService.ActivateCourse    course activate
//   DirectoryService.ListClinics    clinic list
//   AppointmentService.BookSeries   appointment book-series
//   ScoringService.Score            scoring score
struct Verb {
  std::string noun;
  std::string verb;
  const google::protobuf::MethodDescriptor* method = nullptr;

  // "rapport.scheduling.v1.CourseService/GetCourse".
  std::string MethodName() const;
};

// All of them, by noun and verb; no two share both.
const std::vector<Verb>& Verbs();

// Null: there is no such command.
const Verb* FindVerb(absl::string_view noun, absl::string_view verb);

bool IsNoun(absl::string_view word);

// What the proto says of a method or a field, as plain paragraphs; empty: nothing.
std::string CommentOf(const google::protobuf::MethodDescriptor& method);
std::string CommentOf(const google::protobuf::FieldDescriptor& field);

// The roles that may call `method`, or what else its policy wants, as "permission courses.read".
std::string PolicyOf(const google::protobuf::MethodDescriptor& method);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_TREE_H_
