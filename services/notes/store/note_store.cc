#include "services/notes/store/note_store.h"

#include <map>
#include <vector>

#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"

namespace rapport::notes {
namespace {

const sql::Statement kGet{"notes.note.get", R"sql(
  SELECT n.note_id, n.state, n.draft_sequence, n.version, n.create_time, n.update_time,
         n.due_time, n.session_time, n.document, n.signature, p.document
  FROM session_note AS n
  LEFT JOIN note_prefill AS p
    ON p.organization_id = $1 AND p.case_id = n.case_id AND p.note_id = n.note_id
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $3)sql"};

const sql::Statement kOfAuthor{"notes.note.of_author", R"sql(
  SELECT note_id FROM session_note
  WHERE organization_id = $1 AND appointment = $2 AND author = $3)sql"};

const sql::Statement kList{"notes.note.list", R"sql(
  SELECT n.note_id, n.state, n.draft_sequence, n.version, n.create_time, n.update_time,
         n.due_time, n.session_time, n.document, n.signature, p.document
  FROM session_note AS n
  LEFT JOIN note_prefill AS p
    ON p.organization_id = $1 AND p.case_id = n.case_id AND p.note_id = n.note_id
  WHERE n.organization_id = $1 AND n.case_id = $2 AND (n.state = 2 OR n.author = $3)
    AND (n.session_time, n.note_id) > ($4, $5)
  ORDER BY n.session_time, n.note_id
  LIMIT $6)sql"};

const sql::Statement kAddenda{"notes.addendum.list", R"sql(
  SELECT note_id, document FROM note_addendum
  WHERE organization_id = $1 AND case_id = $2 AND note_id IN (SELECT value FROM json_each($3))
  ORDER BY note_id, number)sql"};

const sql::Statement kLastSigned{"notes.note.last_signed", R"sql(
  SELECT document FROM session_note
  WHERE organization_id = $1 AND case_id = $2 AND state = 2 AND session_time < $3
  ORDER BY session_time DESC, note_id DESC
  LIMIT 1)sql"};

const sql::Statement kInsert{"notes.note.insert", R"sql(
  INSERT INTO session_note (organization_id, case_id, note_id, appointment, author, session_time,
                            due_time, state, draft_sequence, version, create_time, update_time,
                            document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0, 1, $8, $8, $9))sql"};

const sql::Statement kInsertPrefill{"notes.prefill.insert", R"sql(
  INSERT INTO note_prefill (organization_id, case_id, note_id, document)
  VALUES ($1, $2, $3, $4))sql"};

const sql::Statement kSaveDraft{"notes.note.save_draft", R"sql(
  UPDATE session_note
  SET document = $4, draft_sequence = $5, update_time = $6, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND state = 1
    AND draft_sequence = $7)sql"};

const sql::Statement kSign{"notes.note.sign", R"sql(
  UPDATE session_note
  SET state = 2, document = $4, signature = $5, update_time = $6, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND state = 1
    AND version = $7)sql"};

const sql::Statement kInsertAddendum{"notes.addendum.insert", R"sql(
  INSERT INTO note_addendum (organization_id, case_id, note_id, number, document)
  VALUES ($1, $2, $3, $4, $5))sql"};

void SetVersion(NoteRecord& note, int64_t version, absl::Time now) {
  note.version = version;
  note.resource.set_etag(call::Etag(version));
  *note.resource.mutable_update_time() = time::ToTimestamp(now);
}

NoteRecord Read(const sql::Result& rows, size_t row) {
  NoteRecord note;
  note.resource = Parsed<v1::Note>(rows.Bytes(row, 8));
  v1::Note& resource = note.resource;
  if (!resource.has_prefill() && !rows.IsNull(row, 10)) {
    *resource.mutable_prefill() = Parsed<v1::NotePrefill>(rows.Bytes(row, 10));
  }
  resource.set_state(static_cast<v1::NoteState>(rows.Int(row, 1)));
  resource.set_draft_sequence(rows.Int(row, 2));
  *resource.mutable_create_time() = time::ToTimestamp(rows.Time(row, 4));
  *resource.mutable_due_time() = time::ToTimestamp(rows.Time(row, 6));
  if (!rows.IsNull(row, 9)) {
    *resource.mutable_signature() = Parsed<v1::Signature>(rows.Bytes(row, 9));
  }
  SetVersion(note, rows.Int(row, 3), rows.Time(row, 5));
  return note;
}

// A signed note's row stays as it is, so that each addendum counts as a version of its own.
absl::Status AddAddenda(sql::Session& session, absl::string_view organization_id,
                        absl::string_view case_id, std::vector<NoteRecord>& notes) {
  std::map<std::string, NoteRecord*> by_id;
  std::vector<std::string> ids;
  for (NoteRecord& note : notes) {
    if (note.resource.state() != v1::NOTE_STATE_SIGNED) continue;
    by_id[ids.emplace_back(names::Last(note.resource.name()))] = &note;
  }
  if (ids.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kAddenda, {sql::Text(organization_id), sql::Text(case_id),
                                            sql::Text(JsonArray(ids))}));
  for (size_t row = 0; row < rows.rows(); ++row) {
    NoteRecord& note = *by_id.at(rows.Text(row, 0));
    v1::Addendum& addendum = *note.resource.add_addenda();
    addendum = Parsed<v1::Addendum>(rows.Bytes(row, 1));
    SetVersion(note, note.version + 1, time::ToTime(addendum.signature().sign_time()));
  }
  return absl::OkStatus();
}

// What the row of a draft keeps as its document.
v1::Note OwnPart(const v1::Note& note) {
  v1::Note own;
  own.set_name(note.name());
  own.set_appointment(note.appointment());
  own.set_session_number(note.session_number());
  own.set_phase(note.phase());
  own.set_author(note.author());
  *own.mutable_content() = note.content();
  return own;
}

struct Key {
  explicit Key(absl::string_view name)
      : organization(sql::Text(names::OrganizationId(name))),
        case_id(sql::Text(names::Id(name, "cases"))),
        note(sql::Text(names::Last(name))) {}
  sql::Value organization, case_id, note;
};

}  // namespace

