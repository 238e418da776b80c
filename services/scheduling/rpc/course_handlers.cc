#include "services/scheduling/rpc/course_handlers.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/call/masks.h"
#include "common/call/pages.h"
#include "common/call/validate.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "rapport/notes/v1/suitability_service.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/domain/organizations.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/erasure_store.h"
#include "services/scheduling/store/group_store.h"
#include "services/scheduling/store/organization_store.h"
#include "services/scheduling/store/waitlist_store.h"

namespace rapport::scheduling {
namespace {

constexpr absl::string_view kCheckSuitability =
    "rapport.notes.v1.SuitabilityService/CheckSuitability";
constexpr absl::string_view kGetClosingObstacles =
    "rapport.notes.v1.CaseEntryService/GetClosingObstacles";

// How far from a session the time may be that is offered instead.
constexpr int kOfferDays = 14;
// How many times are tried for one session.
constexpr int kOfferTries = 8;

absl::Status SuitabilityNotComplete() {
  return errors::FailedPrecondition("SUITABILITY_NOT_COMPLETE",
                                    "The course's case needs a signed suitability determination in "
                                    "favour, in the notes service.");
}

absl::StatusOr<absl::CivilDay> DayAt(const v1::Clinic& clinic, absl::Time instant) {
  ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(clinic.time_zone()));
  return absl::ToCivilDay(instant, zone);
}

// `found` with NOT_FOUND told as the unmet condition of a request that names what is absent.
template <class Found>
absl::StatusOr<Found> Known(absl::StatusOr<Found> found, absl::string_view reason,
                            absl::string_view key, const std::string& name) {
  if (!absl::IsNotFound(found.status())) return found;
  return errors::FailedPrecondition(reason, absl::StrCat("There is no such ", key, "."),
                                    {{std::string(key), name}});
}

absl::StatusOr<store::Stored<v1::Clinician>> KnownClinician(sql::Session& session,
                                                            const std::string& name) {
  return Known(store::GetClinician(session, name), "UNKNOWN_CLINICIAN", "clinician", name);
}

absl::StatusOr<std::shared_ptr<const v1::Protocol>> KnownProtocol(sql::Session& session,
                                                                  const Protocols& protocols,
                                                                  const std::string& name) {
  return Known(protocols.Find(session, name), "UNKNOWN_PROTOCOL", "protocol", name);
}

// The protocol that a stored course has.
absl::StatusOr<std::shared_ptr<const v1::Protocol>> ProtocolOf(sql::Session& session,
                                                               const Protocols& protocols,
                                                               const v1::Course& course) {
  auto protocol = protocols.Find(session, course.protocol());
  if (absl::IsNotFound(protocol.status())) {
    return errors::Internal(absl::StrCat("This release lacks ", course.protocol()));
  }
  return protocol;
}

bool Manages(const call::CallContext& context, const store::Scope& scope,
             absl::string_view clinic) {
  return context.principal->HasRole("clinic_manager") && scope.CoversClinic(names::Last(clinic));
}

absl::Status RequireOverride(v1::CaseloadOverrideReason reason, bool manages) {
  if (reason == v1::CASELOAD_OVERRIDE_REASON_UNSPECIFIED || manages) return absl::OkStatus();
  return errors::PermissionDenied(
      "CASELOAD_OVERRIDE_NOT_ALLOWED",
      "Only a manager of the clinic may exceed a clinician's caseload.");
}

// Whom a course is of, at its clinic, with its clinician and protocol.
struct Parties {
  v1::Clinician clinician;
  v1::Clinic clinic;
  absl::CivilDay today;
  int open_courses = 0;
  CourseSetting Under(const v1::Protocol& protocol) const {
    return {clinician, clinic, protocol, today, open_courses};
  }
};

absl::StatusOr<Parties> PartiesOf(const call::Change& change, sql::Session& session,
                                  const v1::Course& course) {
  Parties parties;
  ASSIGN_OR_RETURN(auto clinician, store::GetClinician(session, course.clinician()));
  ASSIGN_OR_RETURN(auto clinic, store::GetClinic(session, course.clinic()));
  parties.clinician = std::move(clinician.resource);
  parties.clinic = std::move(clinic.resource);
  ASSIGN_OR_RETURN(parties.today, DayAt(parties.clinic, change.context().now));
  return parties;
}

// How many of `standing` take a place among the planned sessions.
int Counted(const std::vector<store::Stored<v1::Appointment>>& standing,
            const v1::Protocol& protocol) {
  int counted = 0;
  for (const auto& [appointment, version] : standing) {
    counted += CountsTowardsCourse(appointment, protocol) ? 1 : 0;
  }
  return counted;
}

// Whether attendance tells anything of `course`.
bool ExpectsParticipants(const v1::Course& course, const v1::Protocol& protocol) {
  return !protocol.required_participants().empty() && IsOpen(course.state()) &&
         course.state() != v1::COURSE_STATE_PROPOSED && !course.has_maintenance();
}

// The rows as they may be seen, each with its view; none of them hidden.
absl::StatusOr<std::vector<v1::Course>> Show(sql::Session& session, const Protocols& protocols,
                                             std::vector<store::CourseRow> rows,
                                             const std::vector<View>& views) {
  std::vector<std::shared_ptr<const v1::Protocol>> of;
  std::vector<const v1::Course*> asked;
  std::vector<size_t> places;
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSIGN_OR_RETURN(of.emplace_back(), ProtocolOf(session, protocols, rows[i].resource));
    if (views[i] < View::kRead || !ExpectsParticipants(rows[i].resource, *of[i])) continue;
    asked.push_back(&rows[i].resource);
    places.push_back(i);
  }
  std::vector<std::vector<AttendedSession>> attended(rows.size());
  if (!asked.empty()) {
    ASSIGN_OR_RETURN(auto found,
                     store::ListAttended(session, names::OrganizationId(asked[0]->name()), asked));
    for (size_t i = 0; i < places.size(); ++i) attended[places[i]] = std::move(found[i]);
  }
  std::vector<v1::Course> courses;
  for (size_t i = 0; i < rows.size(); ++i) {
    v1::Course& course = courses.emplace_back(std::move(rows[i].resource));
    FillProgress(course, *of[i],
                 {rows[i].sessions.used, rows[i].formulation_agreed, std::move(attended[i])});
    if (views[i] == View::kTimes) KeepExistenceAndTimes(course);
  }
  return courses;
}

