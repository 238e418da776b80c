#ifndef RAPPORT_COMMON_AUDIT_TREE_H_
#define RAPPORT_COMMON_AUDIT_TREE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The Merkle tree of RFC 6962 section 2.1 over SHA-256, without storage. Hashes are 32 bytes.
namespace rapport::audit {

// SHA-256 of 0x01, `left` and `right`.
std::string NodeHash(absl::string_view left, absl::string_view right);

// Of a tree without leaves: SHA-256 of nothing.
std::string EmptyRoot();

// A tree that grows: its size and the roots of its full subtrees, at most 63, which is all that
// adding leaves needs.
class Frontier {
 public:
  // Called with each subtree that becomes full: of 2^height leaves, the index-th of its height.
  using Completed = absl::FunctionRef<void(int height, int64_t index, const std::string& hash)>;

  Frontier() = default;
  // What Bytes() returned of a tree of this size; nothing if it can't be.
  static std::optional<Frontier> Parse(int64_t size, absl::string_view bytes);
  std::string Bytes() const;

  void Add(std::string leaf_hash, Completed completed);
  void Add(std::string leaf_hash) {
    Add(std::move(leaf_hash), [](int, int64_t, const std::string&) {});
  }

  int64_t size() const { return size_; }
  std::string Root() const;

 private:
  int64_t size_ = 0;
  std::vector<std::string> peaks_;  // largest first
};

// Leaves [begin, end) of a tree, whose own tree hash is wanted.
struct Range {
  int64_t begin;
  int64_t end;
  friend bool operator==(const Range&, const Range&) = default;
};

// The ranges whose hashes are the audit path of leaf `index` in a tree of `size` (2.1.1), from the
// leaf up. 0 <= index < size.
std::vector<Range> InclusionRanges(int64_t index, int64_t size);

// The ranges whose hashes prove that the tree of size `first` begins that of `second` (2.1.2).
// 0 < first <= second.
std::vector<Range> ConsistencyRanges(int64_t first, int64_t second);

// The tree hash of `range`, whose beginning is a multiple of the largest power of two within it.
// `node` returns the hash of the index-th full subtree of 2^height leaves.
absl::StatusOr<std::string> RangeHash(
    Range range, absl::FunctionRef<absl::StatusOr<std::string>(int height, int64_t index)> node);

// Whether `path` proves that `leaf_hash` is the leaf `index` of the tree with this size and root.
bool ProvesInclusion(int64_t index, int64_t size, absl::string_view leaf_hash,
                     const std::vector<std::string>& path, absl::string_view root);

// Whether `path` proves that the first tree begins the second.
bool ProvesConsistency(int64_t first_size, absl::string_view first_root, int64_t second_size,
                       absl::string_view second_root, const std::vector<std::string>& path);

}  // namespace rapport::audit

#endif  // RAPPORT_COMMON_AUDIT_TREE_H_
