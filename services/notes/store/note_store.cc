#include "services/notes/store/note_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

constexpr char kHeadColumns[] =
    "n.organization_id, n.case_id, n.note_id, n.author, n.head, n.subject, n.signed_version, "
    "n.draft_version, n.cosign, n.cosign_document, n.version, n.update_time, n.session_time";

// What is to be read of each row of `n`, which has those columns and `wanted`: a version, or 0 for
// the open draft of the author $3, else the newest signed one.
constexpr char kReadRows[] = R"sql(
  SELECT n.note_id, n.wanted, n.head, n.subject, n.signed_version, n.draft_version, n.cosign,
         n.cosign_document, n.version, n.update_time, n.session_time,
         d.version, d.sequence, d.saves, d.update_time, d.document, p.document,
         (SELECT count(*) FROM note_draft_copy AS k
          WHERE k.organization_id = $1 AND k.case_id = $2 AND k.note_id = d.note_id),
         v.version, v.document, v.signature, c.kind, c.version, c.document,
         a.number, a.version, a.document, a.signature, n.author
  FROM n
  LEFT JOIN note_draft AS d
    ON d.organization_id = $1 AND d.case_id = $2 AND d.note_id = n.note_id AND n.author = $3
    AND n.wanted IN (0, d.version)
  LEFT JOIN note_prefill AS p
    ON p.organization_id = $1 AND p.case_id = $2 AND p.note_id = d.note_id
  LEFT JOIN note_version AS v
    ON v.organization_id = $1 AND v.case_id = $2 AND v.note_id = n.note_id
    AND v.version = CASE WHEN n.wanted = 0 THEN n.signed_version ELSE n.wanted END
    AND d.note_id IS NULL
  LEFT JOIN note_cosignature AS c
    ON c.organization_id = $1 AND c.case_id = $2 AND c.note_id = n.note_id
    AND c.version = coalesce(v.version, n.signed_version)
  LEFT JOIN note_addendum AS a
    ON a.organization_id = $1 AND a.case_id = $2 AND a.note_id = v.note_id
  ORDER BY n.session_time, n.note_id, n.wanted DESC, a.number)sql";

enum Column {
  kNoteId,
  kWanted,
  kHead,
  kSubject,
  kSignedVersion,
  kDraftVersion,
  kCosign,
  kCosignDocument,
  kVersion,
  kUpdateTime,
  kSessionTime,
  kDraft,
  kSequence,
  kSaves,
  kSaveTime,
  kDraftDocument,
  kPrefill,
  kCopies,
  kSigned,
  kDocument,
  kSignature,
  kWord,
  kWordVersion,
  kWordDocument,
  kAddendum,
  kAddendumVersion,
  kAddendumDocument,
  kAddendumSignature,
  kAuthor,
};

// What kGet has beside the head.
enum GetColumn { kGetSequence = kUpdateTime + 1, kGetSaves, kGetCopies };

enum Cosign { kNotNeeded = 0, kAwaited = 1, kDone = 2, kReturned = 3 };
enum Word { kWordSigned = 1, kWordReturned = 2 };

const sql::Statement kGet{"notes.note.get", R"sql(
  SELECT n.note_id, 0, n.head, n.subject, n.signed_version, n.draft_version, n.cosign,
         n.cosign_document, n.version, n.update_time, d.sequence, d.saves,
         (SELECT count(*) FROM note_draft_copy AS k
          WHERE k.organization_id = $1 AND k.case_id = $2 AND k.note_id = $3)
  FROM session_note AS n
  LEFT JOIN note_draft AS d
    ON d.organization_id = $1 AND d.case_id = $2 AND d.note_id = n.note_id
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $3)sql"};

const sql::Statement kRead{"notes.note.read", absl::StrCat("WITH n AS (SELECT ", kHeadColumns,
                                                           R"sql(, CAST($5 AS BIGINT) AS wanted
  FROM session_note AS n
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $4))sql",
                                                           kReadRows)};

const sql::Statement kOfAuthor{"notes.note.of_author", R"sql(
  SELECT case_id, note_id FROM session_note
  WHERE organization_id = $1 AND appointment = $2 AND author = $3 AND about = $4)sql"};

const sql::Statement kList{"notes.note.list",
                           absl::StrCat("WITH n AS (SELECT ", kHeadColumns, R"sql(, 0 AS wanted
  FROM session_note AS n
  WHERE n.organization_id = $1 AND n.case_id = $2 AND (n.signed_version > 0 OR n.author = $3)
    AND (n.session_time, n.note_id) > ($4, $5)
  ORDER BY n.session_time, n.note_id
  LIMIT $6))sql",
                                        kReadRows)};