absl::StatusOr<v1::Course> ShowOne(sql::Session& session, const Protocols& protocols,
                                   store::CourseRow row, View view) {
  if (view == View::kNone) return errors::NotFound("Course");
  std::vector<store::CourseRow> rows;
  rows.push_back(std::move(row));
  ASSIGN_OR_RETURN(std::vector<v1::Course> shown,
                   Show(session, protocols, std::move(rows), {view}));
  return std::move(shown[0]);
}

// As it stands in the transaction, to one who may see `view` of it.
absl::StatusOr<v1::Course> ShowChanged(sql::Transaction& tx, const call::CallContext& context,
                                       const Protocols& protocols, absl::string_view name,
                                       View view) {
  ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(tx, name, ScopeOf(context)));
  return ShowOne(tx, protocols, std::move(row), view);
}

}  // namespace

absl::StatusOr<v1::Course> ReadCourse(sql::Session& session, const call::CallContext& context,
                                      const Protocols& protocols, absl::string_view name) {
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(session, name, scope));
  const View view = ViewOf(context, scope, row.sees_to, row.resource.clinic(), row.supervises);
  return ShowOne(session, protocols, std::move(row), view);
}

cache::TableOptions CourseCacheOptions() {
  using Changed = absl::FunctionRef<void(absl::string_view name)>;
  return {.kind = "course",
          .events = {v1::CourseEvent::descriptor()->full_name(),
                     v1::AppointmentEvent::descriptor()->full_name(),
                     v1::PrivateAppointmentEvent::descriptor()->full_name()},
          .changed_by = [](const common::v1::Event& event, Changed changed) {
            const google::protobuf::Any& payload = event.payload();
            if (v1::AppointmentEvent appointment; payload.UnpackTo(&appointment)) {
              if (!appointment.course().empty()) changed(appointment.course());
            } else if (v1::PrivateAppointmentEvent whole; payload.UnpackTo(&whole)) {
              changed(whole.appointment().course());
            } else {
              changed(event.resource());
            }
          }};
}

void CourseHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.CourseService", this)
      .Unary("CreateCourse", &CourseHandlers::CreateCourse)
      .Unary("GetCourse", &CourseHandlers::GetCourse)
      .Unary("ListCourses", &CourseHandlers::ListCourses)
      .Unary("UpdateCourse", &CourseHandlers::UpdateCourse)
      .Unary("BeginAssessment", &CourseHandlers::BeginAssessment)
      .Unary("ActivateCourse", &CourseHandlers::ActivateCourse)
      .Unary("PauseCourse", &CourseHandlers::PauseCourse)
      .Unary("ResumeCourse", &CourseHandlers::ResumeCourse)
      .Unary("SwitchProtocol", &CourseHandlers::SwitchProtocol)
      .Unary("DeclarePhase", &CourseHandlers::DeclarePhase)
      .Unary("ExtendCourse", &CourseHandlers::ExtendCourse)
      .Unary("TransferCourse", &CourseHandlers::TransferCourse)
      .Unary("BeginMaintenance", &CourseHandlers::BeginMaintenance)
      .Unary("AnnounceEnding", &CourseHandlers::AnnounceEnding)
      .Unary("CompleteCourse", &CourseHandlers::CompleteCourse)
      .Unary("DiscontinueCourse", &CourseHandlers::DiscontinueCourse);
}

