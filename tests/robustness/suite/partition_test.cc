// The network between the services is cut: silently, both ways or one way, and within answers. Each
// goes on with what it knows and says what it does not; when the network is back the feeds make
// good what was missed, and nobody has to do anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "tests/integration/suite/health.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tests/robustness/suite/course_writers.h"
#include "tests/robustness/suite/sqlite_rows.h"
#include "tests/support/namespaces/inside.h"
#include "tests/support/namespaces/network.h"
#include "tests/support/postgres/tcp_proxy.h"
#include "tools/rapportctl/story/player.h"

namespace rapport::testing {
namespace {

using sql::testing::TcpProxy;
using ::testing::Contains;
using ::testing::IsSupersetOf;

constexpr int kDrafts = 25;

// The cables between the services; clients have their own.
class Wires {
 public:
  virtual ~Wires() = default;
  virtual void Start(Suite& suite) = 0;
  virtual ctl::Targets targets() const = 0;
  virtual void Cut() = 0;
  virtual void Heal() = 0;
};

int PortOf(const std::string& target) {
  return std::atoi(target.substr(target.rfind(':') + 1).c_str());
}

std::string TargetOf(const Suite& suite, const std::string& service) {
  const ctl::Targets& targets = suite.targets();
  return service == "scheduling"   ? targets.scheduling
         : service == "assessment" ? targets.assessment
                                   : targets.notes;
}

// A proxy of the test's for each service and each that it calls.
class Proxies : public Wires {
 public:
  enum class Fault { kSilent, kAnswersLost, kFlapping };
  explicit Proxies(Fault fault) : fault_(fault) {}
  ~Proxies() override { Heal(); }

  void Start(Suite& suite) override {
    targets_ = suite.targets();
    for (const std::string& caller : Suite::Services()) {
      std::vector<std::string> arguments = suite.Arguments(caller);
      for (const std::string& callee : Suite::Services()) {
        if (callee == caller) continue;
        proxies_.push_back(
            std::make_unique<TcpProxy>("127.0.0.1", PortOf(TargetOf(suite, callee))));
        arguments.push_back(
            absl::StrCat("--", callee, "_target=127.0.0.1:", proxies_.back()->port()));
      }
      suite.StartWith(caller, arguments);
    }
    for (const std::string& service : Suite::Services()) suite.AwaitReady(service);
  }
  ctl::Targets targets() const override { return targets_; }

  void Cut() override {
    if (fault_ == Fault::kFlapping) {
      flapping_ = true;
      flapper_ = std::thread([this] {
        while (flapping_) {
          for (const auto& proxy : proxies_) proxy->CutWithinAnswer(30);
          absl::SleepFor(absl::Milliseconds(20));
        }
      });
      return;
    }
    for (const auto& proxy : proxies_) {
      proxy->Stall(fault_ == Fault::kSilent ? TcpProxy::Way::kBoth : TcpProxy::Way::kAnswers);
    }
  }
  void Heal() override {
    flapping_ = false;
    if (flapper_.joinable()) flapper_.join();
    for (const auto& proxy : proxies_) {
      proxy->CutWithinAnswer(-1);
      proxy->Heal();
    }
  }

 private:
  const Fault fault_;
  ctl::Targets targets_;
  std::vector<std::unique_ptr<TcpProxy>> proxies_;
  std::atomic<bool> flapping_{false};
  std::thread flapper_;
};

// A host for each service, and cables that lose packets.
class Hosts : public Wires {
 public:
  explicit Hosts(bool both_ways) : both_ways_(both_ways), network_(4) {}

  void Start(Suite& suite) override {
    std::map<std::string, std::string> own, health;
    for (const std::string& service : Suite::Services()) {
      const int host = HostOf(service);
      own[service] = absl::StrCat(network_.Address(0, host), ":", PortOf(TargetOf(suite, service)));
      health[service] = absl::StrCat(network_.Address(0, host), ":", suite.health_port(service));
      std::vector<std::string> words = network_.On(host);
      for (const std::string& argument : suite.Arguments(service)) words.push_back(argument);
      // The last of a flag counts.
      words.push_back(absl::StrCat("--listen=0.0.0.0:", PortOf(TargetOf(suite, service))));
      words.push_back(absl::StrCat("--health_listen=0.0.0.0:", suite.health_port(service)));
      for (const std::string& peer : Suite::Services()) {
        if (peer == service) continue;
        words.push_back(absl::StrCat("--", peer, "_target=", network_.Address(host, HostOf(peer)),
                                     ":", PortOf(TargetOf(suite, peer))));
      }
      suite.StartWith(service, words);
    }
    for (const std::string& service : Suite::Services()) {
      ASSERT_TRUE(Eventually([&] { return IsServing(health[service], service); }))
          << suite.LogOf(service);
    }
    targets_ = {
        .scheduling = own["scheduling"], .assessment = own["assessment"], .notes = own["notes"]};
  }
  ctl::Targets targets() const override { return targets_; }

