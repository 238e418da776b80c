#include "common/crypto/vault.h"

#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/concurrency/mutex.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/support/postgres/catalogue.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::crypto {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'772'442'000);

const sql::Statement kKeys{"test.crypto.keys", R"sql(
  SELECT subject, wrapping_key, wrapped FROM data_key WHERE organization_id = $1
  ORDER BY subject)sql"};
// Gives the key of $2 to $3.
const sql::Statement kGive{"test.crypto.give", R"sql(
  INSERT INTO data_key (organization_id, subject, wrapping_key, wrapped, create_time)
  SELECT organization_id, $3, wrapping_key, wrapped, create_time FROM data_key
  WHERE organization_id = $1 AND subject = $2)sql"};

KeyRing Ring(std::map<std::string, std::string> keys) { return *KeyRing::Make(std::move(keys)); }
std::string Key(char letter) { return std::string(32, letter); }

class VaultTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  absl::Status Write(absl::string_view organization,
                     const std::function<absl::Status(sql::Transaction&)>& body) {
    return database_->Write(sql::Access::Tenant(organization), absl::Now() + absl::Seconds(30),
                            [&](sql::Transaction& tx) { return body(tx); });
  }
  absl::StatusOr<std::string> Seal(const Vault& vault, const Place& place,
                                   absl::string_view plain) {
    std::string sealed;
    RETURN_IF_ERROR(Write(place.organization_id, [&](sql::Transaction& tx) -> absl::Status {
      ASSIGN_OR_RETURN(sealed, vault.Seal(tx, place, plain, kNow));
      return absl::OkStatus();
    }));
    return sealed;
  }
  std::string Sealed(const Place& place, absl::string_view plain) {
    const auto sealed = Seal(vault_, place, plain);
    EXPECT_TRUE(sealed.ok()) << sealed.status();
    return sealed.value_or("");
  }
  absl::StatusOr<std::string> Open(const Vault& vault, const Place& place,
                                   absl::string_view sealed) {
    std::string plain;
    RETURN_IF_ERROR(database_->Read(sql::Access::Tenant(place.organization_id),
                                    absl::Now() + absl::Seconds(30),
                                    [&](sql::Session& session) -> absl::Status {
                                      ASSIGN_OR_RETURN(plain, vault.Open(session, place, sealed));
                                      return absl::OkStatus();
                                    }));
    return plain;
  }
  absl::Status Shred(absl::string_view organization, absl::string_view subject) {
    return Write(organization, [&](sql::Transaction& tx) {
      vault_.Shred(tx, organization, subject, kNow);
      return absl::OkStatus();
    });
  }
  // "subject: id of the key that wraps its key".
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    EXPECT_TRUE(Write("acme", [&](sql::Transaction& tx) -> absl::Status {
                  ASSIGN_OR_RETURN(const sql::Result rows, tx.Query(kKeys, {sql::Text("acme")}));
                  for (size_t row = 0; row < rows.rows(); ++row) {
                    keys.push_back(absl::StrCat(rows.Text(row, 0), ": ", rows.Text(row, 1),
                                                rows.IsNull(row, 2) ? "shredded" : ""));
                  }
                  return absl::OkStatus();
                }).ok());
    return keys;
  }

  std::unique_ptr<sql::Database> database_ = GetParam().make();
  const Vault vault_{Ring({{"k1", Key('a')}})};
  const Place place_{"acme", "organizations/acme/patients/p1", "organizations/acme/notes/n1", 3,
                     "answers"};
};

