#include "services/notes/store/screen_store.h"

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsert{"notes.partner_screen.insert", R"sql(
  INSERT INTO partner_screen (organization_id, case_id, screen_id, patient, create_time, document)
  VALUES ($1, $2, $3, $4, $5, $6))sql"};

const sql::Statement kCountersign{"notes.partner_screen.countersign", R"sql(
  INSERT INTO partner_screen_countersign (organization_id, case_id, screen_id, document)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT DO NOTHING)sql"};

#define SCREEN_FROM                                                     \
  " FROM partner_screen s LEFT JOIN partner_screen_countersign k"       \
  " ON k.organization_id = s.organization_id AND k.case_id = s.case_id" \
  " AND k.screen_id = s.screen_id WHERE s.organization_id = $1 AND s.case_id = $2 "

const sql::Statement kGet{"notes.partner_screen.get",
                          "SELECT s.document, k.document" SCREEN_FROM "AND s.screen_id = $3"};

const sql::Statement kList{"notes.partner_screen.list",
                           "SELECT s.document, k.document, s.create_time, s.screen_id" SCREEN_FROM
                           "AND (s.create_time, s.screen_id) < ($3, $4)"
                           " ORDER BY s.create_time DESC, s.screen_id DESC LIMIT $5"};

const sql::Statement kNewest{"notes.partner_screen.newest",
                             "SELECT s.document, k.document" SCREEN_FROM
                             "AND NOT EXISTS (SELECT 1 FROM partner_screen n"
                             " WHERE n.organization_id = $1 AND n.case_id = $2"
                             " AND n.patient = s.patient"
                             " AND (n.create_time, n.screen_id) > (s.create_time, s.screen_id))"};

v1::PartnerScreen ReadScreen(const sql::Result& rows, size_t row) {
  auto screen = Parsed<v1::PartnerScreen>(rows.Bytes(row, 0));
  if (!rows.IsNull(row, 1)) {
    *screen.mutable_countersignature() = Parsed<v1::ScreenCountersignature>(rows.Bytes(row, 1));
  }
  return screen;
}

}  // namespace

absl::Status InsertPartnerScreen(sql::Transaction& tx, const v1::PartnerScreen& screen) {
  const std::string& name = screen.name();
  return tx
      .Query(kInsert, {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                       sql::Text(names::Last(name)), sql::Text(screen.patient()),
                       sql::Micros(time::ToTime(screen.create_time())), Document(screen)})
      .status();
}

absl::Status CountersignPartnerScreen(sql::Transaction& tx, absl::string_view name,
                                      const v1::ScreenCountersignature& signature) {
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kCountersign, {sql::Text(names::OrganizationId(name)),
                                           sql::Text(names::Id(name, "cases")),
                                           sql::Text(names::Last(name)), Document(signature)}));
  if (result.affected() == 1) return absl::OkStatus();
  return errors::FailedPrecondition("ALREADY_COUNTERSIGNED",
                                    "The screen is countersigned already; record another.");
}

absl::StatusOr<v1::PartnerScreen> GetPartnerScreen(sql::Session& session, absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(name)),
                           sql::Text(names::Id(name, "cases")), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("PartnerScreen");
  return ReadScreen(rows, 0);
}

absl::StatusOr<Listed<v1::PartnerScreen>> ListPartnerScreens(sql::Session& session,
                                                             absl::string_view organization_id,
                                                             absl::string_view case_id,
                                                             const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(case_id), sql::Int(after.number),
                            sql::Text(after.id), sql::Int(page.size + 1)}));
  return TakePage<v1::PartnerScreen>(
      rows, page, [&](size_t row) { return ReadScreen(rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 3)};
      });
}

absl::StatusOr<std::vector<v1::PartnerScreen>> ListNewestPartnerScreens(
    sql::Session& session, absl::string_view organization_id, absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kNewest, {sql::Text(organization_id), sql::Text(case_id)}));
  std::vector<v1::PartnerScreen> screens(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    screens[row] = ReadScreen(rows, row);
  }
  return screens;
}

}  // namespace rapport::notes
