#ifndef RAPPORT_SERVICES_NOTES_RPC_ACCESS_H_
#define RAPPORT_SERVICES_NOTES_RPC_ACCESS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "services/notes/store/note_store.h"

namespace rapport::notes {

// A case that the caller may know of.
struct CaseAccess {
  std::string name;  // of the case
  std::string case_id;
  std::string clinician;  // the caller, as a clinician; never empty
  care::CourseFacts course;
  bool treats = false;  // else supervises
};

// A note that the caller may know of.
struct NoteAccess {
  NoteRecord note;
  std::string clinician;  // the caller
  bool treats = false;    // wrote it, or sees to its course
};

// Who may know of what, by the replica of scheduling. Each handler asks here, inside the
// transaction that it reads or changes in. Thread-safe.
class Access {
 public:
  // Above this lag of the replica nobody gains access by cover: it may have been withdrawn.
  static constexpr absl::Duration kMaxLag = absl::Seconds(60);

  // `lag`: how long the replica has not been sure to be complete; null: it always is.
  explicit Access(std::function<absl::Duration()> lag = nullptr) : lag_(std::move(lag)) {}

  // care::ReachOf, without those covered and supervised while the replica lags.
  absl::StatusOr<care::Reach> ReachOf(sql::Session& session,
                                      const call::CallContext& context) const;

  // care::RequireCourse.
  //   kUnavailable CARE_RELATIONS_STALE  the caller covers or supervises, and the replica lags
  absl::StatusOr<care::CourseFacts> RequireCourse(sql::Session& session,
                                                  const call::CallContext& context,
                                                  absl::string_view course,
                                                  absl::string_view type) const;

  // The case that `name`, a case or something below one, belongs to: for the course's therapist,
  // who covers for them and who supervises them now. For others kNotFound(`type`), as if absent.
  // Else as RequireCourse.
  absl::StatusOr<CaseAccess> RequireCase(sql::Session& session, const call::CallContext& context,
                                         absl::string_view name, absl::string_view type) const;

  // As RequireCase, for changes: kPermissionDenied NOT_THE_THERAPIST for who only supervises.
  absl::StatusOr<CaseAccess> RequireTreatedCase(sql::Session& session,
                                                const call::CallContext& context,
                                                absl::string_view name,
                                                absl::string_view type) const;

  // The note `name`: for its author always; a signed one also for whoever reaches its case. For
  // others kNotFound ("Note"), as if absent. Else as RequireCourse.
  absl::StatusOr<NoteAccess> RequireNote(sql::Session& session, const call::CallContext& context,
                                         absl::string_view name) const;

  // As RequireNote, for changes: kPermissionDenied NOT_THE_THERAPIST for who only supervises.
  absl::StatusOr<NoteAccess> RequireTreatedNote(sql::Session& session,
                                                const call::CallContext& context,
                                                absl::string_view name) const;

 private:
  bool Lags() const { return lag_ != nullptr && lag_() > kMaxLag; }

  const std::function<absl::Duration()> lag_;
};

// OK iff the caller has proved who they are recently, by the real clock.
//   kFailedPrecondition REAUTHENTICATION_REQUIRED
absl::Status RequireRecentAuthentication(const call::CallContext& context);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_ACCESS_H_
