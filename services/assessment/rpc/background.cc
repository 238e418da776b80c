#include "services/assessment/rpc/background.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/auth/principal.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace_context.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "services/assessment/domain/alerts.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kAskEvery = absl::Milliseconds(50);
constexpr absl::Duration kAskFor = absl::Hours(24);  // from when the alert was raised
constexpr absl::Duration kFirstPause = absl::Seconds(5);
constexpr absl::Duration kLongestPause = absl::Minutes(5);
constexpr absl::Duration kPatience = absl::Seconds(10);  // for a statement, real clock
constexpr size_t kMostWanted = 1000;

std::string NameOf(const work::Item& item) {
  return names::InOrganization(item.organization_id, "alerts", item.key);
}

// Whether asking again later may help.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

Background::Background(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
                       call::Peer& scheduling)
    : database_(database),
      clock_(clock),
      scheduling_(scheduling),
      worker_(database, clock, metrics) {
  const auto on =
      [this](absl::string_view kind,
             absl::Status (Background::*act)(sql::Transaction&, const work::Item&, absl::Time)) {
        worker_.On(kind, [this, act](sql::Transaction& tx, const work::Item& item, absl::Time now) {
          return (this->*act)(tx, item, now);
        });
      };
  on(kOwnershipWork, &Background::GiveToOwners);
  on(store::kEscalationWork, &Background::Escalate);
  on(store::kUrgentHoldWork, &Background::WantHold);
}

Background::~Background() { Stop(); }

void Background::Start(absl::Duration period) {
  worker_.Start(period);
  asking_ = std::make_unique<PeriodicThread>("urgent_holds", kAskEvery, [this] { AskForHolds(); });
}

void Background::Stop() {
  worker_.Stop();
  asking_.reset();
}

absl::StatusOr<int> Background::RunOnce() {
  ASSIGN_OR_RETURN(const int done, worker_.RunOnce());
  AskForHolds();
  return done;
}

absl::Status Background::GiveToOwners(sql::Transaction& tx, const work::Item& item,
                                      absl::Time now) {
  return RecomputeOwners(tx, item.organization_id, "", now);
}

absl::Status Background::Escalate(sql::Transaction& tx, const work::Item& item, absl::Time now) {
  store::LockAlerts(tx, item.organization_id);
  absl::StatusOr<store::StoredAlert> stored = store::GetAlert(tx, NameOf(item));
  if (absl::IsNotFound(stored.status())) return absl::OkStatus();
  RETURN_IF_ERROR(stored.status());
  auto& [alert, version] = *stored;
  if (alert.state() != v1::ALERT_STATE_OPEN || !alert.has_acknowledge_before_time()) {
    return absl::OkStatus();
  }
  if (const absl::Time before = time::ToTime(alert.acknowledge_before_time()); before > now) {
    work::Schedule(tx, item.organization_id, item.kind, item.key, before);
    return absl::OkStatus();
  }
  const std::string organization = names::Organization(item.organization_id);
  ASSIGN_OR_RETURN(const care::CourseFacts course, care::GetCourse(tx, alert.course()));
  ASSIGN_OR_RETURN(const care::OwnershipFacts facts,
                   care::OwnershipFactsOf(tx, course.state, organization, now));
  ASSIGN_OR_RETURN(const care::OrganizationFacts settings, care::GetOrganization(tx, organization));
  const int level = alert.escalation_level() + 1;
  const std::vector<std::string> next = EscalatesTo({.clinic_duty = facts.clinic_duty,
                                                     .organization_duty = facts.organization_duty,
                                                     .away = facts.away},
                                                    alert, level);
  alert.set_escalation_level(level);
  alert.mutable_escalated_to()->Add(next.begin(), next.end());
  if (const auto before = AcknowledgeBefore(alert.severity(), now, settings.state)) {
    *alert.mutable_acknowledge_before_time() = time::ToTimestamp(*before);
  }
  RETURN_IF_ERROR(store::UpdateAlert(tx, alert, version));
  store::InsertEscalated(tx, alert.name(), next);
  RecordOwn(tx, "EscalateAlert", alert, version + 1, now);
  return absl::OkStatus();
}

