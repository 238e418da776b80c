#include "services/scheduling/rpc/opening_handlers.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/openings/search.h"
#include "services/scheduling/domain/openings/series.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/course_store.h"
#include "services/scheduling/store/index_store.h"
#include "services/scheduling/store/organization_store.h"

namespace rapport::scheduling {
namespace {

using openings::AvailabilityIndex;

constexpr int kMinutesPerHour = 60;
constexpr int kDefaultStep = 15;
constexpr int kDefaultMinutes = 50;
constexpr int kDefaultPerClinician = 3;
constexpr int kDefaultPlans = 5;
constexpr int kMostPlans = 20;
constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kDefaultWindow = absl::Hours(24 * 28);
constexpr absl::Duration kLongestSearch = absl::Hours(24 * 90);
constexpr absl::Duration kLongestPlanWindow = absl::Hours(24 * 60);
// How far a series of most sessions at the slowest cadence may reach.
constexpr absl::Duration kReach = absl::Hours(24 * AvailabilityIndex::kDefaultDays);

std::string IdOf(absl::string_view name) { return std::string(names::Last(name)); }

template <class Names>
std::vector<std::string> IdsOf(const Names& names) {
  std::vector<std::string> ids;
  for (const std::string& name : names) ids.push_back(IdOf(name));
  return ids;
}

absl::Status CheckStep(int step) {
  for (const int good : {0, 5, 10, 15, 20, 30, kMinutesPerHour}) {
    if (step == good) return absl::OkStatus();
  }
  return errors::InvalidArgument("step_minutes", "must be 5, 10, 15, 20, 30 or 60");
}

absl::Status CheckDayStretches(const v1::OpeningFilter& filter) {
  for (int i = 0; i < filter.times_size(); ++i) {
    const v1::DayStretch& stretch = filter.times(i);
    const std::string path = absl::StrCat("filter.times[", i, "]");
    RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.start_time(), absl::StrCat(path, ".start_time")));
    RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.end_time(), absl::StrCat(path, ".end_time")));
    if (time::ToMinutes(stretch.end_time()) <= time::ToMinutes(stretch.start_time())) {
      return errors::InvalidArgument(absl::StrCat(path, ".end_time"), "must be after the start");
    }
  }
  if (!filter.room_need().room().empty()) {
    return errors::InvalidArgument("filter.room_need.room",
                                   "names no room in a search: give capacity and features");
  }
  return absl::OkStatus();
}

bool Remote(v1::Modality modality) {
  return modality != v1::MODALITY_UNSPECIFIED && modality != v1::MODALITY_IN_PERSON;
}

openings::ClinicianFilter FilterOf(const v1::OpeningFilter& asked) {
  openings::ClinicianFilter filter;
  filter.protocol = asked.protocol_id();
  filter.languages = {asked.languages().begin(), asked.languages().end()};
  filter.modality = v1::Modality_Name(
      asked.modality() == v1::MODALITY_UNSPECIFIED ? v1::MODALITY_IN_PERSON : asked.modality());
  filter.remote = Remote(asked.modality());
  filter.patient_jurisdiction = asked.patient_jurisdiction();
  filter.clinics = IdsOf(asked.clinics());
  filter.nearest_clinics = filter.clinics;
  filter.clinicians = IdsOf(asked.clinicians());
  filter.excluded_clinicians = IdsOf(asked.excluded_clinicians());
  if (!asked.preferred_clinician().empty()) {
    filter.former_clinicians = {IdOf(asked.preferred_clinician())};
  }
  filter.ignore_caseload = asked.include_full_caseloads();
  if (asked.has_room_need() &&
      (asked.room_need().capacity() > 0 || asked.room_need().features_size() > 0)) {
    filter.room = openings::RoomNeed{
        .capacity = std::max(1, asked.room_need().capacity()),
        .features = {asked.room_need().features().begin(), asked.room_need().features().end()}};
  }
  return filter;
}