absl::StatusOr<absl::CivilDay> CourseHandlers::Step::Today() const {
  ASSIGN_OR_RETURN(const auto clinic, store::GetClinic(tx(), course().clinic()));
  return DayAt(clinic.resource, change.context().now);
}

absl::StatusOr<v1::Course> CourseHandlers::CreateCourse(const call::CallContext& context,
                                                        const v1::CreateCourseRequest& request) {
  const v1::Course& asked = request.course();
  return call::Mutate<v1::Course>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadCourse(session, context, protocols_, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Course> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const auto protocol, KnownProtocol(tx, protocols_, asked.protocol()));
        ASSIGN_OR_RETURN(auto clinic, Known(store::GetClinic(tx, asked.clinic()), "UNKNOWN_CLINIC",
                                            "clinic", asked.clinic()));
        const store::Scope scope = ScopeOf(context);
        // Two who propose for the same clinician count one after the other.
        tx.Lock({asked.clinician()});
        ASSIGN_OR_RETURN(auto clinician, KnownClinician(tx, asked.clinician()));
        ASSIGN_OR_RETURN(const bool sees_to, store::SeesTo(tx, asked.clinician(), scope));
        const bool manages = Manages(context, scope, asked.clinic());
        if (!sees_to && !manages) {
          return errors::PermissionDenied(
              "NOT_THE_THERAPIST",
              "Courses are proposed by their therapist, who covers for them, or the clinic's "
              "manager.");
        }
        if (asked.age_override_reason() != v1::AGE_OVERRIDE_REASON_UNSPECIFIED && !sees_to) {
          return errors::PermissionDenied(
              "AGE_OVERRIDE_NOT_ALLOWED",
              "Only the course's therapist, or who covers for them, may judge that its protocol "
              "fits another age.");
        }
        RETURN_IF_ERROR(RequireOverride(asked.caseload_override_reason(), manages));
        Parties parties{std::move(clinician.resource), std::move(clinic.resource), {}, 0};
        ASSIGN_OR_RETURN(parties.today, DayAt(parties.clinic, context.now));
        ASSIGN_OR_RETURN(parties.open_courses, store::CountOpenCourses(tx, asked.clinician()));
        store::CourseRow row;
        ASSIGN_OR_RETURN(row.resource, ProposeCourse(asked, parties.Under(*protocol)));
        v1::Course& course = row.resource;
        course.set_name(names::InOrganization(context.organization_id, "courses", NewId()));
        *course.mutable_create_time() = time::ToTimestamp(context.now);
        *course.mutable_update_time() = course.create_time();
        RETURN_IF_ERROR(store::RequireNotErased(tx, course.patient()));
        RETURN_IF_ERROR(store::RequireNotErased(tx, course.partner()));
        RETURN_IF_ERROR(store::InsertCourse(tx, course));
        change.Record(course.name(), 1, PayloadOf(course, *protocol), store::Document(course));
        course.set_etag(call::Etag(1));
        return ShowOne(tx, protocols_, std::move(row),
                       ViewOf(context, scope, sees_to, parties.clinic.name()));
      });
}

absl::StatusOr<v1::Course> CourseHandlers::GetCourse(const call::CallContext& context,
                                                     const v1::GetCourseRequest& request) {
  const std::string& name = request.name();
  // Who names changes to be seen may have made them at another replica.
  if (kept_ == nullptr || !context.positions.empty()) {
    return call::Read<v1::Course>(database_, context, [&](sql::Session& session) {
      return ReadCourse(session, context, protocols_, name);
    });
  }
  // A right that hangs on a relation is asked of the store at each call; the rest is in the token.
  const store::Scope scope = ScopeOf(context);
  std::optional<store::CourseRelation> relation;
  if (!context.is_service() && !(scope.subject.empty() && scope.supervisor.empty())) {
    ASSIGN_OR_RETURN(
        relation, call::Read<store::CourseRelation>(database_, context, [&](sql::Session& session) {
          return store::GetCourseRelation(session, name, scope);
        }));
  }
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const v1::Course> kept,
      kept_->Get(context.organization_id, name, context.deadline,
                 [&](sql::Session& session) -> absl::StatusOr<cache::Versioned<v1::Course>> {
                   ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(session, name, {}));
                   const int64_t version = row.version;
                   ASSIGN_OR_RETURN(v1::Course course,
                                    ShowOne(session, protocols_, std::move(row), View::kFull));
                   return cache::Versioned<v1::Course>{std::move(course), version};
                 }));
  if (relation && kept->etag() != call::Etag(relation->version)) {
    // Another replica has just changed it: what is kept is about to be forgotten.
    return call::Read<v1::Course>(database_, context, [&](sql::Session& session) {
      return ReadCourse(session, context, protocols_, name);
    });
  }
  const View view = ViewOf(context, scope, relation && relation->sees_to, kept->clinic(),
                           relation && relation->supervises);
  if (view == View::kNone) return errors::NotFound("Course");
  v1::Course course = *kept;
  if (view == View::kTimes) KeepExistenceAndTimes(course);
  return course;
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
  const store::Scope scope = ScopeOf(context);
  v1::ListCoursesResponse response;
  ASSIGN_OR_RETURN(
      auto courses,
      call::Read<std::vector<v1::Course>>(
          database_, context,
          [&](sql::Session& session) -> absl::StatusOr<std::vector<v1::Course>> {
            response.Clear();
            ASSIGN_OR_RETURN(auto rows, store::ListCourses(session, context.organization_id, scope,
                                                           filter, after, page.size + 1));
            if (rows.size() > static_cast<size_t>(page.size)) {
              rows.resize(page.size);
              const v1::Course& last = rows.back().resource;
              response.set_next_page_token(call::NextPageToken(
                  context,
                  call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(last.create_time()))),
                                names::Last(last.name()))));
            }
            std::vector<View> views;
            for (const store::CourseRow& row : rows) {
              views.push_back(
                  ViewOf(context, scope, row.sees_to, row.resource.clinic(), row.supervises));
            }
            return Show(session, protocols_, std::move(rows), views);
          }));
  for (v1::Course& course : courses) *response.add_courses() = std::move(course);
  return response;
}

