#include "services/scheduling/rpc/appointment_handlers.h"

#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/domain/series.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/course_store.h"

namespace rapport::scheduling {
namespace {

absl::StatusOr<v1::Appointment> ReadOne(sql::Session& session, const call::CallContext& context,
                                        absl::string_view name) {
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(store::AppointmentRow row, store::GetAppointment(session, name, scope));
  if (ViewOf(context, scope, row.sees_to, row.resource.clinic()) == View::kNone) {
    return errors::NotFound("Appointment");
  }
  return std::move(row.resource);
}

// The database's own word on what Book checks under its locks.
absl::Status ExplainOverlap(const absl::Status& status) {
  return errors::MetadataValue(status, "constraint") == store::kClaimOverlap ? TimeTaken("", "")
                                                                             : status;
}

// TIME_TAKEN with the name of what is in the way, where the caller may know it.
absl::Status NameTaken(sql::Session& session, const call::CallContext& context,
                       const absl::Status& taken, absl::string_view appointment_id) {
  const std::string name =
      names::InOrganization(context.organization_id, "appointments", appointment_id);
  const absl::StatusOr<v1::Appointment> known = ReadOne(session, context, name);
  return known.ok() ? TimeTaken(name, errors::MetadataValue(taken, "date")) : taken;
}

v1::Appointment NewAppointment(const call::CallContext& context, const v1::Course& course,
                               const v1::Clinic& clinic, const SessionTime& session) {
  v1::Appointment appointment;
  appointment.set_name(names::InOrganization(context.organization_id, "appointments", NewId()));
  appointment.set_course(course.name());
  appointment.set_patient(course.patient());
  appointment.set_clinician(course.clinician());
  appointment.set_clinic(course.clinic());
  *appointment.mutable_start_time() = time::ToTimestamp(session.start);
  *appointment.mutable_end_time() = time::ToTimestamp(session.end);
  *appointment.mutable_local_date() = time::ToDate(session.date);
  *appointment.mutable_local_time() = time::ToTimeOfDay(session.minute_of_day);
  appointment.set_time_zone(clinic.time_zone());
  appointment.set_tzdata_version(time::TzdataVersion());
  appointment.set_state(v1::APPOINTMENT_STATE_BOOKED);
  *appointment.mutable_create_time() = time::ToTimestamp(context.now);
  *appointment.mutable_update_time() = appointment.create_time();
  return appointment;
}

}  // namespace

void AppointmentHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.AppointmentService", this)
      .Unary("BookAppointment", &AppointmentHandlers::BookAppointment)
      .Unary("BookSeries", &AppointmentHandlers::BookSeries)
      .Unary("GetAppointment", &AppointmentHandlers::GetAppointment)
      .Unary("ListAppointments", &AppointmentHandlers::ListAppointments)
      .Unary("CheckIn", &AppointmentHandlers::CheckIn)
      .Unary("CompleteAppointment", &AppointmentHandlers::CompleteAppointment)
      .Unary("MarkNoShow", &AppointmentHandlers::MarkNoShow)
      .Unary("CancelAppointment", &AppointmentHandlers::CancelAppointment);
}

absl::StatusOr<const v1::Protocol*> AppointmentHandlers::ProtocolOf(
    const v1::Course& course) const {
  const v1::Protocol* protocol = protocols_.Find(course.protocol());
  if (protocol == nullptr) {
    return errors::Internal(absl::StrCat("This release lacks ", course.protocol()));
  }
  return protocol;
}

