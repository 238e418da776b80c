#include "services/notes/domain/signatures.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/notes/domain/canonical.h"

namespace rapport::notes {
namespace {

constexpr char kContext[] = "rapport note signature 1";
constexpr size_t kSignatureBytes = 64;
constexpr int kDraws = 10'000;
constexpr int kTraineePercent = 100;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Out of memory, or the library lacks a standard algorithm: no state to go on in.
void Must(bool holds) {
  if (!holds) std::abort();
}

Key PrivateKey(absl::string_view private_key) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(private_key),
                                       private_key.size()),
          &EVP_PKEY_free);
  Must(key != nullptr);
  return key;
}

bool Verify(absl::string_view public_key, absl::string_view text, absl::string_view signature) {
  const Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(public_key), public_key.size()),
      &EVP_PKEY_free);
  const Digest digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Must(digest != nullptr);
  return key != nullptr &&
         EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(digest.get(), Bytes(signature), signature.size(), Bytes(text),
                          text.size()) == 1;
}

}  // namespace

std::string PublicKeyOf(absl::string_view private_key) {
  const Key key = PrivateKey(private_key);
  std::string out(kSigningKeyBytes, '\0');
  size_t size = out.size();
  Must(EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(out.data()),
                                   &size) == 1 &&
       size == out.size());
  return out;
}

v1::Signature SignStatement(v1::SignatureStatement statement, absl::string_view private_key) {
  statement.set_context(kContext);
  v1::Signature signature;
  signature.set_clinician(statement.clinician());
  *signature.mutable_sign_time() = statement.sign_time();
  *signature.mutable_machine_time() = statement.machine_time();
  signature.set_content_sha256(statement.content_sha256());
  signature.set_meaning(statement.meaning());
  signature.set_key(statement.key());
  signature.set_on_behalf_of(statement.on_behalf_of());
  signature.set_statement(Deterministic(statement));

  const Key key = PrivateKey(private_key);
  const Digest digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string& out = *signature.mutable_ed25519();
  out.resize(kSignatureBytes);
  size_t size = out.size();
  Must(digest != nullptr &&
       EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
       EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                      Bytes(signature.statement()), signature.statement().size()) == 1 &&
       size == out.size());
  return signature;
}

bool IsValid(const v1::Signature& signature, absl::string_view public_key, const SignedThing& of) {
  if (!Verify(public_key, signature.statement(), signature.ed25519())) return false;
  v1::SignatureStatement statement;
  if (!statement.ParseFromString(signature.statement())) return false;
  v1::SignatureStatement shown;
  shown.set_context(kContext);
  shown.set_note(of.note);
  shown.set_version(of.version);
  shown.set_addendum(of.addendum);
  shown.set_content_sha256(of.content_sha256 ? *of.content_sha256 : signature.content_sha256());
  shown.set_meaning(signature.meaning());
  shown.set_clinician(signature.clinician());
  shown.set_on_behalf_of(signature.on_behalf_of());
  *shown.mutable_sign_time() = signature.sign_time();
  *shown.mutable_machine_time() = signature.machine_time();
  shown.set_key(signature.key());
  return google::protobuf::util::MessageDifferencer::Equals(statement, shown) &&
         statement.content_sha256() == signature.content_sha256();
}

int DrawOf(absl::string_view seed, absl::string_view note, int version) {
  const std::string hash = Sha256(absl::StrCat(seed, note, "#", version));
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number = (number << 8) | static_cast<unsigned char>(hash[i]);
  return static_cast<int>(number % kDraws);
}

v1::CosignRequirement RequirementOf(const CosignFacts& facts) {
  v1::CosignRequirement requirement;
  int percent = facts.trainee && facts.supervisors.empty() ? kTraineePercent : 0;
  std::string seed;
  for (const CosignFacts::Supervisor& each : facts.supervisors) {
    const int asks = each.policy     ? each.policy->sample_percent()
                     : facts.trainee ? kTraineePercent
                                     : 0;
    if (asks < percent || (asks == percent && !seed.empty())) continue;
    percent = asks;
    seed = each.policy ? each.policy->seed() : "";
  }
  const int draw = DrawOf(seed, facts.note, facts.version);
  const bool drawn = draw < percent * kDraws / 100;
  requirement.set_sample_percent(percent);
  requirement.set_draw(draw);
  requirement.set_required(drawn || facts.needed_before);
  requirement.set_reason(drawn                 ? (facts.trainee && percent == kTraineePercent
                                                      ? v1::COSIGN_REASON_TRAINEE
                                                      : v1::COSIGN_REASON_SAMPLED)
                         : facts.needed_before ? v1::COSIGN_REASON_REVISION
                         : percent > 0         ? v1::COSIGN_REASON_NOT_SAMPLED
                                               : v1::COSIGN_REASON_UNSPECIFIED);
  return requirement;
}

}  // namespace rapport::notes