  void Cut() override {
    for (int from = 1; from <= 3; ++from) {
      for (int to = 1; to <= 3; ++to) {
        // One way: who follows scheduling is not heard, and hears.
        if (from != to && (both_ways_ || from != HostOf("scheduling"))) network_.Lose(from, to);
      }
    }
  }
  void Heal() override { network_.Heal(); }

 private:
  static int HostOf(const std::string& service) {
    const auto& services = Suite::Services();
    return 1 + static_cast<int>(std::find(services.begin(), services.end(), service) -
                                services.begin());
  }

  const bool both_ways_;
  Network network_;
  ctl::Targets targets_;
};

struct Kind {
  const char* name;
  bool network;            // real packets, lost
  bool events_lost;        // what others tell does not arrive
  bool asking_is_in_vain;  // so that sources are known to be missing
  std::unique_ptr<Wires> (*wires)();
};

class PartitionTest : public ::testing::TestWithParam<Kind> {
 protected:
  void Start() {
    suite_ = std::make_unique<Suite>(sql::Engine::kSqlite);
    wires_ = GetParam().wires();
    ASSERT_NO_FATAL_FAILURE(wires_->Start(*suite_));
    auto signer = auth::TokenSigner::FromPemFile(suite_->keys_dir() + "/user.pem");
    ASSERT_TRUE(signer.ok()) << signer.status();
    caller_ = std::make_unique<ctl::GrpcCaller>(wires_->targets(), *std::move(signer));
    practice_ = std::make_unique<Practice>(*caller_, "cut");
    case_ = practice_->Name(absl::StrCat("cases/", names::Id(practice_->course.name(), "courses")));
  }

  template <class Response>
  Response Must(absl::string_view method, const google::protobuf::Message& request) {
    auto response = caller_->Call<Response>(practice_->therapist, method, request);
    EXPECT_TRUE(response.ok()) << method << ": " << response.status();
    return response.ok() ? *std::move(response) : Response();
  }

  // Until `service` knows of the appointment. A connection that the other end has given up is
  // noticed by its silence.
  void AwaitKnown(const std::string& service, const scheduling::v1::Appointment& appointment) {
    const std::string sql =
        absl::StrCat("SELECT count(*) FROM care_appointment WHERE appointment LIKE '%",
                     names::Id(appointment.name(), "appointments"), "'");
    EXPECT_TRUE(Eventually(
        [&] {
          return SqliteRows(DatabaseFile(*suite_, service), sql) == std::vector<std::string>{"1"};
        },
        absl::Seconds(45)))
        << service;
  }

  scheduling::v1::Appointment CheckIn(const scheduling::v1::Appointment& booked) {
    EXPECT_TRUE(story::FileClock(suite_->clock_file())(time::ToTime(booked.start_time())).ok());
    scheduling::v1::CheckInRequest request;
    request.set_name(booked.name());
    return Must<scheduling::v1::Appointment>("rapport.scheduling.v1.AppointmentService/CheckIn",
                                             request);
  }

  notes::v1::Note StartNote(const std::string& appointment) {
    notes::v1::StartNoteRequest start;
    start.set_parent(case_);
    start.set_appointment(appointment);
    return Must<notes::v1::Note>("rapport.notes.v1.NoteService/StartNote", start);
  }

  // Each is acknowledged, and the last is what is there.
  void SaveDrafts(const std::string& note, const std::string& phase) {
    drafts_.Phase(phase);
    notes::v1::SaveDraftRequest save;
    save.set_name(note);
    for (int i = 0; i < kDrafts; ++i) {
      save.mutable_content()->set_plan(absl::StrCat(phase, " ", i));
      save.set_base_sequence(sequence_[note]);
      save.set_sequence(++sequence_[note]);
      const absl::Time begun = absl::Now();
      Must<notes::v1::Note>("rapport.notes.v1.NoteService/SaveDraft", save);
      drafts_.Took(absl::Now() - begun);
    }
    last_plan_[note] = save.content().plan();
  }

  assessment::v1::RecordAssessmentResponse RecordCritical() {
    assessment::v1::RecordAssessmentRequest record;
    record.set_parent(practice_->organization);
    record.set_request_id("critical");
    assessment::v1::Assessment& form = *record.mutable_assessment();
    form.set_course(practice_->course.name());
    form.set_instrument("instruments/phq-9");
    form.set_administration(assessment::v1::ADMINISTRATION_CLINICIAN);
    for (int item = 1; item <= 9; ++item) {
      assessment::v1::Answer& answer = *form.add_answers();
      answer.set_item(item);
      answer.set_value(item == 9 ? 3 : 1);
    }
    return Must<assessment::v1::RecordAssessmentResponse>(
        "rapport.assessment.v1.AssessmentService/RecordAssessment", record);
  }

