#include "tests/robustness/postgres/oracle.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::sql::testing {

const Statement kWriteLine{"test.diary.write", R"sql(
  INSERT INTO diary (organization_id, name, half) VALUES ($1, $2, $3))sql"};
const Statement kAllLines{"test.diary.all",
                          "SELECT organization_id, name, half FROM diary ORDER BY name, half"};

const Component& Diary() {
  static const auto& component = *new Component{
      "diary",
      {},
      {{1, "diary",
        "CREATE TABLE diary (organization_id TEXT NOT NULL, name TEXT NOT NULL, half BIGINT NOT "
        "NULL, PRIMARY KEY (organization_id, name, half));\nSELECT rapport_protect('diary');\n"}}};
  return component;
}

bool Eventually(absl::FunctionRef<bool()> condition, absl::Duration patience) {
  for (const absl::Time deadline = absl::Now() + patience; absl::Now() < deadline;) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

absl::Status WriteOnce(Database& database, const std::string& name, absl::Time deadline) {
  return database.Write(
      Access::Tenant(kClinic), deadline, [&](Transaction& transaction) -> absl::Status {
        RETURN_IF_ERROR(
            transaction.Query(kWriteLine, {Text(kClinic), Text(name), Int(1)}).status());
        transaction.Defer(kWriteLine, {Text(kClinic), Text(name), Int(2)});
        return absl::OkStatus();
      });
}

Writers::Writers(Database& database, int threads) : database_(database) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { Run(i); });
}

void Writers::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Writers::Run(int thread) {
  for (int number = 0; !stopping_; ++number) {
    const std::string name = absl::StrCat("w", thread, ".", number);
    const absl::Time start = absl::Now();
    const absl::Status status = WriteOnce(database_, name, start + absl::Seconds(10));
    const double millis = absl::ToDoubleMilliseconds(absl::Now() - start);
    MutexLock lock(mutex_);
    if (!status.ok()) {
      failures_.insert(errors::Reason(status));
      continue;
    }
    acknowledged_.insert(name);
    ++acknowledged_count_;
    if (!phases_.empty()) phases_.back().millis.push_back(millis);
  }
}

bool Writers::AwaitMore(int64_t more, absl::Duration patience) {
  const int64_t wanted = acknowledged_count_ + more;
  return Eventually([&] { return acknowledged_count_ >= wanted; }, patience);
}

void Writers::Phase(const std::string& name) {
  MutexLock lock(mutex_);
  phases_.push_back({name, {}});
}

void Writers::Report() {
  MutexLock lock(mutex_);
  for (Timed& phase : phases_) {
    std::sort(phase.millis.begin(), phase.millis.end());
    const size_t count = phase.millis.size();
    std::printf("  %-8s %6zu writes, p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n",
                phase.phase.c_str(), count, count == 0 ? 0 : phase.millis[count / 2],
                count == 0 ? 0 : phase.millis[count * 99 / 100],
                count == 0 ? 0 : phase.millis.back());
  }
}

std::vector<std::string> Writers::Check(Database& database) {
  std::map<std::string, int> halves;
  std::vector<std::string> faults;
  const absl::Status status =
      database.Read(Access::Tenant(kClinic), Soon(), [&](Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const Result rows, session.Query(kAllLines, {}));
        for (size_t row = 0; row < rows.rows(); ++row) ++halves[rows.Text(row, 1)];
        return absl::OkStatus();
      });
  if (!status.ok()) faults.push_back(status.ToString());
  for (const auto& [name, count] : halves) {
    if (count != 2) faults.push_back(absl::StrCat(name, " is half there"));
  }
  MutexLock lock(mutex_);
  for (const std::string& name : acknowledged_) {
    if (!halves.contains(name)) faults.push_back(absl::StrCat(name, " is lost"));
  }
  return faults;
}

std::set<std::string> Writers::failures() {
  MutexLock lock(mutex_);
  return failures_;
}

}  // namespace rapport::sql::testing
