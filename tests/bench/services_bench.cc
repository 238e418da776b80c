// What the real binaries need by themselves (B13) and how soon they write again after their
// PostgreSQL was killed and started again (B17).
//
//   services_bench [--rounds N] [--idle SECONDS] [--json FILE]
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "common/rpc/channel.h"
#include "common/work/work.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "services/scheduling/migrations/migrations.h"
#include "tests/integration/suite/health.h"
#include "tests/integration/suite/suite.h"
#include "tests/support/postgres/instance.h"

namespace rapport::bench {
namespace {

using testing::Suite;

constexpr int kWriters = 8;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double Seconds(absl::Duration duration) { return absl::ToDoubleSeconds(duration); }

// Of what it holds: resident, and its share of what it holds together with others.
struct Memory {
  double resident = 0;  // MiB
  double own = 0;
};
Memory MemoryOf(pid_t pid) {
  Memory memory;
  std::ifstream file(absl::StrCat("/proc/", pid, "/smaps_rollup"));
  for (std::string word; file >> word;) {
    if (word != "Rss:" && word != "Pss:") continue;
    double kilobytes = 0;
    file >> kilobytes;
    (word == "Rss:" ? memory.resident : memory.own) = kilobytes / 1024;
  }
  return memory;
}

void AwaitServing(const Suite& suite, const std::string& service) {
  const std::string address = absl::StrCat("127.0.0.1:", suite.health_port(service));
  const absl::Time give_up = absl::Now() + absl::Seconds(60);
  while (!testing::IsServing(address, service)) {
    if (absl::Now() > give_up) {
      std::fprintf(stderr, "%s is not ready: %s\n", service.c_str(), suite.LogOf(service).c_str());
      std::exit(1);
    }
  }
}

struct Kept {
  std::vector<double> first, again, resident, own;
};

// Each alone: on an empty folder, whose database it makes, then on what it left; then all three
// side by side, idle.
std::map<std::string, Kept> Starts(int rounds, absl::Duration idle) {
  std::map<std::string, Kept> kept;
  for (int round = 0; round < rounds; ++round) {
    Suite suite(sql::Engine::kSqlite);
    for (const std::string& service : Suite::Services()) {
      for (std::vector<double>* into : {&kept[service].first, &kept[service].again}) {
        const absl::Time begun = absl::Now();
        suite.Start(service);
        AwaitServing(suite, service);
        into->push_back(Seconds(absl::Now() - begun));
        suite.Terminate(service);
      }
    }
    suite.StartAll();
    absl::SleepFor(idle);
    for (const std::string& service : Suite::Services()) {
      const Memory memory = MemoryOf(suite.pid(service));
      kept[service].resident.push_back(memory.resident);
      kept[service].own.push_back(memory.own);
    }
  }
  return kept;
}

struct Recovery {
  double server = 0;   // from the kill until PostgreSQL takes connections, s
  double write = 0;    // from then until a write is acknowledged
  double serving = 0;  // from then until the service says that it serves
  double gap = 0;      // between two acknowledged writes
};

// Of scheduling, with callers who write all the time and repeat nothing.
std::vector<Recovery> Restarts(int rounds) {
  sql::testing::Instance server("127.0.0.1", sql::testing::FreeLoopbackPort());
  server.Start();
  const sql::PostgresOptions database =
      server.MakeDatabase({work::Migrations(), scheduling::Migrations()});
  Suite suite(sql::Engine::kPostgres);
  std::vector<std::string> arguments = suite.Arguments("scheduling");
  for (const std::string& argument : {absl::StrCat("--postgres_host=", database.host),
                                      absl::StrCat("--postgres_port=", database.port),
                                      absl::StrCat("--postgres_name=", database.name),
                                      std::string("--allow_unsafe_durability=false")}) {
    arguments.push_back(argument);  // the last of a flag counts
  }
  suite.StartWith("scheduling", arguments);
  AwaitServing(suite, "scheduling");
  const auto signer = *auth::TokenSigner::FromPemFile(suite.keys_dir() + "/user.pem");
  const ctl::Identity admin{
      .subject = "ada", .organization_id = "acme", .roles = {"organization_admin"}};
  {
    const auto caller = suite.NewCaller();
    scheduling::v1::CreateOrganizationRequest create;
    create.set_organization_id("acme");
    create.mutable_organization()->set_display_name("Acme");
    const auto made = caller->Call<scheduling::v1::Organization>(
        {.subject = "operator", .organization_id = "", .roles = {"platform_operator"}},
        "rapport.scheduling.v1.OrganizationService/CreateOrganization", create);
    if (!made.ok()) {
      std::fprintf(stderr, "%s\n", made.status().ToString().c_str());
      std::exit(1);
    }
  }
  const rpc::Channel channel(suite.targets().scheduling);
  std::atomic<bool> done{false};
  std::atomic<int64_t> acknowledged{0}, last{absl::ToUnixMicros(absl::Now())}, gap{0};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int number = 0; !done; ++number) {
        scheduling::v1::CreateClinicRequest request;
        request.set_parent("organizations/acme");
        request.set_clinic_id(absl::StrCat("w", writer, "-", number));
        request.mutable_clinic()->set_display_name("Clinic");
        request.mutable_clinic()->set_time_zone("Europe/London");
        request.mutable_clinic()->set_jurisdiction("GB-ENG");
        scheduling::v1::Clinic clinic;
        const absl::Status status =
            channel.Call("rapport.scheduling.v1.DirectoryService/CreateClinic",
                         {.user_token = ctl::MintToken(*signer, admin, absl::Minutes(5)),
                          .service_token = "",
                          .traceparent = ""},
                         absl::Now() + absl::Seconds(5), request, clinic);
        if (!status.ok()) {
          absl::SleepFor(absl::Milliseconds(5));
          continue;
        }
        ++acknowledged;
        const int64_t now = absl::ToUnixMicros(absl::Now());
        const int64_t between = now - last.exchange(now);
        for (int64_t most = gap; between > most && !gap.compare_exchange_weak(most, between);) {
        }
      }
    });
  }
  const auto await_more = [&](int64_t more) {
    for (const int64_t wanted = acknowledged + more; acknowledged < wanted;) {
      absl::SleepFor(absl::Microseconds(500));
    }
  };
  std::vector<Recovery> found;
  for (int round = 0; round < rounds; ++round) {
    await_more(200);
    gap = 0;
    Recovery& recovery = found.emplace_back();
    const absl::Time killed = absl::Now();
    server.Stop("immediate");
    server.Start();
    const absl::Time up = absl::Now();
    await_more(1);
    recovery.server = Seconds(up - killed);
    recovery.write = Seconds(absl::Now() - up);
    AwaitServing(suite, "scheduling");
    recovery.serving = Seconds(absl::Now() - up);
    await_more(200);
    recovery.gap = static_cast<double>(gap) / 1e6;
  }
  done = true;
  for (std::thread& writer : writers) writer.join();
  return found;
}

