#include "services/notes/rpc/supervision_handlers.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "google/protobuf/util/json_util.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/notes/data/fidelity/fidelity_rules.h"
#include "services/notes/domain/canonical.h"
#include "services/notes/domain/fidelity.h"
#include "services/notes/domain/phases.h"
#include "services/notes/domain/sampling.h"
#include "services/notes/domain/supervision.h"
#include "services/notes/rpc/fidelity_record.h"
#include "services/notes/rpc/signing.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/fidelity_store.h"
#include "services/notes/store/supervision_caseload.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

constexpr size_t kMaxCoursesAsked = 500;
constexpr int kMaxPage = 500;
constexpr size_t kSeedBytes = 32;
// Reckoning fidelity reads all of a case; of the cases of a portfolio it is told of so many.
constexpr int kMaxCasesReckoned = 20;

bool Has(const std::vector<std::string>& names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status NotTheSupervisor() {
  return errors::PermissionDenied("NOT_THE_SUPERVISOR",
                                  "Only who supervises the clinician now may do this.");
}

std::string Supervisee(absl::string_view name) {
  return names::InOrganization(names::OrganizationId(name), "clinicians",
                               names::Id(name, "clinicians"));
}

std::string CaseOf(absl::string_view name) {
  return names::InOrganization(names::OrganizationId(name), "cases", names::Id(name, "cases"));
}

absl::CivilDay Today(const CallContext& context) {
  return absl::ToCivilDay(context.now, absl::UTCTimeZone());
}

v1::SupervisionSessionEvent EventOf(const v1::SupervisionSession& session) {
  v1::SupervisionSessionEvent event;
  event.set_supervisor(session.supervisor());
  event.set_supervisee(Supervisee(session.name()));
  *event.mutable_start_time() = session.start_time();
  event.set_minutes(session.minutes());
  event.set_confirmed(session.has_confirm_time());
  event.set_voided(session.voided());
  return event;
}

v1::RecordingSelectionEvent EventOf(const v1::RecordingSelection& selection) {
  v1::RecordingSelectionEvent event;
  event.set_case_(CaseOf(selection.name()));
  event.set_count(selection.count());
  event.set_commitment(selection.commitment());
  event.set_drawn(selection.has_draw_time());
  return event;
}

// Tells of a recording; of one of a private session to the audit log alone.
void Tell(Change& change, const RecordingRecord& record, const std::string& stored) {
  const v1::SessionRecording& recording = record.resource;
  if (record.private_session) {
    change.SetResult(recording.name(), record.version);
    change.Audit(recording.name(), record.version, stored);
    return;
  }
  v1::RecordingEvent event;
  event.set_case_(CaseOf(recording.name()));
  event.set_appointment(recording.appointment());
  *event.mutable_retain_until_date() = recording.retain_until_date();
  event.set_consent_withdrawn(recording.has_withdraw_time());
  event.set_deleted(recording.has_delete_time());
  change.Record(recording.name(), record.version, event, stored);
}

// Leaves out the cases that the caller may not know of.
absl::Status HideCases(sql::Session& session, const CallContext& context, const care::Reach& reach,
                       const std::vector<v1::SupervisionSession*>& sessions) {
  std::vector<std::string> ids;
  for (const v1::SupervisionSession* each : sessions) {
    for (const v1::SupervisedCase& of : each->cases()) ids.emplace_back(names::Last(of.case_()));
  }
  if (ids.empty()) return absl::OkStatus();
  std::vector<std::string> clinicians = reach.clinicians;
  clinicians.insert(clinicians.end(), reach.supervised.begin(), reach.supervised.end());
  ASSIGN_OR_RETURN(const std::set<std::string> known,
                   CasesOf(session, context.organization_id, clinicians, ids));
  for (v1::SupervisionSession* each : sessions) {
    const int before = each->cases_size();
    auto& cases = *each->mutable_cases();
    cases.erase(std::remove_if(cases.begin(), cases.end(),
                               [&](const v1::SupervisedCase& of) {
                                 return known.count(std::string(names::Last(of.case_()))) == 0;
                               }),
                cases.end());
    each->set_cases_hidden(before - each->cases_size());
  }
  return absl::OkStatus();
}

// The mean, rounded half up.
class Mean {
 public:
  void Add(int value) {
    sum_ += value;
    ++count_;
  }
  bool empty() const { return count_ == 0; }
  int value() const { return (2 * sum_ + count_) / (2 * count_); }

 private:
  int sum_ = 0;
  int count_ = 0;
};

}  // namespace

void SupervisionHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.SupervisionService", this)
      .Unary("ListCaseload", &SupervisionHandlers::ListCaseload)
      .Unary("LogSupervisionSession", &SupervisionHandlers::LogSupervisionSession)
      .Unary("ConfirmSupervisionSession", &SupervisionHandlers::ConfirmSupervisionSession)
      .Unary("VoidSupervisionSession", &SupervisionHandlers::VoidSupervisionSession)
      .Unary("GetSupervisionSession", &SupervisionHandlers::GetSupervisionSession)
      .Unary("ListSupervisionSessions", &SupervisionHandlers::ListSupervisionSessions)
      .Unary("RegisterRecording", &SupervisionHandlers::RegisterRecording)
      .Unary("WithdrawRecordingConsent", &SupervisionHandlers::WithdrawRecordingConsent)
      .Unary("ConfirmRecordingDeletion", &SupervisionHandlers::ConfirmRecordingDeletion)
      .Unary("GetRecording", &SupervisionHandlers::GetRecording)
      .Unary("ListRecordings", &SupervisionHandlers::ListRecordings)
      .Unary("CommitRecordingSelection", &SupervisionHandlers::CommitRecordingSelection)
      .Unary("DrawRecordingSelection", &SupervisionHandlers::DrawRecordingSelection)
      .Unary("GetRecordingSelection", &SupervisionHandlers::GetRecordingSelection)
      .Unary("ListRecordingSelections", &SupervisionHandlers::ListRecordingSelections)
      .Unary("GetPortfolio", &SupervisionHandlers::GetPortfolio)
      .Unary("ExportPortfolio", &SupervisionHandlers::ExportPortfolio);
}

