// What is left of the bookings when three times as many are asked for as there is room for (B15):
// BookAppointment over gRPC on PostgreSQL. A process of its own asks, by a clock and not by the
// answers, and takes half a core at most; ours and PostgreSQL have the rest.
//
//   overload_bench [--rounds N] [--seconds N] [--json FILE]
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/audit/access_log.h"
#include "common/auth/jwt.h"
#include "common/auth/signer.h"
#include "common/concurrency/mutex.h"
#include "common/errors/status_macros.h"
#include "common/feed/feed.h"
#include "common/rpc/server.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "services/scheduling/data/shipped_protocols.h"
#include "services/scheduling/migrations/migrations.h"
#include "services/scheduling/rpc/appointment_handlers.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/urgent_handlers.h"
#include "services/scheduling/store/course_store.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/organization_store.h"
#include "tests/bench/network.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/temp_dir.h"

extern char** environ;

namespace rapport::bench {
namespace {

namespace v1 = scheduling::v1;

constexpr char kBook[] = "/rapport.scheduling.v1.AppointmentService/BookAppointment";
constexpr int kClinicians = 600;
constexpr int kCourses = 12'000;
constexpr int kSessions = 16;  // of a course
constexpr int kHours = 22;     // of a day
constexpr int kAtOnce = 64;    // calls under way, where the answers set the pace
constexpr double kShareOfCore = 0.5;
constexpr absl::Duration kDeadline = absl::Seconds(2);
const absl::CivilDay kStart(2026, 9, 7);

void Want(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

std::string Name(absl::string_view collection, absl::string_view id) {
  return absl::StrCat("organizations/acme/", collection, "/", id);
}
std::string CourseName(int course) { return Name("courses", IdOf(course + 1)); }

// Booking `number`: each takes time that is free.
v1::BookAppointmentRequest Ask(int number) {
  const int course = number % kCourses;
  const int slot = course / kClinicians + number / kCourses * (kCourses / kClinicians);
  v1::BookAppointmentRequest request;
  request.set_course(CourseName(course));
  *request.mutable_local_date() = time::ToDate(kStart + 7 + slot / kHours);
  *request.mutable_local_time() = time::ToTimeOfDay(slot % kHours * 60);
  request.set_request_id(absl::StrCat("number-", number));
  return request;
}

absl::Status FillDirectory(sql::Transaction& tx, absl::Time now) {
  RETURN_IF_ERROR(scheduling::store::InsertOrganization(tx, "acme", v1::Organization(), now));
  v1::Clinic clinic;
  clinic.set_name(Name("clinics", "north"));
  clinic.set_time_zone("Etc/UTC");
  clinic.set_jurisdiction("GB-ENG");
  RETURN_IF_ERROR(scheduling::store::InsertClinic(tx, clinic).status());
  for (int i = 0; i < kClinicians; ++i) {
    v1::Clinician clinician;
    clinician.set_name(Name("clinicians", absl::StrCat("c", i)));
    clinician.set_subject(absl::StrCat("c", i));
    clinician.set_profession(v1::PROFESSION_PSYCHOLOGIST);
    clinician.set_licence_number("L");
    *clinician.mutable_licence_expire_date() = time::ToDate(absl::CivilDay(2040, 1, 1));
    clinician.add_clinics(clinic.name());
    clinician.add_certified_protocols("classic");
    for (int day = 1; day <= 7; ++day) {
      v1::WorkingHours& hours = *clinician.add_weekly_hours();
      hours.set_clinic(clinic.name());
      hours.set_day_of_week(static_cast<google::type::DayOfWeek>(day));
      *hours.mutable_start_time() = time::ToTimeOfDay(0);
      *hours.mutable_end_time() = time::ToTimeOfDay(23 * 60);
    }
    RETURN_IF_ERROR(scheduling::store::InsertClinician(tx, clinician).status());
  }
  return absl::OkStatus();
}

absl::Status FillCourses(sql::Transaction& tx, int from, int to, absl::Time now) {
  for (int i = from; i < to; ++i) {
    v1::Course course;
    course.set_name(CourseName(i));
    course.set_patient(Name("patients", absl::StrCat("p", i)));
    v1::PatientParticulars& particulars = *course.mutable_patient_particulars();
    particulars.set_birth_year(1980);
    particulars.set_birth_month(5);
    particulars.set_jurisdiction("GB-ENG");
    particulars.set_time_zone("Etc/UTC");
    course.set_clinician(Name("clinicians", absl::StrCat("c", i % kClinicians)));
    course.set_clinic(Name("clinics", "north"));
    course.set_protocol("protocols/classic/revisions/1");
    course.set_planned_sessions(kSessions);
    course.set_state(v1::COURSE_STATE_ACTIVE);
    *course.mutable_create_time() = time::ToTimestamp(now);
    *course.mutable_update_time() = time::ToTimestamp(now);
    RETURN_IF_ERROR(scheduling::store::InsertCourse(tx, course));
  }
  return absl::OkStatus();
}

void Fill(sql::Database& database, absl::Time now) {
  const sql::Access access = sql::Access::Tenant("acme");
  const absl::Time deadline = absl::Now() + absl::Minutes(5);
  Want(database.Write(access, deadline,
                      [&](sql::Transaction& tx) { return FillDirectory(tx, now); }));
  for (int from = 0; from < kCourses; from += 500) {
    Want(database.Write(access, deadline, [&](sql::Transaction& tx) {
      return FillCourses(tx, from, std::min(from + 500, kCourses), now);
    }));
  }
}

// What the asking process saw. Times in ms, from when a call was due.
struct Seen {
  double good_per_second = 0;  // answered with OK by the deadline
  double good_p50 = 0, good_p99 = 0;
  double refused_share = 0;
  double refused_p50 = 0, refused_p99 = 0;
  double other_share = 0;  // neither: late, or wrong
  double cores = 0;        // that asking took
  double late = 0;         // by how much the last call was asked late
};

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double At(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const size_t at =
      std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

// In the asking process: `rate` calls a second by the clock, or with 0 as fast as they are
// answered.
class Asker {
 public:
  Asker(int port, std::string token) : token_("Bearer " + std::move(token)) {
    for (int i = 0; i < 4; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stubs_.push_back(std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
          absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(), arguments)));
    }
  }

  Seen Run(double rate, double seconds, int first) {
    const double cpu = CpuSeconds();
    const absl::Time begun = absl::Now();
    const absl::Time end = begun + absl::Seconds(seconds);
    absl::Duration late;
    for (int i = 0;; ++i) {
      const absl::Time due = rate > 0 ? begun + absl::Seconds(i / rate) : absl::Now();
      if (due >= end) break;
      if (rate > 0) {
        absl::SleepFor(due - absl::Now());
      } else {
        MutexLock lock(mutex_);
        while (under_way_ >= kAtOnce) ended_.Wait(mutex_);
      }
      // No more than its share: it comes late then, and says so.
      while (rate > 0 && CpuSeconds() - cpu >
                             kShareOfCore * absl::ToDoubleSeconds(absl::Now() - begun) + 0.05) {
        absl::SleepFor(absl::Milliseconds(1));
      }
      late = absl::Now() - due;
      Send(first + i, rate > 0 ? due : absl::Now());
    }
    {
      MutexLock lock(mutex_);
      while (under_way_ > 0) ended_.Wait(mutex_);
    }
    const double took = absl::ToDoubleSeconds(absl::Now() - begun);
    MutexLock lock(mutex_);
    const double all = static_cast<double>(good_.size() + refused_.size() + others_);
    return {.good_per_second = static_cast<double>(good_.size()) / seconds,
            .good_p50 = At(good_, 0.5),
            .good_p99 = At(good_, 0.99),
            .refused_share = static_cast<double>(refused_.size()) / all,
            .refused_p50 = At(refused_, 0.5),
            .refused_p99 = At(refused_, 0.99),
            .other_share = static_cast<double>(others_) / all,
            .cores = (CpuSeconds() - cpu) / took,
            .late = absl::ToDoubleMilliseconds(late)};
  }

 private:
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer request, response;
    absl::Time due;
  };

