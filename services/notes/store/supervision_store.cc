#include "services/notes/store/supervision_store.h"

#include <map>
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

const sql::Statement kInsertSession{"notes.supervision.insert", R"sql(
  INSERT INTO supervision_session (organization_id, supervisee, session_id, supervisor, logged_by,
                                   start_time, minutes, voided, version, create_time, subject,
                                   document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 1, $8, $9, $10))sql"};

const sql::Statement kInsertCase{"notes.supervision.insert_case", R"sql(
  INSERT INTO supervised_case (organization_id, supervisee, session_id, case_id, position, minutes,
                               subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql"};

const sql::Statement kInsertAppointment{"notes.supervision.insert_appointment", R"sql(
  INSERT INTO supervised_appointment (organization_id, supervisee, session_id, case_id, appointment)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, supervisee, session_id, case_id, appointment) DO NOTHING)sql"};

#define SESSION_COLUMNS                                                                   \
  "SELECT session_id, supervisor, logged_by, start_time, minutes, confirm_time, voided, " \
  "version, create_time, subject, document, void_document FROM supervision_session "      \
  "WHERE organization_id = $1 AND supervisee = $2 "

const sql::Statement kGetSession{"notes.supervision.get", SESSION_COLUMNS "AND session_id = $3"};

const sql::Statement kListSessions{
    "notes.supervision.list", SESSION_COLUMNS
    "AND ($3 = '' OR supervisor = $3) AND (start_time, session_id) < ($4, $5) "
    "ORDER BY start_time DESC, session_id DESC LIMIT $6"};

const sql::Statement kListCases{"notes.supervision.list_cases", R"sql(
  SELECT session_id, case_id, subject, document FROM supervised_case
  WHERE organization_id = $1 AND supervisee = $2
    AND session_id IN (SELECT value FROM json_each($3))
  ORDER BY session_id, position)sql"};

const sql::Statement kConfirm{"notes.supervision.confirm", R"sql(
  UPDATE supervision_session SET confirm_time = $4, version = version + 1
  WHERE organization_id = $1 AND supervisee = $2 AND session_id = $3 AND version = $5)sql"};

const sql::Statement kVoid{"notes.supervision.void", R"sql(
  UPDATE supervision_session SET voided = 1, void_document = $4, version = version + 1
  WHERE organization_id = $1 AND supervisee = $2 AND session_id = $3 AND version = $5)sql"};

const sql::Statement kInsertRecording{"notes.recording.insert", R"sql(
  INSERT INTO session_recording (organization_id, case_id, recording_id, appointment,
                                 session_number, clinician, medium, private, retain_until,
                                 deleted_by, version, create_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 1, $10, $11, $12))sql"};

#define RECORDING_ERASED                                                              \
  "EXISTS (SELECT 1 FROM erasure AS x WHERE x.organization_id = $1 AND x.patient IN " \
  "(c.patient, c.partner)) "

#define RECORDING_COLUMNS                                                                      \
  "SELECT r.case_id, r.recording_id, r.appointment, r.session_number, r.clinician, r.medium, " \
  "r.private, r.retain_until, r.withdraw_time, r.delete_time, r.deleted_by, r.version, "       \
  "r.create_time, r.subject, r.document, CASE WHEN " RECORDING_ERASED                          \
  "THEN 1 ELSE 0 END FROM session_recording AS r JOIN note_case AS c "                         \
  "ON c.organization_id = $1 AND c.case_id = r.case_id WHERE r.organization_id = $1 "

const sql::Statement kGetRecording{"notes.recording.get",
                                   RECORDING_COLUMNS "AND r.case_id = $2 AND r.recording_id = $3"};

const sql::Statement kOfSession{"notes.recording.of_session", R"sql(
  SELECT case_id, recording_id FROM session_recording
  WHERE organization_id = $1 AND appointment = $2)sql"};

const sql::Statement kListRecordings{
    "notes.recording.list", RECORDING_COLUMNS
    "AND ($2 = '' OR r.case_id = $2) "
    "AND ($2 <> '' OR c.clinician IN (SELECT value FROM json_each($3))) "
    "AND ($4 = 0 OR (r.delete_time IS NULL AND (r.withdraw_time IS NOT NULL "
    "OR r.retain_until < $5 OR " RECORDING_ERASED
    "))) "
    "AND ($6 = 0 OR (r.delete_time IS NULL AND r.retain_until <= $7)) "
    "AND (r.retain_until, r.recording_id) > ($8, $9) "
    "ORDER BY r.retain_until, r.recording_id LIMIT $10"};

const sql::Statement kUpdateRecording{"notes.recording.update", R"sql(
  UPDATE session_recording
  SET withdraw_time = $5, delete_time = $6, deleted_by = $7, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND recording_id = $3 AND version = $4)sql"};

const sql::Statement kInsertSelection{"notes.recording_selection.insert", R"sql(
  INSERT INTO recording_selection (organization_id, case_id, selection_id, count, commitment,
                                   committed_by, commit_time, subject, seed)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql"};

#define SELECTION_COLUMNS                                                                \
  "SELECT selection_id, count, commitment, committed_by, commit_time, draw_time, drawn " \
  "FROM recording_selection WHERE organization_id = $1 AND case_id = $2 "

const sql::Statement kGetSelection{"notes.recording_selection.get",
                                   SELECTION_COLUMNS "AND selection_id = $3"};

const sql::Statement kListSelections{"notes.recording_selection.list", SELECTION_COLUMNS
                                     "AND (commit_time, selection_id) < ($3, $4) "
                                     "ORDER BY commit_time DESC, selection_id DESC LIMIT $5"};

const sql::Statement kGetSeed{"notes.recording_selection.seed", R"sql(
  SELECT subject, seed FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3)sql"};

const sql::Statement kOpenSelection{"notes.recording_selection.open", R"sql(
  SELECT selection_id FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND draw_time IS NULL)sql"};

const sql::Statement kDraw{"notes.recording_selection.draw", R"sql(
  UPDATE recording_selection SET draw_time = $4, drawn = $5
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3 AND draw_time IS NULL)sql"};

sql::Value Organization(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }
sql::Value CaseId(absl::string_view name) { return sql::Text(names::Id(name, "cases")); }
sql::Value LastId(absl::string_view name) { return sql::Text(names::Last(name)); }

std::string Supervisee(absl::string_view name) {
  return names::InOrganization(names::OrganizationId(name), "clinicians",
                               names::Id(name, "clinicians"));
}

int64_t DayNumber(absl::CivilDay day) { return day - absl::CivilDay(1970, 1, 1); }
absl::CivilDay DayOf(int64_t number) { return absl::CivilDay(1970, 1, 1) + number; }

// What is sealed of a session: its way and words. Its cases are apart.
v1::SupervisionSession Words(const v1::SupervisionSession& session) {
  v1::SupervisionSession words;
  words.set_format(session.format());
  words.set_text(session.text());
  return words;
}

absl::StatusOr<SupervisionRecord> ReadSession(crypto::Opener& opener, const std::string& supervisee,
                                              const sql::Result& rows, size_t row) {
  SupervisionRecord record;
  const std::string name = absl::StrCat(supervisee, "/supervisionSessions/", rows.Text(row, 0));
  const std::string& subject = rows.Text(row, 9);
  ASSIGN_OR_RETURN(record.resource,
                   Unseal<v1::SupervisionSession>(opener, {subject, name, 1}, rows.Bytes(row, 10)));
  v1::SupervisionSession& session = record.resource;
  session.set_name(name);
  session.set_supervisor(rows.Text(row, 1));
  session.set_logged_by(rows.Text(row, 2));
  *session.mutable_start_time() = time::ToTimestamp(rows.Time(row, 3));
  session.set_minutes(static_cast<int>(rows.Int(row, 4)));
  if (!rows.IsNull(row, 5)) *session.mutable_confirm_time() = time::ToTimestamp(rows.Time(row, 5));
  session.set_voided(rows.Bool(row, 6));
  record.version = rows.Int(row, 7);
  session.set_etag(call::Etag(record.version));
  *session.mutable_create_time() = time::ToTimestamp(rows.Time(row, 8));
  if (!rows.IsNull(row, 11)) {
    ASSIGN_OR_RETURN(*session.mutable_void_reason(),
                     UnsealBytes(opener, {subject, name, record.version}, rows.Bytes(row, 11)));
  }
  return record;
}

// Adds the cases of `sessions`, which are of one supervisee.
absl::Status AddCases(sql::Session& session, crypto::Opener& opener, absl::string_view supervisee,
                      const std::vector<v1::SupervisionSession*>& sessions) {
  std::vector<std::string> ids;
  std::map<std::string, v1::SupervisionSession*> by_id;
  for (v1::SupervisionSession* each : sessions) {
    ids.emplace_back(names::Last(each->name()));
    by_id[ids.back()] = each;
  }
  if (ids.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListCases, {Organization(supervisee), sql::Text(supervisee),
                                              sql::Text(JsonArray(ids))}));
  for (size_t row = 0; row < rows.rows(); ++row) {
    v1::SupervisionSession& of = *by_id.at(rows.Text(row, 0));
    const std::string case_name =
        names::InOrganization(names::OrganizationId(supervisee), "cases", rows.Text(row, 1));
    ASSIGN_OR_RETURN(v1::SupervisedCase supervised,
                     UnsealOrErased<v1::SupervisedCase>(
                         opener, {rows.Text(row, 2), SupervisedCaseName(of.name(), case_name), 1},
                         rows.Bytes(row, 3)));
    supervised.set_case_(case_name);
    *of.add_cases() = std::move(supervised);
  }
  return absl::OkStatus();
}

absl::StatusOr<RecordingRecord> ReadRecording(crypto::Opener& opener,
                                              absl::string_view organization_id,
                                              const sql::Result& rows, size_t row) {
  RecordingRecord record;
  const std::string name = names::Make({{"organizations", organization_id},
                                        {"cases", rows.Text(row, 0)},
                                        {"recordings", rows.Text(row, 1)}});
  ASSIGN_OR_RETURN(record.resource,
                   UnsealOrErased<v1::SessionRecording>(opener, {rows.Text(row, 13), name, 1},
                                                        rows.Bytes(row, 14)));
  v1::SessionRecording& recording = record.resource;
  recording.set_name(name);
  recording.set_appointment(rows.Text(row, 2));
  recording.set_session_number(static_cast<int>(rows.Int(row, 3)));
  recording.set_clinician(rows.Text(row, 4));
  recording.set_medium(static_cast<v1::RecordingMedium>(rows.Int(row, 5)));
  record.private_session = rows.Bool(row, 6);
  *recording.mutable_retain_until_date() = time::ToDate(DayOf(rows.Int(row, 7)));
  if (!rows.IsNull(row, 8)) {
    *recording.mutable_withdraw_time() = time::ToTimestamp(rows.Time(row, 8));
  }
  if (!rows.IsNull(row, 9)) {
    *recording.mutable_delete_time() = time::ToTimestamp(rows.Time(row, 9));
  }
  recording.set_deleted_by(rows.Text(row, 10));
  recording.set_erased(recording.erased() || rows.Bool(row, 15));
  record.version = rows.Int(row, 11);
  recording.set_etag(call::Etag(record.version));
  *recording.mutable_create_time() = time::ToTimestamp(rows.Time(row, 12));
  return record;
}

v1::RecordingSelection ReadSelection(absl::string_view organization_id, absl::string_view case_id,
                                     const sql::Result& rows, size_t row) {
  v1::RecordingSelection selection;
  if (!rows.IsNull(row, 6)) selection = Parsed<v1::RecordingSelection>(rows.Bytes(row, 6));
  selection.set_name(names::Make({{"organizations", organization_id},
                                  {"cases", case_id},
                                  {"recordingSelections", rows.Text(row, 0)}}));
  selection.set_count(static_cast<int>(rows.Int(row, 1)));
  selection.set_commitment(rows.Bytes(row, 2));
  selection.set_committed_by(rows.Text(row, 3));
  *selection.mutable_commit_time() = time::ToTimestamp(rows.Time(row, 4));
  if (!rows.IsNull(row, 5)) *selection.mutable_draw_time() = time::ToTimestamp(rows.Time(row, 5));
  return selection;
}

sql::Value TimeOrNull(bool has, const google::protobuf::Timestamp& timestamp) {
  return has ? sql::Micros(time::ToTime(timestamp)) : sql::Value(sql::Null{});
}

}  // namespace

