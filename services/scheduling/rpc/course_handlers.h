#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_COURSE_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_COURSE_HANDLERS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/course_store.h"

namespace rapport::scheduling {

// Answers CourseService.
class CourseHandlers {
 public:
  CourseHandlers(sql::Database& database, const ProtocolCatalogue& protocols, call::Peer& notes)
      : database_(database), protocols_(protocols), notes_(notes) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Course> CreateCourse(const call::CallContext& context,
                                          const v1::CreateCourseRequest& request);
  absl::StatusOr<v1::Course> GetCourse(const call::CallContext& context,
                                       const v1::GetCourseRequest& request);
  absl::StatusOr<v1::ListCoursesResponse> ListCourses(const call::CallContext& context,
                                                      const v1::ListCoursesRequest& request);
  absl::StatusOr<v1::Course> BeginAssessment(const call::CallContext& context,
                                             const v1::BeginAssessmentRequest& request);
  absl::StatusOr<v1::Course> ActivateCourse(const call::CallContext& context,
                                            const v1::ActivateCourseRequest& request);
  absl::StatusOr<v1::Course> PauseCourse(const call::CallContext& context,
                                         const v1::PauseCourseRequest& request);
  absl::StatusOr<v1::Course> ResumeCourse(const call::CallContext& context,
                                          const v1::ResumeCourseRequest& request);
  absl::StatusOr<v1::Course> AnnounceEnding(const call::CallContext& context,
                                            const v1::AnnounceEndingRequest& request);
  absl::StatusOr<v1::Course> CompleteCourse(const call::CallContext& context,
                                            const v1::CompleteCourseRequest& request);
  absl::StatusOr<v1::Course> DiscontinueCourse(const call::CallContext& context,
                                               const v1::DiscontinueCourseRequest& request);

 private:
  // A course under change, read under its lock.
  struct Step {
    call::Change& change;
    store::CourseRow& row;
    const v1::Protocol& protocol;
    v1::Course& course() const { return row.resource; }
    // The date at the course's clinic.
    absl::StatusOr<absl::CivilDay> Today() const;
  };

  // Makes one transition: access, etag, `step`, the write with its event, and what becomes of the
  // sessions to come.
  template <class Request>
  absl::StatusOr<v1::Course> Transition(const call::CallContext& context, const Request& request,
                                        v1::FutureAppointments future,
                                        absl::FunctionRef<absl::Status(const Step&)> step);

  absl::StatusOr<const v1::Protocol*> ProtocolOf(const v1::Course& course) const;
  absl::StatusOr<v1::Course> Shown(store::CourseRow row, View view) const;
  absl::StatusOr<v1::Course> ReadOne(sql::Session& session, const call::CallContext& context,
                                     absl::string_view name) const;
  absl::Status RequireSuitability(const call::CallContext& context, absl::string_view course) const;

  sql::Database& database_;
  const ProtocolCatalogue& protocols_;
  call::Peer& notes_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_COURSE_HANDLERS_H_
