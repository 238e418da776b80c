#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/call/call_context.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "rapport/notes/v1/events.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/migrations/migrations.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/notes_follower.h"
#include "services/assessment/rpc/outcome_handlers.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/store/assessments.h"
#include "services/assessment/store/outcomes.h"
#include "tests/support/postgres/databases.h"

namespace rapport::assessment::testing {
namespace {

namespace proto = scheduling::v1;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string Of(absl::string_view collection, absl::string_view id) {
  return names::InOrganization("acme", collection, id);
}

absl::Time Deadline() { return absl::Now() + absl::Seconds(30); }

const absl::Time kStart = absl::FromUnixSeconds(1'772'442'000);  // 2026-03-02 09:00 UTC

// A database of the service that takes events, forms and queries.
class Service {
 public:
  explicit Service(std::unique_ptr<sql::Database> made)
      : database(std::move(made)), worker(*database, clock, *metrics) {
    worker.On(kOutcomeWork, OutcomeAct(catalogues));
    worker.On(kRebuildWork, ContinueRebuild);
  }

  void Write(absl::FunctionRef<absl::Status(sql::Transaction&)> body) {
    const absl::Status written = database->Write(sql::Access::Tenant("acme"), Deadline(), body);
    ASSERT_TRUE(written.ok()) << written;
  }

  void Apply(const common::v1::Event& event) {
    Write([&](sql::Transaction& tx) -> absl::Status {
      if (event.payload().Is<rapport::notes::v1::CaseEvent>()) return notes.Apply(tx, event);
      const absl::Status applied = care::Apply(tx, event);
      return applied.ok() ? OutcomesChanged(tx, event, clock.Now()) : applied;
    });
  }

  void Record(const v1::Assessment& form) {
    Write([&](sql::Transaction& tx) -> absl::Status {
      const absl::Status stored =
          store::InsertAssessment(tx, vault, form, names::Last(form.instrument())).status();
      OutcomeChanged(tx, form.course(), clock.Now());
      return stored;
    });
  }
  void Void(v1::Assessment form) {
    Write([&](sql::Transaction& tx) -> absl::Status {
      *form.mutable_void_()->mutable_void_time() = time::ToTimestamp(clock.Now());
      const absl::Status stored = store::VoidAssessment(tx, form, 1).status();
      OutcomeChanged(tx, form.course(), clock.Now());
      return stored;
    });
  }

  // Returns how many items were done.
  int Work() {
    const auto done = worker.RunOnce(100'000);
    EXPECT_TRUE(done.ok()) << done.status();
    return done.value_or(0);
  }

  // Returns how many items it took: one of the rebuild, and one a course.
  int Rebuild() {
    Work();
    Write([&](sql::Transaction& tx) {
      RebuildOutcomes(tx, "acme", clock.Now());
      return absl::OkStatus();
    });
    return Work() + Work();
  }

  std::vector<store::KeptOutcome> Kept() {
    std::vector<store::KeptOutcome> kept;
    const absl::Status read = database->Read(sql::Access::Tenant("acme"), Deadline(),
                                             [&](sql::Session& session) -> absl::Status {
                                               auto listed = store::ListOutcomes(session, "acme");
                                               if (listed.ok()) kept = *std::move(listed);
                                               return listed.status();
                                             });
    EXPECT_TRUE(read.ok()) << read;
    return kept;
  }

  std::unique_ptr<sql::Database> database;
  time::ManualClock clock{kStart};
  std::unique_ptr<telemetry::Metrics> metrics = telemetry::Metrics::Unserved();
  Catalogues catalogues{ShippedInstruments()};
  crypto::Vault vault{*crypto::KeyRing::Make({{"k1", std::string(32, 'k')}})};
  NotesFollower notes{clock, catalogues, vault};
  work::Worker worker;
};

common::v1::Event Event(const std::string& resource, int64_t version,
                        const google::protobuf::Message& payload) {
  common::v1::Event event;
  event.set_organization("organizations/acme");
  event.set_resource(resource);
  event.set_version(version);
  *event.mutable_occur_time() = time::ToTimestamp(kStart);
  event.mutable_payload()->PackFrom(payload);
  return event;
}

proto::CourseEvent Course(absl::string_view patient, absl::string_view clinician,
                          absl::string_view clinic) {
  proto::CourseEvent course;
  course.set_state(proto::COURSE_STATE_ACTIVE);
  course.set_patient(Of("patients", patient));
  course.set_clinician(Of("clinicians", clinician));
  course.set_clinic(Of("clinics", clinic));
  course.set_protocol("protocols/classic/revisions/1");
  course.set_planned_sessions(6);
  course.set_patient_time_zone("Europe/London");
  return course;
}

proto::AppointmentEvent Appointment(const std::string& course, absl::Time start,
                                    proto::AppointmentState state) {
  proto::AppointmentEvent appointment;
  appointment.set_course(course);
  *appointment.mutable_start_time() = time::ToTimestamp(start);
  *appointment.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(50));
  appointment.set_state(state);
  appointment.set_cancelled_late(state == proto::APPOINTMENT_STATE_CANCELLED);
  appointment.set_counts_towards_course(state != proto::APPOINTMENT_STATE_CANCELLED &&
                                        state != proto::APPOINTMENT_STATE_NO_SHOW);
  return appointment;
}

v1::Assessment Form(const std::string& id, const std::string& course, const std::string& patient,
                    const std::string& instrument, absl::Time at, double total) {
  v1::Assessment form;
  form.set_name(Of("assessments", id));
  form.set_course(course);
  form.set_patient(patient);
  form.set_instrument(absl::StrCat("instruments/", instrument));
  *form.mutable_answer_time() = time::ToTimestamp(at);
  *form.mutable_record_time() = time::ToTimestamp(at);
  form.mutable_score()->set_total(total);
  form.mutable_score()->set_complete(true);
  return form;
}

// ---- Kept up ----

// What happens in some courses: events, forms and voids, in order.
struct History {
  std::vector<common::v1::Event> events;
  std::vector<v1::Assessment> forms;
  std::vector<v1::Assessment> voided;  // some of them
};

History RandomHistory(std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % n); };
  History history;
  const auto tell = [&](const std::string& resource, int64_t version,
                        const google::protobuf::Message& payload) {
    history.events.push_back(Event(resource, version, payload));
  };
  for (const char* clinic : {"north", "south"}) {
    proto::ClinicEvent state;
    state.set_time_zone("Europe/Berlin");
    tell(Of("clinics", clinic), 1, state);
    state.set_time_zone("Pacific/Auckland");
    tell(Of("clinics", clinic), 2, state);
  }
  for (int i = 0; i < 8; ++i) {
    const std::string course = Of("courses", absl::StrCat("c", i));
    proto::CourseEvent state =
        Course(absl::StrCat("p", i), i % 2 == 0 ? "ada" : "ben", i % 3 == 0 ? "south" : "north");
    if (i == 3) {
      state.set_kind(proto::COURSE_KIND_CONJOINT);
      state.set_partner(Of("patients", "partner"));
      state.set_partner_time_zone("America/New_York");
    }
    tell(course, 1, state);
    const absl::Time first = kStart - absl::Hours(24 * (10 + below(200)));
    int64_t version = 1;
    for (int week = 0; week < 6; ++week) {
      const std::string name = Of("appointments", absl::StrCat("a", i, "-", week));
      const absl::Time start = first + absl::Hours(168 * week);
      tell(name, 1, Appointment(course, start, proto::APPOINTMENT_STATE_BOOKED));
      const proto::AppointmentState states[] = {
          proto::APPOINTMENT_STATE_COMPLETED, proto::APPOINTMENT_STATE_COMPLETED,
          proto::APPOINTMENT_STATE_NO_SHOW, proto::APPOINTMENT_STATE_CANCELLED};
      tell(name, 2, Appointment(course, start, states[below(4)]));
      for (const std::string& patient : {state.patient(), state.partner()}) {
        if (patient.empty()) continue;
        for (const char* instrument : {"phq-9", "gad-7", "who-5"}) {
          if (below(3) == 0) continue;
          history.forms.push_back(
              Form(absl::StrCat("f", history.forms.size()), course, patient, instrument,
                   start - absl::Hours(2),
                   std::string(instrument) == "who-5" ? 4 * below(26) : below(22)));
          if (below(5) == 0) history.voided.push_back(history.forms.back());
        }
      }
    }
    state.set_clinician(Of("clinicians", "cleo"));
    tell(course, ++version, state);
    if (below(2) == 0) {
      state.set_state(below(2) == 0 ? proto::COURSE_STATE_COMPLETED
                                    : proto::COURSE_STATE_DISCONTINUED);
      tell(course, ++version, state);
    }
    rapport::notes::v1::CaseEvent of_case;
    of_case.set_course(course);
    tell(Of("cases", absl::StrCat("k", i)), 1, of_case);
    of_case.add_problem_areas(rapport::notes::v1::PROBLEM_AREA_KIND_GRIEF);
    tell(Of("cases", absl::StrCat("k", i)), 2, of_case);
    of_case.set_problem_areas(0, rapport::notes::v1::PROBLEM_AREA_KIND_ROLE_DISPUTE);
    tell(Of("cases", absl::StrCat("k", i)), 3, of_case);
  }
  return history;
}

class OutcomesTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {};

TEST_P(OutcomesTest, WhatIsKeptIsWhatWouldBeMadeFromScratchHoweverItCame) {
  std::mt19937 random(20260302);
  const History history = RandomHistory(random);

  Service in_order(GetParam().make());
  for (const auto& event : history.events) in_order.Apply(event);
  for (const auto& form : history.forms) in_order.Record(form);
  for (const auto& form : history.voided) in_order.Void(form);
  EXPECT_EQ(in_order.Rebuild(), 1 + 8);
  const auto want = in_order.Kept();
  ASSERT_THAT(want, SizeIs(::testing::Ge(8)));
  size_t scores = 0;
  for (const auto& kept : want) {
    scores += kept.outcome.scores.size();
    EXPECT_EQ(kept.outcome.course.problem_area, proto::FOCUS_AREA_ROLE_DISPUTE);
  }
  EXPECT_GT(scores, 10u);

  // The same, out of order and told again, with the work done now and then.
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round);
    Service service(GetParam().make());
    std::vector<std::function<void()>> acts;
    for (const auto& event : history.events) {
      for (int again = 0; again <= static_cast<int>(random() % 2); ++again) {
        acts.push_back([&service, &event] { service.Apply(event); });
      }
    }
    for (const auto& form : history.forms) {
      acts.push_back([&service, &form, &history] {
        service.Record(form);
        for (const auto& voided : history.voided) {
          if (voided.name() == form.name()) service.Void(voided);
        }
      });
    }
    std::shuffle(acts.begin(), acts.end(), random);
    for (const auto& act : acts) {
      act();
      if (random() % 20 == 0) service.Work();
    }
    service.Work();
    EXPECT_TRUE(service.Kept() == want);
    service.Rebuild();
    EXPECT_TRUE(service.Kept() == want);
  }
}

