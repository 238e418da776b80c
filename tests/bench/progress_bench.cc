// How fast GetProgress tells a course of 16 sessions on PostgreSQL, against pgbench sending the
// statements that it sends, in its round trips: calls a second with four clients, and the time of
// one call with one.
//
//   progress_bench [--courses N] [--rounds N] [--calls N] [--json FILE]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/forms.h"
#include "services/assessment/migrations/migrations.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/progress_handlers.h"
#include "services/assessment/store/assessments.h"
#include "tests/bench/pgbench.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::bench {
namespace {

namespace v1 = assessment::v1;
namespace proto = scheduling::v1;

constexpr char kOrganization[] = "bench";
constexpr int kSessions = 16;
constexpr int kClients = 4;
constexpr int kCoursesAtOnce = 50;
constexpr absl::Duration kPatience = absl::Seconds(60);
const absl::Time kStart = absl::FromUnixSeconds(1'772'442'000);

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "%s\n", std::string(what).c_str());
  std::exit(1);
}
void Check(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

struct Options {
  int courses = 2'000;
  int rounds = 5;
  int calls = 2'000;
  std::string json;
};

// Of course `number`; "n0n" in it is the number.
std::string Name(absl::string_view collection, int number, absl::string_view of = "") {
  return names::InOrganization(kOrganization, collection, absl::StrCat("n", number, "n", of));
}

double Median(std::vector<double> figures) {
  std::sort(figures.begin(), figures.end());
  return figures[figures.size() / 2];
}

// Of this no treatment is known.
class NoPeer final : public call::Peer {
 public:
  absl::string_view name() const override { return "notes"; }
  using call::Peer::Call;
  absl::Status Call(const call::CallContext&, absl::string_view, const google::protobuf::Message&,
                    google::protobuf::Message&) override {
    return absl::OkStatus();
  }
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {}

  int Run() {
    for (int from = 0; from < options_.courses; from += kCoursesAtOnce) {
      Check(database_->Write(
          sql::Access::Tenant(kOrganization), absl::Now() + kPatience, [&](sql::Transaction& tx) {
            return Load(tx, from, std::min(from + kCoursesAtOnce, options_.courses));
          }));
    }
    sql::testing::PostgresServer::Shared().Admin(place_.name, "VACUUM ANALYZE");

    RecordingDatabase recording(*database_);
    assessment::ProgressHandlers first(recording, catalogues_, vault_, notes_);
    Ask(first, 0);
    Substitution substitution;
    substitution.head = absl::StrCat("\\set m random(0, ", options_.courses - 1, ")\n");
    substitution.text = [](const std::string& text) {
      if (!absl::StrContains(text, "n0n")) return Substitution::Quoted(text);
      return absl::StrCat("('", absl::StrReplaceAll(text, {{"n0n", "n' || :m::text || 'n"}}), "')");
    };
    const Script script = MakeScript(recording, Trips::kItsOwn, kOrganization, substitution);

    const int each = options_.calls / kClients;
    std::vector<double> rate;
    std::vector<double> time;
    for (int round = 0; round < options_.rounds; ++round) {
      rate.push_back(Ours(kClients, each) / RunPgbench(place_, script, kClients, each).per_second);
      time.push_back(1000 / Ours(1, each) / RunPgbench(place_, script, 1, each).milliseconds);
    }
    std::printf("%d courses of %d sessions, %zu statements a call\n", options_.courses, kSessions,
                recording.sent.size());
    std::printf("calls a second, %d clients, of pgbench's: %.2f (%.2f to %.2f)\n", kClients,
                Median(rate), *std::min_element(rate.begin(), rate.end()),
                *std::max_element(rate.begin(), rate.end()));
    std::printf("time of a call, one client, of pgbench's: %.2f (%.2f to %.2f)\n", Median(time),
                *std::min_element(time.begin(), time.end()),
                *std::max_element(time.begin(), time.end()));
    if (!options_.json.empty()) {
      std::ofstream(options_.json) << absl::StrFormat(
          "{\"courses\": %d, \"rate_of_pgbench\": %g, \"time_of_pgbench\": %g}\n", options_.courses,
          Median(rate), Median(time));
    }
    return 0;
  }

 private:
  absl::Status Load(sql::Transaction& tx, int from, int to) {
    const auto tell = [&](const std::string& resource, const google::protobuf::Message& payload) {
      common::v1::Event event;
      event.set_event_id(ids::NewUlid());
      event.set_organization(names::Organization(kOrganization));
      event.set_resource(resource);
      event.set_version(1);
      *event.mutable_occur_time() = time::ToTimestamp(kStart);
      event.mutable_payload()->PackFrom(payload);
      return care::Apply(tx, event);
    };
    const std::string therapist = names::InOrganization(kOrganization, "clinicians", "ada");
    if (from == 0) {
      proto::OrganizationEvent organization;
      organization.set_state(proto::ORGANIZATION_STATE_ACTIVE);
      RETURN_IF_ERROR(tell(names::Organization(kOrganization), organization));
      proto::ClinicianEvent clinician;
      clinician.set_subject("ada");
      RETURN_IF_ERROR(tell(therapist, clinician));
    }
    for (int number = from; number < to; ++number) {
      proto::CourseEvent course;
      course.set_state(proto::COURSE_STATE_ACTIVE);
      course.set_patient(Name("patients", number));
      course.set_clinician(therapist);
      course.set_clinic(names::InOrganization(kOrganization, "clinics", "north"));
      course.set_planned_sessions(kSessions);
      course.set_cadence_days(7);
      course.set_patient_time_zone("Europe/London");
      course.set_protocol("protocols/classic/revisions/1");
      for (const auto& [instrument, every] : kMeasures) {
        auto* measure = course.add_measures();
        measure->set_instrument(instrument);
        measure->set_every_sessions(every);
      }
      RETURN_IF_ERROR(tell(Name("courses", number), course));
      for (int session = 1; session <= kSessions; ++session) {
        const absl::Time start = kStart + absl::Hours(168 * (session - 1));
        proto::AppointmentEvent appointment;
        appointment.set_course(Name("courses", number));
        appointment.set_patient(course.patient());
        appointment.set_clinician(therapist);
        appointment.set_clinic(course.clinic());
        *appointment.mutable_start_time() = time::ToTimestamp(start);
        *appointment.mutable_end_time() = time::ToTimestamp(start + absl::Minutes(50));
        appointment.set_state(proto::APPOINTMENT_STATE_COMPLETED);
        appointment.set_counts_towards_course(true);
        RETURN_IF_ERROR(
            tell(Name("appointments", number, absl::StrCat("-", session)), appointment));
        for (const auto& [instrument, every] : kMeasures) {
          if (session % every == 0) {
            RETURN_IF_ERROR(Record(tx, course, number, instrument, session, start));
          }
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status Record(sql::Transaction& tx, const proto::CourseEvent& course, int number,
                      const char* instrument, int session, absl::Time start) {
    const assessment::InstrumentRules& rules =
        *assessment::ShippedInstruments().FindById(instrument);
    v1::Assessment form;
    form.set_name(Name("assessments", number, absl::StrCat("-", instrument, "-", session)));
    form.set_course(Name("courses", number));
    form.set_patient(course.patient());
    form.set_instrument(rules.instrument().name());
    *form.mutable_answer_time() = time::ToTimestamp(start - absl::Hours(1));
    *form.mutable_record_time() = form.answer_time();
    for (int item = 1; item <= std::min(rules.items(), 9); ++item) {  // the others may be left
      v1::Answer& answer = *form.add_answers();
      answer.set_item(item);
      answer.set_value(session < 9 && item < 9 ? 2 : 1);
    }
    const auto sheet = assessment::Sheet::Read(rules, form.answers(), {});
    if (const auto* refusal = std::get_if<assessment::Refusal>(&sheet)) Die(refusal->description);
    *form.mutable_score() =
        assessment::ScoreSheet(rules, std::get<assessment::Sheet>(sheet), /*explain=*/true);
    return assessment::store::InsertAssessment(tx, vault_, form, rules.id()).status();
  }

  void Ask(assessment::ProgressHandlers& handlers, int number) {
    call::CallContext context;
    context.principal = principal_;
    context.organization_id = kOrganization;
    context.method = "bench";
    context.now = kStart + absl::Hours(168 * kSessions);
    context.deadline = absl::Now() + kPatience;
    v1::GetProgressRequest request;
    request.set_course(Name("courses", number));
    const auto progress = handlers.GetProgress(context, request);
    Check(progress.status());
    if (progress->instruments_size() != 2) Die("a course without its forms");
  }

  // Calls a second, over new connections, as pgbench's are.
  double Ours(int clients, int each) {
    const auto database = *sql::OpenPostgres(place_, components_);
    assessment::ProgressHandlers handlers(*database, catalogues_, vault_, notes_);
    const absl::Time begun = absl::Now();
    std::vector<std::thread> threads;
    for (int client = 0; client < clients; ++client) {
      threads.emplace_back([&, client] {
        for (int i = 0; i < each; ++i) Ask(handlers, (i * 7919 + client * 31) % options_.courses);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return each * clients / absl::ToDoubleSeconds(absl::Now() - begun);
  }

  static inline const std::map<const char*, int> kMeasures = {{"phq-9", 1}, {"gad-7", 4}};

  static std::shared_ptr<const auth::Principal> Therapist() {
    auto principal = std::make_shared<auth::Principal>();
    principal->subject = "ada";
    principal->organization_id = kOrganization;
    principal->roles = {"therapist"};
    return principal;
  }

  const Options options_;
  const std::shared_ptr<const auth::Principal> principal_ = Therapist();
  const std::vector<sql::Component> components_ = {care::Migrations(), work::Migrations(),
                                                   crypto::Migrations(), assessment::Migrations()};
  const sql::PostgresOptions place_ =
      sql::testing::PostgresServer::Shared().NewDatabase(components_);
  const std::unique_ptr<sql::Database> database_ = *sql::OpenPostgres(place_, components_);
  const assessment::Catalogues catalogues_{assessment::ShippedInstruments()};
  const crypto::Vault vault_{*crypto::KeyRing::Make({{"1", std::string(32, 'k')}})};
  NoPeer notes_;
};

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  rapport::bench::Options options;
  const std::map<std::string, int*> numbers = {
      {"--courses", &options.courses}, {"--rounds", &options.rounds}, {"--calls", &options.calls}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto number = numbers.find(argv[i]);
    if (number != numbers.end()) {
      *number->second = std::atoi(argv[i + 1]);
      if (*number->second < 1) return 2;
    } else if (std::strcmp(argv[i], "--json") == 0) {
      options.json = argv[i + 1];
    } else {
      return 2;
    }
  }
  return rapport::bench::Bench(options).Run();
}
