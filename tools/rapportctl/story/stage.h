#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_STAGE_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_STAGE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/names/names.h"
#include "google/protobuf/message.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "tools/rapportctl/caller.h"

namespace rapport::story {

// Where a story is played: how to reach the suite, and what has come of the steps before. Sessions
// are keyed by their local start ("2026-02-16 17:00"), forms by that and the instrument.
struct Stage {
  Stage(ctl::Caller& the_caller, absl::string_view id)
      : caller(the_caller), organization_id(id), organization(names::Organization(id)) {}

  ctl::Caller& caller;
  std::string organization_id;
  std::string organization;  // its name

  std::string request_id;   // of the step under way; the same whenever this play repeats it
  std::string waiting_for;  // what a wait has seen last, for the error when patience ends

  std::string course;                                   // name
  std::string case_file;                                // name
  std::map<std::string, std::string> appointments;      // by session
  std::map<std::string, std::string> sources;           // form or appointment, by key
  std::map<std::string, std::string> alerts;            // by the key of their source
  std::map<std::string, std::string> risk_assessments;  // by the key of the alert's source
  std::map<std::string, std::string> relationships;     // of the inventory, by the person's words
  std::map<std::string, notes::v1::Goal> goals;         // by the story's id
  std::map<std::string, notes::v1::Note> notes;         // by session
  std::map<std::string, std::vector<std::string>> scores;  // "PHQ-9 17", by session
  std::map<int, assessment::v1::Progress> after_session;   // by number, where expected
  std::vector<std::string> differences;                    // from what the story foresaw
  std::map<std::string, std::unique_ptr<google::protobuf::Message>> kept;  // answers to acts

  std::string Name(absl::string_view collection, absl::string_view id) const {
    return names::InOrganization(organization_id, collection, id);
  }

  // The platform's operator has no organisation.
  ctl::Identity Operator() const { return {"platform-operator", "", {"platform_operator"}}; }
  ctl::Identity Administrator() const {
    return {
        absl::StrCat("administrator@", organization_id), organization_id, {"organization_admin"}};
  }
  // The app in which patients fill in questionnaires.
  ctl::Identity PatientApp() const {
    return {absl::StrCat("patient-app@", organization_id), organization_id, {"integration"}};
  }
  std::string Subject(absl::string_view clinician) const {
    return absl::StrCat(clinician, "@", organization_id);
  }
  ctl::Identity Clinician(absl::string_view clinician) const {
    return {Subject(clinician), organization_id, {"therapist"}};
  }
};

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_STAGE_H_