TEST_P(OutcomesTest, ACourseIsKeptWithItsChangeInTheInstrumentsDirection) {
  Service service(GetParam().make());
  const std::string course = Of("courses", "c1");
  const std::string patient = Of("patients", "p1");
  service.Apply(Event(course, 1, Course("p1", "ada", "north")));
  service.Record(Form("f1", course, patient, "phq-9", kStart - absl::Hours(1), 18));
  service.Record(Form("f2", course, patient, "phq-9", kStart + absl::Hours(167), 4));
  service.Record(Form("f3", course, patient, "who-5", kStart - absl::Hours(1), 20));
  service.Record(Form("f4", course, patient, "who-5", kStart + absl::Hours(167), 60));
  service.Record(Form("f5", course, patient, "gad-7", kStart - absl::Hours(1), 12));
  service.Work();
  EXPECT_THAT(service.Kept(), SizeIs(0));  // no session was held
  for (int week = 0; week < 2; ++week) {
    service.Apply(Event(
        Of("appointments", absl::StrCat("a", week)), 1,
        Appointment(course, kStart + absl::Hours(168 * week), proto::APPOINTMENT_STATE_COMPLETED)));
  }
  service.Work();
  const auto kept = service.Kept();
  ASSERT_THAT(kept, SizeIs(1));
  const auto& scores = kept[0].outcome.scores;
  ASSERT_THAT(scores, SizeIs(2));  // gad-7 has one score alone
  EXPECT_EQ(scores[0].instrument, "phq-9");
  EXPECT_EQ(scores[0].gain, 14);
  EXPECT_TRUE(scores[0].was_case);
  EXPECT_TRUE(scores[0].responded);
  EXPECT_TRUE(scores[0].at_remission_level);
  EXPECT_EQ(scores[0].reliable, 1);
  EXPECT_EQ(scores[0].baseline_tenth, 6);
  EXPECT_EQ(scores[1].instrument, "who-5");
  EXPECT_EQ(scores[1].gain, 40);
}

