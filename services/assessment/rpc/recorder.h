#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_RECORDER_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_RECORDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/scoring.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// Whom a form or diary of `course` is of: `given`, the course's patient or its partner. A patient's
// own device speaks for its patient alone. `needed` says whether a couple's must be told; else it
// is the patient's.
//   kInvalidArgument  `field`
absl::StatusOr<std::string> RespondentOf(const call::CallContext& context,
                                         const care::CourseFacts& course, absl::string_view given,
                                         bool needed, absl::string_view field);

// The clinician who calls, who treats in `course` or covers there: whose alone it is to say that a
// form does not count, and what is asked.
//   kNotFound (`type`)                    the course is not for the caller to know
//   kPermissionDenied NOT_THE_THERAPIST   who only supervises; who is no clinician
absl::StatusOr<std::string> RequireTherapist(sql::Session& session,
                                             const call::CallContext& context,
                                             absl::string_view course, absl::string_view type);

// What to show a respondent whose form came to `score` (clinical rule 1.2).
v1::RespondentGuidance GuidanceOf(const v1::Score& score);

// Keeps forms, inside of the change that a handler has begun: by RecordAssessment, and as answers
// to a measure request. Thread-safe.
class Recorder {
 public:
  Recorder(const Catalogues& catalogues, const crypto::Vault& vault)
      : catalogues_(catalogues), vault_(vault) {}

  // Where a form comes from, besides what it says itself.
  struct Origin {
    std::string measure_request;  // its name; empty: none
    std::string recorder;         // subject of who records it
  };
  struct Recorded {
    v1::Assessment assessment;
    v1::RespondentGuidance guidance = v1::RESPONDENT_GUIDANCE_UNSPECIFIED;
  };
  // Checks, scores, places and stores `given`, raises its alerts, and records all of it; a repeat
  // of the call leads to the form. Fields of refusals are below "assessment.". Errors as
  // RecordAssessment has them.
  absl::StatusOr<Recorded> Record(call::Change& change, const v1::Assessment& given,
                                  const Origin& origin) const;

  // Raises the alerts of what a form that is not finished holds already; nothing that it lacks yet.
  // `source` is the measure request, under which the finished form will raise its own: then only
  // what is new or severer changes them. Takes store::LockAlerts.
  absl::StatusOr<v1::RespondentGuidance> RaisePartial(
      call::Change& change, const care::CourseFacts& course, absl::string_view patient,
      const InstrumentRules& rules, const Sheet& sheet, absl::string_view source) const;

 private:
  absl::StatusOr<std::vector<std::string>> Raise(call::Change& change,
                                                 const care::CourseFacts& course,
                                                 const InstrumentRules& rules, const Sheet& sheet,
                                                 const v1::Score& score, absl::string_view patient,
                                                 absl::Time answer_time, absl::string_view source,
                                                 bool finished) const;

  const Catalogues& catalogues_;
  const crypto::Vault& vault_;
};

// Whether self-report with `rules` in `course` by `patient` has somebody to see to a risk, and the
// respondent whom to turn to.
//   kFailedPrecondition NO_RISK_OWNER
absl::Status RequireRiskOwner(sql::Session& session, const care::CourseFacts& course,
                              absl::string_view patient, const InstrumentRules& rules);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_RECORDER_H_