  void ExpectOneOpenAlert(const std::string& source) {
    assessment::v1::ListAlertsRequest list;
    list.set_parent(practice_->organization);
    std::vector<assessment::v1::Alert> found;
    const auto alerts = Must<assessment::v1::ListAlertsResponse>(
        "rapport.assessment.v1.AlertService/ListAlerts", list);
    for (const auto& alert : alerts.alerts()) {
      if (alert.source() == source) found.push_back(alert);
    }
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].state(), assessment::v1::ALERT_STATE_OPEN);
    EXPECT_EQ(found[0].owner(), practice_->clinician);
  }

  std::unique_ptr<Suite> suite_;
  std::unique_ptr<Wires> wires_;
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<Practice> practice_;
  std::string case_;
  Stopwatch drafts_;
  std::map<std::string, int> sequence_;
  std::map<std::string, std::string> last_plan_;
};

TEST_P(PartitionTest, WhatIsNotKnownIsSaidAndMadeGoodByItself) {
  if (GetParam().network) {
    if (Network::Ip().empty()) GTEST_SKIP() << "needs ip (Debian package iproute2)";
    if (Isolate() == Where::kOutside) return;
  }
  ASSERT_NO_FATAL_FAILURE(Start());
  const scheduling::v1::Appointment first = practice_->Book(*caller_, 1);
  const scheduling::v1::Appointment second = practice_->Book(*caller_, 8);
  AwaitKnown("notes", second);
  AwaitKnown("assessment", second);
  CheckIn(first);
  const notes::v1::Note before = StartNote(first.name());
  EXPECT_EQ(before.prefill().unavailable_sources_size(), 0);
  SaveDrafts(before.name(), "before");

  wires_->Cut();
  CheckIn(second);
  const scheduling::v1::Appointment third = practice_->Book(*caller_, 15);
  const notes::v1::Note during = StartNote(second.name());
  const auto& unknown = during.prefill().unavailable_sources();
  if (GetParam().asking_is_in_vain) {
    EXPECT_THAT(unknown, Contains("assessment"));
  }
  if (GetParam().events_lost) {
    EXPECT_THAT(unknown, Contains("scheduling"));
  }
  SaveDrafts(during.name(), "during");
  const std::string critical = RecordCritical().assessment().name();
  ExpectOneOpenAlert(critical);

  wires_->Heal();
  SaveDrafts(during.name(), "after");
  AwaitKnown("notes", third);
  AwaitKnown("assessment", third);
  assessment::v1::ListDueMeasuresRequest due;
  due.set_parent(practice_->organization);
  due.set_course(practice_->course.name());
  EXPECT_TRUE(Eventually([&] {
    const auto measures = Must<assessment::v1::ListDueMeasuresResponse>(
        "rapport.assessment.v1.AssessmentService/ListDueMeasures", due);
    return std::any_of(measures.due_measures().begin(), measures.due_measures().end(),
                       [&](const auto& measure) { return measure.appointment() == third.name(); });
  }));
  ExpectOneOpenAlert(critical);

  // What was acknowledged.
  scheduling::v1::ListAppointmentsRequest list;
  list.set_parent(practice_->organization);
  list.set_course(practice_->course.name());
  std::vector<std::string> booked;
  const auto appointments = Must<scheduling::v1::ListAppointmentsResponse>(
      "rapport.scheduling.v1.AppointmentService/ListAppointments", list);
  for (const auto& appointment : appointments.appointments()) booked.push_back(appointment.name());
  // Beside what assessment may hold for who answered so.
  EXPECT_THAT(booked, IsSupersetOf({first.name(), second.name(), third.name()}));
  for (const auto& [name, plan] : last_plan_) {
    notes::v1::GetNoteRequest get;
    get.set_name(name);
    EXPECT_EQ(Must<notes::v1::Note>("rapport.notes.v1.NoteService/GetNote", get).content().plan(),
              plan);
  }
  drafts_.Report("drafts saved");
}

template <Proxies::Fault fault>
std::unique_ptr<Wires> Proxied() {
  return std::make_unique<Proxies>(fault);
}

template <bool both_ways>
std::unique_ptr<Wires> Wired() {
  return std::make_unique<Hosts>(both_ways);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, PartitionTest,
    ::testing::Values(
        Kind{"Silent", false, true, true, &Proxied<Proxies::Fault::kSilent>},
        Kind{"AnswersLost", false, true, true, &Proxied<Proxies::Fault::kAnswersLost>},
        Kind{"BrokenWithinAnswers", false, false, false, &Proxied<Proxies::Fault::kFlapping>},
        Kind{"PacketsLost", true, true, true, &Wired<true>},
        Kind{"PacketsLostOneWay", true, false, true, &Wired<false>}),
    [](const ::testing::TestParamInfo<Kind>& kind) { return kind.param.name; });

}  // namespace
}  // namespace rapport::testing
