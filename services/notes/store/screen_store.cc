#include "services/notes/store/screen_store.h"

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsert{"notes.partner_screen.insert", R"sql(
  INSERT INTO partner_screen (organization_id, case_id, screen_id, patient, create_time, document,
                              subject)
  VALUES ($1, $2, $3, $4, $5, $6, $4))sql"};

const sql::Statement kCountersign{"notes.partner_screen.countersign", R"sql(
  INSERT INTO partner_screen_countersign (organization_id, case_id, screen_id, document, subject)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT DO NOTHING)sql"};

#define SCREEN_COLUMNS "SELECT s.document, k.document, s.create_time, s.screen_id, s.subject"
#define SCREEN_FROM                                                     \
  " FROM partner_screen s LEFT JOIN partner_screen_countersign k"       \
  " ON k.organization_id = s.organization_id AND k.case_id = s.case_id" \
  " AND k.screen_id = s.screen_id WHERE s.organization_id = $1 AND s.case_id = $2 "

const sql::Statement kGet{"notes.partner_screen.get",
                          SCREEN_COLUMNS SCREEN_FROM "AND s.screen_id = $3"};

const sql::Statement kList{"notes.partner_screen.list", SCREEN_COLUMNS SCREEN_FROM
                           "AND (s.create_time, s.screen_id) < ($3, $4)"
                           " ORDER BY s.create_time DESC, s.screen_id DESC LIMIT $5"};

const sql::Statement kNewest{"notes.partner_screen.newest", SCREEN_COLUMNS SCREEN_FROM
                             "AND NOT EXISTS (SELECT 1 FROM partner_screen n"
                             " WHERE n.organization_id = $1 AND n.case_id = $2"
                             " AND n.patient = s.patient"
                             " AND (n.create_time, n.screen_id) > (s.create_time, s.screen_id))"};

// The countersignature is sealed as the screen's second version.
absl::StatusOr<v1::PartnerScreen> ReadScreen(crypto::Opener& opener,
                                             absl::string_view organization_id,
                                             absl::string_view case_id, const sql::Result& rows,
                                             size_t row) {
  SealedPlace place{rows.Text(row, 4),
                    names::Make({{"organizations", organization_id},
                                 {"cases", case_id},
                                 {"partnerScreens", rows.Text(row, 3)}}),
                    1};
  ASSIGN_OR_RETURN(auto screen,
                   UnsealOrErased<v1::PartnerScreen>(opener, place, rows.Bytes(row, 0)));
  screen.set_name(place.name);
  screen.set_patient(place.subject);
  *screen.mutable_create_time() = time::ToTimestamp(rows.Time(row, 2));
  if (screen.erased() || rows.IsNull(row, 1)) return screen;
  place.version = 2;
  ASSIGN_OR_RETURN(*screen.mutable_countersignature(),
                   Unseal<v1::ScreenCountersignature>(opener, place, rows.Bytes(row, 1)));
  return screen;
}

}  // namespace

absl::StatusOr<std::string> InsertPartnerScreen(sql::Transaction& tx, const crypto::Vault& vault,
                                                const v1::PartnerScreen& screen) {
  const std::string& name = screen.name();
  const absl::Time now = time::ToTime(screen.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, {screen.patient(), name, 1}, screen, now));
  RETURN_IF_ERROR(
      tx.Query(kInsert, {sql::Text(names::OrganizationId(name)),
                         sql::Text(names::Id(name, "cases")), sql::Text(names::Last(name)),
                         sql::Text(screen.patient()), sql::Micros(now), sealed})
          .status());
  return StoredBytes(sealed);
}

absl::StatusOr<std::string> CountersignPartnerScreen(sql::Transaction& tx,
                                                     const crypto::Vault& vault,
                                                     const v1::PartnerScreen& screen,
                                                     const v1::ScreenCountersignature& signature) {
  const std::string& name = screen.name();
  ASSIGN_OR_RETURN(const sql::Value sealed, Seal(tx, vault, {screen.patient(), name, 2}, signature,
                                                 time::ToTime(signature.sign_time())));
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kCountersign,
               {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                sql::Text(names::Last(name)), sealed, sql::Text(screen.patient())}));
  if (result.affected() == 1) return StoredBytes(sealed);
  return errors::FailedPrecondition("ALREADY_COUNTERSIGNED",
                                    "The screen is countersigned already; record another.");
}

absl::StatusOr<v1::PartnerScreen> GetPartnerScreen(sql::Session& session,
                                                   const crypto::Vault& vault,
                                                   absl::string_view name) {
  const absl::string_view organization_id = names::OrganizationId(name);
  const absl::string_view case_id = names::Id(name, "cases");
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(organization_id), sql::Text(case_id),
                                        sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("PartnerScreen");
  crypto::Opener opener(vault, session);
  return ReadScreen(opener, organization_id, case_id, rows, 0);
}

absl::StatusOr<Listed<v1::PartnerScreen>> ListPartnerScreens(sql::Session& session,
                                                             const crypto::Vault& vault,
                                                             absl::string_view organization_id,
                                                             absl::string_view case_id,
                                                             const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(case_id), sql::Int(after.number),
                            sql::Text(after.id), sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::PartnerScreen>(
      rows, page,
      [&](size_t row) { return ReadScreen(opener, organization_id, case_id, rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 2), rows.Text(row, 3)};
      });
}

absl::StatusOr<std::vector<v1::PartnerScreen>> ListNewestPartnerScreens(
    sql::Session& session, const crypto::Vault& vault, absl::string_view organization_id,
    absl::string_view case_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kNewest, {sql::Text(organization_id), sql::Text(case_id)}));
  crypto::Opener opener(vault, session);
  std::vector<v1::PartnerScreen> screens(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(screens[row], ReadScreen(opener, organization_id, case_id, rows, row));
  }
  return screens;
}

}  // namespace rapport::notes
