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
#include "services/notes/domain/access_rules.h"
#include "services/notes/store/note_store.h"

namespace rapport::notes {

// A case that the caller may know of.
struct CaseAccess {
  std::string name;  // of the case
  std::string case_id;
  std::string clinician;  // the caller, as a clinician; empty only for a privacy officer
  care::CourseFacts course;
  bool treats = false;      // else supervises, or has broken the glass
  std::string break_glass;  // the emergency access by which they read it; empty: in their own right
  // Who is named as the one who did something: the clinician, else the `sub` of their token.
  std::string actor;
};

// A note that the caller may know of.
struct NoteAccess {
  NoteRecord note;
  std::string clinician;    // the caller
  bool treats = false;      // wrote it, or sees to its course
  bool author = false;      // wrote it
  std::string break_glass;  // see CaseAccess
  care::CourseFacts course;
};

// A psychotherapy note that the caller may know of.
struct PsychotherapyAccess {
  std::string clinician;  // the caller
  bool author = false;    // else it is released to them
};

// Who may know of what: the decision of domain/access_rules.h, with the relations looked up in the
// replica of scheduling and in this service's own tables. Each handler asks here, inside the
// transaction that it reads or changes in, and nothing else decides. What the caller may not know
// of is kNotFound(`type`), as if absent; what they may know of and not do is kPermissionDenied.
// Thread-safe.
class Access {
 public:
  // Above this lag of the replica nobody gains access by cover or supervision: it may have been
  // withdrawn.
  static constexpr absl::Duration kMaxLag = absl::Seconds(60);

  // `lag`: how long the replica has not been sure to be complete; null: it always is.
  explicit Access(std::function<absl::Duration()> lag = nullptr) : lag_(std::move(lag)) {}

  // care::ReachOf, without those covered and supervised while the replica lags.
  absl::StatusOr<care::Reach> ReachOf(sql::Session& session,
                                      const call::CallContext& context) const;

  // Whether a course may begin: for services, and for whoever treats or supervises.
  //   kUnavailable CARE_RELATIONS_STALE  the caller covers or supervises, and the replica lags
  absl::StatusOr<care::CourseFacts> RequireCourse(sql::Session& session,
                                                  const call::CallContext& context,
                                                  absl::string_view course,
                                                  absl::string_view type) const;

  // The case that `name`, a case or something below one, belongs to. To read: for the course's
  // therapist, who covers for them, who supervises them, and who has broken the glass, now. To
  // export: for these without the last.
  //   kPermissionDenied BREAK_GLASS_READS_ONLY
  //   kUnavailable      as RequireCourse
  absl::StatusOr<CaseAccess> RequireCase(sql::Session& session, const call::CallContext& context,
                                         absl::string_view name, absl::string_view type,
                                         Purpose purpose = Purpose::kRead) const;

  // As RequireCase, for changes.
  //   kPermissionDenied NOT_THE_THERAPIST  the caller only supervises
  absl::StatusOr<CaseAccess> RequireTreatedCase(sql::Session& session,
                                                const call::CallContext& context,
                                                absl::string_view name,
                                                absl::string_view type) const;

  // The note `name`: for its author always; a signed one also for whoever may read its case, and
  // for who supervises its author, whoever is responsible for the course.
  // kNotFound is of type "Note".
  absl::StatusOr<NoteAccess> RequireNote(sql::Session& session, const call::CallContext& context,
                                         absl::string_view name) const;

  // As RequireNote, for changes.
  //   kPermissionDenied NOT_THE_THERAPIST, BREAK_GLASS_READS_ONLY
  absl::StatusOr<NoteAccess> RequireTreatedNote(sql::Session& session,
                                                const call::CallContext& context,
                                                absl::string_view name) const;

  // The psychotherapy note `name`: for its author; to read, also for whom it is released to now.
  //   kPermissionDenied NOT_THE_AUTHOR  it is released to them, who would change it
  absl::StatusOr<PsychotherapyAccess> RequirePsychotherapyNote(
      sql::Session& session, const call::CallContext& context, absl::string_view name,
      Purpose purpose, absl::string_view type = "PsychotherapyNote") const;

  // Consents, labels and who sees which note of the case that `name` belongs to: for those of
  // RequireCase but who broke the glass, who is denied; and for privacy officers.
  absl::StatusOr<CaseAccess> RequireDisclosure(sql::Session& session,
                                               const call::CallContext& context,
                                               absl::string_view name, absl::string_view type,
                                               Purpose purpose) const;

  // As RequireDisclosure, of a patient (a full name): by any case of theirs.
  absl::StatusOr<CaseAccess> RequirePatientDisclosure(sql::Session& session,
                                                      const call::CallContext& context,
                                                      absl::string_view patient,
                                                      absl::string_view type,
                                                      Purpose purpose) const;

  // The signed note `name`, whose release is decided: by its author and who treats.
  absl::StatusOr<NoteAccess> RequireNoteDecision(sql::Session& session,
                                                 const call::CallContext& context,
                                                 absl::string_view name) const;

  // The emergency access that `opener`, a clinician, opened: for them and for privacy officers.
  absl::Status RequireBreakGlass(sql::Session& session, const call::CallContext& context,
                                 absl::string_view opener, Purpose purpose) const;

  // OK iff the caller is the own device of `patient` (a full name); else kNotFound("Patient").
  absl::Status RequirePatientView(const call::CallContext& context,
                                  absl::string_view patient) const;

  // OK iff the caller is a guardian's device and `open`, their view of the patient, is not closed;
  // else kNotFound("Patient").
  absl::Status RequireGuardianView(const call::CallContext& context, bool open) const;

 private:
  struct Known;  // the caller's relations to a case

  bool Lags() const { return lag_ != nullptr && lag_() > kMaxLag; }
  absl::StatusOr<Known> RelationsTo(sql::Session& session, const call::CallContext& context,
                                    absl::string_view name, absl::string_view type) const;
  absl::StatusOr<CaseAccess> DecideCase(sql::Session& session, const call::CallContext& context,
                                        absl::string_view name, absl::string_view type,
                                        Object object, Purpose purpose) const;
  absl::StatusOr<NoteAccess> DecideNote(sql::Session& session, const call::CallContext& context,
                                        absl::string_view name, Object object,
                                        Purpose purpose) const;

  const std::function<absl::Duration()> lag_;
};

// OK iff the caller has proved who they are recently, by the real clock.
//   kFailedPrecondition REAUTHENTICATION_REQUIRED
absl::Status RequireRecentAuthentication(const call::CallContext& context);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_ACCESS_H_