absl::StatusOr<NoteRecord> GetNote(sql::Session& session, absl::string_view name) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {key.organization, key.case_id, key.note}));
  if (rows.empty()) return errors::NotFound("Note");
  std::vector<NoteRecord> notes{Read(rows, 0)};
  RETURN_IF_ERROR(
      AddAddenda(session, names::OrganizationId(name), names::Id(name, "cases"), notes));
  return std::move(notes.front());
}

absl::StatusOr<bool> HasNote(sql::Session& session, absl::string_view organization_id,
                             absl::string_view appointment, absl::string_view author) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kOfAuthor, {sql::Text(organization_id), sql::Text(appointment),
                                             sql::Text(author)}));
  return !rows.empty();
}

absl::StatusOr<Listed<v1::Note>> ListNotes(sql::Session& session, absl::string_view organization_id,
                                           absl::string_view case_id, absl::string_view author,
                                           const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(case_id), sql::Text(author),
                            sql::Int(after.number), sql::Text(after.id), sql::Int(page.size + 1)}));
  Listed<NoteRecord> records = TakePage<NoteRecord>(
      rows, page, [&](size_t row) { return Read(rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 7), rows.Text(row, 0)};
      });
  RETURN_IF_ERROR(AddAddenda(session, organization_id, case_id, records.items));
  Listed<v1::Note> listed{{}, std::move(records.next_key)};
  for (NoteRecord& record : records.items) listed.items.push_back(std::move(record.resource));
  return listed;
}

absl::StatusOr<std::optional<LastPlan>> GetLastPlan(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view case_id,
                                                    absl::Time session_time) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kLastSigned, {sql::Text(organization_id), sql::Text(case_id),
                                               sql::Micros(session_time)}));
  std::optional<LastPlan> last;
  if (rows.empty()) return last;
  const auto note = Parsed<v1::Note>(rows.Bytes(0, 0));
  if (!note.content().plan().empty()) last = LastPlan{note.name(), note.content().plan()};
  return last;
}

absl::Status InsertNote(sql::Transaction& tx, v1::Note& note, absl::Time session_time) {
  const Key key(note.name());
  const absl::Status status =
      tx.Query(kInsert, {key.organization, key.case_id, key.note, sql::Text(note.appointment()),
                         sql::Text(note.author()), sql::Micros(session_time),
                         sql::Micros(time::ToTime(note.due_time())),
                         sql::Micros(time::ToTime(note.create_time())), Document(OwnPart(note))})
          .status();
  if (absl::IsAlreadyExists(status)) return errors::AlreadyExists("Note", note.appointment());
  RETURN_IF_ERROR(status);
  tx.Defer(kInsertPrefill, {key.organization, key.case_id, key.note, Document(note.prefill())});
  note.set_etag(call::Etag(1));
  return absl::OkStatus();
}

absl::StatusOr<bool> SaveDraft(sql::Transaction& tx, NoteRecord& note, int64_t base_sequence,
                               absl::Time now) {
  const Key key(note.resource.name());
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kSaveDraft, {key.organization, key.case_id, key.note,
                                         Document(OwnPart(note.resource)),
                                         sql::Int(note.resource.draft_sequence()), sql::Micros(now),
                                         sql::Int(base_sequence)}));
  if (result.affected() != 1) return false;
  SetVersion(note, note.version + 1, now);
  return true;
}

absl::Status SignNote(sql::Transaction& tx, NoteRecord& note, const std::string& canonical,
                      const v1::Signature& signature, absl::Time now) {
  const Key key(note.resource.name());
  RETURN_IF_ERROR(
      Changed(tx.Query(kSign, {key.organization, key.case_id, key.note, sql::Bytes(canonical),
                               Document(signature), sql::Micros(now), sql::Int(note.version)})));
  note.resource.set_state(v1::NOTE_STATE_SIGNED);
  *note.resource.mutable_signature() = signature;
  SetVersion(note, note.version + 1, now);
  return absl::OkStatus();
}

absl::Status InsertAddendum(sql::Transaction& tx, NoteRecord& note, const v1::Addendum& addendum) {
  const Key key(note.resource.name());
  const absl::Status status =
      tx.Query(kInsertAddendum, {key.organization, key.case_id, key.note,
                                 sql::Int(addendum.number()), Document(addendum)})
          .status();
  if (absl::IsAlreadyExists(status) ||
      errors::MetadataValue(status, "constraint") == "note_addendum_immutable") {
    return errors::Aborted("LOST_RACE", "Another addendum was added meanwhile. Repeat the call.");
  }
  RETURN_IF_ERROR(status);
  *note.resource.add_addenda() = addendum;
  SetVersion(note, note.version + 1, time::ToTime(addendum.signature().sign_time()));
  return absl::OkStatus();
}

}  // namespace rapport::notes