std::string SupervisedCaseName(absl::string_view session, absl::string_view case_name) {
  return absl::StrCat(session, "/cases/", names::Last(case_name));
}

absl::StatusOr<std::vector<std::string>> InsertSupervision(
    sql::Transaction& tx, const crypto::Vault& vault, v1::SupervisionSession& session,
    const std::vector<std::string>& subjects) {
  const std::string& name = session.name();
  const std::string supervisee = Supervisee(name);
  const absl::Time now = time::ToTime(session.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {supervisee, name, 1}, Words(session), now));
  tx.Defer(
      kInsertSession,
      {Organization(name), sql::Text(supervisee), LastId(name), sql::Text(session.supervisor()),
       sql::Text(session.logged_by()), sql::Micros(time::ToTime(session.start_time())),
       sql::Int(session.minutes()), sql::Micros(now), sql::Text(supervisee), sealed});
  std::vector<std::string> stored = {StoredBytes(sealed)};
  for (int i = 0; i < session.cases_size(); ++i) {
    v1::SupervisedCase& of = *session.mutable_cases(i);
    of.clear_erased();
    const std::string& subject = subjects.at(static_cast<size_t>(i));
    const std::string case_id(names::Last(of.case_()));
    ASSIGN_OR_RETURN(const sql::Value sealed_case,
                     Seal(tx, vault, {subject, SupervisedCaseName(name, of.case_()), 1}, of, now));
    tx.Defer(kInsertCase,
             {Organization(name), sql::Text(supervisee), LastId(name), sql::Text(case_id),
              sql::Int(i), sql::Int(of.minutes()), sql::Text(subject), sealed_case});
    for (const std::string& appointment : of.appointments()) {
      tx.Defer(kInsertAppointment, {Organization(name), sql::Text(supervisee), LastId(name),
                                    sql::Text(case_id), sql::Text(appointment)});
    }
    stored.push_back(StoredBytes(sealed_case));
  }
  session.set_etag(call::Etag(1));
  return stored;
}

