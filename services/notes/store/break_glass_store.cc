#include "services/notes/store/break_glass_store.h"

#include <utility>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kFind{"notes.break_glass.in_force", R"sql(
  SELECT break_glass_id FROM break_glass
  WHERE organization_id = $1 AND case_id = $2 AND clinician = $3 AND expire_time > $4
    AND create_time <= $4 AND end_time IS NULL
  ORDER BY expire_time DESC LIMIT 1)sql"};

const sql::Statement kInsert{"notes.break_glass.insert", R"sql(
  INSERT INTO break_glass (organization_id, case_id, break_glass_id, clinician, purpose,
                           create_time, expire_time, finding, reviewer, version, subject, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 1, $8, $9))sql"};

const sql::Statement kGet{"notes.break_glass.get", R"sql(
  SELECT case_id, break_glass_id, clinician, purpose, create_time, expire_time, end_time,
         review_time, finding, reviewer, version, subject, document, review_document
  FROM break_glass WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3)sql"};

const sql::Statement kEnd{"notes.break_glass.end", R"sql(
  UPDATE break_glass SET end_time = $4, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3 AND version = $5)sql"};

const sql::Statement kReview{"notes.break_glass.review", R"sql(
  UPDATE break_glass
  SET review_time = $4, finding = $5, reviewer = $6, review_document = $7, version = version + 1
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3 AND version = $8
    AND review_time IS NULL)sql"};

// Two statements, so that each has its index.
const sql::Statement kQueue{"notes.break_glass.queue", R"sql(
  SELECT case_id, break_glass_id, clinician, purpose, create_time, expire_time, end_time,
         review_time, finding, reviewer, version, subject, document, review_document
  FROM break_glass
  WHERE organization_id = $1 AND review_time IS NULL AND (create_time, break_glass_id) > ($2, $3)
  ORDER BY create_time, break_glass_id
  LIMIT $4)sql"};

const sql::Statement kListAll{"notes.break_glass.list", R"sql(
  SELECT case_id, break_glass_id, clinician, purpose, create_time, expire_time, end_time,
         review_time, finding, reviewer, version, subject, document, review_document
  FROM break_glass
  WHERE organization_id = $1 AND (create_time, break_glass_id) > ($2, $3)
  ORDER BY create_time, break_glass_id
  LIMIT $4)sql"};

struct Key {
  explicit Key(absl::string_view name)
      : organization(sql::Text(names::OrganizationId(name))),
        case_id(sql::Text(names::Id(name, "cases"))),
        id(sql::Text(names::Last(name))) {}
  sql::Value organization, case_id, id;
};

std::string NameOf(absl::string_view organization_id, absl::string_view case_id,
                   absl::string_view id) {
  return names::Make(
      {{"organizations", organization_id}, {"cases", case_id}, {"breakGlasses", id}});
}

// What is sealed at the review stands beside the reason, at the place of the version after any.
constexpr int64_t kReasonPlace = 1;
constexpr int64_t kReviewPlace = 2;

absl::StatusOr<BreakGlassRecord> Read(crypto::Opener& opener, absl::string_view organization_id,
                                      const sql::Result& rows, size_t row) {
  BreakGlassRecord record;
  record.version = rows.Int(row, 10);
  record.subject = rows.Text(row, 11);
  const std::string name = NameOf(organization_id, rows.Text(row, 0), rows.Text(row, 1));
  ASSIGN_OR_RETURN(record.resource,
                   UnsealOrErased<v1::BreakGlass>(opener, {record.subject, name, kReasonPlace},
                                                  rows.Bytes(row, 12)));
  v1::BreakGlass& glass = record.resource;
  glass.set_name(name);
  glass.set_clinician(rows.Text(row, 2));
  glass.set_purpose(static_cast<v1::BreakGlassPurpose>(rows.Int(row, 3)));
  *glass.mutable_create_time() = time::ToTimestamp(rows.Time(row, 4));
  *glass.mutable_expire_time() = time::ToTimestamp(rows.Time(row, 5));
  *glass.mutable_duration() = time::ToDurationProto(rows.Time(row, 5) - rows.Time(row, 4));
  if (!rows.IsNull(row, 6)) *glass.mutable_end_time() = time::ToTimestamp(rows.Time(row, 6));
  if (rows.IsNull(row, 7)) return record;
  v1::BreakGlassReview& review = *glass.mutable_review();
  const absl::StatusOr<v1::BreakGlassReview> opened = Unseal<v1::BreakGlassReview>(
      opener, {record.subject, name, kReviewPlace}, rows.Bytes(row, 13));
  if (opened.ok()) {
    review = *opened;
  } else if (!IsErased(opened.status())) {
    return opened.status();
  }
  review.set_finding(static_cast<v1::BreakGlassFinding>(rows.Int(row, 8)));
  review.set_reviewer(rows.Text(row, 9));
  *review.mutable_review_time() = time::ToTimestamp(rows.Time(row, 7));
  return record;
}

}  // namespace

