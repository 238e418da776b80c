#include "services/scheduling/rpc/course_handlers.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/notes/v1/suitability_service.pb.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/organization_store.h"

namespace rapport::scheduling {
namespace {

constexpr absl::string_view kCheckSuitability =
    "rapport.notes.v1.SuitabilityService/CheckSuitability";

absl::Status SuitabilityNotComplete() {
  return errors::FailedPrecondition("SUITABILITY_NOT_COMPLETE",
                                    "The course's case needs a signed suitability determination in "
                                    "favour, in the notes service.");
}

absl::StatusOr<absl::CivilDay> TodayAt(const v1::Clinic& clinic, absl::Time now) {
  ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(clinic.time_zone()));
  return absl::ToCivilDay(now, zone);
}

// `found` with NOT_FOUND told as the unmet condition of a request that names what is absent.
template <class Resource>
absl::StatusOr<Resource> Known(absl::StatusOr<store::Stored<Resource>> found,
                               absl::string_view reason, absl::string_view key,
                               const std::string& name) {
  if (absl::IsNotFound(found.status())) {
    return errors::FailedPrecondition(reason, absl::StrCat("There is no such ", key, "."),
                                      {{std::string(key), name}});
  }
  RETURN_IF_ERROR(found.status());
  return std::move(found->resource);
}

// Cancels what is still to come, in the course's own transaction.
absl::Status CancelToCome(call::Change& change, const v1::Course& course,
                          const v1::Protocol& protocol) {
  const absl::Time now = change.context().now;
  ASSIGN_OR_RETURN(auto to_come, store::ListToCome(change.tx(), course.name(), now));
  if (to_come.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto organization,
                   store::GetOrganization(change.tx(), change.context().organization_id));
  const absl::Duration late_window =
      time::ToDuration(organization.resource.settings().late_cancel_window());
  for (auto& [appointment, version] : to_come) {
    RETURN_IF_ERROR(CancelAppointment(appointment, v1::CANCEL_REASON_COURSE, late_window, now));
    *appointment.mutable_update_time() = time::ToTimestamp(now);
    store::DeferUpdate(change.tx(), appointment, protocol, version);
    change.Record(appointment.name(), version + 1, PayloadOf(appointment, protocol),
                  store::Document(appointment));
  }
  return absl::OkStatus();
}

}  // namespace

void CourseHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.CourseService", this)
      .Unary("CreateCourse", &CourseHandlers::CreateCourse)
      .Unary("GetCourse", &CourseHandlers::GetCourse)
      .Unary("ListCourses", &CourseHandlers::ListCourses)
      .Unary("BeginAssessment", &CourseHandlers::BeginAssessment)
      .Unary("ActivateCourse", &CourseHandlers::ActivateCourse)
      .Unary("PauseCourse", &CourseHandlers::PauseCourse)
      .Unary("ResumeCourse", &CourseHandlers::ResumeCourse)
      .Unary("AnnounceEnding", &CourseHandlers::AnnounceEnding)
      .Unary("CompleteCourse", &CourseHandlers::CompleteCourse)
      .Unary("DiscontinueCourse", &CourseHandlers::DiscontinueCourse);
}

absl::StatusOr<absl::CivilDay> CourseHandlers::Step::Today() const {
  ASSIGN_OR_RETURN(const auto clinic, store::GetClinic(change.tx(), course().clinic()));
  return TodayAt(clinic.resource, change.context().now);
}

absl::StatusOr<const v1::Protocol*> CourseHandlers::ProtocolOf(const v1::Course& course) const {
  const v1::Protocol* protocol = protocols_.Find(course.protocol());
  if (protocol == nullptr) {
    return errors::Internal(absl::StrCat("This release lacks ", course.protocol()));
  }
  return protocol;
}

absl::StatusOr<v1::Course> CourseHandlers::Shown(store::CourseRow row, View view) const {
  if (view == View::kNone) return errors::NotFound("Course");
  ASSIGN_OR_RETURN(const v1::Protocol* protocol, ProtocolOf(row.resource));
  FillProgress(row.resource, *protocol, row.sessions_used);
  if (view == View::kTimes) KeepExistenceAndTimes(row.resource);
  return std::move(row.resource);
}

absl::StatusOr<v1::Course> CourseHandlers::ReadOne(sql::Session& session,
                                                   const call::CallContext& context,
                                                   absl::string_view name) const {
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(session, name, scope));
  const View view = ViewOf(context, scope, row.sees_to, row.resource.clinic());
  return Shown(std::move(row), view);
}

