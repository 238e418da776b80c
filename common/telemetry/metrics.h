#ifndef RAPPORT_COMMON_TELEMETRY_METRICS_H_
#define RAPPORT_COMMON_TELEMETRY_METRICS_H_

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

// The process's metrics, served to Prometheus over HTTP at /metrics.
//
//   auto calls = metrics->Counters(kRpcCalls, "Calls answered.", {"method", "code"});
//   Counter ok = calls.With({"GetCourse", "OK"});   // once, kept by the caller
//   ok.Increment();                                 // an atomic addition
//
// Names are the constants of metric_names.h. Label values are ours (methods, codes, states), never
// ids or anything that a caller chose. Everything here is thread-safe; families and handles are
// small values and must not outlive their Metrics.
namespace rapport::telemetry {

class Counter {
 public:
  void Increment(double by = 1) const;  // by >= 0

 private:
  template <class>
  friend class Family;
  explicit Counter(prometheus::Counter* child) : child_(child) {}
  prometheus::Counter* child_;
};

class Gauge {
 public:
  void Set(double value) const;
  void Add(double change) const;

 private:
  template <class>
  friend class Family;
  explicit Gauge(prometheus::Gauge* child) : child_(child) {}
  prometheus::Gauge* child_;
};

class Histogram {
 public:
  void Observe(double value) const;

 private:
  template <class>
  friend class Family;
  explicit Histogram(prometheus::Histogram* child) : child_(child) {}
  prometheus::Histogram* child_;
};

// The metrics of one name, apart by their label values.
template <class Metric>
class Family {
 public:
  // The one with these label values, in the order of the label names; made at first use. A family
  // holds at most 1,000; what comes later shares one whose values are all "other".
  Metric With(absl::Span<const absl::string_view> values) const;
  Metric With(std::initializer_list<absl::string_view> values) const {
    return With(absl::Span<const absl::string_view>(values.begin(), values.size()));
  }

 private:
  friend class Metrics;
  struct Children;
  explicit Family(Children* children) : children_(children) {}
  Children* children_;
};

// Upper bounds in seconds for the durations of calls and statements: 0.5 ms to 60 s.
const std::vector<double>& DurationBuckets();

class Metrics {
 public:
  // Serves on `listen_address`, "host:port"; port 0 takes a free one.
  //   kInvalidArgument  the address can't be listened on
  static absl::StatusOr<std::unique_ptr<Metrics>> Serve(absl::string_view listen_address);

  // Metrics that nobody scrapes, for tests and tools.
  static std::unique_ptr<Metrics> Unserved();

  ~Metrics();

  // Registering a name again returns the same family; its labels and buckets must be the same.
  Family<Counter> Counters(absl::string_view name, absl::string_view help,
                           std::vector<std::string> labels = {});
  Family<Gauge> Gauges(absl::string_view name, absl::string_view help,
                       std::vector<std::string> labels = {});
  Family<Histogram> Histograms(absl::string_view name, absl::string_view help,
                               std::vector<std::string> labels = {},
                               const std::vector<double>& buckets = DurationBuckets());

  // A gauge that is `read` at each scrape, on the server's thread. One name may have several,
  // apart by their fixed labels.
  void Read(absl::string_view name, absl::string_view help, std::function<double()> read,
            std::vector<std::pair<std::string, std::string>> labels = {});

  // As Read, for what only ever grows.
  void ReadCounter(absl::string_view name, absl::string_view help, std::function<double()> read,
                   std::vector<std::pair<std::string, std::string>> labels = {});

  // Forgets what it was given to read; no read runs afterwards. Call before what they read goes.
  void StopReading();

  // The port served on; 0 if unserved.
  int port() const;

  // What a scrape returns, without the server's own metrics.
  std::string Text() const;

 private:
  struct State;
  explicit Metrics(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rapport::telemetry

#endif  // RAPPORT_COMMON_TELEMETRY_METRICS_H_
