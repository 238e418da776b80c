#include "services/assessment/rpc/instrument_handlers.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/assessment/v1/events.pb.h"
#include "services/assessment/store/instruments.h"

namespace rapport::assessment {
namespace {

// First parts of page keys: an organisation's own come first.
constexpr absl::string_view kOwn = "own";
constexpr absl::string_view kShipped = "shipped";

v1::InstrumentEvent EventOf(absl::string_view name) {
  v1::InstrumentEvent event;
  event.set_instrument(std::string(name));
  return event;
}

// Whether the wording fits the instrument, by field below "wording".
absl::Status CheckWording(const v1::InstrumentWording& wording, const InstrumentRules& rules) {
  std::vector<errors::FieldViolation> violations;
  std::set<int> seen;
  for (int i = 0; i < wording.items_size(); ++i) {
    const v1::ItemWording& item = wording.items(i);
    const std::string field = absl::StrCat("wording.items[", i, "]");
    if (item.number() < 1 || item.number() > rules.items()) {
      violations.push_back({absl::StrCat(field, ".number"),
                            absl::StrCat("must be an item of ", rules.instrument().name())});
      continue;
    }
    if (!seen.insert(item.number()).second) {
      violations.push_back({absl::StrCat(field, ".number"), "must be there once"});
    }
    const v1::InstrumentItem& rule = rules.item(item.number());
    const int codes = rule.codes().empty() ? rule.max() - rule.min() + 1 : rule.codes_size();
    if (!item.options().empty() && item.options_size() != codes) {
      violations.push_back({absl::StrCat(field, ".options"),
                            absl::StrCat("must be ", codes, ", one for each code of the item")});
    }
  }
  if (rules.instrument().licence() != v1::LICENCE_PUBLIC_DOMAIN &&
      wording.licence_reference().empty()) {
    violations.push_back({"wording.licence_reference",
                          "must say by what right this wording is used: it is not in the public "
                          "domain"});
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  return absl::OkStatus();
}

}  // namespace

void InstrumentHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.InstrumentService", this)
      .Unary("GetInstrument", &InstrumentHandlers::GetInstrument)
      .Unary("ListInstruments", &InstrumentHandlers::ListInstruments)
      .Unary("CreateInstrument", &InstrumentHandlers::CreateInstrument)
      .Unary("SetInstrumentWording", &InstrumentHandlers::SetInstrumentWording)
      .Unary("GetInstrumentWording", &InstrumentHandlers::GetInstrumentWording);
}

absl::StatusOr<v1::Instrument> InstrumentHandlers::GetInstrument(
    const call::CallContext& context, const v1::GetInstrumentRequest& request) {
  if (const InstrumentRules* shipped = catalogues_.shipped().Find(request.name())) {
    return shipped->instrument();
  }
  if (names::OrganizationId(request.name()) != context.organization_id) {
    return errors::NotFound("Instrument");
  }
  return call::Read<v1::Instrument>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::Instrument> {
        ASSIGN_OR_RETURN(const std::shared_ptr<const InstrumentRules> own,
                         catalogues_.Find(session, context.organization_id, request.name()));
        if (own == nullptr) return errors::NotFound("Instrument");
        return own->instrument();
      });
}

absl::StatusOr<v1::ListInstrumentsResponse> InstrumentHandlers::ListInstruments(
    const call::CallContext& context, const v1::ListInstrumentsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  const auto [list, after] = call::SplitKey(page.after);
  v1::ListInstrumentsResponse response;
  std::string last;
  // False where the page is full.
  const auto add = [&](absl::string_view from, absl::string_view id,
                       const v1::Instrument& instrument) {
    if (response.instruments_size() == page.size) {
      response.set_next_page_token(call::NextPageToken(context, last));
      return false;
    }
    *response.add_instruments() = instrument;
    last = call::JoinKey(from, id);
    return true;
  };

  if (!request.parent().empty() && list != kShipped) {
    std::vector<v1::Instrument> own;
    RETURN_IF_ERROR(database_.Read(
        sql::Access::Tenant(context.organization_id), context.deadline,
        [&, after = absl::string_view(after)](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(
              own, store::ListInstruments(session, context.organization_id, after, page.size + 1));
          return absl::OkStatus();
        }));
    for (const v1::Instrument& instrument : own) {
      if (!add(kOwn, names::Id(instrument.name(), "instruments"), instrument)) return response;
    }
  }
  const absl::string_view shipped_after = list == kShipped ? absl::string_view(after) : "";
  for (const InstrumentRules* rules : catalogues_.shipped().newest()) {
    if (rules->id() <= shipped_after) continue;
    if (!add(kShipped, rules->id(), rules->instrument())) break;
  }
  return response;
}

