#include "common/auditing/audit_handlers.h"

#include "common/auditing/anchorer.h"
#include "common/auth/integrity.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "nlohmann/json.hpp"
#include "tests/conformance/audit/fixture.h"

namespace rapport::auditing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditHandlersTest : public audit::testing::AuditTest {
 protected:
  // What a caller's request binds page tokens to.
  call::CallContext Context(const std::string& request = "") const {
    auth::Principal principal;
    principal.subject = "officer";
    principal.organization_id = "acme";
    principal.roles = {"privacy_officer"};
    call::CallContext context;
    context.principal = std::make_shared<auth::Principal>(principal);
    context.organization_id = "acme";
    context.method = "rapport.common.v1.AuditService/Test";
    context.deadline = absl::Now() + absl::Seconds(60);
    context.now = now_;
    context.request_fingerprint = request;
    context.integrity = integrity_;
    return context;
  }

  void Tell(audit::Kind kind, const std::string& resource, const std::string& principal) {
    Write([&](sql::Transaction& tx) {
      audit::Entry entry = EntryOf(resource, 0);
      entry.kind = kind;
      entry.principal = principal;
      audit::Append(tx, entry, "");
      return absl::OkStatus();
    });
  }

  // "ada CHANGE p1 v2" of all that fit, page by page.
  std::vector<std::string> Listed(common::v1::ListAuditEntriesRequest request = {}) {
    request.set_parent("organizations/acme");
    std::vector<std::string> listed;
    do {
      const auto response = handlers_.ListAuditEntries(Context(), request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) return listed;
      for (const common::v1::AuditEntry& entry : response->entries()) {
        static const char* const kKinds[] = {"", "CHANGE", "ACCESS", "DENIAL", "ERASURE"};
        listed.push_back(absl::StrCat(entry.principal(), " ", kKinds[entry.kind()], " ",
                                      names::Last(entry.resource()), " v", entry.version()));
        EXPECT_EQ(audit::LeafHash(entry.leaf().encoded(), entry.leaf().salt(),
                                  entry.leaf().content_hash()),
                  entry.leaf().leaf_hash());
      }
      request.set_page_token(response->next_page_token());
    } while (!request.page_token().empty());
    return listed;
  }