const sql::Statement kVersions{
    "notes.note.versions",
    absl::StrCat("WITH n AS (SELECT ", kHeadColumns, R"sql(, w.version AS wanted
  FROM session_note AS n
  JOIN (SELECT version FROM note_version
        WHERE organization_id = $1 AND case_id = $2 AND note_id = $4
        UNION ALL
        SELECT version FROM note_draft
        WHERE organization_id = $1 AND case_id = $2 AND note_id = $4) AS w
    ON w.version <= n.signed_version OR n.author = $3
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $4 AND w.version < $5
  ORDER BY w.version DESC
  LIMIT $6))sql",
                 kReadRows)};

const sql::Statement kBytes{"notes.note_version.bytes", R"sql(
  SELECT subject, document FROM note_version
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND version = $4)sql"};

const sql::Statement kLastSigned{"notes.note.last_signed", R"sql(
  SELECT n.note_id, v.version, v.subject, v.document
  FROM session_note AS n
  JOIN note_version AS v
    ON v.organization_id = $1 AND v.case_id = n.case_id AND v.note_id = n.note_id
    AND v.version = n.signed_version
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.about = $3 AND n.session_time < $4
  ORDER BY n.session_time DESC, n.note_id DESC
  LIMIT 1)sql"};

const sql::Statement kInsert{"notes.note.insert", R"sql(
  INSERT INTO session_note (organization_id, case_id, note_id, appointment, author, kind, about,
                            subject, clinic, session_time, session_end_time, due_time, create_time,
                            head, signed_version, draft_version, cosign, cosigner, copied_percent,
                            addenda, version, update_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 1, 0, '', 0, 0, 1,
          $13))sql"};

const sql::Statement kInsertPrefill{"notes.note_prefill.insert", R"sql(
  INSERT INTO note_prefill (organization_id, case_id, note_id, subject, document)
  VALUES ($1, $2, $3, $4, $5))sql"};

const sql::Statement kInsertDraft{"notes.note_draft.insert", R"sql(
  INSERT INTO note_draft (organization_id, case_id, note_id, version, sequence, saves, update_time,
                          subject, document)
  VALUES ($1, $2, $3, $4, 0, 0, $5, $6, $7))sql"};

const sql::Statement kSaveDraft{"notes.note_draft.save", R"sql(
  UPDATE note_draft SET document = $4, sequence = $5, update_time = $6, saves = saves + 1
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND sequence = $7
    AND saves = $8)sql"};

const sql::Statement kDeleteDraft{"notes.note_draft.delete", R"sql(
  DELETE FROM note_draft WHERE organization_id = $1 AND case_id = $2 AND note_id = $3)sql"};

