#ifndef RAPPORT_SERVICES_NOTES_RPC_NOTE_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_NOTE_HANDLERS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "services/notes/domain/note_rules.h"
#include "services/notes/rpc/access.h"
#include "services/notes/rpc/signing.h"
#include "services/notes/store/note_store.h"
#include "services/notes/store/session_store.h"

namespace rapport::notes {

// NoteService: what each method does and answers is written in note_service.proto. Only StartNote,
// DocumentGroupSession and CheckPrefill ask other services, outside of their transaction. Writing
// and reading are in note_handlers.cc, signatures in note_signing.cc, due lists in note_due.cc.
class NoteHandlers {
 public:
  NoteHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault,
               call::Peer& scheduling, call::Peer& assessment)
      : database_(database),
        access_(access),
        vault_(vault),
        scheduling_(scheduling),
        assessment_(assessment) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Note> StartNote(const call::CallContext& context,
                                     const v1::StartNoteRequest& request);
  absl::StatusOr<v1::DocumentGroupSessionResponse> DocumentGroupSession(
      const call::CallContext& context, const v1::DocumentGroupSessionRequest& request);
  absl::StatusOr<v1::Note> SaveDraft(const call::CallContext& context,
                                     const v1::SaveDraftRequest& request);
  absl::StatusOr<v1::ListDraftCopiesResponse> ListDraftCopies(
      const call::CallContext& context, const v1::ListDraftCopiesRequest& request);
  absl::StatusOr<v1::CheckPrefillResponse> CheckPrefill(const call::CallContext& context,
                                                        const v1::CheckPrefillRequest& request);
  absl::StatusOr<v1::Note> GetNote(const call::CallContext& context,
                                   const v1::GetNoteRequest& request);
  absl::StatusOr<v1::ListNotesResponse> ListNotes(const call::CallContext& context,
                                                  const v1::ListNotesRequest& request);

  absl::StatusOr<v1::Note> SignNote(const call::CallContext& context,
                                    const v1::SignNoteRequest& request);
  absl::StatusOr<v1::Note> RequestCosign(const call::CallContext& context,
                                         const v1::RequestCosignRequest& request);
  absl::StatusOr<v1::Note> CosignNote(const call::CallContext& context,
                                      const v1::CosignNoteRequest& request);
  absl::StatusOr<v1::Note> ReturnForRevision(const call::CallContext& context,
                                             const v1::ReturnForRevisionRequest& request);
  absl::StatusOr<v1::Note> AddAddendum(const call::CallContext& context,
                                       const v1::AddAddendumRequest& request);
  absl::StatusOr<v1::Note> AmendNote(const call::CallContext& context,
                                     const v1::AmendNoteRequest& request);
  absl::StatusOr<v1::ListNoteVersionsResponse> ListNoteVersions(
      const call::CallContext& context, const v1::ListNoteVersionsRequest& request);
  absl::StatusOr<v1::DiffNoteVersionsResponse> DiffNoteVersions(
      const call::CallContext& context, const v1::DiffNoteVersionsRequest& request);
  absl::StatusOr<v1::VerifyNoteResponse> VerifyNote(const call::CallContext& context,
                                                    const v1::VerifyNoteRequest& request);
  absl::StatusOr<v1::ListSigningKeysResponse> ListSigningKeys(
      const call::CallContext& context, const v1::ListSigningKeysRequest& request);

  absl::StatusOr<v1::ListDueNotesResponse> ListDueNotes(const call::CallContext& context,
                                                        const v1::ListDueNotesRequest& request);
  absl::StatusOr<v1::GetTimelinessResponse> GetTimeliness(const call::CallContext& context,
                                                          const v1::GetTimelinessRequest& request);