// Scheduling is asked outside of any transaction: here the item is put off, and is done once there
// is an answer.
absl::Status Background::WantHold(sql::Transaction& tx, const work::Item& item, absl::Time now) {
  absl::StatusOr<store::StoredAlert> stored = store::GetAlert(tx, NameOf(item));
  if (absl::IsNotFound(stored.status())) return absl::OkStatus();
  RETURN_IF_ERROR(stored.status());
  const absl::Duration age = now - time::ToTime(stored->alert.create_time());
  if (!WantsHold(stored->alert) || age > kAskFor) return absl::OkStatus();
  work::Schedule(tx, item.organization_id, item.kind, item.key,
                 now + std::clamp(age, kFirstPause, kLongestPause));
  MutexLock lock(mutex_);
  if (wanted_.size() < kMostWanted) wanted_[stored->alert.name()] = std::move(stored->alert);
  return absl::OkStatus();
}

void Background::AskForHolds() {
  std::map<std::string, v1::Alert> wanted;
  {
    MutexLock lock(mutex_);
    wanted.swap(wanted_);
  }
  for (const auto& [name, alert] : wanted) AskForHold(alert);
}

void Background::AskForHold(const v1::Alert& alert) {
  auto self = std::make_shared<auth::Principal>();
  self->kind = auth::Principal::Kind::kService;
  self->subject = "service:assessment";
  call::CallContext context;
  context.principal = std::move(self);
  context.organization_id = std::string(names::OrganizationId(alert.name()));
  context.deadline = absl::Now() + kPatience;
  context.now = clock_.Now();
  context.trace = telemetry::TraceContext::New();

  scheduling::v1::HoldUrgentAppointmentRequest request;
  request.set_course(alert.course());
  request.set_patient(alert.respondent());
  *request.mutable_before_time() = time::ToTimestamp(HoldBefore(alert));
  request.set_request_id(std::string(names::Last(alert.name())));
  const auto held = scheduling_.Call<scheduling::v1::Appointment>(
      context, "rapport.scheduling.v1.AppointmentService/HoldUrgentAppointment", request);
  if (!held.ok() && MayPass(held.status())) return;
  const std::string reason(errors::Reason(held.status()));
  if (!held.ok() && reason != "NO_OPENING") {
    telemetry::Log(telemetry::Severity::kWarning, "scheduling refuses to hold a time",
                   {{"alert", alert.name()},
                    {"code", absl::StatusCodeToString(held.status().code())},
                    {"reason", reason}});
  }
  const absl::Status settled = SettleHold(alert, held.ok() ? held->name() : "");
  if (!settled.ok()) {
    telemetry::Log(telemetry::Severity::kWarning, "a held time can't be noted; it is asked again",
                   {{"alert", alert.name()}, {"status", settled.ToString()}});
  }
}

// Whatever came of it, nobody needs to ask again.
absl::Status Background::SettleHold(const v1::Alert& asked, const std::string& appointment) {
  const std::string organization_id(names::OrganizationId(asked.name()));
  return database_.Write(sql::Access::Tenant(organization_id), absl::Now() + kPatience,
                         [&](sql::Transaction& tx) -> absl::Status {
                           store::LockAlerts(tx, organization_id);
                           ASSIGN_OR_RETURN(auto stored, store::GetAlert(tx, asked.name()));
                           auto& [alert, version] = stored;
                           work::Unschedule(tx, organization_id, store::kUrgentHoldWork,
                                            names::Last(asked.name()));
                           if (appointment.empty() || !WantsHold(alert)) return absl::OkStatus();
                           alert.set_urgent_hold(appointment);
                           RETURN_IF_ERROR(store::UpdateAlert(tx, alert, version));
                           RecordOwn(tx, "HoldUrgently", alert, version + 1, clock_.Now());
                           return absl::OkStatus();
                         });
}

}  // namespace rapport::assessment
