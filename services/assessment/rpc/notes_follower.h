#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_NOTES_FOLLOWER_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_NOTES_FOLLOWER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "common/time/clock.h"
#include "rapport/common/v1/event.pb.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// Applies the notes service's events: of a case, the primary area that is worked on, by which
// outcomes can be told; of an erasure, this service's part of it (see eraser.h). An event that is
// not newer than what is known changes nothing.
class NotesFollower {
 public:
  NotesFollower(time::Clock& clock, const Catalogues& catalogues, const crypto::Vault& vault)
      : clock_(clock), catalogues_(catalogues), vault_(vault) {}

  // Payload types that Apply understands, for ConsumerOptions.types.
  static std::vector<std::string> EventTypes();

  absl::Status Apply(sql::Transaction& tx, const common::v1::Event& event) const;

 private:
  time::Clock& clock_;
  const Catalogues& catalogues_;
  const crypto::Vault& vault_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_NOTES_FOLLOWER_H_
