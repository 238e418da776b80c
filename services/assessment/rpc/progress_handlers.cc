#include "services/assessment/rpc/progress_handlers.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "services/assessment/data/rules/shipped_rules.h"
#include "services/assessment/domain/plans.h"
#include "services/assessment/domain/progress.h"
#include "services/assessment/domain/progress_chart.h"
#include "services/assessment/domain/rhythm.h"
#include "services/assessment/store/assessments.h"
#include "services/assessment/store/due.h"
#include "services/assessment/store/plans.h"
#include "services/assessment/store/rhythm.h"

namespace rapport::assessment {
namespace {

constexpr absl::string_view kRhythm = "srm-5";
constexpr int kMaxDiaryDays = 1100;  // three years; older days are not told
constexpr int kMaxTreatmentEvents = 100;
constexpr int kChartWidth = 960;
constexpr int kChartHeight = 480;

using RulesPtr = std::shared_ptr<const InstrumentRules>;

// One respondent's course with its progress.
struct Loaded {
  care::CourseFacts course;
  std::vector<care::AppointmentFacts> appointments;
  std::map<std::string, RulesPtr> rules;  // by id, of the instruments with forms
  RulesPtr rhythm;                        // null: no diary
  ProgressInput input;
  v1::Progress progress;
};

bool Asks(const v1::PlannedMeasure& measure, bool partner) {
  switch (measure.respondent()) {
    case v1::MEASURE_RESPONDENT_PATIENT:
      return !partner;
    case v1::MEASURE_RESPONDENT_PARTNER:
      return partner;
    default:
      return true;
  }
}

class Loader {
 public:
  Loader(sql::Session& session, const call::CallContext& context, const Catalogues& catalogues,
         const crypto::Vault& vault)
      : session_(session), context_(context), catalogues_(catalogues), vault_(vault) {}

  absl::StatusOr<Loaded> Load(const std::string& course, const std::string& patient) {
    ASSIGN_OR_RETURN(loaded_.course, care::RequireCourse(session_, context_, course, "Course"));
    RETURN_IF_ERROR(Whose(patient));
    RETURN_IF_ERROR(Sessions());
    RETURN_IF_ERROR(Forms());
    RETURN_IF_ERROR(Planned());
    loaded_.input.protocol = std::string(names::Id(state().protocol(), "protocols"));
    loaded_.input.now = context_.now;
    loaded_.input.rules = ShippedTrackRules();
    loaded_.progress = ComputeProgress(loaded_.input);
    RETURN_IF_ERROR(Rhythm());
    return std::move(loaded_);
  }

  // The answers of two forms of each instrument, and no more.
  absl::Status TellItems(Loaded& loaded) {
    std::vector<std::string> names;
    for (const v1::InstrumentProgress& series : loaded.progress.instruments()) {
      const v1::ProgressPoint* newest = NewestComplete(series);
      if (!series.has_change() || newest == nullptr) continue;
      names.push_back(series.baseline().assessment());
      names.push_back(newest->assessment());
    }
    if (names.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<v1::Assessment> forms,
                     store::GetAssessments(session_, vault_, names));
    for (v1::InstrumentProgress& series : *loaded.progress.mutable_instruments()) {
      if (!series.has_change()) continue;
      const InstrumentRules& rules =
          *loaded.rules.at(std::string(names::Id(series.instrument(), "instruments")));
      const auto sheet = [&](const std::string& name) -> std::optional<Sheet> {
        for (const v1::Assessment& form : forms) {
          if (form.name() != name || form.answers().empty()) continue;
          auto read = Sheet::Read(rules, form.answers(), form.context());
          if (auto* answers = std::get_if<Sheet>(&read)) return std::move(*answers);
        }
        return std::nullopt;
      };
      const auto baseline = sheet(series.baseline().assessment());
      const auto newest = sheet(NewestComplete(series)->assessment());
      if (baseline && newest) TellItemChanges(rules, *baseline, *newest, series);
    }
    return absl::OkStatus();
  }

 private:
  const scheduling::v1::CourseEvent& state() const { return loaded_.course.state; }
  const std::string& organization() const { return context_.organization_id; }

  absl::Status Whose(const std::string& patient) {
    partner_ = !patient.empty() && patient != state().patient();
    if (partner_ && (state().partner().empty() || patient != state().partner())) {
      return errors::InvalidArgument("patient", "The course's patient, or its partner.");
    }
    loaded_.input.course = loaded_.course.course;
    loaded_.input.patient = partner_ ? state().partner() : state().patient();
    const auto zone =
        time::LoadZone(partner_ ? state().partner_time_zone() : state().patient_time_zone());
    loaded_.input.zone = zone.ok() ? *zone : absl::UTCTimeZone();
    return absl::OkStatus();
  }

