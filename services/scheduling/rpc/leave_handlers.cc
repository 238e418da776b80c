#include "services/scheduling/rpc/leave_handlers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/domain/leave.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/rpc/act.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/course_store.h"
#include "services/scheduling/store/directory_store.h"

namespace rapport::scheduling {
namespace {

constexpr int kMostCovers = 100;
constexpr size_t kMoves = 2;
constexpr size_t kColleagues = 3;

bool MayKnow(const store::Scope& scope, bool treats, const std::vector<std::string>& clinics) {
  return treats || scope.all ||
         std::any_of(clinics.begin(), clinics.end(), [&](const std::string& clinic) {
           return scope.CoversClinic(names::Last(clinic));
         });
}

store::ClinicReach ReachOf(const store::Scope& scope, bool treats) {
  return {treats || scope.all, scope.clinics};
}

// A plan, and what of it the caller may see.
struct Known {
  store::LeavePlanRow plan;
  std::vector<store::LeaveItemRow> items;
  bool treats = false;  // sees private sessions whole
};

absl::StatusOr<store::LeavePlanRow> ReadRow(sql::Session& session, const store::Scope& scope,
                                            absl::string_view name) {
  ASSIGN_OR_RETURN(store::LeavePlanRow plan, store::GetLeavePlan(session, name, scope));
  if (!MayKnow(scope, plan.treats, plan.clinics)) return errors::NotFound("LeavePlan");
  return plan;
}

absl::StatusOr<Known> ReadPlan(sql::Session& session, const call::CallContext& context,
                               absl::string_view name) {
  const store::Scope scope = ScopeOf(context);
  Known known;
  ASSIGN_OR_RETURN(known.plan, ReadRow(session, scope, name));
  known.treats = known.plan.treats || scope.all;
  ASSIGN_OR_RETURN(known.items,
                   store::ListLeaveItems(session, name, ReachOf(scope, known.plan.treats)));
  return known;
}

v1::LeavePlan Shown(Known known) {
  v1::LeavePlan plan = std::move(known.plan.resource);
  for (store::LeaveItemRow& row : known.items) {
    if (row.private_session && !known.treats) KeepTimes(row.item);
    *plan.add_items() = std::move(row.item);
  }
  return plan;
}

absl::StatusOr<v1::LeavePlan> ReadShown(sql::Session& session, const call::CallContext& context,
                                        absl::string_view name) {
  ASSIGN_OR_RETURN(Known known, ReadPlan(session, context, name));
  return Shown(std::move(known));
}

// What is asked for, checked against the plan. By default the first option of each session without
// outcome, but for places in a group, of which there is more to decide, and for what is not the
// caller's to change.
absl::StatusOr<std::vector<v1::LeaveChoice>> ChoicesOf(const v1::ApplyLeavePlanRequest& request,
                                                       const Known& known) {
  std::vector<v1::LeaveChoice> choices;
  if (request.choices().empty()) {
    for (const store::LeaveItemRow& row : known.items) {
      if (row.item.outcome() != v1::LEAVE_OUTCOME_UNSPECIFIED || row.in_group ||
          (row.private_session && !known.treats)) {
        continue;
      }
      choices.emplace_back().set_appointment(row.item.appointment());
    }
    return choices;
  }
  std::map<absl::string_view, const v1::LeavePlanItem*> items;
  for (const store::LeaveItemRow& row : known.items) items[row.item.appointment()] = &row.item;
  std::set<absl::string_view> seen;
  for (int i = 0; i < request.choices_size(); ++i) {
    const v1::LeaveChoice& choice = request.choices(i);
    const std::string field = absl::StrCat("choices[", i, "].");
    const auto found = items.find(choice.appointment());
    if (found == items.end()) {
      return errors::InvalidArgument(absl::StrCat(field, "appointment"),
                                     "must be a session of the plan");
    }
    if (!seen.insert(choice.appointment()).second) {
      return errors::InvalidArgument(absl::StrCat(field, "appointment"),
                                     "must not be that of another choice");
    }
    if (choice.option() >= found->second->options_size()) {
      return errors::InvalidArgument(absl::StrCat(field, "option"),
                                     "must be one of the session's options");
    }
    choices.push_back(choice);
  }
  return choices;
}

// Whether the session, not the call, is the reason of a failure.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

// Writes the item's outcome and its plan.
absl::Status Save(call::Change& change, store::LeavePlanRow& plan, bool first_outcome,
                  const v1::LeavePlanItem& item) {
  *plan.resource.mutable_update_time() = time::ToTimestamp(change.context().now);
  plan.settled += first_outcome;
  RETURN_IF_ERROR(store::UpdateLeavePlan(change.tx(), plan, item));
  change.Record(plan.resource.name(), plan.version + 1,
                PayloadOf(plan.resource, plan.sessions, plan.settled), item.SerializeAsString());
  change.Audit(store::LeaveItemName(plan.resource.name(), item), plan.version + 1,
               item.SerializeAsString());
  return absl::OkStatus();
}

absl::Status NoReplay(sql::Session&, absl::string_view) { return absl::OkStatus(); }

}  // namespace

void LeaveHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.LeaveService", this)
      .Unary("PlanLeave", &LeaveHandlers::PlanLeave)
      .Unary("GetLeavePlan", &LeaveHandlers::GetLeavePlan)
      .Unary("ApplyLeavePlan", &LeaveHandlers::ApplyLeavePlan);
}

