#include "common/audit/tree.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"
#include "common/errors/status_macros.h"

namespace rapport::audit {
namespace {

constexpr size_t kHashSize = 32;
constexpr char kNode = 1;

// The largest power of two below `size`, which is above 1.
int64_t SplitOf(int64_t size) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(size - 1)));
}

void AddConsistency(int64_t first, Range range, bool complete, std::vector<Range>& ranges) {
  const int64_t size = range.end - range.begin;
  if (first == size) {
    if (!complete) ranges.push_back(range);
    return;
  }
  const int64_t middle = range.begin + SplitOf(size);
  if (first <= middle - range.begin) {
    AddConsistency(first, {range.begin, middle}, complete, ranges);
    ranges.push_back({middle, range.end});
  } else {
    AddConsistency(first - (middle - range.begin), {middle, range.end}, false, ranges);
    ranges.push_back({range.begin, middle});
  }
}

}  // namespace

std::string NodeHash(absl::string_view left, absl::string_view right) {
  return auth::Sha256(absl::StrCat(absl::string_view(&kNode, 1), left, right));
}

std::string EmptyRoot() { return auth::Sha256(""); }

std::optional<Frontier> Frontier::Parse(int64_t size, absl::string_view bytes) {
  if (size < 0 || bytes.size() != std::popcount(static_cast<uint64_t>(size)) * kHashSize) {
    return std::nullopt;
  }
  Frontier frontier;
  frontier.size_ = size;
  for (; !bytes.empty(); bytes.remove_prefix(kHashSize)) {
    frontier.peaks_.emplace_back(bytes.substr(0, kHashSize));
  }
  return frontier;
}

std::string Frontier::Bytes() const {
  std::string bytes;
  for (const std::string& peak : peaks_) bytes += peak;
  return bytes;
}

void Frontier::Add(std::string leaf_hash, Completed completed) {
  std::string hash = std::move(leaf_hash);
  for (int height = 0; (size_ >> height & 1) == 1;) {
    hash = NodeHash(peaks_.back(), hash);
    peaks_.pop_back();
    ++height;
    completed(height, size_ >> height, hash);
  }
  peaks_.push_back(std::move(hash));
  ++size_;
}

std::string Frontier::Root() const {
  if (peaks_.empty()) return EmptyRoot();
  std::string root = peaks_.back();
  for (size_t i = peaks_.size() - 1; i-- > 0;) root = NodeHash(peaks_[i], root);
  return root;
}

std::vector<Range> InclusionRanges(int64_t index, int64_t size) {
  std::vector<Range> ranges;
  for (Range range{0, size}; range.end - range.begin > 1;) {
    const int64_t middle = range.begin + SplitOf(range.end - range.begin);
    if (index < middle) {
      ranges.push_back({middle, range.end});
      range.end = middle;
    } else {
      ranges.push_back({range.begin, middle});
      range.begin = middle;
    }
  }
  std::reverse(ranges.begin(), ranges.end());
  return ranges;
}

std::vector<Range> ConsistencyRanges(int64_t first, int64_t second) {
  std::vector<Range> ranges;
  AddConsistency(first, {0, second}, true, ranges);
  return ranges;
}

absl::StatusOr<std::string> RangeHash(
    Range range, absl::FunctionRef<absl::StatusOr<std::string>(int height, int64_t index)> node) {
  std::vector<std::string> peaks;
  while (range.begin < range.end) {
    const int height = std::bit_width(static_cast<uint64_t>(range.end - range.begin)) - 1;
    ASSIGN_OR_RETURN(peaks.emplace_back(), node(height, range.begin >> height));
    range.begin += int64_t{1} << height;
  }
  if (peaks.empty()) return EmptyRoot();
  std::string hash = peaks.back();
  for (size_t i = peaks.size() - 1; i-- > 0;) hash = NodeHash(peaks[i], hash);
  return hash;
}

bool ProvesInclusion(int64_t index, int64_t size, absl::string_view leaf_hash,
                     const std::vector<std::string>& path, absl::string_view root) {
  if (index < 0 || index >= size) return false;
  const std::vector<Range> ranges = InclusionRanges(index, size);
  if (ranges.size() != path.size()) return false;
  std::string hash(leaf_hash);
  for (size_t i = 0; i < path.size(); ++i) {
    hash = ranges[i].begin > index ? NodeHash(hash, path[i]) : NodeHash(path[i], hash);
  }
  return hash == root;
}

// RFC 9162 section 2.1.4.2.
bool ProvesConsistency(int64_t first_size, absl::string_view first_root, int64_t second_size,
                       absl::string_view second_root, const std::vector<std::string>& path) {
  if (first_size <= 0 || first_size > second_size) return false;
  if (first_size == second_size) return path.empty() && first_root == second_root;
  std::vector<std::string> nodes = path;
  if (std::has_single_bit(static_cast<uint64_t>(first_size))) {
    nodes.insert(nodes.begin(), std::string(first_root));
  }
  if (nodes.empty()) return false;
  int64_t first = first_size - 1, second = second_size - 1;
  while ((first & 1) == 1) first >>= 1, second >>= 1;
  std::string from_first = nodes[0], from_second = nodes[0];
  for (size_t i = 1; i < nodes.size(); ++i) {
    if (second == 0) return false;
    if ((first & 1) == 1 || first == second) {
      from_first = NodeHash(nodes[i], from_first);
      from_second = NodeHash(nodes[i], from_second);
      while ((first & 1) == 0 && first != 0) first >>= 1, second >>= 1;
    } else {
      from_second = NodeHash(from_second, nodes[i]);
    }
    first >>= 1;
    second >>= 1;
  }
  return second == 0 && from_first == first_root && from_second == second_root;
}

}  // namespace rapport::audit