openings::TimesOfWeek TimesOf(const v1::OpeningFilter& asked) {
  openings::TimesOfWeek times;
  for (const v1::DayStretch& stretch : asked.times()) {
    times.windows.push_back(
        {time::ToMinutes(stretch.start_time()), time::ToMinutes(stretch.end_time())});
  }
  for (const int day : asked.days()) {
    // google.type counts from Monday = 1, absl from Monday = 0.
    times.weekdays.push_back(static_cast<absl::Weekday>(day - 1));
  }
  return times;
}

v1::OpeningReason ReasonOf(openings::Reason reason) {
  switch (reason) {
    case openings::Reason::kContinuity:
      return v1::OPENING_REASON_CONTINUITY;
    case openings::Reason::kPreferredTime:
      return v1::OPENING_REASON_PREFERRED_TIME;
    case openings::Reason::kPreferredDay:
      return v1::OPENING_REASON_PREFERRED_DAY;
    case openings::Reason::kNearestClinic:
      return v1::OPENING_REASON_NEAREST_CLINIC;
    case openings::Reason::kSoonest:
      return v1::OPENING_REASON_SOONEST;
    case openings::Reason::kLeastPopularTime:
      return v1::OPENING_REASON_LEAST_POPULAR_TIME;
  }
  return v1::OPENING_REASON_UNSPECIFIED;
}

std::string KeyText(const openings::OpeningKey& key) {
  return absl::StrJoin(
      {absl::StrCat(key.not_former), absl::StrCat(key.preference), absl::StrCat(key.clinic_rank),
       absl::StrCat(key.day), absl::StrCat(key.popularity), absl::StrCat(key.start), key.clinician,
       key.clinic},
      "\n");
}

std::optional<openings::OpeningKey> KeyFrom(absl::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, '\n');
  openings::OpeningKey key;
  if (parts.size() != 8 || !absl::SimpleAtoi(parts[0], &key.not_former) ||
      !absl::SimpleAtoi(parts[1], &key.preference) ||
      !absl::SimpleAtoi(parts[2], &key.clinic_rank) || !absl::SimpleAtoi(parts[3], &key.day) ||
      !absl::SimpleAtoi(parts[4], &key.popularity) || !absl::SimpleAtoi(parts[5], &key.start)) {
    return std::nullopt;
  }
  key.clinician = parts[6];
  key.clinic = parts[7];
  return key;
}

// What the database says of an enquiry, of one moment.
struct Facts {
  std::optional<store::CourseRow> course;
  std::shared_ptr<const v1::Protocol> protocol;
  store::PlannedSessions planned;
  absl::Time earliest;
  absl::Time latest;
  std::vector<Interval> busy;
  std::vector<std::string> former;  // ids of clinicians
};

struct Window {
  absl::Duration longest;
  absl::Duration reach;  // beyond the window, for which patients' time matters
};

template <class Request>
absl::Status ReadWindow(const call::CallContext& context, const Request& request,
                        absl::Duration notice, absl::Duration longest, Facts& facts) {
  facts.earliest = context.now + notice;
  if (request.has_earliest()) {
    RETURN_IF_ERROR(time::CheckTimestamp(request.earliest(), "earliest"));
    facts.earliest = std::max(facts.earliest, time::ToTime(request.earliest()));
  }
  facts.latest = facts.earliest + kDefaultWindow;
  if (request.has_latest()) {
    RETURN_IF_ERROR(time::CheckTimestamp(request.latest(), "latest"));
    facts.latest = time::ToTime(request.latest());
  }
  if (facts.latest <= facts.earliest) {
    return errors::InvalidArgument(
        "latest",
        "must be after the earliest time, which the organisation's minimum notice may "
        "put off");
  }
  if (facts.latest - facts.earliest > longest) {
    return errors::InvalidArgument(
        "latest",
        absl::StrCat("must be at most ", absl::ToInt64Hours(longest) / 24, " days after earliest"));
  }
  return absl::OkStatus();
}

