#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/call/mutate.h"
#include "services/scheduling/rpc/protocols.h"
#include "services/scheduling/store/protocol_store.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

constexpr char kShort[] = "organizations/acme/protocols/classic-short/revisions/1";

class ProtocolsTest : public SchedulingTest {
 protected:
  static v1::CreateProtocolRevisionRequest Revision(const std::string& id,
                                                    const std::string& organization = "acme") {
    v1::CreateProtocolRevisionRequest request;
    request.set_parent("organizations/" + organization);
    request.set_protocol_id(id);
    *request.mutable_protocol() = *ShippedProtocols().Find("protocols/classic/revisions/1");
    request.mutable_protocol()->set_display_name("Ours");
    return request;
  }

  absl::StatusOr<v1::Protocol> Create(const v1::CreateProtocolRevisionRequest& request,
                                      const std::string& organization = "acme") {
    Who who = admin_;
    who.organization = organization;
    return Do(&ProtocolHandlers::CreateProtocolRevision, who, request);
  }

  absl::StatusOr<v1::Protocol> Get(const std::string& name) {
    v1::GetProtocolRequest request;
    request.set_name(name);
    return Do(&ProtocolHandlers::GetProtocol, anna_, request);
  }

  // The names on each page.
  std::vector<std::vector<std::string>> Pages(int page_size, const Who& who) {
    std::vector<std::vector<std::string>> pages;
    v1::ListProtocolsRequest request;
    request.set_page_size(page_size);
    do {
      const auto response = Do(&ProtocolHandlers::ListProtocols, who, request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      pages.emplace_back();
      for (const auto& protocol : response->protocols()) pages.back().push_back(protocol.name());
      request.set_page_token(response->next_page_token());
    } while (!request.page_token().empty());
    return pages;
  }

  absl::StatusOr<std::shared_ptr<const v1::Protocol>> Find(const Protocols& protocols,
                                                           const std::string& name) {
    return call::Read<std::shared_ptr<const v1::Protocol>>(
        *database_, Context(anna_, v1::GetProtocolRequest()),
        [&](sql::Session& session) { return protocols.Find(session, name); });
  }
};
INSTANTIATE_ON_ENGINES(ProtocolsTest);

TEST_P(ProtocolsTest, AnOrganizationMakesItsOwnRevisionsOneAfterAnother) {
  const auto first = Create(Revision("classic-short"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->name(), kShort);
  EXPECT_EQ(first->display_name(), "Ours");
  EXPECT_EQ(absl::FromUnixSeconds(first->create_time().seconds()), now_);

  auto request = Revision("classic-short");
  request.mutable_protocol()->set_display_name("Ours, second");
  const auto second = Create(request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->name(), "organizations/acme/protocols/classic-short/revisions/2");

  const auto read = Get(kShort);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), first->SerializeAsString()) << "the first has not changed";
  EXPECT_EQ(Get(second->name())->display_name(), "Ours, second");
}

