#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_COURSE_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_COURSE_HANDLERS_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/cache/cache.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/rpc/act.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/protocols.h"
#include "services/scheduling/store/course_store.h"

namespace rapport::scheduling {

// The course as the caller may see it, with all that is derived. kNotFound ("Course").
absl::StatusOr<v1::Course> ReadCourse(sql::Session& session, const call::CallContext& context,
                                      const Protocols& protocols, absl::string_view name);

// Courses in full, by name, as who treats reads them; who may see what is not in it.
using CourseCache = cache::Table<v1::Course>;
cache::TableOptions CourseCacheOptions();

// Answers CourseService.
class CourseHandlers {
 public:
  // Without `nearest` a transfer offers no other times; without `kept` all is read from the store.
  CourseHandlers(sql::Database& database, const Protocols& protocols, const Booker& booker,
                 NearestFree nearest, call::Peer& notes, CourseCache* kept = nullptr)
      : database_(database),
        protocols_(protocols),
        booker_(booker),
        nearest_(std::move(nearest)),
        notes_(notes),
        kept_(kept) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Course> CreateCourse(const call::CallContext& context,
                                          const v1::CreateCourseRequest& request);
  absl::StatusOr<v1::Course> GetCourse(const call::CallContext& context,
                                       const v1::GetCourseRequest& request);
  absl::StatusOr<v1::ListCoursesResponse> ListCourses(const call::CallContext& context,
                                                      const v1::ListCoursesRequest& request);
  absl::StatusOr<v1::Course> UpdateCourse(const call::CallContext& context,
                                          const v1::UpdateCourseRequest& request);
  absl::StatusOr<v1::Course> BeginAssessment(const call::CallContext& context,
                                             const v1::BeginAssessmentRequest& request);
  absl::StatusOr<v1::Course> ActivateCourse(const call::CallContext& context,
                                            const v1::ActivateCourseRequest& request);
  absl::StatusOr<v1::Course> PauseCourse(const call::CallContext& context,
                                         const v1::PauseCourseRequest& request);
  absl::StatusOr<v1::Course> ResumeCourse(const call::CallContext& context,
                                          const v1::ResumeCourseRequest& request);
  absl::StatusOr<v1::Course> SwitchProtocol(const call::CallContext& context,
                                            const v1::SwitchProtocolRequest& request);
  absl::StatusOr<v1::Course> DeclarePhase(const call::CallContext& context,
                                          const v1::DeclarePhaseRequest& request);
  absl::StatusOr<v1::Course> ExtendCourse(const call::CallContext& context,
                                          const v1::ExtendCourseRequest& request);
  absl::StatusOr<v1::TransferCourseResponse> TransferCourse(
      const call::CallContext& context, const v1::TransferCourseRequest& request);
  absl::StatusOr<v1::Course> BeginMaintenance(const call::CallContext& context,
                                              const v1::BeginMaintenanceRequest& request);
  absl::StatusOr<v1::Course> AnnounceEnding(const call::CallContext& context,
                                            const v1::AnnounceEndingRequest& request);
  absl::StatusOr<v1::Course> CompleteCourse(const call::CallContext& context,
                                            const v1::CompleteCourseRequest& request);
  absl::StatusOr<v1::Course> DiscontinueCourse(const call::CallContext& context,
                                               const v1::DiscontinueCourseRequest& request);

 private:
  using Standing = std::vector<store::Stored<v1::Appointment>>;

  // A course under change, read under its lock.
  struct Step {
    call::Change& change;
    store::CourseRow& row;
    std::shared_ptr<const v1::Protocol> protocol;  // the one it has now
    v1::Course& course() const { return row.resource; }
    sql::Transaction& tx() const { return change.tx(); }
    // The date at the course's clinic.
    absl::StatusOr<absl::CivilDay> Today() const;
  };
  // What a change is of.
  struct Target {
    const std::string& name;
    const std::string& etag;
    const std::string& request_id;
    bool ends = false;  // gives back its seat in a group
  };
  // What becomes of the sessions to come.
  enum class Sessions { kKeep, kCancel, kJoinSegment };
  static Sessions Of(v1::FutureAppointments future) {
    return future == v1::FUTURE_APPOINTMENTS_CANCEL ? Sessions::kCancel : Sessions::kKeep;
  }

  // Makes one transition: access, etag, `step`, the write with its event, and what becomes of the
  // sessions to come.
  absl::StatusOr<v1::Course> Transition(const call::CallContext& context, const Target& target,
                                        Sessions sessions,
                                        absl::FunctionRef<absl::Status(Step&)> step);
  template <class Request>
  absl::StatusOr<v1::Course> Transition(const call::CallContext& context, const Request& request,
                                        Sessions sessions,
                                        absl::FunctionRef<absl::Status(Step&)> step) {
    return Transition(context, Target{request.name(), request.etag(), request.request_id()},
                      sessions, step);
  }

  // Writes the course with its event.
  absl::Status Write(Step& step) const;
  absl::Status CancelToCome(Act& act, const std::string& course) const;
  // Of a course that has ended: frees its seat, and its places in sessions to come but those that
  // it keeps.
  absl::Status GiveBackSeat(call::Change& change, const std::string& group,
                            const std::string& course) const;
  // Lets what is to come belong to the running segment.
  absl::Status JoinSegment(Act& act, const v1::Course& course) const;
  // Lets the new clinician have the sessions to come, as asked; fills in what became of them.
  absl::Status HandOver(Act& act, const Step& step, const v1::Clinic& clinic,
                        const v1::TransferCourseRequest& request, const Standing& standing,
                        v1::TransferCourseResponse& response) const;
  // Holds the nearest free time of the course's clinician instead of `session`; nothing: none.
  absl::StatusOr<std::optional<v1::Appointment>> HoldInstead(Act& act, const v1::Course& course,
                                                             const v1::Clinic& clinic,
                                                             const v1::Appointment& session,
                                                             absl::Time until) const;
  absl::StatusOr<v1::TransferCourseResponse> ReadTransfer(sql::Session& session,
                                                          const call::CallContext& context,
                                                          absl::string_view name) const;
  absl::Status RequireSuitability(const call::CallContext& context, absl::string_view course) const;
  // OK iff notes has nothing in the way of closing the course's case.
  //   kFailedPrecondition CLOSING_OBSTACLES; kUnavailable PEER_UNAVAILABLE
  absl::Status RequireClosable(const call::CallContext& context, absl::string_view course) const;

  sql::Database& database_;
  const Protocols& protocols_;
  const Booker& booker_;
  const NearestFree nearest_;
  call::Peer& notes_;
  CourseCache* const kept_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_COURSE_HANDLERS_H_
