#ifndef RAPPORT_SERVICES_NOTES_RPC_NOTE_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_NOTE_HANDLERS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// NoteService: what each method does and answers is written in note_service.proto. Only StartNote
// asks other services, before its transaction.
class NoteHandlers {
 public:
  NoteHandlers(sql::Database& database, const Access& access, call::Peer& scheduling,
               call::Peer& assessment)
      : database_(database), access_(access), scheduling_(scheduling), assessment_(assessment) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Note> StartNote(const call::CallContext& context,
                                     const v1::StartNoteRequest& request);
  absl::StatusOr<v1::Note> SaveDraft(const call::CallContext& context,
                                     const v1::SaveDraftRequest& request);
  absl::StatusOr<v1::Note> GetNote(const call::CallContext& context,
                                   const v1::GetNoteRequest& request);
  absl::StatusOr<v1::ListNotesResponse> ListNotes(const call::CallContext& context,
                                                  const v1::ListNotesRequest& request);
  absl::StatusOr<v1::Note> SignNote(const call::CallContext& context,
                                    const v1::SignNoteRequest& request);
  absl::StatusOr<v1::Note> AddAddendum(const call::CallContext& context,
                                       const v1::AddAddendumRequest& request);
  absl::StatusOr<v1::ListDueNotesResponse> ListDueNotes(const call::CallContext& context,
                                                        const v1::ListDueNotesRequest& request);

 private:
  // A session of the course, as the replica or scheduling itself tells it.
  struct SessionFacts {
    absl::Time start;
    absl::Time end;
    int number = 0;
    bool from_replica_only = false;  // scheduling could not be asked
  };
  // The session to note, held. `known`: what the replica has of it. The replica may lag behind a
  // check-in by a moment, so that scheduling is asked wherever it does not show the session as
  // held; where scheduling is down, one that is booked and has begun is taken as held.
  absl::StatusOr<SessionFacts> RequireHeldSession(
      const call::CallContext& context, const std::string& appointment, const std::string& course,
      const std::optional<care::AppointmentFacts>& known);

  // All forms of the course.
  absl::StatusOr<std::vector<assessment::v1::Assessment>> ListAssessments(
      const call::CallContext& context, const std::string& course);

  // The scores of the session, and who could not be asked.
  v1::NotePrefill AskPeers(const call::CallContext& context, const care::CourseFacts& course,
                           const std::string& appointment, const SessionFacts& facts);

  absl::StatusOr<v1::Note> ReadNote(sql::Session& session, const call::CallContext& context,
                                    absl::string_view name) const;

  sql::Database& database_;
  const Access& access_;
  call::Peer& scheduling_;
  call::Peer& assessment_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_NOTE_HANDLERS_H_