int Run(int rounds, absl::Duration idle, const std::string& json_path) {
  std::string json = "{\"services\": [";
  std::printf("%-12s %14s %14s %14s %14s\n", "", "first start s", "next start s", "idle RSS MiB",
              "idle PSS MiB");
  const auto kept = Starts(rounds, idle);
  for (const auto& [service, of] : kept) {
    std::printf("%-12s %14.3f %14.3f %14.1f %14.1f\n", service.c_str(), Median(of.first),
                Median(of.again), Median(of.resident), Median(of.own));
    absl::StrAppendFormat(&json,
                          "%s{\"name\": \"%s\", \"first_start_seconds\": %g, "
                          "\"next_start_seconds\": %g, \"idle_rss_mib\": %g, \"idle_pss_mib\": %g}",
                          json.back() == '[' ? "" : ", ", service, Median(of.first),
                          Median(of.again), Median(of.resident), Median(of.own));
  }
  std::fflush(stdout);
  const std::vector<Recovery> restarts = Restarts(rounds);
  const auto each = [&](double Recovery::*figure) {
    std::vector<double> values;
    for (const Recovery& recovery : restarts) values.push_back(recovery.*figure);
    std::sort(values.begin(), values.end());
    return values;
  };
  absl::StrAppend(&json, "], \"postgres_restart\": {");
  std::printf("after PostgreSQL was killed and started, s   median    most\n");
  const char* between = "";
  for (const auto& [name, key, figure] :
       {std::tuple("PostgreSQL itself takes connections", "server", &Recovery::server),
        std::tuple("then: a write is acknowledged", "write", &Recovery::write),
        std::tuple("then: the service says SERVING", "serving", &Recovery::serving),
        std::tuple("longest time without a write", "gap", &Recovery::gap)}) {
    const std::vector<double> values = each(figure);
    std::printf("  %-40s %8.3f %7.3f\n", name, Median(values), values.back());
    absl::StrAppendFormat(&json, "%s\"%s_seconds\": {\"median\": %g, \"most\": %g}", between, key,
                          Median(values), values.back());
    between = ", ";
  }
  if (!json_path.empty()) std::ofstream(json_path) << json << "}}\n";
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  int rounds = 5;
  int idle = 10;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--idle") == 0) idle = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  if (rounds < 1 || idle < 0) return 2;
  return rapport::bench::Run(rounds, absl::Seconds(idle), json);
}
