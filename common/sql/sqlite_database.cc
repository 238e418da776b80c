#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/concurrency/mutex.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/driver_errors.h"
#include "common/sql/migrations.h"
#include "common/sql/schema.h"
#include "common/sql/sqlite_connection.h"

namespace rapport::sql {
namespace {

using internal::SqliteConnection;

constexpr size_t kMaxQueued = 1024;
constexpr size_t kMaxGroup = 128;
constexpr int kMaxWaitingReaders = 256;

// IMMEDIATE: upgrading a read lock fails under WAL, whatever the time-out.
constexpr char kBegin[] = "BEGIN IMMEDIATE";
constexpr char kBeginRead[] = "BEGIN";
constexpr char kCommit[] = "COMMIT";
constexpr char kSavepoint[] = "SAVEPOINT job";
constexpr char kRelease[] = "RELEASE job";
constexpr char kRollBackTo[] = "ROLLBACK TO job";

// One process owns a database file, from here to the end.
class FileLock {
 public:
  static absl::StatusOr<FileLock> Take(const std::string& path) {
    const std::string name = absl::StrCat(path, ".lock");
    const int file = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
      return errors::FailedPrecondition(
          "DATABASE_PATH", absl::StrCat("Can't write '", name, "': ", std::strerror(errno)));
    }
    FileLock lock(file);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      return errors::FailedPrecondition(
          "DATABASE_IN_USE",
          absl::StrCat("Another process has '", path, "' open. Stop it, or talk to it instead."));
    }
    return lock;
  }

  FileLock(FileLock&& other) : file_(std::exchange(other.file_, -1)) {}
  ~FileLock() {
    if (file_ >= 0) close(file_);
  }

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

// After a failure every call repeats it, as on PostgreSQL.
class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(SqliteConnection& connection, absl::Time deadline)
      : connection_(connection), deadline_(deadline) {}

  using Session::Query;
  using Transaction::Defer;

  Engine engine() const override { return Engine::kSqlite; }

  absl::StatusOr<Result> Query(const Statement& statement,
                               absl::Span<const Value> parameters) override {
    if (!failure_.ok()) return failure_;
    absl::StatusOr<Result> result = connection_.Query(statement, parameters, deadline_);
    failure_ = result.status();
    return result;
  }
  void Defer(const Statement& statement, absl::Span<const Value> parameters) override {
    (void)Query(statement, parameters);
  }
  void Lock(std::vector<std::string>) override {}
  absl::Status TryLock(absl::string_view) override { return failure_; }

  const absl::Status& failure() const { return failure_; }

 private:
  SqliteConnection& connection_;
  const absl::Time deadline_;
  absl::Status failure_;
};

