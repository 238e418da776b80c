#ifndef RAPPORT_TESTS_ROBUSTNESS_SUITE_SQLITE_ROWS_H_
#define RAPPORT_TESTS_ROBUSTNESS_SUITE_SQLITE_ROWS_H_

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/suite/suite.h"

namespace rapport::testing {

// The file of a service on SQLite.
inline std::string DatabaseFile(const Suite& suite, const std::string& service) {
  return absl::StrCat(std::filesystem::path(suite.clock_file()).parent_path().string(), "/data/",
                      service, ".db");
}

// What `sql` finds in the file, a row a string, columns apart by "|"; beside the service that owns
// it, or to change what a stopped one has.
inline std::vector<std::string> SqliteRows(const std::string& file, const std::string& sql) {
  std::vector<std::string> rows;
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  sqlite3_busy_timeout(database, 5000);
  const auto keep = [](void* out, int columns, char** values, char**) {
    std::string row;
    for (int i = 0; i < columns; ++i) {
      absl::StrAppend(&row, i == 0 ? "" : "|", values[i] == nullptr ? "" : values[i]);
    }
    static_cast<std::vector<std::string>*>(out)->push_back(row);
    return 0;
  };
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), keep, &rows, &error), SQLITE_OK)
      << sql << ": " << (error == nullptr ? "" : error);
  sqlite3_free(error);
  sqlite3_close(database);
  return rows;
}

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_ROBUSTNESS_SUITE_SQLITE_ROWS_H_