  void Send(int number, absl::Time due) {
    auto* const call = new Call;
    call->due = due;
    call->context.AddMetadata("authorization", token_);
    call->context.set_deadline(absl::ToChronoTime(due + kDeadline));
    const grpc::Slice bytes(Ask(number).SerializeAsString());
    call->request = grpc::ByteBuffer(&bytes, 1);
    {
      MutexLock lock(mutex_);
      ++under_way_;
    }
    stubs_[static_cast<size_t>(number) % stubs_.size()]->UnaryCall(
        &call->context, kBook, {}, &call->request, &call->response,
        [this, call](const grpc::Status& status) {
          const double millis = absl::ToDoubleMilliseconds(absl::Now() - call->due);
          delete call;
          MutexLock lock(mutex_);
          if (status.ok()) {
            good_.push_back(millis);
          } else if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
            refused_.push_back(millis);
          } else {
            if (others_++ == 0 && status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
              std::fprintf(stderr, "%d %s\n", static_cast<int>(status.error_code()),
                           status.error_message().c_str());
            }
          }
          --under_way_;
          ended_.Signal();
        });
  }

  const std::string token_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  Mutex mutex_;
  CondVar ended_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  int others_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<double> good_ ABSL_GUARDED_BY(mutex_), refused_ ABSL_GUARDED_BY(mutex_);
};

