#include "services/assessment/rpc/planning.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/assessment/store/due.h"
#include "services/assessment/store/plans.h"
#include "services/assessment/store/rhythm.h"

namespace rapport::assessment {
namespace {

// A page is made of no more than kBatches times so many sessions.
constexpr int kSessionsAtOnce = 250;
constexpr int kBatches = 4;

// A clinic manager sees which measures are due in their clinics (all of the organisation where the
// token names none), without answers or scores.
struct ManagerReach {
  bool manager = false;
  std::optional<std::vector<std::string>> clinics;

  bool Covers(const scheduling::v1::CourseEvent& course) const {
    return manager && (!clinics || std::find(clinics->begin(), clinics->end(),
                                             names::Last(course.clinic())) != clinics->end());
  }
};

ManagerReach ManagerReachOf(const call::CallContext& context) {
  return {context.principal->HasRole("clinic_manager"), context.principal->clinics};
}

// Zone of one of the course's patients; UTC where it is not known.
absl::TimeZone ZoneOf(const scheduling::v1::CourseEvent& course, absl::string_view patient) {
  const auto zone = time::LoadZone(patient == course.partner() ? course.partner_time_zone()
                                                               : course.patient_time_zone());
  return zone.ok() ? *zone : absl::UTCTimeZone();
}

Plan AdjustedEntries(const v1::MeasurementPlan& plan) {
  return Plan(plan.measures().begin(), plan.measures().end());
}

class DueReader {
 public:
  DueReader(sql::Session& session, const Catalogues& catalogues, const call::CallContext& context,
            const v1::ListDueMeasuresRequest& request, const call::Page& page)
      : session_(session),
        context_(context),
        request_(request),
        page_(page),
        whose_{context.organization_id, request.course(), request.clinician()},
        instruments_(session, catalogues, context.organization_id) {}

  absl::StatusOr<v1::ListDueMeasuresResponse> Read();

 private:
  // Where an entry stands in the order: when it is due; its session, none before all; then which it
  // is of those.
  struct Position {
    store::Place place;
    std::string which;

    auto Tie() const { return std::tie(place.micros, place.name, which); }
    std::string Key() const { return call::JoinKey(place.Key(), which); }
  };
  struct ByDays {
    Position position;
    v1::DueMeasure due;
  };

  absl::Status RequireWhose();
  absl::StatusOr<const Plan*> PlanFor(absl::string_view course,
                                      const scheduling::v1::CourseEvent& state);
  // By their positions, those after `after`.
  absl::StatusOr<std::vector<ByDays>> ReadByDays(const Position& after);
  absl::Status ReadDiaries(const std::vector<store::CourseSession>& sessions);
  bool KeptDiary(const v1::SocialRhythmRule& rule, const v1::DueMeasure& due,
                 const scheduling::v1::CourseEvent& course) const;
  // False where the page is full: then it has its token.
  bool Put(const Position& position, v1::DueMeasure due);

  sql::Session& session_;
  const call::CallContext& context_;
  const v1::ListDueMeasuresRequest& request_;
  const call::Page& page_;
  const store::Whose whose_;
  bool own_ = true;  // not by way of managing a clinic
  KnownInstruments instruments_;
  std::map<std::string, v1::MeasurementPlan> adjusted_;
  std::map<std::string, Plan, std::less<>> plans_;
  std::set<std::tuple<std::string, std::string, absl::CivilDay>> diary_days_;
  std::string last_key_;
  v1::ListDueMeasuresResponse response_;
};

absl::Status DueReader::RequireWhose() {
  const ManagerReach manager = ManagerReachOf(context_);
  if (!request_.course().empty()) {
    own_ = care::RequireCourse(session_, context_, request_.course(), "Course").ok();
    return own_ ? absl::OkStatus() : RequireDueOf(session_, context_, request_.course()).status();
  }
  ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session_, context_));
  own_ = context_.is_service() || reach.Reaches(request_.clinician());
  if (own_ || manager.manager) return absl::OkStatus();
  return errors::NotFound("Clinician");
}

absl::StatusOr<const Plan*> DueReader::PlanFor(absl::string_view course,
                                               const scheduling::v1::CourseEvent& state) {
  const auto known = plans_.find(course);
  if (known != plans_.end()) return &known->second;
  const auto adjusted = adjusted_.find(std::string(course));
  ASSIGN_OR_RETURN(
      Plan plan,
      ReadPlan(instruments_, state,
               adjusted == adjusted_.end() ? Plan() : AdjustedEntries(adjusted->second)));
  return &plans_.emplace(course, std::move(plan)).first->second;
}