// ---- Told ----

class QueryTest : public OutcomesTest {
 protected:
  void SetUp() override {
    Clinician("ada", {"north"});
    Clinician("ben", {"south"});
    Clinician("cleo", {"west"});
    proto::SupervisionEvent pair;
    pair.set_supervisor(Of("clinicians", "cleo"));
    pair.set_supervisee(Of("clinicians", "ben"));
    *pair.mutable_start_time() = time::ToTimestamp(kStart - absl::Hours(1));
    service_.Apply(Event(Of("supervisions", "s1"), 1, pair));
    // In March 2026: ada 20 in north, ben 3 in south, cleo 12 in west.
    Put("ada", "north", 20);
    Put("ben", "south", 3);
    Put("cleo", "west", 12);
  }

  void Clinician(absl::string_view id, std::vector<std::string> clinics) {
    proto::ClinicianEvent state;
    state.set_subject(absl::StrCat("subject-", id));
    for (const auto& clinic : clinics) state.add_clinics(Of("clinics", clinic));
    service_.Apply(Event(Of("clinicians", id), 1, state));
  }

  void Put(absl::string_view clinician, absl::string_view clinic, int count) {
    service_.Write([&](sql::Transaction& tx) -> absl::Status {
      for (int i = 0; i < count; ++i) {
        store::RespondentOutcome outcome;
        outcome.respondent = Of("patients", absl::StrCat(clinician, i));
        outcome.course.clinic = Of("clinics", clinic);
        outcome.course.clinician = Of("clinicians", clinician);
        outcome.course.protocol = "protocols/classic";
        outcome.course.first_session = kStart;
        outcome.course.month = 2026 * 12 + 2;
        outcome.course.state = CourseOutcome::kCompleted;
        outcome.course.planned = outcome.course.held = 6;
        ScoreOutcome score;
        score.instrument = "phq-9";
        score.baseline = 15 + i % 3;
        score.gain = 5 + i % 2;
        score.last = score.baseline - score.gain;
        score.baseline_tenth = 5;
        score.was_case = true;
        score.reliable = score.gain >= 6 ? 1 : 0;
        outcome.scores.push_back(score);
        store::PutOutcomes(tx, Of("courses", absl::StrCat(clinician, i)), "", {outcome});
      }
      return absl::OkStatus();
    });
  }

