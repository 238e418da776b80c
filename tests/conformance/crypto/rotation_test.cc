#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/crypto/checked_keys.h"
#include "common/crypto/rewrapper.h"
#include "common/crypto/vault.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/metric_names.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::crypto {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'772'442'000);

const sql::Statement kAddOrganization{
    "test.rotation.add_organization",
    "INSERT INTO organization (organization_id, state, create_time) VALUES ($1, 'ACTIVE', 0)"};
const sql::Statement kKeys{"test.rotation.keys", R"sql(
  SELECT wrapping_key, wrapped FROM data_key WHERE organization_id = $1 ORDER BY subject)sql"};
const sql::Statement kDamage{"test.rotation.damage", R"sql(
  UPDATE data_key SET wrapped = $3 WHERE organization_id = $1 AND subject = $2)sql"};

std::string Key(char letter) { return std::string(32, letter); }
std::string Hex(char digit) { return std::string(64, digit); }

// Refuses whatever it is asked, as a key service that is down.
class NoKeys : public KeyProvider {
 public:
  std::string active_id() const override { return "remote"; }
  absl::StatusOr<std::string> Wrap(absl::string_view, absl::string_view,
                                   absl::string_view) const override {
    return errors::Unavailable("KEYS_UNAVAILABLE", "The key service can't be reached.", "keys");
  }
  absl::StatusOr<std::string> Unwrap(absl::string_view, absl::string_view,
                                     absl::string_view) const override {
    return Wrap("", "", "");
  }
};

class RotationTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  RotationTest() {
    for (const char* organization : {"acme", "beta"}) {
      EXPECT_TRUE(Write(organization, [&](sql::Transaction& tx) {
                    return tx.Query(kAddOrganization, {sql::Text(organization)}).status();
                  }).ok());
    }
  }

  absl::Status Write(absl::string_view organization,
                     const std::function<absl::Status(sql::Transaction&)>& body) {
    return database_->Write(sql::Access::Tenant(organization), absl::Now() + absl::Seconds(30),
                            [&](sql::Transaction& tx) { return body(tx); });
  }
  static Place At(const std::string& organization, int patient) {
    return {organization, absl::StrCat("organizations/", organization, "/patients/p", patient),
            "note", 1, "document"};
  }
  // Seals a text for each of `patients` patients; by place.
  std::vector<std::pair<Place, std::string>> SealAll(const Vault& vault,
                                                     const std::string& organization,
                                                     int patients) {
    std::vector<std::pair<Place, std::string>> sealed;
    EXPECT_TRUE(Write(organization, [&](sql::Transaction& tx) -> absl::Status {
                  sealed.clear();
                  for (int p = 0; p < patients; ++p) {
                    const Place place = At(organization, p);
                    ASSIGN_OR_RETURN(std::string text,
                                     vault.Seal(tx, place, absl::StrCat("text ", p), kNow));
                    sealed.emplace_back(place, std::move(text));
                  }
                  return absl::OkStatus();
                }).ok());
    return sealed;
  }
  absl::StatusOr<std::string> Open(const Vault& vault, const Place& place,
                                   const std::string& sealed) {
    std::string plain;
    RETURN_IF_ERROR(database_->Read(sql::Access::Tenant(place.organization_id),
                                    absl::Now() + absl::Seconds(30),
                                    [&](sql::Session& session) -> absl::Status {
                                      ASSIGN_OR_RETURN(plain, vault.Open(session, place, sealed));
                                      return absl::OkStatus();
                                    }));
    return plain;
  }
  absl::StatusOr<int> Rewrap(const Vault& vault, const std::string& organization, int limit) {
    int wrapped = 0;
    RETURN_IF_ERROR(Write(organization, [&](sql::Transaction& tx) -> absl::Status {
      ASSIGN_OR_RETURN(wrapped, vault.Rewrap(tx, organization, limit));
      return absl::OkStatus();
    }));
    return wrapped;
  }
  static std::shared_ptr<CheckedKeys> Checked(std::map<std::string, std::string> keys) {
    return std::make_shared<CheckedKeys>(
        std::make_shared<const KeyRing>(*KeyRing::Make(std::move(keys))));
  }
  absl::Status SealOne(const Vault& vault, const Place& place) {
    return Write(place.organization_id, [&](sql::Transaction& tx) {
      return vault.Seal(tx, place, "text", kNow).status();
    });
  }

  // How many data keys each key-encryption key wraps; "" those that were shredded.
  std::map<std::string, int> Wrapping(const std::string& organization) {
    std::map<std::string, int> wrapping;
    EXPECT_TRUE(Write(organization, [&](sql::Transaction& tx) -> absl::Status {
                  wrapping.clear();
                  ASSIGN_OR_RETURN(const sql::Result rows,
                                   tx.Query(kKeys, {sql::Text(organization)}));
                  for (size_t row = 0; row < rows.rows(); ++row) ++wrapping[rows.Text(row, 0)];
                  return absl::OkStatus();
                }).ok());
    return wrapping;
  }

  using Counts = std::map<std::string, int>;

  std::unique_ptr<sql::Database> database_ = GetParam().make();
  const Vault old_{*KeyRing::Make({{"k1", Key('a')}})};
  const Vault both_{*KeyRing::Make({{"k1", Key('a')}, {"k2", Key('b')}})};
  const Vault new_{*KeyRing::Make({{"k2", Key('b')}})};
};