absl::StatusOr<store::LeaveItemRow> LeaveHandlers::Propose(sql::Session& session,
                                                           const store::LeaveSession& booked,
                                                           Stage& stage) const {
  const v1::Appointment& appointment = booked.appointment;
  const Interval was{time::ToTime(appointment.start_time()), time::ToTime(appointment.end_time())};
  const int minutes = static_cast<int>(absl::ToInt64Minutes(was.end - was.start));
  ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(appointment.time_zone()));
  ASSIGN_OR_RETURN(const auto protocol, protocols_.Find(session, booked.course.protocol()));

  const LeaveScope scope = LeaveScopeOf(appointment);
  LeaveCandidates candidates;
  if (scope.may_move) {
    FreeTimesAsk ask;
    ask.clinician = stage.clinician;
    ask.clinic = appointment.clinic();
    ask.around = was.start;
    ask.starts = stage.reach;
    ask.minutes = minutes;
    ask.remote = IsRemote(appointment.modality());
    ask.busy = stage.proposed;
    ask.busy.push_back(stage.time_off);
    const std::vector<Interval>& others = stage.busy[std::string(names::Last(appointment.name()))];
    ask.busy.insert(ask.busy.end(), others.begin(), others.end());
    ask.limit = kMoves;
    ASSIGN_OR_RETURN(candidates.moves, hints_.free_times(ask));
    ask.remote = true;
    ask.limit = 1;
    for (const std::string& clinic : stage.video_clinics) {
      if (clinic == appointment.clinic()) continue;
      ask.clinic = clinic;
      ASSIGN_OR_RETURN(const std::vector<absl::Time> free, hints_.free_times(ask));
      if (free.empty()) continue;
      if (!candidates.telehealth || absl::AbsDuration(free.front() - was.start) <
                                        absl::AbsDuration(*candidates.telehealth - was.start)) {
        candidates.telehealth = free.front();
      }
    }
    const std::optional<absl::Time> first =
        candidates.moves.empty() ? candidates.telehealth : std::optional(candidates.moves.front());
    if (first) stage.proposed.push_back({*first, *first + (was.end - was.start)});
  }
  if (scope.may_hand_over) {
    ColleaguesAsk ask;
    ask.clinic = appointment.clinic();
    ask.start = was.start;
    ask.minutes = minutes;
    ask.modality = appointment.modality();
    ask.but = {stage.clinician};
    for (const store::CoverInForce& cover : stage.covers) {
      if (cover.time.start <= was.start && was.start < cover.time.end &&
          std::count(ask.among.begin(), ask.among.end(), cover.clinician) == 0) {
        ask.among.push_back(cover.clinician);
      }
    }
    if (!ask.among.empty()) {
      ask.limit = kMostCovers;
      ASSIGN_OR_RETURN(const std::vector<std::string> free, hints_.colleagues(ask));
      for (const std::string& covering : ask.among) {
        if (candidates.colleagues.size() < kColleagues &&
            std::count(free.begin(), free.end(), covering) > 0) {
          candidates.colleagues.push_back(covering);
        }
      }
    }
    if (candidates.colleagues.size() < kColleagues) {
      ask.but.insert(ask.but.end(), ask.among.begin(), ask.among.end());
      ask.among.clear();
      ask.protocol = std::string(ProtocolId(booked.course.protocol()));
      ask.limit = static_cast<int>(kColleagues - candidates.colleagues.size());
      ASSIGN_OR_RETURN(const std::vector<std::string> free, hints_.colleagues(ask));
      candidates.colleagues.insert(candidates.colleagues.end(), free.begin(), free.end());
    }
  }

  store::LeaveItemRow row;
  row.clinic_id = std::string(names::Last(appointment.clinic()));
  row.private_session = appointment.private_session();
  row.in_group = !appointment.group_session().empty();
  row.item.set_appointment(appointment.name());
  *row.item.mutable_start_time() = appointment.start_time();
  row.item.set_course(appointment.course());
  row.item.set_phase(booked.course.state() == v1::COURSE_STATE_MAINTENANCE
                         ? v1::PHASE_MAINTENANCE
                         : PhaseOf(appointment.session_number(), booked.course.planned_sessions(),
                                   *protocol, booked.course.declared_phases()));
  for (v1::LeaveOption& option : RankOptions(appointment, row.item.phase(), candidates, zone)) {
    *row.item.add_options() = std::move(option);
  }
  return row;
}