absl::StatusOr<care::Reach> SupervisionHandlers::RequireReach(sql::Session& session,
                                                              const CallContext& context) const {
  ASSIGN_OR_RETURN(care::Reach reach, access_.ReachOf(session, context));
  if (!reach.supervised.empty() || reach.clinician.empty()) return reach;
  ASSIGN_OR_RETURN(const care::Reach as_known, care::ReachOf(session, context));
  if (as_known.supervised.empty()) return reach;
  return errors::Unavailable("CARE_RELATIONS_STALE",
                             "It is not known whether the caller still supervises, as scheduling "
                             "has not been heard of for a minute. Repeat the call.",
                             "scheduling");
}

absl::StatusOr<CaseAccess> SupervisionHandlers::RequireKnownCase(sql::Session& session,
                                                                 const CallContext& context,
                                                                 absl::string_view name,
                                                                 absl::string_view type) const {
  ASSIGN_OR_RETURN(CaseAccess access, access_.RequireCase(session, context, name, type));
  if (!access.break_glass.empty()) return errors::NotFound(type);
  return access;
}

absl::StatusOr<CaseAccess> SupervisionHandlers::RequireSupervisedCase(
    sql::Session& session, const CallContext& context, absl::string_view name,
    absl::string_view type) const {
  ASSIGN_OR_RETURN(CaseAccess access, RequireKnownCase(session, context, name, type));
  ASSIGN_OR_RETURN(const care::Reach reach, RequireReach(session, context));
  if (!Has(reach.supervised, access.course.state.clinician())) return NotTheSupervisor();
  return access;
}

bool SupervisionHandlers::AskNeeds(const CallContext& context,
                                   const std::vector<std::string>& courses,
                                   std::map<std::string, assessment::v1::CourseNeeds>& needs) {
  for (size_t first = 0; first < courses.size(); first += kMaxCoursesAsked) {
    assessment::v1::GetCourseNeedsRequest ask;
    ask.set_parent(names::Organization(context.organization_id));
    for (size_t i = first; i < std::min(courses.size(), first + kMaxCoursesAsked); ++i) {
      ask.add_courses(courses[i]);
    }
    const auto answer = assessment_.Call<assessment::v1::GetCourseNeedsResponse>(
        context, "rapport.assessment.v1.CaseloadService/GetCourseNeeds", ask);
    if (!answer.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "caseload without what assessment tells",
                     {{"code", absl::StatusCodeToString(answer.status().code())},
                      {"reason", errors::Reason(answer.status())}});
      needs.clear();
      return false;
    }
    for (const assessment::v1::CourseNeeds& each : answer->courses()) {
      needs[each.course()] = each;
    }
  }
  return true;
}

