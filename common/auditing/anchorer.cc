#include "common/auditing/anchorer.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/audit/tree_store.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::auditing {
namespace {

namespace metric = telemetry::metric;
using sql::Reach;

const sql::Statement kTrees{"auditing.trees", R"sql(
  SELECT tree.organization_id, tree.tree_size,
    (SELECT max(head.tree_size) FROM audit_head AS head
     WHERE head.organization_id = tree.organization_id)
  FROM audit_tree AS tree)sql",
                            Reach::kFeed};

const sql::Statement kLastHead{"auditing.last_head", R"sql(
  SELECT tree_size, sign_time FROM audit_head WHERE organization_id = $1
  ORDER BY tree_size DESC LIMIT 1)sql",
                               Reach::kFeed};

const sql::Statement kAddHead{"auditing.add_head", R"sql(
  INSERT INTO audit_head (organization_id, tree_size, root_hash, sign_time, key_id, signature)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (organization_id, tree_size) DO NOTHING)sql",
                              Reach::kFeed};

constexpr absl::Duration kPatience = absl::Seconds(10);

}  // namespace

Anchorer::Anchorer(sql::Database& database, const audit::HeadSigner& signer,
                   audit::AnchorLog& anchors, telemetry::Metrics* metrics, Options options)
    : database_(database),
      signer_(signer),
      anchors_(anchors),
      options_(options),
      ticker_("anchors", options.tick, [this] { Tick(); }) {
  if (metrics == nullptr) return;
  tree_size_ = metrics->Gauges(metric::kAuditTreeSize, "Leaves of all audit trees.").With({});
  failed_ = metrics->Counters(metric::kAuditAnchorFailed,
                              "Audit heads that were not anchored, by reason.", {"reason"});
}

Anchorer::~Anchorer() { ticker_.Stop(); }

void Anchorer::Stop() {
  ticker_.Stop();
  if (!running_.exchange(false)) return;
  RunOnce(absl::Now(), /*all=*/true).IgnoreError();
}

void Anchorer::Tick() {
  if (running_) RunOnce(absl::Now(), /*all=*/false).IgnoreError();
}

absl::StatusOr<int> Anchorer::RunOnce(absl::Time now, bool all) {
  sql::Result trees;
  RETURN_IF_ERROR(database_.Read(sql::Access::Feed(), absl::Now() + kPatience,
                                 [&](sql::Session& session) -> absl::Status {
                                   ASSIGN_OR_RETURN(trees, session.Query(kTrees, {}));
                                   return absl::OkStatus();
                                 }));
  int anchored = 0;
  int64_t leaves = 0;
  absl::Status failure;
  for (size_t row = 0; row < trees.rows(); ++row) {
    leaves += trees.Int(row, 1);
    if (!trees.IsNull(row, 2) && trees.Int(row, 2) == trees.Int(row, 1)) continue;
    const absl::StatusOr<bool> done = Anchor(trees.Text(row, 0), now, all);
    if (done.ok()) {
      anchored += *done ? 1 : 0;
      continue;
    }
    if (errors::Reason(done.status()) == "LOCKED") continue;
    failure = done.status();
    if (failed_) failed_->With({errors::Reason(failure)}).Increment();
    telemetry::Log(telemetry::Severity::kError, "an audit head is not anchored",
                   {{"organization", trees.Text(row, 0)},
                    {"reason", errors::Reason(failure)},
                    {"detail", std::string(failure.message())}});
  }
  if (tree_size_) tree_size_->Set(static_cast<double>(leaves));
  RETURN_IF_ERROR(failure);
  return anchored;
}

absl::StatusOr<bool> Anchorer::Anchor(const std::string& organization_id, absl::Time now,
                                      bool all) {
  bool anchored = false;
  const absl::Status status = database_.Write(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Transaction& tx) -> absl::Status {
        anchored = false;
        RETURN_IF_ERROR(tx.TryLock(absl::StrCat("audit_anchor/", organization_id)));
        ASSIGN_OR_RETURN(const sql::Result last, tx.Query(kLastHead, {sql::Text(organization_id)}));
        if (!all && !last.empty() && last.Time(0, 1) + options_.apart > now) {
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(const audit::TreeState tree, audit::ReadTree(tx, organization_id));
        if (!last.empty() && last.Int(0, 0) == tree.size) return absl::OkStatus();
        ASSIGN_OR_RETURN(const audit::AnchorLog::State state, anchors_.Look(organization_id));
        RETURN_IF_ERROR(HoldToLast(tx, organization_id, tree.size, state));
        ASSIGN_OR_RETURN(
            const std::vector<std::string> leaf_hashes,
            audit::ReadLevel(tx, organization_id, 0, state.leaves, tree.size - state.leaves));
        const audit::Head head = signer_.Sign(organization_id, tree.size, tree.root, now);
        RETURN_IF_ERROR(anchors_.Append(organization_id, state.leaves, leaf_hashes, head));
        tx.Defer(kAddHead,
                 {sql::Text(organization_id), sql::Int(head.tree_size), sql::Bytes(head.root_hash),
                  sql::Micros(head.sign_time), sql::Text(head.key_id), sql::Bytes(head.signature)});
        anchored = true;
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(status);
  return anchored;
}

absl::Status Anchorer::HoldToLast(sql::Session& session, const std::string& organization_id,
                                  int64_t tree_size, const audit::AnchorLog::State& state) {
  const audit::Head& last = state.last;
  bool fits = state.leaves <= tree_size && last.tree_size <= tree_size;
  if (fits && last.tree_size > 0) {
    audit::StoredTree tree(session, organization_id);
    ASSIGN_OR_RETURN(const std::string root, tree.Hash({0, last.tree_size}));
    fits = root == last.root_hash && audit::IsTrusted(last, *signer_.trusted());
  }
  if (fits) return absl::OkStatus();
  return errors::FailedPrecondition(
      "AUDIT_REWRITTEN",
      absl::StrCat("The audit log of ", organization_id, " does not go on from the head of ",
                   last.tree_size, " leaves that was anchored. Run `rapportctl audit verify`."));
}

}  // namespace rapport::auditing
