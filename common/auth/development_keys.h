#ifndef RAPPORT_COMMON_AUTH_DEVELOPMENT_KEYS_H_
#define RAPPORT_COMMON_AUTH_DEVELOPMENT_KEYS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rapport::auth {

// Writes keys for one developer's machine into `directory`, making it if absent:
//
//   user.pem                                     signs users' tokens (Ed25519)
//   service-{scheduling,assessment,notes}.pem    each service's own (Ed25519)
//   audit-{scheduling,assessment,notes}.pem      each service's audit heads (Ed25519)
//   audit-jwks.json                              their public keys
//   integrity.key                                IntegrityKey::FromFile
//   encryption-{assessment,notes}/1.key          crypto::KeyRing::FromDirectory
//   jwks.json                                    the public keys, marked "rapport:development"
//
// Secrets have mode 0600, key sets 0644.
//   kAlreadyExists    one of the files exists; nothing was written
//   kInvalidArgument  the directory can't be written
absl::Status WriteDevelopmentKeys(absl::string_view directory);

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_DEVELOPMENT_KEYS_H_