absl::StatusOr<SupervisionRecord> GetSupervision(sql::Session& session, const crypto::Vault& vault,
                                                 absl::string_view name) {
  const std::string supervisee = Supervisee(name);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetSession, {Organization(name), sql::Text(supervisee), LastId(name)}));
  if (rows.empty()) return errors::NotFound("SupervisionSession");
  crypto::Opener opener(vault, session);
  ASSIGN_OR_RETURN(SupervisionRecord record, ReadSession(opener, supervisee, rows, 0));
  RETURN_IF_ERROR(AddCases(session, opener, supervisee, {&record.resource}));
  return record;
}

absl::StatusOr<Listed<v1::SupervisionSession>> ListSupervision(sql::Session& session,
                                                               const crypto::Vault& vault,
                                                               absl::string_view supervisee,
                                                               absl::string_view supervisor,
                                                               const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListSessions, {Organization(supervisee), sql::Text(supervisee),
                                                 sql::Text(supervisor), sql::Int(after.number),
                                                 sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  ASSIGN_OR_RETURN(Listed<v1::SupervisionSession> listed,
                   TryTakePage<v1::SupervisionSession>(
                       rows, page,
                       [&](size_t row) -> absl::StatusOr<v1::SupervisionSession> {
                         ASSIGN_OR_RETURN(SupervisionRecord record,
                                          ReadSession(opener, std::string(supervisee), rows, row));
                         return std::move(record.resource);
                       },
                       [&](size_t row) {
                         return ListKey{rows.Int(row, 3), rows.Text(row, 0)};
                       }));
  std::vector<v1::SupervisionSession*> all;
  for (v1::SupervisionSession& each : listed.items) all.push_back(&each);
  RETURN_IF_ERROR(AddCases(session, opener, supervisee, all));
  return listed;
}

absl::Status ConfirmSupervision(sql::Transaction& tx, SupervisionRecord& record, absl::Time now) {
  const std::string& name = record.resource.name();
  RETURN_IF_ERROR(
      Changed(tx.Query(kConfirm, {Organization(name), sql::Text(Supervisee(name)), LastId(name),
                                  sql::Micros(now), sql::Int(record.version)})));
  ++record.version;
  record.resource.set_etag(call::Etag(record.version));
  *record.resource.mutable_confirm_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

absl::StatusOr<std::string> VoidSupervision(sql::Transaction& tx, const crypto::Vault& vault,
                                            SupervisionRecord& record, absl::string_view reason,
                                            absl::Time now) {
  const std::string& name = record.resource.name();
  const std::string supervisee = Supervisee(name);
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   SealBytes(tx, vault, {supervisee, name, record.version + 1}, reason, now));
  RETURN_IF_ERROR(Changed(tx.Query(kVoid, {Organization(name), sql::Text(supervisee), LastId(name),
                                           sealed, sql::Int(record.version)})));
  ++record.version;
  record.resource.set_etag(call::Etag(record.version));
  record.resource.set_voided(true);
  record.resource.set_void_reason(std::string(reason));
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> InsertRecording(sql::Transaction& tx, const crypto::Vault& vault,
                                            absl::string_view subject, RecordingRecord& record) {
  v1::SessionRecording& recording = record.resource;
  const std::string& name = recording.name();
  ASSIGN_OR_RETURN(const sql::Result twin,
                   tx.Query(kOfSession, {Organization(name), sql::Text(recording.appointment())}));
  if (!twin.empty()) {
    return errors::AlreadyExists("SessionRecording",
                                 names::Make({{"organizations", names::OrganizationId(name)},
                                              {"cases", twin.Text(0, 0)},
                                              {"recordings", twin.Text(0, 1)}}));
  }
  const absl::Time now = time::ToTime(recording.create_time());
  v1::SessionRecording kept;
  kept.set_location(recording.location());
  *kept.mutable_consents() = recording.consents();
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {std::string(subject), name, 1}, kept, now));
  tx.Defer(kInsertRecording,
           {Organization(name), CaseId(name), LastId(name), sql::Text(recording.appointment()),
            sql::Int(recording.session_number()), sql::Text(recording.clinician()),
            sql::Int(recording.medium()), sql::Bool(record.private_session),
            sql::Int(DayNumber(time::ToCivilDay(recording.retain_until_date()))), sql::Micros(now),
            sql::Text(subject), sealed});
  record.version = 1;
  recording.set_etag(call::Etag(1));
  return StoredBytes(sealed);
}