const sql::Statement kPutCopy{"notes.note_draft_copy.put", R"sql(
  INSERT INTO note_draft_copy (organization_id, case_id, note_id, copy_id, sequence, base_sequence,
                               create_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (organization_id, case_id, note_id, copy_id) DO UPDATE
  SET sequence = excluded.sequence, base_sequence = excluded.base_sequence,
      create_time = excluded.create_time, document = excluded.document)sql"};

const sql::Statement kListCopies{"notes.note_draft_copy.list", R"sql(
  SELECT copy_id, sequence, base_sequence, create_time, subject, document FROM note_draft_copy
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
  ORDER BY create_time, copy_id)sql"};

const sql::Statement kDeleteCopies{"notes.note_draft_copy.delete", R"sql(
  DELETE FROM note_draft_copy
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
    AND copy_id IN (SELECT value FROM json_each($4)))sql"};

const sql::Statement kInsertVersion{"notes.note_version.insert", R"sql(
  INSERT INTO note_version (organization_id, case_id, note_id, version, author, sign_time,
                            content_sha256, signature, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))sql"};

const sql::Statement kSign{"notes.note.sign", R"sql(
  UPDATE session_note
  SET signed_version = $4, draft_version = 0, first_sign_time = coalesce(first_sign_time, $5),
      sign_time = $5, cosign = $6, cosigner = '', cosign_time = NULL, cosign_document = $7,
      copied_percent = $8, version = $9, update_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND draft_version = $4
    AND version = $10)sql"};

const sql::Statement kOpenDraft{"notes.note.open_draft", R"sql(
  UPDATE session_note SET draft_version = $4, version = version + 1, update_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND draft_version = 0
    AND signed_version = $4 - 1 AND version = $6)sql"};

const sql::Statement kSetCosign{"notes.note.set_cosign", R"sql(
  UPDATE session_note
  SET cosign = $4, cosigner = $5, cosign_time = $6, cosign_document = $7, version = version + 1,
      update_time = $8
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND version = $9)sql"};

const sql::Statement kInsertCosignature{"notes.note_cosignature.insert", R"sql(
  INSERT INTO note_cosignature (organization_id, case_id, note_id, version, kind, clinician,
                                sign_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql"};

const sql::Statement kInsertAddendum{"notes.note_addendum.insert", R"sql(
  INSERT INTO note_addendum (organization_id, case_id, note_id, number, version, signature, subject,
                             document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql"};

const sql::Statement kCountAddendum{"notes.note.count_addendum", R"sql(
  UPDATE session_note SET addenda = $4, version = version + 1, update_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND version = $6)sql"};

const sql::Statement kAddendumBytes{"notes.note_addendum.bytes", R"sql(
  SELECT subject, document, version FROM note_addendum
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND number = $4)sql"};

struct Key {
  explicit Key(absl::string_view name)
      : organization(sql::Text(names::OrganizationId(name))),
        case_id(sql::Text(names::Id(name, "cases"))),
        note(sql::Text(names::Id(name, "notes"))) {}
  sql::Value organization, case_id, note;
};

SealedPlace VersionPlace(const std::string& subject, absl::string_view name, int64_t version) {
  return {subject, std::string(name), version};
}
SealedPlace DraftPlace(const std::string& subject, absl::string_view name, int64_t saves) {
  return {subject, absl::StrCat(name, "/draft"), saves};
}
SealedPlace PrefillPlace(const std::string& subject, absl::string_view name) {
  return {subject, absl::StrCat(name, "/prefill"), 0};
}
SealedPlace CopyPlace(const std::string& subject, const v1::DraftCopy& copy) {
  return {subject, copy.name(), copy.sequence()};
}
SealedPlace ReturnPlace(const std::string& subject, absl::string_view name, int64_t version) {
  return {subject, absl::StrCat(name, "/return"), version};
}
SealedPlace AddendumPlace(const std::string& subject, absl::string_view name, int64_t version,
                          int64_t number) {
  return {subject, absl::StrCat(name, "/addenda/", number), version};
}

sql::Value Instant(const google::protobuf::Timestamp& timestamp) {
  return sql::Micros(time::ToTime(timestamp));
}

void SetVersion(NoteRecord& note, int64_t version, absl::Time now) {
  note.version = version;
  note.resource.set_etag(call::Etag(version));
  *note.resource.mutable_update_time() = time::ToTimestamp(now);
}

// What never changes of a note, without text.
v1::Note HeadOf(const v1::Note& note) {
  v1::Note head;
  head.set_name(note.name());
  head.set_appointment(note.appointment());
  head.set_session_number(note.session_number());
  head.set_phase(note.phase());
  head.set_author(note.author());
  head.set_kind(note.kind());
  *head.mutable_subjects() = note.subjects();
  head.set_about(note.about());
  head.set_template_(note.template_());
  head.set_group_session(note.group_session());
  *head.mutable_session_time() = note.session_time();
  *head.mutable_session_end_time() = note.session_end_time();
  *head.mutable_due_time() = note.due_time();
  *head.mutable_create_time() = note.create_time();
  return head;
}

// What a draft's own row keeps.
v1::Note DraftOf(const v1::Note& note) {
  v1::Note draft;
  *draft.mutable_content() = note.content();
  draft.set_revision_reason(note.revision_reason());
  return draft;
}

// The columns that all statements begin with.
NoteRecord ReadHead(const sql::Result& rows, size_t row) {
  NoteRecord note;
  v1::Note& resource = note.resource;
  resource = Parsed<v1::Note>(rows.Bytes(row, kHead));
  note.subject = rows.Text(row, kSubject);
  resource.set_signed_version(static_cast<int32_t>(rows.Int(row, kSignedVersion)));
  resource.set_draft_version(static_cast<int32_t>(rows.Int(row, kDraftVersion)));
  if (!rows.IsNull(row, kCosignDocument)) {
    *resource.mutable_cosign() = Parsed<v1::CosignRequirement>(rows.Bytes(row, kCosignDocument));
  }
  SetVersion(note, rows.Int(row, kVersion), rows.Time(row, kUpdateTime));
  return note;
}

// Where the text was erased: false, and the note says so.
template <class Message>
absl::StatusOr<bool> Open(crypto::Opener& opener, const SealedPlace& place,
                          const std::string& sealed, v1::Note& note, Message& message) {
  absl::StatusOr<Message> opened = Unseal<Message>(opener, place, sealed);
  if (IsErased(opened.status())) {
    note.set_erased(true);
    return false;
  }
  ASSIGN_OR_RETURN(message, std::move(opened));
  return true;
}

absl::Status ReadDraft(crypto::Opener& opener, const sql::Result& rows, size_t row,
                       NoteRecord& note) {
  v1::Note& resource = note.resource;
  resource.set_state(v1::NOTE_STATE_DRAFT);
  resource.set_version(static_cast<int32_t>(rows.Int(row, kDraft)));
  resource.set_draft_sequence(rows.Int(row, kSequence));
  resource.set_draft_copies(static_cast<int32_t>(rows.Int(row, kCopies)));
  note.saves = rows.Int(row, kSaves);
  note.draft_sequence = resource.draft_sequence();
  note.draft_copies = resource.draft_copies();
  SetVersion(note, note.version + note.saves, rows.Time(row, kSaveTime));
  v1::Note draft;
  ASSIGN_OR_RETURN(const bool there,
                   Open(opener, DraftPlace(note.subject, resource.name(), note.saves),
                        rows.Bytes(row, kDraftDocument), resource, draft));
  if (!there) return absl::OkStatus();
  resource.MergeFrom(draft);
  v1::NotePrefill prefill;
  ASSIGN_OR_RETURN(const bool filled, Open(opener, PrefillPlace(note.subject, resource.name()),
                                           rows.Bytes(row, kPrefill), resource, prefill));
  if (filled) *resource.mutable_prefill() = std::move(prefill);
  return absl::OkStatus();
}

absl::Status ReadSigned(crypto::Opener& opener, const sql::Result& rows, size_t row,
                        NoteRecord& note) {
  v1::Note& resource = note.resource;
  const int64_t version = rows.Int(row, kSigned);
  resource.set_state(v1::NOTE_STATE_SIGNED);
  resource.set_version(static_cast<int32_t>(version));
  if (version != resource.signed_version()) resource.clear_cosign();
  *resource.mutable_signature() = Parsed<v1::Signature>(rows.Bytes(row, kSignature));
  v1::Note text;
  ASSIGN_OR_RETURN(const bool there,
                   Open(opener, VersionPlace(note.subject, resource.name(), version),
                        rows.Bytes(row, kDocument), resource, text));
  if (!there) return absl::OkStatus();
  *resource.mutable_content() = text.content();
  *resource.mutable_prefill() = text.prefill();
  *resource.mutable_warnings() = text.warnings();
  resource.set_revision_reason(text.revision_reason());
  resource.set_copied_percent(text.copied_percent());
  resource.set_salt(text.salt());
  return absl::OkStatus();
}

absl::Status ReadWord(crypto::Opener& opener, const sql::Result& rows, size_t row,
                      NoteRecord& note) {
  v1::Note& resource = note.resource;
  if (rows.Int(row, kWord) == kWordSigned) {
    if (resource.state() == v1::NOTE_STATE_DRAFT) return absl::OkStatus();
    resource.set_state(v1::NOTE_STATE_COSIGNED);
    *resource.mutable_cosignature() = Parsed<v1::Signature>(rows.Bytes(row, kWordDocument));
    return absl::OkStatus();
  }
  const int64_t version = rows.Int(row, kWordVersion);
  v1::NoteReturn returned;
  ASSIGN_OR_RETURN(const bool there,
                   Open(opener, ReturnPlace(note.subject, resource.name(), version),
                        rows.Bytes(row, kWordDocument), resource, returned));
  if (!there) returned.set_version(static_cast<int32_t>(version));
  *resource.mutable_returned() = std::move(returned);
  return absl::OkStatus();
}

absl::Status ReadAddendum(crypto::Opener& opener, const sql::Result& rows, size_t row,
                          NoteRecord& note) {
  v1::Addendum& addendum = *note.resource.add_addenda();
  v1::Note text;
  const int64_t number = rows.Int(row, kAddendum);
  const int64_t version = rows.Int(row, kAddendumVersion);
  ASSIGN_OR_RETURN(const bool there,
                   Open(opener, AddendumPlace(note.subject, note.resource.name(), version, number),
                        rows.Bytes(row, kAddendumDocument), note.resource, text));
  if (there && text.addenda_size() == 1) addendum = text.addenda(0);
  addendum.set_number(static_cast<int32_t>(number));
  addendum.set_note_version(static_cast<int32_t>(version));
  *addendum.mutable_signature() = Parsed<v1::Signature>(rows.Bytes(row, kAddendumSignature));
  return absl::OkStatus();
}

// Versions with their parts, in the order of READ. `last`: the row of each one's beginning.
absl::StatusOr<std::vector<NoteRecord>> ReadAll(const crypto::Vault& vault, sql::Session& session,
                                                const sql::Result& rows, absl::string_view viewer,
                                                std::vector<size_t>* begins = nullptr) {
  crypto::Opener opener(vault, session);
  std::vector<NoteRecord> notes;
  for (size_t row = 0; row < rows.rows(); ++row) {
    if (rows.IsNull(row, kDraft) && rows.IsNull(row, kSigned)) continue;
    const bool begins_here = row == 0 || rows.Text(row, kNoteId) != rows.Text(row - 1, kNoteId) ||
                             rows.Int(row, kWanted) != rows.Int(row - 1, kWanted);
    if (begins_here) {
      NoteRecord note = ReadHead(rows, row);
      const bool draft = !rows.IsNull(row, kDraft);
      RETURN_IF_ERROR(draft ? ReadDraft(opener, rows, row, note)
                            : ReadSigned(opener, rows, row, note));
      if (!rows.IsNull(row, kWord)) RETURN_IF_ERROR(ReadWord(opener, rows, row, note));
      if (rows.Text(row, kAuthor) != viewer) note.resource.clear_draft_version();
      notes.push_back(std::move(note));
      if (begins != nullptr) begins->push_back(row);
    }
    if (!rows.IsNull(row, kAddendum)) {
      RETURN_IF_ERROR(ReadAddendum(opener, rows, row, notes.back()));
    }
  }
  return notes;
}

// A page of what ReadAll gave for a statement that asked for one more; `key(row)` of a beginning.
template <class KeyOf>
absl::StatusOr<Listed<v1::Note>> ReadPage(const crypto::Vault& vault, sql::Session& session,
                                          const sql::Result& rows, absl::string_view viewer,
                                          const call::Page& page, KeyOf key) {
  std::vector<size_t> begins;
  ASSIGN_OR_RETURN(std::vector<NoteRecord> notes, ReadAll(vault, session, rows, viewer, &begins));
  Listed<v1::Note> listed;
  const size_t size = static_cast<size_t>(page.size);
  for (size_t i = 0; i < notes.size() && i < size; ++i) {
    listed.items.push_back(std::move(notes[i].resource));
  }
  if (notes.size() > size) {
    const ListKey last = key(begins[size - 1]);
    listed.next_key = call::JoinKey(absl::StrCat(last.number), last.id);
  }
  return listed;
}

absl::Status LostRace() {
  return errors::Aborted("LOST_RACE", "It was changed by another call meanwhile. Read it again.");
}

absl::Status SetCosign(sql::Transaction& tx, NoteRecord& note, Cosign cosign,
                       absl::string_view cosigner, const sql::Value& cosign_time, absl::Time now) {
  const Key key(note.resource.name());
  RETURN_IF_ERROR(Changed(tx.Query(
      kSetCosign,
      {key.organization, key.case_id, key.note, sql::Int(cosign), sql::Text(cosigner), cosign_time,
       Document(note.resource.cosign()), sql::Micros(now), sql::Int(note.version)})));
  SetVersion(note, note.version + 1, now);
  return absl::OkStatus();
}

absl::Status InsertWord(sql::Transaction& tx, const NoteRecord& note, Word word,
                        absl::string_view clinician, absl::Time at, const sql::Value& document) {
  const Key key(note.resource.name());
  const absl::Status status =
      tx.Query(kInsertCosignature,
               {key.organization, key.case_id, key.note, sql::Int(note.resource.version()),
                sql::Int(word), sql::Text(clinician), sql::Micros(at), sql::Text(note.subject),
                document})
          .status();
  if (absl::IsAlreadyExists(status) ||
      errors::MetadataValue(status, "constraint") == "note_cosignature_immutable") {
    return LostRace();
  }
  return status;
}

}  // namespace

absl::StatusOr<NoteRecord> GetNote(sql::Session& session, absl::string_view name) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {key.organization, key.case_id, key.note}));
  if (rows.empty()) return errors::NotFound("Note");
  NoteRecord note = ReadHead(rows, 0);
  v1::Note& resource = note.resource;
  resource.set_version(resource.signed_version());
  resource.set_state(resource.signed_version() == 0  ? v1::NOTE_STATE_DRAFT
                     : rows.Int(0, kCosign) == kDone ? v1::NOTE_STATE_COSIGNED
                                                     : v1::NOTE_STATE_SIGNED);
  if (rows.Int(0, kCosign) == kReturned) {
    resource.mutable_returned()->set_version(resource.signed_version());
  }
  if (!rows.IsNull(0, kGetSequence)) {
    note.draft_sequence = rows.Int(0, kGetSequence);
    note.saves = rows.Int(0, kGetSaves);
    note.draft_copies = static_cast<int32_t>(rows.Int(0, kGetCopies));
  }
  return note;
}

absl::StatusOr<NoteRecord> ReadNote(sql::Session& session, const crypto::Vault& vault,
                                    absl::string_view name, absl::string_view author,
                                    int32_t version) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kRead, {key.organization, key.case_id, sql::Text(author), key.note,
                                         sql::Int(version)}));
  ASSIGN_OR_RETURN(std::vector<NoteRecord> notes, ReadAll(vault, session, rows, author));
  if (notes.empty()) return errors::NotFound("Note");
  return std::move(notes.front());
}