absl::StatusOr<v1::LeavePlan> LeaveHandlers::PlanLeave(const call::CallContext& context,
                                                       const v1::PlanLeaveRequest& request) {
  return call::Mutate<v1::LeavePlan>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadShown(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::LeavePlan> {
        sql::Transaction& tx = change.tx();
        const store::Scope scope = ScopeOf(context);
        Stage stage;
        stage.clinician = names::InOrganization(context.organization_id, "clinicians",
                                                names::Id(request.time_off(), "clinicians"));
        ASSIGN_OR_RETURN(const auto time_off, store::GetTimeOff(tx, request.time_off()));
        ASSIGN_OR_RETURN(const auto clinician, store::GetClinician(tx, stage.clinician));
        Known known;
        store::LeavePlanRow& plan = known.plan;
        plan.clinician = stage.clinician;
        plan.clinics = {clinician.resource.clinics().begin(), clinician.resource.clinics().end()};
        ASSIGN_OR_RETURN(plan.treats, store::SeesTo(tx, stage.clinician, scope));
        if (!MayKnow(scope, plan.treats, plan.clinics)) return errors::NotFound("TimeOff");
        known.treats = plan.treats || scope.all;

        stage.time_off = {time::ToTime(time_off.resource.start_time()),
                          time::ToTime(time_off.resource.end_time())};
        stage.reach = {std::max(context.now, stage.time_off.start - kLeaveReach),
                       stage.time_off.end + kLeaveReach};
        if (Offers(clinician.resource, v1::MODALITY_VIDEO)) stage.video_clinics = plan.clinics;
        ASSIGN_OR_RETURN(const auto sessions,
                         store::ListLeaveSessions(tx, stage.clinician, stage.time_off, context.now,
                                                  ReachOf(scope, plan.treats), most_sessions_ + 1));
        if (sessions.size() > static_cast<size_t>(most_sessions_)) {
          return errors::FailedPrecondition(
              "TOO_MANY_SESSIONS",
              absl::StrCat("More than ", most_sessions_,
                           " sessions lie in the time off; enter it in several parts."),
              {{"limit", absl::StrCat(most_sessions_)}});
        }
        ASSIGN_OR_RETURN(stage.covers,
                         store::ListCoversOf(tx, stage.clinician, stage.time_off, kMostCovers));
        ASSIGN_OR_RETURN(stage.busy, store::ListBusyOthers(tx, stage.clinician, stage.time_off,
                                                           context.now, stage.reach));
        for (const store::LeaveSession& booked : sessions) {
          ASSIGN_OR_RETURN(known.items.emplace_back(), Propose(tx, booked, stage));
        }

        plan.sessions = static_cast<int>(sessions.size());
        v1::LeavePlan& resource = plan.resource;
        resource.set_name(names::InOrganization(context.organization_id, "leavePlans", NewId()));
        resource.set_time_off(request.time_off());
        *resource.mutable_create_time() = time::ToTimestamp(context.now);
        *resource.mutable_update_time() = resource.create_time();
        store::InsertLeavePlan(tx, plan, known.items);
        change.Record(resource.name(), 1, PayloadOf(resource, plan.sessions, 0),
                      store::Document(resource));
        for (const store::LeaveItemRow& row : known.items) {
          change.Audit(store::LeaveItemName(resource.name(), row.item), 1,
                       row.item.SerializeAsString());
        }
        resource.set_etag(call::Etag(1));
        return Shown(std::move(known));
      });
}

absl::StatusOr<v1::LeavePlan> LeaveHandlers::GetLeavePlan(const call::CallContext& context,
                                                          const v1::GetLeavePlanRequest& request) {
  return call::Read<v1::LeavePlan>(database_, context, [&](sql::Session& session) {
    return ReadShown(session, context, request.name());
  });
}

absl::Status LeaveHandlers::CarryOut(call::Change& change, const store::LeaveItemRow& row,
                                     const v1::LeaveOption& option) const {
  Act act(change);
  if (option.action() == v1::LEAVE_ACTION_CANCEL) {
    return booker_.Cancel(act, row.item.appointment(), v1::CANCEL_REASON_LEAVE, "").status();
  }
  MoveAsk ask;
  ask.appointment = row.item.appointment();
  ask.date = time::ToCivilDay(option.local_date());
  ask.minute_of_day = time::ToMinutes(option.local_time());
  ask.clinician = option.clinician();
  ask.modality = option.modality();
  if (option.action() == v1::LEAVE_ACTION_TELEHEALTH) ask.room_need.emplace();
  return booker_.Move(act, ask).status();
}

