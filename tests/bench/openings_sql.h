#ifndef RAPPORT_TESTS_BENCH_OPENINGS_SQL_H_
#define RAPPORT_TESTS_BENCH_OPENINGS_SQL_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <libpq-fe.h>

// The reference that openings are compared with: the same hours and bookings as multiranges in
// PostgreSQL, one row a clinician, and the best single statement over them.
namespace rapport::bench {

// A clinician's time in minutes since 1970.
struct SqlClinician {
  std::string id;
  std::vector<std::string> protocols;
  std::vector<std::string> modalities;
  std::vector<std::pair<int64_t, int64_t>> open;  // hours they offer
  std::vector<std::pair<int64_t, int64_t>> busy;  // with buffers
};

class OpeningsSql {
 public:
  // Loads a fresh database of the shared server of tests and analyses it. Ends the process where
  // that fails.
  explicit OpeningsSql(const std::vector<SqlClinician>& clinicians);
  ~OpeningsSql();
  OpeningsSql(const OpeningsSql&) = delete;
  OpeningsSql& operator=(const OpeningsSql&) = delete;

  // The 50 earliest stretches of at least `minutes` between `from` and `to` of who offers
  // `protocol` in `modality`: how many there are. Rooms, preferences and distance are left out,
  // which spares the statement work.
  int Search(int64_t from, int64_t to, int minutes, const std::string& protocol,
             const std::string& modality) const;

 private:
  PGconn* connection_ = nullptr;
};

}  // namespace rapport::bench

#endif  // RAPPORT_TESTS_BENCH_OPENINGS_SQL_H_