absl::StatusOr<std::vector<DueReader::ByDays>> DueReader::ReadByDays(const Position& after) {
  std::vector<ByDays> listed;
  ASSIGN_OR_RETURN(const std::vector<store::DayCourse> courses,
                   store::ListDayCourses(session_, whose_));
  if (courses.empty()) return listed;
  ASSIGN_OR_RETURN(const std::vector<store::CourseForm> newest,
                   store::ListNewestForms(session_, whose_));
  std::map<absl::string_view, std::vector<Form>> forms;
  for (const auto& each : newest) forms[each.course].push_back(each.form);
  const ManagerReach manager = ManagerReachOf(context_);
  for (const auto& [course, state, since] : courses) {
    if (!own_ && !manager.Covers(state)) continue;
    ASSIGN_OR_RETURN(const Plan* plan, PlanFor(course, state));
    for (v1::DueMeasure& due : DueByDays(course, state, *plan, since, forms[course],
                                         ZoneOf(state, state.patient()), context_.now)) {
      const Position position{{absl::ToUnixMicros(time::ToTime(due.due_time())), ""},
                              absl::StrCat(course, " ", due.instrument(), " ", due.patient())};
      if (position.Tie() > after.Tie()) listed.push_back({position, std::move(due)});
    }
  }
  std::sort(listed.begin(), listed.end(),
            [](const ByDays& a, const ByDays& b) { return a.position.Tie() < b.position.Tie(); });
  return listed;
}

absl::Status DueReader::ReadDiaries(const std::vector<store::CourseSession>& sessions) {
  diary_days_.clear();
  int days = 0;
  for (const auto& each : sessions) {
    for (const v1::PlannedMeasure& measure : plans_.find(each.course)->second) {
      if (const InstrumentRules* rules = instruments_.Find(measure.instrument())) {
        days = std::max(days, rules->instrument().social_rhythm().diary_days());
      }
    }
  }
  if (days == 0) return absl::OkStatus();
  const auto day_of = [](const store::CourseSession& each) {
    return absl::ToCivilDay(each.session.start, absl::UTCTimeZone());
  };
  ASSIGN_OR_RETURN(std::vector<store::DiaryDay> listed,
                   store::ListDiaryDays(session_, whose_, day_of(sessions.front()) - days - 1,
                                        day_of(sessions.back()) + 1));
  for (store::DiaryDay& day : listed) {
    diary_days_.emplace(std::move(day.course), std::move(day.patient), day.date);
  }
  return absl::OkStatus();
}

bool DueReader::KeptDiary(const v1::SocialRhythmRule& rule, const v1::DueMeasure& due,
                          const scheduling::v1::CourseEvent& course) const {
  const absl::CivilDay session =
      absl::ToCivilDay(time::ToTime(due.due_time()), ZoneOf(course, due.patient()));
  int kept = 0;
  for (int back = 1; back <= rule.diary_days(); ++back) {
    kept += diary_days_.contains({due.course(), due.patient(), session - back}) ? 1 : 0;
  }
  return kept > 0 && kept >= rule.min_days();
}

bool DueReader::Put(const Position& position, v1::DueMeasure due) {
  // A plan may ask for what this release can't score.
  if (instruments_.Find(due.instrument()) == nullptr) return true;
  if (!request_.states().empty() && std::find(request_.states().begin(), request_.states().end(),
                                              due.state()) == request_.states().end()) {
    return true;
  }
  if (response_.due_measures_size() == page_.size) {
    response_.set_next_page_token(call::NextPageToken(context_, last_key_));
    return false;
  }
  last_key_ = position.Key();
  *response_.add_due_measures() = std::move(due);
  return true;
}

