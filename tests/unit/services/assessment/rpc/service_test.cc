#include "services/assessment/rpc/service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "common/auth/integrity.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/work/work.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/migrations/migrations.h"
#include "tests/support/postgres/databases.h"

namespace rapport::assessment {
namespace {

using ::testing::SizeIs;

call::CallContext Context() {
  call::CallContext context;
  context.method = "test";
  context.integrity = *auth::IntegrityKey::Parse(std::string(64, '7') + "\n");
  return context;
}

class NoPeer final : public call::Peer {
 public:
  absl::string_view name() const override { return "notes"; }
  absl::Status Call(const call::CallContext&, absl::string_view, const google::protobuf::Message&,
                    google::protobuf::Message&) override {
    return errors::Unavailable("PEER_UNAVAILABLE", "down", "notes");
  }
};

TEST(AssessmentService, AnswersEveryMethodAndStops) {
  const auto database = sql::testing::Sqlite({care::Migrations(), work::Migrations(),
                                              crypto::Migrations(), Migrations()})
                            .make();
  const auto metrics = telemetry::Metrics::Unserved();
  time::ManualClock clock(absl::FromUnixSeconds(1'770'000'000));
  const crypto::Vault vault(*crypto::KeyRing::Make({{"1", std::string(32, 'k')}}));
  NoPeer peer;
  const events::OpenFeed no_feed = [](const common::v1::WatchRequest&) {
    return errors::Unavailable("PEER_UNAVAILABLE", "down", "peer");
  };
  AssessmentService service({.database = *database,
                             .clock = clock,
                             .metrics = *metrics,
                             .vault = vault,
                             .scheduling = peer,
                             .notes = peer,
                             .scheduling_feed = no_feed,
                             .notes_feed = no_feed});
  call::Registry registry;
  service.Register(registry);
  EXPECT_TRUE(registry.Complete().ok()) << registry.Complete();
  EXPECT_THAT(registry.services(), SizeIs(8));
  service.Start();
  service.Stop();
}

TEST(ScoringHandlers, ScoreWithTheNewestOrANamedRevision) {
  const auto database = sql::testing::Sqlite({Migrations()}).make();
  const Catalogues catalogues(ShippedInstruments());
  ScoringHandlers handlers(*database, catalogues);
  v1::ScoreRequest request;
  request.set_instrument("instruments/gad-7");
  for (int item = 1; item <= 7; ++item) {
    request.add_answers()->set_item(item);
    request.mutable_answers(item - 1)->set_value(2);
  }
  const auto scored = handlers.Score(Context(), request);
  ASSERT_TRUE(scored.ok());
  EXPECT_EQ(scored->score().total(), 14);
  EXPECT_EQ(scored->score().severity(), "moderate");
  EXPECT_EQ(scored->score().explanation().instrument(), "instruments/gad-7/revisions/1");
  EXPECT_EQ(scored->score().explanation().figures(0).formula(), "sum(1..7)");

  request.mutable_answers(3)->set_value(4);
  EXPECT_EQ(errors::FieldViolations(handlers.Score(Context(), request).status())[0].field,
            "answers[3].value");
  request.set_instrument("instruments/gad-7/revisions/9");
  EXPECT_EQ(errors::FieldViolations(handlers.Score(Context(), request).status())[0].field,
            "instrument");
}

TEST(InstrumentHandlers, GetAndListInPages) {
  const auto database = sql::testing::Sqlite({Migrations()}).make();
  const Catalogues catalogues(ShippedInstruments());
  InstrumentHandlers handlers(*database, catalogues);
  v1::GetInstrumentRequest get;
  get.set_name("instruments/phq-9");
  EXPECT_EQ(handlers.GetInstrument(Context(), get)->name(), "instruments/phq-9/revisions/1");
  get.set_name("instruments/none");
  EXPECT_TRUE(absl::IsNotFound(handlers.GetInstrument(Context(), get).status()));

  v1::ListInstrumentsRequest list;
  list.set_page_size(30);
  std::vector<std::string> ids;
  int pages = 0;
  do {
    const auto page = handlers.ListInstruments(Context(), list);
    ASSERT_TRUE(page.ok());
    for (const auto& instrument : page->instruments())
      ids.emplace_back(names::Id(instrument.name(), "instruments"));
    list.set_page_token(page->next_page_token());
    ++pages;
  } while (!list.page_token().empty());
  EXPECT_EQ(pages, static_cast<int>(ids.size() + 29) / 30);
  EXPECT_THAT(ids, SizeIs(ShippedInstruments().newest().size()));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

}  // namespace
}  // namespace rapport::assessment