absl::Status CourseHandlers::Write(Step& step) const {
  v1::Course& course = step.course();
  *course.mutable_update_time() = time::ToTimestamp(step.change.context().now);
  RETURN_IF_ERROR(store::UpdateCourse(step.tx(), course, step.row.version));
  step.change.Record(course.name(), step.row.version + 1, PayloadOf(course, *step.protocol),
                     store::Document(course));
  return absl::OkStatus();
}

absl::Status CourseHandlers::CancelToCome(Act& act, const std::string& course) const {
  ASSIGN_OR_RETURN(const Standing standing, store::ListStanding(act.tx(), course, act.now()));
  for (const auto& [appointment, version] : standing) {
    if (appointment.state() == v1::APPOINTMENT_STATE_BOOKED) {
      RETURN_IF_ERROR(
          booker_.Cancel(act, appointment.name(), v1::CANCEL_REASON_COURSE, "").status());
    } else if (appointment.waitlist_entry().empty()) {
      RETURN_IF_ERROR(
          booker_.Release(act, appointment.name(), v1::APPOINTMENT_STATE_RELEASED, "").status());
    }
  }
  return absl::OkStatus();
}

absl::Status CourseHandlers::GiveBackSeat(call::Change& change, const std::string& group,
                                          const std::string& course) const {
  sql::Transaction& tx = change.tx();
  const absl::Time now = change.context().now;
  ASSIGN_OR_RETURN(store::GroupRow row, store::GetGroup(tx, group, ScopeOf(change.context())));
  ASSIGN_OR_RETURN(const auto places, store::ListSeatsToCome(tx, group, course, now));
  for (const v1::GroupSeat& place : places) {
    if (!TakesTime(place.state())) store::DeleteSeat(tx, place.appointment());
  }
  store::DeleteMember(tx, group, course);
  row.resource.set_seats_taken(row.resource.seats_taken() - 1);
  *row.resource.mutable_update_time() = time::ToTimestamp(now);
  RETURN_IF_ERROR(store::UpdateGroup(tx, row.resource, row.version));
  change.Record(group, row.version + 1, PayloadOf(row.resource), store::Document(row.resource));
  return absl::OkStatus();
}

