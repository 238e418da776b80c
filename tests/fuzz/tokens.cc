#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/auth/integrity.h"
#include "common/auth/jwt.h"
#include "common/auth/signer.h"
#include "common/auth/strict_json.h"
#include "common/call/position.h"
#include "common/errors/errors.h"
#include "tests/fuzz/target.h"

namespace rapport::fuzz {
namespace {

constexpr int64_t kNow = 1790000000;
constexpr char kIssuer[] = "https://id.example";

struct Door {
  std::unique_ptr<auth::TokenSigner> signer =
      auth::TokenSigner::Generate(auth::Algorithm::kEdDsa, "ed");
  std::unique_ptr<auth::TokenVerifier> verifier;
  std::unique_ptr<auth::IntegrityKey> integrity =
      *auth::IntegrityKey::Parse(std::string(64, 'a') + "\n");
};

const Door& TheDoor() {
  static const auto* const door = [] {
    auto* made = new Door;
    char file[] = "/tmp/rapport-fuzz-XXXXXX";
    const int descriptor = mkstemp(file);
    Require(descriptor >= 0, "a key file can be written");
    close(descriptor);
    std::ofstream(file) << "{\"keys\":[" << made->signer->PublicJwk() << "]}";
    auth::TokenVerifierOptions options;
    options.jwks_file = file;
    options.issuers = {kIssuer};
    options.audiences = {"rapport"};
    auto verifier = auth::TokenVerifier::Make(options);
    unlink(file);
    Require(verifier.ok(), "a verifier");
    made->verifier = *std::move(verifier);
    return made;
  }();
  return *door;
}

// 's', then a header and a claims object apart by '\n': signed by a key that the verifier knows.
// 'r': the token itself. 'p': a page token, 'q': positions, 'j': a JSON object.
void Run(absl::string_view input) {
  if (input.empty()) return;
  const Door& door = TheDoor();
  const absl::string_view rest = input.substr(1);
  const absl::Time now = absl::FromUnixSeconds(kNow);
  switch (input[0]) {
    case 's': {
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(rest, absl::MaxSplits('\n', 1));
      const std::string token = door.signer->SignJson(parts.first, parts.second);
      const auto principal = door.verifier->Verify(token, now);
      if (!principal.ok()) {
        Require(principal.status() == errors::Unauthenticated(), "one text whatever the cause");
        break;
      }
      Require(!(*principal)->subject.empty(), "who is let in has a name");
      const auto claims = auth::ParseStrictObject(parts.second);
      Require(claims.has_value(), "claims are one JSON object");
      Require(claims->at("iss") == kIssuer && claims->at("exp").is_number(),
              "issuer and end are what was asked");
      break;
    }
    case 'r':
      Require(!door.verifier->Verify(rest, now).ok(), "nobody comes in unsigned");
      break;
    case 'p':
      Require(!door.integrity->Open("page_token", "a list", rest).has_value(),
              "no page token but ours");
      break;
    case 'q': {
      const auto positions = call::ReadPositions(rest);
      Require(positions.size() <= 8, "few positions");
      for (const call::Position& position : positions) {
        const auto again = call::ReadPositions(call::PositionText(position));
        Require(again.size() == 1 && again[0].resource == position.resource &&
                    again[0].version == position.version,
                "a position is written as it was read");
      }
      break;
    }
    default:
      (void)auth::ParseStrictObject(rest);
  }
}

std::vector<std::string> Seeds() {
  const std::string header = R"({"alg":"EdDSA","kid":"ed","typ":"at+jwt"})";
  const std::string claims = absl::StrCat(
      R"({"iss":"https://id.example","sub":"dr-lee","aud":["rapport"],"iat":)", kNow, R"(,"nbf":)",
      kNow, R"(,"exp":)", kNow + 600,
      R"(,"jti":"t1","org":"acme","roles":["therapist"],"clinics":["c1"],"auth_time":)", kNow - 9,
      "}");
  const Door& door = TheDoor();
  return {"s" + header + "\n" + claims, R"(rseyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.)",
          "p" + door.integrity->Seal("page_token", "another list", "key"),
          "q" + call::PositionText({"organizations/acme/courses/c1", 7}) + "," +
              call::PositionText({"organizations/acme/courses/c2", 1}),
          "j" + claims};
}

}  // namespace

const Target& Tokens() {
  static const Target target{"tokens", Run, Seeds};
  return target;
}

}  // namespace rapport::fuzz
