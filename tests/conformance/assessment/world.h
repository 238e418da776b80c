#ifndef RAPPORT_TESTS_CONFORMANCE_ASSESSMENT_WORLD_H_
#define RAPPORT_TESTS_CONFORMANCE_ASSESSMENT_WORLD_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/auth/integrity.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/events/event_log.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/migrations/migrations.h"
#include "services/assessment/rpc/alert_handlers.h"
#include "services/assessment/rpc/assessment_handlers.h"
#include "services/assessment/rpc/background.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/follower.h"
#include "services/assessment/rpc/instrument_handlers.h"
#include "services/assessment/rpc/measure_request_handlers.h"
#include "services/assessment/rpc/progress_handlers.h"
#include "services/assessment/rpc/scoring_handlers.h"
#include "tests/support/postgres/databases.h"

namespace rapport::assessment::testing {

namespace proto = scheduling::v1;

// The notes service, which has every risk assessment that is asked for, made just now, unless down.
class FakeNotes final : public call::Peer {
 public:
  explicit FakeNotes(time::Clock& clock) : clock_(clock) {}
  absl::string_view name() const override { return "notes"; }
  using call::Peer::Call;
  absl::Status Call(const call::CallContext&, absl::string_view,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    if (down) return errors::Unavailable("PEER_UNAVAILABLE", "Down.", "notes");
    if (auto* entries = dynamic_cast<notes::v1::ListEntriesResponse*>(&response)) {
      asked.push_back(static_cast<const notes::v1::ListEntriesRequest&>(request));
      *entries = treatment;
      return absl::OkStatus();
    }
    if (absent) return errors::NotFound("RiskAssessment");
    auto& made = static_cast<notes::v1::RiskAssessment&>(response);
    made.set_name(static_cast<const notes::v1::GetRiskAssessmentRequest&>(request).name());
    *made.mutable_create_time() = time::ToTimestamp(clock_.Now());
    return absl::OkStatus();
  }

  bool down = false;
  bool absent = false;
  notes::v1::ListEntriesResponse treatment;
  std::vector<notes::v1::ListEntriesRequest> asked;

 private:
  time::Clock& clock_;
};

// The scheduling service, which holds the time that is asked for, or answers with `status`.
class FakeScheduling final : public call::Peer {
 public:
  absl::string_view name() const override { return "scheduling"; }
  using call::Peer::Call;
  absl::Status Call(const call::CallContext& context, absl::string_view,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override {
    asked.push_back(static_cast<const scheduling::v1::HoldUrgentAppointmentRequest&>(request));
    EXPECT_TRUE(context.is_service());
    if (while_asked) while_asked();
    if (!status.ok()) return status;
    static_cast<scheduling::v1::Appointment&>(response).set_name(
        names::InOrganization(context.organization_id, "appointments", "held"));
    return absl::OkStatus();
  }

  absl::Status status;
  std::function<void()> while_asked;
  std::vector<scheduling::v1::HoldUrgentAppointmentRequest> asked;
};

// A database of the service, its handlers, and an organisation told by scheduling's events: acme,
// with the therapists ada and ben, cleo on the duty list, and ada's course c1 of four weekly
// sessions with patient p1.
class World {
 public:
  explicit World(std::unique_ptr<sql::Database> database)
      : database_(std::move(database)), clock(kStart) {
    requests.Register(background.worker());
    Organization("acme");
    for (const char* who : {"ada", "ben", "cleo"}) Clinician("acme", who);
    Course("acme", "c1", "p1", "ada");
    for (int week = 0; week < 4; ++week) {
      Appointment("acme", absl::StrCat("a", week + 1), "c1", "p1",
                  kFirst + absl::Hours(168 * week));
    }
  }