// The filter of `request`, with what its course says where it says nothing.
template <class Request>
v1::OpeningFilter AskedFor(const Request& request, const Facts& facts) {
  v1::OpeningFilter filter = request.filter();
  if (!facts.course) return filter;
  const v1::Course& course = facts.course->resource;
  if (filter.patients().empty()) {
    filter.add_patients(course.patient());
    if (!course.partner().empty()) filter.add_patients(course.partner());
  }
  if (filter.clinicians().empty()) filter.add_clinicians(course.clinician());
  if (filter.clinics().empty()) filter.add_clinics(course.clinic());
  filter.set_include_full_caseloads(true);
  return filter;
}

// Reads what the enquiry rests on. `filter` becomes the one that applies.
template <class Request>
absl::StatusOr<Facts> ReadFacts(sql::Session& session, const call::CallContext& context,
                                const Protocols& protocols, const Request& request,
                                absl::string_view protocol, const Window& window,
                                v1::OpeningFilter& filter) {
  Facts facts;
  ASSIGN_OR_RETURN(const auto organization,
                   store::GetOrganization(session, context.organization_id));
  RETURN_IF_ERROR(ReadWindow(context, request,
                             time::ToDuration(organization.resource.settings().minimum_notice()),
                             window.longest, facts));
  std::string protocol_name(protocol);
  if (!request.course().empty()) {
    const store::Scope scope = ScopeOf(context);
    ASSIGN_OR_RETURN(facts.course, store::GetCourse(session, request.course(), scope));
    const v1::Course& course = facts.course->resource;
    if (ViewOf(context, scope, facts.course->sees_to, course.clinic()) == View::kNone) {
      return errors::NotFound("Course");
    }
    protocol_name = course.protocol();
    ASSIGN_OR_RETURN(facts.planned, store::CountPlanned(session, course.name(), course.segment()));
  }
  if (!protocol_name.empty()) {
    ASSIGN_OR_RETURN(facts.protocol, protocols.Find(session, protocol_name));
  }
  filter = AskedFor(request, facts);
  if (!filter.patients().empty()) {
    const std::vector<std::string> patients = IdsOf(filter.patients());
    ASSIGN_OR_RETURN(facts.busy, store::ListBusyOf(session, context.organization_id, patients,
                                                   {facts.earliest, facts.latest + window.reach}));
    ASSIGN_OR_RETURN(facts.former,
                     store::ListFormerClinicians(session, context.organization_id, patients));
  }
  return facts;
}

std::vector<openings::Span> SpansOf(const std::vector<Interval>& intervals) {
  std::vector<openings::Span> spans;
  for (const Interval& interval : intervals) spans.push_back({interval.start, interval.end});
  return spans;
}

// What both queries share.
template <class Query>
void Fill(const v1::OpeningFilter& filter, const Facts& facts, int step, Query& query) {
  query.filter = FilterOf(filter);
  for (const std::string& id : facts.former) query.filter.former_clinicians.push_back(id);
  query.earliest = facts.earliest;
  query.latest = facts.latest;
  query.step_minutes = step == 0 ? kDefaultStep : step;
  (filter.preferences_only() ? query.preferred : query.required) = TimesOf(filter);
  query.patients_busy = SpansOf(facts.busy);
}

struct Local {
  google::type::Date date;
  google::type::TimeOfDay time;
};
Local LocalOf(absl::Time start, absl::TimeZone zone) {
  const absl::CivilSecond civil = absl::ToCivilSecond(start, zone);
  return {time::ToDate(absl::CivilDay(civil)),
          time::ToTimeOfDay(civil.hour() * kMinutesPerHour + civil.minute())};
}

absl::TimeZone ZoneOf(const AvailabilityIndex& index, const std::string& clinic) {
  const AvailabilityIndex::Clinic* known = index.FindClinic(clinic);
  return known == nullptr ? absl::UTCTimeZone() : known->zone;
}