absl::StatusOr<RecordingRecord> GetRecording(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetRecording, {Organization(name), CaseId(name), LastId(name)}));
  if (rows.empty()) return errors::NotFound("SessionRecording");
  crypto::Opener opener(vault, session);
  return ReadRecording(opener, names::OrganizationId(name), rows, 0);
}

absl::StatusOr<Listed<v1::SessionRecording>> ListRecordings(sql::Session& session,
                                                            const crypto::Vault& vault,
                                                            const RecordingQuery& query,
                                                            const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListRecordings,
                    {sql::Text(query.organization_id), sql::Text(query.case_id),
                     sql::Text(JsonArray(query.clinicians)), sql::Bool(query.due_for_deletion),
                     sql::Int(DayNumber(query.today)), sql::Bool(query.retain_until.has_value()),
                     sql::Int(query.retain_until ? DayNumber(*query.retain_until) : 0),
                     sql::Int(after.number), sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::SessionRecording>(
      rows, page,
      [&](size_t row) -> absl::StatusOr<v1::SessionRecording> {
        ASSIGN_OR_RETURN(RecordingRecord record,
                         ReadRecording(opener, query.organization_id, rows, row));
        return std::move(record.resource);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 7), rows.Text(row, 1)};
      });
}

absl::Status UpdateRecording(sql::Transaction& tx, RecordingRecord& record) {
  v1::SessionRecording& recording = record.resource;
  const std::string& name = recording.name();
  RETURN_IF_ERROR(Changed(tx.Query(
      kUpdateRecording, {Organization(name), CaseId(name), LastId(name), sql::Int(record.version),
                         TimeOrNull(recording.has_withdraw_time(), recording.withdraw_time()),
                         TimeOrNull(recording.has_delete_time(), recording.delete_time()),
                         sql::Text(recording.deleted_by())})));
  ++record.version;
  recording.set_etag(call::Etag(record.version));
  return absl::OkStatus();
}

