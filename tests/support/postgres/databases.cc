#include "tests/support/postgres/databases.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/support/postgres/instance.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::sql::testing {
namespace {

std::unique_ptr<Database> Opened(absl::StatusOr<std::unique_ptr<Database>> database) {
  if (database.ok()) return *std::move(database);
  std::fprintf(stderr, "%s\n", database.status().ToString().c_str());
  std::abort();
}

// A database that goes together with what it lies in.
template <class Place>
class TemporaryDatabase final : public Database {
 public:
  TemporaryDatabase(Place place, std::unique_ptr<Database> database)
      : place_(std::move(place)), database_(std::move(database)) {}

  Engine engine() const override { return database_->engine(); }
  absl::Status Read(const Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(Session&)> body) override {
    return database_->Read(access, deadline, body);
  }
  absl::Status Write(const Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(Transaction&)> body) override {
    return database_->Write(access, deadline, body);
  }
  Stats stats() const override { return database_->stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_->Ready(deadline); }

 private:
  Place place_;
  std::unique_ptr<Database> database_;
};

struct DropAtEnd {
  void operator()(const PostgresOptions* options) const {
    PostgresServer::Shared().Drop(*options);
    delete options;
  }
};

}  // namespace

DatabaseFactory Sqlite(std::vector<Component> components) {
  return {"Sqlite", [components = std::move(components)]() -> std::unique_ptr<Database> {
            auto folder = std::make_unique<::rapport::testing::TempDir>();
            auto database = Opened(OpenSqlite({.path = folder->File("test.db")}, components));
            return std::make_unique<TemporaryDatabase<decltype(folder)>>(std::move(folder),
                                                                         std::move(database));
          }};
}

DatabaseFactory Postgres(std::vector<Component> components) {
  return {"Postgres", [components = std::move(components)]() -> std::unique_ptr<Database> {
            std::unique_ptr<const PostgresOptions, DropAtEnd> place(
                new PostgresOptions(PostgresServer::Shared().NewDatabase(components)));
            auto database = Opened(OpenPostgres(*place, components));
            return std::make_unique<TemporaryDatabase<decltype(place)>>(std::move(place),
                                                                        std::move(database));
          }};
}

DatabaseFactory Pooled(std::vector<Component> components) {
  return {"Pooled", [components = std::move(components)]() -> std::unique_ptr<Database> {
            PostgresServer& server = PostgresServer::Shared();
            static const PgBouncer bouncer(server.host(), server.port(), 2);
            std::unique_ptr<const PostgresOptions, DropAtEnd> place(
                new PostgresOptions(server.NewDatabase(components)));
            PostgresOptions options = *place;
            options.port = bouncer.port();
            options.pooler = Pooler::kTransaction;
            auto database = Opened(OpenPostgres(options, components));
            return std::make_unique<TemporaryDatabase<decltype(place)>>(std::move(place),
                                                                        std::move(database));
          }};
}

std::vector<DatabaseFactory> AllEngines(std::vector<Component> components) {
  return {Sqlite(components), Postgres(components)};
}

}  // namespace rapport::sql::testing