absl::StatusOr<std::optional<std::string>> FindNote(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view appointment,
                                                    absl::string_view author,
                                                    absl::string_view about) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kOfAuthor, {sql::Text(organization_id), sql::Text(appointment),
                                             sql::Text(author), sql::Text(about)}));
  if (rows.empty()) return std::nullopt;
  return names::Make(
      {{"organizations", organization_id}, {"cases", rows.Text(0, 0)}, {"notes", rows.Text(0, 1)}});
}

absl::StatusOr<Listed<v1::Note>> ListNotes(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view organization_id,
                                           absl::string_view case_id, absl::string_view author,
                                           const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(case_id), sql::Text(author),
                            sql::Int(after.number), sql::Text(after.id), sql::Int(page.size + 1)}));
  return ReadPage(vault, session, rows, author, page, [&](size_t row) {
    return ListKey{rows.Int(row, kSessionTime), rows.Text(row, kNoteId)};
  });
}

absl::StatusOr<Listed<v1::Note>> ListNoteVersions(sql::Session& session, const crypto::Vault& vault,
                                                  absl::string_view name, absl::string_view author,
                                                  const call::Page& page) {
  const Key key(name);
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kVersions, {key.organization, key.case_id, sql::Text(author), key.note,
                                sql::Int(after.number), sql::Int(page.size + 1)}));
  return ReadPage(vault, session, rows, author, page, [&](size_t row) {
    return ListKey{rows.Int(row, kWanted), ""};
  });
}

