#ifndef RAPPORT_COMMON_AUDIT_HEADS_H_
#define RAPPORT_COMMON_AUDIT_HEADS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/keys.h"
#include "common/auth/signer.h"
#include "common/concurrency/mutex.h"

// Signed heads of audit trees, and where they are kept outside of the database.
namespace rapport::audit {

// As SignedHead of the API.
struct Head {
  std::string organization_id;
  std::string service;
  int64_t tree_size = 0;
  std::string root_hash;
  absl::Time sign_time;
  std::string key_id;
  std::string signature;
  friend bool operator==(const Head&, const Head&) = default;
};

// What is signed of a head: "rapport-audit-head-v1", organisation id, service, tree size, root hash
// in hex, sign time in microseconds and key id, with a newline after each.
std::string SignedText(const Head& head);

// Signs heads of one service, with an Ed25519 key. Thread-safe.
class HeadSigner {
 public:
  //   kInvalidArgument  another type of key, or one that `trusted` does not hold
  static absl::StatusOr<HeadSigner> Make(absl::string_view service,
                                         std::shared_ptr<const auth::TokenSigner> key,
                                         std::shared_ptr<const auth::KeySet> trusted);

  Head Sign(absl::string_view organization_id, int64_t tree_size, std::string root_hash,
            absl::Time now) const;

  const std::string& service() const { return service_; }
  const std::shared_ptr<const auth::KeySet>& trusted() const { return trusted_; }

 private:
  HeadSigner(absl::string_view service, std::shared_ptr<const auth::TokenSigner> key,
             std::shared_ptr<const auth::KeySet> trusted)
      : service_(service), key_(std::move(key)), trusted_(std::move(trusted)) {}

  std::string service_;
  std::shared_ptr<const auth::TokenSigner> key_;
  std::shared_ptr<const auth::KeySet> trusted_;
};

// Whether a key of `trusted` made the head's signature: an Ed25519 key, of the head's service where
// it is bound to one.
bool IsTrusted(const Head& head, const auth::KeySet& trusted);

// What was anchored of a stretch of a tree.
struct Anchored {
  std::map<int64_t, std::string> leaf_hashes;  // by index
  std::vector<Head> heads;                     // by tree size
};

// The directory, outside of the database, to which heads and the hashes of the leaves beneath them
// are appended, so that whoever rewrites the database can't hide where. It is best append-only for
// the service (chattr +a, or a store that is written once). For each organisation a folder
// "<service>-<organization>", in it a file "<number>.log" for each 65,536 leaves, of lines:
//
//   leaves FIRST HEX…                             hashes of leaves FIRST, FIRST + 1, … (64 digits
//   each) head SIZE ROOT MICROSECONDS KEY SIGNATURE     root in hex, signature in base64url
//
// Every append is synced before it returns. Lines that a crash cut off are passed over, and of what
// is said twice the first counts. Thread-safe.
class AnchorLog {
 public:
  // Makes the directory where it is absent.
  //   kInvalidArgument  the directory can't be made or written
  static absl::StatusOr<std::unique_ptr<AnchorLog>> Open(absl::string_view directory,
                                                         absl::string_view service);
  // For a copy that is only read.
  static std::unique_ptr<AnchorLog> OpenCopy(absl::string_view directory,
                                             absl::string_view service) {
    return std::unique_ptr<AnchorLog>(new AnchorLog(directory, service));
  }

  // How far an organisation is anchored.
  struct State {
    int64_t leaves = 0;  // hashes of the first so many are there
    Head last;           // tree_size 0: none
  };
  absl::StatusOr<State> Look(absl::string_view organization_id);

  // Appends the hashes of the leaves from `first`, then `head`, which is of all of them.
  absl::Status Append(absl::string_view organization_id, int64_t first,
                      const std::vector<std::string>& leaf_hashes, const Head& head);

  // The hashes of leaves [begin, end), and the heads of trees of sizes (begin, end].
  absl::StatusOr<Anchored> Read(absl::string_view organization_id, int64_t begin, int64_t end);

  static constexpr int64_t kLeavesAFile = 65536;

 private:
  AnchorLog(absl::string_view directory, absl::string_view service)
      : directory_(directory), service_(service) {}

  std::string Folder(absl::string_view organization_id) const;
  absl::Status ReadFile(const std::string& path, absl::string_view organization_id,
                        Anchored& anchored) const;

  const std::string directory_;
  const std::string service_;
  Mutex mutex_;  // of appending
};

}  // namespace rapport::audit

#endif  // RAPPORT_COMMON_AUDIT_HEADS_H_