TEST_P(VaultTest, OpensWhatItSealed) {
  for (const std::string& plain : {std::string(), std::string("x"), std::string("\0 zero\xff", 7),
                                   std::string(1 << 20, 'm')}) {
    const std::string sealed = Sealed(place_, plain);
    const auto opened = Open(vault_, place_, sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE(*opened == plain) << plain.size();
    EXPECT_EQ(sealed.size(), plain.size() + 81) << "version, salt, commitment and tag";
    EXPECT_TRUE(plain.size() < 2 || sealed.find(plain) == std::string::npos);
  }
  EXPECT_THAT(Keys(), ElementsAre("organizations/acme/patients/p1: k1"));
}

TEST_P(VaultTest, ATextOpensInTheTransactionThatSealedIt) {
  EXPECT_TRUE(Write("acme", [&](sql::Transaction& tx) -> absl::Status {
                ASSIGN_OR_RETURN(const std::string sealed, vault_.Seal(tx, place_, "one", kNow));
                ASSIGN_OR_RETURN(const std::string opened, vault_.Open(tx, place_, sealed));
                EXPECT_EQ(opened, "one");
                return absl::OkStatus();
              }).ok());
}

TEST_P(VaultTest, ARolledBackFirstSealLeavesNoKey) {
  EXPECT_FALSE(Write("acme", [&](sql::Transaction& tx) -> absl::Status {
                 RETURN_IF_ERROR(vault_.Seal(tx, place_, "one", kNow).status());
                 return errors::FailedPrecondition("NO", "No.");
               }).ok());
  EXPECT_THAT(Keys(), IsEmpty());
  EXPECT_EQ(*Open(vault_, place_, Sealed(place_, "two")), "two");
}

TEST_P(VaultTest, TwoSealsOfOneTextDiffer) {
  const std::string first = Sealed(place_, "same");
  const std::string second = Sealed(place_, "same");
  EXPECT_NE(first.substr(1, 32), second.substr(1, 32)) << "the salts";
  EXPECT_NE(first.substr(65), second.substr(65));
  EXPECT_EQ(*Open(vault_, place_, first), *Open(vault_, place_, second));
}

TEST_P(VaultTest, ATextOpensAtItsPlaceAlone) {
  const std::string sealed = Sealed(place_, "text");
  std::vector<Place> others(5, place_);
  others[0].organization_id = "other";
  others[1].subject = "organizations/acme/patients/p2";
  others[2].resource = "organizations/acme/notes/n2";
  others[3].version = 4;
  others[4].field = "comment";
  // Parts run together alike.
  others.push_back(place_);
  others.back().resource = "organizations/acme/notes/n";
  others.back().version = 13;
  for (const Place& other : others) {
    ASSERT_TRUE(Seal(vault_, other, "so that it has a key").ok());
    const auto opened = Open(vault_, other, sealed);
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kInternal)
        << other.organization_id << " " << other.subject << " " << other.resource << " "
        << other.version << " " << other.field;
  }
}

TEST_P(VaultTest, NothingOpensForASubjectWithoutAKey) {
  const std::string sealed = Sealed(place_, "text");
  Place other = place_;
  other.subject = "organizations/acme/patients/p2";
  EXPECT_EQ(Open(vault_, other, sealed).status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(Keys(), SizeIs(1)) << "opening makes none";
}

TEST_P(VaultTest, ADataKeyUnwrapsForItsSubjectAlone) {
  const std::string sealed = Sealed(place_, "text");
  ASSERT_TRUE(Write("acme", [&](sql::Transaction& tx) {
                tx.Defer(kGive, {sql::Text("acme"), sql::Text(place_.subject),
                                 sql::Text("organizations/acme/patients/p2")});
                return absl::OkStatus();
              }).ok());
  Place other = place_;
  other.subject = "organizations/acme/patients/p2";
  EXPECT_EQ(Open(vault_, other, sealed).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Seal(vault_, other, "text").status().code(), absl::StatusCode::kInternal);
}

TEST_P(VaultTest, NoBitOfASealedTextCanBeChanged) {
  const std::string sealed = Sealed(place_, "a text");
  EXPECT_TRUE(database_
                  ->Read(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                         [&](sql::Session& session) {
                           Opener opener(vault_, session);
                           EXPECT_EQ(*opener.Open(place_, sealed), "a text");
                           for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
                             std::string changed = sealed;
                             changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
                             EXPECT_FALSE(opener.Open(place_, changed).ok()) << "bit " << bit;
                           }
                           for (size_t size = 0; size < sealed.size(); ++size) {
                             EXPECT_FALSE(opener.Open(place_, sealed.substr(0, size)).ok()) << size;
                           }
                           EXPECT_FALSE(opener.Open(place_, sealed + "x").ok());
                           return absl::OkStatus();
                         })
                  .ok());
}