absl::StatusOr<std::string> GetSignedBytes(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view name, int32_t version) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kBytes, {key.organization, key.case_id,
                                                                  key.note, sql::Int(version)}));
  if (rows.empty()) return errors::NotFound("Note");
  crypto::Opener opener(vault, session);
  return UnsealBytes(opener, VersionPlace(rows.Text(0, 0), name, version), rows.Bytes(0, 1));
}

absl::StatusOr<std::optional<LastPlan>> GetLastPlan(
    sql::Session& session, const crypto::Vault& vault, absl::string_view organization_id,
    absl::string_view case_id, absl::string_view about, absl::Time session_time) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kLastSigned, {sql::Text(organization_id), sql::Text(case_id),
                                               sql::Text(about), sql::Micros(session_time)}));
  std::optional<LastPlan> last;
  if (rows.empty()) return last;
  LastPlan found{
      names::Make(
          {{"organizations", organization_id}, {"cases", case_id}, {"notes", rows.Text(0, 0)}}),
      static_cast<int32_t>(rows.Int(0, 1)), ""};
  crypto::Opener opener(vault, session);
  const absl::StatusOr<v1::Note> note = Unseal<v1::Note>(
      opener, VersionPlace(rows.Text(0, 2), found.note, found.version), rows.Bytes(0, 3));
  if (IsErased(note.status())) return last;
  RETURN_IF_ERROR(note.status());
  found.plan = note->content().plan();
  if (!found.plan.empty()) last = std::move(found);
  return last;
}

