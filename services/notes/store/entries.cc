#include "services/notes/store/entries.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/entries.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsert{"notes.entry.insert", R"sql(
  INSERT INTO case_entry (organization_id, case_id, entry_id, kind, about, private, subject,
                          appointment, open, voided, due_day, unique_key, clinician, version,
                          create_time, update_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, 1, $13, $13)
  ON CONFLICT DO NOTHING)sql"};

const sql::Statement kUpdate{"notes.entry.update", R"sql(
  UPDATE case_entry
  SET appointment = $5, open = $6, voided = $7, due_day = $8, unique_key = $9, clinician = $10,
      version = version + 1, update_time = $11
  WHERE organization_id = $1 AND case_id = $2 AND entry_id = $3 AND version = $4)sql"};

const sql::Statement kInsertRevision{"notes.entry.insert_revision", R"sql(
  INSERT INTO case_entry_revision (organization_id, case_id, entry_id, version, clinician,
                                   update_time, voided, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql"};

#define ENTRY_COLUMNS                                                                        \
  "SELECT e.entry_id, e.kind, e.about, e.private, e.appointment, e.create_time, r.version, " \
  "r.clinician, r.update_time, r.voided, r.subject, r.document, e.open "

#define ENTRY_NEWEST                                       \
  ENTRY_COLUMNS                                            \
  "FROM case_entry AS e JOIN case_entry_revision AS r "    \
  "ON r.organization_id = $1 AND r.case_id = e.case_id "   \
  "AND r.entry_id = e.entry_id AND r.version = e.version " \
  "WHERE e.organization_id = $1 AND e.case_id = $2 "

const sql::Statement kGet{"notes.entry.get", ENTRY_NEWEST "AND e.entry_id = $3"};

const sql::Statement kList{
    "notes.entry.list", ENTRY_NEWEST
    "AND (e.create_time, e.entry_id) > ($3, $4) "
    "AND ($5 = 1 OR CAST(e.kind AS TEXT) IN (SELECT value FROM json_each($6))) "
    "AND ($7 = '' OR e.about = $7 OR (e.about = '' AND e.private = 0)) "
    "AND ($8 = 0 OR e.open = 1) AND ($9 = 1 OR e.voided = 0) "
    "ORDER BY e.create_time, e.entry_id LIMIT $10"};

const sql::Statement kRevisions{
    "notes.entry.list_revisions", ENTRY_COLUMNS
    "FROM case_entry AS e JOIN case_entry_revision AS r "
    "ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id "
    "WHERE e.organization_id = $1 AND e.case_id = $2 AND e.entry_id = $3 AND r.version < $4 "
    "ORDER BY r.version DESC LIMIT $5"};

const sql::Statement kAllRevisions{
    "notes.entry.all_revisions", ENTRY_COLUMNS
    "FROM case_entry AS e JOIN case_entry_revision AS r "
    "ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id "
    "WHERE e.organization_id = $1 AND e.case_id = $2 AND e.kind = $3 AND e.voided = 0 "
    "ORDER BY e.create_time, e.entry_id, r.version LIMIT $4"};

const sql::Statement kOpen{"notes.entry.open", R"sql(
  SELECT entry_id FROM case_entry
  WHERE organization_id = $1 AND case_id = $2 AND kind = $3 AND open = 1
    AND ($4 = 1 OR private = 0)
  ORDER BY create_time, entry_id)sql"};

const sql::Statement kPatients{"notes.entry.patients", R"sql(
  SELECT DISTINCT about FROM case_entry
  WHERE organization_id = $1 AND case_id = $2 AND kind = $3 AND voided = 0 AND about <> ''
  ORDER BY about)sql"};

const sql::Statement kCountRevisions{"notes.entry.count_revisions", R"sql(
  SELECT count(*)
  FROM case_entry AS e JOIN case_entry_revision AS r
    ON r.organization_id = $1 AND r.case_id = e.case_id AND r.entry_id = e.entry_id
  WHERE e.organization_id = $1 AND e.case_id = $2 AND e.kind = $3)sql"};

const sql::Statement kGoals{"notes.entry.goals", R"sql(
  SELECT goal_id, create_time FROM goal WHERE organization_id = $1 AND case_id = $2)sql"};

std::string NameOf(absl::string_view organization_id, absl::string_view case_id,
                   absl::string_view entry_id) {
  return absl::StrCat(names::InOrganization(organization_id, "cases", case_id), "/entries/",
                      entry_id);
}

sql::Value DayOrNull(const v1::Entry& entry) {
  const auto day = DueDay(entry);
  if (!day.has_value()) return sql::Null{};
  return sql::Int(*day - absl::CivilDay(1970, 1, 1));
}

sql::Value KeyOrNull(const v1::Entry& entry) {
  const std::string key = UniqueKey(entry);
  if (key.empty()) return sql::Null{};
  return sql::Text(key);
}

absl::StatusOr<std::string> InsertRevision(sql::Transaction& tx, const crypto::Vault& vault,
                                           const v1::Entry& entry, const std::string& subject) {
  const absl::Time now = time::ToTime(entry.update_time());
  v1::Entry stored = entry;
  stored.clear_etag();
  stored.clear_warnings();
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {subject, entry.name(), entry.version()}, stored, now));
  tx.Defer(kInsertRevision,
           {sql::Text(names::OrganizationId(entry.name())),
            sql::Text(names::Id(entry.name(), "cases")), sql::Text(names::Last(entry.name())),
            sql::Int(entry.version()), sql::Text(entry.clinician()), sql::Micros(now),
            sql::Bool(entry.voided()), sql::Text(subject), sealed});
  return StoredBytes(sealed);
}

