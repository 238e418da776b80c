// Canary text through every text field of every method: it is in answers and nowhere else.
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "common/telemetry/log.h"
#include "tests/conformance/notes/access_methods.h"

namespace rapport::notes::testing {
namespace {

class CanaryTest : public FilledWorld {
 protected:
  CanaryTest() {
    EXPECT_TRUE(telemetry::LogTo(dir_.File("log")).ok());
    telemetry::SetMinSeverity(telemetry::Severity::kDebug);
  }
  ~CanaryTest() override {
    telemetry::SetMinSeverity(telemetry::Severity::kInfo);
    EXPECT_TRUE(telemetry::LogTo("").ok());
  }

  Caller CallerOf(const MethodRow& row) {
    const std::map<std::string, Caller> named = {
        {"ada", ada_}, {"sue", sue_}, {"cy", cy_}, {"eve", eve_}, {"officer", officer_}};
    if (!row.by.empty()) return named.at(row.by);
    switch (row.kind) {
      case Kind::kCosign:
        return sue_;
      case Kind::kPatientView:
        return pat_;
      case Kind::kGuardianView:
        return guardian_;
      case Kind::kOfficer:
        return officer_;
      case Kind::kService:
        return {"", "service:scheduling"};
      default:
        return ada_;
    }
  }

  // Each row of each table as "table: text"; on SQLite in hexadecimal digits.
  std::vector<std::string> Dump() {
    const bool postgres = database_->engine() == sql::Engine::kPostgres;
    std::vector<std::string> dump;
    for (const std::string& table : Tables()) {
      auto& statement = dumps_[absl::StrCat(postgres, table)];
      if (statement == nullptr) {
        statement = new sql::Statement(
            absl::StrCat("test.canary.", postgres, table),
            postgres ? absl::StrCat("SELECT t::text FROM ", table, " AS t")
                     : absl::StrCat("SELECT ", HexOfColumns(table), " FROM ", table),
            sql::Reach::kSchema);
      }
      bool read = false;
      for (const sql::Access& access : {sql::Access::Tenant("acme"), sql::Access::Feed()}) {
        const absl::Status status =
            database_->Read(access, Deadline(), [&](sql::Session& session) -> absl::Status {
              ASSIGN_OR_RETURN(const sql::Result rows, session.Query(*statement, {}));
              for (size_t row = 0; row < rows.rows(); ++row) {
                dump.push_back(absl::StrCat(table, ": ", rows.Text(row, 0)));
              }
              return absl::OkStatus();
            });
        read |= status.ok();
      }
      if (!read) unread_.insert(table);
    }
    return dump;
  }

