#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/conformance/sql/ledger.h"
#include "tests/support/postgres/temp_dir.h"

// What SQLite alone can do wrong: one writer for all, one file on a disk.
namespace rapport::sql::testing {
namespace {

constexpr char kOrganization[] = "clinic";
constexpr uintmax_t kFrame = 4096 + 24;  // of the WAL: a page with its header

const Statement kPageLimit("test.page_limit", "PRAGMA max_page_count = 60", Reach::kSchema);
const Statement kNoPageLimit("test.no_page_limit", "PRAGMA max_page_count = 1000000",
                             Reach::kSchema);

// Its foreign key is deferred.
const Statement kInsertOrphan("test.booking.orphan",
                              "INSERT INTO booking (organization_id, account_id, number)"
                              " VALUES ($1, 'none', 1)");

class SqliteTest : public ::testing::Test {
 protected:
  SqliteTest() { Open(); }

  void Open() {
    database_.reset();
    auto opened = OpenSqlite({.path = path_}, {Ledger()});
    ASSERT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
  }
  absl::Status AddTo(const std::string& account, int64_t amount, absl::Time deadline = Soon()) {
    return database_->Write(access_, deadline, [&](Transaction& transaction) {
      return transaction.Query(kAddToBalance, {Text(kOrganization), Text(account), Int(amount)})
          .status();
    });
  }
  absl::Status BookWithoutAccount() {
    return database_->Write(access_, Soon(), [&](Transaction& transaction) {
      transaction.Defer(kInsertOrphan, {Text(kOrganization)});
      return absl::OkStatus();
    });
  }
  // Runs `body` within a write, so that all others queue up behind it.
  absl::Status WhileTheWriterIsBusy(absl::FunctionRef<void()> body) {
    return database_->Write(access_, Soon(), [&](Transaction&) {
      body();
      return absl::OkStatus();
    });
  }
  void AwaitQueue(int64_t length) {
    for (const absl::Time deadline = Soon(); database_->stats().waiting < length;) {
      ASSERT_LT(absl::Now(), deadline);
      std::this_thread::yield();
    }
  }

  const Access access_ = Access::Tenant(kOrganization);
  ::rapport::testing::TempDir folder_;
  const std::string path_ = folder_.File("test.db");
  std::unique_ptr<Database> database_;
};

TEST_F(SqliteTest, OneOwnerAtATime) {
  const absl::Status second = OpenSqlite({.path = path_}, {Ledger()}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  EXPECT_EQ(errors::Reason(second), "DATABASE_IN_USE");
  database_.reset();
  EXPECT_EQ(OpenSqlite({.path = path_}, {Ledger()}).status(), absl::OkStatus());
}

TEST_F(SqliteTest, TheFilesAreTheOwnersAlone) {
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    struct stat info;
    ASSERT_EQ(stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
}

TEST_F(SqliteTest, WritesThatQueueShareOneCommit) {
  constexpr int kJobs = 64;
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  const uintmax_t before = std::filesystem::file_size(path_ + "-wal");
  std::vector<std::thread> threads;
  EXPECT_EQ(WhileTheWriterIsBusy([&] {
              for (int i = 0; i < kJobs; ++i) {
                // Two of eight break a constraint, one of them at its commit, and are undone alone.
                threads.emplace_back([&, i] {
                  const absl::Status status =
                      i % 8 == 0 ? BookWithoutAccount() : AddTo("a", i % 8 == 1 ? -1000 : 1);
                  EXPECT_EQ(status.ok(), i % 8 > 1) << status;
                });
              }
              AwaitQueue(kJobs);
            }),
            absl::OkStatus());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), kJobs * 3 / 4);
  EXPECT_LE(std::filesystem::file_size(path_ + "-wal") - before, 4 * kFrame);
}

TEST_F(SqliteTest, AWriteWhoseDeadlinePassesInTheQueueIsNotRun) {
  bool ran = false;
  EXPECT_EQ(WhileTheWriterIsBusy([&] {
              std::thread([&] {
                const absl::Status status = database_->Write(
                    access_, absl::Now() + absl::Milliseconds(20), [&](Transaction&) {
                      ran = true;
                      return absl::OkStatus();
                    });
                EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
              }).join();
            }),
            absl::OkStatus());
  EXPECT_EQ(database_->stats().waiting, 0);
  EXPECT_FALSE(ran);
}

TEST_F(SqliteTest, AWriteWithinAWriteIsRefused) {
  absl::Status inner;
  EXPECT_EQ(WhileTheWriterIsBusy([&] { inner = AddTo("a", 1); }), absl::OkStatus());
  EXPECT_TRUE(absl::IsInternal(inner)) << inner;
}

TEST_F(SqliteTest, AFullDiskFailsTheGroupAndRecoversByItself) {
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  const auto run = [&](const Statement& statement) {
    return database_->Write(access_, Soon(), [&](Transaction& transaction) {
      return transaction.Query(statement, {}).status();
    });
  };
  ASSERT_EQ(run(kPageLimit), absl::OkStatus());
  absl::Status small, large;
  std::thread first, second;
  const absl::Status busy = WhileTheWriterIsBusy([&] {
    first = std::thread([&] { small = AddTo("a", 1); });
    AwaitQueue(1);
    second = std::thread(
        [&] { large = AddAccount(*database_, kOrganization, std::string(1'000'000, 'x'), 0); });
    AwaitQueue(2);
  });
  first.join();
  second.join();
  EXPECT_TRUE(absl::IsResourceExhausted(large)) << large;
  EXPECT_TRUE(absl::IsResourceExhausted(small)) << small;
  EXPECT_TRUE(absl::IsResourceExhausted(busy)) << busy;
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), 0);
  ASSERT_EQ(run(kNoPageLimit), absl::OkStatus());
  EXPECT_EQ(AddTo("a", 1), absl::OkStatus());
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), 1);
}

TEST_F(SqliteTest, ADamagedFileIsNotServed) {
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(AddAccount(*database_, kOrganization, absl::StrCat(i, std::string(500, 'x')), 0),
              absl::OkStatus());
  }
  database_.reset();
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-4096, std::ios::end);  // a page of rows, which opening has no need to read
  file << std::string(4096, '\x5a');
  file.close();
  const absl::Status status = OpenSqlite({.path = path_}, {Ledger()}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(errors::Reason(status), "DATABASE_CORRUPT");
}

TEST_F(SqliteTest, WhatWasAcknowledgedSurvivesAKill) {
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  database_.reset();
  int acknowledged[2];
  ASSERT_EQ(pipe(acknowledged), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Open();
    while (AddTo("a", 1).ok() && write(acknowledged[1], "+", 1) == 1) {
    }
    _exit(1);
  }
  close(acknowledged[1]);
  constexpr int kEnough = 50;
  int count = 0;
  char byte;
  while (count < kEnough && read(acknowledged[0], &byte, 1) == 1) ++count;
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  while (read(acknowledged[0], &byte, 1) == 1) ++count;
  close(acknowledged[0]);

  Open();
  const int64_t balance = Balance(*database_, kOrganization, "a");
  EXPECT_GE(count, kEnough);
  EXPECT_GE(balance, count);
  EXPECT_LE(balance, count + 1);  // one may have been committed but not yet acknowledged
}

}  // namespace
}  // namespace rapport::sql::testing
