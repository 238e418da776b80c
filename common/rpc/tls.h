#ifndef RAPPORT_COMMON_RPC_TLS_H_
#define RAPPORT_COMMON_RPC_TLS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"

// TLS between clients and services and among services. Certificates are files that may be replaced
// at any time: what connects from then on uses the new ones, what is connected stays.
namespace rapport::rpc {

// A file and the flag that names it, for messages. An empty path: not given.
struct NamedFile {
  std::string flag;  // "tls_cert_file"
  std::string path;
};

struct CertificateFiles {
  NamedFile cert;   // PEM, the leaf first
  NamedFile key;    // PEM, of that leaf
  NamedFile roots;  // PEM, the authorities that the other side's certificate must come from
};

// What the files hold, of one moment.
struct Certificates {
  std::string chain;
  std::string key;
  std::string roots;
  absl::Time not_after = absl::InfiniteFuture();  // of the leaf, if any
  int64_t generation = 0;                         // another after each replacement
};

// Reads certificates and looks every `period` whether they were replaced. A replacement that can't
// be used (a key of another certificate, expired, half written) is told of in the log once, and
// what was good stays in use. Thread-safe.
class CertificateStore {
 public:
  // A certificate comes with its key. At least one of certificate and roots is given.
  //   kInvalidArgument  a file that can't be used, by its flag, and what is wrong with it
  static absl::StatusOr<std::shared_ptr<CertificateStore>> Open(
      CertificateFiles files, absl::Duration period = absl::Seconds(1));

  std::shared_ptr<const Certificates> Current() const;

 private:
  struct FileState {
    int64_t inode = -1;
    int64_t modified_nanos = -1;
    int64_t size = -1;
    friend bool operator==(const FileState&, const FileState&) = default;
  };
  using State = std::vector<FileState>;

  explicit CertificateStore(CertificateFiles files) : files_(std::move(files)) {}

  State Look() const;
  absl::StatusOr<Certificates> Load() const;
  void Refresh();

  const CertificateFiles files_;
  mutable Mutex mutex_;
  std::shared_ptr<const Certificates> current_ ABSL_GUARDED_BY(mutex_);

  // The ticker's alone.
  State loaded_;
  State told_;
  bool told_expired_ = false;
  std::unique_ptr<PeriodicThread> ticker_;
};

// Whether a server asks its clients for certificates. One that is given is always verified.
enum class ClientAuth { kNone, kRequest, kRequire };

struct ServerTls {
  std::shared_ptr<const CertificateStore> certificates;
  ClientAuth client_auth = ClientAuth::kNone;
};

struct ChannelTls {
  std::shared_ptr<const CertificateStore> certificates;
  std::string server_name;  // that the server's certificate must be for; empty: the target's host
};

// Which TLS identities (SPIFFE ids, the one URI of a client's certificate) may speak in whose name.
class AllowedClients {
 public:
  // Of entries "spiffe://…", which may speak for any service, or "assessment=spiffe://…", for that
  // one alone. Of users' own calls "users=spiffe://…": if there is one, they must come from such.
  //   kInvalidArgument  what is wrong with which entry
  static absl::StatusOr<AllowedClients> Parse(const std::vector<std::string>& entries);

  // `identity` is empty where there was no certificate, or none with a SPIFFE id.
  bool MaySpeakFor(absl::string_view service, absl::string_view identity) const;
  bool MaySpeakForUsers(absl::string_view identity) const;

 private:
  std::set<std::string> any_;
  std::map<std::string, std::set<std::string>> by_name_;
};

// gRPC's own words for a handshake that failed, in ours; empty if they are about something else.
std::string ExplainHandshake(absl::string_view message);

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_TLS_H_