absl::StatusOr<v1::Course> CourseHandlers::CreateCourse(const call::CallContext& context,
                                                        const v1::CreateCourseRequest& request) {
  const v1::Course& asked = request.course();
  return call::Mutate<v1::Course>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadOne(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Course> {
        sql::Transaction& tx = change.tx();
        const v1::Protocol* protocol = protocols_.Find(asked.protocol());
        if (protocol == nullptr) {
          return errors::FailedPrecondition("UNKNOWN_PROTOCOL", "There is no such protocol.",
                                            {{"protocol", asked.protocol()}});
        }
        ASSIGN_OR_RETURN(const v1::Clinic clinic,
                         Known(store::GetClinic(tx, asked.clinic()), "UNKNOWN_CLINIC", "clinic",
                               asked.clinic()));
        ASSIGN_OR_RETURN(const v1::Clinician clinician,
                         Known(store::GetClinician(tx, asked.clinician()), "UNKNOWN_CLINICIAN",
                               "clinician", asked.clinician()));
        const store::Scope scope = ScopeOf(context);
        ASSIGN_OR_RETURN(const bool sees_to, store::SeesTo(tx, asked.clinician(), scope));
        const bool manages = context.principal->HasRole("clinic_manager") &&
                             scope.CoversClinic(names::Last(asked.clinic()));
        if (!sees_to && !manages) {
          return errors::PermissionDenied(
              "NOT_THE_THERAPIST",
              "Courses are proposed by their therapist, who covers for them, or the clinic's "
              "manager.");
        }
        ASSIGN_OR_RETURN(const absl::CivilDay today, TodayAt(clinic, context.now));
        RETURN_IF_ERROR(CheckParticulars(asked.patient_particulars(), today));
        store::CourseRow row;
        ASSIGN_OR_RETURN(row.resource, ProposeCourse(asked, clinician, *protocol, today));
        v1::Course& course = row.resource;
        course.set_name(names::InOrganization(context.organization_id, "courses", NewId()));
        *course.mutable_create_time() = time::ToTimestamp(context.now);
        *course.mutable_update_time() = course.create_time();
        RETURN_IF_ERROR(store::InsertCourse(tx, course));
        change.Record(course.name(), 1, PayloadOf(course, *protocol), store::Document(course));
        course.set_etag(call::Etag(1));
        return Shown(std::move(row), ViewOf(context, scope, sees_to, clinic.name()));
      });
}

absl::StatusOr<v1::Course> CourseHandlers::GetCourse(const call::CallContext& context,
                                                     const v1::GetCourseRequest& request) {
  return call::Read<v1::Course>(database_, context, [&](sql::Session& session) {
    return ReadOne(session, context, request.name());
  });
}

absl::StatusOr<v1::ListCoursesResponse> CourseHandlers::ListCourses(
    const call::CallContext& context, const v1::ListCoursesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  store::CourseKey after;
  if (!page.after.empty()) {
    const auto [created, id] = call::SplitKey(page.after);
    (void)absl::SimpleAtoi(created, &after.create_micros);
    after.id = id;
  }
  store::CourseFilter filter;
  filter.clinician_id = std::string(names::Id(request.clinician(), "clinicians"));
  filter.patient_id = std::string(names::Id(request.patient(), "patients"));
  for (int state : request.states()) {
    filter.states.push_back(static_cast<v1::CourseState>(state));
  }
  store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(auto rows, call::Read<std::vector<store::CourseRow>>(
                                  database_, context, [&](sql::Session& session) {
                                    return store::ListCourses(session, context.organization_id,
                                                              scope, filter, after, page.size + 1);
                                  }));
  v1::ListCoursesResponse response;
  for (store::CourseRow& row : rows) {
    if (response.courses_size() == page.size) {
      const v1::Course& last = response.courses(page.size - 1);
      response.set_next_page_token(call::NextPageToken(
          context, call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(last.create_time()))),
                                 names::Last(last.name()))));
      break;
    }
    const View view = ViewOf(context, scope, row.sees_to, row.resource.clinic());
    ASSIGN_OR_RETURN(*response.add_courses(), Shown(std::move(row), view));
  }
  return response;
}

template <class Request>
absl::StatusOr<v1::Course> CourseHandlers::Transition(
    const call::CallContext& context, const Request& request, v1::FutureAppointments future,
    absl::FunctionRef<absl::Status(const Step&)> step) {
  return call::Mutate<v1::Course>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadOne(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Course> {
        const store::Scope scope = ScopeOf(context);
        change.tx().Lock({request.name()});
        ASSIGN_OR_RETURN(store::CourseRow row,
                         store::GetCourse(change.tx(), request.name(), scope));
        v1::Course& course = row.resource;
        RETURN_IF_ERROR(RequireTreating(ViewOf(context, scope, row.sees_to, course.clinic())));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), row.version));
        ASSIGN_OR_RETURN(const v1::Protocol* protocol, ProtocolOf(course));
        RETURN_IF_ERROR(step(Step{change, row, *protocol}));
        *course.mutable_update_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(store::UpdateCourse(change.tx(), course, row.version));
        change.Record(course.name(), row.version + 1, PayloadOf(course, *protocol),
                      store::Document(course));
        if (future == v1::FUTURE_APPOINTMENTS_CANCEL) {
          RETURN_IF_ERROR(CancelToCome(change, course, *protocol));
        }
        course.set_etag(call::Etag(row.version + 1));
        return Shown(std::move(row), View::kFull);
      });
}

