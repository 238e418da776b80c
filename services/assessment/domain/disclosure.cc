#include "services/assessment/domain/disclosure.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace rapport::assessment {
namespace {

// Dimensions of a cell. kCompletion splits the scored into completers and others.
enum Dimension { kClinic, kProtocol, kArea, kTime, kCompletion, kDimensions };

// How finely time is given; kAll: not at all.
enum Level { kAll, kYear, kQuarter, kMonth };
constexpr std::array<int, 4> kMonthsIn = {0, 12, 3, 1};

// A cell's values: 0 where the dimension is not given, else the value's number + 1.
struct Key {
  uint32_t clinic = 0;
  uint32_t protocol = 0;
  uint32_t area = 0;
  uint32_t completion = 0;
  int level = kAll;
  int32_t time = 0;  // the month over kMonthsIn[level]

  friend bool operator==(const Key&, const Key&) = default;
  template <class H>
  friend H AbslHashValue(H h, const Key& key) {
    return H::combine(std::move(h), key.clinic, key.protocol, key.area, key.completion, key.level,
                      key.time);
  }

  bool Gives(int dimension) const {
    switch (dimension) {
      case kClinic:
        return clinic != 0;
      case kProtocol:
        return protocol != 0;
      case kArea:
        return area != 0;
      case kTime:
        return level != kAll;
      default:
        return completion != 0;
    }
  }
  // The cell that this one is a part of by `dimension`, which is given.
  Key Without(int dimension) const {
    Key key = *this;
    switch (dimension) {
      case kClinic:
        key.clinic = 0;
        break;
      case kProtocol:
        key.protocol = 0;
        break;
      case kArea:
        key.area = 0;
        break;
      case kCompletion:
        key.completion = 0;
        break;
      default:
        key.SetTime(level - 1, level == kYear ? 0 : time * kMonthsIn[level]);
    }
    return key;
  }
  void SetTime(int new_level, int month) {
    level = new_level;
    time = new_level == kAll ? 0 : month / kMonthsIn[new_level];
  }
};

// The suppressed cells of one table of two dimensions, as the edges between its rows and columns.
// Number 0 stands on each side for all that are suppressed themselves: their sum is known.
struct Edge {
  int row;
  int column;
  int64_t courses;
};

// Looks for columns whose cells lie in few rows: the rows' sum less the columns' is then the sum of
// 1 to kLeastCell − 1 courses in those rows. A minimum cut: a column brings all its rows (arcs of
// no limit), a row leaves the cells of columns that are not taken (arcs of their courses).
class Cuts {
 public:
  explicit Cuts(const std::vector<Edge>& edges) {
    std::map<int, int> rows;
    std::map<int, int> columns;
    for (const Edge& edge : edges) {
      const int row = Vertex(rows, edge.row, false);
      const int column = Vertex(columns, edge.column, true);
      arcs_[column].push_back(static_cast<int>(to_.size()));
      to_.push_back(row);
      capacity_.push_back(kNoLimit);
      arcs_[row].push_back(static_cast<int>(to_.size()));
      to_.push_back(column);
      capacity_.push_back(edge.courses);
    }
    free_ = capacity_;
  }

