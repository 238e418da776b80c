#ifndef RAPPORT_TESTS_CONFORMANCE_SQL_LEDGER_H_
#define RAPPORT_TESTS_CONFORMANCE_SQL_LEDGER_H_

#include <string>

#include "absl/time/clock.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"

// A small schema with every kind of constraint, and the statements that the suites share.
namespace rapport::sql::testing {

const Component& Ledger();

extern const Statement kInsertAccount;  // organisation, account, owner, balance
extern const Statement kGetBalance;     // organisation, account
extern const Statement kAddToBalance;   // organisation, account, amount; returns the balance
extern const Statement kCountAccounts;  // organisation

inline absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

// Adds an account without an owner.
inline absl::Status AddAccount(Database& database, const std::string& organization,
                               const std::string& account, int64_t balance) {
  return database.Write(Access::Tenant(organization), Soon(), [&](Transaction& transaction) {
    transaction.Defer(kInsertAccount,
                      {Text(organization), Text(account), Value(Null{}), Int(balance)});
    return absl::OkStatus();
  });
}

// -1 without such an account.
inline int64_t Balance(Database& database, const std::string& organization,
                       const std::string& account) {
  int64_t balance = -1;
  absl::Status status =
      database.Read(Access::Tenant(organization), Soon(), [&](Session& session) -> absl::Status {
        auto result = session.Query(kGetBalance, {Text(organization), Text(account)});
        if (result.ok() && !result->empty()) balance = result->Int(0, 0);
        return result.status();
      });
  return status.ok() ? balance : -2;
}

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_SQL_LEDGER_H_
