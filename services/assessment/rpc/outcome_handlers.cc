#include "services/assessment/rpc/outcome_handlers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/assessment/domain/outcomes.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/store/outcomes.h"

namespace rapport::assessment {
namespace {

constexpr int kMostDimensions = 3;
constexpr size_t kMostKept = 500;

absl::Status OutcomesOfOthers() {
  return errors::PermissionDenied("OUTCOMES_OF_OTHERS",
                                  "A clinician's figures are for themselves and their supervisors: "
                                  "ask by clinician, or for one "
                                  "of them.");
}

absl::Status NotTheClinic() {
  return errors::PermissionDenied(
      "NOT_THE_CLINIC", "A manager's figures are of their own clinics: ask by clinic, or for one.");
}

bool Contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

absl::StatusOr<std::optional<int>> ReadMonth(bool given, const google::type::Date& date,
                                             absl::string_view field) {
  if (!given) return std::nullopt;
  RETURN_IF_ERROR(time::CheckDate(date, field));
  if (date.day() != 1) {
    return errors::InvalidArgument(field, "must be the first day of a month");
  }
  return MonthOf(time::ToCivilDay(date));
}

// The clinics that a manager manages.
absl::StatusOr<std::vector<std::string>> ManagedBy(sql::Session& session,
                                                   const call::CallContext& context) {
  std::vector<std::string> clinics;
  if (context.principal->clinics) {
    for (const std::string& id : *context.principal->clinics) {
      clinics.push_back(names::InOrganization(context.organization_id, "clinics", id));
    }
    return clinics;
  }
  ASSIGN_OR_RETURN(const auto clinician,
                   care::ClinicianOfSubject(session, names::Organization(context.organization_id),
                                            context.principal->subject));
  if (!clinician) return clinics;
  return store::ClinicsOf(session, *clinician);
}

}  // namespace

void OutcomeHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.OutcomeService", this)
      .Unary("GetOutcomes", &OutcomeHandlers::GetOutcomes)
      .Unary("RebuildOutcomes", &OutcomeHandlers::RebuildOutcomes);
}

absl::StatusOr<v1::RebuildOutcomesResponse> OutcomeHandlers::RebuildOutcomes(
    const call::CallContext& context, const v1::RebuildOutcomesRequest& request) {
  return call::MutateUnnumbered<v1::RebuildOutcomesResponse>(
      database_, context, [&](call::Change& change) -> absl::StatusOr<v1::RebuildOutcomesResponse> {
        rapport::assessment::RebuildOutcomes(change.tx(), context.organization_id, context.now);
        change.Audit(request.parent(), 0, "");
        return v1::RebuildOutcomesResponse();
      });
}

absl::StatusOr<v1::GetOutcomesResponse> OutcomeHandlers::GetOutcomes(
    const call::CallContext& context, const v1::GetOutcomesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  ASSIGN_OR_RETURN(Asked asked, Read(request));
  RETURN_IF_ERROR(Limit(context, asked));

  const std::string key = absl::StrCat(context.organization_id, "\n", asked.Key());
  std::shared_ptr<const Cells> cells;
  {
    MutexLock lock(mutex_);
    cells = Find(answers_, key, context.now);
  }
  if (cells == nullptr) {
    ASSIGN_OR_RETURN(Cells computed,
                     call::ReadTrailing<Cells>(database_, context, [&](sql::Session& session) {
                       return Compute(session, context, asked);
                     }));
    cells = std::make_shared<const Cells>(std::move(computed));
    MutexLock lock(mutex_);
    Keep(answers_, key, context.now, cells);
  }

  v1::GetOutcomesResponse response;
  auto next =
      std::upper_bound(cells->begin(), cells->end(), page.after,
                       [](const std::string& after, const Cell& cell) { return after < cell.key; });
  if (page.after.empty()) next = cells->begin();
  for (; next != cells->end() && response.cells_size() < page.size; ++next) {
    *response.add_cells() = next->cell;
  }
  if (next != cells->end()) {
    response.set_next_page_token(call::NextPageToken(context, std::prev(next)->key));
  }
  response.add_cautions("Not adjusted for case mix.");
  response.add_cautions("A couple's course counts once for each partner.");
  if (!asked.clinicians) {
    response.add_cautions(absl::StrCat(
        "Cells of fewer than ", kLeastCell,
        " courses are suppressed, with others from which they could be told; figures of fewer are "
        "left out."));
  }
  return response;
}