  call::CallContext By(absl::string_view who, absl::string_view role,
                       std::optional<std::vector<std::string>> clinics = {}) {
    auto principal = std::make_shared<auth::Principal>();
    principal->subject = absl::StrCat("subject-", who);
    principal->organization_id = "acme";
    principal->roles = {std::string(role)};
    principal->clinics = std::move(clinics);
    call::CallContext context;
    context.principal = std::move(principal);
    context.organization_id = "acme";
    context.method = "test";
    context.deadline = Deadline();
    context.now = service_.clock.Now();
    context.integrity = integrity_;
    return context;
  }

  static v1::GetOutcomesRequest Ask(std::vector<v1::OutcomeDimension> dimensions = {}) {
    v1::GetOutcomesRequest request;
    request.set_parent("organizations/acme");
    request.set_instrument("phq-9");
    for (const auto dimension : dimensions) request.add_dimensions(dimension);
    return request;
  }

  v1::GetOutcomesResponse Get(const call::CallContext& context,
                              const v1::GetOutcomesRequest& request) {
    const auto got = handlers_.GetOutcomes(context, request);
    EXPECT_TRUE(got.ok()) << got.status();
    return got.ok() ? *got : v1::GetOutcomesResponse();
  }
  std::string ReasonOf(const call::CallContext& context, const v1::GetOutcomesRequest& request) {
    const auto got = handlers_.GetOutcomes(context, request);
    EXPECT_TRUE(absl::IsPermissionDenied(got.status())) << got.status();
    return std::string(errors::Reason(got.status()));
  }
  std::string FieldOf(const v1::GetOutcomesRequest& request) {
    const auto violations =
        errors::FieldViolations(handlers_.GetOutcomes(By("ann", "analyst"), request).status());
    return violations.empty() ? "" : violations[0].field;
  }