  // "hex(a) || ' ' || hex(b)" of all columns of a table of SQLite.
  std::string HexOfColumns(const std::string& table) {
    static const auto* const columns = new sql::Statement(
        "test.canary.columns", "SELECT name FROM pragma_table_info($1)", sql::Reach::kSchema);
    std::string expression;
    const absl::Status status = database_->Read(
        sql::Access::Tenant("acme"), Deadline(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const sql::Result rows, session.Query(*columns, {sql::Text(table)}));
          for (size_t row = 0; row < rows.rows(); ++row) {
            absl::StrAppend(&expression, row == 0 ? "" : " || ' ' || ", "hex(\"", rows.Text(row, 0),
                            "\")");
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok() && !expression.empty()) << table << ": " << status;
    return expression;
  }

  std::vector<std::string> Tables() {
    static const auto* const sqlite = new sql::Statement(
        "test.canary.tables_sqlite", "SELECT name FROM sqlite_master WHERE type = 'table'",
        sql::Reach::kSchema);
    static const auto* const postgres = new sql::Statement(
        "test.canary.tables_postgres",
        "SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = "
        "c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', "
        "'information_schema')",
        sql::Reach::kSchema);
    std::vector<std::string> tables;
    const absl::Status status = database_->Read(
        sql::Access::Tenant("acme"), Deadline(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(
              const sql::Result rows,
              session.Query(session.engine() == sql::Engine::kPostgres ? *postgres : *sqlite, {}));
          for (size_t row = 0; row < rows.rows(); ++row) tables.push_back(rows.Text(row, 0));
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return tables;
  }

  static bool Leaks(const std::string& text) {
    return text.find(kCanary) != std::string::npos ||
           absl::AsciiStrToLower(text).find(absl::BytesToHexString(kCanary)) != std::string::npos;
  }

  std::string Log() {
    telemetry::Flush();
    std::ifstream file(dir_.File("log"));
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  // Drives one request and holds what comes of it, but for the answer, to silence.
  absl::Status Drive(const Caller& caller, const std::string& method, const Ids& ids,
                     const std::string& text) {
    const auto request = Request(method, ids, text, /*canaries=*/true);
    const absl::Status status = Call(caller, method, *request).status;
    EXPECT_FALSE(Leaks(status.ToString(absl::StatusToStringMode::kWithEverything)))
        << method << " quotes the patient in an error";
    return status;
  }

  std::set<std::string> unread_;  // tables that could not be read
  static inline std::map<std::string, sql::Statement*> dumps_;
};

TEST_P(CanaryTest, TheCheckItselfSeesAPlainRow) {
  static const auto* const plant = new sql::Statement("test.canary.plant", R"sql(
    INSERT INTO case_label (organization_id, case_id, labels, recorder, version, update_time)
    VALUES ($1, 'c2', '', $2, 1, 1))sql");
  ASSERT_TRUE(Run(*plant, {sql::Text("acme"), sql::Text(kCanary)}).ok());
  bool seen = false;
  for (const std::string& cell : Dump()) seen |= Leaks(cell);
  EXPECT_TRUE(seen);
}

TEST_P(CanaryTest, TextOfPatientsIsInAnswersAndNowhereElse) {
  int methods = 0;
  std::set<std::string> silent;  // methods with texts, none of whose requests was taken
  // What ends something comes after what needs it open; of a note, the amendment after its
  // signature.
  const auto phase_of = [](absl::string_view method) {
    if (absl::EndsWith(method, "/AmendNote")) return 2;
    return absl::EndsWith(method, "/SignNote") || absl::EndsWith(method, "/CosignNote") ||
                   absl::EndsWith(method, "/VoidEntry") ||
                   absl::StrContains(method, "PrivacyService")
               ? 1
               : 0;
  };
  for (int phase = 0; phase < 3; ++phase) {
    for (const auto& [method, bound] : methods_) {
      const MethodRow* row = RowOf(method);
      if (row == nullptr || bound->unary == nullptr || phase_of(method) != phase) continue;
      ++methods;
      SCOPED_TRACE(method);
      const Ids& ids = row->couple ? couple_ : own_;
      const std::string text = phase == 2 ? "name: '$draft'" : row->text;
      const absl::Status status = Drive(CallerOf(*row), method, ids, text);
      if (!status.ok() && HoldsPatientText(bound->descriptor->input_type())) {
        silent.insert(absl::StrCat(method, ": ", status.ToString(), " ", Faults(status)));
      }
      // Refused callers and requests are as silent.
      for (const Caller& caller : {cy_, officer_, sue_}) {
        Drive(caller, method, ids, text).IgnoreError();
      }
      Drive(ada_, method, absent_, text).IgnoreError();
    }
  }
  EXPECT_THAT(silent, ::testing::IsEmpty());
  EXPECT_GT(methods, 50);

  const std::string log = Log();
  EXPECT_NE(log.find("GetCase"), std::string::npos) << "the log is where it was looked for";
  EXPECT_FALSE(Leaks(log)) << "in the log";
  EXPECT_FALSE(Leaks(metrics_->Text())) << "in the metrics";
  std::map<std::string, std::string> leaks;
  for (const std::string& cell : Dump()) {
    if (Leaks(cell)) leaks.emplace(cell.substr(0, cell.find(':')), cell.substr(0, 400));
  }
  for (const auto& [table, cell] : leaks) ADD_FAILURE() << "plain in " << cell;
  EXPECT_THAT(unread_, ::testing::IsEmpty());
}

TEST_P(CanaryTest, EveryKindOfEntryIsSealed) {
  const std::string create = "rapport.notes.v1.CaseEntryService/CreateEntry";
  Ids own = own_;
  own["relationship"] = Make(ada_, create, own,
                             "entry { relationship { kind: RELATIONSHIP_KIND_FRIEND status: "
                             "RELATIONSHIP_STATUS_CURRENT } }");
  Ids lost = own_;
  lost["relationship"] = Make(ada_, create, own,
                              "entry { relationship { kind: RELATIONSHIP_KIND_DECEASED status: "
                              "RELATIONSHIP_STATUS_LOST death_date { year: 2020 } } }");
  const std::string day = "{ year: 2026 month: 3 day: 2 } ";
  struct Kind {
    const Ids& ids;
    std::string text;
  };
  const std::vector<Kind> kinds = {
      {own, "suitability_evidence {}"},
      {own, "diagnosis { code: '6A70.1' diagnosis_date " + day + "}"},
      {own, "additional_issue {}"},
      {own, "relationship { kind: RELATIONSHIP_KIND_FRIEND recent_change_date { year: 2025 } }"},
      {own, "past_influence { relationship: '$relationship' }"},
      {own, "hope {}"},
      {own, "out_of_scope_topic {}"},
      {lost, "grief { relationship: '$relationship' anniversaries { month: 5 day: 3 } }"},
      {own, "dispute { relationship: '$relationship' }"},
      {own, "transition {}"},
      {own, "deficits {}"},
      {own, "sick_role { variant: SICK_ROLE_VARIANT_NONE given_date " + day + "}"},
      {own, "timeline_event { start_date { year: 2025 } }"},
      {own, "barrier { first_seen_date " + day + "resolve_date " + day + "}"},
      {own, "action { relationship: '$relationship' } # skip why_none"},
      {own,
       "action { immediate_change: true why_none: 'CanaryZQX' } # skip text, obstacle, result"},
      {own, "incident { incident_date " + day + "}"},
      {own, "social_contact_week { relationship: '$relationship' week_start_date " + day + "}"},
      {own, "treatment_event { change_date " + day + "}"},
      {own, "contract { sessions: 16 end_date { year: 2026 month: 9 day: 1 } }"},
      {own, "relapse_plan {}"},
      {own, "termination_task { task: 'review-gains' }"},
      {own, "safety_check {}"},
      {own, "referral { kind: REFERRAL_KIND_MEDICAL send_date " + day + "}"},
      {couple_, "expectation {}"},
      {couple_, "strategy {}"},
      {couple_, "couple_agreement {}"},
      {couple_, "pre_meeting {}"},
      {couple_, "review_wish {}"},
      {own, "healthy_self {}"},
  };
  std::set<std::string> taken;
  for (const Kind& kind : kinds) {
    const std::string field = kind.text.substr(0, kind.text.find(' '));
    if (field == "healthy_self") {
      TellCourseOf("c1", 9, "ada", "pat", "north", "protocol: 'protocols/ipsrt/revisions/1' ");
    }
    const size_t skip = kind.text.find("# skip");
    const bool of_partner =
        field == "expectation" || field == "pre_meeting" || field == "review_wish";
    const bool in_private =
        field == "safety_check" || field == "pre_meeting" || field == "review_wish";
    const std::string text = absl::StrCat("entry { ", kind.text.substr(0, skip),
                                          " private: ", in_private ? "true" : "false",
                                          of_partner ? " about: '$partner' " : "", " } ",
                                          skip == std::string::npos ? "" : kind.text.substr(skip));
    const absl::Status status = Drive(ada_, create, kind.ids, text);
    EXPECT_TRUE(status.ok()) << field << ": " << status << Faults(status);
    taken.insert(field);
  }
  const auto* choice = v1::Entry::descriptor()->FindOneofByName("content");
  for (int i = 0; i < choice->field_count(); ++i) {
    EXPECT_EQ(taken.count(choice->field(i)->name()), 1u)
        << choice->field(i)->name() << " is driven by no canary";
  }
  for (const std::string& cell : Dump()) {
    EXPECT_FALSE(Leaks(cell)) << "plain in " << cell.substr(0, 400);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, CanaryTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
