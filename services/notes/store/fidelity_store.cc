#include "services/notes/store/fidelity_store.h"

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

const sql::Statement kGetPolicy{"notes.fidelity_policy.get", R"sql(
  SELECT version, update_time, document FROM fidelity_policy WHERE organization_id = $1)sql"};

const sql::Statement kPutPolicy{"notes.fidelity_policy.put", R"sql(
  INSERT INTO fidelity_policy (organization_id, version, update_time, document)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id) DO UPDATE
  SET version = excluded.version, update_time = excluded.update_time,
      document = excluded.document
  WHERE fidelity_policy.version = excluded.version - 1)sql"};

const sql::Statement kGetShares{"notes.fidelity_share.get", R"sql(
  SELECT note_id, share_time FROM fidelity_share
  WHERE organization_id = $1 AND case_id = $2 AND clinician = $3)sql"};

const sql::Statement kPutShare{"notes.fidelity_share.put", R"sql(
  INSERT INTO fidelity_share (organization_id, case_id, clinician, note_id, share_time)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, case_id, clinician, note_id) DO NOTHING)sql"};

const sql::Statement kInsertRating{"notes.session_rating.insert", R"sql(
  INSERT INTO session_rating (organization_id, case_id, note_id, rating_id, rater, kind, percent,
                              create_time, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))sql"};

const sql::Statement kGetRating{"notes.session_rating.get", R"sql(
  SELECT rating_id, rater, kind, percent, create_time, subject, document FROM session_rating
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND rating_id = $4)sql"};

const sql::Statement kListRatings{"notes.session_rating.newest", R"sql(
  SELECT r.rating_id, r.rater, r.kind, r.percent, r.create_time, r.subject, r.document
  FROM session_rating AS r
  WHERE r.organization_id = $1 AND r.case_id = $2 AND r.note_id = $3
    AND ($4 = '' OR r.rater = $4)
    AND NOT EXISTS (SELECT 1 FROM session_rating AS n
                    WHERE n.organization_id = $1 AND n.case_id = $2 AND n.note_id = $3
                      AND n.rater = r.rater
                      AND (n.create_time, n.rating_id) > (r.create_time, r.rating_id))
  ORDER BY r.create_time DESC, r.rating_id DESC
  LIMIT 100)sql"};

const sql::Statement kFacts{"notes.fidelity.case_facts", R"sql(
  SELECT CASE WHEN c.formulation_version > 0 THEN 1 ELSE 0 END,
         CASE WHEN EXISTS (SELECT 1 FROM risk_assessment AS r
                           WHERE r.organization_id = $1 AND r.case_id = $2) THEN 1 ELSE 0 END,
         CASE WHEN EXISTS (SELECT 1 FROM goal AS g
                           WHERE g.organization_id = $1 AND g.case_id = $2) THEN 1 ELSE 0 END
  FROM note_case AS c WHERE c.organization_id = $1 AND c.case_id = $2)sql"};

absl::StatusOr<v1::SessionRating> Read(crypto::Opener& opener, const std::string& note,
                                       const sql::Result& rows, size_t row) {
  const std::string name = absl::StrCat(note, "/ratings/", rows.Text(row, 0));
  ASSIGN_OR_RETURN(
      v1::SessionRating rating,
      UnsealOrErased<v1::SessionRating>(opener, {rows.Text(row, 5), name, 1}, rows.Bytes(row, 6)));
  rating.set_name(name);
  rating.set_rater(rows.Text(row, 1));
  rating.set_kind(static_cast<v1::RaterKind>(rows.Int(row, 2)));
  if (!rows.IsNull(row, 3)) rating.set_percent(static_cast<int>(rows.Int(row, 3)));
  *rating.mutable_create_time() = time::ToTimestamp(rows.Time(row, 4));
  return rating;
}

std::string NoteOf(absl::string_view name) {
  return names::Make({{"organizations", names::OrganizationId(name)},
                      {"cases", names::Id(name, "cases")},
                      {"notes", names::Id(name, "notes")}});
}

}  // namespace

