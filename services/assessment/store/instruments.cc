#include "services/assessment/store/instruments.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kInsert{"assessment.instrument.insert", R"sql(
  INSERT INTO instrument (organization_id, instrument_id, revision, document)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, instrument_id, revision) DO NOTHING)sql"};

const sql::Statement kNewest{"assessment.instrument.newest", R"sql(
  SELECT coalesce(max(revision), 0) FROM instrument
  WHERE organization_id = $1 AND instrument_id = $2)sql"};

const sql::Statement kGet{"assessment.instrument.get", R"sql(
  SELECT document FROM instrument
  WHERE organization_id = $1 AND instrument_id = $2 AND revision = $3)sql"};

const sql::Statement kList{"assessment.instrument.list", R"sql(
  SELECT i.document FROM instrument AS i
  WHERE i.organization_id = $1 AND i.instrument_id > $2
    AND i.revision = (SELECT max(n.revision) FROM instrument AS n
                      WHERE n.organization_id = i.organization_id
                        AND n.instrument_id = i.instrument_id)
  ORDER BY i.instrument_id LIMIT $3)sql"};

const sql::Statement kGetWording{"assessment.instrument_wording.get", R"sql(
  SELECT document, version FROM instrument_wording
  WHERE organization_id = $1 AND wording_id = $2)sql"};

const sql::Statement kInsertWording{"assessment.instrument_wording.insert", R"sql(
  INSERT INTO instrument_wording (organization_id, wording_id, version, document)
  VALUES ($1, $2, 1, $3)
  ON CONFLICT (organization_id, wording_id) DO NOTHING)sql"};

const sql::Statement kUpdateWording{"assessment.instrument_wording.update", R"sql(
  UPDATE instrument_wording SET version = $3, document = $4
  WHERE organization_id = $1 AND wording_id = $2 AND version = $3 - 1)sql"};

absl::Status Overtaken() {
  return errors::Aborted("CONCURRENT_CHANGE", "Another call has changed it meanwhile; read again.");
}

absl::StatusOr<v1::Instrument> Parse(const std::string& document) {
  v1::Instrument instrument;
  if (instrument.ParseFromString(document)) return instrument;
  return errors::Internal("A stored document is no instrument.");
}

}  // namespace

absl::Status InsertInstrument(sql::Transaction& tx, const v1::Instrument& instrument) {
  int revision = 0;
  if (!absl::SimpleAtoi(names::Id(instrument.name(), "revisions"), &revision)) revision = 0;
  ASSIGN_OR_RETURN(
      const sql::Result written,
      tx.Query(kInsert, {sql::Text(names::OrganizationId(instrument.name())),
                         sql::Text(names::Id(instrument.name(), "instruments")), sql::Int(revision),
                         sql::Bytes(instrument.SerializeAsString())}));
  return written.affected() == 1 ? absl::OkStatus() : Overtaken();
}

absl::StatusOr<int> NewestRevision(sql::Session& session, absl::string_view organization_id,
                                   absl::string_view instrument_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kNewest, {sql::Text(organization_id), sql::Text(instrument_id)}));
  return static_cast<int>(rows.Int(0, 0));
}

absl::StatusOr<std::optional<v1::Instrument>> GetInstrument(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view instrument_id,
                                                            int revision) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(organization_id), sql::Text(instrument_id),
                                        sql::Int(revision)}));
  if (rows.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(v1::Instrument instrument, Parse(rows.Bytes(0, 0)));
  return instrument;
}

absl::StatusOr<std::vector<v1::Instrument>> ListInstruments(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view after, int limit) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kList, {sql::Text(organization_id), sql::Text(after), sql::Int(limit)}));
  std::vector<v1::Instrument> instruments;
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(v1::Instrument instrument, Parse(rows.Bytes(row, 0)));
    instruments.push_back(std::move(instrument));
  }
  return instruments;
}

absl::StatusOr<std::optional<StoredWording>> GetWording(sql::Session& session,
                                                        absl::string_view name) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetWording, {sql::Text(names::OrganizationId(name)),
                                               sql::Text(names::Last(name))}));
  if (rows.empty()) return std::nullopt;
  StoredWording stored;
  if (!stored.wording.ParseFromString(rows.Bytes(0, 0))) {
    return errors::Internal("A stored document is no wording.");
  }
  stored.version = rows.Int(0, 1);
  stored.wording.set_etag(call::Etag(stored.version));
  return stored;
}

absl::Status PutWording(sql::Transaction& tx, const v1::InstrumentWording& wording,
                        int64_t version) {
  const sql::Value organization = sql::Text(names::OrganizationId(wording.name()));
  const sql::Value id = sql::Text(names::Last(wording.name()));
  const sql::Value document = sql::Bytes(Document(wording));
  ASSIGN_OR_RETURN(const sql::Result written,
                   version == 1
                       ? tx.Query(kInsertWording, {organization, id, document})
                       : tx.Query(kUpdateWording, {organization, id, sql::Int(version), document}));
  if (written.affected() == 1) return absl::OkStatus();
  return Overtaken();
}

std::string Document(const v1::InstrumentWording& wording) {
  v1::InstrumentWording stored = wording;
  stored.clear_etag();
  return stored.SerializeAsString();
}

}  // namespace rapport::assessment::store