absl::StatusOr<v1::Course> CourseHandlers::BeginAssessment(
    const call::CallContext& context, const v1::BeginAssessmentRequest& request) {
  return Transition(context, request, v1::FUTURE_APPOINTMENTS_KEEP,
                    [](const Step& step) { return scheduling::BeginAssessment(step.course()); });
}

absl::Status CourseHandlers::RequireSuitability(const call::CallContext& context,
                                                absl::string_view course) const {
  notes::v1::CheckSuitabilityRequest question;
  question.set_course(std::string(course));
  notes::v1::CheckSuitabilityResponse answer;
  const absl::Status status = notes_.Call(context, kCheckSuitability, question, answer);
  switch (status.code()) {
    case absl::StatusCode::kOk:
      break;
    case absl::StatusCode::kNotFound:  // no case yet
      return SuitabilityNotComplete();
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kUnimplemented:
      return errors::Unavailable("PEER_UNAVAILABLE",
                                 "The notes service could not be asked for the suitability "
                                 "determination; nothing changed. Repeat later.",
                                 "notes");
    default:
      return status;
  }
  if (answer.suitability() != notes::v1::SUITABILITY_ELIGIBLE) return SuitabilityNotComplete();
  return absl::OkStatus();
}

absl::StatusOr<v1::Course> CourseHandlers::ActivateCourse(
    const call::CallContext& context, const v1::ActivateCourseRequest& request) {
  // Notes is asked outside of the transaction; the version tells that nothing changed meanwhile. A
  // course that is not ASSESSING is left to the transaction, as this may be a repeat.
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(const store::CourseRow before,
                   call::Read<store::CourseRow>(database_, context, [&](sql::Session& session) {
                     return store::GetCourse(session, request.name(), scope);
                   }));
  RETURN_IF_ERROR(
      RequireTreating(ViewOf(context, scope, before.sees_to, before.resource.clinic())));
  const bool assessing = before.resource.state() == v1::COURSE_STATE_ASSESSING;
  if (assessing) {
    RETURN_IF_ERROR(call::CheckEtag(request.etag(), before.version));
    RETURN_IF_ERROR(RequireSuitability(context, request.name()));
  }
  return Transition(
      context, request, v1::FUTURE_APPOINTMENTS_KEEP, [&](const Step& step) -> absl::Status {
        RETURN_IF_ERROR(scheduling::ActivateCourse(step.course(), context.now));
        if (!assessing || step.row.version != before.version) {
          return errors::StaleEtag(call::Etag(step.row.version));
        }
        // Opened again since notes was asked.
        ASSIGN_OR_RETURN(const bool reopened,
                         store::DeterminationReopened(step.change.tx(), request.name()));
        SetSuitabilityReviewDue(step.course(), reopened);
        return absl::OkStatus();
      });
}

absl::StatusOr<v1::Course> CourseHandlers::PauseCourse(const call::CallContext& context,
                                                       const v1::PauseCourseRequest& request) {
  return Transition(context, request, request.future_appointments(),
                    [&](const Step& step) -> absl::Status {
                      ASSIGN_OR_RETURN(const absl::CivilDay today, step.Today());
                      return scheduling::PauseCourse(step.course(), request.reason(),
                                                     request.return_date(), today);
                    });
}

absl::StatusOr<v1::Course> CourseHandlers::ResumeCourse(const call::CallContext& context,
                                                        const v1::ResumeCourseRequest& request) {
  return Transition(context, request, v1::FUTURE_APPOINTMENTS_KEEP,
                    [](const Step& step) { return scheduling::ResumeCourse(step.course()); });
}

absl::StatusOr<v1::Course> CourseHandlers::AnnounceEnding(
    const call::CallContext& context, const v1::AnnounceEndingRequest& request) {
  return Transition(context, request, v1::FUTURE_APPOINTMENTS_KEEP,
                    [&](const Step& step) -> absl::Status {
                      ASSIGN_OR_RETURN(const absl::CivilDay today, step.Today());
                      return scheduling::AnnounceEnding(step.course(), request.date(), today);
                    });
}

absl::StatusOr<v1::Course> CourseHandlers::CompleteCourse(
    const call::CallContext& context, const v1::CompleteCourseRequest& request) {
  return Transition(context, request, request.future_appointments(), [&](const Step& step) {
    return scheduling::CompleteCourse(step.course(), step.row.sessions_held, step.protocol,
                                      request.referral(), context.now);
  });
}

absl::StatusOr<v1::Course> CourseHandlers::DiscontinueCourse(
    const call::CallContext& context, const v1::DiscontinueCourseRequest& request) {
  return Transition(context, request, request.future_appointments(), [&](const Step& step) {
    return scheduling::DiscontinueCourse(step.course(), request.reason(), request.referral(),
                                         context.now);
  });
}

}  // namespace rapport::scheduling