  static inline const absl::Time kStart = absl::FromUnixSeconds(1'772'442'000);  // 2026-03-02 09:00
  static inline const absl::Time kFirst = kStart + absl::Hours(24);

  static std::string In(absl::string_view organization, absl::string_view collection,
                        absl::string_view id) {
    return names::InOrganization(organization, collection, id);
  }
  static std::string Of(absl::string_view collection, absl::string_view id) {
    return In("acme", collection, id);
  }

  // Applies an event of `resource`, as the consumer does.
  void Tell(absl::string_view organization, absl::string_view resource, int64_t version,
            const google::protobuf::Message& payload) {
    common::v1::Event event;
    event.set_event_id(ids::NewUlid());
    event.set_organization(names::Organization(organization));
    event.set_resource(std::string(resource));
    event.set_version(version);
    *event.mutable_occur_time() = time::ToTimestamp(clock.Now());
    event.mutable_payload()->PackFrom(payload);
    Apply(event);
  }
  void Apply(const common::v1::Event& event) {
    last_event = event;
    const absl::Status applied = database_->Write(
        sql::Access::Tenant(names::OrganizationId(event.organization())), Deadline(),
        [&](sql::Transaction& tx) { return follower.Apply(tx, event); });
    ASSERT_TRUE(applied.ok()) << applied;
  }

  void Organization(absl::string_view id, std::vector<std::string> duty = {"cleo"},
                    std::vector<std::string> crisis = {"GB"}) {
    proto::OrganizationEvent state;
    state.set_state(proto::ORGANIZATION_STATE_ACTIVE);
    for (const auto& who : duty) state.add_duty_list(In(id, "clinicians", who));
    for (const auto& where : crisis) state.add_crisis_jurisdictions(where);
    Tell(id, names::Organization(id), ++version_, state);
  }
  void Clinician(absl::string_view organization, absl::string_view id) {
    proto::ClinicianEvent state;
    state.set_subject(absl::StrCat("subject-", id));
    Tell(organization, In(organization, "clinicians", id), ++version_, state);
  }
  // An active course of four weekly sessions, PHQ-9 at each, GAD-7 at every second and the last.
  static proto::CourseEvent CourseState(absl::string_view organization, absl::string_view patient,
                                        absl::string_view clinician) {
    proto::CourseEvent state;
    state.set_state(proto::COURSE_STATE_ACTIVE);
    state.set_patient(In(organization, "patients", patient));
    state.set_clinician(In(organization, "clinicians", clinician));
    state.set_clinic(In(organization, "clinics", "north"));
    state.set_planned_sessions(4);
    state.set_cadence_days(7);
    state.set_patient_jurisdiction("GB-ENG");
    state.set_patient_time_zone("Europe/London");
    auto* phq = state.add_measures();
    phq->set_instrument("phq-9");
    phq->set_every_sessions(1);
    auto* gad = state.add_measures();
    gad->set_instrument("gad-7");
    gad->set_every_sessions(2);
    gad->set_at_last_session(true);
    return state;
  }
  void Course(absl::string_view organization, absl::string_view id, absl::string_view patient,
              absl::string_view clinician) {
    Tell(organization, In(organization, "courses", id), ++version_,
         CourseState(organization, patient, clinician));
  }
  // Makes c1 a couple's: p1 and p2, who lives in `jurisdiction`; CSI-16 at every second session.
  void Couple(absl::string_view jurisdiction = "GB-SCT") {
    proto::CourseEvent state = CourseState("acme", "p1", "ada");
    state.set_kind(proto::COURSE_KIND_CONJOINT);
    state.set_partner(Of("patients", "p2"));
    state.set_partner_jurisdiction(std::string(jurisdiction));
    state.set_partner_time_zone("America/New_York");
    auto* csi = state.add_measures();
    csi->set_instrument("csi-16");
    csi->set_every_sessions(2);
    Tell("acme", Of("courses", "c1"), ++version_, state);
  }
  // Puts c1 into maintenance: a new segment, without sessions yet, PHQ-9 every 14 days.
  void Maintenance() {
    proto::CourseEvent state = CourseState("acme", "p1", "ada");
    state.set_state(proto::COURSE_STATE_MAINTENANCE);
    state.set_segment(1);
    state.mutable_maintenance()->set_cadence_days(30);
    auto* phq = state.mutable_maintenance()->add_measures();
    phq->set_instrument("phq-9");
    phq->set_every_days(14);
    Tell("acme", Of("courses", "c1"), ++version_, state);
  }
  void Appointment(absl::string_view organization, absl::string_view id, absl::string_view course,
                   absl::string_view patient, absl::Time start,
                   proto::AppointmentState where = proto::APPOINTMENT_STATE_BOOKED,
                   bool late = false, int segment = 0) {
    proto::AppointmentEvent state;
    state.set_course(In(organization, "courses", course));
    state.set_patient(In(organization, "patients", patient));
    *state.mutable_start_time() = time::ToTimestamp(start);
    *state.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(50));
    state.set_state(where);
    state.set_cancelled_late(late);
    state.set_segment(segment);
    state.set_counts_towards_course(where != proto::APPOINTMENT_STATE_CANCELLED &&
                                    where != proto::APPOINTMENT_STATE_NO_SHOW);
    Tell(organization, In(organization, "appointments", id), ++version_, state);
  }
  void TimeOff(absl::string_view id, absl::string_view clinician, absl::Time start, absl::Time end,
               bool deleted = false) {
    proto::TimeOffEvent state;
    state.set_clinician(Of("clinicians", clinician));
    *state.mutable_start_time() = time::ToTimestamp(start);
    *state.mutable_end_time() = time::ToTimestamp(end);
    state.set_deleted(deleted);
    Tell("acme", absl::StrCat(Of("clinicians", clinician), "/timeOff/", id), ++version_, state);
  }
  void Cover(absl::string_view id, absl::string_view clinician, absl::string_view covering,
             absl::Time start, absl::Time end) {
    proto::CoverEvent state;
    state.set_clinician(Of("clinicians", clinician));
    state.set_covering_clinician(Of("clinicians", covering));
    *state.mutable_start_time() = time::ToTimestamp(start);
    *state.mutable_end_time() = time::ToTimestamp(end);
    Tell("acme", Of("covers", id), ++version_, state);
  }

