#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_INSTRUMENTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_INSTRUMENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/instrument.pb.h"

// Organisations' own instruments, and the wordings that they loaded.
namespace rapport::assessment::store {

// Inserts a revision.
//   kAborted CONCURRENT_CHANGE  it is there already: another call made it meanwhile
absl::Status InsertInstrument(sql::Transaction& tx, const v1::Instrument& instrument);

// The newest revision of an own instrument; 0: there is none.
absl::StatusOr<int> NewestRevision(sql::Session& session, absl::string_view organization_id,
                                   absl::string_view instrument_id);

// Nothing where there is none.
absl::StatusOr<std::optional<v1::Instrument>> GetInstrument(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view instrument_id,
                                                            int revision);

// The newest revision of each, by id, those after `after`.
absl::StatusOr<std::vector<v1::Instrument>> ListInstruments(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view after, int limit);

struct StoredWording {
  v1::InstrumentWording wording;  // with its etag
  int64_t version = 0;
};

// By name; nothing where none was loaded.
absl::StatusOr<std::optional<StoredWording>> GetWording(sql::Session& session,
                                                        absl::string_view name);

// Writes version `version` of a wording; the first is 1.
//   kAborted CONCURRENT_CHANGE  another write was first
absl::Status PutWording(sql::Transaction& tx, const v1::InstrumentWording& wording,
                        int64_t version);

std::string Document(const v1::InstrumentWording& wording);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_INSTRUMENTS_H_