// How many sessions of a series lie in which phase, with the exceptions that the policy allows
// there.
std::vector<openings::PhaseCap> CapsOf(const v1::Protocol& protocol, const v1::Course* course,
                                       int first, int count, int planned,
                                       const v1::SeriesPolicy& policy) {
  const DeclaredPhases& declared =
      (course == nullptr ? v1::Course::default_instance() : *course).declared_phases();
  std::vector<openings::PhaseCap> caps;
  v1::Phase last = v1::PHASE_UNSPECIFIED;
  for (int session = first; session < first + count; ++session) {
    const v1::Phase phase = PhaseOf(session, planned, protocol, declared);
    if (phase != last || caps.empty()) {
      caps.push_back({0, phase == v1::PHASE_INITIAL       ? policy.max_initial()
                         : phase == v1::PHASE_TERMINATION ? policy.max_termination()
                                                          : policy.max_exceptions()});
      last = phase;
    }
    ++caps.back().sessions;
  }
  return caps;
}

v1::SeriesPolicy PolicyOf(const v1::Protocol* protocol) {
  if (protocol != nullptr && protocol->has_series_policy()) return protocol->series_policy();
  v1::SeriesPolicy policy;
  policy.set_max_exceptions(2);
  policy.set_max_initial(1);
  policy.set_max_termination(1);
  return policy;
}

v1::SeriesPlan PlanOf(const AvailabilityIndex& index, const openings::SeriesPlan& plan,
                      absl::string_view organization_id, v1::Modality modality, int minutes) {
  using Kind = openings::PlannedSession::Kind;
  const absl::TimeZone zone = ZoneOf(index, plan.clinic);
  v1::SeriesPlan shown;
  shown.set_clinician(names::InOrganization(organization_id, "clinicians", plan.clinician));
  shown.set_clinic(names::InOrganization(organization_id, "clinics", plan.clinic));
  shown.set_time_zone(zone.name());
  shown.set_modality(modality);
  const Local first = LocalOf(plan.sessions.front().planned, zone);
  *shown.mutable_first_date() = first.date;
  *shown.mutable_local_time() = first.time;
  int count = 0;
  for (const openings::PlannedSession& session : plan.sessions) {
    const bool differs = session.kind == Kind::kMoved || session.kind == Kind::kRemote;
    const Local rule = LocalOf(session.planned, zone);
    if (session.kind != Kind::kAppended) ++count;
    if (differs || session.kind == Kind::kSkipped) {
      v1::SeriesException& exception = *shown.add_exceptions();
      *exception.mutable_date() = rule.date;
      exception.set_skip(session.kind == Kind::kSkipped);
      if (differs) {
        const Local moved = LocalOf(session.start, zone);
        *exception.mutable_moved_date() = moved.date;
        *exception.mutable_moved_time() = moved.time;
        if (session.kind == Kind::kRemote) exception.set_modality(v1::MODALITY_VIDEO);
      }
    }
    if (session.kind == Kind::kSkipped) continue;
    v1::PlannedSession& planned = *shown.add_sessions();
    const Local local = LocalOf(session.start, zone);
    *planned.mutable_start_time() = time::ToTimestamp(session.start);
    *planned.mutable_end_time() = time::ToTimestamp(session.start + absl::Minutes(minutes));
    *planned.mutable_local_date() = local.date;
    *planned.mutable_local_time() = local.time;
    planned.set_modality(session.kind == Kind::kRemote ? v1::MODALITY_VIDEO : modality);
    if (differs) *planned.mutable_instead_of() = rule.date;
  }
  std::sort(shown.mutable_sessions()->begin(), shown.mutable_sessions()->end(),
            [](const v1::PlannedSession& a, const v1::PlannedSession& b) {
              return time::ToTime(a.start_time()) < time::ToTime(b.start_time());
            });
  shown.set_count(count);
  if (plan.exceptions == 0) shown.add_reasons(v1::OPENING_REASON_UNBROKEN);
  for (const openings::Reason reason : plan.reasons) shown.add_reasons(ReasonOf(reason));
  return shown;
}

}  // namespace

void OpeningHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.OpeningService", this)
      .Unary("SearchOpenings", &OpeningHandlers::SearchOpenings)
      .Unary("PlanSeries", &OpeningHandlers::PlanSeries);
}

absl::StatusOr<v1::SearchOpeningsResponse> OpeningHandlers::SearchOpenings(
    const call::CallContext& context, const v1::SearchOpeningsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  RETURN_IF_ERROR(CheckStep(request.step_minutes()));
  RETURN_IF_ERROR(CheckDayStretches(request.filter()));
  v1::OpeningFilter filter;
  ASSIGN_OR_RETURN(const Facts facts,
                   call::Read<Facts>(database_, context, [&](sql::Session& session) {
                     return ReadFacts(session, context, protocols_, request, "",
                                      {.longest = kLongestSearch, .reach = kDay}, filter);
                   }));
  int minutes = request.minutes();
  if (minutes == 0) minutes = kDefaultMinutes;
  if (request.minutes() == 0 && facts.protocol != nullptr) {
    minutes = SessionPlanOf(*facts.protocol, facts.planned.count + 1).minutes;
  }

  openings::OpeningQuery query;
  Fill(filter, facts, request.step_minutes(), query);
  query.minutes = minutes;
  query.per_clinician =
      request.per_clinician() == 0 ? kDefaultPerClinician : request.per_clinician();
  if (!request.course().empty() && request.per_clinician() == 0) query.per_clinician = page.size;
  query.limit = page.size;
  query.after = KeyFrom(page.after);

  v1::SearchOpeningsResponse response;
  *response.mutable_as_of_time() = time::ToTimestamp(index_.as_of());
  openings::OpeningPage found;
  RETURN_IF_ERROR(
      index_.Read(context.organization_id, [&](const openings::AvailabilityIndex& index) {
        found = openings::SearchOpenings(index, query);
        for (const openings::Opening& opening : found.openings) {
          const absl::TimeZone zone = ZoneOf(index, opening.clinic);
          const Local local = LocalOf(opening.start, zone);
          v1::Opening& shown = *response.add_openings();
          shown.set_clinician(
              names::InOrganization(context.organization_id, "clinicians", opening.clinician));
          shown.set_clinic(
              names::InOrganization(context.organization_id, "clinics", opening.clinic));
          *shown.mutable_start_time() = time::ToTimestamp(opening.start);
          *shown.mutable_end_time() = time::ToTimestamp(opening.end);
          *shown.mutable_local_date() = local.date;
          *shown.mutable_local_time() = local.time;
          shown.set_time_zone(zone.name());
          shown.set_modality(filter.modality() == v1::MODALITY_UNSPECIFIED ? v1::MODALITY_IN_PERSON
                                                                           : filter.modality());
          for (const openings::Reason reason : opening.reasons) {
            shown.add_reasons(ReasonOf(reason));
          }
        }
      }));
  if (found.more) {
    response.set_next_page_token(call::NextPageToken(context, KeyText(found.openings.back().key)));
  }

  // What was booked since the index heard of it.
  std::vector<store::WantedTime> wanted;
  for (const openings::Opening& opening : found.openings) {
    wanted.push_back(
        {absl::StrCat("clinicians/", opening.clinician), {opening.start, opening.end}});
  }
  ASSIGN_OR_RETURN(const std::vector<size_t> taken,
                   call::Read<std::vector<size_t>>(database_, context, [&](sql::Session& session) {
                     return store::FindTaken(session, context.organization_id, wanted);
                   }));
  for (auto i = taken.rbegin(); i != taken.rend(); ++i) {
    response.mutable_openings()->DeleteSubrange(static_cast<int>(*i), 1);
  }
  return response;
}