absl::StatusOr<std::string> InsertNote(sql::Transaction& tx, const crypto::Vault& vault,
                                       v1::Note& note, absl::string_view subject,
                                       absl::string_view clinic) {
  const Key key(note.name());
  const absl::Time now = time::ToTime(note.create_time());
  const std::string owner(subject);
  const absl::Status status =
      tx.Query(kInsert, {key.organization, key.case_id, key.note, sql::Text(note.appointment()),
                         sql::Text(note.author()), sql::Int(note.kind()), sql::Text(note.about()),
                         sql::Text(subject), sql::Text(clinic), Instant(note.session_time()),
                         Instant(note.session_end_time()), Instant(note.due_time()),
                         sql::Micros(now), Document(HeadOf(note))})
          .status();
  if (absl::IsAlreadyExists(status)) return errors::AlreadyExists("Note", note.appointment());
  RETURN_IF_ERROR(status);
  ASSIGN_OR_RETURN(const sql::Value draft,
                   Seal(tx, vault, DraftPlace(owner, note.name(), 0), DraftOf(note), now));
  ASSIGN_OR_RETURN(const sql::Value prefill,
                   Seal(tx, vault, PrefillPlace(owner, note.name()), note.prefill(), now));
  tx.Defer(kInsertDraft, {key.organization, key.case_id, key.note, sql::Int(1), sql::Micros(now),
                          sql::Text(owner), draft});
  tx.Defer(kInsertPrefill, {key.organization, key.case_id, key.note, sql::Text(owner), prefill});
  note.set_state(v1::NOTE_STATE_DRAFT);
  note.set_version(1);
  note.set_draft_version(1);
  *note.mutable_update_time() = note.create_time();
  note.set_etag(call::Etag(1));
  return StoredBytes(draft) + StoredBytes(prefill);
}

