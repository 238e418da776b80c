#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/errors/status_macros.h"
#include "common/sql/migrations.h"
#include "common/work/work.h"
#include "services/assessment/migrations/migrations.h"
#include "services/notes/migrations/migrations.h"
#include "services/scheduling/migrations/migrations.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/progress_bar.h"

ABSL_FLAG(std::string, postgres_host, "localhost", "PostgreSQL server.");
ABSL_FLAG(int, postgres_port, 5432, "PostgreSQL port.");
ABSL_FLAG(std::string, postgres_name, "", "Database; default rapport_<service>.");
ABSL_FLAG(std::string, postgres_user, "rapport_owner", "Role that owns the schema.");
ABSL_FLAG(std::string, postgres_password_file, "", "File with its password.");
ABSL_FLAG(absl::Duration, patience, absl::Minutes(10), "How long to wait for the schema.");

namespace rapport::ctl {
namespace {

absl::StatusOr<std::vector<sql::Component>> ComponentsOf(const Words& words,
                                                         absl::string_view command) {
  if (words.size() == 1 && words[0] == "scheduling") {
    return std::vector<sql::Component>{work::Migrations(), scheduling::Migrations()};
  }
  if (words.size() == 1 && words[0] == "assessment") {
    return std::vector<sql::Component>{care::Migrations(), work::Migrations(), crypto::Migrations(),
                                       assessment::Migrations()};
  }
  if (words.size() == 1 && words[0] == "notes") {
    return std::vector<sql::Component>{care::Migrations(), work::Migrations(), crypto::Migrations(),
                                       notes::Migrations()};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("usage: rapportctl ", command, " scheduling|assessment|notes"));
}

sql::PostgresOptions OptionsFor(const std::string& service) {
  sql::PostgresOptions options;
  options.host = absl::GetFlag(FLAGS_postgres_host);
  options.port = absl::GetFlag(FLAGS_postgres_port);
  options.name = absl::GetFlag(FLAGS_postgres_name);
  if (options.name.empty()) options.name = absl::StrCat("rapport_", service);
  options.user = absl::GetFlag(FLAGS_postgres_user);
  options.password_file = absl::GetFlag(FLAGS_postgres_password_file);
  options.feed_user = options.user;
  options.feed_password_file = options.password_file;
  options.allow_unsafe_durability = true;  // only reads, and what the schema needs
  return options;
}

}  // namespace

absl::Status Migrate(const Words& words) {
  ASSIGN_OR_RETURN(auto components, ComponentsOf(words, "migrate"));
  {
    ProgressBar bar("steps", 0);
    RETURN_IF_ERROR(sql::MigratePostgres({.database = OptionsFor(words[0]),
                                          .components = std::move(components),
                                          .progress = [&bar](int applied, int missing) {
                                            bar.SetTotal(missing);
                                            bar.Set(applied, applied);
                                          }}));
  }
  std::printf("the schema of %s is up to date\n", words[0].c_str());
  return absl::OkStatus();
}

absl::Status WaitForSchema(const Words& words) {
  ASSIGN_OR_RETURN(auto components, ComponentsOf(words, "wait-for-schema"));
  ASSIGN_OR_RETURN(auto database, sql::OpenPostgres(OptionsFor(words[0]), std::move(components)));
  const absl::Time give_up = absl::Now() + absl::GetFlag(FLAGS_patience);
  std::string told;
  while (true) {
    const absl::Status status = database->Ready(absl::Now() + absl::Seconds(5));
    if (!absl::IsUnavailable(status) || absl::Now() > give_up) return status;
    if (told != status.message()) {
      told = std::string(status.message());
      std::fprintf(stderr, "waiting: %s\n", told.c_str());
    }
    absl::SleepFor(absl::Seconds(1));
  }
}

}  // namespace rapport::ctl
