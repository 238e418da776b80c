#include "services/scheduling/rpc/urgent_handlers.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/openings/search.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/course_store.h"
#include "services/scheduling/store/index_store.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kFurthest = absl::Hours(7 * 24);
constexpr absl::Duration kDay = absl::Hours(24);
constexpr int kStep = 15;
constexpr int kTries = 3;  // times of one clinician
constexpr int kMinutesPerHour = 60;

absl::Status NoOpening() {
  return errors::FailedPrecondition(
      "NO_OPENING", "Neither the course's clinician nor who covers for them is free until then.");
}

// Whether another time, or the same without the course, may do.
bool TryOn(const absl::Status& status) {
  const absl::string_view reason = errors::Reason(status);
  return status.code() == absl::StatusCode::kFailedPrecondition && reason != "REQUEST_ID_REUSED" &&
         reason != "ORGANIZATION_SUSPENDED";
}

}  // namespace

void UrgentHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.AppointmentService", this)
      .Unary("HoldUrgentAppointment", &UrgentHandlers::HoldUrgentAppointment);
}

absl::StatusOr<v1::Appointment> UrgentHandlers::HoldUrgentAppointment(
    const call::CallContext& context, const v1::HoldUrgentAppointmentRequest& request) {
  Wish wish;
  RETURN_IF_ERROR(time::CheckTimestamp(request.before_time(), "before_time"));
  wish.before = time::ToTime(request.before_time());
  std::vector<Time> times;
  if (wish.before > context.now) {
    ASSIGN_OR_RETURN(times, Find(context, request, wish));
  }
  // A repeat finds what was held, whatever is free by now.
  absl::StatusOr<v1::Appointment> held = NoOpening();
  const auto hold = [&](const Time* time, bool with_course) {
    held = call::Mutate<v1::Appointment>(
        database_, context, request.request_id(),
        [&](sql::Session& session, absl::string_view name) {
          return Booker::Read(session, context, name);
        },
        [&](call::Change& change) -> absl::StatusOr<v1::Appointment> {
          if (wish.before <= context.now || wish.before > context.now + kFurthest) {
            return errors::InvalidArgument("before_time", "must be within 7 days from now");
          }
          if (time == nullptr) return NoOpening();
          Act act = Act::Allowed(change);
          ASSIGN_OR_RETURN(std::vector<v1::Appointment> booked,
                           booker_.Book(act, AskFor(wish, *time, with_course)));
          return std::move(booked.front());
        });
    if (!held.ok()) held = ExplainOverlap(held.status());
    return held.ok() || !TryOn(held.status());
  };
  if (times.empty()) {
    hold(nullptr, true);
    return held;
  }
  for (const Time& time : times) {
    if (hold(&time, /*with_course=*/true)) return held;
    // A private session with one of a couple needs the course.
    if (wish.course.partner().empty() && hold(&time, /*with_course=*/false)) return held;
  }
  return NoOpening();
}

BookingAsk UrgentHandlers::AskFor(const Wish& wish, const Time& time, bool with_course) const {
  BookingAsk ask;
  ask.urgent = true;
  ask.hold_until = wish.before;
  SessionAsk& session = ask.sessions.emplace_back();
  const absl::CivilSecond local = absl::ToCivilSecond(time.start, wish.zone);
  session.date = absl::CivilDay(local);
  session.minute_of_day = local.hour() * kMinutesPerHour + local.minute();
  session.minutes = wish.minutes;
  session.modality = wish.modality;
  if (!wish.course.partner().empty()) session.private_with = wish.patient;
  if (with_course) {
    ask.course = wish.course.name();
    session.clinician = time.clinician;
  } else {
    ask.patient = wish.patient;
    ask.clinician = time.clinician;
    ask.clinic = wish.course.clinic();
  }
  return ask;
}

