#include "services/notes/store/psychotherapy_store.h"

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

const sql::Statement kSubjects{"notes.psychotherapy.subjects", R"sql(
  SELECT DISTINCT subject FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 ORDER BY subject)sql"};

const sql::Statement kFacts{"notes.psychotherapy.facts", R"sql(
  SELECT n.author,
         (SELECT count(*) FROM psychotherapy_release AS r
          WHERE r.organization_id = $1 AND r.case_id = n.case_id
            AND r.psychotherapy_note_id = n.psychotherapy_note_id AND r.recipient = $4
            AND r.revoke_time IS NULL AND r.expire_time > $5)
  FROM psychotherapy_note AS n
  WHERE n.organization_id = $1 AND n.case_id = $2 AND n.psychotherapy_note_id = $3)sql"};

const sql::Statement kGet{"notes.psychotherapy.get", R"sql(
  SELECT psychotherapy_note_id, author, appointment, version, create_time, update_time, subject,
         document
  FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3)sql"};

const sql::Statement kList{"notes.psychotherapy.list", R"sql(
  SELECT psychotherapy_note_id, author, appointment, version, create_time, update_time, subject,
         document
  FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 AND author = $3
    AND (create_time, psychotherapy_note_id) < ($4, $5)
  ORDER BY create_time DESC, psychotherapy_note_id DESC
  LIMIT $6)sql"};

const sql::Statement kInsert{"notes.psychotherapy.insert", R"sql(
  INSERT INTO psychotherapy_note (organization_id, case_id, psychotherapy_note_id, author,
                                  appointment, version, create_time, update_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7, $8))sql"};

const sql::Statement kUpdate{"notes.psychotherapy.update", R"sql(
  UPDATE psychotherapy_note SET document = $4, update_time = $5, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND version = $6)sql"};

const sql::Statement kInsertRelease{"notes.psychotherapy_release.insert", R"sql(
  INSERT INTO psychotherapy_release (organization_id, case_id, psychotherapy_note_id, release_id,
                                     recipient, basis, author, create_time, expire_time, subject,
                                     document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11))sql"};

const sql::Statement kGetRelease{"notes.psychotherapy_release.get", R"sql(
  SELECT release_id, recipient, basis, author, create_time, expire_time, revoke_time, subject,
         document
  FROM psychotherapy_release
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND release_id = $4)sql"};

const sql::Statement kRevoke{"notes.psychotherapy_release.revoke", R"sql(
  UPDATE psychotherapy_release SET revoke_time = $5
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3 AND release_id = $4
    AND revoke_time IS NULL)sql"};

const sql::Statement kListReleases{"notes.psychotherapy_release.list", R"sql(
  SELECT release_id, recipient, basis, author, create_time, expire_time, revoke_time, subject,
         document
  FROM psychotherapy_release
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND (create_time, release_id) < ($4, $5)
  ORDER BY create_time DESC, release_id DESC
  LIMIT $6)sql"};

// Of a note, or of a release below one.
struct Key {
  explicit Key(absl::string_view name)
      : organization(sql::Text(names::OrganizationId(name))),
        case_id(sql::Text(names::Id(name, "cases"))),
        note(sql::Text(names::Id(name, "psychotherapyNotes"))),
        release(sql::Text(names::Id(name, "releases"))) {}
  sql::Value organization, case_id, note, release;
};

std::string NoteName(absl::string_view organization_id, absl::string_view case_id,
                     absl::string_view id) {
  return names::Make(
      {{"organizations", organization_id}, {"cases", case_id}, {"psychotherapyNotes", id}});
}

// What is sealed of a note.
v1::PsychotherapyNote TextOf(const v1::PsychotherapyNote& note) {
  v1::PsychotherapyNote text;
  text.set_text(note.text());
  return text;
}

