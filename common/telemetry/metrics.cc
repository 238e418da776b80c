#include "common/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/concurrency/mutex.h"

namespace rapport::telemetry {
namespace {

constexpr size_t kMaxChildren = 1000;

// The gauges and counters that are read at each scrape.
class Readers : public prometheus::Collectable {
 public:
  void Add(prometheus::MetricType type, absl::string_view name, absl::string_view help,
           std::function<double()> read, std::vector<std::pair<std::string, std::string>> labels) {
    MutexLock lock(mutex_);
    Named& named = by_name_[std::string(name)];
    named.type = type;
    named.help = std::string(help);
    named.readers.push_back({std::move(labels), std::move(read)});
  }

  void Clear() {
    MutexLock lock(mutex_);
    by_name_.clear();
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    MutexLock lock(mutex_);
    std::vector<prometheus::MetricFamily> families;
    for (const auto& [name, named] : by_name_) {
      prometheus::MetricFamily family;
      family.name = name;
      family.help = named.help;
      family.type = named.type;
      for (const Reader& reader : named.readers) {
        prometheus::ClientMetric metric;
        for (const auto& [label, value] : reader.labels) metric.label.push_back({label, value});
        (named.type == prometheus::MetricType::Counter ? metric.counter.value
                                                       : metric.gauge.value) = reader.read();
        family.metric.push_back(std::move(metric));
      }
      families.push_back(std::move(family));
    }
    return families;
  }

 private:
  struct Reader {
    std::vector<std::pair<std::string, std::string>> labels;
    std::function<double()> read;
  };
  struct Named {
    prometheus::MetricType type = prometheus::MetricType::Gauge;
    std::string help;
    std::vector<Reader> readers;
  };

  mutable Mutex mutex_;
  std::map<std::string, Named> by_name_ ABSL_GUARDED_BY(mutex_);
};

prometheus::Counter* AddChild(prometheus::Family<prometheus::Counter>& family,
                              const prometheus::Labels& labels, const std::vector<double>&) {
  return &family.Add(labels);
}
prometheus::Gauge* AddChild(prometheus::Family<prometheus::Gauge>& family,
                            const prometheus::Labels& labels, const std::vector<double>&) {
  return &family.Add(labels);
}
prometheus::Histogram* AddChild(prometheus::Family<prometheus::Histogram>& family,
                                const prometheus::Labels& labels,
                                const std::vector<double>& buckets) {
  return &family.Add(labels, buckets);
}

template <class Metric>
struct Backing;
template <>
struct Backing<Counter> {
  using Type = prometheus::Counter;
};
template <>
struct Backing<Gauge> {
  using Type = prometheus::Gauge;
};
template <>
struct Backing<Histogram> {
  using Type = prometheus::Histogram;
};

}  // namespace

void Counter::Increment(double by) const { child_->Increment(by); }
void Gauge::Set(double value) const { child_->Set(value); }
void Gauge::Add(double change) const { child_->Increment(change); }
void Histogram::Observe(double value) const { child_->Observe(value); }

template <class Metric>
struct Family<Metric>::Children {
  using Child = typename Backing<Metric>::Type;