TEST_P(VaultTest, FirstSealsAtOnceAgreeOnOneKey) {
  constexpr int kThreads = 4;
  const bool alone = database_->engine() == sql::Engine::kSqlite;  // one writer at a time
  Mutex mutex;
  CondVar changed;
  int begun = 0;
  std::vector<std::string> sealed(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const absl::Status status = Write("acme", [&](sql::Transaction& tx) -> absl::Status {
        RETURN_IF_ERROR(tx.Query(kKeys, {sql::Text("acme")}).status());
        {
          MutexLock lock(mutex);
          ++begun;
          changed.SignalAll();
          while (!alone && begun < kThreads) changed.Wait(mutex);
        }
        ASSIGN_OR_RETURN(sealed[t], vault_.Seal(tx, place_, absl::StrCat("text ", t), kNow));
        return absl::OkStatus();
      });
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Keys(), SizeIs(1));
  for (int t = 0; t < kThreads; ++t) {
    const auto opened = Open(vault_, place_, sealed[t]);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, absl::StrCat("text ", t));
  }
}

TEST_P(VaultTest, AShreddedSubjectIsGoneForEverAndOthersAreNot) {
  Place other = place_;
  other.subject = "organizations/acme/patients/p2";
  Place elsewhere = place_;
  elsewhere.organization_id = "other";
  const std::string text = Sealed(place_, "text");
  const std::string others = Sealed(other, "other's");
  const std::string elsewheres = Sealed(elsewhere, "elsewhere's");
  ASSERT_TRUE(Shred("acme", place_.subject).ok());
  ASSERT_TRUE(Shred("acme", place_.subject).ok()) << "again";
  EXPECT_EQ(errors::Reason(Open(vault_, place_, text).status()), "ERASED");
  const absl::Status refused = Seal(vault_, place_, "new").status();
  EXPECT_EQ(errors::Reason(refused), "ERASED");
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Keys(), ElementsAre("organizations/acme/patients/p1: shredded",
                                  "organizations/acme/patients/p2: k1"));
  EXPECT_EQ(*Open(vault_, other, others), "other's");
  EXPECT_EQ(*Open(vault_, elsewhere, elsewheres), "elsewhere's");
}

TEST_P(VaultTest, AShredBeforeTheFirstSealCountsToo) {
  ASSERT_TRUE(Shred("acme", place_.subject).ok());
  EXPECT_EQ(errors::Reason(Seal(vault_, place_, "new").status()), "ERASED");
  EXPECT_EQ(errors::Reason(Open(vault_, place_, "any").status()), "ERASED");
}

TEST_P(VaultTest, ANewKeyWrapsNewSubjectsAndOldTextsOpenStill) {
  const std::string old = Sealed(place_, "old");
  const Vault rotated(Ring({{"k1", Key('a')}, {"k2", Key('b')}}));
  Place other = place_;
  other.subject = "organizations/acme/patients/p2";
  const auto fresh = Seal(rotated, other, "new");
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  const auto more = Seal(rotated, place_, "more");
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_EQ(*Open(rotated, place_, old), "old");
  EXPECT_EQ(*Open(vault_, place_, *more), "more") << "under the key that wrapped before";
  EXPECT_THAT(Keys(), ElementsAre("organizations/acme/patients/p1: k1",
                                  "organizations/acme/patients/p2: k2"));

  const absl::Status lacking = Open(vault_, other, *fresh).status();
  EXPECT_EQ(lacking.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(lacking.ToString(), AllOf(HasSubstr("k2"), Not(HasSubstr("new"))));
  EXPECT_FALSE(Seal(vault_, other, "secret words").ok());
}

TEST_P(VaultTest, AKeyOfTheSameIdThatIsAnotherOpensNothing) {
  const std::string sealed = Sealed(place_, "text");
  const Vault wrong(Ring({{"k1", Key('x')}}));
  EXPECT_EQ(Open(wrong, place_, sealed).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Seal(wrong, place_, "text").status().code(), absl::StatusCode::kInternal);
}

TEST_P(VaultTest, AnOpenerOpensTextsOfManySubjects) {
  Place other = place_;
  other.subject = "organizations/acme/patients/p2";
  Place gone = place_;
  gone.subject = "organizations/acme/patients/p3";
  const std::string one = Sealed(place_, "one");
  const std::string two = Sealed(other, "two");
  const std::string three = Sealed(gone, "three");
  ASSERT_TRUE(Shred("acme", gone.subject).ok());
  EXPECT_TRUE(database_
                  ->Read(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                         [&](sql::Session& session) {
                           Opener opener(vault_, session);
                           for (int round = 0; round < 2; ++round) {
                             EXPECT_EQ(*opener.Open(place_, one), "one");
                             EXPECT_EQ(*opener.Open(other, two), "two");
                             EXPECT_EQ(errors::Reason(opener.Open(gone, three).status()), "ERASED");
                           }
                           return absl::OkStatus();
                         })
                  .ok());
}

INSTANTIATE_TEST_SUITE_P(Engines, VaultTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Migrations()})),
                         sql::testing::EngineName);

