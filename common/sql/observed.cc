#include "common/sql/observed.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/telemetry/metric_names.h"
#include "common/telemetry/tracing.h"

namespace rapport::sql {
namespace {

namespace metric = telemetry::metric;
using telemetry::OpenSpan;

class TracedSession final : public Session {
 public:
  TracedSession(Session& session, OpenSpan& span) : session_(session), span_(span) {}
  using Session::Query;
  Engine engine() const override { return session_.engine(); }
  absl::StatusOr<Result> Query(const Statement& statement,
                               absl::Span<const Value> parameters) override {
    span_.AddStatement(statement.name());
    return session_.Query(statement, parameters);
  }

 private:
  Session& session_;
  OpenSpan& span_;
};

class TracedTransaction final : public Transaction {
 public:
  TracedTransaction(Transaction& tx, OpenSpan& span) : tx_(tx), span_(span) {}
  using Session::Query;
  using Transaction::Defer;
  Engine engine() const override { return tx_.engine(); }
  absl::StatusOr<Result> Query(const Statement& statement,
                               absl::Span<const Value> parameters) override {
    span_.AddStatement(statement.name());
    return tx_.Query(statement, parameters);
  }
  void Defer(const Statement& statement, absl::Span<const Value> parameters) override {
    span_.AddStatement(statement.name());
    tx_.Defer(statement, parameters);
  }
  void Lock(std::vector<std::string> keys) override {
    span_.AddStatement("lock");
    tx_.Lock(std::move(keys));
  }
  absl::Status TryLock(absl::string_view key) override {
    span_.AddStatement("try_lock");
    return tx_.TryLock(key);
  }

 private:
  Transaction& tx_;
  OpenSpan& span_;
};

class ObservedDatabase final : public Database {
 public:
  ObservedDatabase(std::unique_ptr<Database> database, telemetry::Metrics& metrics)
      : database_(std::move(database)),
        transactions_(metrics.Counters(metric::kDatabaseTransactions, "Transactions that ended.",
                                       {"operation", "reach", "code"})),
        durations_(
            metrics.Histograms(metric::kDatabaseDuration,
                               "Time that transactions took, waiting for a connection included.",
                               {"operation", "reach"})),
        kinds_{{{transactions_, durations_, "read", "tenant"},
                {transactions_, durations_, "read", "feed"},
                {transactions_, durations_, "write", "tenant"},
                {transactions_, durations_, "write", "feed"}}} {}

  Engine engine() const override { return database_->engine(); }

  absl::Status Read(const Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(Session&)> body) override {
    const absl::Time begun = absl::Now();
    OpenSpan span(telemetry::SpanKind::kClient, "database read");
    absl::Status status;
    if (span.recorded()) {
      status = database_->Read(access, deadline, [&](Session& session) {
        TracedSession traced(session, span);
        return body(traced);
      });
    } else {
      status = database_->Read(access, deadline, body);
    }
    End(kinds_[access.is_feed() ? 1 : 0], begun, span, status);
    return status;
  }

  absl::Status Write(const Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(Transaction&)> body) override {
    const absl::Time begun = absl::Now();
    OpenSpan span(telemetry::SpanKind::kClient, "database write");
    absl::Status status;
    if (span.recorded()) {
      status = database_->Write(access, deadline, [&](Transaction& tx) {
        TracedTransaction traced(tx, span);
        return body(traced);
      });
    } else {
      status = database_->Write(access, deadline, body);
    }
    End(kinds_[access.is_feed() ? 3 : 2], begun, span, status);
    return status;
  }

  Stats stats() const override { return database_->stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_->Ready(deadline); }

 private:
  struct Kind {
    Kind(const telemetry::Family<telemetry::Counter>& transactions,
         const telemetry::Family<telemetry::Histogram>& durations, const char* of_operation,
         const char* of_reach)
        : operation(of_operation),
          reach(of_reach),
          committed(transactions.With({operation, reach, "OK"})),
          duration(durations.With({operation, reach})) {}
    const char* const operation;
    const char* const reach;
    const telemetry::Counter committed;
    const telemetry::Histogram duration;
  };

  void End(const Kind& kind, absl::Time begun, OpenSpan& span, const absl::Status& status) const {
    if (status.ok()) {
      kind.committed.Increment();
    } else {
      const std::string code = absl::StatusCodeToString(status.code());
      transactions_.With({kind.operation, kind.reach, code}).Increment();
    }
    kind.duration.Observe(absl::ToDoubleSeconds(absl::Now() - begun));
    if (!span.recorded()) return;
    span.Set("db.system", database_->engine() == Engine::kPostgres ? "postgresql" : "sqlite");
    span.End(status.code());
  }

  const std::unique_ptr<Database> database_;
  const telemetry::Family<telemetry::Counter> transactions_;
  const telemetry::Family<telemetry::Histogram> durations_;
  const std::array<Kind, 4> kinds_;
};

}  // namespace

std::unique_ptr<Database> Observe(std::unique_ptr<Database> database, telemetry::Metrics& metrics) {
  return std::make_unique<ObservedDatabase>(std::move(database), metrics);
}

}  // namespace rapport::sql