TEST_P(ProtocolsTest, ARepeatedRequestMakesOneRevision) {
  auto request = Revision("classic-short");
  request.set_request_id("01hzzzzzzzzzzzzzzzzzzzzzzz");
  const auto first = Create(request);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Create(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Get("organizations/acme/protocols/classic-short/revisions/2").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(ProtocolsTest, ValidatingAnswersWhatWouldBeMadeAndMakesNothing) {
  auto request = Revision("classic-short");
  request.set_validate_only(true);
  const auto made = Create(request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->name(), kShort);
  EXPECT_EQ(Get(kShort).status().code(), absl::StatusCode::kNotFound);
  for (const common::v1::Event& event : Events()) {
    EXPECT_EQ(event.resource().find("/protocols/"), std::string::npos);
  }

  request.mutable_protocol()->set_max_weeks(3);
  EXPECT_EQ(Create(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(ProtocolsTest, EachFaultIsNamedWithItsField) {
  auto request = Revision("classic-short");
  request.mutable_protocol()->set_max_weeks(3);
  request.mutable_protocol()->mutable_phases(1)->set_first_session(5);
  request.mutable_protocol()->clear_display_name();
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(Create(request).status())) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields, Contains("protocol.max_weeks"));
  EXPECT_THAT(fields, Contains("protocol.phases[1].first_session"));
  EXPECT_THAT(fields, Contains("protocol.display_name"));
  EXPECT_EQ(Get(kShort).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(ProtocolsTest, AShippedIdIsRefused) {
  const absl::Status refused = Create(Revision("classic")).status();
  EXPECT_EQ(errors::Reason(refused), "PROTOCOL_ID_SHIPPED");
  EXPECT_EQ(errors::MetadataValue(refused, "protocol_id"), "classic");
}

TEST_P(ProtocolsTest, ARevisionIsToldInTheFeedWithItsKind) {
  ASSERT_TRUE(Create(Revision("classic-short")).ok());
  const common::v1::Event event = Events().back();
  EXPECT_EQ(event.resource(), kShort);
  v1::ProtocolRevisionEvent payload;
  ASSERT_TRUE(event.payload().UnpackTo(&payload));
  EXPECT_EQ(payload.kind(), v1::COURSE_KIND_INDIVIDUAL);
}

TEST_P(ProtocolsTest, ShippedOnesAreListedBeforeTheOrganizationsOwnNewestEach) {
  for (const char* id : {"zeta", "classic-short", "alpha", "alpha"}) {
    ASSERT_TRUE(Create(Revision(id)).ok());
  }
  std::vector<std::string> expected;
  for (const v1::Protocol* shipped : ShippedProtocols().Newest("", 500)) {
    expected.push_back(shipped->name());
  }
  const size_t shipped = expected.size();
  for (const char* own : {"alpha/revisions/2", "classic-short/revisions/1", "zeta/revisions/1"}) {
    expected.push_back(absl::StrCat("organizations/acme/protocols/", own));
  }
  for (const size_t page_size :
       {size_t{1}, size_t{2}, shipped - 1, shipped, shipped + 1, shipped + 3, size_t{500}}) {
    std::vector<std::string> all;
    for (const auto& page : Pages(static_cast<int>(page_size), anna_)) {
      EXPECT_LE(page.size(), page_size);
      EXPECT_THAT(page, ::testing::Not(IsEmpty()));
      all.insert(all.end(), page.begin(), page.end());
    }
    EXPECT_EQ(all, expected) << page_size;
  }
  Who nobody = platform_;
  EXPECT_EQ(Pages(500, nobody)[0].size(), shipped) << "of no organisation";
}

TEST_P(ProtocolsTest, AnOrganizationSeesNoOther) {
  ASSERT_TRUE(Create(Revision("classic-short")).ok());
  MakeOrganization("other");
  Who theirs = anna_;
  theirs.organization = "other";
  for (const auto& page : Pages(500, theirs)) {
    for (const std::string& name : page) EXPECT_EQ(name.find("organizations/"), std::string::npos);
  }
  const auto made = Create(Revision("classic-short", "other"), "other");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->name(), "organizations/other/protocols/classic-short/revisions/1");
}

TEST_P(ProtocolsTest, TheLookupFindsShippedAndOwnOnesAndKeepsThem) {
  ASSERT_TRUE(Create(Revision("classic-short")).ok());
  const Protocols protocols(ShippedProtocols(), 2);
  const auto shipped = Find(protocols, "protocols/classic/revisions/1");
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  EXPECT_EQ(shipped->get(), ShippedProtocols().Find("protocols/classic/revisions/1"));
  const auto own = Find(protocols, kShort);
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ((*own)->display_name(), "Ours");
  EXPECT_EQ(Find(protocols, kShort)->get(), own->get()) << "read once";
  for (const char* absent : {"protocols/classic/revisions/2", "protocols/classic/revisions/01",
                             "organizations/acme/protocols/classic-short/revisions/2",
                             "organizations/acme/protocols/classic-short/revisions/01",
                             "organizations/acme/protocols/classic/revisions/1"}) {
    EXPECT_EQ(Find(protocols, absent).status().code(), absl::StatusCode::kNotFound) << absent;
  }
}

TEST_P(ProtocolsTest, TheLookupForgetsTheLeastUsedWhenFullAndReadsAgain) {
  std::vector<std::string> names;
  const Protocols protocols(ShippedProtocols(), 1);
  for (const char* id : {"one", "two", "three"}) {
    const auto made = Create(Revision(id));
    ASSERT_TRUE(made.ok()) << made.status();
    names.push_back(made->name());
  }
  for (int round = 0; round < 2; ++round) {
    for (const std::string& name : names) {
      const auto found = Find(protocols, name);
      ASSERT_TRUE(found.ok()) << found.status();
      EXPECT_EQ((*found)->name(), name);
    }
  }
}

TEST_P(ProtocolsTest, ARevisionThatCameFirstIsALostRace) {
  ASSERT_TRUE(Create(Revision("classic-short")).ok());
  v1::Protocol taken = *Get(kShort);
  const absl::Status lost =
      database_->Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
                       [&](sql::Transaction& tx) { return store::InsertProtocol(tx, taken); });
  EXPECT_EQ(lost.code(), absl::StatusCode::kAborted) << lost;
  EXPECT_EQ(errors::Reason(lost), "LOST_RACE");
}

TEST_P(ProtocolsTest, RevisionsMadeAtOnceAreNumberedWithoutGap) {
  constexpr int kClients = 4;
  std::vector<std::string> names(kClients);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const auto request = Revision("classic-short");
      const auto made = protocols_.CreateProtocolRevision(Context(admin_, request), request);
      if (made.ok()) names[i] = made->name();
    });
  }
  for (std::thread& client : clients) client.join();
  std::sort(names.begin(), names.end());
  std::vector<std::string> expected;
  for (int i = 1; i <= kClients; ++i) {
    expected.push_back(absl::StrCat("organizations/acme/protocols/classic-short/revisions/", i));
  }
  EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace rapport::scheduling
