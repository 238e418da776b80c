#ifndef RAPPORT_TESTS_CONFORMANCE_AUDIT_FIXTURE_H_
#define RAPPORT_TESTS_CONFORMANCE_AUDIT_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/audit/audit_log.h"
#include "common/audit/heads.h"
#include "common/audit/tree_store.h"
#include "common/audit/verify.h"
#include "common/auth/signer.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::audit::testing {

// Papers, of which the newest version is kept, and their pages, which are kept for ever.
inline sql::Component Papers() {
  const auto tables = [](absl::string_view bytes) {
    return absl::StrCat(
        "CREATE TABLE paper (organization_id TEXT NOT NULL, paper_id TEXT NOT NULL, version BIGINT "
        "NOT NULL, document ",
        bytes,
        " NOT NULL, PRIMARY KEY (organization_id, paper_id));\n"
        "CREATE TABLE page (organization_id TEXT NOT NULL, paper_id TEXT NOT NULL, version BIGINT "
        "NOT NULL, document ",
        bytes, " NOT NULL, PRIMARY KEY (organization_id, paper_id, version));\n");
  };
  return {"papers",
          {{1, "papers", tables("BLOB")}},
          {{1, "papers",
            absl::StrCat(tables("BYTEA"),
                         "SELECT rapport_protect('paper'); SELECT rapport_protect('page');\n")}}};
}

inline const sql::Statement kPutPaper{"test.paper.put", R"sql(
  INSERT INTO paper (organization_id, paper_id, version, document) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, paper_id) DO UPDATE
  SET version = excluded.version, document = excluded.document)sql"};
inline const sql::Statement kPutPage{"test.page.put", R"sql(
  INSERT INTO page (organization_id, paper_id, version, document) VALUES ($1, $2, $3, $4))sql"};
inline const sql::Statement kReadPaper{"test.paper.read", R"sql(
  SELECT version, document FROM paper WHERE organization_id = $1 AND paper_id = $2)sql"};
inline const sql::Statement kReadPage{"test.page.read", R"sql(
  SELECT version, document FROM page
  WHERE organization_id = $1 AND paper_id = $2 AND version = $3)sql"};
inline const sql::Statement kUnauditedPage{"test.page.unaudited", R"sql(
  SELECT 'organizations/' || page.organization_id || '/papers/' || page.paper_id || '/pages/all',
    page.version
  FROM page LEFT JOIN audit_leaf AS leaf
    ON leaf.organization_id = $1 AND leaf.version = page.version
      AND leaf.resource =
        'organizations/' || page.organization_id || '/papers/' || page.paper_id || '/pages/all'
  WHERE page.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100)sql"};
inline const sql::Statement kWholeLeaves{"test.audit.leaves", R"sql(
  SELECT leaf_index, entry, content_hash, salt, leaf_hash FROM audit_leaf
  WHERE organization_id = $1 ORDER BY leaf_index)sql"};

inline std::vector<RecordKind> PaperKinds() {
  return {{.pattern = "organizations/{organization}/papers/{paper}", .read = &kReadPaper},
          {.pattern = "organizations/{organization}/papers/{paper}/pages/all",
           .read = &kReadPage,
           .each_version = true,
           .unaudited = &kUnauditedPage}};
}

inline absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

// A database of which the test holds the administrator's end too.
class AuditTest : public ::testing::TestWithParam<sql::Engine> {
 protected:
  AuditTest() {
    if (GetParam() == sql::Engine::kSqlite) {
      database_ = *sql::OpenSqlite({.path = dir_.File("test.db")}, {Papers()});
    } else {
      postgres_ = sql::testing::PostgresServer::Shared().NewDatabase({Papers()});
      database_ = *sql::OpenPostgres(postgres_, {Papers()});
    }
  }
  ~AuditTest() override {
    database_.reset();
    if (!postgres_.name.empty()) sql::testing::PostgresServer::Shared().Drop(postgres_);
  }

  static std::string PaperName(const std::string& id, const std::string& organization = "acme") {
    return names::InOrganization(organization, "papers", id);
  }
  static std::string PageName(const std::string& id) {
    return absl::StrCat(PaperName(id), "/pages/all");
  }

  Entry EntryOf(const std::string& resource, int64_t version) const {
    return {.organization_id = std::string(names::OrganizationId(resource)),
            .principal = "ada",
            .method = "test.Papers/Put",
            .resource = resource,
            .version = version,
            .occur_time = now_,
            .trace_id = ""};
  }

  void Write(const std::function<absl::Status(sql::Transaction&)>& body,
             const sql::Access& access = sql::Access::Tenant("acme")) {
    const absl::Status status = database_->Write(access, Soon(), body);
    ASSERT_TRUE(status.ok()) << status;
  }

