#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_PLANNING_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_PLANNING_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "services/assessment/domain/plans.h"
#include "services/assessment/rpc/catalogues.h"

// What is asked of courses and what is due of it, read for a call.
namespace rapport::assessment {

// The newest revisions of instruments by id, each looked up once.
class KnownInstruments {
 public:
  KnownInstruments(sql::Session& session, const Catalogues& catalogues,
                   absl::string_view organization_id)
      : session_(session), catalogues_(catalogues), organization_id_(organization_id) {}

  absl::Status Load(absl::string_view id);

  // Of loaded ones; null: there is none.
  const InstrumentRules* Find(absl::string_view id) const;
  bool AsksAboutSuicide(absl::string_view id) const;

 private:
  sql::Session& session_;
  const Catalogues& catalogues_;
  const std::string organization_id_;
  std::map<std::string, std::shared_ptr<const InstrumentRules>, std::less<>> loaded_;
};

// The plan of a course, whose adjusted entries are `adjusted` (none: it follows the protocol).
// Loads its instruments.
absl::StatusOr<Plan> ReadPlan(KnownInstruments& instruments,
                              const scheduling::v1::CourseEvent& course, const Plan& adjusted);

// As care::RequireCourse, for what is due and planned, which managers of the course's clinic may
// know as well.
absl::StatusOr<care::CourseFacts> RequireDueOf(sql::Session& session,
                                               const call::CallContext& context,
                                               absl::string_view course);

// One page of what is due, of a course or a clinician's courses. Errors as ListDueMeasures has
// them.
absl::StatusOr<v1::ListDueMeasuresResponse> ListDue(sql::Session& session,
                                                    const Catalogues& catalogues,
                                                    const call::CallContext& context,
                                                    const v1::ListDueMeasuresRequest& request,
                                                    const call::Page& page);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_PLANNING_H_
