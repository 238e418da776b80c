#ifndef RAPPORT_TESTS_CONFORMANCE_AUDIT_RECORDS_H_
#define RAPPORT_TESTS_CONFORMANCE_AUDIT_RECORDS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/audit/audit_log.h"
#include "common/audit/verify.h"
#include "common/auth/keys.h"
#include "common/auth/signer.h"
#include "common/errors/status_macros.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/temp_dir.h"

// What a service's suites of its audited records share: its log against its rows, on a database of
// which the test holds the administrator's end too.
namespace rapport::audit::testing {

// The administrator's end of the newest database that Tamperable made.
struct AdministratorsEnd {
  static AdministratorsEnd& Newest() {
    static AdministratorsEnd end;
    return end;
  }

  // Any SQL, past all privileges and triggers.
  void Run(const std::string& sql) const {
    if (!postgres.name.empty()) {
      sql::testing::PostgresServer::Shared().Admin(
          postgres.name, absl::StrCat("SET session_replication_role = replica; ", sql));
      return;
    }
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    sqlite3_busy_timeout(raw, 5000);
    sqlite3_stmt* listed = nullptr;
    std::string drop;
    ASSERT_EQ(sqlite3_prepare_v2(raw, "SELECT name FROM sqlite_master WHERE type = 'trigger'", -1,
                                 &listed, nullptr),
              SQLITE_OK);
    while (sqlite3_step(listed) == SQLITE_ROW) {
      absl::StrAppend(&drop, "DROP TRIGGER ",
                      reinterpret_cast<const char*>(sqlite3_column_text(listed, 0)), ";");
    }
    sqlite3_finalize(listed);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, (drop + sql).c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error == nullptr ? "" : error) << " in " << sql;
    sqlite3_free(error);
    sqlite3_close(raw);
  }

  std::shared_ptr<rapport::testing::TempDir> dir;
  std::string path;
  sql::PostgresOptions postgres;
};

inline std::vector<sql::testing::DatabaseFactory> TamperableEngines(
    std::vector<sql::Component> components) {
  return {{.name = "sqlite",
           .make =
               [components] {
                 AdministratorsEnd& end = AdministratorsEnd::Newest();
                 end = {};
                 end.dir = std::make_shared<rapport::testing::TempDir>();
                 end.path = end.dir->File("test.db");
                 return *sql::OpenSqlite({.path = end.path}, components);
               }},
          {.name = "postgres", .make = [components] {
             AdministratorsEnd& end = AdministratorsEnd::Newest();
             end = {};
             end.postgres = sql::testing::PostgresServer::Shared().NewDatabase(components);
             return *sql::OpenPostgres(end.postgres, components);
           }}};
}

inline std::string FaultOf(const Findings& findings) {
  if (!findings.fault) return "";
  return absl::StrCat(static_cast<int>(findings.fault->kind), " ", findings.fault->resource, ": ",
                      findings.fault->detail);
}

// A literal of one byte for Run, in the engine of the newest database.
inline std::string OneByte() {
  return AdministratorsEnd::Newest().postgres.name.empty() ? "x'08'" : "'\\x08'::bytea";
}

// Edits, then deletes, what is stored in each table behind the service's back, and expects that the
// verification names it each time.
struct Tampered {
  std::string table;
  std::string column = "document";
  std::string resource;  // how the name begins of the record that is found
  bool deletes = true;   // it shows when rows are gone
};
template <class Verification>
void ExpectTamperingIsNamed(const std::vector<Tampered>& tables, Verification verify) {
  const AdministratorsEnd& administrator = AdministratorsEnd::Newest();
  for (const Tampered& each : tables) {
    SCOPED_TRACE(absl::StrCat(each.table, ".", each.column));
    administrator.Run(absl::StrCat("CREATE TABLE kept AS SELECT * FROM ", each.table, ";"));
    const auto restore = [&] {
      administrator.Run(absl::StrCat("DELETE FROM ", each.table, "; INSERT INTO ", each.table,
                                     " SELECT * FROM kept;"));
      const Findings whole = verify();
      EXPECT_FALSE(whole.fault) << FaultOf(whole);
    };
    administrator.Run(
        absl::StrCat("UPDATE ", each.table, " SET ", each.column, " = ", OneByte(), ";"));
    const Findings edited = verify();
    EXPECT_TRUE(edited.fault && edited.fault->kind == FaultKind::kRecordEdited &&
                absl::StartsWith(edited.fault->resource, each.resource))
        << "edited: " << FaultOf(edited);
    restore();
    if (each.deletes) {
      administrator.Run(absl::StrCat("DELETE FROM ", each.table, ";"));
      const Findings deleted = verify();
      EXPECT_TRUE(deleted.fault && deleted.fault->kind == FaultKind::kRecordDeleted &&
                  absl::StartsWith(deleted.fault->resource, each.resource))
          << "deleted: " << FaultOf(deleted);
      restore();
    }
    administrator.Run("DROP TABLE kept;");
  }
}

// What a verification of acme's log as it stands finds; what is pending is sequenced first.
inline Findings VerifyRecords(sql::Database& database, const std::vector<RecordKind>& kinds,
                              absl::Time now) {
  const absl::Time soon = absl::Now() + absl::Seconds(60);
  for (int moved = 1; moved > 0;) {
    const absl::Status status =
        database.Write(sql::Access::Feed(), soon, [&](sql::Transaction& tx) -> absl::Status {
          ASSIGN_OR_RETURN(moved, Sequence(tx, 1000, now));
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) return {};
  }
  static const auto& keys = *new std::shared_ptr<const auth::KeySet>(*auth::KeySet::Parse(
      absl::StrCat("{\"keys\":[",
                   auth::TokenSigner::Generate(auth::Algorithm::kEdDsa)->PublicJwk("test"), "]}")));
  Findings findings;
  const absl::Status status =
      database.Read(sql::Access::Tenant("acme"), soon, [&](sql::Session& session) -> absl::Status {
        Progress progress;
        Expectation expectation{
            .trusted = keys.get(), .service = "test", .heads = {}, .leaf_hashes = {}};
        ASSIGN_OR_RETURN(findings, Verify(session, "acme", kinds, expectation,
                                          {.limit = 100000, .now = now}, progress));
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(findings.done || findings.fault);
  return findings;
}

}  // namespace rapport::audit::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_AUDIT_RECORDS_H_
