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
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/metric_names.h"
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
constexpr int kDaysPerWeek = 7;
constexpr int kDefaultStep = 15;
constexpr int kDefaultMinutes = 50;
constexpr int kDefaultPerClinician = 3;
// With a course its own clinician is most often the only one.
constexpr int kDefaultOfCourse = 50;
constexpr int kDefaultPlans = 5;
constexpr int kMostPlans = 20;
constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kDefaultWindow = absl::Hours(24 * 28);
constexpr absl::Duration kLongestSearch = absl::Hours(24 * 90);
constexpr absl::Duration kLongestPlanWindow = absl::Hours(24 * 60);
// How far a series of most sessions at the slowest cadence may reach.
constexpr absl::Duration kReach = absl::Hours(24 * AvailabilityIndex::kDefaultDays);

telemetry::Family<telemetry::Counter> Searches(telemetry::Metrics& metrics) {
  return metrics.Counters(telemetry::metric::kOpeningsSearches,
                          "Searches for openings, by whether any was found.", {"outcome"});
}

// From two hours to a quarter of a year.
const std::vector<double>& LeadTimes() {
  constexpr double kHour = 3600;
  static const auto* const bounds = new std::vector<double>{
      2 * kHour,       8 * kHour,       24 * kHour,      2 * 24 * kHour,  3 * 24 * kHour,
      5 * 24 * kHour,  7 * 24 * kHour,  10 * 24 * kHour, 14 * 24 * kHour, 21 * 24 * kHour,
      28 * 24 * kHour, 42 * 24 * kHour, 60 * 24 * kHour, 90 * 24 * kHour};
  return *bounds;
}

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