absl::StatusOr<std::optional<std::string>> SaveDraft(sql::Transaction& tx,
                                                     const crypto::Vault& vault, NoteRecord& note,
                                                     int64_t base_sequence, absl::Time now) {
  const Key key(note.resource.name());
  ASSIGN_OR_RETURN(const sql::Value draft,
                   Seal(tx, vault, DraftPlace(note.subject, note.resource.name(), note.saves + 1),
                        DraftOf(note.resource), now));
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kSaveDraft, {key.organization, key.case_id, key.note, draft,
                                         sql::Int(note.resource.draft_sequence()), sql::Micros(now),
                                         sql::Int(base_sequence), sql::Int(note.saves)}));
  if (result.affected() != 1) return std::nullopt;
  ++note.saves;
  SetVersion(note, note.version + 1, now);
  return StoredBytes(draft);
}

absl::StatusOr<std::string> PutDraftCopy(sql::Transaction& tx, const crypto::Vault& vault,
                                         const NoteRecord& note, const v1::DraftCopy& copy) {
  const Key key(note.resource.name());
  const absl::Time now = time::ToTime(copy.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, CopyPlace(note.subject, copy), copy.content(), now));
  tx.Defer(kPutCopy, {key.organization, key.case_id, key.note, sql::Text(names::Last(copy.name())),
                      sql::Int(copy.sequence()), sql::Int(copy.base_sequence()), sql::Micros(now),
                      sql::Text(note.subject), sealed});
  return StoredBytes(sealed);
}

absl::StatusOr<std::vector<v1::DraftCopy>> ListDraftCopies(sql::Session& session,
                                                           const crypto::Vault& vault,
                                                           absl::string_view note) {
  const Key key(note);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListCopies, {key.organization, key.case_id, key.note}));
  crypto::Opener opener(vault, session);
  std::vector<v1::DraftCopy> copies;
  for (size_t row = 0; row < rows.rows(); ++row) {
    v1::DraftCopy& copy = copies.emplace_back();
    copy.set_name(absl::StrCat(note, "/draftCopies/", rows.Text(row, 0)));
    copy.set_sequence(rows.Int(row, 1));
    copy.set_base_sequence(rows.Int(row, 2));
    *copy.mutable_create_time() = time::ToTimestamp(rows.Time(row, 3));
    absl::StatusOr<v1::NoteContent> content =
        Unseal<v1::NoteContent>(opener, CopyPlace(rows.Text(row, 4), copy), rows.Bytes(row, 5));
    if (IsErased(content.status())) {
      copy.set_erased(true);
      continue;
    }
    ASSIGN_OR_RETURN(*copy.mutable_content(), std::move(content));
  }
  return copies;
}

void DeleteDraftCopies(sql::Transaction& tx, absl::string_view note,
                       const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  const Key key(note);
  tx.Defer(kDeleteCopies, {key.organization, key.case_id, key.note, sql::Text(JsonArray(ids))});
}