absl::StatusOr<v1::PlanSeriesResponse> OpeningHandlers::PlanSeries(
    const call::CallContext& context, const v1::PlanSeriesRequest& request) {
  RETURN_IF_ERROR(CheckStep(request.step_minutes()));
  RETURN_IF_ERROR(CheckDayStretches(request.filter()));
  if (request.course().empty() && request.protocol().empty() && request.count() == 0) {
    return errors::InvalidArgument("count", "is required without a course and a protocol");
  }
  v1::OpeningFilter filter;
  ASSIGN_OR_RETURN(const Facts facts,
                   call::Read<Facts>(database_, context, [&](sql::Session& session) {
                     return ReadFacts(session, context, protocols_, request, request.protocol(),
                                      {.longest = kLongestPlanWindow, .reach = kReach}, filter);
                   }));
  const v1::Course* course = facts.course ? &facts.course->resource : nullptr;
  const v1::Protocol* protocol = facts.protocol.get();
  const int planned = course != nullptr     ? course->planned_sessions()
                      : protocol != nullptr ? protocol->max_sessions()
                                            : request.count();
  const int first = facts.planned.count + 1;
  const int left = std::max(0, planned - facts.planned.count);
  const int count = request.count() == 0 ? left : request.count();
  v1::PlanSeriesResponse response;
  *response.mutable_as_of_time() = time::ToTimestamp(index_.as_of());
  if (course != nullptr && count > left) {
    return errors::InvalidArgument("count",
                                   absl::StrCat("must be at most the ", left, " sessions left"));
  }
  if (count == 0) return response;

  openings::SeriesQuery query;
  Fill(filter, facts, request.step_minutes(), query);
  const v1::SeriesPolicy policy = PolicyOf(protocol);
  query.minutes = request.minutes();
  if (protocol != nullptr) {
    query.day_offsets = DayOffsets(*protocol, first, count);
    query.phases = CapsOf(*protocol, course, first, count, planned, policy);
    if (query.minutes == 0) query.minutes = SessionPlanOf(*protocol, first).minutes;
    query.max_weeks = course != nullptr ? course->max_weeks() : protocol->max_weeks();
  } else {
    for (int i = 0; i < count; ++i) query.day_offsets.push_back(7 * i);
    if (query.minutes == 0) query.minutes = kDefaultMinutes;
  }
  query.max_exceptions = request.has_max_exceptions()
                             ? std::min(request.max_exceptions(), policy.max_exceptions())
                             : policy.max_exceptions();
  for (const google::type::Date& date : request.anniversaries()) {
    query.anniversaries.push_back({date.month(), date.day()});
  }
  if (!query.filter.remote) query.remote_modality = v1::Modality_Name(v1::MODALITY_VIDEO);
  query.limit = request.limit() == 0 ? kDefaultPlans : std::min(request.limit(), kMostPlans);

  // A course that has begun already must end within its span.
  std::optional<absl::Time> deadline;
  if (course != nullptr && facts.planned.first && course->max_weeks() > 0) {
    deadline = *facts.planned.first + absl::Hours(24 * 7 * course->max_weeks());
  }
  const v1::Modality modality =
      filter.modality() == v1::MODALITY_UNSPECIFIED ? v1::MODALITY_IN_PERSON : filter.modality();
  RETURN_IF_ERROR(
      index_.Read(context.organization_id, [&](const openings::AvailabilityIndex& index) {
        for (const openings::SeriesPlan& plan : openings::PlanSeries(index, query)) {
          v1::SeriesPlan shown =
              PlanOf(index, plan, context.organization_id, modality, query.minutes);
          const auto& last = shown.sessions(shown.sessions_size() - 1);
          if (deadline && time::ToTime(last.start_time()) > *deadline) continue;
          *response.add_plans() = std::move(shown);
        }
      }));
  return response;
}

}  // namespace rapport::scheduling