absl::Status CourseHandlers::JoinSegment(Act& act, const v1::Course& course) const {
  ASSIGN_OR_RETURN(const Standing standing,
                   store::ListStanding(act.tx(), course.name(), act.now()));
  for (const auto& [appointment, version] : standing) {
    const auto join = [&](store::AppointmentContext& context, const v1::Protocol&) {
      context.row.resource.set_segment(course.segment());
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(booker_.Change(act, appointment.name(), "", join).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Course> CourseHandlers::Transition(const call::CallContext& context,
                                                      const Target& target, Sessions sessions,
                                                      absl::FunctionRef<absl::Status(Step&)> step) {
  return call::Mutate<v1::Course>(
      database_, context, target.request_id,
      [&](sql::Session& session, absl::string_view name) {
        return ReadCourse(session, context, protocols_, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Course> {
        sql::Transaction& tx = change.tx();
        const store::Scope scope = ScopeOf(context);
        std::string group;
        if (target.ends) {
          // A group's lock comes before those of its members' courses.
          ASSIGN_OR_RETURN(const store::CourseRow before, store::GetCourse(tx, target.name, scope));
          group = before.resource.group();
          if (!group.empty()) tx.Lock({group});
        }
        tx.Lock({target.name});
        ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(tx, target.name, scope));
        RETURN_IF_ERROR(RequireTreating(
            ViewOf(context, scope, row.sees_to, row.resource.clinic(), row.supervises)));
        RETURN_IF_ERROR(call::CheckEtag(target.etag, row.version));
        if (target.ends && row.resource.group() != group) {
          return errors::Aborted("LOST_RACE", "Another change came first. Read again and repeat.");
        }
        ASSIGN_OR_RETURN(auto protocol, ProtocolOf(tx, protocols_, row.resource));
        Step change_of{change, row, std::move(protocol)};
        RETURN_IF_ERROR(step(change_of));
        RETURN_IF_ERROR(Write(change_of));
        Act act = Act::Allowed(change);
        if (sessions == Sessions::kCancel) RETURN_IF_ERROR(CancelToCome(act, target.name));
        if (!group.empty()) RETURN_IF_ERROR(GiveBackSeat(change, group, target.name));
        if (sessions == Sessions::kJoinSegment) RETURN_IF_ERROR(JoinSegment(act, row.resource));
        return ShowChanged(tx, context, protocols_, target.name, View::kFull);
      });
}

absl::StatusOr<v1::Course> CourseHandlers::UpdateCourse(const call::CallContext& context,
                                                        const v1::UpdateCourseRequest& request) {
  const v1::Course& asked = request.course();
  RETURN_IF_ERROR(RequireName(asked.name(), "course.name"));
  RETURN_IF_ERROR(CheckRevisable(request.update_mask()));
  return Transition(
      context, Target{asked.name(), asked.etag(), request.request_id()}, Sessions::kKeep,
      [&](Step& step) -> absl::Status {
        v1::Course& course = step.course();
        RETURN_IF_ERROR(call::ApplyMask(request.update_mask(), asked, course));
        RETURN_IF_ERROR(call::Validate(course, "course"));
        ASSIGN_OR_RETURN(const Parties parties, PartiesOf(step.change, step.tx(), course));
        const auto began = course.protocol_history().empty()
                               ? course.create_time()
                               : course.protocol_history().rbegin()->switch_time();
        ASSIGN_OR_RETURN(const absl::CivilDay began_on, DayAt(parties.clinic, time::ToTime(began)));
        return ReviseCourse(course, parties.Under(*step.protocol), began_on, step.row.sessions);
      });
}

absl::StatusOr<v1::Course> CourseHandlers::BeginAssessment(
    const call::CallContext& context, const v1::BeginAssessmentRequest& request) {
  return Transition(context, request, Sessions::kKeep,
                    [](Step& step) { return scheduling::BeginAssessment(step.course()); });
}

// Whatever is known of the case besides an eligible one is told the same way: an answer that could
// be told apart would tell of one partner to the other.
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
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
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

absl::Status CourseHandlers::RequireClosable(const call::CallContext& context,
                                             absl::string_view course) const {
  notes::v1::GetClosingObstaclesRequest question;
  question.set_name(names::InOrganization(context.organization_id, "cases", names::Last(course)));
  notes::v1::ClosingObstacles answer;
  const absl::Status status = notes_.Call(context, kGetClosingObstacles, question, answer);
  if (absl::IsNotFound(status)) return absl::OkStatus();  // no case, nothing in the way
  if (!status.ok()) {
    return errors::Unavailable("PEER_UNAVAILABLE",
                               "The notes service could not be asked what stands in the way of the "
                               "ending; nothing changed. Repeat later, or give a close reason.",
                               "notes");
  }
  std::set<std::string> kinds;
  for (const notes::v1::ClosingObstacle& obstacle : answer.obstacles()) {
    if (obstacle.kind() == notes::v1::CLOSING_OBSTACLE_KIND_TERMINATION_TASK_OPEN) continue;
    kinds.insert(notes::v1::ClosingObstacleKind_Name(obstacle.kind()));
  }
  if (kinds.empty()) return absl::OkStatus();
  return errors::FailedPrecondition("CLOSING_OBSTACLES",
                                    "Something in the case stands in the way of the ending; the "
                                    "kinds are in the metadata. Settle "
                                    "it in the notes service, or give a close reason.",
                                    {{"obstacles", absl::StrJoin(kinds, ",")}});
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
  RETURN_IF_ERROR(RequireTreating(
      ViewOf(context, scope, before.sees_to, before.resource.clinic(), before.supervises)));
  const bool assessing = before.resource.state() == v1::COURSE_STATE_ASSESSING;
  if (assessing) {
    RETURN_IF_ERROR(call::CheckEtag(request.etag(), before.version));
    RETURN_IF_ERROR(RequireSuitability(context, request.name()));
  }
  return Transition(context, request, Sessions::kKeep, [&](Step& step) -> absl::Status {
    RETURN_IF_ERROR(scheduling::ActivateCourse(step.course(), context.now));
    if (!assessing || step.row.version != before.version) {
      return errors::StaleEtag(call::Etag(step.row.version));
    }
    // Opened again since notes was asked.
    ASSIGN_OR_RETURN(const bool reopened, store::DeterminationReopened(step.tx(), request.name()));
    SetSuitabilityReviewDue(step.course(), reopened);
    return absl::OkStatus();
  });
}

absl::StatusOr<v1::Course> CourseHandlers::PauseCourse(const call::CallContext& context,
                                                       const v1::PauseCourseRequest& request) {
  return Transition(context, request, Of(request.future_appointments()),
                    [&](Step& step) -> absl::Status {
                      ASSIGN_OR_RETURN(const absl::CivilDay today, step.Today());
                      return scheduling::PauseCourse(step.course(), request.reason(),
                                                     request.return_date(), today);
                    });
}

absl::StatusOr<v1::Course> CourseHandlers::ResumeCourse(const call::CallContext& context,
                                                        const v1::ResumeCourseRequest& request) {
  return Transition(context, request, Sessions::kKeep,
                    [](Step& step) { return scheduling::ResumeCourse(step.course()); });
}

absl::StatusOr<v1::Course> CourseHandlers::SwitchProtocol(
    const call::CallContext& context, const v1::SwitchProtocolRequest& request) {
  const bool restarted = request.counter() == v1::SESSION_COUNTER_RESTARTED;
  const ProtocolChange how{request.reason(), request.counter(), request.planned_sessions(),
                           request.age_override_reason()};
  return Transition(
      context, request, restarted ? Sessions::kJoinSegment : Sessions::kKeep,
      [&](Step& step) -> absl::Status {
        ASSIGN_OR_RETURN(auto to, KnownProtocol(step.tx(), protocols_, request.protocol()));
        ASSIGN_OR_RETURN(const Parties parties, PartiesOf(step.change, step.tx(), step.course()));
        ASSIGN_OR_RETURN(const Standing standing,
                         store::ListStanding(step.tx(), request.name(), context.now));
        RETURN_IF_ERROR(scheduling::SwitchProtocol(step.course(), how, *step.protocol,
                                                   parties.Under(*to), step.row.sessions,
                                                   Counted(standing, *to), context.now));
        step.protocol = std::move(to);
        return absl::OkStatus();
      });
}

absl::StatusOr<v1::Course> CourseHandlers::DeclarePhase(const call::CallContext& context,
                                                        const v1::DeclarePhaseRequest& request) {
  return Transition(context, request, Sessions::kKeep, [&](Step& step) {
    return scheduling::DeclarePhase(step.course(), request.phase(), *step.protocol,
                                    step.row.sessions.used, context.now);
  });
}

absl::StatusOr<v1::Course> CourseHandlers::ExtendCourse(const call::CallContext& context,
                                                        const v1::ExtendCourseRequest& request) {
  return Transition(context, request, Sessions::kKeep, [&](Step& step) {
    return scheduling::ExtendCourse(step.course(), request.sessions(), request.weeks(),
                                    request.reason(), *step.protocol, context.now);
  });
}

absl::StatusOr<std::optional<v1::Appointment>> CourseHandlers::HoldInstead(
    Act& act, const v1::Course& course, const v1::Clinic& clinic, const v1::Appointment& session,
    absl::Time until) const {
  if (nearest_ == nullptr) return std::nullopt;
  ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(clinic.time_zone()));
  const absl::Time was = time::ToTime(session.start_time());
  SessionAsk ask;
  ask.minutes = static_cast<int>((time::ToTime(session.end_time()) - was) / absl::Minutes(1));
  ask.modality = session.modality();
  ask.telehealth_uri = session.telehealth_uri();
  for (const v1::Participant& participant : session.participants()) {
    if (!participant.person().empty() && participant.person() == course.partner()) continue;
    v1::Participant& asked = ask.participants.emplace_back(participant);
    asked.clear_attendance();
  }
  if (!session.room().empty()) {
    ask.room_need.set_capacity(2 + session.participants_size());
  }
  if (session.private_session()) ask.private_with = session.patient();

  // The nearest time first; where it can't be held after all, those around the days beside it.
  std::set<absl::Time> tried;
  for (int step = 0; step <= 2 * kOfferDays && tried.size() < kOfferTries; ++step) {
    const int days = step % 2 == 1 ? (step + 1) / 2 : -step / 2;
    const absl::Time around = was + absl::Hours(24 * days);
    const std::optional<absl::Time> start =
        nearest_(course.clinician(), course.clinic(), around, ask.minutes);
    if (!start || absl::AbsDuration(*start - was) > absl::Hours(24 * kOfferDays) ||
        !tried.insert(*start).second) {
      continue;
    }
    const absl::CivilMinute local = absl::ToCivilMinute(*start, zone);
    ask.date = absl::CivilDay(local);
    ask.minute_of_day = local.hour() * 60 + local.minute();
    BookingAsk booking;
    booking.course = course.name();
    booking.sessions.push_back(ask);
    booking.hold_until = until;
    absl::StatusOr<std::vector<v1::Appointment>> held = booker_.Book(act, booking);
    if (held.ok()) return std::move(held->front());
    if (!absl::IsFailedPrecondition(held.status())) return held.status();
  }
  return std::nullopt;
}

absl::Status CourseHandlers::HandOver(Act& act, const Step& step, const v1::Clinic& clinic,
                                      const v1::TransferCourseRequest& request,
                                      const Standing& standing,
                                      v1::TransferCourseResponse& response) const {
  const v1::Course& course = step.course();
  const std::string& from = course.transfers().rbegin()->from_clinician();
  ASSIGN_OR_RETURN(auto organization, store::GetOrganization(act.tx(), act.organization_id()));
  v1::OrganizationSettings& settings = *organization.resource.mutable_settings();
  FillDefaults(settings);
  const absl::Time until = act.now() + time::ToDuration(settings.offer_time());
  for (const auto& [session, version] : standing) {
    if (session.clinician() != from || !session.group_session().empty()) continue;
    if (session.state() == v1::APPOINTMENT_STATE_HELD) {
      if (!session.waitlist_entry().empty()) continue;  // ends with its offer
      RETURN_IF_ERROR(
          booker_.Release(act, session.name(), v1::APPOINTMENT_STATE_RELEASED, "").status());
      continue;
    }
    MoveAsk move;
    move.appointment = session.name();
    move.date = time::ToCivilDay(session.local_date());
    move.minute_of_day = time::ToMinutes(session.local_time());
    move.clinician = course.clinician();
    absl::StatusOr<std::vector<v1::Appointment>> moved = booker_.Move(act, move);
    if (moved.ok()) {
      *response.add_moved() = std::move(moved->front());
      continue;
    }
    if (!absl::IsFailedPrecondition(moved.status())) return moved.status();
    const std::string reason = errors::Reason(moved.status());
    // Of a paused course no session can be moved or held.
    if (request.sessions() == v1::TRANSFER_SESSIONS_MOVE || reason == "COURSE_STATE") {
      return errors::FailedPrecondition(
          "TRANSFER_BLOCKED",
          "A session to come does not fit the new clinician; choose another, or let other times be "
          "offered.",
          {{"date", absl::FormatCivilTime(move.date)}, {"reason", reason}});
    }
    ASSIGN_OR_RETURN(v1::Appointment cancelled,
                     booker_.Cancel(act, session.name(), v1::CANCEL_REASON_TRANSFER, ""));
    ASSIGN_OR_RETURN(auto held, HoldInstead(act, course, clinic, session, until));
    *(held ? response.add_offered() : response.add_unplaced()) =
        held ? *std::move(held) : std::move(cancelled);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::TransferCourseResponse> CourseHandlers::ReadTransfer(
    sql::Session& session, const call::CallContext& context, absl::string_view name) const {
  // Who gave it away may no longer know it, but knows that it went.
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(session, name, scope));
  View view = ViewOf(context, scope, row.sees_to, row.resource.clinic(), row.supervises);
  if (view == View::kNone) view = View::kTimes;
  v1::TransferCourseResponse response;
  ASSIGN_OR_RETURN(auto standing, store::ListStanding(session, name, context.now));
  for (auto& [appointment, version] : standing) {
    if (appointment.clinician() != row.resource.clinician()) continue;
    const bool held = appointment.state() == v1::APPOINTMENT_STATE_HELD;
    if (view == View::kTimes) KeepTimes(appointment);
    *(held ? response.add_offered() : response.add_moved()) = std::move(appointment);
  }
  ASSIGN_OR_RETURN(*response.mutable_course(), ShowOne(session, protocols_, std::move(row), view));
  return response;
}

absl::StatusOr<v1::TransferCourseResponse> CourseHandlers::TransferCourse(
    const call::CallContext& context, const v1::TransferCourseRequest& request) {
  auto transferred = call::Mutate<v1::TransferCourseResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadTransfer(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::TransferCourseResponse> {
        sql::Transaction& tx = change.tx();
        const store::Scope scope = ScopeOf(context);
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(store::CourseRow row, store::GetCourse(tx, request.name(), scope));
        const View view =
            ViewOf(context, scope, row.sees_to, row.resource.clinic(), row.supervises);
        const bool manages = Manages(context, scope, row.resource.clinic());
        if (!manages) RETURN_IF_ERROR(RequireTreating(view));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), row.version));
        RETURN_IF_ERROR(RequireOverride(request.caseload_override_reason(), manages));
        ASSIGN_OR_RETURN(auto protocol, ProtocolOf(tx, protocols_, row.resource));
        ASSIGN_OR_RETURN(Parties parties, PartiesOf(change, tx, row.resource));
        tx.Lock({request.clinician()});
        ASSIGN_OR_RETURN(auto clinician, KnownClinician(tx, request.clinician()));
        parties.clinician = std::move(clinician.resource);
        ASSIGN_OR_RETURN(parties.open_courses, store::CountOpenCourses(tx, request.clinician()));

        Step step{change, row, std::move(protocol)};
        RETURN_IF_ERROR(scheduling::TransferCourse(row.resource, request.reason(),
                                                   request.caseload_override_reason(),
                                                   parties.Under(*step.protocol), context.now));
        RETURN_IF_ERROR(Write(step));
        store::DeferFollowCourse(tx, row.resource);  // who waits, waits for the new clinician
        ASSIGN_OR_RETURN(const Standing standing,
                         store::ListStanding(tx, request.name(), context.now));
        v1::TransferCourseResponse response;
        Act act = Act::Allowed(change);
        RETURN_IF_ERROR(HandOver(act, step, parties.clinic, request, standing, response));
        if (view == View::kTimes) {
          for (auto* sessions : {response.mutable_moved(), response.mutable_offered(),
                                 response.mutable_unplaced()}) {
            for (v1::Appointment& appointment : *sessions) KeepTimes(appointment);
          }
        }
        ASSIGN_OR_RETURN(*response.mutable_course(),
                         ShowChanged(tx, context, protocols_, request.name(), view));
        return response;
      });
  if (!transferred.ok()) return ExplainOverlap(transferred.status());
  return transferred;
}

absl::StatusOr<v1::Course> CourseHandlers::BeginMaintenance(
    const call::CallContext& context, const v1::BeginMaintenanceRequest& request) {
  const bool cancel = request.future_appointments() == v1::FUTURE_APPOINTMENTS_CANCEL;
  return Transition(
      context, request, cancel ? Sessions::kCancel : Sessions::kJoinSegment,
      [&](Step& step) -> absl::Status {
        ASSIGN_OR_RETURN(const absl::CivilDay today, step.Today());
        int to_come = 0;
        if (!cancel) {
          ASSIGN_OR_RETURN(const Standing standing,
                           store::ListStanding(step.tx(), request.name(), context.now));
          to_come = Counted(standing, *step.protocol);
        }
        return scheduling::BeginMaintenance(step.course(), request.contract(), *step.protocol,
                                            step.row.sessions, to_come, today);
      });
}

absl::StatusOr<v1::Course> CourseHandlers::AnnounceEnding(
    const call::CallContext& context, const v1::AnnounceEndingRequest& request) {
  return Transition(context, request, Sessions::kKeep, [&](Step& step) -> absl::Status {
    ASSIGN_OR_RETURN(const absl::CivilDay today, step.Today());
    return scheduling::AnnounceEnding(step.course(), request.date(), today);
  });
}

absl::StatusOr<v1::Course> CourseHandlers::CompleteCourse(
    const call::CallContext& context, const v1::CompleteCourseRequest& request) {
  // Notes is asked outside of the transaction, about a course that can end; whether it may end at
  // all, or has ended by this very request, the transaction tells.
  if (request.close_reason() == v1::CLOSE_REASON_UNSPECIFIED) {
    const store::Scope scope = ScopeOf(context);
    ASSIGN_OR_RETURN(const store::CourseRow before,
                     call::Read<store::CourseRow>(database_, context, [&](sql::Session& session) {
                       return store::GetCourse(session, request.name(), scope);
                     }));
    RETURN_IF_ERROR(RequireTreating(
        ViewOf(context, scope, before.sees_to, before.resource.clinic(), before.supervises)));
    const v1::CourseState state = before.resource.state();
    if (state == v1::COURSE_STATE_ACTIVE || state == v1::COURSE_STATE_MAINTENANCE) {
      RETURN_IF_ERROR(call::CheckEtag(request.etag(), before.version));
      RETURN_IF_ERROR(RequireClosable(context, request.name()));
    }
  }
  return Transition(context, Target{request.name(), request.etag(), request.request_id(), true},
                    Of(request.future_appointments()), [&](Step& step) {
                      return scheduling::CompleteCourse(step.course(), step.row.sessions.held,
                                                        *step.protocol, request.referral(),
                                                        request.close_reason(), context.now);
                    });
}

absl::StatusOr<v1::Course> CourseHandlers::DiscontinueCourse(
    const call::CallContext& context, const v1::DiscontinueCourseRequest& request) {
  return Transition(context, Target{request.name(), request.etag(), request.request_id(), true},
                    Of(request.future_appointments()), [&](Step& step) {
                      return scheduling::DiscontinueCourse(step.course(), request.reason(),
                                                           request.referral(), context.now);
                    });
}

}  // namespace rapport::scheduling
