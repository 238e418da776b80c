// What the front door tells the audit log of reads and denials.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/audit/access_log.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/sql/migrations.h"
#include "tests/integration/rpc/fixture.h"
#include "tests/integration/rpc/trial.pb.h"

namespace rapport::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using trial::PutRecordRequest;
using trial::RecordRequest;
using trial::RecordResponse;

const sql::Statement kPending{"test.rpc.pending", R"sql(
  SELECT entry FROM audit_pending WHERE organization_id = $1 ORDER BY id)sql"};

// Passes all on, but can't write while it is told so.
class HaltingDatabase final : public sql::Database {
 public:
  explicit HaltingDatabase(sql::Database& database) : database_(database) {}
  sql::Engine engine() const override { return database_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return database_.Read(access, deadline, body);
  }
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    if (halted) return errors::Unavailable("DATABASE_UNAVAILABLE", "It is down.", "database");
    return database_.Write(access, deadline, body);
  }
  Stats stats() const override { return database_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_.Ready(deadline); }
  std::atomic<bool> halted{false};

 private:
  sql::Database& database_;
};

struct Records {
  absl::Status answer;
  std::string purpose;

  absl::StatusOr<RecordResponse> Answer(const call::CallContext& context) {
    RETURN_IF_ERROR(answer);
    context.purpose = purpose;
    RecordResponse response;
    response.set_text("text");
    return response;
  }
  absl::StatusOr<RecordResponse> Get(const call::CallContext& context, const RecordRequest&) {
    return Answer(context);
  }
  absl::StatusOr<RecordResponse> Put(const call::CallContext& context, const PutRecordRequest&) {
    return Answer(context);
  }
};

class AuditedTest : public ServedTest {
 protected:
  void Register(call::Registry& registry) override {
    registry.Service("rapport.rpc.trial.RecordService", &records_)
        .Unary("GetRecord", &Records::Get)
        .Unary("GetTime", &Records::Get)
        .Unary("GetClinic", &Records::Get)
        .Unary("PutRecord", &Records::Put)
        .Unary("GetAudit", &Records::Get);
  }
  void SetUp() override {
    StartServer([this](FrontDoor::Dependencies& given) { given.access_log = log_.get(); });
  }
  void TearDown() override {
    ServedTest::TearDown();
    log_.reset();
  }

  static RecordRequest Of(const std::string& record, const std::string& organization = "acme") {
    RecordRequest request;
    request.set_other(absl::StrCat("organizations/", organization, "/others/o"));
    request.set_name(absl::StrCat("organizations/", organization, "/records/", record));
    return request;
  }
  // As "OK", or code and reason.
  std::string Call(const std::string& method, const google::protobuf::Message& request) {
    RecordResponse response;
    const absl::Status status =
        channel_->Call(absl::StrCat("rapport.rpc.trial.RecordService/", method),
                       {.user_token = Token(), .service_token = "", .traceparent = ""},
                       absl::Now() + absl::Seconds(20), request, response);
    if (status.ok()) return response.text() == "text" ? "OK" : "no text";
    return absl::StrCat(absl::StatusCodeToString(status.code()), " ", errors::Reason(status));
  }

  // "GetRecord ACCESS organizations/acme/records/r purpose" of each entry.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    const absl::Status status = database_->Read(
        sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
        [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kPending, {sql::Text("acme")}));
          for (size_t row = 0; row < rows.rows(); ++row) {
            const audit::Entry entry = *audit::Decode(rows.Bytes(row, 0));
            EXPECT_EQ(entry.principal, "bo");
            EXPECT_EQ(entry.version, 0);
            static const char* const kKinds[] = {"", "CHANGE", "ACCESS", "DENIAL", "ERASURE"};
            told.push_back(absl::StrCat(names::Last(entry.method), " ",
                                        kKinds[static_cast<int>(entry.kind)], " ", entry.resource,
                                        entry.purpose.empty() ? "" : " ", entry.purpose));
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return told;
  }

  Records records_;
  std::unique_ptr<sql::Database> database_ =
      *sql::OpenSqlite({.path = dir_.File("audited.db")}, {});
  HaltingDatabase halting_{*database_};
  std::unique_ptr<audit::AccessLog> log_ =
      std::make_unique<audit::AccessLog>(halting_, time::RealClock());
};