  std::shared_ptr<const auth::IntegrityKey> integrity_ = *auth::IntegrityKey::Parse(
      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  Anchorer anchorer_{*database_, signer_, *anchors_, nullptr};
  AuditHandlers handlers_{*database_, signer_, *anchors_, audit::testing::PaperKinds()};
};

TEST_P(AuditHandlersTest, ListsByResourceAndAllBelowByPrincipalByKindAndByTime) {
  Put("p1", 1, "text");
  PutPage("p1", 1, "page");
  Put("p10", 1, "text");
  Put("p1", 1, "text", "beta");
  Tell(audit::Kind::kAccess, PaperName("p1"), "bob");
  now_ += absl::Hours(1);
  Tell(audit::Kind::kDenial, PageName("p1"), "cy");
  SequenceAll();

  EXPECT_THAT(Listed(), ElementsAre("cy DENIAL all v0", "bob ACCESS p1 v0", "ada CHANGE p10 v1",
                                    "ada CHANGE all v1", "ada CHANGE p1 v1"));
  common::v1::ListAuditEntriesRequest paged;
  paged.set_page_size(2);
  EXPECT_EQ(Listed(paged), Listed());
  common::v1::ListAuditEntriesRequest request;
  request.set_resource(PaperName("p1"));
  EXPECT_THAT(Listed(request), ElementsAre("cy DENIAL all v0", "bob ACCESS p1 v0",
                                           "ada CHANGE all v1", "ada CHANGE p1 v1"));
  request.set_principal("ada");
  EXPECT_THAT(Listed(request), ElementsAre("ada CHANGE all v1", "ada CHANGE p1 v1"));
  request.Clear();
  request.set_principal("ada");
  EXPECT_EQ(Listed(request).size(), 3u);
  request.Clear();
  request.add_kinds(common::v1::AUDIT_KIND_ACCESS);
  request.add_kinds(common::v1::AUDIT_KIND_DENIAL);
  EXPECT_THAT(Listed(request), ElementsAre("cy DENIAL all v0", "bob ACCESS p1 v0"));
  *request.mutable_start_time() = time::ToTimestamp(now_);
  EXPECT_THAT(Listed(request), ElementsAre("cy DENIAL all v0"));
  request.clear_start_time();
  *request.mutable_end_time() = time::ToTimestamp(now_);
  EXPECT_THAT(Listed(request), ElementsAre("bob ACCESS p1 v0"));
  request.Clear();
  request.set_resource("organizations/beta/papers/p1");
  EXPECT_THAT(Listed(request), IsEmpty());
}

TEST_P(AuditHandlersTest, IsExportedAsFhirByTheSamePages) {
  Put("p1", 1, "text");
  Put("p1", 2, "text");
  Tell(audit::Kind::kDenial, PaperName("p1"), "cy");
  Write([&](sql::Transaction& tx) {
    audit::Entry entry = EntryOf(PaperName("p1"), 0);
    entry.kind = audit::Kind::kAccess;
    entry.principal = "eve";
    entry.purpose = "break-glass: organizations/acme/cases/c/breakGlasses/b";
    entry.count = 3;
    audit::Append(tx, entry, "");
    return absl::OkStatus();
  });
  Put("p2", 1, "text");
  SequenceAll();

  common::v1::ExportAuditEventsRequest request;
  request.set_parent("organizations/acme");
  request.set_resource(PaperName("p1"));
  request.set_page_size(3);
  const auto page = handlers_.ExportAuditEvents(Context(), request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->resources(), 3);
  EXPECT_EQ(page->sha256(), auth::Sha256(page->bundle()));
  const auto bundle = nlohmann::json::parse(page->bundle());
  EXPECT_EQ(bundle["type"], "collection");
  ASSERT_EQ(bundle["entry"].size(), 3u);
  const auto& glass = bundle["entry"][0]["resource"];
  EXPECT_EQ(glass["resourceType"], "AuditEvent");
  EXPECT_EQ(bundle["entry"][0]["fullUrl"],
            "https://rapport.invalid/fhir/acme/AuditEvent/" + glass["id"].get<std::string>());
  EXPECT_EQ(glass["action"], "R");
  EXPECT_EQ(glass["outcome"], "0");
  EXPECT_EQ(glass["purposeOfEvent"][0]["coding"][0]["code"], "BTG");
  EXPECT_EQ(glass["agent"][0]["who"]["identifier"]["value"], "eve");
  EXPECT_EQ(glass["agent"][0]["requestor"], true);
  EXPECT_EQ(glass["entity"][0]["what"]["identifier"]["value"], PaperName("p1"));
  EXPECT_EQ(glass["recorded"], absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", now_, absl::UTCTimeZone()));
  const auto& denial = bundle["entry"][1]["resource"];
  EXPECT_EQ(denial["outcome"], "4");
  EXPECT_EQ(denial["action"], "E");
  EXPECT_FALSE(denial.contains("purposeOfEvent"));
  EXPECT_EQ(bundle["entry"][2]["resource"]["action"], "U");

  request.set_page_token(page->next_page_token());
  const auto rest = handlers_.ExportAuditEvents(Context(), request);
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(rest->next_page_token(), "");
  const auto last = nlohmann::json::parse(rest->bundle());
  ASSERT_EQ(last["entry"].size(), 1u);
  EXPECT_EQ(last["entry"][0]["resource"]["action"], "C");

  request.clear_page_token();
  request.set_resource(PaperName("none"));
  const auto none = handlers_.ExportAuditEvents(Context(), request);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->resources(), 0);
  EXPECT_FALSE(nlohmann::json::parse(none->bundle()).contains("entry"));
}

TEST_P(AuditHandlersTest, ASignedHeadAndItsProofsFitTogether) {
  for (int version = 1; version <= 33; ++version) Put("p", version, "text");
  SequenceAll();
  common::v1::GetSignedHeadRequest of;
  of.set_parent("organizations/acme");
  const auto early = handlers_.GetSignedHead(Context(), of);
  ASSERT_TRUE(early.ok()) << early.status();
  for (int version = 34; version <= 50; ++version) Put("p", version, "text");
  SequenceAll();
  const auto head = handlers_.GetSignedHead(Context(), of);
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->tree_size(), 50);
  EXPECT_TRUE(audit::IsTrusted(FromProto(*head), *signer_.trusted()));
  EXPECT_EQ(ToProto(FromProto(*head)).SerializeAsString(), head->SerializeAsString());