absl::StatusOr<PsychotherapyRecord> Read(crypto::Opener& opener, absl::string_view organization_id,
                                         absl::string_view case_id, const sql::Result& rows,
                                         size_t row) {
  PsychotherapyRecord record;
  record.version = rows.Int(row, 3);
  const std::string name = NoteName(organization_id, case_id, rows.Text(row, 0));
  ASSIGN_OR_RETURN(record.resource,
                   UnsealOrErased<v1::PsychotherapyNote>(
                       opener, {rows.Text(row, 6), name, record.version}, rows.Bytes(row, 7)));
  v1::PsychotherapyNote& note = record.resource;
  note.set_name(name);
  note.set_author(rows.Text(row, 1));
  note.set_appointment(rows.Text(row, 2));
  note.set_etag(call::Etag(record.version));
  *note.mutable_create_time() = time::ToTimestamp(rows.Time(row, 4));
  *note.mutable_update_time() = time::ToTimestamp(rows.Time(row, 5));
  return record;
}

absl::StatusOr<v1::PsychotherapyRelease> ReadRelease(crypto::Opener& opener, absl::string_view note,
                                                     const sql::Result& rows, size_t row) {
  const std::string name = absl::StrCat(note, "/releases/", rows.Text(row, 0));
  ASSIGN_OR_RETURN(auto release, UnsealOrErased<v1::PsychotherapyRelease>(
                                     opener, {rows.Text(row, 7), name, 1}, rows.Bytes(row, 8)));
  release.set_name(name);
  release.set_recipient(rows.Text(row, 1));
  release.set_basis(static_cast<v1::PsychotherapyReleaseBasis>(rows.Int(row, 2)));
  release.set_author(rows.Text(row, 3));
  *release.mutable_create_time() = time::ToTimestamp(rows.Time(row, 4));
  *release.mutable_expire_time() = time::ToTimestamp(rows.Time(row, 5));
  if (!rows.IsNull(row, 6)) {
    *release.mutable_revoke_time() = time::ToTimestamp(rows.Time(row, 6));
  }
  return release;
}

std::string NoteOf(absl::string_view name) {
  return NoteName(names::OrganizationId(name), names::Id(name, "cases"),
                  names::Id(name, "psychotherapyNotes"));
}

}  // namespace

std::string PsychotherapySubject(absl::string_view author, absl::string_view case_id) {
  return absl::StrCat(author, "/psychotherapyNotes/", case_id);
}

absl::StatusOr<std::vector<std::string>> ListPsychotherapySubjects(
    sql::Session& session, absl::string_view organization_id, absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kSubjects, {sql::Text(organization_id), sql::Text(case_id)}));
  std::vector<std::string> subjects;
  for (size_t row = 0; row < rows.rows(); ++row) subjects.push_back(rows.Text(row, 0));
  return subjects;
}

absl::StatusOr<PsychotherapyFacts> GetPsychotherapyFacts(sql::Session& session,
                                                         absl::string_view name,
                                                         absl::string_view clinician,
                                                         absl::Time now) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFacts, {key.organization, key.case_id, key.note,
                                          sql::Text(clinician), sql::Micros(now)}));
  if (rows.empty()) return errors::NotFound("PsychotherapyNote");
  return PsychotherapyFacts{rows.Text(0, 0), rows.Int(0, 1) > 0};
}

absl::StatusOr<PsychotherapyRecord> GetPsychotherapyNote(sql::Session& session,
                                                         const crypto::Vault& vault,
                                                         absl::string_view name) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {key.organization, key.case_id, key.note}));
  if (rows.empty()) return errors::NotFound("PsychotherapyNote");
  crypto::Opener opener(vault, session);
  return Read(opener, names::OrganizationId(name), names::Id(name, "cases"), rows, 0);
}

absl::StatusOr<Listed<v1::PsychotherapyNote>> ListPsychotherapyNotes(
    sql::Session& session, const crypto::Vault& vault, absl::string_view organization_id,
    absl::string_view case_id, absl::string_view author, const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(case_id), sql::Text(author),
                            sql::Int(after.number), sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::PsychotherapyNote>(
      rows, page,
      [&](size_t row) -> absl::StatusOr<v1::PsychotherapyNote> {
        ASSIGN_OR_RETURN(PsychotherapyRecord record,
                         Read(opener, organization_id, case_id, rows, row));
        return std::move(record.resource);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 4), rows.Text(row, 0)};
      });
}