TEST_F(AuditedTest, AReadOfARecordIsKeptBeforeItsReply) {
  EXPECT_EQ(Call("GetRecord", Of("r")), "OK");
  EXPECT_THAT(Told(), ElementsAre("GetRecord ACCESS organizations/acme/records/r"));
}

TEST_F(AuditedTest, AnyOtherReadOfAPatientIsKeptSoon) {
  EXPECT_EQ(Call("GetTime", Of("r")), "OK");
  log_->Stop();
  EXPECT_THAT(Told(), ElementsAre("GetTime ACCESS organizations/acme/records/r"));
}

TEST_F(AuditedTest, AReadOfTheDirectoryAndAChangeLeaveNoEntryOfTheirOwn) {
  EXPECT_EQ(Call("GetClinic", Of("r")), "OK");
  EXPECT_EQ(Call("PutRecord", PutRecordRequest()), "OK");
  log_->Stop();
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(AuditedTest, WhoDecidesOnAccessSaysWhatFor) {
  records_.purpose = "break-glass: organizations/acme/breakGlasses/b";
  EXPECT_EQ(Call("GetRecord", Of("r")), "OK");
  EXPECT_THAT(Told(), ElementsAre("GetRecord ACCESS organizations/acme/records/r break-glass: "
                                  "organizations/acme/breakGlasses/b"));
}

TEST_F(AuditedTest, WhatCantBeKeptIsNotShown) {
  halting_.halted = true;
  EXPECT_EQ(Call("GetRecord", Of("r")), "UNAVAILABLE AUDIT_UNAVAILABLE");
  EXPECT_EQ(Call("GetTime", Of("s")), "OK");
  halting_.halted = false;
  EXPECT_EQ(Call("GetRecord", Of("t")), "OK");
}

TEST_F(AuditedTest, ADenialIsKept) {
  EXPECT_EQ(Call("GetAudit", Of("r")), "PERMISSION_DENIED PERMISSION_REQUIRED");
  EXPECT_THAT(Told(), ElementsAre("GetAudit DENIAL organizations/acme PERMISSION_DENIED"));
}

TEST_F(AuditedTest, WhatIsNotThereForTheCallerIsADenialWhereRecordsAreReadOrWritten) {
  records_.answer = errors::NotFound("Record");
  EXPECT_EQ(Call("GetRecord", Of("r")), "NOT_FOUND RESOURCE_NOT_FOUND");
  EXPECT_EQ(Call("GetClinic", Of("c")), "NOT_FOUND RESOURCE_NOT_FOUND");
  PutRecordRequest put;
  *put.mutable_record() = Of("p");
  EXPECT_EQ(Call("PutRecord", put), "NOT_FOUND RESOURCE_NOT_FOUND");
  records_.answer = absl::OkStatus();
  EXPECT_EQ(Call("GetRecord", Of("q", "beta")), "NOT_FOUND RESOURCE_NOT_FOUND");
  EXPECT_THAT(Told(), ElementsAre("GetRecord DENIAL organizations/acme/records/r NOT_FOUND",
                                  "PutRecord DENIAL organizations/acme/records/p NOT_FOUND",
                                  "GetRecord DENIAL organizations/beta/records/q NOT_FOUND"));
}

TEST_F(AuditedTest, OtherErrorsAreNoDenials) {
  records_.answer = errors::FailedPrecondition("NOT_NOW", "Later.");
  EXPECT_EQ(Call("GetRecord", Of("r")), "FAILED_PRECONDITION NOT_NOW");
  log_->Stop();
  EXPECT_THAT(Told(), IsEmpty());
}

}  // namespace
}  // namespace rapport::rpc
