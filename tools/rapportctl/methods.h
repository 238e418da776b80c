#ifndef RAPPORT_TOOLS_RAPPORTCTL_METHODS_H_
#define RAPPORT_TOOLS_RAPPORTCTL_METHODS_H_

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace rapport::ctl {

// The unary method of any of the suite's services that is called `method`, as
// "rapport.scheduling.v1.CourseService/GetCourse"; null: there is none.
const google::protobuf::MethodDescriptor* FindUnaryMethod(absl::string_view method);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_METHODS_H_
