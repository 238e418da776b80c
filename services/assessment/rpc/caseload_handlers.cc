#include "services/assessment/rpc/caseload_handlers.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/call/mutate.h"
#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/assessment/data/rules/shipped_rules.h"
#include "services/assessment/domain/plans.h"
#include "services/assessment/domain/progress.h"
#include "services/assessment/store/alerts.h"
#include "services/assessment/store/caseload.h"
#include "services/assessment/store/due.h"

namespace rapport::assessment {
namespace {

using RulesPtr = std::shared_ptr<const InstrumentRules>;

// The progress of the patient of a course, as ProgressService tells it.
class Progressing {
 public:
  Progressing(sql::Session& session, const call::CallContext& context, const Catalogues& catalogues)
      : session_(session), context_(context), catalogues_(catalogues) {}

  absl::StatusOr<v1::Progress> Of(const store::CourseRecord& record) {
    ProgressInput input;
    input.course = record.course;
    input.patient = record.state.patient();
    input.protocol = std::string(names::Id(record.state.protocol(), "protocols"));
    const auto zone = time::LoadZone(record.state.patient_time_zone());
    input.zone = zone.ok() ? *zone : absl::UTCTimeZone();
    input.now = context_.now;
    input.rules = ShippedTrackRules();
    for (const care::AppointmentFacts& appointment : record.appointments) {
      input.sessions.push_back(store::ToSession(appointment));
    }
    std::map<std::string, std::vector<Form>> by_instrument;
    for (const Form& form : record.forms) {
      if (form.patient == input.patient) by_instrument[form.instrument].push_back(form);
    }
    for (auto& [id, forms] : by_instrument) {
      ASSIGN_OR_RETURN(const InstrumentRules* rules, RulesOf(id));
      if (rules != nullptr) input.series.push_back({rules, std::move(forms)});
    }
    AddPlan(record, input);
    return ComputeProgress(input);
  }

 private:
  // Null: there is none.
  absl::StatusOr<const InstrumentRules*> RulesOf(const std::string& id) {
    auto found = rules_.find(id);
    if (found == rules_.end()) {
      ASSIGN_OR_RETURN(RulesPtr rules,
                       catalogues_.FindById(session_, context_.organization_id, id));
      found = rules_.emplace(id, std::move(rules)).first;
    }
    return found->second.get();
  }

  void AddPlan(const store::CourseRecord& record, ProgressInput& input) const {
    const Plan plan =
        PlanOf(record.state, Plan(record.plan.measures().begin(), record.plan.measures().end()),
               [&](absl::string_view id) {
                 const InstrumentRules* rules = catalogues_.shipped().FindById(id);
                 return rules != nullptr && rules->asks_about_suicide();
               });
    const v1::PlannedMeasure* primary = nullptr;
    for (const v1::PlannedMeasure& measure : plan) {
      if (measure.respondent() == v1::MEASURE_RESPONDENT_PARTNER) continue;
      if (primary == nullptr) primary = &measure;
      input.plan.push_back(measure.instrument());
    }
    for (size_t i = 0; primary != nullptr && i < record.appointments.size(); ++i) {
      const care::AppointmentFacts& appointment = record.appointments[i];
      if (appointment.state.segment() == record.state.segment() &&
          IsDueAt(*primary, appointment.session_number, record.state)) {
        input.primary_due.push_back(static_cast<int>(i));
      }
    }
  }

  sql::Session& session_;
  const call::CallContext& context_;
  const Catalogues& catalogues_;
  std::map<std::string, RulesPtr> rules_;  // by id
};

}  // namespace

void CaseloadHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.CaseloadService", this)
      .Unary("GetCourseNeeds", &CaseloadHandlers::GetCourseNeeds);
}

absl::StatusOr<v1::GetCourseNeedsResponse> CaseloadHandlers::GetCourseNeeds(
    const call::CallContext& context, const v1::GetCourseNeedsRequest& request) {
  return call::Read<v1::GetCourseNeedsResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::GetCourseNeedsResponse> {
        v1::GetCourseNeedsResponse response;
        ASSIGN_OR_RETURN(const care::Reach reach, care::ReachOf(session, context));
        ASSIGN_OR_RETURN(
            const std::vector<store::CourseRecord> records,
            store::ListCourseRecords(
                session, context.organization_id,
                {request.courses().begin(), request.courses().end()},
                [&](absl::string_view responsible) { return reach.Reaches(responsible); }));
        if (records.empty()) return response;
        ASSIGN_OR_RETURN(std::vector<store::StoredAlert> alerts,
                         store::ListUnresolved(session, context.organization_id, /*course=*/""));
        std::stable_sort(alerts.begin(), alerts.end(),
                         [](const store::StoredAlert& one, const store::StoredAlert& other) {
                           return time::ToTime(one.alert.create_time()) <
                                  time::ToTime(other.alert.create_time());
                         });
        Progressing progressing(session, context, catalogues_);
        for (const store::CourseRecord& record : records) {
          v1::CourseNeeds& needs = *response.add_courses();
          needs.set_course(record.course);
          for (const store::StoredAlert& stored : alerts) {
            if (stored.alert.course() != record.course) continue;
            v1::UnresolvedAlert& alert = *needs.add_alerts();
            alert.set_alert(stored.alert.name());
            alert.set_kind(stored.alert.kind());
            alert.set_severity(stored.alert.severity());
            *alert.mutable_create_time() = stored.alert.create_time();
          }
          ASSIGN_OR_RETURN(const v1::Progress progress, progressing.Of(record));
          for (const v1::ProgressFlag& flag : progress.flags()) {
            if (flag.holds()) *needs.add_flags() = flag;
          }
          for (const v1::Milestone& milestone : progress.milestones()) {
            if (milestone.holds()) needs.add_terms(milestone.term());
          }
        }
        return response;
      });
}

}  // namespace rapport::assessment