  Service service_{GetParam().make()};
  std::shared_ptr<const auth::IntegrityKey> integrity_ =
      *auth::IntegrityKey::Parse(std::string(64, '7') + "\n");
  OutcomeHandlers handlers_{*service_.database, service_.catalogues};
};

TEST_P(QueryTest, AnAnalystSeesAllWithSmallCellsSuppressed) {
  const auto all = Get(By("ann", "analyst"), Ask());
  ASSERT_THAT(all.cells(), SizeIs(1));
  EXPECT_EQ(all.cells(0).started(), 35);
  EXPECT_EQ(all.cells(0).intention_to_treat().n(), 35);
  EXPECT_TRUE(all.cells(0).intention_to_treat().has_effect_size());
  EXPECT_EQ(all.cells(0).sessions_held(), 35 * 6);
  EXPECT_FALSE(all.cells(0).has_funnel());
  EXPECT_EQ(all.cautions(0), "Not adjusted for case mix.");

  const auto by_clinic = Get(By("ann", "analyst"), Ask({v1::OUTCOME_DIMENSION_CLINIC}));
  ASSERT_THAT(by_clinic.cells(), SizeIs(3));
  EXPECT_EQ(by_clinic.cells(0).key().clinic(), Of("clinics", "north"));
  EXPECT_FALSE(by_clinic.cells(0).suppressed());
  EXPECT_EQ(by_clinic.cells(0).intention_to_treat().reliably_improved(), 10);
  for (int i : {1, 2}) {
    EXPECT_TRUE(by_clinic.cells(i).suppressed());
    EXPECT_EQ(by_clinic.cells(i).started(), 0);
    EXPECT_FALSE(by_clinic.cells(i).has_intention_to_treat());
  }
  v1::GetOutcomesRequest filtered = Ask({v1::OUTCOME_DIMENSION_MONTH});
  filtered.set_clinic(Of("clinics", "west"));
  const auto west = Get(By("ann", "analyst"), filtered);
  ASSERT_THAT(west.cells(), SizeIs(1));
  EXPECT_TRUE(west.cells(0).suppressed());
  EXPECT_EQ(west.cells(0).key().period_start().month(), 3);
}

TEST_P(QueryTest, CliniciansFiguresAreForThemselvesAndTheirSupervisors) {
  const v1::GetOutcomesRequest by_clinician = Ask({v1::OUTCOME_DIMENSION_CLINICIAN});
  v1::GetOutcomesRequest of_ben = Ask();
  of_ben.set_clinician(Of("clinicians", "ben"));
  EXPECT_EQ(ReasonOf(By("ann", "analyst"), by_clinician), "OUTCOMES_OF_OTHERS");
  EXPECT_EQ(ReasonOf(By("ann", "clinic_manager"), of_ben), "OUTCOMES_OF_OTHERS");
  EXPECT_EQ(ReasonOf(By("ada", "therapist"), of_ben), "OUTCOMES_OF_OTHERS");
  EXPECT_EQ(ReasonOf(By("ada", "therapist"), Ask()), "OUTCOMES_OF_OTHERS");

  const auto own = Get(By("ben", "therapist"), of_ben);
  ASSERT_THAT(own.cells(), SizeIs(1));
  EXPECT_EQ(own.cells(0).started(), 3);  // they know them
  ASSERT_TRUE(own.cells(0).has_funnel());
  EXPECT_GT(own.cells(0).funnel().high_95(), own.cells(0).funnel().expected_change());
  EXPECT_LT(own.cells(0).funnel().low_998(), own.cells(0).funnel().low_95());

  const auto both = Get(By("cleo", "supervisor"), by_clinician);
  ASSERT_THAT(both.cells(), SizeIs(2));
  EXPECT_EQ(both.cells(0).key().clinician(), Of("clinicians", "ben"));
  EXPECT_EQ(both.cells(1).key().clinician(), Of("clinicians", "cleo"));
}