// Writes go to one thread, which runs all that wait in one transaction, each in a savepoint, and
// answers them after the commit: one sync of the disk serves the group.
class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(FileLock lock, std::vector<Component> components,
                 std::unique_ptr<SqliteConnection> writer,
                 std::vector<std::unique_ptr<SqliteConnection>> readers)
      : lock_(std::move(lock)),
        components_(std::move(components)),
        reader_count_(static_cast<int>(readers.size())),
        writer_(std::move(writer)),
        readers_(std::move(readers)),
        thread_([this] { ServeWrites(); }) {}

  ~SqliteDatabase() override {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      job_added_.Signal();
    }
    thread_.join();
  }

  Engine engine() const override { return Engine::kSqlite; }

  absl::Status Read(const Access&, absl::Time deadline,
                    absl::FunctionRef<absl::Status(Session&)> body) override {
    ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> reader, AcquireReader(deadline));
    absl::Status status = reader->Run(kBeginRead);
    if (status.ok()) {
      SqliteTransaction session(*reader, deadline);
      status = body(session);
      status.Update(session.failure());
      reader->RollBack();
    }
    MutexLock lock(mutex_);
    readers_.push_back(std::move(reader));
    reader_free_.Signal();
    return status;
  }

  absl::Status Write(const Access&, absl::Time deadline,
                     absl::FunctionRef<absl::Status(Transaction&)> body) override {
    if (std::this_thread::get_id() == thread_.get_id()) {
      return errors::Internal("A Write within a Write would wait for itself.");
    }
    Job job{body, deadline};
    MutexLock lock(mutex_);
    if (jobs_.size() >= kMaxQueued) return internal::TooManyWaiters();
    jobs_.push_back(&job);
    job_added_.Signal();
    while (job.state == Job::kQueued) {
      if (!job.changed.WaitUntil(mutex_, deadline) && job.state == Job::kQueued) {
        jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
        return internal::DeadlinePassed();
      }
    }
    while (job.state != Job::kDone) job.changed.Wait(mutex_);
    return std::move(job.status);
  }

  Stats stats() const override {
    MutexLock lock(mutex_);
    const auto free = static_cast<int64_t>(readers_.size());
    return {.connections = reader_count_ + 1,
            .in_use = reader_count_ - free + (writing_ ? 1 : 0),
            .waiting = waiting_readers_ + static_cast<int64_t>(jobs_.size())};
  }

  absl::Status Ready(absl::Time deadline) override {
    ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> reader, AcquireReader(deadline));
    const absl::StatusOr<Result> versions = reader->Fetch(internal::kSelectVersions);
    {
      MutexLock lock(mutex_);
      readers_.push_back(std::move(reader));
      reader_free_.Signal();
    }
    RETURN_IF_ERROR(versions.status());
    return internal::CheckSchema(components_, Engine::kSqlite, *versions);
  }

 private:
  // Lives on its caller's stack.
  struct Job {
    absl::FunctionRef<absl::Status(Transaction&)> body;
    absl::Time deadline;
    enum { kQueued, kRunning, kDone } state = kQueued;
    absl::Status status = absl::OkStatus();
    CondVar changed{};
  };

  absl::StatusOr<std::unique_ptr<SqliteConnection>> AcquireReader(absl::Time deadline) {
    if (absl::Now() >= deadline) return internal::DeadlinePassed();
    MutexLock lock(mutex_);
    if (readers_.empty() && waiting_readers_ >= kMaxWaitingReaders) {
      return internal::TooManyWaiters();
    }
    ++waiting_readers_;
    bool in_time = true;
    while (readers_.empty() && in_time) in_time = reader_free_.WaitUntil(mutex_, deadline);
    --waiting_readers_;
    if (readers_.empty()) return internal::DeadlinePassed();
    std::unique_ptr<SqliteConnection> reader = std::move(readers_.back());
    readers_.pop_back();
    return reader;
  }

  void ServeWrites() {
    for (;;) {
      {
        MutexLock lock(mutex_);
        writing_ = false;
        while (jobs_.empty() && !stopping_) job_added_.Wait(mutex_);
        if (jobs_.empty()) return;
        writing_ = true;
      }
      WriteGroup();
    }
  }

  Job* NextJob() {
    MutexLock lock(mutex_);
    if (jobs_.empty()) return nullptr;
    Job* const job = jobs_.front();
    jobs_.pop_front();
    job->state = Job::kRunning;
    return job;
  }

  // Jobs that arrive while the group runs join it.
  void WriteGroup() {
    std::vector<Job*> group;
    absl::Status outcome = writer_->Run(kBegin);
    for (Job* job; group.size() < kMaxGroup && (job = NextJob()) != nullptr;) {
      group.push_back(job);
      if (outcome.ok()) outcome = RunJob(*job);
    }
    if (outcome.ok()) outcome = writer_->Run(kCommit);
    writer_->RollBack();

    MutexLock lock(mutex_);
    for (Job* job : group) {
      // Even a job's own failure may rest on what the group then lost.
      if (!outcome.ok()) job->status = outcome;
      job->state = Job::kDone;
      job->changed.Signal();
    }
  }

  // Not OK: the whole group is lost.
  absl::Status RunJob(Job& job) {
    if (absl::Now() >= job.deadline) {
      job.status = internal::DeadlinePassed();
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(writer_->Run(kSavepoint));
    SqliteTransaction transaction(*writer_, job.deadline);
    job.status = job.body(transaction);
    job.status.Update(transaction.failure());
    RETURN_IF_ERROR(writer_->lost());
    if (job.status.ok() && writer_->BreaksForeignKeys()) {
      job.status = internal::ConstraintViolation("foreign_key");
    }
    if (!job.status.ok()) RETURN_IF_ERROR(writer_->Run(kRollBackTo));
    return writer_->Run(kRelease);
  }

  const FileLock lock_;
  const std::vector<Component> components_;
  const int reader_count_;
  const std::unique_ptr<SqliteConnection> writer_;  // the thread's alone

  mutable Mutex mutex_;
  std::deque<Job*> jobs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<SqliteConnection>> readers_ ABSL_GUARDED_BY(mutex_);
  int waiting_readers_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar job_added_;
  CondVar reader_free_;
  std::thread thread_;
};

absl::Status CheckIntegrity(SqliteConnection& connection, const std::string& path) {
  const absl::StatusOr<Result> check = connection.Fetch("PRAGMA quick_check(1)");
  if (check.ok() && !check->empty() && check->Text(0, 0) == "ok") return absl::OkStatus();
  return errors::FailedPrecondition(
      "DATABASE_CORRUPT", absl::StrCat("'", path, "' is damaged. Restore it from a backup."));
}

absl::Status Migrate(SqliteConnection& connection, const std::vector<Component>& components) {
  RETURN_IF_ERROR(connection.Execute(internal::CreateVersions(Engine::kSqlite)));
  ASSIGN_OR_RETURN(const Result versions, connection.Fetch(internal::kSelectVersions));
  RETURN_IF_ERROR(internal::ApplyMissing(
      components, Engine::kSqlite, versions,
      [&](const std::string& step, const std::string& record) -> absl::Status {
        const absl::Status status =
            connection.Execute(absl::StrCat("BEGIN IMMEDIATE;", step, record, "COMMIT"));
        connection.RollBack();
        return status;
      }));
  RETURN_IF_ERROR(connection.Execute(internal::CreateFeedState()));
  ASSIGN_OR_RETURN(const Result migrated, connection.Fetch(internal::kSelectVersions));
  return internal::CheckSchema(components, Engine::kSqlite, migrated);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenSqlite(const SqliteOptions& options,
                                                     std::vector<Component> components) {
  ASSIGN_OR_RETURN(FileLock lock, FileLock::Take(options.path));
  // SQLite itself would make the file readable by all.
  const int file = open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return errors::FailedPrecondition(
        "DATABASE_PATH", absl::StrCat("Can't write '", options.path, "': ", std::strerror(errno)));
  }
  close(file);
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> writer,
                   SqliteConnection::Open(options.path, SqliteConnection::Mode::kWriter));
  RETURN_IF_ERROR(CheckIntegrity(*writer, options.path));
  components = internal::WithFoundation(std::move(components));
  RETURN_IF_ERROR(Migrate(*writer, components));
  std::vector<std::unique_ptr<SqliteConnection>> readers;
  for (int i = 0; i < options.readers; ++i) {
    ASSIGN_OR_RETURN(readers.emplace_back(),
                     SqliteConnection::Open(options.path, SqliteConnection::Mode::kReader));
  }
  return std::make_unique<SqliteDatabase>(std::move(lock), std::move(components), std::move(writer),
                                          std::move(readers));
}

}  // namespace rapport::sql