  // A call by `who` ("ada") with `role`, now.
  call::CallContext By(absl::string_view who, absl::string_view role = "therapist",
                       absl::string_view organization = "acme", absl::string_view request = "") {
    auto principal = std::make_shared<auth::Principal>();
    principal->subject = absl::StrCat("subject-", who);
    principal->organization_id = std::string(organization);
    principal->roles = {std::string(role)};
    call::CallContext context;
    context.principal = std::move(principal);
    context.organization_id = std::string(organization);
    context.method = "test";
    context.deadline = Deadline();
    context.now = clock.Now();
    context.request_fingerprint = std::string(request);
    context.integrity = integrity_;
    return context;
  }

  // A form of c1 filled in at `at` (default: now), answers as digits; '-' is left out.
  v1::RecordAssessmentRequest Form(absl::string_view instrument, absl::string_view digits,
                                   absl::Time at = absl::InfinitePast()) {
    v1::RecordAssessmentRequest request;
    request.set_parent("organizations/acme");
    v1::Assessment& form = *request.mutable_assessment();
    form.set_course(Of("courses", "c1"));
    form.set_instrument(absl::StrCat("instruments/", instrument));
    form.set_administration(v1::ADMINISTRATION_SELF_REPORT);
    if (at != absl::InfinitePast()) *form.mutable_answer_time() = time::ToTimestamp(at);
    for (size_t i = 0; i < digits.size(); ++i) {
      if (digits[i] == '-') continue;
      v1::Answer& answer = *form.add_answers();
      answer.set_item(static_cast<int>(i) + 1);
      answer.set_value(digits[i] - '0');
    }
    return request;
  }
  absl::StatusOr<v1::RecordAssessmentResponse> Record(absl::string_view instrument,
                                                      absl::string_view digits,
                                                      absl::Time at = absl::InfinitePast()) {
    return assessments.RecordAssessment(By("ada"), Form(instrument, digits, at));
  }

  std::vector<v1::Alert> Alerts(absl::string_view who) {
    v1::ListAlertsRequest request;
    request.set_parent("organizations/acme");
    const auto listed = alerts.ListAlerts(By(who), request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    if (!listed.ok()) return {};
    return {listed->alerts().begin(), listed->alerts().end()};
  }

  // Does what the service does by itself by now; how much that was.
  int Work() {
    int done = 0;
    for (int once = 1; once > 0; done += once) {
      const auto run = background.RunOnce();
      EXPECT_TRUE(run.ok()) << run.status();
      once = run.ok() ? *run : 0;
    }
    return done;
  }

  // Payload types of the service's own events in acme, in order.
  std::vector<std::string> Events() {
    EXPECT_TRUE(events::Sequencer(*database_).RunOnce(absl::Now()).ok());
    std::vector<std::string> types;
    const absl::Status read = database_->Read(
        sql::Access::Tenant("acme"), Deadline(), [&](sql::Session& session) -> absl::Status {
          const auto listed =
              events::ReadEvents(session, {.organization_id = "acme", .types = {}, .up_to = 1000});
          if (!listed.ok()) return listed.status();
          types.clear();
          for (const auto& event : *listed) {
            types.emplace_back(names::Last(event.payload().type_url()));
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(read.ok()) << read;
    return types;
  }

  static absl::Time Deadline() { return absl::Now() + absl::Seconds(30); }
  sql::Database& database() { return *database_; }

 private:
  std::unique_ptr<sql::Database> database_;
  std::shared_ptr<const auth::IntegrityKey> integrity_ =
      *auth::IntegrityKey::Parse(std::string(64, '7') + "\n");
  int64_t version_ = 0;

 public:
  time::ManualClock clock;
  common::v1::Event last_event;
  SchedulingFollower follower{clock};
  std::unique_ptr<telemetry::Metrics> metrics = telemetry::Metrics::Unserved();
  FakeScheduling scheduling;
  Background background{*database_, clock, *metrics, scheduling};
  Catalogues catalogues{ShippedInstruments()};
  InstrumentHandlers instruments{*database_, catalogues};
  ScoringHandlers scoring{*database_, catalogues};
  crypto::Vault vault{*crypto::KeyRing::Make({{"k1", std::string(32, 'k')}})};
  AssessmentHandlers assessments{*database_, catalogues, vault};
  MeasureRequestHandlers requests{*database_, catalogues, vault};
  FakeNotes notes{clock};
  ProgressHandlers progress{*database_, catalogues, vault, notes};
  AlertHandlers alerts{*database_, clock, vault, notes};
};

// The components of the service's database.
inline std::vector<sql::Component> Components() {
  return {care::Migrations(), work::Migrations(), crypto::Migrations(), Migrations()};
}

// A world for each test, on each engine.
class WorldTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  World world{GetParam().make()};
};

}  // namespace rapport::assessment::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_ASSESSMENT_WORLD_H_