// From the columns of ENTRY_COLUMNS, which have the last word on all that they tell.
absl::StatusOr<EntryRecord> Read(crypto::Opener& opener, absl::string_view organization_id,
                                 absl::string_view case_id, const sql::Result& rows, size_t row) {
  EntryRecord record;
  record.version = rows.Int(row, 6);
  record.subject = rows.Text(row, 10);
  const std::string name = NameOf(organization_id, case_id, rows.Text(row, 0));
  ASSIGN_OR_RETURN(record.resource,
                   UnsealOrErased<v1::Entry>(opener, {record.subject, name, record.version},
                                             rows.Bytes(row, 11)));
  v1::Entry& entry = record.resource;
  entry.set_name(name);
  entry.set_kind(static_cast<v1::EntryKind>(rows.Int(row, 1)));
  entry.set_about(rows.Text(row, 2));
  entry.set_private_(rows.Int(row, 3) != 0);
  entry.set_version(static_cast<int32_t>(record.version));
  entry.set_etag(call::Etag(record.version));
  entry.set_clinician(rows.Text(row, 7));
  *entry.mutable_create_time() = time::ToTimestamp(absl::FromUnixMicros(rows.Int(row, 5)));
  *entry.mutable_update_time() = time::ToTimestamp(absl::FromUnixMicros(rows.Int(row, 8)));
  entry.set_voided(rows.Int(row, 9) != 0);
  if (entry.erased()) {
    entry.set_appointment(rows.Text(row, 4));
    entry.set_open(rows.Int(row, 12) != 0);
  }
  return record;
}

absl::StatusOr<std::vector<v1::Entry>> ReadAll(sql::Session& session, const crypto::Vault& vault,
                                               absl::string_view organization_id,
                                               absl::string_view case_id, const sql::Result& rows) {
  crypto::Opener opener(vault, session);
  std::vector<v1::Entry> entries;
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(EntryRecord record, Read(opener, organization_id, case_id, rows, row));
    entries.push_back(std::move(record.resource));
  }
  return entries;
}

absl::StatusOr<sql::Result> Query(sql::Session& session, absl::string_view organization_id,
                                  absl::string_view case_id, const EntryQuery& query,
                                  const ListKey& after, int64_t limit) {
  std::vector<std::string> kinds;
  for (const v1::EntryKind kind : query.kinds) kinds.push_back(absl::StrCat(kind));
  return session.Query(
      kList,
      {sql::Text(organization_id), sql::Text(case_id), sql::Int(after.number), sql::Text(after.id),
       sql::Bool(kinds.empty()), sql::Text(JsonArray(kinds)), sql::Text(query.view),
       sql::Bool(query.open), sql::Bool(query.voided), sql::Int(limit)});
}

}  // namespace

absl::StatusOr<std::string> InsertEntry(sql::Transaction& tx, const crypto::Vault& vault,
                                        const v1::Case& of, v1::Entry& entry) {
  const std::string subject = SubjectOf(of, entry.about());
  entry.set_version(1);
  entry.set_etag(call::Etag(1));
  ASSIGN_OR_RETURN(
      const sql::Result inserted,
      tx.Query(kInsert,
               {sql::Text(names::OrganizationId(entry.name())),
                sql::Text(names::Id(entry.name(), "cases")), sql::Text(names::Last(entry.name())),
                sql::Int(KindOf(entry)), sql::Text(entry.about()), sql::Bool(entry.private_()),
                sql::Text(subject), sql::Text(entry.appointment()), sql::Bool(IsOpen(entry)),
                DayOrNull(entry), KeyOrNull(entry), sql::Text(entry.clinician()),
                sql::Micros(time::ToTime(entry.create_time()))}));
  if (inserted.affected() != 1) {
    return errors::FailedPrecondition(
        "ENTRY_EXISTS", "The case has such an entry, and there is one at most. Revise that.");
  }
  return InsertRevision(tx, vault, entry, subject);
}

absl::StatusOr<std::string> UpdateEntry(sql::Transaction& tx, const crypto::Vault& vault,
                                        const EntryRecord& before, v1::Entry& entry) {
  entry.set_version(static_cast<int32_t>(before.version + 1));
  entry.set_etag(call::Etag(before.version + 1));
  RETURN_IF_ERROR(Changed(tx.Query(
      kUpdate, {sql::Text(names::OrganizationId(entry.name())),
                sql::Text(names::Id(entry.name(), "cases")), sql::Text(names::Last(entry.name())),
                sql::Int(before.version), sql::Text(entry.appointment()), sql::Bool(IsOpen(entry)),
                sql::Bool(entry.voided()), DayOrNull(entry), KeyOrNull(entry),
                sql::Text(entry.clinician()), sql::Micros(time::ToTime(entry.update_time()))})));
  return InsertRevision(tx, vault, entry, before.subject);
}

