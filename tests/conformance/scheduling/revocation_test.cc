#include "common/revocation/revocation.h"

#include <fstream>
#include <thread>

#include "common/auth/jwt.h"
#include "common/auth/signer.h"
#include "tests/conformance/scheduling/fixture.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::RevokeSubjectRequest Subject(const std::string& subject, const std::string& request_id = "") {
  v1::RevokeSubjectRequest request;
  request.set_parent("organizations/acme");
  request.set_subject(subject);
  request.set_reason(v1::REVOCATION_REASON_COMPROMISED);
  request.set_request_id(request_id);
  return request;
}

v1::RevokeTokenRequest Token(const std::string& token_id, const std::string& request_id = "") {
  v1::RevokeTokenRequest request;
  request.set_parent("organizations/acme");
  request.set_token_id(token_id);
  request.set_reason(v1::REVOCATION_REASON_SIGN_OUT);
  request.set_request_id(request_id);
  return request;
}

// A replica: a verifier and what keeps it in step with the database.
class Replica {
 public:
  explicit Replica(sql::Database& database) : watcher(database, *verifier_) {}

  // Whether the user's token, issued `ago`, is good here; looks first.
  bool Accepts(const std::string& subject, const std::string& token_id,
               const std::string& organization = "acme", absl::Duration ago = absl::Minutes(1)) {
    const absl::Status looked = watcher.Look();
    EXPECT_TRUE(looked.ok()) << looked;
    const absl::Time now = absl::Now();
    return verifier_
        ->Verify(Key().Sign({.issuer = "https://id.example",
                             .subject = subject,
                             .audience = "rapport",
                             .issue_time = now - ago,
                             .expire_time = now + absl::Minutes(5),
                             .token_id = token_id,
                             .organization_id = organization,
                             .roles = {"therapist"},
                             .clinics = std::nullopt,
                             .auth_time = now - ago}),
                 now)
        .ok();
  }

 private:
  static const auth::TokenSigner& Key() {
    static const auto& key = *new std::unique_ptr<auth::TokenSigner>(
        auth::TokenSigner::Generate(auth::Algorithm::kEdDsa));
    return *key;
  }

  std::unique_ptr<auth::TokenVerifier> Made() {
    std::ofstream(dir_.File("jwks.json")) << "{\"keys\":[" << Key().PublicJwk() << "]}";
    auth::TokenVerifierOptions options;
    options.jwks_file = dir_.File("jwks.json");
    options.issuers = {"https://id.example"};
    options.audiences = {"rapport"};
    return *auth::TokenVerifier::Make(options);
  }

  rapport::testing::TempDir dir_;
  const std::unique_ptr<auth::TokenVerifier> verifier_ = Made();

 public:
  revocation::Watcher watcher;
};