absl::StatusOr<std::vector<v1::Appointment>> AppointmentHandlers::Book(call::Change& change,
                                                                       const Wish& wish) const {
  sql::Transaction& tx = change.tx();
  const call::CallContext& call = change.context();
  const store::Scope scope = ScopeOf(call);
  ASSIGN_OR_RETURN(const store::CourseRow known, store::GetCourse(tx, wish.course, scope));
  if (ViewOf(call, scope, known.sees_to, known.resource.clinic()) == View::kNone) {
    return errors::NotFound("Course");
  }

  tx.Lock({known.resource.clinician(), known.resource.patient(), wish.course});
  ASSIGN_OR_RETURN(const store::BookingContext context, store::GetBookingContext(tx, wish.course));
  const v1::Course& course = context.course.resource;
  ASSIGN_OR_RETURN(const v1::Protocol* protocol, ProtocolOf(course));

  BookingFacts facts;
  ASSIGN_OR_RETURN(facts.zone, time::LoadZone(context.clinic.time_zone()));
  facts.now = call.now;
  facts.course_state = course.state();
  facts.planned_sessions = course.planned_sessions();
  facts.max_weeks = protocol->max_weeks();
  facts.minimum_notice = time::ToDuration(context.settings.minimum_notice());
  facts.clinic = course.clinic();
  facts.clinician = context.clinician;
  const std::vector<SessionTime> sessions =
      SeriesTimes(wish.first, wish.minute_of_day, wish.count, protocol->cadence_days(),
                  wish.minutes == 0 ? protocol->session_minutes() : wish.minutes, facts.zone);
  RETURN_IF_ERROR(
      store::ReadBookingFacts(tx, course, {sessions.front().start, sessions.back().end}, facts));
  std::string taken_by;
  const absl::Status possible = CheckBooking(facts, sessions, &taken_by);
  if (!taken_by.empty()) return NameTaken(tx, call, possible, taken_by);
  RETURN_IF_ERROR(possible);

  std::vector<v1::Appointment> appointments;
  for (const SessionTime& session : sessions) {
    v1::Appointment appointment = NewAppointment(call, course, context.clinic, session);
    appointment.set_modality(wish.modality == v1::MODALITY_UNSPECIFIED ? v1::MODALITY_IN_PERSON
                                                                       : wish.modality);
    appointment.set_series(wish.series);
    store::InsertAppointment(tx, appointment, *protocol);
    change.Record(appointment.name(), 1, PayloadOf(appointment, *protocol),
                  store::Document(appointment));
    appointment.set_etag(call::Etag(1));
    facts.counted.push_back({session.start, std::string(names::Last(appointment.name()))});
    appointments.push_back(std::move(appointment));
  }
  const std::map<std::string, int> numbers = NumberSessions(std::move(facts.counted));
  for (v1::Appointment& appointment : appointments) {
    appointment.set_session_number(numbers.at(std::string(names::Last(appointment.name()))));
  }
  return appointments;
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::BookAppointment(
    const call::CallContext& context, const v1::BookAppointmentRequest& request) {
  RETURN_IF_ERROR(
      CheckSessionStart(request.local_date(), "local_date", request.local_time(), "local_time"));
  absl::StatusOr<v1::Appointment> booked = call::Mutate<v1::Appointment>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadOne(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Appointment> {
        Wish wish;
        wish.course = request.course();
        wish.first = time::ToCivilDay(request.local_date());
        wish.minute_of_day = time::ToMinutes(request.local_time());
        wish.minutes = request.minutes();
        wish.modality = request.modality();
        ASSIGN_OR_RETURN(std::vector<v1::Appointment> appointments, Book(change, wish));
        return std::move(appointments.front());
      });
  if (!booked.ok()) return ExplainOverlap(booked.status());
  return booked;
}

absl::StatusOr<v1::BookSeriesResponse> AppointmentHandlers::BookSeries(
    const call::CallContext& context, const v1::BookSeriesRequest& request) {
  RETURN_IF_ERROR(
      CheckSessionStart(request.first_date(), "first_date", request.local_time(), "local_time"));
  absl::StatusOr<v1::BookSeriesResponse> booked = call::Mutate<v1::BookSeriesResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::BookSeriesResponse> {
        const store::Scope scope = ScopeOf(context);
        ASSIGN_OR_RETURN(const store::CourseRow course,
                         store::GetCourse(session, request.course(), scope));
        if (ViewOf(context, scope, course.sees_to, course.resource.clinic()) == View::kNone) {
          return errors::NotFound("Course");
        }
        v1::BookSeriesResponse response;
        response.set_series(std::string(names::Last(name)));
        ASSIGN_OR_RETURN(auto appointments,
                         store::ListSeries(session, context.organization_id,
                                           names::Last(request.course()), response.series()));
        for (v1::Appointment& appointment : appointments) {
          *response.add_appointments() = std::move(appointment);
        }
        return response;
      },
      [&](call::Change& change) -> absl::StatusOr<v1::BookSeriesResponse> {
        Wish wish;
        wish.course = request.course();
        wish.first = time::ToCivilDay(request.first_date());
        wish.minute_of_day = time::ToMinutes(request.local_time());
        wish.count = request.count();
        wish.modality = request.modality();
        wish.series = NewId();
        ASSIGN_OR_RETURN(std::vector<v1::Appointment> appointments, Book(change, wish));
        change.SetResult(names::InOrganization(context.organization_id, "series", wish.series), 1);
        v1::BookSeriesResponse response;
        response.set_series(wish.series);
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
    return ReadOne(session, context, request.name());
  });
}