 private:
  // A session of the course, as the replica or scheduling itself tells it.
  struct SessionFacts {
    absl::Time start;
    absl::Time end;
    int number = 0;
    std::string private_with;        // whose private session it is; empty: it is none
    std::string group_session;       // empty: none
    bool from_replica_only = false;  // scheduling could not be asked
  };
  static SessionFacts FactsOf(const care::AppointmentFacts& known);
  // The session to note, held. `known`: what the replica has of it. The replica may lag behind a
  // check-in by a moment, so that scheduling is asked wherever it does not show the session as
  // held; where scheduling is down, one that is booked and has begun is taken as held.
  absl::StatusOr<SessionFacts> RequireHeldSession(
      const call::CallContext& context, const std::string& appointment, const std::string& course,
      const std::optional<care::AppointmentFacts>& known);

  // All forms of the course.
  absl::StatusOr<std::vector<assessment::v1::Assessment>> ListAssessments(
      const call::CallContext& context, const std::string& course);

  // The scores of the session, and who could not be asked. `ask_assessment`: false where it is
  // known to be down, and set to it.
  v1::NotePrefill AskPeers(const call::CallContext& context, const care::CourseFacts& course,
                           const std::string& appointment, const SessionFacts& facts,
                           bool& ask_assessment);

  // The shipped template, or one of the caller's own.
  absl::StatusOr<v1::NoteTemplate> TemplateNamed(sql::Session& session,
                                                 absl::string_view name) const;

  // A new note of `of`, started and kept as a draft. `prefill`: the peers' part.
  struct NewNote {
    std::string appointment;
    SessionFacts facts;
    v1::NotePrefill prefill;
    NoteScope scope;
    std::string note_template;               // empty: the shipped one
    std::optional<v1::NoteContent> content;  // nothing: what the template begins with
  };
  absl::StatusOr<v1::Note> Begin(call::Change& change, const CaseAccess& access, const v1::Case& of,
                                 const NewNote& wanted) const;

  // The version that the caller sees by default.
  absl::StatusOr<v1::Note> ReadVersion(sql::Session& session, const call::CallContext& context,
                                       absl::string_view name, int32_t version = 0) const;

  // Keeps the text of a save that was refused; its name, or empty where too many wait.
  absl::StatusOr<std::string> KeepRefused(call::Change& change, const NoteRecord& note,
                                          const v1::SaveDraftRequest& request) const;

  // A draft ready to be signed: its warnings, second signature and what else is reckoned at that
  // moment are set, and what it lacks is refused. `course`: the note's.
  absl::Status Prepare(sql::Session& session, const call::CallContext& context, NoteRecord& note,
                       const care::CourseFacts& course) const;

  // Signs a draft of the caller.
  absl::Status SignDraft(call::Change& change, NoteRecord& note,
                         const care::CourseFacts& course) const;

  // The newest signed version of a note of someone whom the caller supervises now, on which no word
  // of a supervisor stands.
  absl::StatusOr<NoteRecord> RequireToCosign(sql::Session& session,
                                             const call::CallContext& context,
                                             absl::string_view name, absl::string_view etag,
                                             std::string& supervisor) const;

  absl::StatusOr<v1::DocumentGroupSessionResponse> ReadGroupSession(
      sql::Session& session, const call::CallContext& context,
      absl::string_view group_session) const;

  // Whose notes the caller may look at in lists without text. `clinic`: see ListDueNotesRequest;
  // `as_manager` is set where they look as one.
  absl::StatusOr<NoteScopeQuery> ScopeOfCaller(sql::Session& session,
                                               const call::CallContext& context,
                                               absl::string_view clinic, bool& as_manager) const;

  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
  call::Peer& scheduling_;
  call::Peer& assessment_;
};

// The event of a note at `note.version`, with its audit entry over `stored`; of a private note the
// audit entry alone.
void RecordNote(call::Change& change, const NoteRecord& note, absl::string_view stored);

// What is answered on a note that is signed, or not.
absl::Status NoteSigned();
absl::Status NoteNotSigned();
absl::Status NotTheAuthor();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_NOTE_HANDLERS_H_