// Runs the asking process to its end.
Seen RunAsker(int port, const std::string& token_path, const std::string& seen_path, double rate,
              double seconds, int first) {
  std::vector<std::string> words = {"/proc/self/exe",
                                    "--ask",
                                    absl::StrCat(port),
                                    token_path,
                                    seen_path,
                                    absl::StrCat(rate),
                                    absl::StrCat(seconds),
                                    absl::StrCat(first)};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  int status = 0;
  if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0 ||
      waitpid(pid, &status, 0) != pid || status != 0) {
    std::fprintf(stderr, "the asking process failed\n");
    std::exit(1);
  }
  Seen seen;
  std::ifstream(seen_path) >> seen.good_per_second >> seen.good_p50 >> seen.good_p99 >>
      seen.refused_share >> seen.refused_p50 >> seen.refused_p99 >> seen.other_share >>
      seen.cores >> seen.late;
  return seen;
}

int AskerMain(char** words) {
  std::string token;
  std::ifstream(words[1]) >> token;
  const Seen seen = Asker(std::atoi(words[0]), token)
                        .Run(std::atof(words[3]), std::atof(words[4]), std::atoi(words[5]));
  std::ofstream(words[2]) << seen.good_per_second << ' ' << seen.good_p50 << ' ' << seen.good_p99
                          << ' ' << seen.refused_share << ' ' << seen.refused_p50 << ' '
                          << seen.refused_p99 << ' ' << seen.other_share << ' ' << seen.cores << ' '
                          << seen.late;
  return 0;
}

double Median(std::vector<double> values) { return At(values, 0.5); }

