#include "services/scheduling/rpc/appointment_handlers.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/domain/calendar.h"
#include "services/scheduling/domain/series.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/organization_store.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kShortestHold = absl::Minutes(1);
constexpr absl::Duration kLongestHold = absl::Hours(7 * 24);
constexpr absl::Duration kUsualHold = absl::Minutes(10);
constexpr absl::Duration kDay = absl::Hours(24);
constexpr int kMostCalendarDays = 400;
constexpr int kMostCalendarEntries = 5000;

void FillSession(const v1::SessionWish& wish, SessionAsk& session) {
  session.date = time::ToCivilDay(wish.local_date());
  session.minute_of_day = time::ToMinutes(wish.local_time());
  session.minutes = wish.minutes();
  session.modality = wish.modality();
  session.room_need = wish.room_need();
  session.participants.assign(wish.participants().begin(), wish.participants().end());
  session.telehealth_uri = wish.telehealth_uri();
  session.clinician = wish.clinician();
  session.private_with = wish.private_with();
}

// The filter for the one of these that is given, and INVALID_ARGUMENT unless it is one.
struct Of {
  store::AppointmentsOf of;
  const std::string& name;
};
absl::StatusOr<store::AppointmentFilter> OneOf(std::initializer_list<Of> candidates,
                                               absl::string_view which) {
  store::AppointmentFilter filter;
  int given = 0;
  for (const Of& candidate : candidates) {
    if (candidate.name.empty()) continue;
    ++given;
    filter.of = candidate.of;
    filter.id = std::string(names::Last(candidate.name));
  }
  if (given == 1) return filter;
  return errors::InvalidArgument("course", absl::StrCat("give one of ", which));
}

CalendarState StateOf(v1::AppointmentState state) {
  return state == v1::APPOINTMENT_STATE_HELD        ? CalendarState::kTentative
         : state == v1::APPOINTMENT_STATE_CANCELLED ? CalendarState::kCancelled
                                                    : CalendarState::kConfirmed;
}

// What a calendar tells of an appointment: nothing of whose it is.
CalendarEntry EntryOf(const v1::Appointment& appointment, absl::string_view summary,
                      absl::string_view location) {
  CalendarEntry entry;
  const std::string& of =
      appointment.group_session().empty() ? appointment.name() : appointment.group_session();
  entry.uid = absl::StrCat(names::Last(of), "@rapport.", names::OrganizationId(of));
  entry.sequence = appointment.sequence();
  entry.state = StateOf(appointment.state());
  entry.zone = appointment.time_zone();
  entry.start = time::ToTime(appointment.start_time());
  entry.end = time::ToTime(appointment.end_time());
  entry.created = time::ToTime(appointment.create_time());
  entry.last_modified = time::ToTime(appointment.update_time());
  entry.summary = appointment.private_session() ? "Busy"
                  : summary.empty()             ? "Session"
                                                : std::string(summary);
  if (!appointment.private_session()) {
    entry.location = std::string(location);
    entry.url = appointment.telehealth_uri();
  }
  return entry;
}

}  // namespace

void AppointmentHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.AppointmentService", this)
      .Unary("HoldAppointment", &AppointmentHandlers::HoldAppointment)
      .Unary("ConfirmHold", &AppointmentHandlers::ConfirmHold)
      .Unary("ReleaseHold", &AppointmentHandlers::ReleaseHold)
      .Unary("BookAppointment", &AppointmentHandlers::BookAppointment)
      .Unary("BookSeries", &AppointmentHandlers::BookSeries)
      .Unary("GetAppointment", &AppointmentHandlers::GetAppointment)
      .Unary("ListAppointments", &AppointmentHandlers::ListAppointments)
      .Unary("RescheduleAppointment", &AppointmentHandlers::RescheduleAppointment)
      .Unary("CheckIn", &AppointmentHandlers::CheckIn)
      .Unary("CompleteAppointment", &AppointmentHandlers::CompleteAppointment)
      .Unary("MarkNoShow", &AppointmentHandlers::MarkNoShow)
      .Unary("CancelAppointment", &AppointmentHandlers::CancelAppointment)
      .Unary("CorrectAttendance", &AppointmentHandlers::CorrectAttendance)
      .Unary("ExportCalendar", &AppointmentHandlers::ExportCalendar);
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::Mutate(
    const call::CallContext& context, absl::string_view request_id,
    absl::FunctionRef<absl::StatusOr<v1::Appointment>(Act&)> change) {
  absl::StatusOr<v1::Appointment> changed = call::Mutate<v1::Appointment>(
      database_, context, request_id,
      [&](sql::Session& session, absl::string_view name) {
        return Booker::Read(session, context, name);
      },
      [&](call::Change& under_way) {
        Act act(under_way);
        return change(act);
      });
  if (!changed.ok()) return ExplainOverlap(changed.status());
  return changed;
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::HoldAppointment(
    const call::CallContext& context, const v1::HoldAppointmentRequest& request) {
  const v1::SessionWish& wish = request.session();
  RETURN_IF_ERROR(CheckSessionStart(wish.local_date(), "session.local_date", wish.local_time(),
                                    "session.local_time"));
  BookingAsk ask;
  ask.course = request.course();
  ask.patient = request.patient();
  ask.clinician = request.clinician();
  ask.clinic = request.clinic();
  FillSession(wish, ask.sessions.emplace_back());
  if (ask.course.empty()) {
    RETURN_IF_ERROR(RequireName(ask.patient, "patient"));
    RETURN_IF_ERROR(RequireName(ask.clinician, "clinician"));
    RETURN_IF_ERROR(RequireName(ask.clinic, "clinic"));
    if (wish.minutes() == 0) {
      return errors::InvalidArgument("session.minutes", "is required without a course");
    }
    if (!wish.private_with().empty()) {
      return errors::InvalidArgument("session.private_with", "needs a course");
    }
  } else if (!ask.patient.empty() || !ask.clinician.empty() || !ask.clinic.empty()) {
    return errors::InvalidArgument("course", "says patient, clinician and clinic; leave them out");
  }
  absl::Duration hold_for;
  if (request.has_hold_for()) {
    RETURN_IF_ERROR(time::CheckDuration(request.hold_for(), "hold_for"));
    hold_for = time::ToDuration(request.hold_for());
    if (hold_for < kShortestHold || hold_for > kLongestHold) {
      return errors::InvalidArgument("hold_for", "must be 1 min to 7 days");
    }
  }
  return Mutate(context, request.request_id(), [&](Act& act) -> absl::StatusOr<v1::Appointment> {
    absl::Duration kept = hold_for;
    if (!request.has_hold_for()) {
      ASSIGN_OR_RETURN(const auto organization,
                       store::GetOrganization(act.tx(), act.organization_id()));
      const v1::OrganizationSettings& settings = organization.resource.settings();
      kept = settings.has_hold_time() ? time::ToDuration(settings.hold_time()) : kUsualHold;
    }
    ask.hold_until = act.now() + kept;
    ASSIGN_OR_RETURN(std::vector<v1::Appointment> held, booker_.Book(act, ask));
    return std::move(held.front());
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::ConfirmHold(
    const call::CallContext& context, const v1::ConfirmHoldRequest& request) {
  return Mutate(context, request.request_id(), [&](Act& act) {
    return booker_.Confirm(act, request.name(), request.course(), request.etag());
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::ReleaseHold(
    const call::CallContext& context, const v1::ReleaseHoldRequest& request) {
  return Mutate(context, request.request_id(), [&](Act& act) {
    return booker_.Release(act, request.name(), v1::APPOINTMENT_STATE_RELEASED, request.etag());
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::BookAppointment(
    const call::CallContext& context, const v1::BookAppointmentRequest& request) {
  RETURN_IF_ERROR(
      CheckSessionStart(request.local_date(), "local_date", request.local_time(), "local_time"));
  BookingAsk ask;
  ask.course = request.course();
  SessionAsk& session = ask.sessions.emplace_back();
  session.date = time::ToCivilDay(request.local_date());
  session.minute_of_day = time::ToMinutes(request.local_time());
  session.minutes = request.minutes();
  session.modality = request.modality();
  session.room_need = request.room_need();
  session.participants.assign(request.participants().begin(), request.participants().end());
  session.telehealth_uri = request.telehealth_uri();
  session.clinician = request.clinician();
  session.private_with = request.private_with();
  return Mutate(context, request.request_id(), [&](Act& act) -> absl::StatusOr<v1::Appointment> {
    ASSIGN_OR_RETURN(std::vector<v1::Appointment> booked, booker_.Book(act, ask));
    return std::move(booked.front());
  });
}

absl::StatusOr<v1::BookSeriesResponse> AppointmentHandlers::BookSeries(
    const call::CallContext& context, const v1::BookSeriesRequest& request) {
  RETURN_IF_ERROR(
      CheckSessionStart(request.first_date(), "first_date", request.local_time(), "local_time"));
  SeriesAsk ask;
  ask.course = request.course();
  ask.first = time::ToCivilDay(request.first_date());
  ask.count = request.count();
  ask.exceptions = request.exceptions();
  ask.each.minute_of_day = time::ToMinutes(request.local_time());
  ask.each.minutes = request.minutes();
  ask.each.modality = request.modality();
  ask.each.room_need = request.room_need();
  ask.each.participants.assign(request.participants().begin(), request.participants().end());
  ask.each.telehealth_uri = request.telehealth_uri();
  absl::StatusOr<v1::BookSeriesResponse> booked = call::Mutate<v1::BookSeriesResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::BookSeriesResponse> {
        v1::BookSeriesResponse response;
        response.set_series(std::string(names::Last(name)));
        ASSIGN_OR_RETURN(auto series,
                         store::ListSeries(session, context.organization_id,
                                           names::Last(request.course()), response.series()));
        for (const auto& [appointment, version] : series) {
          ASSIGN_OR_RETURN(*response.add_appointments(),
                           Booker::Read(session, context, appointment.name()));
        }
        return response;
      },
      [&](call::Change& change) -> absl::StatusOr<v1::BookSeriesResponse> {
        Act act(change);
        ask.series = NewId();
        ASSIGN_OR_RETURN(std::vector<v1::Appointment> appointments, booker_.BookSeries(act, ask));
        change.SetResult(names::InOrganization(context.organization_id, "series", ask.series), 1);
        v1::BookSeriesResponse response;
        response.set_series(ask.series);
        for (v1::Appointment& appointment : appointments) {
          *response.add_appointments() = std::move(appointment);
        }
        return response;
      });
  if (!booked.ok()) return ExplainOverlap(booked.status());
  return booked;
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::GetAppointment(
    const call::CallContext& context, const v1::GetAppointmentRequest& request) {
  return call::Read<v1::Appointment>(database_, context, [&](sql::Session& session) {
    return Booker::Read(session, context, request.name());
  });
}

absl::StatusOr<v1::ListAppointmentsResponse> AppointmentHandlers::ListAppointments(
    const call::CallContext& context, const v1::ListAppointmentsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(store::AppointmentFilter filter,
                   OneOf({{store::AppointmentsOf::kCourse, request.course()},
                          {store::AppointmentsOf::kClinician, request.clinician()},
                          {store::AppointmentsOf::kPatient, request.patient()},
                          {store::AppointmentsOf::kClinic, request.clinic()}},
                         "course, clinician, patient and clinic"));
  if (request.has_start_from()) {
    RETURN_IF_ERROR(time::CheckTimestamp(request.start_from(), "start_from"));
    filter.from_micros = absl::ToUnixMicros(time::ToTime(request.start_from()));
  }
  if (request.has_start_before()) {
    RETURN_IF_ERROR(time::CheckTimestamp(request.start_before(), "start_before"));
    filter.before_micros = absl::ToUnixMicros(time::ToTime(request.start_before()));
  }
  store::AppointmentKey after;
  if (!page.after.empty()) {
    const auto [start, id] = call::SplitKey(page.after);
    (void)absl::SimpleAtoi(start, &after.start_micros);
    after.id = id;
  }
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(auto rows, call::Read<std::vector<store::AppointmentRow>>(
                                  database_, context, [&](sql::Session& session) {
                                    return store::ListAppointments(session, context.organization_id,
                                                                   scope, filter, after,
                                                                   page.size + 1);
                                  }));
  v1::ListAppointmentsResponse response;
  for (store::AppointmentRow& row : rows) {
    if (response.appointments_size() == page.size) {
      const v1::Appointment& last = response.appointments(page.size - 1);
      response.set_next_page_token(call::NextPageToken(
          context, call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(last.start_time()))),
                                 names::Last(last.name()))));
      break;
    }
    if (ViewOf(context, scope, row.treats, row.resource.clinic(), row.supervises) < View::kRead) {
      KeepTimes(row.resource);
    }
    *response.add_appointments() = std::move(row.resource);
  }
  return response;
}

absl::StatusOr<v1::RescheduleAppointmentResponse> AppointmentHandlers::RescheduleAppointment(
    const call::CallContext& context, const v1::RescheduleAppointmentRequest& request) {
  RETURN_IF_ERROR(
      CheckSessionStart(request.local_date(), "local_date", request.local_time(), "local_time"));
  MoveAsk ask;
  ask.appointment = request.name();
  ask.and_following = request.scope() == v1::RESCHEDULE_SCOPE_THIS_AND_FOLLOWING;
  ask.date = time::ToCivilDay(request.local_date());
  ask.minute_of_day = time::ToMinutes(request.local_time());
  ask.minutes = request.minutes();
  ask.modality = request.modality();
  if (request.has_room_need()) ask.room_need = request.room_need();
  ask.clinician = request.clinician();
  ask.etag = request.etag();
  using Response = v1::RescheduleAppointmentResponse;
  absl::StatusOr<Response> moved = call::Mutate<Response>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(v1::Appointment first, Booker::Read(session, context, name));
        Response response;
        if (ask.and_following && !first.series().empty()) {
          ASSIGN_OR_RETURN(auto series,
                           store::ListSeries(session, context.organization_id,
                                             names::Last(first.course()), first.series()));
          for (const auto& [appointment, version] : series) {
            if (time::ToTime(appointment.start_time()) <= time::ToTime(first.start_time()) ||
                appointment.state() != v1::APPOINTMENT_STATE_BOOKED) {
              continue;
            }
            ASSIGN_OR_RETURN(*response.add_appointments(),
                             Booker::Read(session, context, appointment.name()));
          }
        }
        *response.add_appointments() = std::move(first);
        std::rotate(response.mutable_appointments()->begin(),
                    response.mutable_appointments()->end() - 1,
                    response.mutable_appointments()->end());
        return response;
      },
      [&](call::Change& change) -> absl::StatusOr<Response> {
        Act act(change);
        ASSIGN_OR_RETURN(std::vector<v1::Appointment> appointments, booker_.Move(act, ask));
        Response response;
        for (v1::Appointment& appointment : appointments) {
          *response.add_appointments() = std::move(appointment);
        }
        change.SetResult(request.name(), 1);
        return response;
      });
  if (!moved.ok()) return ExplainOverlap(moved.status());
  return moved;
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::CheckIn(const call::CallContext& context,
                                                             const v1::CheckInRequest& request) {
  Arrival arrived;
  if (request.has_telehealth()) arrived.telehealth = request.telehealth();
  for (int attendance : request.participants()) {
    arrived.participants.push_back(static_cast<v1::Attendance>(attendance));
  }
  return Mutate(context, request.request_id(), [&](Act& act) {
    return booker_.Change(
        act, request.name(), request.etag(),
        [&](store::AppointmentContext& facts, const v1::Protocol& protocol) -> absl::Status {
          v1::Appointment& appointment = facts.row.resource;
          RETURN_IF_ERROR(scheduling::CheckIn(appointment, facts.course.state(),
                                              facts.sessions_used, protocol, arrived, act.now()));
          if (appointment.has_telehealth() &&
              !MayTreatIn(facts.clinician, facts.clinic, appointment.telehealth().jurisdiction())) {
            Warn(appointment, v1::APPOINTMENT_WARNING_JURISDICTION_MISMATCH);
          }
          return absl::OkStatus();
        });
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::CompleteAppointment(
    const call::CallContext& context, const v1::CompleteAppointmentRequest& request) {
  return Mutate(context, request.request_id(), [&](Act& act) {
    return booker_.Change(act, request.name(), request.etag(),
                          [](store::AppointmentContext& facts, const v1::Protocol&) {
                            return scheduling::CompleteAppointment(facts.row.resource);
                          });
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::MarkNoShow(
    const call::CallContext& context, const v1::MarkNoShowRequest& request) {
  return Mutate(context, request.request_id(), [&](Act& act) {
    return booker_.Change(act, request.name(), request.etag(),
                          [&](store::AppointmentContext& facts, const v1::Protocol&) {
                            return scheduling::MarkNoShow(facts.row.resource, act.now());
                          });
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::CancelAppointment(
    const call::CallContext& context, const v1::CancelAppointmentRequest& request) {
  return Mutate(context, request.request_id(), [&](Act& act) {
    return booker_.Cancel(act, request.name(), request.reason(), request.etag());
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::CorrectAttendance(
    const call::CallContext& context, const v1::CorrectAttendanceRequest& request) {
  const TrueAttendance truth{request.state(), request.reason(), request.cancel_reason(),
                             request.cancelled_late()};
  return Mutate(context, request.request_id(), [&](Act& act) {
    return booker_.Change(act, request.name(), request.etag(),
                          [&](store::AppointmentContext& facts, const v1::Protocol&) {
                            return scheduling::CorrectAttendance(facts.row.resource, truth,
                                                                 act.now());
                          });
  });
}

absl::StatusOr<v1::ExportCalendarResponse> AppointmentHandlers::ExportCalendar(
    const call::CallContext& context, const v1::ExportCalendarRequest& request) {
  ASSIGN_OR_RETURN(store::AppointmentFilter filter,
                   OneOf({{store::AppointmentsOf::kCourse, request.course()},
                          {store::AppointmentsOf::kClinician, request.clinician()},
                          {store::AppointmentsOf::kPatient, request.patient()}},
                         "course, clinician and patient"));
  absl::Time from = context.now - 30 * kDay;
  if (request.has_start_from()) {
    RETURN_IF_ERROR(time::CheckTimestamp(request.start_from(), "start_from"));
    from = time::ToTime(request.start_from());
  }
  absl::Time before = from + 365 * kDay;
  if (request.has_start_before()) {
    RETURN_IF_ERROR(time::CheckTimestamp(request.start_before(), "start_before"));
    before = time::ToTime(request.start_before());
  }
  if (before <= from || before - from > kMostCalendarDays * kDay) {
    return errors::InvalidArgument("start_before", "must be after start_from, by at most 400 days");
  }
  filter.from_micros = absl::ToUnixMicros(from);
  filter.before_micros = absl::ToUnixMicros(before);

  const bool of_clinician = filter.of == store::AppointmentsOf::kClinician;
  Calendar calendar;
  calendar.name = "Sessions";
  calendar.product_id = "-//Rapport//Scheduling 1.0//EN";
  calendar.now = context.now;
  const store::Scope scope = ScopeOf(context);
  const absl::Status read = database_.Read(
      sql::Access::Tenant(context.organization_id), context.deadline,
      [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const auto rows,
                         store::ListAppointments(session, context.organization_id, scope, filter,
                                                 {}, kMostCalendarEntries + 1));
        if (rows.size() > kMostCalendarEntries) {
          return errors::ResourceExhausted("CALENDAR_TOO_LARGE",
                                           "More than 5,000 sessions; narrow the span.", kDay);
        }
        std::map<std::string, std::string> clinics;  // their names for people
        std::map<std::string, size_t> places;        // of entries by uid
        for (const store::AppointmentRow& row : rows) {
          const v1::Appointment& appointment = row.resource;
          if (appointment.state() == v1::APPOINTMENT_STATE_RELEASED ||
              appointment.state() == v1::APPOINTMENT_STATE_EXPIRED ||
              (appointment.private_session() && !of_clinician)) {
            continue;
          }
          auto clinic = clinics.find(appointment.clinic());
          if (clinic == clinics.end()) {
            const auto known = store::GetClinic(session, appointment.clinic());
            if (!known.ok() && !absl::IsNotFound(known.status())) return known.status();
            clinic = clinics
                         .emplace(appointment.clinic(),
                                  known.ok() ? known->resource.display_name() : std::string())
                         .first;
          }
          CalendarEntry entry = EntryOf(appointment, request.summary(), clinic->second);
          const auto [place, is_new] = places.emplace(entry.uid, calendar.entries.size());
          if (is_new) {
            calendar.entries.push_back(std::move(entry));
          } else if (entry.state == CalendarState::kConfirmed) {
            calendar.entries[place->second] = std::move(entry);  // the seats of one group session
          }
        }
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(read);
  v1::ExportCalendarResponse response;
  response.set_ics(scheduling::ExportCalendar(calendar));
  response.set_content_type("text/calendar; charset=utf-8");
  return response;
}

}  // namespace rapport::scheduling
