#ifndef RAPPORT_COMMON_WORK_SURVEY_H_
#define RAPPORT_COMMON_WORK_SURVEY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"

namespace rapport::work {

// What is found in one organisation after another.
class Tally {
 public:
  using Labels = std::vector<std::string>;

  void Add(absl::string_view metric, const Labels& labels, double value) {
    found_[{std::string(metric), labels}] += value;
  }
  // Keeps the largest.
  void Largest(absl::string_view metric, const Labels& labels, double value) {
    double& kept = found_[{std::string(metric), labels}];
    if (value > kept) kept = value;
  }
  // 0 where nothing was found.
  double Get(absl::string_view metric, const Labels& labels) const {
    const auto found = found_.find({std::string(metric), labels});
    return found == found_.end() ? 0 : found->second;
  }

 private:
  std::map<std::pair<std::string, Labels>, double> found_;
};

// A gauge that a survey tells, and the values that its labels can have: others are not told.
struct Figure {
  const char* metric;
  const char* help;
  std::vector<std::string> labels = {};
  std::vector<Tally::Labels> values = {{}};
};

// Looks from time to time through all organisations, one short transaction each, and tells as
// metrics what they come to together. Every replica does, and all tell the same: of several, the
// largest is to be shown. An organisation that can't be read leaves the figures as they were.
class Survey {
 public:
  // Adds to `tally` what there is in the organisation at `now`, in domain time.
  using Look = std::function<absl::Status(sql::Session& session, const std::string& organization_id,
                                          absl::Time now, Tally& tally)>;

  // All but `figures` and `look` outlive it.
  Survey(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
         std::vector<Figure> figures, Look look);

  // Every `period` of real time, but resting at least 20 times as long as a round took, from here
  // until Stop.
  void Start(absl::Duration period = absl::Seconds(30));
  void Stop();

  absl::Status RunOnce();

 private:
  sql::Database& database_;
  time::Clock& clock_;
  const Look look_;
  struct Told {
    std::string metric;
    Tally::Labels labels;
    telemetry::Gauge gauge;
  };
  std::vector<Told> told_;
  std::atomic<int64_t> last_;  // when it was last complete, or made; µs of the real clock
  absl::Time next_round_ = absl::InfinitePast();  // real clock; the thread's alone
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace rapport::work

#endif  // RAPPORT_COMMON_WORK_SURVEY_H_