TEST_P(RotationTest, RewrapsKeysOnlySoThatEachSealedTextOpensAsItIs) {
  const auto sealed = SealAll(old_, "acme", 5);
  EXPECT_EQ(Open(new_, sealed[0].first, sealed[0].second).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(*Rewrap(both_, "acme", 100), 5);
  EXPECT_EQ(Wrapping("acme"), (Counts{{"k2", 5}}));
  // The very bytes of before, by the new key alone.
  for (size_t p = 0; p < sealed.size(); ++p) {
    const auto opened = Open(new_, sealed[p].first, sealed[p].second);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, absl::StrCat("text ", p));
  }
  EXPECT_EQ(Open(old_, sealed[0].first, sealed[0].second).status().code(),
            absl::StatusCode::kInternal);
}

TEST_P(RotationTest, IsDoneInPartsAndOnceAndGoesOnWhereItWas) {
  SealAll(old_, "acme", 5);
  EXPECT_EQ(*Rewrap(both_, "acme", 2), 2);
  EXPECT_EQ(Wrapping("acme"), (Counts{{"k1", 3}, {"k2", 2}}));
  // A run that dies before its commit changes nothing.
  EXPECT_FALSE(Write("acme", [&](sql::Transaction& tx) -> absl::Status {
                 RETURN_IF_ERROR(both_.Rewrap(tx, "acme", 2).status());
                 return absl::CancelledError("killed");
               }).ok());
  EXPECT_EQ(Wrapping("acme"), (Counts{{"k1", 3}, {"k2", 2}}));
  EXPECT_EQ(*Rewrap(both_, "acme", 2), 2);
  EXPECT_EQ(*Rewrap(both_, "acme", 2), 1) << "the last";
  EXPECT_EQ(*Rewrap(both_, "acme", 2), 0);
  EXPECT_EQ(Wrapping("acme"), (Counts{{"k2", 5}}));
}

TEST_P(RotationTest, LeavesAShreddedPersonShredded) {
  const auto sealed = SealAll(old_, "acme", 2);
  ASSERT_TRUE(Write("acme", [&](sql::Transaction& tx) {
                old_.Shred(tx, "acme", sealed[0].first.subject, kNow);
                return absl::OkStatus();
              }).ok());
  EXPECT_EQ(*Rewrap(both_, "acme", 100), 1);
  EXPECT_EQ(Wrapping("acme"), (Counts{{"", 1}, {"k2", 1}}));
  EXPECT_EQ(errors::Reason(Open(both_, sealed[0].first, sealed[0].second).status()), "ERASED");
  EXPECT_EQ(*Open(both_, sealed[1].first, sealed[1].second), "text 1");
}

TEST_P(RotationTest, WithoutTheOldKeyNothingIsTouched) {
  SealAll(old_, "acme", 2);
  EXPECT_EQ(Rewrap(new_, "acme", 100).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Wrapping("acme"), (Counts{{"k1", 2}}));
}

TEST_P(RotationTest, TheRewrapperDoesAllOrganisationsAndTellsHowManyAreLeft) {
  const auto metrics = telemetry::Metrics::Unserved();
  SealAll(old_, "acme", 250);  // more than it takes at once
  const auto others = SealAll(old_, "beta", 3);
  const auto left = [&] { return absl::StrCat(telemetry::metric::kDataKeysToRewrap, " "); };
  Rewrapper rewrapper(*database_, both_, *metrics);
  EXPECT_THAT(metrics->Text(), HasSubstr(absl::StrCat(left(), "-1")));
  const auto done = rewrapper.RunOnce();
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(*done, 253);
  EXPECT_EQ(rewrapper.left(), 0);
  EXPECT_THAT(metrics->Text(), HasSubstr(absl::StrCat(left(), "0")));
  EXPECT_EQ(Wrapping("acme"), (Counts{{"k2", 250}}));
  EXPECT_EQ(Wrapping("beta"), (Counts{{"k2", 3}}));
  EXPECT_EQ(*Open(new_, others[2].first, others[2].second), "text 2");
  EXPECT_EQ(*rewrapper.RunOnce(), 0);
  metrics->StopReading();
}