absl::StatusOr<v1::ListAppointmentsResponse> AppointmentHandlers::ListAppointments(
    const call::CallContext& context, const v1::ListAppointmentsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  const int given =
      !request.course().empty() + !request.clinician().empty() + !request.patient().empty();
  if (given != 1) {
    return errors::InvalidArgument("course", "give one of course, clinician and patient");
  }
  store::AppointmentFilter filter;
  if (!request.course().empty()) {
    filter = {store::AppointmentsOf::kCourse, std::string(names::Last(request.course()))};
  } else if (!request.clinician().empty()) {
    filter = {store::AppointmentsOf::kClinician, std::string(names::Last(request.clinician()))};
  } else {
    filter = {store::AppointmentsOf::kPatient, std::string(names::Last(request.patient()))};
  }
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
  ASSIGN_OR_RETURN(
      auto appointments,
      call::Read<std::vector<v1::Appointment>>(database_, context, [&](sql::Session& session) {
        return store::ListAppointments(session, context.organization_id, scope, filter, after,
                                       page.size + 1);
      }));
  v1::ListAppointmentsResponse response;
  for (v1::Appointment& appointment : appointments) {
    if (response.appointments_size() == page.size) {
      const v1::Appointment& last = response.appointments(page.size - 1);
      response.set_next_page_token(call::NextPageToken(
          context, call::JoinKey(absl::StrCat(absl::ToUnixMicros(time::ToTime(last.start_time()))),
                                 names::Last(last.name()))));
      break;
    }
    *response.add_appointments() = std::move(appointment);
  }
  return response;
}

template <class Request>
absl::StatusOr<v1::Appointment> AppointmentHandlers::Transition(
    const call::CallContext& context, const Request& request,
    absl::FunctionRef<absl::Status(store::AppointmentContext&, const v1::Protocol&)> step) {
  return call::Mutate<v1::Appointment>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadOne(session, context, name);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Appointment> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const v1::Appointment known, ReadOne(tx, context, request.name()));
        // What the course allows depends on its other sessions.
        tx.Lock({known.course()});
        ASSIGN_OR_RETURN(store::AppointmentContext facts,
                         store::GetAppointmentContext(tx, request.name(), ScopeOf(context)));
        v1::Appointment& appointment = facts.row.resource;
        const int64_t version = facts.row.version;
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), version));
        ASSIGN_OR_RETURN(const v1::Protocol* protocol, ProtocolOf(facts.course));
        RETURN_IF_ERROR(step(facts, *protocol));
        *appointment.mutable_update_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(store::UpdateAppointment(tx, appointment, *protocol, version));
        change.Record(appointment.name(), version + 1, PayloadOf(appointment, *protocol),
                      store::Document(appointment));
        if (!CountsTowardsCourse(appointment, *protocol)) appointment.clear_session_number();
        appointment.set_etag(call::Etag(version + 1));
        return std::move(appointment);
      });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::CheckIn(const call::CallContext& context,
                                                             const v1::CheckInRequest& request) {
  return Transition(context, request,
                    [&](store::AppointmentContext& facts, const v1::Protocol& protocol) {
                      return scheduling::CheckIn(facts.row.resource, facts.course.state(),
                                                 facts.sessions_used, protocol, context.now);
                    });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::CompleteAppointment(
    const call::CallContext& context, const v1::CompleteAppointmentRequest& request) {
  return Transition(context, request, [](store::AppointmentContext& facts, const v1::Protocol&) {
    return scheduling::CompleteAppointment(facts.row.resource);
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::MarkNoShow(
    const call::CallContext& context, const v1::MarkNoShowRequest& request) {
  return Transition(context, request, [&](store::AppointmentContext& facts, const v1::Protocol&) {
    return scheduling::MarkNoShow(facts.row.resource, context.now);
  });
}

absl::StatusOr<v1::Appointment> AppointmentHandlers::CancelAppointment(
    const call::CallContext& context, const v1::CancelAppointmentRequest& request) {
  return Transition(context, request, [&](store::AppointmentContext& facts, const v1::Protocol&) {
    return scheduling::CancelAppointment(facts.row.resource, request.reason(),
                                         time::ToDuration(facts.settings.late_cancel_window()),
                                         context.now);
  });
}

}  // namespace rapport::scheduling
