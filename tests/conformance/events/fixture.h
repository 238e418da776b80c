#ifndef RAPPORT_TESTS_CONFORMANCE_EVENTS_FIXTURE_H_
#define RAPPORT_TESTS_CONFORMANCE_EVENTS_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/names/names.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "tests/support/postgres/databases.h"

namespace rapport::events::testing {

// A table of things with versions, as services have many.
inline sql::Component Things() {
  const std::string columns =
      "organization_id TEXT NOT NULL, resource TEXT NOT NULL, version BIGINT NOT NULL, "
      "times BIGINT NOT NULL, PRIMARY KEY (organization_id, resource)";
  return {
      "things",
      {{1, "thing", absl::StrCat("CREATE TABLE thing (", columns, ");\n")}},
      {{1, "thing",
        absl::StrCat("CREATE TABLE thing (", columns, ");\nSELECT rapport_protect('thing');\n")}}};
}

inline const sql::Statement kChangeThing{"test.thing.change", R"sql(
  INSERT INTO thing (organization_id, resource, version, times) VALUES ($1, $2, 1, 1)
  ON CONFLICT (organization_id, resource) DO UPDATE
  SET version = thing.version + 1, times = thing.times + 1
  RETURNING version)sql"};

inline const sql::Statement kPutThing{"test.thing.put", R"sql(
  INSERT INTO thing (organization_id, resource, version, times) VALUES ($1, $2, $3, 1)
  ON CONFLICT (organization_id, resource) DO UPDATE
  SET version = excluded.version, times = thing.times + 1
  WHERE thing.version < excluded.version)sql"};

inline const sql::Statement kListThings{"test.thing.list", R"sql(
  SELECT resource, version, times FROM thing WHERE organization_id = $1 ORDER BY resource)sql"};

inline const sql::Statement kPutOrganization{"test.organization.put", R"sql(
  INSERT INTO organization (organization_id, state, create_time) VALUES ($1, 'ACTIVE', 0))sql"};

inline absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

inline std::string ThingName(absl::string_view organization_id, int number) {
  return names::InOrganization(organization_id, "things", absl::StrCat("t", number));
}

// Changes a thing within `tx` and appends its event, whose payload is of the type `State`.
template <class State = scheduling::v1::ClinicEvent>
absl::Status Change(sql::Transaction& tx, absl::string_view organization_id,
                    const std::string& resource) {
  ASSIGN_OR_RETURN(const sql::Result changed,
                   tx.Query(kChangeThing, {sql::Text(organization_id), sql::Text(resource)}));
  Append(tx, organization_id, resource, changed.Int(0, 0), absl::FromUnixSeconds(1772951400),
         State());
  return absl::OkStatus();
}

template <class State = scheduling::v1::ClinicEvent>
void ChangeThing(sql::Database& database, absl::string_view organization_id, int number) {
  const absl::Status status =
      database.Write(sql::Access::Tenant(organization_id), Soon(), [&](sql::Transaction& tx) {
        return Change<State>(tx, organization_id, ThingName(organization_id, number));
      });
  ASSERT_TRUE(status.ok()) << status;
}

// "t1 v2 x2": name, version and how often it was written.
inline std::vector<std::string> ListThings(sql::Database& database,
                                           absl::string_view organization_id) {
  std::vector<std::string> things;
  const absl::Status status = database.Read(
      sql::Access::Tenant(organization_id), Soon(), [&](sql::Session& session) -> absl::Status {
        things.clear();
        ASSIGN_OR_RETURN(const sql::Result rows,
                         session.Query(kListThings, {sql::Text(organization_id)}));
        for (size_t row = 0; row < rows.rows(); ++row) {
          things.push_back(absl::StrCat(names::Last(rows.Text(row, 0)), " v", rows.Int(row, 1),
                                        " x", rows.Int(row, 2)));
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  return things;
}

// Waits for what other threads bring about.
inline bool Eventually(const std::function<bool()>& condition) {
  const absl::Time deadline = Soon();
  while (!condition()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

}  // namespace rapport::events::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_EVENTS_FIXTURE_H_