class RevocationTest : public SchedulingTest {
 protected:
  std::vector<std::string> Listed(v1::ListRevocationsRequest request = {},
                                  const std::string& organization = "acme") {
    request.set_parent("organizations/" + organization);
    Who admin = admin_;
    admin.organization = organization;
    std::vector<std::string> listed;
    do {
      const auto page = Do(&RevocationHandlers::ListRevocations, admin, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return listed;
      for (const v1::Revocation& revocation : page->revocations()) {
        listed.push_back(absl::StrCat(revocation.subject(), revocation.token_id()));
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return listed;
  }

  size_t EventsOfRevocations() {
    size_t told = 0;
    for (const common::v1::Event& event : Events()) {
      told += event.payload().Is<v1::RevocationEvent>() ? 1 : 0;
    }
    return told;
  }
};
INSTANTIATE_ON_ENGINES(RevocationTest);

TEST_P(RevocationTest, ASubjectsTokensAreRefusedByEveryReplicaUntilTheySignInAnew) {
  Replica first(*database_), second(*database_);
  EXPECT_TRUE(first.Accepts("anna", "t1"));
  const absl::Time before = absl::FromUnixMicros(absl::ToUnixMicros(absl::Now()));
  const auto revoked = Do(&RevocationHandlers::RevokeSubject, admin_, Subject("anna"));
  const absl::Time after = absl::Now();
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_EQ(revoked->revoker(), "admin");
  EXPECT_EQ(revoked->etag(), "1");
  EXPECT_EQ(revoked->reason(), v1::REVOCATION_REASON_COMPROMISED);
  const absl::Time not_before = absl::FromUnixSeconds(revoked->not_before().seconds()) +
                                absl::Nanoseconds(revoked->not_before().nanos());
  EXPECT_GE(not_before, before) << "by the real clock, as tokens are";
  EXPECT_LE(not_before, after);

  for (Replica* replica : {&first, &second}) {
    EXPECT_FALSE(replica->Accepts("anna", "t1"));
    EXPECT_FALSE(replica->Accepts("anna", "t2"));
    EXPECT_TRUE(replica->Accepts("ben", "t3"));
    EXPECT_TRUE(replica->Accepts("anna", "t1", "beta")) << "another organisation's Anna";
    EXPECT_TRUE(replica->Accepts("anna", "t4", "acme", -absl::Seconds(5))) << "issued later";
  }
  Replica late(*database_);
  EXPECT_FALSE(late.Accepts("anna", "t1")) << "a process that starts later knows too";
}

TEST_P(RevocationTest, ATokenIsRevokedOnceAndAlone) {
  Replica replica(*database_);
  EXPECT_TRUE(replica.Accepts("anna", "t1"));
  const auto revoked = Do(&RevocationHandlers::RevokeToken, admin_, Token("t1", "r1"));
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_FALSE(revoked->has_not_before());
  EXPECT_FALSE(replica.Accepts("anna", "t1"));
  EXPECT_TRUE(replica.Accepts("anna", "t2"));
  EXPECT_TRUE(replica.Accepts("zoe", "t1", "beta")) << "ids are each organisation's own";

  // Once more, as a repeat and as a call of its own: the same revocation.
  const auto repeat = Do(&RevocationHandlers::RevokeToken, admin_, Token("t1", "r1"));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(repeat->DebugString(), revoked->DebugString());
  const auto again = Do(&RevocationHandlers::RevokeToken, admin_, Token("t1", "r2"));
  EXPECT_FALSE(replayed_);
  EXPECT_EQ(again->DebugString(), revoked->DebugString());
  EXPECT_EQ(Do(&RevocationHandlers::RevokeToken, admin_, Token("t1", "r2"))->name(),
            revoked->name());
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(EventsOfRevocations(), 1u);
  EXPECT_THAT(Listed(), ElementsAre("t1"));
}

TEST_P(RevocationTest, OfConcurrentCallsOneRevokesTheToken) {
  constexpr int kCalls = 4;
  std::vector<std::string> names(kCalls);
  std::vector<std::thread> threads;
  for (int i = 0; i < kCalls; ++i) {
    threads.emplace_back([&, i] {
      const v1::RevokeTokenRequest request = Token("t1");
      const auto revoked = revocations_.RevokeToken(Context(admin_, request), request);
      if (revoked.ok()) names[i] = revoked->name();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(names[0], "");
  EXPECT_THAT(names, ::testing::Each(names[0]));
  EXPECT_EQ(EventsOfRevocations(), 1u);
}

TEST_P(RevocationTest, ARepeatRevokesNothingMoreAndALaterCallDoes) {
  const auto first = Do(&RevocationHandlers::RevokeSubject, admin_, Subject("anna", "r1"));
  ASSERT_TRUE(first.ok()) << first.status();
  const auto repeat = Do(&RevocationHandlers::RevokeSubject, admin_, Subject("anna", "r1"));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(repeat->DebugString(), first->DebugString());
  now_ += absl::Minutes(1);
  const auto later = Do(&RevocationHandlers::RevokeSubject, admin_, Subject("anna"));
  EXPECT_NE(later->name(), first->name());
  EXPECT_EQ(EventsOfRevocations(), 2u);
}

TEST_P(RevocationTest, ItsEventTellsWhatOthersNeedAndNoMore) {
  const auto revoked = Do(&RevocationHandlers::RevokeSubject, admin_, Subject("anna"));
  ASSERT_TRUE(revoked.ok());
  const common::v1::Event event = Events().back();
  EXPECT_EQ(event.resource(), revoked->name());
  EXPECT_EQ(event.version(), 1);
  v1::RevocationEvent payload;
  ASSERT_TRUE(event.payload().UnpackTo(&payload));
  EXPECT_EQ(payload.subject(), "anna");
  EXPECT_EQ(payload.token_id(), "");
  EXPECT_EQ(payload.not_before().DebugString(), revoked->not_before().DebugString());
  EXPECT_EQ(payload.expire_time().DebugString(), revoked->expire_time().DebugString());
}

TEST_P(RevocationTest, IsListedNewestFirstByPagesAndBySubject) {
  for (const char* subject : {"anna", "ben", "anna"}) {
    ASSERT_TRUE(Do(&RevocationHandlers::RevokeSubject, admin_, Subject(subject)).ok());
    now_ += absl::Minutes(1);
  }
  ASSERT_TRUE(Do(&RevocationHandlers::RevokeToken, admin_, Token("t1")).ok());
  EXPECT_THAT(Listed(), ElementsAre("t1", "anna", "ben", "anna"));
  v1::ListRevocationsRequest request;
  request.set_page_size(1);
  EXPECT_EQ(Listed(request), Listed());
  request.set_subject("anna");
  EXPECT_THAT(Listed(request), ElementsAre("anna", "anna"));
  request.set_subject("nobody");
  EXPECT_THAT(Listed(request), IsEmpty());
  MakeOrganization("beta");
  EXPECT_THAT(Listed({}, "beta"), IsEmpty());
}

TEST_P(RevocationTest, ReadsOneAndHidesAnothers) {
  const auto revoked = Do(&RevocationHandlers::RevokeSubject, admin_, Subject("anna"));
  v1::GetRevocationRequest request;
  request.set_name(revoked->name());
  EXPECT_EQ(Do(&RevocationHandlers::GetRevocation, admin_, request)->DebugString(),
            revoked->DebugString());
  request.set_name("organizations/acme/revocations/none");
  EXPECT_EQ(Do(&RevocationHandlers::GetRevocation, admin_, request).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(RevocationTest, AServiceIsNobodyToSignOut) {
  const auto refused =
      Do(&RevocationHandlers::RevokeSubject, admin_, Subject("service:assessment"));
  ASSERT_THAT(errors::FieldViolations(refused.status()), SizeIs(1));
  EXPECT_EQ(errors::FieldViolations(refused.status())[0].field, "subject");
}

TEST_P(RevocationTest, ASuspendedOrganisationKeepsPeopleOutToo) {
  v1::SuspendOrganizationRequest suspend;
  suspend.set_name("organizations/acme");
  Who platform = platform_;
  platform.organization = "acme";
  ASSERT_TRUE(Do(&OrganizationHandlers::SuspendOrganization, platform, suspend).ok());
  EXPECT_TRUE(Do(&RevocationHandlers::RevokeSubject, admin_, Subject("anna")).ok());
  EXPECT_TRUE(Do(&RevocationHandlers::RevokeToken, admin_, Token("t1")).ok());
  Who nowhere = admin_;
  nowhere.organization = "nowhere";
  EXPECT_EQ(
      errors::Reason(Do(&RevocationHandlers::RevokeSubject, nowhere, Subject("anna")).status()),
      "ORGANIZATION_NOT_READY");
}

// As the other services take it from the feed.
TEST_P(RevocationTest, AnExpiredOneIsForgottenAndOneToldTwiceIsThereOnce) {
  Replica replica(*database_);
  const absl::Time now = absl::Now();
  const auto put = [&](const std::string& id, const std::string& token, absl::Time expire_time,
                       absl::Time at) {
    const absl::Status status = database_->Write(
        sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30), [&](sql::Transaction& tx) {
          revocation::Put(tx, "organizations/acme/revocations/" + id,
                          {.subject = "",
                           .token_id = token,
                           .not_before = absl::UnixEpoch(),
                           .expire_time = expire_time},
                          at);
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
  };
  put("r1", "t1", now + absl::Minutes(20), now);
  put("r1", "t1", now + absl::Minutes(20), now);
  put("r2", "t2", now - absl::Minutes(1), now);
  EXPECT_FALSE(replica.Accepts("anna", "t1"));
  EXPECT_TRUE(replica.Accepts("anna", "t2"));
  // A later one takes what matters no more along.
  put("r3", "t3", now + absl::Minutes(60), now + absl::Minutes(30));
  Replica late(*database_);
  EXPECT_TRUE(late.Accepts("anna", "t1"));
  EXPECT_FALSE(late.Accepts("anna", "t3"));
}

}  // namespace
}  // namespace rapport::scheduling