absl::StatusOr<EntryRecord> GetEntry(sql::Session& session, const crypto::Vault& vault,
                                     absl::string_view name) {
  const absl::string_view organization_id = names::OrganizationId(name);
  const absl::string_view case_id = names::Id(name, "cases");
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(organization_id), sql::Text(case_id),
                                        sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("Entry");
  crypto::Opener opener(vault, session);
  return Read(opener, organization_id, case_id, rows, 0);
}

absl::StatusOr<Listed<v1::Entry>> ListEntries(sql::Session& session, const crypto::Vault& vault,
                                              absl::string_view organization_id,
                                              absl::string_view case_id, const EntryQuery& query,
                                              const call::Page& page) {
  ASSIGN_OR_RETURN(const sql::Result rows, Query(session, organization_id, case_id, query,
                                                 After(page, kFromFirst), page.size + 1));
  ASSIGN_OR_RETURN(std::vector<v1::Entry> entries,
                   ReadAll(session, vault, organization_id, case_id, rows));
  return TakePage<v1::Entry>(
      rows, page, [&](size_t row) { return std::move(entries[row]); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 5), rows.Text(row, 0)};
      });
}

absl::StatusOr<std::vector<v1::Entry>> AllEntries(sql::Session& session, const crypto::Vault& vault,
                                                  absl::string_view organization_id,
                                                  absl::string_view case_id,
                                                  const EntryQuery& query) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   Query(session, organization_id, case_id, query, {kFromFirst, ""},
                         std::numeric_limits<int64_t>::max()));
  return ReadAll(session, vault, organization_id, case_id, rows);
}

absl::StatusOr<std::vector<v1::Entry>> AllRevisions(sql::Session& session,
                                                    const crypto::Vault& vault,
                                                    absl::string_view organization_id,
                                                    absl::string_view case_id, v1::EntryKind kind,
                                                    int64_t limit) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kAllRevisions, {sql::Text(organization_id), sql::Text(case_id),
                                                 sql::Int(kind), sql::Int(limit)}));
  return ReadAll(session, vault, organization_id, case_id, rows);
}

absl::StatusOr<Listed<v1::Entry>> ListEntryRevisions(sql::Session& session,
                                                     const crypto::Vault& vault,
                                                     absl::string_view name,
                                                     const call::Page& page) {
  const absl::string_view organization_id = names::OrganizationId(name);
  const absl::string_view case_id = names::Id(name, "cases");
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kRevisions,
                    {sql::Text(organization_id), sql::Text(case_id), sql::Text(names::Last(name)),
                     sql::Int(After(page, kFromLast).number), sql::Int(page.size + 1)}));
  if (rows.empty() && page.after.empty()) return errors::NotFound("Entry");
  ASSIGN_OR_RETURN(std::vector<v1::Entry> entries,
                   ReadAll(session, vault, organization_id, case_id, rows));
  return TakePage<v1::Entry>(
      rows, page, [&](size_t row) { return std::move(entries[row]); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 6), ""};
      });
}

absl::StatusOr<std::vector<std::string>> OpenEntries(sql::Session& session,
                                                     absl::string_view organization_id,
                                                     absl::string_view case_id, v1::EntryKind kind,
                                                     bool also_private) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kOpen, {sql::Text(organization_id), sql::Text(case_id),
                                         sql::Int(kind), sql::Bool(also_private)}));
  std::vector<std::string> open;
  for (size_t row = 0; row < rows.rows(); ++row) {
    open.push_back(NameOf(organization_id, case_id, rows.Text(row, 0)));
  }
  return open;
}

absl::StatusOr<std::vector<std::string>> PatientsWith(sql::Session& session,
                                                      absl::string_view organization_id,
                                                      absl::string_view case_id,
                                                      v1::EntryKind kind) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kPatients, {sql::Text(organization_id), sql::Text(case_id), sql::Int(kind)}));
  std::vector<std::string> patients;
  for (size_t row = 0; row < rows.rows(); ++row) patients.push_back(rows.Text(row, 0));
  return patients;
}

absl::StatusOr<int64_t> CountRevisions(sql::Session& session, absl::string_view organization_id,
                                       absl::string_view case_id, v1::EntryKind kind) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCountRevisions,
                                 {sql::Text(organization_id), sql::Text(case_id), sql::Int(kind)}));
  return rows.Int(0, 0);
}

absl::StatusOr<std::map<std::string, absl::Time>> GoalTimes(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGoals, {sql::Text(organization_id), sql::Text(case_id)}));
  std::map<std::string, absl::Time> times;
  for (size_t row = 0; row < rows.rows(); ++row) {
    times.emplace(absl::StrCat(names::InOrganization(organization_id, "cases", case_id), "/goals/",
                               rows.Text(row, 0)),
                  absl::FromUnixMicros(rows.Int(row, 1)));
  }
  return times;
}

}  // namespace rapport::notes