absl::StatusOr<std::string> FindBreakGlass(sql::Session& session, absl::string_view organization_id,
                                           absl::string_view case_id, absl::string_view clinician,
                                           absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kFind, {sql::Text(organization_id), sql::Text(case_id),
                                         sql::Text(clinician), sql::Micros(now)}));
  return rows.empty() ? std::string() : NameOf(organization_id, case_id, rows.Text(0, 0));
}

absl::StatusOr<std::string> InsertBreakGlass(sql::Transaction& tx, const crypto::Vault& vault,
                                             const v1::BreakGlass& glass,
                                             const std::string& subject) {
  const Key key(glass.name());
  const absl::Time now = time::ToTime(glass.create_time());
  v1::BreakGlass text;
  text.set_reason(glass.reason());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {subject, glass.name(), kReasonPlace}, text, now));
  tx.Defer(kInsert, {key.organization, key.case_id, key.id, sql::Text(glass.clinician()),
                     sql::Int(glass.purpose()), sql::Micros(now),
                     sql::Micros(time::ToTime(glass.expire_time())), sql::Text(subject), sealed});
  return StoredBytes(sealed);
}

absl::StatusOr<BreakGlassRecord> GetBreakGlass(sql::Session& session, const crypto::Vault& vault,
                                               absl::string_view name) {
  const Key key(name);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {key.organization, key.case_id, key.id}));
  if (rows.empty()) return errors::NotFound("BreakGlass");
  crypto::Opener opener(vault, session);
  return Read(opener, names::OrganizationId(name), rows, 0);
}

absl::Status EndBreakGlass(sql::Transaction& tx, BreakGlassRecord& record) {
  const Key key(record.resource.name());
  RETURN_IF_ERROR(Changed(tx.Query(
      kEnd, {key.organization, key.case_id, key.id,
             sql::Micros(time::ToTime(record.resource.end_time())), sql::Int(record.version)})));
  ++record.version;
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReviewBreakGlass(sql::Transaction& tx, const crypto::Vault& vault,
                                             BreakGlassRecord& record) {
  const Key key(record.resource.name());
  const v1::BreakGlassReview& review = record.resource.review();
  const absl::Time now = time::ToTime(review.review_time());
  v1::BreakGlassReview text;
  text.set_remark(review.remark());
  ASSIGN_OR_RETURN(
      const sql::Value sealed,
      Seal(tx, vault, {record.subject, record.resource.name(), kReviewPlace}, text, now));
  RETURN_IF_ERROR(Changed(tx.Query(
      kReview, {key.organization, key.case_id, key.id, sql::Micros(now), sql::Int(review.finding()),
                sql::Text(review.reviewer()), sealed, sql::Int(record.version)})));
  ++record.version;
  return StoredBytes(sealed);
}

absl::StatusOr<Listed<v1::BreakGlass>> ListBreakGlasses(sql::Session& session,
                                                        const crypto::Vault& vault,
                                                        absl::string_view organization_id,
                                                        bool include_reviewed,
                                                        const call::Page& page) {
  const ListKey after = After(page, kFromFirst);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(include_reviewed ? kListAll : kQueue,
                                 {sql::Text(organization_id), sql::Int(after.number),
                                  sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::BreakGlass>(
      rows, page,
      [&](size_t row) -> absl::StatusOr<v1::BreakGlass> {
        ASSIGN_OR_RETURN(BreakGlassRecord record, Read(opener, organization_id, rows, row));
        return std::move(record.resource);
      },
      [&](size_t row) {
        return ListKey{rows.Int(row, 4), rows.Text(row, 1)};
      });
}

}  // namespace rapport::notes