absl::StatusOr<OutcomeHandlers::Asked> OutcomeHandlers::Read(
    const v1::GetOutcomesRequest& request) {
  Asked asked;
  asked.instrument = request.instrument();
  for (int i = 0; i < request.dimensions_size(); ++i) {
    const std::string field = absl::StrCat("dimensions[", i, "]");
    bool again = false;
    const auto by = [&again](bool& flag) { again = std::exchange(flag, true); };
    const auto by_period = [&](int months) {
      again = asked.period_months != 0;
      asked.period_months = months;
    };
    switch (request.dimensions(i)) {
      case v1::OUTCOME_DIMENSION_CLINIC:
        by(asked.by_clinic);
        break;
      case v1::OUTCOME_DIMENSION_CLINICIAN:
        by(asked.by_clinician);
        break;
      case v1::OUTCOME_DIMENSION_PROTOCOL:
        by(asked.by_protocol);
        break;
      case v1::OUTCOME_DIMENSION_PROBLEM_AREA:
        by(asked.by_problem_area);
        break;
      case v1::OUTCOME_DIMENSION_MONTH:
        by_period(1);
        break;
      case v1::OUTCOME_DIMENSION_QUARTER:
        by_period(3);
        break;
      case v1::OUTCOME_DIMENSION_YEAR:
        by_period(12);
        break;
      default:
        return errors::InvalidArgument(field, "must be a dimension");
    }
    if (again) return errors::InvalidArgument(field, "each dimension once, and one period");
  }
  if (request.dimensions_size() > kMostDimensions) {
    return errors::InvalidArgument("dimensions", "at most three");
  }
  ASSIGN_OR_RETURN(asked.first_month,
                   ReadMonth(request.has_start_date(), request.start_date(), "start_date"));
  ASSIGN_OR_RETURN(asked.last_month,
                   ReadMonth(request.has_end_date(), request.end_date(), "end_date"));
  if (asked.last_month) --*asked.last_month;
  if (asked.first_month && asked.last_month && *asked.first_month > *asked.last_month) {
    return errors::InvalidArgument("end_date", "must be after start_date");
  }
  asked.clinic = request.clinic();
  asked.clinician = request.clinician();
  asked.protocol = request.protocol().substr(0, request.protocol().find("/revisions/"));
  return asked;
}

absl::Status OutcomeHandlers::Limit(const call::CallContext& context, Asked& asked) const {
  const sql::Access access = sql::Access::Tenant(context.organization_id);
  if (asked.by_clinician || !asked.clinician.empty()) {
    care::Reach reach;
    RETURN_IF_ERROR(
        database_.Read(access, context.deadline, [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(reach, care::ReachOf(session, context));
          return absl::OkStatus();
        }));
    if (reach.clinician.empty()) return OutcomesOfOthers();
    asked.clinicians = std::move(reach.supervised);
    asked.clinicians->push_back(reach.clinician);
    std::sort(asked.clinicians->begin(), asked.clinicians->end());
    if (!asked.clinician.empty() && !Contains(*asked.clinicians, asked.clinician)) {
      return OutcomesOfOthers();
    }
    return absl::OkStatus();
  }

  if (!context.principal->HasRole("analyst")) {
    if (!context.principal->HasRole("clinic_manager")) return OutcomesOfOthers();
    RETURN_IF_ERROR(
        database_.Read(access, context.deadline, [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(asked.clinics, ManagedBy(session, context));
          return absl::OkStatus();
        }));
    std::sort(asked.clinics->begin(), asked.clinics->end());
    if (asked.clinic.empty() && asked.clinics->size() == 1) asked.clinic = asked.clinics->front();
    if (asked.clinic.empty() ? asked.clinics->empty() || !asked.by_clinic
                             : !Contains(*asked.clinics, asked.clinic)) {
      return NotTheClinic();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<OutcomeHandlers::Cells> OutcomeHandlers::Compute(sql::Session& session,
                                                                const call::CallContext& context,
                                                                const Asked& asked) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const InstrumentRules> rules,
                   catalogues_.FindById(session, context.organization_id, asked.instrument));
  if (rules == nullptr) {
    return errors::InvalidArgument("instrument",
                                   "must be an instrument that ListInstruments tells");
  }
  store::OutcomeQuery query{
      .organization_id = context.organization_id,
      .instrument = asked.instrument,
      .by_clinic = asked.by_clinic,
      .by_clinician = asked.by_clinician,
      .by_protocol = asked.by_protocol,
      .by_problem_area = asked.by_problem_area,
      .period_months = asked.period_months,
      .by_tenth = false,
      .clinic = asked.clinic,
      .clinician = asked.clinician,
      .protocol = asked.protocol,
      .first_month = asked.first_month.value_or(0),
      .last_month = asked.last_month.value_or(std::numeric_limits<int32_t>::max())};

  const auto key_of = [](const store::OutcomeGroup& group) {
    return absl::StrFormat("%s\n%s\n%s\n%07d\n%03d", group.clinic, group.clinician, group.protocol,
                           group.period, group.problem_area);
  };
  std::shared_ptr<const Disclosure> disclosure;
  std::map<std::string, ByTenth> own;
  ByTenth organization;
  if (!asked.clinicians) {
    ASSIGN_OR_RETURN(disclosure, DisclosureOf(session, context, asked.instrument));
  } else {
    query.by_tenth = true;
    ASSIGN_OR_RETURN(const auto of_cells, store::SumOutcomes(session, query));
    for (const auto& group : of_cells) own[key_of(group)][group.tenth] = group.sums.scored;
    query.by_tenth = false;
    store::OutcomeQuery all;
    all.organization_id = context.organization_id;
    all.instrument = asked.instrument;
    all.by_tenth = true;
    ASSIGN_OR_RETURN(const auto of_all, store::SumOutcomes(session, all));
    for (const auto& group : of_all) organization[group.tenth] = group.sums.scored;
  }

  ASSIGN_OR_RETURN(const std::vector<store::OutcomeGroup> groups,
                   store::SumOutcomes(session, query));
  Cells cells;
  for (const store::OutcomeGroup& group : groups) {
    if (asked.clinics && asked.by_clinic && !Contains(*asked.clinics, group.clinic)) continue;
    if (asked.by_clinician && !Contains(*asked.clinicians, group.clinician)) continue;
    Cell& told = cells.emplace_back();
    told.key = key_of(group);
    v1::OutcomeCell& cell = told.cell;
    if (asked.clinicians) {
      cell = CellOf(group.sums);
      if (const auto found = own.find(told.key); found != own.end()) {
        if (auto funnel = FunnelOf(found->second, organization)) {
          *cell.mutable_funnel() = *std::move(funnel);
        }
      }
    } else {
      Disclosure::Box box;
      if (asked.by_clinic || !asked.clinic.empty()) {
        box.clinic = asked.by_clinic ? group.clinic : asked.clinic;
      }
      if (asked.by_protocol || !asked.protocol.empty()) {
        box.protocol = asked.by_protocol ? group.protocol : asked.protocol;
      }
      if (asked.by_problem_area) box.problem_area = group.problem_area;
      box.first_month = asked.first_month;
      box.last_month = asked.last_month;
      if (asked.period_months != 0) {
        const int first = group.period * asked.period_months;
        const int last = first + asked.period_months - 1;
        box.first_month = std::max(first, asked.first_month.value_or(first));
        box.last_month = std::min(last, asked.last_month.value_or(last));
      }
      using Of = Disclosure::Of;
      if (group.sums.started < kLeastCell || !disclosure->Told(Of::kStarted, box)) {
        cell.set_suppressed(true);
      } else {
        cell = CellOf(group.sums);
        if (group.sums.scored.n < kLeastCell || !disclosure->Told(Of::kScored, box)) {
          cell.clear_intention_to_treat();
          cell.clear_completers();
        }
        if (group.sums.completers.n < kLeastCell || !disclosure->Told(Of::kCompleters, box)) {
          cell.clear_completers();
        }
      }
    }
    v1::CellKey& key = *cell.mutable_key();
    key.set_clinic(group.clinic);
    key.set_clinician(group.clinician);
    key.set_protocol(group.protocol);
    if (asked.period_months != 0) {
      *key.mutable_period_start() = time::ToDate(FirstDayOf(group.period * asked.period_months));
    }
    key.set_problem_area(static_cast<scheduling::v1::FocusArea>(group.problem_area));
  }
  std::sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.key < b.key; });
  return cells;
}