TEST_P(QueryTest, AManagerSeesTheirOwnClinicsByTokenOrDirectory) {
  const v1::GetOutcomesRequest by_clinic = Ask({v1::OUTCOME_DIMENSION_CLINIC});
  v1::GetOutcomesRequest of_north = Ask();
  of_north.set_clinic(Of("clinics", "north"));
  const std::vector<std::string> two = {"north", "south"};
  EXPECT_THAT(Get(By("max", "clinic_manager", two), by_clinic).cells(), SizeIs(2));
  EXPECT_EQ(Get(By("max", "clinic_manager", two), of_north).cells(0).started(), 20);
  EXPECT_EQ(ReasonOf(By("max", "clinic_manager", two), Ask()), "NOT_THE_CLINIC");
  EXPECT_EQ(ReasonOf(By("max", "clinic_manager", {{"west"}}), of_north), "NOT_THE_CLINIC");
  EXPECT_EQ(ReasonOf(By("max", "clinic_manager"), by_clinic), "NOT_THE_CLINIC");
  // ada works in north alone.
  const auto own = Get(By("ada", "clinic_manager"), Ask());
  ASSERT_THAT(own.cells(), SizeIs(1));
  EXPECT_EQ(own.cells(0).started(), 20);
}

TEST_P(QueryTest, PagesFollowTheOrderOfKeys) {
  v1::GetOutcomesRequest request = Ask({v1::OUTCOME_DIMENSION_CLINIC});
  request.set_page_size(2);
  const auto first = Get(By("ann", "analyst"), request);
  ASSERT_THAT(first.cells(), SizeIs(2));
  request.set_page_token(first.next_page_token());
  const auto second = Get(By("ann", "analyst"), request);
  ASSERT_THAT(second.cells(), SizeIs(1));
  EXPECT_EQ(second.cells(0).key().clinic(), Of("clinics", "west"));
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_P(QueryTest, SaysWhatIsWrongWithAQuery) {
  EXPECT_EQ(FieldOf(Ask({v1::OUTCOME_DIMENSION_CLINIC, v1::OUTCOME_DIMENSION_CLINIC})),
            "dimensions[1]");
  EXPECT_EQ(FieldOf(Ask({v1::OUTCOME_DIMENSION_MONTH, v1::OUTCOME_DIMENSION_YEAR})),
            "dimensions[1]");
  v1::GetOutcomesRequest request = Ask();
  request.set_instrument("nothing");
  EXPECT_EQ(FieldOf(request), "instrument");
  request = Ask();
  *request.mutable_start_date() = time::ToDate(absl::CivilDay(2026, 3, 2));
  EXPECT_EQ(FieldOf(request), "start_date");
  *request.mutable_start_date() = time::ToDate(absl::CivilDay(2026, 3, 1));
  *request.mutable_end_date() = time::ToDate(absl::CivilDay(2026, 3, 1));
  EXPECT_EQ(FieldOf(request), "end_date");
}

TEST_P(QueryTest, AnswersAreKeptForAMinute) {
  EXPECT_EQ(Get(By("ann", "analyst"), Ask()).cells(0).started(), 35);
  Put("cleo", "west", 14);
  EXPECT_EQ(Get(By("ann", "analyst"), Ask()).cells(0).started(), 35);
  service_.clock.Advance(absl::Seconds(61));
  EXPECT_EQ(Get(By("ann", "analyst"), Ask()).cells(0).started(), 37);
}

std::vector<sql::Component> OutcomeComponents() {
  return {care::Migrations(), work::Migrations(), crypto::Migrations(), Migrations()};
}

INSTANTIATE_TEST_SUITE_P(Engines, OutcomesTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(OutcomeComponents())),
                         sql::testing::EngineName);
INSTANTIATE_TEST_SUITE_P(Engines, QueryTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(OutcomeComponents())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