absl::StatusOr<v1::ListCaseloadResponse> SupervisionHandlers::ListCaseload(
    const CallContext& context, const v1::ListCaseloadRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  std::vector<v1::CaseloadItem> items;
  std::vector<std::string> courses;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Tenant(context.organization_id), context.deadline,
      [&](sql::Session& session) -> absl::Status {
        items.clear();
        courses.clear();
        const std::string& organization = context.organization_id;
        ASSIGN_OR_RETURN(const care::Reach reach, RequireReach(session, context));
        std::vector<std::string> supervised = reach.supervised;
        if (!request.clinician().empty()) {
          const bool of = Has(supervised, request.clinician());
          supervised.clear();
          if (of) supervised.push_back(request.clinician());
        }
        if (supervised.empty()) return absl::OkStatus();
        ASSIGN_OR_RETURN(const care::OrganizationFacts facts,
                         care::GetOrganization(session, names::Organization(organization)));
        const absl::Duration allowed =
            NoteDueTime(facts.state, absl::UnixEpoch()) - absl::UnixEpoch();
        ASSIGN_OR_RETURN(const std::vector<CaseloadRow> rows,
                         ListCaseloadRows(session, organization, supervised));
        ASSIGN_OR_RETURN(auto sessions,
                         CountSessions(session, organization, supervised, context.now - allowed));
        ASSIGN_OR_RETURN(auto awaiting, CountAwaitingCosign(session, organization, supervised));
        ASSIGN_OR_RETURN(auto last, LastSupervised(session, organization, supervised));
        for (const CaseloadRow& row : rows) {
          const bool ended = HasEnded(row.course.state());
          if (ended && !request.show_ended()) continue;
          v1::CaseloadItem& item = items.emplace_back();
          item.set_case_(names::InOrganization(organization, "cases", row.case_id));
          item.set_course(names::InOrganization(organization, "courses", row.case_id));
          item.set_clinician(row.clinician);
          item.set_planned_sessions(row.course.planned_sessions());
          item.set_ended(ended);
          courses.push_back(item.course());
          const SessionCounts& counts = sessions[row.case_id];
          item.set_sessions_held(counts.held);
          if (!ended && !row.formulation && row.formulation_due_session > 0 &&
              counts.held >= row.formulation_due_session) {
            AddNeed(item, v1::CASE_NEED_KIND_FORMULATION_OVERDUE, 1);
          }
          AddNeed(item, v1::CASE_NEED_KIND_NOTE_OVERDUE, counts.overdue,
                  counts.overdue_since.value_or(absl::InfinitePast()));
          AddNeed(item, v1::CASE_NEED_KIND_NOTE_UNSIGNED, counts.waiting,
                  counts.waiting_since.value_or(absl::InfinitePast()));
          if (const auto found = awaiting.find(row.case_id); found != awaiting.end()) {
            AddNeed(item, v1::CASE_NEED_KIND_COSIGNATURE, found->second.count, found->second.since);
          }
          if (const auto found = last.find(row.case_id); found != last.end()) {
            *item.mutable_last_supervised_time() = time::ToTimestamp(found->second);
          }
        }
        return absl::OkStatus();
      }));

  v1::ListCaseloadResponse response;
  std::map<std::string, assessment::v1::CourseNeeds> needs;
  if (!AskNeeds(context, courses, needs)) {
    response.add_unavailable_sources(std::string(assessment_.name()));
  }
  for (v1::CaseloadItem& item : items) {
    if (const auto told = needs.find(item.course()); told != needs.end()) {
      AddAssessedNeeds(told->second, item);
    }
    WeighNeeds(ShippedSupervisionRules(), item);
  }
  if (request.with_needs()) {
    items.erase(std::remove_if(items.begin(), items.end(),
                               [](const v1::CaseloadItem& item) { return item.needs().empty(); }),
                items.end());
  }
  std::sort(items.begin(), items.end(), ComesBefore);

  auto from = items.begin();
  if (!page.after.empty()) {
    const auto [weight, name] = call::SplitKey(page.after);
    v1::CaseloadItem last;
    int32_t number = 0;
    if (!absl::SimpleAtoi(weight, &number)) {
      return errors::InvalidArgument("page_token", "is not one of this list");
    }
    last.set_need_weight(number);
    last.set_case_(name);
    from = std::upper_bound(items.begin(), items.end(), last, ComesBefore);
  }
  for (; from != items.end() && response.items_size() < page.size; ++from) {
    *response.add_items() = std::move(*from);
  }
  if (from != items.end()) {
    const v1::CaseloadItem& last = *response.items().rbegin();
    response.set_next_page_token(call::NextPageToken(
        context, call::JoinKey(absl::StrCat(last.need_weight()), last.case_())));
  }
  return response;
}

absl::StatusOr<SupervisionRecord> SupervisionHandlers::ReadSession(sql::Session& session,
                                                                   const CallContext& context,
                                                                   absl::string_view name) const {
  ASSIGN_OR_RETURN(SupervisionRecord record, GetSupervision(session, vault_, name));
  ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
  const std::string supervisee = Supervisee(name);
  if (reach.clinician.empty() ||
      (reach.clinician != supervisee && reach.clinician != record.resource.supervisor() &&
       !Has(reach.supervised, supervisee))) {
    return errors::NotFound("SupervisionSession");
  }
  RETURN_IF_ERROR(HideCases(session, context, reach, {&record.resource}));
  return record;
}

absl::StatusOr<v1::SupervisionSession> SupervisionHandlers::LogSupervisionSession(
    const CallContext& context, const v1::LogSupervisionSessionRequest& request) {
  return call::Mutate<v1::SupervisionSession>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::SupervisionSession> {
        ASSIGN_OR_RETURN(SupervisionRecord record, ReadSession(session, context, name));
        return std::move(record.resource);
      },
      [&](Change& change) -> absl::StatusOr<v1::SupervisionSession> {
        sql::Transaction& tx = change.tx();
        const std::string& supervisee = request.parent();
        v1::SupervisionSession session = request.supervision_session();
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(tx, context));
        if (reach.clinician.empty() ||
            (reach.clinician != supervisee && reach.clinician != session.supervisor())) {
          return errors::PermissionDenied("NOT_OF_THE_PAIR",
                                          "Either of the two logs a session of supervision.");
        }
        RETURN_IF_ERROR(CheckSupervisionSession(session, supervisee, context.now));
        ASSIGN_OR_RETURN(const std::vector<care::Pair> pairs, care::PairsOf(tx, supervisee));
        if (std::none_of(pairs.begin(), pairs.end(), [&](const care::Pair& pair) {
              return pair.supervisor == session.supervisor() &&
                     pair.InForceAt(time::ToTime(session.start_time()));
            })) {
          return errors::FailedPrecondition("NOT_SUPERVISED",
                                            "No pair of these two was in force at that time.");
        }

        std::vector<std::string> case_ids, appointments, subjects;
        for (const v1::SupervisedCase& of : session.cases()) {
          case_ids.emplace_back(names::Last(of.case_()));
          appointments.insert(appointments.end(), of.appointments().begin(),
                              of.appointments().end());
        }
        // What the caller may not know of is no case of the supervisee.
        std::map<std::string, std::string> known;
        if (!case_ids.empty() &&
            (reach.clinician == supervisee || Has(reach.supervised, supervisee))) {
          ASSIGN_OR_RETURN(known,
                           SubjectsOfCases(tx, context.organization_id, supervisee, case_ids));
        }
        std::map<std::string, std::string> held;
        if (!appointments.empty()) {
          ASSIGN_OR_RETURN(held, CasesOfHeldSessions(tx, context.organization_id, appointments));
        }
        for (int i = 0; i < session.cases_size(); ++i) {
          const std::string at = absl::StrCat("supervision_session.cases[", i, "]");
          const std::string& id = case_ids[static_cast<size_t>(i)];
          const auto subject = known.find(id);
          if (subject == known.end()) {
            return errors::InvalidArgument(absl::StrCat(at, ".case"),
                                           "must be a case of the supervisee");
          }
          subjects.push_back(subject->second);
          for (const std::string& appointment : session.cases(i).appointments()) {
            const auto found = held.find(appointment);
            if (found == held.end() || found->second != id) {
              return errors::InvalidArgument(absl::StrCat(at, ".appointments"),
                                             "must be held sessions of the case");
            }
          }
        }

        session.set_name(absl::StrCat(supervisee, "/supervisionSessions/", ids::NewUlid()));
        session.set_logged_by(reach.clinician);
        *session.mutable_create_time() = time::ToTimestamp(context.now);
        session.clear_confirm_time();
        session.clear_voided();
        session.clear_void_reason();
        session.clear_cases_hidden();
        ASSIGN_OR_RETURN(const std::vector<std::string> stored,
                         InsertSupervision(tx, vault_, session, subjects));
        change.Record(session.name(), 1, EventOf(session), stored[0]);
        for (int i = 0; i < session.cases_size(); ++i) {
          change.Audit(SupervisedCaseName(session.name(), session.cases(i).case_()), 1,
                       stored[static_cast<size_t>(i) + 1]);
        }
        return session;
      });
}