absl::StatusOr<v1::Instrument> InstrumentHandlers::CreateInstrument(
    const call::CallContext& context, const v1::CreateInstrumentRequest& request) {
  if (catalogues_.shipped().FindById(request.instrument_id()) != nullptr) {
    return errors::AlreadyExists("Instrument",
                                 absl::StrCat("instruments/", request.instrument_id()));
  }
  const auto next = [&](sql::Session& session) -> absl::StatusOr<v1::Instrument> {
    ASSIGN_OR_RETURN(const int newest, store::NewestRevision(session, context.organization_id,
                                                             request.instrument_id()));
    v1::Instrument instrument = request.instrument();
    instrument.set_name(names::Make({{"organizations", context.organization_id},
                                     {"instruments", request.instrument_id()},
                                     {"revisions", absl::StrCat(newest + 1)}}));
    *instrument.mutable_create_time() = time::ToTimestamp(context.now);
    RETURN_IF_ERROR(InstrumentRules::Make(instrument).status());
    return instrument;
  };
  if (request.validate_only()) return call::Read<v1::Instrument>(database_, context, next);
  return call::Mutate<v1::Instrument>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::Instrument> {
        ASSIGN_OR_RETURN(const std::shared_ptr<const InstrumentRules> made,
                         catalogues_.Find(session, context.organization_id, name));
        if (made == nullptr) return errors::NotFound("Instrument");
        return made->instrument();
      },
      [&](call::Change& change) -> absl::StatusOr<v1::Instrument> {
        ASSIGN_OR_RETURN(v1::Instrument instrument, next(change.tx()));
        RETURN_IF_ERROR(store::InsertInstrument(change.tx(), instrument));
        change.Record(instrument.name(), 1, EventOf(instrument.name()),
                      instrument.SerializeAsString());
        return instrument;
      });
}

absl::StatusOr<v1::InstrumentWording> InstrumentHandlers::SetInstrumentWording(
    const call::CallContext& context, const v1::SetInstrumentWordingRequest& request) {
  const v1::InstrumentWording& given = request.wording();
  const std::string name =
      names::InOrganization(context.organization_id, "instrumentWordings",
                            absl::StrCat(given.instrument(), ".", given.language()));
  return call::Mutate<v1::InstrumentWording>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view) -> absl::StatusOr<v1::InstrumentWording> {
        ASSIGN_OR_RETURN(std::optional<store::StoredWording> stored,
                         store::GetWording(session, name));
        if (!stored) return errors::NotFound("InstrumentWording");
        return std::move(stored->wording);
      },
      [&](call::Change& change) -> absl::StatusOr<v1::InstrumentWording> {
        ASSIGN_OR_RETURN(
            const std::shared_ptr<const InstrumentRules> rules,
            catalogues_.FindById(change.tx(), context.organization_id, given.instrument()));
        if (rules == nullptr) {
          return errors::InvalidArgument("wording.instrument",
                                         "must be the id of an instrument, as phq-9");
        }
        RETURN_IF_ERROR(CheckWording(given, *rules));
        ASSIGN_OR_RETURN(const std::optional<store::StoredWording> stored,
                         store::GetWording(change.tx(), name));
        const int64_t version = stored ? stored->version : 0;
        RETURN_IF_ERROR(call::CheckEtag(given.etag(), version));
        v1::InstrumentWording wording = given;
        wording.set_name(name);
        RETURN_IF_ERROR(store::PutWording(change.tx(), wording, version + 1));
        wording.set_etag(call::Etag(version + 1));
        change.Record(name, version + 1, EventOf(rules->instrument().name()),
                      store::Document(wording));
        return wording;
      });
}

absl::StatusOr<v1::InstrumentWording> InstrumentHandlers::GetInstrumentWording(
    const call::CallContext& context, const v1::GetInstrumentWordingRequest& request) {
  return call::Read<v1::InstrumentWording>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::InstrumentWording> {
        ASSIGN_OR_RETURN(std::optional<store::StoredWording> stored,
                         store::GetWording(session, request.name()));
        if (!stored) return errors::NotFound("InstrumentWording");
        return std::move(stored->wording);
      });
}

}  // namespace rapport::assessment