absl::StatusOr<std::string> InsertSelection(sql::Transaction& tx, const crypto::Vault& vault,
                                            const v1::RecordingSelection& selection,
                                            absl::string_view seed) {
  const std::string& name = selection.name();
  const std::string subject = names::Organization(names::OrganizationId(name));
  const absl::Time now = time::ToTime(selection.commit_time());
  ASSIGN_OR_RETURN(const sql::Value sealed, SealBytes(tx, vault, {subject, name, 0}, seed, now));
  tx.Defer(kInsertSelection,
           {Organization(name), CaseId(name), LastId(name), sql::Int(selection.count()),
            sql::Bytes(selection.commitment()), sql::Text(selection.committed_by()),
            sql::Micros(now), sql::Text(subject), sealed});
  return StoredBytes(sealed);
}

absl::StatusOr<v1::RecordingSelection> GetSelection(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetSelection, {Organization(name), CaseId(name), LastId(name)}));
  if (rows.empty()) return errors::NotFound("RecordingSelection");
  return ReadSelection(names::OrganizationId(name), names::Id(name, "cases"), rows, 0);
}

absl::StatusOr<std::string> GetSeed(sql::Session& session, const crypto::Vault& vault,
                                    absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetSeed, {Organization(name), CaseId(name), LastId(name)}));
  if (rows.empty()) return errors::NotFound("RecordingSelection");
  crypto::Opener opener(vault, session);
  return UnsealBytes(opener, {rows.Text(0, 0), std::string(name), 0}, rows.Bytes(0, 1));
}