  absl::Status Sessions() {
    ASSIGN_OR_RETURN(loaded_.appointments, care::ListAppointments(session_, loaded_.course.course));
    for (const care::AppointmentFacts& appointment : loaded_.appointments) {
      loaded_.input.sessions.push_back(store::ToSession(appointment));
    }
    return absl::OkStatus();
  }

  absl::Status Forms() {
    ASSIGN_OR_RETURN(std::vector<Form> forms, store::ListForms(session_, loaded_.course.course));
    std::map<std::string, std::vector<Form>> by_instrument;
    for (Form& form : forms) {
      if (form.patient != loaded_.input.patient) continue;
      by_instrument[form.instrument].push_back(std::move(form));
    }
    for (auto& [id, of_it] : by_instrument) {
      ASSIGN_OR_RETURN(RulesPtr rules, catalogues_.FindById(session_, organization(), id));
      if (rules == nullptr) continue;
      loaded_.input.series.push_back({rules.get(), std::move(of_it)});
      loaded_.rules.emplace(id, std::move(rules));
    }
    return absl::OkStatus();
  }

  absl::Status Planned() {
    ASSIGN_OR_RETURN(const store::StoredPlan stored,
                     store::GetPlan(session_, loaded_.course.course));
    const Plan plan =
        PlanOf(state(), Plan(stored.plan.measures().begin(), stored.plan.measures().end()),
               [&](absl::string_view id) {
                 const InstrumentRules* rules = catalogues_.shipped().FindById(id);
                 return rules != nullptr && rules->asks_about_suicide();
               });
    const v1::PlannedMeasure* primary = nullptr;
    for (const v1::PlannedMeasure& measure : plan) {
      if (!Asks(measure, partner_)) continue;
      if (primary == nullptr) primary = &measure;
      loaded_.input.plan.push_back(measure.instrument());
    }
    if (primary == nullptr) return absl::OkStatus();
    for (size_t i = 0; i < loaded_.appointments.size(); ++i) {
      const care::AppointmentFacts& appointment = loaded_.appointments[i];
      // Of the running count alone: what was due in another is not known any more.
      if (appointment.state.segment() == state().segment() &&
          IsDueAt(*primary, appointment.session_number, state())) {
        loaded_.input.primary_due.push_back(static_cast<int>(i));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Rhythm() {
    const absl::CivilDay today = absl::ToCivilDay(context_.now, loaded_.input.zone);
    ASSIGN_OR_RETURN(
        const std::vector<v1::RhythmDay> days,
        store::ListRhythmDays(session_, vault_, loaded_.course.course, loaded_.input.patient,
                              today - kMaxDiaryDays + 1, today, kMaxDiaryDays));
    if (days.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(loaded_.rhythm, catalogues_.FindById(session_, organization(), kRhythm));
    if (loaded_.rhythm == nullptr) return absl::OkStatus();
    const v1::SocialRhythmRule& rule = loaded_.rhythm->instrument().social_rhythm();
    // Weeks from the diary's first day on; one without an entry is left out.
    const absl::CivilDay first = time::ToCivilDay(days.front().date());
    for (size_t i = 0; i < days.size();) {
      const absl::CivilDay start = first + (time::ToCivilDay(days[i].date()) - first) / 7 * 7;
      size_t end = i;
      while (end < days.size() && time::ToCivilDay(days[end].date()) < start + 7) ++end;
      *loaded_.progress.add_rhythm() =
          ComputeRhythm(rule, time::ToDate(start), absl::MakeConstSpan(days).subspan(i, end - i));
      i = end;
    }
    return absl::OkStatus();
  }

  sql::Session& session_;
  const call::CallContext& context_;
  const Catalogues& catalogues_;
  const crypto::Vault& vault_;
  Loaded loaded_;
  bool partner_ = false;
};

std::vector<ChartSession> ChartSessions(const std::vector<care::AppointmentFacts>& appointments) {
  std::vector<ChartSession> sessions;
  for (const care::AppointmentFacts& appointment : appointments) {
    const auto state = appointment.state.state();
    const bool missed = state == scheduling::v1::APPOINTMENT_STATE_NO_SHOW ||
                        (state == scheduling::v1::APPOINTMENT_STATE_CANCELLED &&
                         appointment.state.cancelled_late());
    if (!missed && !store::ToSession(appointment).stands) continue;
    sessions.push_back(
        {appointment.start(), appointment.session_number, missed, appointment.state.segment()});
  }
  return sessions;
}

absl::string_view Said(notes::v1::TreatmentChange change) {
  switch (change) {
    case notes::v1::TREATMENT_CHANGE_STARTED:
      return "started";
    case notes::v1::TREATMENT_CHANGE_STOPPED:
      return "stopped";
    case notes::v1::TREATMENT_CHANGE_INCREASED:
      return "increased";
    case notes::v1::TREATMENT_CHANGE_DECREASED:
      return "decreased";
    case notes::v1::TREATMENT_CHANGE_SWITCHED:
      return "switched";
    case notes::v1::TREATMENT_CHANGE_NOT_TAKEN:
      return "not taken";
    default:
      return "changed";
  }
}

// Noon of the day, so that it stands between the sessions of the days beside it.
std::vector<ChartFlag> TreatmentFlags(const notes::v1::ListEntriesResponse& listed,
                                      absl::TimeZone zone) {
  std::vector<ChartFlag> flags;
  for (const notes::v1::Entry& entry : listed.entries()) {
    const notes::v1::TreatmentEvent& event = entry.treatment_event();
    if (event.treatment().empty()) continue;
    flags.push_back(
        {ChartFlag::Kind::kEvent,
         absl::FromCivil(absl::CivilHour(time::ToCivilDay(event.change_date())) + 12, zone),
         absl::StrCat(event.treatment(), " ", Said(event.change()))});
  }
  return flags;
}

}  // namespace

void ProgressHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.ProgressService", this)
      .Unary("GetProgress", &ProgressHandlers::GetProgress)
      .Unary("RenderProgressChart", &ProgressHandlers::RenderProgressChart);
}

absl::StatusOr<v1::Progress> ProgressHandlers::GetProgress(const call::CallContext& context,
                                                           const v1::GetProgressRequest& request) {
  v1::Progress progress;
  RETURN_IF_ERROR(database_.Read(sql::Access::Tenant(context.organization_id), context.deadline,
                                 [&](sql::Session& session) -> absl::Status {
                                   Loader loader(session, context, catalogues_, vault_);
                                   ASSIGN_OR_RETURN(Loaded loaded, loader.Load(request.course(),
                                                                               request.patient()));
                                   absl::Status told = loader.TellItems(loaded);
                                   progress = std::move(loaded.progress);
                                   return told;
                                 }));
  return progress;
}

absl::StatusOr<v1::RenderProgressChartResponse> ProgressHandlers::RenderProgressChart(
    const call::CallContext& context, const v1::RenderProgressChartRequest& request) {
  Loaded loaded;
  RETURN_IF_ERROR(database_.Read(sql::Access::Tenant(context.organization_id), context.deadline,
                                 [&](sql::Session& session) -> absl::Status {
                                   Loader loader(session, context, catalogues_, vault_);
                                   ASSIGN_OR_RETURN(
                                       loaded, loader.Load(request.course(), request.patient()));
                                   return absl::OkStatus();
                                 }));
  const auto rules = loaded.rules.find(request.instrument());
  if (rules == loaded.rules.end()) {
    return errors::InvalidArgument("instrument", "One that the respondent has filled in.");
  }
  v1::RenderProgressChartResponse response;
  std::vector<ChartFlag> events;
  if (!request.without_events()) {
    notes::v1::ListEntriesRequest treatment;
    treatment.set_parent(
        names::InOrganization(context.organization_id, "cases", names::Last(request.course())));
    treatment.add_kinds(notes::v1::ENTRY_KIND_TREATMENT_EVENT);
    if (!loaded.course.state.partner().empty()) treatment.set_about(loaded.input.patient);
    treatment.set_page_size(kMaxTreatmentEvents);
    const auto told = notes_.Call<notes::v1::ListEntriesResponse>(
        context, "rapport.notes.v1.CaseEntryService/ListEntries", treatment);
    if (told.ok()) {
      events = TreatmentFlags(*told, loaded.input.zone);
    } else {
      response.add_unavailable_sources(std::string(notes_.name()));
    }
  }
  const Chart chart = ChartOf({.rules = rules->second.get(),
                               .progress = &loaded.progress,
                               .course = &loaded.course.state,
                               .zone = loaded.input.zone,
                               .now = context.now,
                               .sessions = ChartSessions(loaded.appointments),
                               .events = std::move(events),
                               .rhythm = loaded.rhythm.get()});
  ASSIGN_OR_RETURN(*response.mutable_svg(),
                   DrawChart(chart, request.width() == 0 ? kChartWidth : request.width(),
                             request.height() == 0 ? kChartHeight : request.height()));
  return response;
}

}  // namespace rapport::assessment