absl::StatusOr<v1::ListDueMeasuresResponse> DueReader::Read() {
  RETURN_IF_ERROR(RequireWhose());
  Position after{store::Place::After(page_, {std::numeric_limits<int64_t>::min(), ""}), ""};
  std::tie(after.place.name, after.which) = call::SplitKey(after.place.name);
  ASSIGN_OR_RETURN(adjusted_, store::ListPlans(session_, whose_));
  ASSIGN_OR_RETURN(std::vector<ByDays> by_days, ReadByDays(after));
  auto next = by_days.begin();
  const ManagerReach manager = ManagerReachOf(context_);

  for (int batch = 0; batch < kBatches; ++batch) {
    ASSIGN_OR_RETURN(const std::vector<store::CourseSession> sessions,
                     store::ListSessions(session_, whose_, after.place, kSessionsAtOnce));
    std::map<absl::string_view, std::vector<Form>> forms;
    std::vector<store::CourseForm> listed;
    std::map<std::tuple<std::string, std::string, std::string>, std::string> requests;
    if (!sessions.empty()) {
      absl::Time end = absl::InfinitePast();
      for (const auto& each : sessions) {
        end = std::max(end, each.session.end);
        RETURN_IF_ERROR(PlanFor(each.course, each.state).status());
      }
      ASSIGN_OR_RETURN(
          listed,
          store::ListFormsBetween(session_, whose_, sessions.front().session.start - kWindow, end));
      for (const auto& each : listed) forms[each.course].push_back(each.form);
      RETURN_IF_ERROR(ReadDiaries(sessions));
      ASSIGN_OR_RETURN(std::vector<store::SessionRequest> requested,
                       store::ListSessionRequests(session_, whose_, sessions.front().session.start,
                                                  sessions.back().session.start));
      for (auto& [appointment, instrument, patient, request] : requested) {
        requests.insert_or_assign({appointment, instrument, patient}, std::move(request));
      }
    }
    for (const auto& each : sessions) {
      for (; next != by_days.end() && next->position.place.micros <= each.start_micros; ++next) {
        if (!Put(next->position, std::move(next->due))) return std::move(response_);
      }
      if (!own_ && !manager.Covers(each.state)) continue;
      const store::Place place{each.start_micros, each.session.appointment};
      bool told = place.micros == after.place.micros && place.name == after.place.name;
      for (v1::DueMeasure& due : DueFor(each.course, each.state, plans_.find(each.course)->second,
                                        each.session, forms[each.course], context_.now)) {
        const std::string which = absl::StrCat(due.instrument(), " ", due.patient());
        if (told) {
          told = which != after.which;
          continue;
        }
        const InstrumentRules* rules = instruments_.Find(due.instrument());
        if (rules != nullptr && rules->instrument().has_social_rhythm() &&
            KeptDiary(rules->instrument().social_rhythm(), due, each.state)) {
          due.set_state(v1::DUE_STATE_DONE);
        }
        if (const auto request =
                requests.find({due.appointment(), due.instrument(), due.patient()});
            request != requests.end()) {
          due.set_measure_request(request->second);
        }
        if (!Put({place, which}, std::move(due))) return std::move(response_);
      }
    }
    if (sessions.size() < static_cast<size_t>(kSessionsAtOnce)) {
      for (; next != by_days.end(); ++next) {
        if (!Put(next->position, std::move(next->due))) return std::move(response_);
      }
      return std::move(response_);
    }
    after = {{sessions.back().start_micros, sessions.back().session.appointment}, ""};
  }
  response_.set_next_page_token(call::NextPageToken(context_, after.Key()));
  return std::move(response_);
}

}  // namespace

absl::Status KnownInstruments::Load(absl::string_view id) {
  if (loaded_.contains(id)) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::shared_ptr<const InstrumentRules> rules,
                   catalogues_.FindById(session_, organization_id_, id));
  loaded_.emplace(id, std::move(rules));
  return absl::OkStatus();
}

const InstrumentRules* KnownInstruments::Find(absl::string_view id) const {
  const auto found = loaded_.find(id);
  return found == loaded_.end() ? nullptr : found->second.get();
}

bool KnownInstruments::AsksAboutSuicide(absl::string_view id) const {
  const InstrumentRules* const rules = Find(id);
  return rules != nullptr && rules->asks_about_suicide();
}

absl::StatusOr<Plan> ReadPlan(KnownInstruments& instruments,
                              const scheduling::v1::CourseEvent& course, const Plan& adjusted) {
  for (const auto& measure : course.measures()) {
    RETURN_IF_ERROR(instruments.Load(measure.instrument()));
  }
  for (const auto& measure : course.maintenance().measures()) {
    RETURN_IF_ERROR(instruments.Load(measure.instrument()));
  }
  for (const auto& measure : adjusted) RETURN_IF_ERROR(instruments.Load(measure.instrument()));
  for (const char* safety : {"phq-9", "phq-a"}) RETURN_IF_ERROR(instruments.Load(safety));
  return PlanOf(course, adjusted,
                [&](absl::string_view id) { return instruments.AsksAboutSuicide(id); });
}

absl::StatusOr<care::CourseFacts> RequireDueOf(sql::Session& session,
                                               const call::CallContext& context,
                                               absl::string_view course) {
  auto required = care::RequireCourse(session, context, course, "Course");
  const ManagerReach manager = ManagerReachOf(context);
  if (!absl::IsNotFound(required.status()) || !manager.manager) return required;
  ASSIGN_OR_RETURN(care::CourseFacts facts, care::GetCourse(session, course));
  if (!manager.Covers(facts.state)) return errors::NotFound("Course");
  return facts;
}

absl::StatusOr<v1::ListDueMeasuresResponse> ListDue(sql::Session& session,
                                                    const Catalogues& catalogues,
                                                    const call::CallContext& context,
                                                    const v1::ListDueMeasuresRequest& request,
                                                    const call::Page& page) {
  return DueReader(session, catalogues, context, request, page).Read();
}

}  // namespace rapport::assessment