  common::v1::GetInclusionProofRequest entry;
  entry.set_name("organizations/acme/auditEntries/20");
  for (const auto& [size, root] :
       {std::make_pair(int64_t{0}, head->root_hash()), {33, early->root_hash()}}) {
    entry.set_tree_size(size);
    const auto proof = handlers_.GetInclusionProof(Context(), entry);
    ASSERT_TRUE(proof.ok()) << proof.status();
    EXPECT_TRUE(audit::ProvesInclusion(20, proof->tree_size(), proof->leaf_hash(),
                                       {proof->path().begin(), proof->path().end()}, root));
    EXPECT_EQ(proof->root_hash(), root);
  }
  common::v1::GetConsistencyProofRequest grown;
  grown.set_parent("organizations/acme");
  grown.set_first_size(33);
  const auto proof = handlers_.GetConsistencyProof(Context(), grown);
  ASSERT_TRUE(proof.ok()) << proof.status();
  EXPECT_TRUE(audit::ProvesConsistency(33, early->root_hash(), 50, head->root_hash(),
                                       {proof->path().begin(), proof->path().end()}));
}

TEST_P(AuditHandlersTest, RefusesProofsOfWhatIsNotInTheTree) {
  Put("p", 1, "text");
  SequenceAll();
  common::v1::GetInclusionProofRequest entry;
  for (const char* name : {"organizations/acme/auditEntries/1", "organizations/acme/auditEntries/x",
                           "organizations/acme/auditEntries/-1"}) {
    entry.set_name(name);
    EXPECT_EQ(handlers_.GetInclusionProof(Context(), entry).status().code(),
              absl::StatusCode::kNotFound)
        << name;
  }
  entry.set_name("organizations/acme/auditEntries/0");
  entry.set_tree_size(2);
  EXPECT_EQ(handlers_.GetInclusionProof(Context(), entry).status().code(),
            absl::StatusCode::kInvalidArgument);
  common::v1::GetConsistencyProofRequest grown;
  grown.set_first_size(2);
  EXPECT_EQ(handlers_.GetConsistencyProof(Context(), grown).status().code(),
            absl::StatusCode::kInvalidArgument);
  grown.set_first_size(1);
  grown.set_second_size(2);
  EXPECT_EQ(handlers_.GetConsistencyProof(Context(), grown).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(AuditHandlersTest, VerifiesPageByPageAndNamesTheFirstBadLeaf) {
  for (int version = 1; version <= 25; ++version) Put("p", version, "text");
  SequenceAll();
  ASSERT_TRUE(anchorer_.RunOnce(absl::UnixEpoch(), true).ok());
  common::v1::VerifyAuditRequest request;
  request.set_parent("organizations/acme");
  request.set_page_size(10);
  int calls = 0;
  common::v1::VerifyAuditResponse last;
  do {
    const auto response = handlers_.VerifyAudit(Context(), request);
    ASSERT_TRUE(response.ok()) << response.status();
    last = *response;
    request.set_page_token(last.next_page_token());
    ++calls;
  } while (!request.page_token().empty());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(last.verified_leaves(), 25);
  EXPECT_EQ(last.verified_heads(), 2);
  EXPECT_FALSE(last.has_fault());

  // With a head that somebody kept; one of another service is no head of this log.
  *request.add_heads() = *handlers_.GetSignedHead(Context(), {});
  request.set_page_size(0);
  auto kept = handlers_.VerifyAudit(Context("heads"), request);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->verified_heads(), 2);
  request.mutable_heads(0)->set_service("scheduling");
  EXPECT_EQ(handlers_.VerifyAudit(Context(), request).status().code(),
            absl::StatusCode::kInvalidArgument);

  request.clear_heads();
  Tamper("DELETE FROM audit_leaf WHERE leaf_index = 7");
  const auto bad = handlers_.VerifyAudit(Context(), request);
  ASSERT_TRUE(bad.ok()) << bad.status();
  EXPECT_EQ(bad->fault().kind(), common::v1::AUDIT_FAULT_KIND_ENTRY_DELETED);
  EXPECT_EQ(bad->fault().leaf_index(), 7);
  EXPECT_EQ(bad->verified_leaves(), 7);
}

INSTANTIATE_TEST_SUITE_P(Engines, AuditHandlersTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         audit::testing::EngineOf);

}  // namespace
}  // namespace rapport::auditing