absl::StatusOr<std::string> OpenSelection(sql::Session& session, absl::string_view organization_id,
                                          absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kOpenSelection, {sql::Text(organization_id), sql::Text(case_id)}));
  if (rows.empty()) return std::string();
  return names::Make({{"organizations", organization_id},
                      {"cases", case_id},
                      {"recordingSelections", rows.Text(0, 0)}});
}

absl::StatusOr<Listed<v1::RecordingSelection>> ListSelections(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              absl::string_view case_id,
                                                              const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListSelections, {sql::Text(organization_id), sql::Text(case_id),
                                                   sql::Int(after.number), sql::Text(after.id),
                                                   sql::Int(page.size + 1)}));
  return TakePage<v1::RecordingSelection>(
      rows, page, [&](size_t row) { return ReadSelection(organization_id, case_id, rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 4), rows.Text(row, 0)};
      });
}

absl::StatusOr<std::string> DrawSelection(sql::Transaction& tx,
                                          const v1::RecordingSelection& selection) {
  v1::RecordingSelection drawn;
  drawn.set_seed(selection.seed());
  *drawn.mutable_candidates() = selection.candidates();
  *drawn.mutable_chosen() = selection.chosen();
  drawn.set_sessions_held(selection.sessions_held());
  const std::string& name = selection.name();
  RETURN_IF_ERROR(Changed(
      tx.Query(kDraw, {Organization(name), CaseId(name), LastId(name),
                       sql::Micros(time::ToTime(selection.draw_time())), Document(drawn)})));
  return drawn.SerializeAsString();
}

}  // namespace rapport::notes