absl::Status CheckFilter(const v1::OpeningFilter& filter) {
  for (int i = 0; i < filter.times_size(); ++i) {
    const v1::DayStretch& stretch = filter.times(i);
    const std::string path = absl::StrCat("filter.times[", i, "]");
    RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.start_time(), absl::StrCat(path, ".start_time")));
    RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.end_time(), absl::StrCat(path, ".end_time")));
    if (time::ToMinutes(stretch.end_time()) <= time::ToMinutes(stretch.start_time())) {
      return errors::InvalidArgument(absl::StrCat(path, ".end_time"), "must be after the start");
    }
  }
  for (int i = 0; i < filter.days_size(); ++i) {
    if (filter.days(i) < google::type::MONDAY || filter.days(i) > google::type::SUNDAY) {
      return errors::InvalidArgument(absl::StrCat("filter.days[", i, "]"),
                                     "must be a day of the week");
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
  absl::Time now;
  absl::Time earliest;
  absl::Time latest;
  std::vector<Interval> busy;
  std::vector<std::string> former;  // ids of clinicians
};

bool InMaintenance(const v1::Course* course) {
  return course != nullptr && course->has_maintenance();
}

// Length of session `number` by the protocol, as a booking has it.
int MinutesOf(const Facts& facts, int number) {
  const v1::Course* course = facts.course ? &facts.course->resource : nullptr;
  return InMaintenance(course) ? facts.protocol->session_minutes()
                               : SessionPlanOf(*facts.protocol, number).minutes;
}

struct Window {
  absl::Duration longest;
  absl::Duration reach;  // beyond the window, for which patients' time matters
};

template <class Request>
absl::Status ReadWindow(const call::CallContext& context, const Request& request,
                        absl::Duration notice, absl::Duration longest, Facts& facts) {
  facts.now = context.now;
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
  if (filter.clinicians().empty()) {
    filter.add_clinicians(course.clinician());
  } else if (filter.protocol_id().empty()) {
    filter.set_protocol_id(std::string(ProtocolId(course.protocol())));
  }
  if (filter.patient_jurisdiction().empty()) {
    filter.set_patient_jurisdiction(course.patient_particulars().jurisdiction());
  }
  if (filter.clinics().empty()) filter.add_clinics(course.clinic());
  filter.set_include_full_caseloads(true);
  return filter;
}

// When somebody is taken is told only to those who may know of a course of theirs, if they have
// any.
absl::Status CheckPatients(sql::Session& session, const call::CallContext& context,
                           const store::Scope& scope, const v1::OpeningFilter& filter) {
  if (context.is_service()) return absl::OkStatus();
  for (const std::string& patient : filter.patients()) {
    const std::string id = IdOf(patient);
    ASSIGN_OR_RETURN(
        const auto known,
        store::ListCourses(session, context.organization_id, scope,
                           {.clinician_id = "", .patient_id = id, .states = {}}, {}, 1));
    if (!known.empty()) continue;
    ASSIGN_OR_RETURN(const bool has_course, store::HasCourse(session, context.organization_id, id));
    if (has_course) return errors::NotFound("Patient");
  }
  return absl::OkStatus();
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
  const store::Scope scope = ScopeOf(context);
  RETURN_IF_ERROR(CheckPatients(session, context, scope, request.filter()));
  if (!request.course().empty()) {
    ASSIGN_OR_RETURN(facts.course, store::GetCourse(session, request.course(), scope));
    const v1::Course& course = facts.course->resource;
    if (ViewOf(context, scope, facts.course->sees_to, course.clinic(), facts.course->supervises) ==
        View::kNone) {
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

// The last day, by the course's clock, on which a session of it may be; nothing: it has none yet,
// by which its span is told.
std::optional<absl::CivilDay> LastDay(const v1::Course& course, const Facts& facts,
                                      absl::TimeZone zone) {
  if (InMaintenance(&course)) return time::ToCivilDay(course.maintenance().ends_on());
  if (!facts.planned.first) return std::nullopt;
  return absl::ToCivilDay(*facts.planned.first, zone) +
         kDaysPerWeek * MaxWeeks(course, *facts.protocol);
}

// How many visits of a maintenance contract there is time for until it ends, or the index's horizon
// does.
int MostVisits(const Facts& facts) {
  const v1::MaintenanceContract& contract = facts.course->resource.maintenance();
  const absl::CivilDay from = absl::ToCivilDay(facts.earliest, absl::UTCTimeZone());
  const int until_end = static_cast<int>(time::ToCivilDay(contract.ends_on()) - from);
  const int in_index = AvailabilityIndex::kDefaultDays -
                       static_cast<int>(absl::ToInt64Hours(facts.latest - facts.now) / 24) - 2;
  const int days = std::min(until_end, in_index);
  return days < 0 ? 0 : 1 + days / contract.cadence_days();
}

v1::SeriesPolicy PolicyOf(const v1::Protocol* protocol) {
  if (protocol != nullptr && protocol->has_series_policy()) return protocol->series_policy();
  v1::SeriesPolicy policy;
  policy.set_max_exceptions(2);
  policy.set_max_initial(1);
  policy.set_max_termination(1);
  return policy;
}

// Whether BookSeries can book it at the plan's clinic, whose hours count for remote sessions too.
bool AtOneClinic(const openings::SeriesPlan& plan) {
  return std::all_of(plan.sessions.begin(), plan.sessions.end(),
                     [&](const openings::PlannedSession& session) {
                       return session.kind == openings::PlannedSession::Kind::kSkipped ||
                              session.clinic == plan.clinic;
                     });
}

// `minutes` of each session, by start.
v1::SeriesPlan PlanOf(const AvailabilityIndex& index, const openings::SeriesPlan& plan,
                      absl::string_view organization_id, v1::Modality modality,
                      const std::vector<int>& minutes) {
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
    *planned.mutable_local_date() = local.date;
    *planned.mutable_local_time() = local.time;
    planned.set_modality(session.kind == Kind::kRemote ? v1::MODALITY_VIDEO : modality);
    if (differs) *planned.mutable_instead_of() = rule.date;
  }
  std::sort(shown.mutable_sessions()->begin(), shown.mutable_sessions()->end(),
            [](const v1::PlannedSession& a, const v1::PlannedSession& b) {
              return time::ToTime(a.start_time()) < time::ToTime(b.start_time());
            });
  for (int i = 0; i < shown.sessions_size(); ++i) {
    v1::PlannedSession& session = *shown.mutable_sessions(i);
    *session.mutable_end_time() =
        time::ToTimestamp(time::ToTime(session.start_time()) + absl::Minutes(minutes[i]));
  }
  shown.set_count(count);
  if (plan.exceptions == 0) shown.add_reasons(v1::OPENING_REASON_UNBROKEN);
  for (const openings::Reason reason : plan.reasons) shown.add_reasons(ReasonOf(reason));
  return shown;
}

}  // namespace

OpeningHandlers::OpeningHandlers(sql::Database& database, const Protocols& protocols,
                                 const LiveIndex& index, telemetry::Metrics& metrics)
    : database_(database),
      protocols_(protocols),
      index_(index),
      found_(Searches(metrics).With({"found"})),
      found_none_(Searches(metrics).With({"none"})),
      lead_time_(metrics
                     .Histograms(telemetry::metric::kOpeningsLead,
                                 "How far ahead the soonest of the openings found is.", {},
                                 LeadTimes())
                     .With({})) {}

void OpeningHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.scheduling.v1.OpeningService", this)
      .Unary("SearchOpenings", &OpeningHandlers::SearchOpenings)
      .Unary("PlanSeries", &OpeningHandlers::PlanSeries);
}

absl::StatusOr<v1::SearchOpeningsResponse> OpeningHandlers::SearchOpenings(
    const call::CallContext& context, const v1::SearchOpeningsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  RETURN_IF_ERROR(CheckStep(request.step_minutes()));
  RETURN_IF_ERROR(CheckFilter(request.filter()));
  v1::OpeningFilter filter;
  ASSIGN_OR_RETURN(const Facts facts,
                   call::Read<Facts>(database_, context, [&](sql::Session& session) {
                     return ReadFacts(session, context, protocols_, request, "",
                                      {.longest = kLongestSearch, .reach = kDay}, filter);
                   }));
  int minutes = request.minutes();
  if (minutes == 0) minutes = kDefaultMinutes;
  if (request.minutes() == 0 && facts.protocol != nullptr) {
    minutes = MinutesOf(facts, facts.planned.count + 1);
  }

  openings::OpeningQuery query;
  Fill(filter, facts, request.step_minutes(), query);
  query.minutes = minutes;
  query.per_clinician =
      request.per_clinician() == 0 ? kDefaultPerClinician : request.per_clinician();
  if (!request.course().empty() && request.per_clinician() == 0) {
    query.per_clinician = kDefaultOfCourse;
  }
  query.limit = page.size;
  query.after = KeyFrom(page.after);

  v1::SearchOpeningsResponse response;
  openings::OpeningPage found;
  std::vector<store::WantedTime> wanted;
  ASSIGN_OR_RETURN(
      const absl::Time as_of,
      index_.ReadCurrent(context, [&](const openings::AvailabilityIndex& index) {
        found = openings::SearchOpenings(index, query);
        for (const openings::Opening& opening : found.openings) {
          const absl::TimeZone zone = ZoneOf(index, opening.clinic);
          const Local local = LocalOf(opening.start, zone);
          const AvailabilityIndex::Clinician* of = index.FindClinician(opening.clinician);
          wanted.push_back({absl::StrCat("clinicians/", opening.clinician),
                            {opening.start, opening.end + of->attributes.buffer_after}});
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
  *response.mutable_as_of_time() = time::ToTimestamp(as_of);
  if (found.more) {
    response.set_next_page_token(call::NextPageToken(context, KeyText(found.openings.back().key)));
  }

  // What was booked since the index heard of it.
  ASSIGN_OR_RETURN(const std::vector<size_t> taken,
                   call::Read<std::vector<size_t>>(database_, context, [&](sql::Session& session) {
                     return store::FindTaken(session, context.organization_id, wanted);
                   }));
  for (auto i = taken.rbegin(); i != taken.rend(); ++i) {
    response.mutable_openings()->DeleteSubrange(static_cast<int>(*i), 1);
  }
  if (page.after.empty()) Measure(context.now, response);
  return response;
}

void OpeningHandlers::Measure(absl::Time now, const v1::SearchOpeningsResponse& response) const {
  (response.openings().empty() ? found_none_ : found_).Increment();
  absl::Time soonest = absl::InfiniteFuture();
  for (const v1::Opening& opening : response.openings()) {
    soonest = std::min(soonest, time::ToTime(opening.start_time()));
  }
  if (soonest != absl::InfiniteFuture()) {
    lead_time_.Observe(absl::ToDoubleSeconds(soonest - now));
  }
}

absl::StatusOr<v1::PlanSeriesResponse> OpeningHandlers::PlanSeries(
    const call::CallContext& context, const v1::PlanSeriesRequest& request) {
  RETURN_IF_ERROR(CheckStep(request.step_minutes()));
  RETURN_IF_ERROR(CheckFilter(request.filter()));
  if (request.course().empty() && request.protocol().empty() && request.count() == 0) {
    return errors::InvalidArgument("count", "is required without a course and a protocol");
  }
  for (int i = 0; i < request.anniversaries_size(); ++i) {
    google::type::Date date = request.anniversaries(i);
    date.set_year(2000);  // a leap year
    RETURN_IF_ERROR(time::CheckDate(date, absl::StrCat("anniversaries[", i, "]")));
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
  const bool maintenance = InMaintenance(course);
  int count = request.count() == 0 ? left : request.count();
  if (maintenance && request.count() == 0) count = std::min(count, MostVisits(facts));
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
  std::vector<int> minutes(count, request.minutes());
  if (request.minutes() == 0) {
    for (int i = 0; i < count; ++i) {
      minutes[i] = protocol == nullptr ? kDefaultMinutes : MinutesOf(facts, first + i);
    }
  }
  query.minutes = *std::max_element(minutes.begin(), minutes.end());
  if (maintenance || protocol == nullptr) {
    const int cadence = maintenance ? course->maintenance().cadence_days() : kDaysPerWeek;
    for (int i = 0; i < count; ++i) query.day_offsets.push_back(cadence * i);
  } else {
    query.day_offsets = DayOffsets(*protocol, first, count);
    query.phases = CapsOf(*protocol, course, first, count, planned, policy);
    query.max_weeks = course != nullptr ? MaxWeeks(*course, *protocol) : protocol->max_weeks();
  }
  query.max_exceptions = policy.max_exceptions();
  if (request.has_max_exceptions()) {
    query.max_exceptions = std::min(request.max_exceptions(), query.max_exceptions);
  }
  query.max_exceptions = std::min(query.max_exceptions, openings::kMostExceptions);
  for (const google::type::Date& date : request.anniversaries()) {
    query.anniversaries.push_back({date.month(), date.day()});
  }
  if (!query.filter.remote) query.remote_modality = v1::Modality_Name(v1::MODALITY_VIDEO);
  // More than are asked for, as some may not be such as can be booked.
  query.limit = kMostPlans;
  const int limit = request.limit() == 0 ? kDefaultPlans : std::min(request.limit(), kMostPlans);
  const v1::Modality modality =
      filter.modality() == v1::MODALITY_UNSPECIFIED ? v1::MODALITY_IN_PERSON : filter.modality();

  const auto plan_in = [&](const AvailabilityIndex& index) {
    std::optional<absl::CivilDay> last_day;
    if (course != nullptr) {
      const absl::TimeZone zone = ZoneOf(index, IdOf(course->clinic()));
      last_day = LastDay(*course, facts, zone);
      if (last_day) {
        query.latest =
            std::min(query.latest, absl::FromCivil(*last_day + 1 - query.day_offsets.back(), zone));
      }
    }
    if (query.latest <= query.earliest) return;
    for (const openings::SeriesPlan& plan : openings::PlanSeries(index, query)) {
      if (response.plans_size() == limit) break;
      if (!AtOneClinic(plan)) continue;
      v1::SeriesPlan shown = PlanOf(index, plan, context.organization_id, modality, minutes);
      const auto& last = shown.sessions(shown.sessions_size() - 1);
      if (last_day && time::ToCivilDay(last.local_date()) > *last_day) continue;
      *response.add_plans() = std::move(shown);
    }
  };
  ASSIGN_OR_RETURN(const absl::Time as_of, index_.ReadCurrent(context, plan_in));
  *response.mutable_as_of_time() = time::ToTimestamp(as_of);
  return response;
}

}  // namespace rapport::scheduling