absl::StatusOr<v1::SupervisionSession> SupervisionHandlers::ConfirmSupervisionSession(
    const CallContext& context, const v1::ConfirmSupervisionSessionRequest& request) {
  const auto read = [&](sql::Session& session,
                        absl::string_view name) -> absl::StatusOr<v1::SupervisionSession> {
    ASSIGN_OR_RETURN(SupervisionRecord record, ReadSession(session, context, name));
    return std::move(record.resource);
  };
  return call::Mutate<v1::SupervisionSession>(
      database_, context, request.request_id(), read,
      [&](Change& change) -> absl::StatusOr<v1::SupervisionSession> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(SupervisionRecord record, ReadSession(tx, context, request.name()));
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(tx, context));
        v1::SupervisionSession& session = record.resource;
        const bool of_the_pair = reach.clinician == Supervisee(session.name()) ||
                                 reach.clinician == session.supervisor();
        if (!of_the_pair || reach.clinician == session.logged_by()) {
          return errors::PermissionDenied("NOT_THE_OTHER",
                                          "The other of the two confirms what one has logged.");
        }
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), record.version));
        if (session.voided()) {
          return errors::FailedPrecondition("SUPERVISION_VOIDED", "It was logged in error.");
        }
        if (session.has_confirm_time()) {
          return errors::FailedPrecondition("SUPERVISION_CONFIRMED", "It is confirmed already.");
        }
        RETURN_IF_ERROR(ConfirmSupervision(tx, record, context.now));
        change.Record(session.name(), record.version, EventOf(session));
        return std::move(session);
      });
}

absl::StatusOr<v1::SupervisionSession> SupervisionHandlers::VoidSupervisionSession(
    const CallContext& context, const v1::VoidSupervisionSessionRequest& request) {
  const auto read = [&](sql::Session& session,
                        absl::string_view name) -> absl::StatusOr<v1::SupervisionSession> {
    ASSIGN_OR_RETURN(SupervisionRecord record, ReadSession(session, context, name));
    return std::move(record.resource);
  };
  return call::Mutate<v1::SupervisionSession>(
      database_, context, request.request_id(), read,
      [&](Change& change) -> absl::StatusOr<v1::SupervisionSession> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(SupervisionRecord record, ReadSession(tx, context, request.name()));
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(tx, context));
        v1::SupervisionSession& session = record.resource;
        const bool before =
            !session.has_confirm_time() && reach.clinician == Supervisee(session.name());
        if (reach.clinician != session.supervisor() && !before) return NotTheSupervisor();
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), record.version));
        if (session.voided()) {
          return errors::FailedPrecondition("SUPERVISION_VOIDED", "It is voided already.");
        }
        ASSIGN_OR_RETURN(const std::string stored,
                         VoidSupervision(tx, vault_, record, request.reason(), context.now));
        change.Record(session.name(), record.version, EventOf(session), stored);
        return std::move(session);
      });
}