absl::Status LeaveHandlers::Apply(const call::CallContext& context, const std::string& plan_name,
                                  const v1::LeaveChoice& choice) const {
  const store::Scope scope = ScopeOf(context);
  const absl::Status tried =
      call::MutateRaw(database_, context, "", NoReplay, [&](call::Change& change) -> absl::Status {
        sql::Transaction& tx = change.tx();
        tx.Lock({plan_name});
        ASSIGN_OR_RETURN(store::LeavePlanRow plan, ReadRow(tx, scope, plan_name));
        ASSIGN_OR_RETURN(store::LeaveItemRow row,
                         store::GetLeaveItem(tx, plan_name, choice.appointment()));
        v1::LeavePlanItem& item = row.item;
        if (Settled(item)) return absl::OkStatus();
        if (row.private_session && !plan.treats && !scope.all) {
          return errors::PermissionDenied("NOT_THE_THERAPIST",
                                          "A private session is moved by those who treat alone.");
        }
        // As the booker locks it, so that nothing changes between the look and the move.
        tx.Lock({item.course()});
        ASSIGN_OR_RETURN(const store::AppointmentRow booked,
                         store::GetAppointment(tx, choice.appointment(), scope));
        const bool first = item.outcome() == v1::LEAVE_OUTCOME_UNSPECIFIED;
        item.clear_reason();
        if (Overtaken(item, plan.clinician, booked.resource)) {
          item.set_outcome(v1::LEAVE_OUTCOME_OVERTAKEN);
        } else {
          RETURN_IF_ERROR(CarryOut(change, row, item.options(choice.option())));
          item.set_outcome(v1::LEAVE_OUTCOME_APPLIED);
          item.set_applied_option(choice.option());
        }
        return Save(change, plan, first, item);
      });
  if (!IsRefusal(tried)) return tried;
  return call::MutateRaw(
      database_, context, "", NoReplay, [&](call::Change& change) -> absl::Status {
        sql::Transaction& tx = change.tx();
        tx.Lock({plan_name});
        ASSIGN_OR_RETURN(store::LeavePlanRow plan, ReadRow(tx, scope, plan_name));
        ASSIGN_OR_RETURN(store::LeaveItemRow row,
                         store::GetLeaveItem(tx, plan_name, choice.appointment()));
        if (Settled(row.item)) return absl::OkStatus();
        const bool first = row.item.outcome() == v1::LEAVE_OUTCOME_UNSPECIFIED;
        row.item.set_outcome(v1::LEAVE_OUTCOME_FAILED);
        row.item.set_reason(errors::Reason(ExplainOverlap(tried)));
        return Save(change, plan, first, row.item);
      });
}

absl::StatusOr<v1::LeavePlan> LeaveHandlers::ApplyLeavePlan(
    const call::CallContext& context, const v1::ApplyLeavePlanRequest& request) {
  const auto replay = [&](sql::Session& session, absl::string_view name) {
    return ReadShown(session, context, name);
  };
  if (!request.request_id().empty()) {
    // The request is remembered once all of it is done, so that one that was cut short goes on when
    // it is sent again. Here it is only looked for.
    bool is_new = false;
    absl::StatusOr<v1::LeavePlan> done =
        call::Mutate<v1::LeavePlan>(database_, context, request.request_id(), replay,
                                    [&](call::Change&) -> absl::StatusOr<v1::LeavePlan> {
                                      is_new = true;
                                      return absl::UnknownError("not done yet");
                                    });
    if (!is_new) return done;
  }
  ASSIGN_OR_RETURN(const Known known, call::Read<Known>(database_, context, [&](sql::Session& s) {
                     return ReadPlan(s, context, request.name());
                   }));
  RETURN_IF_ERROR(call::CheckEtag(request.etag(), known.plan.version));
  ASSIGN_OR_RETURN(const std::vector<v1::LeaveChoice> choices, ChoicesOf(request, known));
  for (const v1::LeaveChoice& choice : choices) {
    RETURN_IF_ERROR(Apply(context, request.name(), choice));
  }
  if (request.request_id().empty()) {
    return call::Read<v1::LeavePlan>(
        database_, context, [&](sql::Session& s) { return ReadShown(s, context, request.name()); });
  }
  return call::Mutate<v1::LeavePlan>(
      database_, context, request.request_id(), replay,
      [&](call::Change& change) -> absl::StatusOr<v1::LeavePlan> {
        ASSIGN_OR_RETURN(v1::LeavePlan plan, ReadShown(change.tx(), context, request.name()));
        change.SetResult(request.name(), known.plan.version);
        return plan;
      });
}

}  // namespace rapport::scheduling