absl::StatusOr<std::string> InsertPsychotherapyNote(sql::Transaction& tx,
                                                    const crypto::Vault& vault,
                                                    v1::PsychotherapyNote& note) {
  const Key key(note.name());
  const absl::Time now = time::ToTime(note.create_time());
  const std::string subject = PsychotherapySubject(note.author(), names::Id(note.name(), "cases"));
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {subject, note.name(), 1}, TextOf(note), now));
  tx.Defer(kInsert, {key.organization, key.case_id, key.note, sql::Text(note.author()),
                     sql::Text(note.appointment()), sql::Micros(now), sql::Text(subject), sealed});
  note.set_etag(call::Etag(1));
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> UpdatePsychotherapyNote(sql::Transaction& tx,
                                                    const crypto::Vault& vault,
                                                    PsychotherapyRecord& record, absl::Time now) {
  v1::PsychotherapyNote& note = record.resource;
  const Key key(note.name());
  const std::string subject = PsychotherapySubject(note.author(), names::Id(note.name(), "cases"));
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {subject, note.name(), record.version + 1}, TextOf(note), now));
  RETURN_IF_ERROR(Changed(tx.Query(kUpdate, {key.organization, key.case_id, key.note, sealed,
                                             sql::Micros(now), sql::Int(record.version)})));
  ++record.version;
  note.set_etag(call::Etag(record.version));
  *note.mutable_update_time() = time::ToTimestamp(now);
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> InsertPsychotherapyRelease(sql::Transaction& tx,
                                                       const crypto::Vault& vault,
                                                       const v1::PsychotherapyRelease& release) {
  const Key key(release.name());
  const absl::Time now = time::ToTime(release.create_time());
  const std::string subject =
      PsychotherapySubject(release.author(), names::Id(release.name(), "cases"));
  v1::PsychotherapyRelease text;
  text.set_outside_recipient(release.outside_recipient());
  text.set_evidence(release.evidence());
  text.set_reason(release.reason());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {subject, release.name(), 1}, text, now));
  tx.Defer(kInsertRelease,
           {key.organization, key.case_id, key.note, key.release, sql::Text(release.recipient()),
            sql::Int(release.basis()), sql::Text(release.author()), sql::Micros(now),
            sql::Micros(time::ToTime(release.expire_time())), sql::Text(subject), sealed});
  return StoredBytes(sealed);
}

absl::StatusOr<v1::PsychotherapyRelease> GetPsychotherapyRelease(sql::Session& session,
                                                                 const crypto::Vault& vault,
                                                                 absl::string_view name) {
  const Key key(name);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetRelease, {key.organization, key.case_id, key.note, key.release}));
  if (rows.empty()) return errors::NotFound("PsychotherapyRelease");
  crypto::Opener opener(vault, session);
  return ReadRelease(opener, NoteOf(name), rows, 0);
}

absl::Status RevokePsychotherapyRelease(sql::Transaction& tx, absl::string_view name,
                                        absl::Time now) {
  const Key key(name);
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kRevoke, {key.organization, key.case_id, key.note, key.release, sql::Micros(now)}));
  if (result.affected() == 1) return absl::OkStatus();
  return errors::FailedPrecondition("ALREADY_REVOKED", "It was withdrawn before.");
}

absl::StatusOr<Listed<v1::PsychotherapyRelease>> ListPsychotherapyReleases(
    sql::Session& session, const crypto::Vault& vault, absl::string_view note,
    const call::Page& page) {
  const Key key(note);
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListReleases, {key.organization, key.case_id, key.note, sql::Int(after.number),
                                    sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::PsychotherapyRelease>(
      rows, page, [&](size_t row) { return ReadRelease(opener, note, rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 4), rows.Text(row, 0)};
      });
}

}  // namespace rapport::notes
