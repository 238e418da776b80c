#ifndef RAPPORT_COMMON_REVOCATION_REVOCATION_H_
#define RAPPORT_COMMON_REVOCATION_REVOCATION_H_

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/jwt.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"

// How a revocation reaches every replica of every service: scheduling writes it with its record,
// the others when its event comes by feed, each into its own database; there each replica reads
// what still matters a few times a second and tells its verifier. So a process that starts late, or
// was cut off from its peers, knows what the service knows.
namespace rapport::revocation {

// When no token that `revocation` refuses can still be valid, if it is of now (real clock).
absl::Time ExpiryOf(absl::Time now);

// What is refused: a subject's tokens that were issued before `not_before`, or one token.
struct Refusal {
  std::string subject;
  std::string token_id;
  absl::Time not_before;   // real clock, as the next
  absl::Time expire_time;  // see ExpiryOf
};

// Puts down what `name` ("organizations/{organization}/revocations/{revocation}") refuses, once;
// deferred. Rows of the organisation that matter no more go with it. `now`: real clock.
void Put(sql::Transaction& tx, absl::string_view name, const Refusal& refusal, absl::Time now);

// Keeps one replica's verifier in step with the database. Thread-safe.
class Watcher {
 public:
  Watcher(sql::Database& database, auth::TokenVerifier& verifier)
      : database_(database), verifier_(verifier) {}
  ~Watcher() { Stop(); }

  // Tells the verifier what it does not know yet.
  absl::Status Look();

  // Looks at once, then every `period` of real time until Stop. While the database does not answer,
  // what is known goes on being refused.
  void Start(absl::Duration period = absl::Milliseconds(200));
  void Stop() { thread_.reset(); }

 private:
  void Tick();

  sql::Database& database_;
  auth::TokenVerifier& verifier_;
  Mutex mutex_;
  // Organisation and revocation that the verifier was told of and that are still there.
  std::set<std::pair<std::string, std::string>> told_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> healthy_{true};
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace rapport::revocation

#endif  // RAPPORT_COMMON_REVOCATION_REVOCATION_H_
