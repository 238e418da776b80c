#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_ACT_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_ACT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/mutate.h"
#include "common/call/own_act.h"
#include "common/sql/database.h"
#include "google/protobuf/message.h"

namespace rapport::scheduling {

// A change under way, whoever makes it: a caller, or the service by itself (what a caller may do is
// then not asked).
class Act {
 public:
  explicit Act(call::Change& change)
      : tx_(change.tx()),
        change_(&change),
        organization_id_(change.context().organization_id),
        now_(change.context().now) {}

  // By a caller whose rights were looked at already: what they may do is not asked again, and what
  // is recorded is theirs.
  static Act Allowed(call::Change& change) {
    Act act(change);
    act.allowed_ = true;
    return act;
  }

  // By the service itself: `what` it does, as "ExpireHold".
  Act(sql::Transaction& tx, absl::string_view organization_id, absl::string_view what,
      absl::Time now)
      : tx_(tx), organization_id_(organization_id), what_(what), now_(now) {}

  sql::Transaction& tx() const { return tx_; }
  const std::string& organization_id() const { return organization_id_; }
  absl::Time now() const { return now_; }

  // Null: nobody whose rights are to be asked.
  const call::CallContext* caller() const {
    return change_ == nullptr || allowed_ ? nullptr : &change_->context();
  }

  // As call::Change::Record.
  void Record(absl::string_view resource, int64_t version, const google::protobuf::Message& payload,
              absl::string_view stored) {
    if (change_ != nullptr) {
      change_->Record(resource, version, payload, stored);
    } else {
      call::RecordOwnAct(tx_, "scheduling", what_, resource, version, now_, payload, stored);
    }
  }

 private:
  sql::Transaction& tx_;
  call::Change* change_ = nullptr;
  bool allowed_ = false;
  std::string organization_id_;
  std::string what_;
  absl::Time now_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_ACT_H_