TEST(VaultStatementsTest, BindTheOrganisation) {
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()), IsEmpty());
}

class KeyRingTest : public ::testing::Test {
 protected:
  void File(const std::string& name, const std::string& content) {
    std::ofstream(directory_.File(name)) << content;
  }
  absl::StatusOr<KeyRing> Read() { return KeyRing::FromDirectory(directory_.path()); }
  // kInvalidArgument, with the file or directory in its message and no part of a key.
  void ExpectRefused(absl::string_view part) {
    const absl::Status status = Read().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(std::string(part)), Not(HasSubstr("abab"))));
  }

  const ::rapport::testing::TempDir directory_;
};

TEST_F(KeyRingTest, ReadsAllKeysOfADirectoryAndTheLastIsActive) {
  std::string first, second;
  for (int i = 0; i < 32; ++i) first += "0a", second += "FF";
  File("2025-01.key", first + "\n");
  File("2026-01.key", second);
  File("README", "not a key");
  File("2027-01.key.tmp", "half a ke");
  const auto ring = Read();
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ(ring->active_id(), "2026-01");
  ASSERT_NE(ring->Find("2025-01"), nullptr);
  EXPECT_EQ(*ring->Find("2025-01"), std::string(32, '\n'));
  EXPECT_EQ(*ring->Find("2026-01"), std::string(32, '\xff'));
  EXPECT_EQ(ring->Find("README"), nullptr);
  EXPECT_EQ(ring->Find("2027-01"), nullptr);
}

TEST_F(KeyRingTest, RefusesADirectoryWithoutAKey) {
  EXPECT_EQ(KeyRing::FromDirectory(directory_.File("none")).status().code(),
            absl::StatusCode::kInvalidArgument);
  File("README", "nothing here");
  ExpectRefused(directory_.path());
}

TEST_F(KeyRingTest, RefusesWhatIsNoKeyAndNamesTheFile) {
  std::string sound;
  for (int i = 0; i < 32; ++i) sound += "ab";
  File("1.key", sound);
  for (const std::string& wrong : {std::string(), std::string("\n"), sound.substr(1), sound + "a",
                                   sound.substr(1) + "g", sound + "\n" + sound}) {
    File("2.key", wrong);
    ExpectRefused("2.key");
  }
  File("2.key", sound);
  EXPECT_TRUE(Read().ok());
}

TEST_F(KeyRingTest, IsMadeOfKeysOf32Bytes) {
  EXPECT_FALSE(KeyRing::Make({}).ok());
  EXPECT_FALSE(KeyRing::Make({{"a", std::string(31, 'k')}}).ok());
  EXPECT_FALSE(KeyRing::Make({{"", Key('k')}}).ok());
  EXPECT_TRUE(KeyRing::Make({{"a", Key('k')}}).ok());
}

}  // namespace
}  // namespace rapport::crypto