  prometheus::Family<Child>* family;
  std::vector<std::string> labels;
  std::vector<double> buckets;
  Mutex mutex;
  std::map<std::vector<std::string>, Child*> by_values ABSL_GUARDED_BY(mutex);
};

template <class Metric>
Metric Family<Metric>::With(absl::Span<const absl::string_view> values) const {
  std::vector<std::string> key;
  for (size_t i = 0; i < children_->labels.size(); ++i) {
    key.emplace_back(i < values.size() ? std::string(values[i]) : std::string());
  }
  MutexLock lock(children_->mutex);
  auto found = children_->by_values.find(key);
  if (found == children_->by_values.end() && children_->by_values.size() >= kMaxChildren) {
    key.assign(key.size(), "other");
    found = children_->by_values.find(key);
  }
  if (found == children_->by_values.end()) {
    prometheus::Labels labels;
    for (size_t i = 0; i < key.size(); ++i) labels[children_->labels[i]] = key[i];
    auto* child = AddChild(*children_->family, labels, children_->buckets);
    found = children_->by_values.emplace(std::move(key), child).first;
  }
  return Metric(found->second);
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

struct Metrics::State {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::shared_ptr<Readers> readers = std::make_shared<Readers>();
  Mutex mutex;
  std::map<std::string, std::unique_ptr<Family<Counter>::Children>> counters ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::unique_ptr<Family<Gauge>::Children>> gauges ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::unique_ptr<Family<Histogram>::Children>> histograms
      ABSL_GUARDED_BY(mutex);
  std::unique_ptr<prometheus::Exposer> exposer;  // last: it scrapes the others

  template <class Children, class Builder>
  Children* Add(std::map<std::string, std::unique_ptr<Children>>& families, Builder builder,
                absl::string_view name, absl::string_view help, std::vector<std::string> labels,
                const std::vector<double>& buckets) {
    auto& children = families[std::string(name)];
    if (children == nullptr) {
      children = std::make_unique<Children>();
      children->family =
          &builder.Name(std::string(name)).Help(std::string(help)).Register(*registry);
      children->labels = std::move(labels);
      children->buckets = buckets;
    }
    return children.get();
  }
};

const std::vector<double>& DurationBuckets() {
  static const auto* const buckets = new std::vector<double>{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return *buckets;
}

Metrics::Metrics(std::unique_ptr<State> state) : state_(std::move(state)) {}

Metrics::~Metrics() = default;

std::unique_ptr<Metrics> Metrics::Unserved() {
  return std::unique_ptr<Metrics>(new Metrics(std::make_unique<State>()));
}

absl::StatusOr<std::unique_ptr<Metrics>> Metrics::Serve(absl::string_view listen_address) {
  std::unique_ptr<Metrics> metrics = Unserved();
  State& state = *metrics->state_;
  try {
    state.exposer = std::make_unique<prometheus::Exposer>(std::string(listen_address));
    state.exposer->RegisterCollectable(state.registry);
    state.exposer->RegisterCollectable(state.readers);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("can't serve metrics on '", listen_address, "': ", error.what()));
  }
  return metrics;
}

Family<Counter> Metrics::Counters(absl::string_view name, absl::string_view help,
                                  std::vector<std::string> labels) {
  MutexLock lock(state_->mutex);
  return Family<Counter>(
      state_->Add(state_->counters, prometheus::BuildCounter(), name, help, std::move(labels), {}));
}

Family<Gauge> Metrics::Gauges(absl::string_view name, absl::string_view help,
                              std::vector<std::string> labels) {
  MutexLock lock(state_->mutex);
  return Family<Gauge>(
      state_->Add(state_->gauges, prometheus::BuildGauge(), name, help, std::move(labels), {}));
}

Family<Histogram> Metrics::Histograms(absl::string_view name, absl::string_view help,
                                      std::vector<std::string> labels,
                                      const std::vector<double>& buckets) {
  MutexLock lock(state_->mutex);
  return Family<Histogram>(state_->Add(state_->histograms, prometheus::BuildHistogram(), name, help,
                                       std::move(labels), buckets));
}

void Metrics::Read(absl::string_view name, absl::string_view help, std::function<double()> read,
                   std::vector<std::pair<std::string, std::string>> labels) {
  state_->readers->Add(prometheus::MetricType::Gauge, name, help, std::move(read),
                       std::move(labels));
}

void Metrics::ReadCounter(absl::string_view name, absl::string_view help,
                          std::function<double()> read,
                          std::vector<std::pair<std::string, std::string>> labels) {
  state_->readers->Add(prometheus::MetricType::Counter, name, help, std::move(read),
                       std::move(labels));
}

void Metrics::StopReading() { state_->readers->Clear(); }

int Metrics::port() const {
  if (state_->exposer == nullptr) return 0;
  const std::vector<int> ports = state_->exposer->GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = state_->registry->Collect();
  for (auto& family : state_->readers->Collect()) families.push_back(std::move(family));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace rapport::telemetry