absl::StatusOr<PolicyRecord> GetFidelityPolicy(sql::Session& session,
                                               absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kGetPolicy, {sql::Text(organization_id)}));
  PolicyRecord record;
  if (rows.empty()) {
    record.resource.set_visibility(v1::FIDELITY_VISIBILITY_ON_SHARING);
  } else {
    record.version = rows.Int(0, 0);
    record.resource = Parsed<v1::FidelityPolicy>(rows.Bytes(0, 2));
    record.resource.set_etag(call::Etag(record.version));
    *record.resource.mutable_update_time() = time::ToTimestamp(rows.Time(0, 1));
  }
  record.resource.set_organization(names::Organization(organization_id));
  return record;
}

absl::StatusOr<std::string> PutFidelityPolicy(sql::Transaction& tx, PolicyRecord& record,
                                              absl::Time now) {
  record.resource.clear_etag();
  record.resource.clear_update_time();
  std::string stored = record.resource.SerializeAsString();
  RETURN_IF_ERROR(Changed(
      tx.Query(kPutPolicy, {sql::Text(names::OrganizationId(record.resource.organization())),
                            sql::Int(record.version + 1), sql::Micros(now), sql::Bytes(stored)})));
  ++record.version;
  record.resource.set_etag(call::Etag(record.version));
  *record.resource.mutable_update_time() = time::ToTimestamp(now);
  return stored;
}

absl::StatusOr<Shares> GetShares(sql::Session& session, absl::string_view organization_id,
                                 absl::string_view case_id, absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetShares, {sql::Text(organization_id), sql::Text(case_id),
                                              sql::Text(clinician)}));
  Shares shares;
  for (size_t row = 0; row < rows.rows(); ++row) {
    if (rows.Text(row, 0).empty()) {
      shares.all = rows.Time(row, 1);
    } else {
      shares.notes[rows.Text(row, 0)] = rows.Time(row, 1);
    }
  }
  return shares;
}

void PutShares(sql::Transaction& tx, absl::string_view organization_id, absl::string_view case_id,
               absl::string_view clinician, const std::vector<std::string>& note_ids,
               absl::Time now) {
  const auto put = [&](absl::string_view note_id) {
    tx.Defer(kPutShare, {sql::Text(organization_id), sql::Text(case_id), sql::Text(clinician),
                         sql::Text(note_id), sql::Micros(now)});
  };
  for (const std::string& note_id : note_ids) put(note_id);
  if (note_ids.empty()) put("");
}

absl::StatusOr<std::string> InsertRating(sql::Transaction& tx, const crypto::Vault& vault,
                                         absl::string_view subject,
                                         const v1::SessionRating& rating) {
  const absl::Time now = time::ToTime(rating.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {std::string(subject), rating.name(), 1}, rating, now));
  const absl::string_view name = rating.name();
  tx.Defer(kInsertRating,
           {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
            sql::Text(names::Id(name, "notes")), sql::Text(names::Last(name)),
            sql::Text(rating.rater()), sql::Int(rating.kind()),
            rating.has_percent() ? sql::Int(rating.percent()) : sql::Value(sql::Null{}),
            sql::Micros(now), sql::Text(subject), sealed});
  return StoredBytes(sealed);
}

absl::StatusOr<v1::SessionRating> GetRating(sql::Session& session, const crypto::Vault& vault,
                                            absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetRating,
                    {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                     sql::Text(names::Id(name, "notes")), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("SessionRating");
  crypto::Opener opener(vault, session);
  return Read(opener, NoteOf(name), rows, 0);
}

absl::StatusOr<std::vector<v1::SessionRating>> ListNewestRatings(sql::Session& session,
                                                                 const crypto::Vault& vault,
                                                                 absl::string_view note,
                                                                 absl::string_view rater) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListRatings,
                    {sql::Text(names::OrganizationId(note)), sql::Text(names::Id(note, "cases")),
                     sql::Text(names::Id(note, "notes")), sql::Text(rater)}));
  crypto::Opener opener(vault, session);
  std::vector<v1::SessionRating> ratings;
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(v1::SessionRating rating, Read(opener, std::string(note), rows, row));
    ratings.push_back(std::move(rating));
  }
  return ratings;
}

absl::StatusOr<CaseFacts> GetCaseFacts(sql::Session& session, absl::string_view organization_id,
                                       absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFacts, {sql::Text(organization_id), sql::Text(case_id)}));
  if (rows.empty()) return errors::NotFound("Case");
  return CaseFacts{
      .formulation = rows.Bool(0, 0), .risk_assessment = rows.Bool(0, 1), .goal = rows.Bool(0, 2)};
}

}  // namespace rapport::notes