absl::StatusOr<std::string> SignNote(sql::Transaction& tx, const crypto::Vault& vault,
                                     NoteRecord& note, const std::string& canonical,
                                     absl::Time now) {
  v1::Note& resource = note.resource;
  const Key key(resource.name());
  const v1::Signature& signature = resource.signature();
  ASSIGN_OR_RETURN(
      const sql::Value sealed,
      SealBytes(tx, vault, VersionPlace(note.subject, resource.name(), resource.version()),
                canonical, now));
  tx.Defer(kInsertVersion, {key.organization, key.case_id, key.note, sql::Int(resource.version()),
                            sql::Text(signature.clinician()), Instant(signature.sign_time()),
                            sql::Bytes(signature.content_sha256()), Document(signature),
                            sql::Text(note.subject), sealed});
  RETURN_IF_ERROR(
      Changed(tx.Query(kSign, {key.organization, key.case_id, key.note,
                               sql::Int(resource.version()), Instant(signature.sign_time()),
                               sql::Int(resource.cosign().required() ? kAwaited : kNotNeeded),
                               Document(resource.cosign()), sql::Int(resource.copied_percent()),
                               sql::Int(note.version + 1), sql::Int(note.version - note.saves)})));
  tx.Defer(kDeleteDraft, {key.organization, key.case_id, key.note});
  resource.set_state(v1::NOTE_STATE_SIGNED);
  resource.set_signed_version(resource.version());
  resource.clear_draft_version();
  resource.clear_draft_sequence();
  resource.clear_draft_copies();
  resource.clear_returned();
  note.saves = 0;
  SetVersion(note, note.version + 1, now);
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> OpenDraft(sql::Transaction& tx, const crypto::Vault& vault,
                                      NoteRecord& note, const v1::Note& draft, absl::Time now) {
  v1::Note& resource = note.resource;
  const Key key(resource.name());
  const int32_t version = resource.signed_version() + 1;
  RETURN_IF_ERROR(
      Changed(tx.Query(kOpenDraft, {key.organization, key.case_id, key.note, sql::Int(version),
                                    sql::Micros(now), sql::Int(note.version)})));
  ASSIGN_OR_RETURN(
      const sql::Value sealed,
      Seal(tx, vault, DraftPlace(note.subject, resource.name(), 0), DraftOf(draft), now));
  tx.Defer(kInsertDraft, {key.organization, key.case_id, key.note, sql::Int(version),
                          sql::Micros(now), sql::Text(note.subject), sealed});
  resource.set_draft_version(version);
  SetVersion(note, note.version + 1, now);
  return StoredBytes(sealed);
}

absl::Status AskForCosign(sql::Transaction& tx, NoteRecord& note,
                          const v1::CosignRequirement& requirement, absl::Time now) {
  *note.resource.mutable_cosign() = requirement;
  return SetCosign(tx, note, kAwaited, requirement.supervisor(), sql::Null{}, now);
}

absl::StatusOr<std::string> InsertCosignature(sql::Transaction& tx, NoteRecord& note,
                                              const v1::Signature& signature) {
  const absl::Time now = time::ToTime(signature.sign_time());
  RETURN_IF_ERROR(
      InsertWord(tx, note, kWordSigned, signature.clinician(), now, Document(signature)));
  RETURN_IF_ERROR(SetCosign(tx, note, kDone, signature.clinician(), sql::Micros(now), now));
  note.resource.set_state(v1::NOTE_STATE_COSIGNED);
  *note.resource.mutable_cosignature() = signature;
  return signature.SerializeAsString();
}

absl::StatusOr<std::string> InsertReturn(sql::Transaction& tx, const crypto::Vault& vault,
                                         NoteRecord& note, const v1::NoteReturn& returned) {
  const absl::Time now = time::ToTime(returned.return_time());
  ASSIGN_OR_RETURN(
      const sql::Value sealed,
      Seal(tx, vault, ReturnPlace(note.subject, note.resource.name(), returned.version()), returned,
           now));
  RETURN_IF_ERROR(InsertWord(tx, note, kWordReturned, returned.supervisor(), now, sealed));
  RETURN_IF_ERROR(SetCosign(tx, note, kReturned, returned.supervisor(), sql::Null{}, now));
  *note.resource.mutable_returned() = returned;
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> InsertAddendum(sql::Transaction& tx, const crypto::Vault& vault,
                                           NoteRecord& note, const v1::Addendum& addendum,
                                           const std::string& canonical) {
  const Key key(note.resource.name());
  const absl::Time now = time::ToTime(addendum.signature().sign_time());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   SealBytes(tx, vault,
                             AddendumPlace(note.subject, note.resource.name(),
                                           addendum.note_version(), addendum.number()),
                             canonical, now));
  const absl::Status status =
      tx.Query(kInsertAddendum, {key.organization, key.case_id, key.note,
                                 sql::Int(addendum.number()), sql::Int(addendum.note_version()),
                                 Document(addendum.signature()), sql::Text(note.subject), sealed})
          .status();
  if (absl::IsAlreadyExists(status) ||
      errors::MetadataValue(status, "constraint") == "note_addendum_immutable") {
    return LostRace();
  }
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(Changed(tx.Query(
      kCountAddendum, {key.organization, key.case_id, key.note, sql::Int(addendum.number()),
                       sql::Micros(now), sql::Int(note.version)})));
  *note.resource.add_addenda() = addendum;
  SetVersion(note, note.version + 1, now);
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> GetAddendumBytes(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view note, int32_t number) {
  const Key key(note);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kAddendumBytes, {key.organization, key.case_id, key.note, sql::Int(number)}));
  if (rows.empty()) return errors::NotFound("Note");
  crypto::Opener opener(vault, session);
  return UnsealBytes(opener, AddendumPlace(rows.Text(0, 0), note, rows.Int(0, 2), number),
                     rows.Bytes(0, 1));
}

}  // namespace rapport::notes