absl::StatusOr<std::vector<UrgentHandlers::Time>> UrgentHandlers::Find(
    const call::CallContext& context, const v1::HoldUrgentAppointmentRequest& request,
    Wish& wish) const {
  struct Facts {
    std::shared_ptr<const v1::Protocol> protocol;
    int planned = 0;
    std::vector<Interval> busy;
    std::vector<store::CoverSpan> covers;
  };
  const Interval range{context.now, wish.before};
  ASSIGN_OR_RETURN(
      const Facts facts,
      call::Read<Facts>(database_, context, [&](sql::Session& session) -> absl::StatusOr<Facts> {
        Facts read;
        ASSIGN_OR_RETURN(auto row, store::GetCourse(session, request.course(), ScopeOf(context)));
        wish.course = std::move(row.resource);
        const v1::Course& course = wish.course;
        wish.patient = request.patient().empty() ? course.patient() : request.patient();
        const bool couple = !course.partner().empty();
        if ((couple && request.patient().empty()) ||
            (wish.patient != course.patient() && wish.patient != course.partner())) {
          return errors::InvalidArgument("patient", "must be a patient of the course");
        }
        ASSIGN_OR_RETURN(read.protocol, protocols_.Find(session, course.protocol()));
        ASSIGN_OR_RETURN(const store::PlannedSessions planned,
                         store::CountPlanned(session, course.name(), course.segment()));
        read.planned = planned.count;
        const std::vector<std::string> patients = {std::string(names::Last(wish.patient))};
        ASSIGN_OR_RETURN(read.busy, store::ListBusyOf(session, context.organization_id, patients,
                                                      {range.start, range.end + kDay}));
        ASSIGN_OR_RETURN(read.covers, store::ListCoversOf(session, course.clinician(), range));
        return read;
      }));
  const SessionPlan plan = SessionPlanOf(*facts.protocol, facts.planned + 1);
  wish.minutes = wish.course.has_maintenance() ? facts.protocol->session_minutes() : plan.minutes;
  std::vector<v1::Modality> modalities = {plan.modality, v1::MODALITY_VIDEO};
  if (plan.modality == v1::MODALITY_UNSPECIFIED || plan.modality == v1::MODALITY_ONLINE_UNIT) {
    modalities.front() = v1::MODALITY_IN_PERSON;
  }

  struct Candidate {
    std::string clinician_id;
    Interval time;
  };
  std::vector<Candidate> candidates = {{std::string(names::Last(wish.course.clinician())), range}};
  for (const store::CoverSpan& cover : facts.covers) {
    candidates.push_back(
        {cover.clinician_id,
         {std::max(cover.time.start, range.start), std::min(cover.time.end, range.end)}});
  }
  std::vector<Time> found;
  const std::string clinic(names::Last(wish.course.clinic()));
  const auto search = [&](const openings::AvailabilityIndex& index) {
    if (const auto* known = index.FindClinic(clinic)) wish.zone = known->zone;
    for (const v1::Modality modality : modalities) {
      wish.modality = modality;
      for (const Candidate& candidate : candidates) {
        openings::OpeningQuery query;
        query.filter.clinicians = {candidate.clinician_id};
        query.filter.clinics = {clinic};
        query.filter.ignore_caseload = true;
        query.filter.modality = v1::Modality_Name(modality);
        query.filter.remote = modality != v1::MODALITY_IN_PERSON;
        const bool partner = wish.patient == wish.course.partner();
        query.filter.patient_jurisdiction = partner
                                                ? wish.course.partner_particulars().jurisdiction()
                                                : wish.course.patient_particulars().jurisdiction();
        query.earliest = candidate.time.start;
        query.latest = candidate.time.end;
        query.minutes = wish.minutes;
        query.step_minutes = kStep;
        for (const Interval& busy : facts.busy) {
          query.patients_busy.push_back({busy.start, busy.end});
        }
        query.per_clinician = 0;
        query.limit = static_cast<int>((kFurthest + kDay) / absl::Minutes(kStep));
        std::vector<openings::Opening> free = openings::SearchOpenings(index, query).openings;
        std::sort(free.begin(), free.end(),
                  [](const auto& a, const auto& b) { return a.start < b.start; });
        // What the index does not know of yet may be in the way of one, hardly of all.
        absl::Time after = absl::InfinitePast();
        int tries = 0;
        for (const openings::Opening& opening : free) {
          if (opening.start < after || tries == kTries) continue;
          after = opening.end;
          ++tries;
          found.push_back(
              {names::InOrganization(context.organization_id, "clinicians", opening.clinician),
               opening.start});
        }
      }
      if (!found.empty()) break;
    }
  };
  RETURN_IF_ERROR(index_.Read(context.organization_id, search));
  return found;
}

}  // namespace rapport::scheduling