int Run(int rounds, double seconds, const std::string& json_path) {
  rapport::testing::TempDir dir;
  Want(telemetry::LogTo(dir.File("log")));
  const absl::Time now = absl::FromCivil(kStart, absl::UTCTimeZone());
  time::ManualClock clock(now);
  const auto database =
      sql::testing::Postgres({work::Migrations(), scheduling::Migrations()}).make();
  Fill(*database, now);

  const auto user = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::ofstream(dir.File("jwks.json")) << "{\"keys\":[" << user->PublicJwk() << "]}";
  auth::TokenVerifierOptions verifying;
  verifying.jwks_file = dir.File("jwks.json");
  verifying.issuers = {"issuer"};
  verifying.audiences = {"rapport"};
  const auto verifier = *auth::TokenVerifier::Make(verifying);
  const auto write_token = [&] {
    const absl::Time today = absl::Now();
    std::ofstream(dir.File("token")) << user->Sign({.issuer = "issuer",
                                                    .subject = "desk",
                                                    .audience = "rapport",
                                                    .issue_time = today,
                                                    .expire_time = today + absl::Minutes(15),
                                                    .token_id = "",
                                                    .organization_id = "acme",
                                                    .roles = {"scheduler"},
                                                    .clinics = std::nullopt,
                                                    .auth_time = today});
  };
  const auto metrics = telemetry::Metrics::Unserved();
  audit::AccessLog access_log(*database, clock);
  feed::Feed feed(*database, clock);
  feed.Start();
  const scheduling::Protocols protocols{scheduling::ShippedProtocols()};
  const scheduling::Booker booker(protocols, nullptr);
  scheduling::AppointmentHandlers handlers(*database, booker);
  rpc::FrontDoor front({.verifier = verifier.get(),
                        .clock = &clock,
                        .integrity = auth::IntegrityKey::Parse(std::string(64, 'a')).value(),
                        .metrics = metrics.get(),
                        .access_log = &access_log});
  scheduling::LiveIndex index(*database, clock, *metrics);
  Want(index.CatchUp());
  index.Start();
  scheduling::UrgentHandlers urgent(*database, protocols, index, booker);
  call::Registry registry;
  handlers.Register(registry);
  urgent.Register(registry);
  auto server = rpc::Server::Start({.listen = "127.0.0.1:0", .health_listen = "127.0.0.1:0"},
                                   "scheduling", registry, front);
  Want(server.status());

  int next = 0;
  const auto ask = [&](double rate, double how_long) {
    write_token();
    const Seen seen =
        RunAsker((*server)->port(), dir.File("token"), dir.File("seen"), rate, how_long, next);
    next +=
        static_cast<int>((rate > 0 ? rate : 2 * std::max(seen.good_per_second, 500.0)) * how_long) +
        kAtOnce;
    if (next > kCourses * kSessions) {
      std::fprintf(stderr, "there is no more to book: fewer --rounds or --seconds\n");
      std::exit(1);
    }
    return seen;
  };
  if (ask(0, 2).good_per_second == 0) {  // warm
    std::fprintf(stderr, "nothing was booked\n");
    return 1;
  }
  std::vector<double> capacity, at_one, at_three, kept, refused_p99, good_p99, cores, others;
  for (int round = 0; round < rounds; ++round) {
    const Seen most = ask(0, seconds / 2);
    const Seen one = ask(most.good_per_second, seconds);
    const Seen three = ask(3 * most.good_per_second, seconds);
    std::printf(
        "capacity %5.0f/s; asked for as much: %5.0f/s, p99 %5.0f ms; asked for 3x: %5.0f/s, p99 "
        "%5.0f ms, refused %2.0f %% in p50 %4.1f, p99 %5.1f ms, neither %.1f %%; asking took %.2f "
        "cores, late by %.0f ms\n",
        most.good_per_second, one.good_per_second, one.good_p99, three.good_per_second,
        three.good_p99, 100 * three.refused_share, three.refused_p50, three.refused_p99,
        100 * three.other_share, three.cores, three.late);
    std::fflush(stdout);
    capacity.push_back(most.good_per_second);
    at_one.push_back(one.good_per_second);
    at_three.push_back(three.good_per_second);
    kept.push_back(three.good_per_second / one.good_per_second);
    refused_p99.push_back(three.refused_p99);
    good_p99.push_back(three.good_p99);
    cores.push_back(three.cores);
    others.push_back(three.other_share);
  }
  std::printf("goodput at 3x of that at capacity: %.2f (%.2f to %.2f); refusals p99 %.1f ms\n",
              Median(kept), *std::min_element(kept.begin(), kept.end()),
              *std::max_element(kept.begin(), kept.end()), Median(refused_p99));
  if (!json_path.empty()) {
    std::ofstream(json_path) << absl::StrFormat(
        "{\"capacity_per_second\": %g, \"goodput_at_capacity\": %g, \"goodput_at_three\": %g, "
        "\"ratio\": %g, \"refusal_p99_ms\": %g, \"answer_p99_ms\": %g, \"neither_share\": %g, "
        "\"generator_cores\": %g}\n",
        Median(capacity), Median(at_one), Median(at_three), Median(kept), Median(refused_p99),
        Median(good_p99), Median(others), Median(cores));
  }
  server->reset();
  front.Drain();
  access_log.Stop();
  index.Stop();
  feed.Stop();
  metrics->StopReading();
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (argc == 8 && std::strcmp(argv[1], "--ask") == 0) return rapport::bench::AskerMain(argv + 2);
  int rounds = 5;
  double seconds = 6;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  if (rounds < 1 || seconds <= 0) return 2;
  return rapport::bench::Run(rounds, seconds, json);
}