TEST_P(RotationTest, AProcessThatMeetsAKeyItDoesNotKnowReadsTheDirectoryAgain) {
  const ::rapport::testing::TempDir directory;
  std::ofstream(directory.File("k1.key")) << Hex('a');
  const auto first = KeyDirectory::Open(directory.path());
  ASSERT_TRUE(first.ok()) << first.status();
  const Vault running(*first);
  SealAll(running, "acme", 1);
  // The key is added, and another process, restarted, wraps all with it.
  std::ofstream(directory.File("k2.key")) << Hex('b');
  const auto second = KeyDirectory::Open(directory.path());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->active_id(), "k2");
  const Vault restarted(*second);
  const auto sealed = SealAll(restarted, "acme", 2);
  EXPECT_EQ(*Rewrap(restarted, "acme", 100), 1);

  EXPECT_EQ(*Open(running, sealed[0].first, sealed[0].second), "text 0");
  EXPECT_EQ(*Open(running, sealed[1].first, sealed[1].second), "text 1");
  EXPECT_EQ((*first)->active_id(), "k1") << "changes with the restart";
}

TEST_P(RotationTest, TakesItsKeysFromWhateverProvidesThem) {
  const auto sealed = SealAll(old_, "acme", 1);
  const Vault remote(std::make_shared<NoKeys>());
  EXPECT_EQ(Open(remote, sealed[0].first, sealed[0].second).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Rewrap(remote, "acme", 1).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Wrapping("acme"), (Counts{{"k1", 1}}));
}

TEST_P(RotationTest, NoDataKeyIsMadeBeforeTheKeysAreHeldAgainstTheDatabase) {
  const auto before = SealAll(old_, "beta", 1);
  const auto keys = Checked({{"k1", Key('a')}});
  const Vault vault(keys);
  EXPECT_EQ(SealOne(vault, At("acme", 0)).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*Open(vault, before[0].first, before[0].second), "text 0");
  EXPECT_TRUE(keys->Check(*database_).ok());
  EXPECT_TRUE(SealOne(vault, At("acme", 0)).ok());
}

TEST_P(RotationTest, AnEmptyDatabaseTakesAnyKeys) {
  const auto keys = Checked({{"k1", Key('z')}});
  EXPECT_TRUE(keys->Check(*database_).ok());
  EXPECT_TRUE(SealOne(Vault(keys), At("acme", 0)).ok());
}

TEST_P(RotationTest, OtherKeysAreRefusedAndNamedAndMakeNoDataKey) {
  SealAll(old_, "beta", 3);
  const auto other = Checked({{"k1", Key('z')}});
  const absl::Status refused = other->Check(*database_);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("of 3 that were tried none opens (key k1: "));
  EXPECT_EQ(SealOne(Vault(other), At("acme", 0)).code(), absl::StatusCode::kUnavailable);

  // The key of before is not there.
  const absl::Status unknown = Checked({{"k2", Key('b')}})->Check(*database_);
  EXPECT_EQ(unknown.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(unknown.message(), HasSubstr("k1 is not in the directory of keys"));
}

TEST_P(RotationTest, AnActiveKeyUnlikeThatOfTheOthersIsRefusedThoughOlderOnesOpen) {
  SealAll(both_, "acme", 1);
  SealAll(old_, "beta", 3);
  EXPECT_TRUE(Checked({{"k1", Key('a')}, {"k2", Key('b')}})->Check(*database_).ok());
  const absl::Status refused = Checked({{"k1", Key('a')}, {"k2", Key('z')}})->Check(*database_);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("key k2: "));
}

TEST_P(RotationTest, ADamagedDataKeyAmongOthersDoesNotKeepAServiceFromStarting) {
  SealAll(old_, "acme", 3);
  ASSERT_TRUE(Write("acme", [&](sql::Transaction& tx) {
                tx.Defer(kDamage, {sql::Text("acme"), sql::Text(At("acme", 0).subject),
                                   sql::Bytes("not what was stored")});
                return absl::OkStatus();
              }).ok());
  EXPECT_TRUE(Checked({{"k1", Key('a')}})->Check(*database_).ok());
}

TEST_P(RotationTest, KeysThatCanNotBeReachedAreAskedAgain) {
  SealAll(old_, "acme", 1);
  CheckedKeys keys(std::make_shared<NoKeys>());
  EXPECT_EQ(keys.Check(*database_).code(), absl::StatusCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(Engines, RotationTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Migrations()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::crypto