  struct Cut {
    std::vector<int> rows;
    std::vector<int> columns;
  };
  std::optional<Cut> Find() {
    std::vector<bool> met(arcs_.size(), false);
    for (size_t start = 0; start < arcs_.size(); ++start) {
      if (!is_column_[start] || met[start]) continue;
      Reset();
      std::vector<int> component = Reach(static_cast<int>(start));
      for (int vertex : component) {
        met[vertex] = true;
        if (!is_column_[vertex] || vertex == static_cast<int>(start)) continue;
        for (const auto& [from, to] : {std::pair(static_cast<int>(start), vertex),
                                       std::pair(vertex, static_cast<int>(start))}) {
          if (auto cut = Between(from, to)) return cut;
        }
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr int64_t kNoLimit = int64_t{1} << 60;

  int Vertex(std::map<int, int>& known, int label, bool is_column) {
    const auto [found, added] = known.emplace(label, static_cast<int>(arcs_.size()));
    if (added) {
      arcs_.emplace_back();
      labels_.push_back(label);
      is_column_.push_back(is_column);
    }
    return found->second;
  }

  void Reset() { free_ = capacity_; }

  // What can be reached from `start` over arcs that have something free, and how.
  std::vector<int> Reach(int start) {
    by_.assign(arcs_.size(), -1);
    std::vector<int> reached = {start};
    std::vector<bool> seen(arcs_.size(), false);
    seen[start] = true;
    for (size_t i = 0; i < reached.size(); ++i) {
      for (int arc : arcs_[reached[i]]) {
        if (free_[arc] <= 0 || seen[to_[arc]]) continue;
        seen[to_[arc]] = true;
        by_[to_[arc]] = arc;
        reached.push_back(to_[arc]);
      }
    }
    return reached;
  }

  // Arcs come in pairs, there and back, and lend each other what flows.
  std::optional<Cut> Between(int from, int to) {
    Reset();
    int64_t flow = 0;
    for (;;) {
      const std::vector<int> reached = Reach(from);
      if (by_[to] < 0) {
        Cut cut;
        for (int vertex : reached) {
          (is_column_[vertex] ? cut.columns : cut.rows).push_back(labels_[vertex]);
        }
        return cut;
      }
      int64_t most = kNoLimit;
      for (int at = to; at != from; at = to_[by_[at] ^ 1]) most = std::min(most, free_[by_[at]]);
      for (int at = to; at != from; at = to_[by_[at] ^ 1]) {
        free_[by_[at]] -= most;
        free_[by_[at] ^ 1] += most;
      }
      flow += most;
      if (flow >= kLeastCell) return std::nullopt;
    }
  }

  std::vector<std::vector<int>> arcs_;  // by vertex
  std::vector<int> labels_;
  std::vector<bool> is_column_;
  std::vector<int> to_;
  std::vector<int64_t> capacity_;
  std::vector<int64_t> free_;
  std::vector<int> by_;
};

bool Contains(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// All cells of one population that somebody is in.
class Cube {
 public:
  void Add(const Key& finest, int64_t courses) {
    if (courses == 0) return;
    for (int given = 0; given < 8; ++given) {
      Key key = finest;
      if ((given & 1) == 0) key.clinic = 0;
      if ((given & 2) == 0) key.protocol = 0;
      if ((given & 4) == 0) key.area = 0;
      for (int level = kAll; level <= kMonth; ++level) {
        key.SetTime(level, finest.time);
        Count(key, courses);
        if (key.completion == 0) continue;
        Key both = key;
        both.completion = 0;
        Count(both, courses);
      }
    }
  }

  void Decide() {
    Connect();
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (cells_[i].courses < kLeastCell) Suppress(static_cast<int>(i));
    }
    do {
      Settle();
    } while (SuppressInTables());
  }

  // Nothing where nobody is in it.
  std::optional<bool> Told(const Key& key) const {
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    return !cells_[found->second].suppressed;
  }

 private:
  struct Cell {
    Key key;
    int64_t courses = 0;
    bool suppressed = false;
    std::array<int, kDimensions> in = {-1, -1, -1, -1, -1};    // lines that it is a part of
    std::array<int, kDimensions> into = {-1, -1, -1, -1, -1};  // lines that it is split into
  };
  struct Line {
    int whole = 0;
    std::vector<int> parts;
  };

  void Count(const Key& key, int64_t courses) {
    const auto [found, added] = index_.emplace(key, static_cast<int>(cells_.size()));
    if (added) cells_.emplace_back().key = key;
    cells_[found->second].courses += courses;
  }

  void Connect() {
    for (size_t i = 0; i < cells_.size(); ++i) {
      for (int dimension = 0; dimension < kDimensions; ++dimension) {
        if (!cells_[i].key.Gives(dimension)) continue;
        const int whole = index_.at(cells_[i].key.Without(dimension));
        int& line = cells_[whole].into[dimension];
        if (line < 0) {
          line = static_cast<int>(lines_.size());
          lines_.push_back({whole, {}});
        }
        cells_[i].in[dimension] = line;
        lines_[line].parts.push_back(static_cast<int>(i));
      }
    }
    // The smallest first; equal ones in an order that does not hang on how they were met.
    for (Line& line : lines_) {
      std::sort(line.parts.begin(), line.parts.end(), [&](int a, int b) { return Before(a, b); });
    }
  }

  bool Before(int a, int b) const {
    const auto order = [&](int cell) {
      const Key& key = cells_[cell].key;
      return std::tuple(cells_[cell].courses, key.clinic, key.protocol, key.area, key.completion,
                        key.level, key.time);
    };
    return order(a) < order(b);
  }

  void Suppress(int cell) {
    if (std::exchange(cells_[cell].suppressed, true)) return;
    for (int dimension = 0; dimension < kDimensions; ++dimension) {
      for (int line : {cells_[cell].in[dimension], cells_[cell].into[dimension]}) {
        if (line >= 0) unsettled_.push_back(line);
      }
    }
  }

  void Settle() {
    while (!unsettled_.empty()) {
      const Line& line = lines_[unsettled_.front()];
      unsettled_.pop_front();
      if (cells_[line.whole].suppressed) {
        for (int part : line.parts) Suppress(part);
        continue;
      }
      int count = 0;
      int64_t courses = 0;
      for (int part : line.parts) {
        if (!cells_[part].suppressed) continue;
        ++count;
        courses += cells_[part].courses;
      }
      if (count == 0) continue;
      for (int part : line.parts) {
        if (count >= 2 && courses >= kLeastCell) break;
        if (cells_[part].suppressed) continue;
        ++count;
        courses += cells_[part].courses;
        Suppress(part);
      }
      if (count < 2 || courses < kLeastCell) Suppress(line.whole);
    }
  }

  // Each told cell's tables of two dimensions; whether any had to be changed.
  bool SuppressInTables() {
    bool changed = false;
    for (size_t i = 0; i < cells_.size(); ++i) {
      for (int a = 0; a < kDimensions; ++a) {
        for (int b = 0; b < kDimensions; ++b) {
          const int whole = static_cast<int>(i);
          const int along_a = cells_[whole].into[a];
          const int along_b = cells_[whole].into[b];
          if (a == b || cells_[whole].suppressed || along_a < 0 || along_b < 0) continue;
          // The fewer are the columns.
          const size_t rows = lines_[along_a].parts.size();
          const size_t columns = lines_[along_b].parts.size();
          if (rows < columns || (rows == columns && a < b)) continue;
          while (!cells_[whole].suppressed && SuppressInTable(whole, a, b)) {
            changed = true;
            Settle();
          }
        }
      }
    }
    return changed;
  }

  bool SuppressInTable(int whole, int a, int b) {
    std::vector<Edge> edges;
    std::vector<std::array<int, 3>> told;  // row, column, cell
    for (int row : lines_[cells_[whole].into[a]].parts) {
      const int along_b = cells_[row].into[b];
      if (along_b < 0) continue;  // no such table is told
      for (int part : lines_[along_b].parts) {
        const int column = lines_[cells_[part].in[a]].whole;
        if (!cells_[part].suppressed) {
          told.push_back({row, column, part});
        } else {
          edges.push_back({cells_[row].suppressed ? -1 : row,
                           cells_[column].suppressed ? -1 : column, cells_[part].courses});
        }
      }
    }
    const auto cut = edges.size() < 2 ? std::nullopt : Cuts(edges).Find();
    if (!cut) return false;
    int chosen = -1;
    for (const auto& [row, column, part] : told) {
      if (Contains(cut->rows, row) == Contains(cut->columns, column)) continue;
      if (chosen < 0 || Before(part, chosen)) chosen = part;
    }
    Suppress(chosen < 0 ? whole : chosen);
    return true;
  }

  absl::flat_hash_map<Key, int> index_;
  std::vector<Cell> cells_;
  std::vector<Line> lines_;
  std::deque<int> unsettled_;
};

uint32_t NumberOf(const std::map<std::string, uint32_t>& numbers, const std::string& value) {
  const auto found = numbers.find(value);
  return found == numbers.end() ? std::numeric_limits<uint32_t>::max() : found->second;
}

constexpr uint32_t kCompleter = 1;
constexpr uint32_t kNoCompleter = 2;

}  // namespace

struct Disclosure::State {
  std::map<std::string, uint32_t> clinics;  // from 1
  std::map<std::string, uint32_t> protocols;
  int first_month = std::numeric_limits<int>::max();
  int last_month = std::numeric_limits<int>::min();
  Cube started;
  Cube scored;
};

Disclosure::Disclosure(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Disclosure::~Disclosure() = default;

std::shared_ptr<const Disclosure> Disclosure::Make(absl::Span<const Group> given) {
  std::vector<Group> groups(given.begin(), given.end());
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::tie(a.clinic, a.protocol, a.problem_area, a.month) <
           std::tie(b.clinic, b.protocol, b.problem_area, b.month);
  });
  auto state = std::make_unique<State>();
  for (const Group& group : groups) {
    state->clinics.emplace(group.clinic, 0);
    state->protocols.emplace(group.protocol, 0);
    state->first_month = std::min(state->first_month, group.month);
    state->last_month = std::max(state->last_month, group.month);
  }
  for (auto* numbers : {&state->clinics, &state->protocols}) {
    uint32_t next = 0;
    for (auto& [value, number] : *numbers) number = ++next;
  }
  for (const Group& group : groups) {
    Key key;
    key.clinic = state->clinics.at(group.clinic);
    key.protocol = state->protocols.at(group.protocol);
    key.area = static_cast<uint32_t>(group.problem_area) + 1;
    key.SetTime(kMonth, group.month);
    state->started.Add(key, group.started);
    key.completion = kCompleter;
    state->scored.Add(key, group.completers);
    key.completion = kNoCompleter;
    state->scored.Add(key, group.scored - group.completers);
  }
  state->started.Decide();
  state->scored.Decide();
  return std::shared_ptr<const Disclosure>(new Disclosure(std::move(state)));
}

bool Disclosure::Told(Of of, const Box& box) const {
  const Cube& cube = of == Of::kStarted ? state_->started : state_->scored;
  Key key;
  if (box.clinic) key.clinic = NumberOf(state_->clinics, *box.clinic);
  if (box.protocol) key.protocol = NumberOf(state_->protocols, *box.protocol);
  if (box.problem_area) key.area = static_cast<uint32_t>(*box.problem_area) + 1;
  if (of == Of::kCompleters) key.completion = kCompleter;
  const int first = std::max(state_->first_month, box.first_month.value_or(state_->first_month));
  const int last = std::min(state_->last_month, box.last_month.value_or(state_->last_month));
  if (first > last) return false;
  const bool whole = first == state_->first_month && last == state_->last_month;
  if (whole) return cube.Told(key).value_or(false);
  // Years that begin before the first course or end after the last are whole all the same.
  const int begin = std::max(first / 12 * 12, box.first_month.value_or(0));
  const int end = box.last_month.value_or(std::numeric_limits<int>::max());
  bool anybody = false;
  for (int month = begin; month <= last;) {
    int level = kYear;
    while (level != kMonth &&
           (month % kMonthsIn[level] != 0 || month + kMonthsIn[level] - 1 > end)) {
      ++level;
    }
    key.SetTime(level, month);
    const std::optional<bool> told = cube.Told(key);
    if (told == false) return false;
    anybody |= told.has_value();
    month += kMonthsIn[level];
  }
  return anybody;
}

}  // namespace rapport::assessment