  // A change with its entry, and one of a page.
  void Put(const std::string& id, int64_t version, const std::string& text,
           const std::string& organization = "acme") {
    Write(
        [&](sql::Transaction& tx) {
          tx.Defer(kPutPaper,
                   {sql::Text(organization), sql::Text(id), sql::Int(version), sql::Bytes(text)});
          Append(tx, EntryOf(PaperName(id, organization), version), text);
          return absl::OkStatus();
        },
        sql::Access::Tenant(organization));
  }
  void PutPage(const std::string& id, int64_t version, const std::string& text) {
    Write([&](sql::Transaction& tx) {
      tx.Defer(kPutPage, {sql::Text("acme"), sql::Text(id), sql::Int(version), sql::Bytes(text)});
      Append(tx, EntryOf(PageName(id), version), text);
      return absl::OkStatus();
    });
  }

  // Makes leaves of what is pending, at most `batch` a transaction.
  void SequenceAll(int batch = 1000) {
    for (int moved = 1; moved > 0;) {
      Write(
          [&](sql::Transaction& tx) -> absl::Status {
            ASSIGN_OR_RETURN(moved, Sequence(tx, batch, now_));
            return absl::OkStatus();
          },
          sql::Access::Feed());
    }
  }

  template <class Body>
  void Read(const Body& body, const std::string& organization = "acme") {
    const absl::Status status =
        database_->Read(sql::Access::Tenant(organization), Soon(),
                        [&](sql::Session& session) { return body(session); });
    ASSERT_TRUE(status.ok()) << status;
  }

  sql::Result Leaves(const std::string& organization = "acme") {
    sql::Result leaves;
    Read(
        [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(leaves, session.Query(kWholeLeaves, {sql::Text(organization)}));
          return absl::OkStatus();
        },
        organization);
    return leaves;
  }
  TreeState Tree() {
    TreeState tree;
    Read([&](sql::Session& session) -> absl::Status {
      ASSIGN_OR_RETURN(tree, ReadTree(session, "acme"));
      return absl::OkStatus();
    });
    return tree;
  }

  // What only an administrator of the database can do: any SQL, past all privileges.
  void Tamper(const std::string& sql) {
    if (GetParam() == sql::Engine::kPostgres) {
      sql::testing::PostgresServer::Shared().Admin(postgres_.name, sql);
      return;
    }
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(dir_.File("test.db").c_str(), &raw), SQLITE_OK);
    sqlite3_busy_timeout(raw, 5000);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << (error == nullptr ? "" : error) << " in " << sql;
    sqlite3_free(error);
    sqlite3_close(raw);
  }
  // Bytes as a literal of the engine.
  static std::string Literal(absl::string_view bytes) {
    return GetParam() == sql::Engine::kPostgres
               ? absl::StrCat("'\\x", absl::BytesToHexString(bytes), "'::bytea")
               : absl::StrCat("x'", absl::BytesToHexString(bytes), "'");
  }

  // Makes every leaf's hash, all nodes and the size again from the leaves as they stand.
  void RebuildTree() {
    const sql::Result leaves = Leaves();
    Frontier tree;
    std::string sql = "DELETE FROM audit_node WHERE organization_id = 'acme';";
    for (size_t row = 0; row < leaves.rows(); ++row) {
      const std::string hash =
          LeafHash(leaves.Bytes(row, 1), leaves.Bytes(row, 3), leaves.Bytes(row, 2));
      absl::StrAppend(&sql, "UPDATE audit_leaf SET leaf_hash = ", Literal(hash),
                      " WHERE organization_id = 'acme' AND leaf_index = ", leaves.Int(row, 0), ";");
      tree.Add(hash, [&](int height, int64_t index, const std::string& node) {
        if (height % kStoredHeights != 0) return;
        absl::StrAppend(&sql, "INSERT INTO audit_node VALUES ('acme', ", height / kStoredHeights,
                        ", ", index, ", ", Literal(node), ");");
      });
    }
    absl::StrAppend(&sql, "UPDATE audit_tree SET tree_size = ", tree.size(),
                    ", root_hash = ", Literal(tree.Root()), ", frontier = ", Literal(tree.Bytes()),
                    " WHERE organization_id = 'acme';");
    Tamper(sql);
  }

  static std::shared_ptr<const auth::KeySet> KeysOf(const auth::TokenSigner& key) {
    return *auth::KeySet::Parse(absl::StrCat("{\"keys\":[", key.PublicJwk("notes"), "]}"));
  }

  rapport::testing::TempDir dir_;
  sql::PostgresOptions postgres_;
  std::unique_ptr<sql::Database> database_;
  absl::Time now_ = absl::FromUnixMicros(1772951400000001);
  std::shared_ptr<const auth::TokenSigner> key_ =
      auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  HeadSigner signer_ = *HeadSigner::Make("notes", key_, KeysOf(*key_));
  std::unique_ptr<AnchorLog> anchors_ = *AnchorLog::Open(dir_.File("anchors"), "notes");
};

inline std::string EngineOf(const ::testing::TestParamInfo<sql::Engine>& info) {
  return info.param == sql::Engine::kSqlite ? "Sqlite" : "Postgres";
}

}  // namespace rapport::audit::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_AUDIT_FIXTURE_H_