absl::StatusOr<std::shared_ptr<const Disclosure>> OutcomeHandlers::DisclosureOf(
    sql::Session& session, const call::CallContext& context, const std::string& instrument) {
  const std::string key = absl::StrCat(context.organization_id, "\n", instrument);
  {
    MutexLock lock(mutex_);
    if (auto found = Find(disclosures_, key, context.now)) return found;
  }
  ASSIGN_OR_RETURN(const std::vector<Disclosure::Group> groups,
                   store::CountOutcomes(session, context.organization_id, instrument));
  std::shared_ptr<const Disclosure> disclosure = Disclosure::Make(groups);
  MutexLock lock(mutex_);
  Keep(disclosures_, key, context.now, disclosure);
  return disclosure;
}

std::string OutcomeHandlers::Asked::Key() const {
  const auto month = [](const std::optional<int>& value) { return value ? *value : -1; };
  const auto names = [](const std::optional<std::vector<std::string>>& values) {
    return values ? absl::StrCat("of ", absl::StrJoin(*values, " ")) : std::string();
  };
  return absl::StrJoin(
      std::make_tuple(instrument, by_clinic, by_clinician, by_protocol, by_problem_area,
                      period_months, clinic, clinician, protocol, month(first_month),
                      month(last_month), names(clinics), names(clinicians)),
      "\n");
}

template <class Value>
std::shared_ptr<const Value> OutcomeHandlers::Find(const Kept<Value>& kept, const std::string& key,
                                                   absl::Time now) const {
  const auto found = kept.entries.find(key);
  if (found == kept.entries.end()) return nullptr;
  return absl::AbsDuration(now - found->second.since) < keep_ ? found->second.value : nullptr;
}

template <class Value>
void OutcomeHandlers::Keep(Kept<Value>& kept, const std::string& key, absl::Time now,
                           std::shared_ptr<const Value> value) {
  if (kept.entries.size() >= kMostKept) kept.entries.clear();
  kept.entries.insert_or_assign(key, typename Kept<Value>::Entry{now, std::move(value)});
}

}  // namespace rapport::assessment