absl::StatusOr<v1::SupervisionSession> SupervisionHandlers::GetSupervisionSession(
    const CallContext& context, const v1::GetSupervisionSessionRequest& request) {
  return call::Read<v1::SupervisionSession>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::SupervisionSession> {
        ASSIGN_OR_RETURN(SupervisionRecord record, ReadSession(session, context, request.name()));
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::ListSupervisionSessionsResponse> SupervisionHandlers::ListSupervisionSessions(
    const CallContext& context, const v1::ListSupervisionSessionsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListSupervisionSessionsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListSupervisionSessionsResponse> {
        v1::ListSupervisionSessionsResponse response;
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        if (reach.clinician.empty()) return response;
        const bool whole =
            reach.clinician == request.parent() || Has(reach.supervised, request.parent());
        ASSIGN_OR_RETURN(
            Listed<v1::SupervisionSession> listed,
            ListSupervision(session, vault_, request.parent(), whole ? "" : reach.clinician, page));
        std::vector<v1::SupervisionSession*> told;
        for (v1::SupervisionSession& each : listed.items) {
          *response.add_supervision_sessions() = std::move(each);
          told.push_back(&*response.mutable_supervision_sessions()->rbegin());
        }
        RETURN_IF_ERROR(HideCases(session, context, reach, told));
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::SessionRecording> SupervisionHandlers::RegisterRecording(
    const CallContext& context, const v1::RegisterRecordingRequest& request) {
  return call::Mutate<v1::SessionRecording>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::SessionRecording> {
        RETURN_IF_ERROR(RequireKnownCase(session, context, name, "SessionRecording").status());
        ASSIGN_OR_RETURN(RecordingRecord record, notes::GetRecording(session, vault_, name));
        record.resource.set_state(StateOf(record.resource, Today(context)));
        return std::move(record.resource);
      },
      [&](Change& change) -> absl::StatusOr<v1::SessionRecording> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        const v1::SessionRecording& asked = request.recording();
        ASSIGN_OR_RETURN(const care::AppointmentFacts appointment,
                         care::GetAppointment(tx, asked.appointment()));
        if (appointment.state.course() != access.course.course) {
          return errors::NotFound("Appointment");
        }
        if (appointment.state.clinician() != access.clinician) return care::NotTheTherapist();
        if (!IsHeld(appointment.state.state())) {
          return errors::FailedPrecondition("APPOINTMENT_NOT_HELD",
                                            "The session was neither checked in nor completed.");
        }

        RecordingRecord record;
        record.private_session = appointment.state.private_session();
        RecordedSession session;
        const scheduling::v1::CourseEvent& course = access.course.state;
        if (record.private_session) {
          session.patients = {appointment.state.patient()};
        } else {
          session.patients = {course.patient()};
          if (!course.partner().empty()) session.patients.push_back(course.partner());
        }
        ASSIGN_OR_RETURN(
            const care::Settings settings,
            care::GetSettings(tx, names::Organization(context.organization_id), course.clinic()));
        const auto zone = time::LoadZone(settings.clinic.time_zone());
        session.day =
            absl::ToCivilDay(appointment.start(), zone.ok() ? *zone : absl::UTCTimeZone());
        session.retention_max_days = ShippedSupervisionRules().recording_retention_max_days();
        RETURN_IF_ERROR(CheckRecording(asked, session));

        v1::SessionRecording& recording = record.resource;
        recording.set_name(absl::StrCat(access.name, "/recordings/", ids::NewUlid()));
        recording.set_appointment(asked.appointment());
        recording.set_session_number(appointment.session_number);
        recording.set_clinician(access.clinician);
        recording.set_medium(asked.medium());
        *recording.mutable_consents() = asked.consents();
        recording.set_location(asked.location());
        *recording.mutable_retain_until_date() = asked.retain_until_date();
        *recording.mutable_create_time() = time::ToTimestamp(context.now);
        const std::string subject =
            session.patients.size() == 1 ? session.patients[0] : access.name;
        ASSIGN_OR_RETURN(const std::string stored, InsertRecording(tx, vault_, subject, record));
        recording.set_state(StateOf(recording, Today(context)));
        Tell(change, record, stored);
        return std::move(recording);
      });
}

absl::StatusOr<v1::SessionRecording> SupervisionHandlers::ChangeRecording(
    const CallContext& context, const std::string& request_id, const std::string& name,
    const std::string& etag,
    absl::FunctionRef<absl::Status(const CaseAccess&, v1::SessionRecording&)> edit) {
  return call::Mutate<v1::SessionRecording>(
      database_, context, request_id,
      [&](sql::Session& session, absl::string_view) -> absl::StatusOr<v1::SessionRecording> {
        RETURN_IF_ERROR(RequireKnownCase(session, context, name, "SessionRecording").status());
        ASSIGN_OR_RETURN(RecordingRecord record, notes::GetRecording(session, vault_, name));
        record.resource.set_state(StateOf(record.resource, Today(context)));
        return std::move(record.resource);
      },
      [&](Change& change) -> absl::StatusOr<v1::SessionRecording> {
        sql::Transaction& tx = change.tx();
        tx.Lock({name});
        RETURN_IF_ERROR(RequireKnownCase(tx, context, name, "SessionRecording").status());
        ASSIGN_OR_RETURN(RecordingRecord record, notes::GetRecording(tx, vault_, name));
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, name, "SessionRecording"));
        RETURN_IF_ERROR(call::CheckEtag(etag, record.version));
        if (record.resource.has_delete_time()) {
          return errors::FailedPrecondition("RECORDING_DELETED",
                                            "The deletion of the recording is confirmed.");
        }
        RETURN_IF_ERROR(edit(access, record.resource));
        RETURN_IF_ERROR(UpdateRecording(tx, record));
        record.resource.set_state(StateOf(record.resource, Today(context)));
        Tell(change, record, "");
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::SessionRecording> SupervisionHandlers::WithdrawRecordingConsent(
    const CallContext& context, const v1::WithdrawRecordingConsentRequest& request) {
  return ChangeRecording(context, request.request_id(), request.name(), request.etag(),
                         [&](const CaseAccess&, v1::SessionRecording& recording) -> absl::Status {
                           if (recording.has_withdraw_time()) {
                             return errors::FailedPrecondition("CONSENT_WITHDRAWN",
                                                               "Consent was taken back already.");
                           }
                           *recording.mutable_withdraw_time() = time::ToTimestamp(context.now);
                           return absl::OkStatus();
                         });
}

absl::StatusOr<v1::SessionRecording> SupervisionHandlers::ConfirmRecordingDeletion(
    const CallContext& context, const v1::ConfirmRecordingDeletionRequest& request) {
  return ChangeRecording(
      context, request.request_id(), request.name(), request.etag(),
      [&](const CaseAccess& access, v1::SessionRecording& recording) -> absl::Status {
        *recording.mutable_delete_time() = time::ToTimestamp(context.now);
        recording.set_deleted_by(access.clinician);
        return absl::OkStatus();
      });
}

absl::StatusOr<v1::SessionRecording> SupervisionHandlers::GetRecording(
    const CallContext& context, const v1::GetRecordingRequest& request) {
  return call::Read<v1::SessionRecording>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::SessionRecording> {
        RETURN_IF_ERROR(
            RequireKnownCase(session, context, request.name(), "SessionRecording").status());
        ASSIGN_OR_RETURN(RecordingRecord record,
                         notes::GetRecording(session, vault_, request.name()));
        record.resource.set_state(StateOf(record.resource, Today(context)));
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::ListRecordingsResponse> SupervisionHandlers::ListRecordings(
    const CallContext& context, const v1::ListRecordingsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  RecordingQuery query{.organization_id = context.organization_id,
                       .case_id = std::string(names::Id(request.parent(), "cases")),
                       .clinicians = {},
                       .today = Today(context),
                       .due_for_deletion = request.due_for_deletion(),
                       .retain_until = std::nullopt};
  if (request.has_retain_until_date()) {
    RETURN_IF_ERROR(time::CheckDate(request.retain_until_date(), "retain_until_date"));
    query.retain_until = time::ToCivilDay(request.retain_until_date());
  }
  return call::Read<v1::ListRecordingsResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListRecordingsResponse> {
        v1::ListRecordingsResponse response;
        if (!query.case_id.empty()) {
          RETURN_IF_ERROR(RequireKnownCase(session, context, request.parent(), "Case").status());
        } else {
          ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
          query.clinicians = reach.clinicians;
          query.clinicians.insert(query.clinicians.end(), reach.supervised.begin(),
                                  reach.supervised.end());
        }
        ASSIGN_OR_RETURN(Listed<v1::SessionRecording> listed,
                         notes::ListRecordings(session, vault_, query, page));
        for (v1::SessionRecording& each : listed.items) {
          each.set_state(StateOf(each, query.today));
          *response.add_recordings() = std::move(each);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::RecordingSelection> SupervisionHandlers::ReadSelection(
    sql::Session& session, const CallContext& context, absl::string_view name) const {
  RETURN_IF_ERROR(RequireKnownCase(session, context, name, "RecordingSelection").status());
  ASSIGN_OR_RETURN(v1::RecordingSelection selection, GetSelection(session, name));
  selection.set_proof(ProofOf(selection));
  return selection;
}

absl::StatusOr<v1::RecordingSelection> SupervisionHandlers::CommitRecordingSelection(
    const CallContext& context, const v1::CommitRecordingSelectionRequest& request) {
  return call::Mutate<v1::RecordingSelection>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadSelection(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::RecordingSelection> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.parent()});
        ASSIGN_OR_RETURN(const CaseAccess access,
                         RequireSupervisedCase(tx, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(const std::string open,
                         OpenSelection(tx, context.organization_id, access.case_id));
        if (!open.empty()) {
          return errors::Conflict("SELECTION_OPEN",
                                  "There is a selection that was not drawn. Draw that first.",
                                  "RecordingSelection", open);
        }
        const std::string seed = RandomBytes(kSeedBytes);
        v1::RecordingSelection selection;
        selection.set_name(absl::StrCat(access.name, "/recordingSelections/", ids::NewUlid()));
        selection.set_count(request.count());
        selection.set_commitment(CommitmentTo(selection.name(), seed));
        selection.set_committed_by(access.clinician);
        *selection.mutable_commit_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::string stored, InsertSelection(tx, vault_, selection, seed));
        selection.set_proof(ProofOf(selection));
        change.Record(selection.name(), 1, EventOf(selection), stored);
        return selection;
      });
}

absl::StatusOr<v1::RecordingSelection> SupervisionHandlers::DrawRecordingSelection(
    const CallContext& context, const v1::DrawRecordingSelectionRequest& request) {
  return call::Mutate<v1::RecordingSelection>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadSelection(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::RecordingSelection> {
        sql::Transaction& tx = change.tx();
        tx.Lock({CaseOf(request.name())});
        ASSIGN_OR_RETURN(v1::RecordingSelection selection,
                         ReadSelection(tx, context, request.name()));
        ASSIGN_OR_RETURN(const CaseAccess access,
                         RequireSupervisedCase(tx, context, request.name(), "RecordingSelection"));
        if (selection.has_draw_time()) {
          return errors::FailedPrecondition("SELECTION_DRAWN", "It was drawn already.");
        }
        ASSIGN_OR_RETURN(const Listed<v1::SessionRecording> recordings,
                         notes::ListRecordings(tx, vault_,
                                               {.organization_id = context.organization_id,
                                                .case_id = access.case_id,
                                                .clinicians = {},
                                                .today = Today(context),
                                                .due_for_deletion = false,
                                                .retain_until = std::nullopt},
                                               {.size = kMaxPage, .after = ""}));
        std::vector<std::string> candidates;
        for (const v1::SessionRecording& each : recordings.items) {
          if (StateOf(each, Today(context)) == v1::RECORDING_STATE_KEPT) {
            candidates.push_back(each.name());
          }
        }
        if (candidates.empty()) {
          return errors::FailedPrecondition("NO_RECORDINGS",
                                            "The case has no recording to choose among yet.");
        }
        std::sort(candidates.begin(), candidates.end());
        ASSIGN_OR_RETURN(const std::string seed, GetSeed(tx, vault_, request.name()));
        ASSIGN_OR_RETURN(const std::vector<care::AppointmentFacts> appointments,
                         care::ListAppointments(tx, access.course.course));
        selection.set_sessions_held(static_cast<int>(std::count_if(
            appointments.begin(), appointments.end(), [](const care::AppointmentFacts& each) {
              return IsHeld(each.state.state()) && !each.state.private_session();
            })));
        selection.set_seed(seed);
        *selection.mutable_draw_time() = time::ToTimestamp(context.now);
        selection.mutable_candidates()->Assign(candidates.begin(), candidates.end());
        const std::vector<std::string> chosen = Choose(seed, candidates, selection.count());
        selection.mutable_chosen()->Assign(chosen.begin(), chosen.end());
        ASSIGN_OR_RETURN(const std::string stored, DrawSelection(tx, selection));
        selection.set_proof(ProofOf(selection));
        change.Record(selection.name(), 2, EventOf(selection), stored);
        return selection;
      });
}

absl::StatusOr<v1::RecordingSelection> SupervisionHandlers::GetRecordingSelection(
    const CallContext& context, const v1::GetRecordingSelectionRequest& request) {
  return call::Read<v1::RecordingSelection>(database_, context, [&](sql::Session& session) {
    return ReadSelection(session, context, request.name());
  });
}

absl::StatusOr<v1::ListRecordingSelectionsResponse> SupervisionHandlers::ListRecordingSelections(
    const CallContext& context, const v1::ListRecordingSelectionsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListRecordingSelectionsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListRecordingSelectionsResponse> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         RequireKnownCase(session, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(Listed<v1::RecordingSelection> listed,
                         ListSelections(session, context.organization_id, access.case_id, page));
        v1::ListRecordingSelectionsResponse response;
        for (v1::RecordingSelection& each : listed.items) {
          each.set_proof(ProofOf(each));
          *response.add_recording_selections() = std::move(each);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::Portfolio> SupervisionHandlers::MakePortfolio(const CallContext& context,
                                                                 const std::string& clinician,
                                                                 const std::string& requirements) {
  const v1::TrainingRequirements* programme = nullptr;
  if (!requirements.empty()) {
    programme = FindRequirements(ShippedSupervisionRules(), requirements);
    if (programme == nullptr) return errors::NotFound("TrainingRequirements");
  }
  v1::Portfolio portfolio;
  bool own = false;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Tenant(context.organization_id), context.deadline,
      [&](sql::Session& session) -> absl::Status {
        portfolio.Clear();
        const std::string& organization = context.organization_id;
        ASSIGN_OR_RETURN(const care::Reach reach, RequireReach(session, context));
        own = reach.clinician == clinician && !clinician.empty();
        if (!own && !Has(reach.supervised, clinician)) return NotTheSupervisor();
        portfolio.set_clinician(clinician);
        *portfolio.mutable_create_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::vector<care::Pair> pairs, care::PairsOf(session, clinician));
        for (const care::Pair& pair : pairs) {
          v1::PortfolioPair& told = *portfolio.add_pairs();
          told.set_supervisor(pair.supervisor);
          *told.mutable_start_time() = time::ToTimestamp(pair.start);
          if (pair.end != absl::InfiniteFuture()) {
            *told.mutable_end_time() = time::ToTimestamp(pair.end);
          }
        }
        ASSIGN_OR_RETURN(const SupervisionTotals totals,
                         GetSupervisionTotals(session, organization, clinician));
        portfolio.set_supervision_sessions(totals.sessions);
        portfolio.set_supervision_minutes(totals.minutes);
        portfolio.set_unconfirmed_sessions(totals.unconfirmed);

        ASSIGN_OR_RETURN(std::vector<CaseloadRow> rows,
                         ListCaseloadRows(session, organization, {clinician}));
        ASSIGN_OR_RETURN(auto work, CountWork(session, organization, clinician));
        ASSIGN_OR_RETURN(auto minutes, SupervisionMinutes(session, organization, clinician));
        ASSIGN_OR_RETURN(const std::set<std::string> inventories,
                         CasesWithInventory(session, organization, clinician));
        ASSIGN_OR_RETURN(const std::vector<RatingRow> ratings,
                         ListRatingRows(session, organization, clinician));
        std::map<std::string, std::set<std::string>> drawn;
        ASSIGN_OR_RETURN(const std::vector<v1::RecordingSelection> selections,
                         ListDrawnSelections(session, organization, clinician));
        for (const v1::RecordingSelection& each : selections) {
          if (ProofOf(each) != v1::SELECTION_PROOF_VERIFIED) continue;
          drawn[std::string(names::Id(each.name(), "cases"))].insert(each.chosen().begin(),
                                                                     each.chosen().end());
        }
        std::sort(rows.begin(), rows.end(), [&](const CaseloadRow& one, const CaseloadRow& other) {
          const auto key = [&](const CaseloadRow& row) {
            return std::make_pair(work[row.case_id].first_session.value_or(absl::InfiniteFuture()),
                                  row.case_id);
          };
          return key(one) < key(other);
        });

        int reckoned = 0;
        for (const CaseloadRow& row : rows) {
          v1::PortfolioCase& told = *portfolio.add_cases();
          told.set_case_(names::InOrganization(organization, "cases", row.case_id));
          told.set_protocol(row.course.protocol());
          told.set_ended(HasEnded(row.course.state()));
          const WorkCounts& counts = work[row.case_id];
          told.set_sessions_held(counts.held);
          told.set_sessions_noted(counts.noted);
          told.set_sessions_recorded(counts.recorded);
          told.set_sessions_supervised(counts.supervised);
          told.set_supervision_minutes(minutes[row.case_id]);
          told.set_recordings_drawn(static_cast<int>(drawn[row.case_id].size()));
          told.set_inventory(inventories.count(row.case_id) == 1);
          ASSIGN_OR_RETURN(const CaseRecord record,
                           GetCase(session, vault_, organization, row.case_id));
          for (const v1::ProblemArea& area : record.resource.problem_areas()) {
            told.add_problem_areas(area.kind());
          }
          told.set_formulation_agreed(
              record.resource.formulation().agreement() == v1::AGREEMENT_AGREED ||
              record.resource.formulation().agreement() == v1::AGREEMENT_MODIFIED);

          std::set<std::string> seen;  // notes whose fidelity the caller sees
          if (counts.noted > 0 && reckoned < kMaxCasesReckoned) {
            ++reckoned;
            ASSIGN_OR_RETURN(const care::CourseFacts course,
                             care::GetCourse(session, names::InOrganization(organization, "courses",
                                                                            row.case_id)));
            FidelityRecord reader(session, vault_, course);
            ASSIGN_OR_RETURN(const CourseRecord sessions,
                             reader.Course(clinician, {.own = own, .now = context.now}));
            for (const FidelitySession& each : sessions.sessions) {
              seen.emplace(names::Last(each.note.name()));
            }
            if (!sessions.sessions.empty()) {
              ASSIGN_OR_RETURN(const FidelityCase of, reader.Case());
              const v1::CourseFidelity fidelity =
                  CourseFidelityOf(ShippedFidelityRules(), of, sessions);
              if (fidelity.has_percent()) told.set_fidelity_percent(fidelity.percent());
            }
          }
          Mean self, supervisor;
          std::set<std::string> rated;
          for (const RatingRow& each : ratings) {
            if (each.case_id != row.case_id) continue;
            if (each.kind == v1::RATER_KIND_SUPERVISOR) {
              rated.insert(each.note_id);
              if (each.percent) supervisor.Add(*each.percent);
            } else if (each.percent && (own || seen.count(each.note_id) == 1)) {
              self.Add(*each.percent);
            }
          }
          if (!self.empty()) told.set_self_percent(self.value());
          if (!supervisor.empty()) told.set_supervisor_percent(supervisor.value());
          told.set_sessions_rated(static_cast<int>(rated.size()));
        }
        return absl::OkStatus();
      }));

  std::vector<std::string> courses;
  for (const v1::PortfolioCase& each : portfolio.cases()) {
    courses.push_back(
        names::InOrganization(context.organization_id, "courses", names::Last(each.case_())));
  }
  std::map<std::string, assessment::v1::CourseNeeds> needs;
  if (!AskNeeds(context, courses, needs)) {
    portfolio.add_unavailable_sources(std::string(assessment_.name()));
  }
  for (int i = 0; i < portfolio.cases_size(); ++i) {
    for (const int term : needs[courses[static_cast<size_t>(i)]].terms()) {
      absl::string_view name = assessment::v1::Term_Name(static_cast<assessment::v1::Term>(term));
      absl::ConsumePrefix(&name, "TERM_");
      portfolio.mutable_cases(i)->add_outcomes(std::string(name));
    }
  }
  if (programme != nullptr) CheckRequirements(*programme, own, portfolio);
  return portfolio;
}

absl::StatusOr<v1::Portfolio> SupervisionHandlers::GetPortfolio(
    const CallContext& context, const v1::GetPortfolioRequest& request) {
  return MakePortfolio(context, request.name(), request.requirements());
}

absl::StatusOr<v1::ExportPortfolioResponse> SupervisionHandlers::ExportPortfolio(
    const CallContext& context, const v1::ExportPortfolioRequest& request) {
  ASSIGN_OR_RETURN(const v1::Portfolio portfolio,
                   MakePortfolio(context, request.name(), request.requirements()));
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  v1::ExportPortfolioResponse response;
  const auto printed =
      google::protobuf::util::MessageToJsonString(portfolio, response.mutable_json(), options);
  if (!printed.ok()) return errors::Internal("A portfolio can't be printed as JSON.");
  response.set_sha256(Sha256(response.json()));
  return response;
}

}  // namespace rapport::notes
