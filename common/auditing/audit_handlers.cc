#include "common/auditing/audit_handlers.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/audit/audit_log.h"
#include "common/audit/tree_store.h"
#include "common/auditing/audit_bundle.h"
#include "common/auth/integrity.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::auditing {
namespace {

// $2: below this index, $3 and $4: from and until, $5: ",1,2,", the kinds.
const sql::Statement kList{"auditing.list", R"sql(
  SELECT leaf_index, entry, content_hash, salt, leaf_hash, sequence_time FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index < $2 AND occur_time >= $3 AND occur_time < $4
    AND ($5 = '' OR replace($5, ',' || coalesce(kind, 1) || ',', '') <> $5)
  ORDER BY leaf_index DESC LIMIT $6)sql"};

const sql::Statement kListOfPrincipal{"auditing.list_of_principal", R"sql(
  SELECT leaf_index, entry, content_hash, salt, leaf_hash, sequence_time FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index < $2 AND occur_time >= $3 AND occur_time < $4
    AND ($5 = '' OR replace($5, ',' || coalesce(kind, 1) || ',', '') <> $5)
    AND principal = $7
  ORDER BY leaf_index DESC LIMIT $6)sql"};

// $8: the resource, $9 and $10: what all names below it lie between.
const sql::Statement kListOfResource{"auditing.list_of_resource", R"sql(
  SELECT leaf_index, entry, content_hash, salt, leaf_hash, sequence_time FROM audit_leaf
  WHERE organization_id = $1 AND leaf_index < $2 AND occur_time >= $3 AND occur_time < $4
    AND ($5 = '' OR replace($5, ',' || coalesce(kind, 1) || ',', '') <> $5)
    AND ($7 = '' OR principal = $7)
    AND (resource = $8 OR (resource > $9 AND resource < $10))
  ORDER BY leaf_index DESC LIMIT $6)sql"};

constexpr int64_t kDefaultStretch = 5000;
constexpr int64_t kMaxStretch = 50000;

common::v1::AuditEntry ToProto(const sql::Result& rows, size_t row,
                               absl::string_view organization) {
  common::v1::AuditEntry proto;
  proto.set_name(absl::StrCat(organization, "/auditEntries/", rows.Int(row, 0)));
  const audit::Entry entry = audit::Decode(rows.Bytes(row, 1)).value_or(audit::Entry());
  proto.set_kind(static_cast<common::v1::AuditKind>(entry.kind));
  proto.set_principal(entry.principal);
  proto.set_method(entry.method);
  proto.set_resource(entry.resource);
  proto.set_version(entry.version);
  proto.set_purpose(entry.purpose);
  proto.set_count(static_cast<int32_t>(entry.count));
  *proto.mutable_occur_time() = time::ToTimestamp(entry.occur_time);
  *proto.mutable_sequence_time() = time::ToTimestamp(rows.Time(row, 5));
  proto.set_trace_id(entry.trace_id);
  for (const std::string& name : entry.covers) proto.add_covers(name);
  common::v1::AuditLeaf& leaf = *proto.mutable_leaf();
  leaf.set_encoded(rows.Bytes(row, 1));
  leaf.set_content_hash(rows.Bytes(row, 2));
  leaf.set_salt(rows.Bytes(row, 3));
  leaf.set_leaf_hash(rows.Bytes(row, 4));
  return proto;
}

}  // namespace

common::v1::SignedHead ToProto(const audit::Head& head) {
  common::v1::SignedHead proto;
  proto.set_organization(names::Organization(head.organization_id));
  proto.set_service(head.service);
  proto.set_tree_size(head.tree_size);
  proto.set_root_hash(head.root_hash);
  *proto.mutable_sign_time() = time::ToTimestamp(head.sign_time);
  proto.set_key_id(head.key_id);
  proto.set_signature(head.signature);
  return proto;
}

audit::Head FromProto(const common::v1::SignedHead& head) {
  return {.organization_id = std::string(names::OrganizationId(head.organization())),
          .service = head.service(),
          .tree_size = head.tree_size(),
          .root_hash = head.root_hash(),
          .sign_time = time::ToTime(head.sign_time()),
          .key_id = head.key_id(),
          .signature = head.signature()};
}

void AuditHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.common.v1.AuditService", this)
      .Unary("ListAuditEntries", &AuditHandlers::ListAuditEntries)
      .Unary("ExportAuditEvents", &AuditHandlers::ExportAuditEvents)
      .Unary("GetSignedHead", &AuditHandlers::GetSignedHead)
      .Unary("GetInclusionProof", &AuditHandlers::GetInclusionProof)
      .Unary("GetConsistencyProof", &AuditHandlers::GetConsistencyProof)
      .Unary("VerifyAudit", &AuditHandlers::VerifyAudit);
}

absl::StatusOr<common::v1::ListAuditEntriesResponse> AuditHandlers::ListAuditEntries(
    const call::CallContext& context, const common::v1::ListAuditEntriesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  int64_t before = std::numeric_limits<int64_t>::max();
  if (!page.after.empty() && !absl::SimpleAtoi(page.after, &before)) {
    return errors::InvalidArgument("page_token", "must come from this list");
  }
  std::string kinds;
  for (const int kind : request.kinds())
    absl::StrAppend(&kinds, kinds.empty() ? "," : "", kind, ",");
  std::vector<sql::Value> parameters = {
      sql::Text(context.organization_id),
      sql::Int(before),
      sql::Int(request.has_start_time() ? absl::ToUnixMicros(time::ToTime(request.start_time()))
                                        : std::numeric_limits<int64_t>::min()),
      sql::Int(request.has_end_time() ? absl::ToUnixMicros(time::ToTime(request.end_time()))
                                      : std::numeric_limits<int64_t>::max()),
      sql::Text(kinds),
      sql::Int(page.size + 1)};
  const sql::Statement* statement = &kList;
  if (!request.resource().empty()) {
    statement = &kListOfResource;
    parameters.push_back(sql::Text(request.principal()));
    parameters.push_back(sql::Text(request.resource()));
    parameters.push_back(sql::Text(absl::StrCat(request.resource(), "/")));
    parameters.push_back(sql::Text(absl::StrCat(request.resource(), "0")));  // what follows '/'
  } else if (!request.principal().empty()) {
    statement = &kListOfPrincipal;
    parameters.push_back(sql::Text(request.principal()));
  }
  return call::Read<common::v1::ListAuditEntriesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<common::v1::ListAuditEntriesResponse> {
        ASSIGN_OR_RETURN(const sql::Result rows, session.Query(*statement, parameters));
        common::v1::ListAuditEntriesResponse response;
        const size_t shown = std::min(rows.rows(), static_cast<size_t>(page.size));
        for (size_t row = 0; row < shown; ++row) {
          *response.add_entries() = ToProto(rows, row, request.parent());
        }
        if (rows.rows() > shown) {
          response.set_next_page_token(
              call::NextPageToken(context, absl::StrCat(rows.Int(shown - 1, 0))));
        }
        return response;
      });
}

absl::StatusOr<common::v1::ExportAuditEventsResponse> AuditHandlers::ExportAuditEvents(
    const call::CallContext& context, const common::v1::ExportAuditEventsRequest& request) {
  common::v1::ListAuditEntriesRequest list;
  list.set_parent(request.parent());
  list.set_resource(request.resource());
  list.set_principal(request.principal());
  *list.mutable_kinds() = request.kinds();
  if (request.has_start_time()) *list.mutable_start_time() = request.start_time();
  if (request.has_end_time()) *list.mutable_end_time() = request.end_time();
  list.set_page_size(request.page_size());
  list.set_page_token(request.page_token());
  ASSIGN_OR_RETURN(const common::v1::ListAuditEntriesResponse listed,
                   ListAuditEntries(context, list));
  common::v1::ExportAuditEventsResponse response;
  response.set_bundle(MakeAuditBundle(listed.entries(), signer_.service(), context.now));
  response.set_sha256(auth::Sha256(response.bundle()));
  response.set_resources(listed.entries_size());
  response.set_next_page_token(listed.next_page_token());
  return response;
}

absl::StatusOr<common::v1::SignedHead> AuditHandlers::GetSignedHead(
    const call::CallContext& context, const common::v1::GetSignedHeadRequest&) {
  return call::Read<common::v1::SignedHead>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<common::v1::SignedHead> {
        ASSIGN_OR_RETURN(const audit::TreeState tree,
                         audit::ReadTree(session, context.organization_id));
        return ToProto(signer_.Sign(context.organization_id, tree.size, tree.root, absl::Now()));
      });
}

absl::StatusOr<common::v1::InclusionProof> AuditHandlers::GetInclusionProof(
    const call::CallContext& context, const common::v1::GetInclusionProofRequest& request) {
  int64_t index = 0;
  if (!absl::SimpleAtoi(names::Last(request.name()), &index) || index < 0) {
    return errors::NotFound("AuditEntry");
  }
  return call::Read<common::v1::InclusionProof>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<common::v1::InclusionProof> {
        ASSIGN_OR_RETURN(const audit::TreeState tree,
                         audit::ReadTree(session, context.organization_id));
        if (index >= tree.size) return errors::NotFound("AuditEntry");
        const int64_t size = request.tree_size() == 0 ? tree.size : request.tree_size();
        if (size > tree.size || index >= size) {
          return errors::InvalidArgument(
              "tree_size", absl::StrCat("must be above the entry's index and at most ", tree.size));
        }
        audit::StoredTree stored(session, context.organization_id);
        common::v1::InclusionProof proof;
        proof.set_leaf_index(index);
        proof.set_tree_size(size);
        ASSIGN_OR_RETURN(*proof.mutable_leaf_hash(), stored.Hash({index, index + 1}));
        ASSIGN_OR_RETURN(*proof.mutable_root_hash(), stored.Hash({0, size}));
        ASSIGN_OR_RETURN(const std::vector<std::string> path,
                         stored.Hashes(audit::InclusionRanges(index, size)));
        for (const std::string& hash : path) proof.add_path(hash);
        return proof;
      });
}

absl::StatusOr<common::v1::ConsistencyProof> AuditHandlers::GetConsistencyProof(
    const call::CallContext& context, const common::v1::GetConsistencyProofRequest& request) {
  return call::Read<common::v1::ConsistencyProof>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<common::v1::ConsistencyProof> {
        ASSIGN_OR_RETURN(const audit::TreeState tree,
                         audit::ReadTree(session, context.organization_id));
        const int64_t first = request.first_size();
        const int64_t second = request.second_size() == 0 ? tree.size : request.second_size();
        if (second > tree.size || first > second) {
          return errors::InvalidArgument(
              second > tree.size ? "second_size" : "first_size",
              absl::StrCat("must be at most ", second > tree.size ? tree.size : second));
        }
        audit::StoredTree stored(session, context.organization_id);
        common::v1::ConsistencyProof proof;
        proof.set_first_size(first);
        proof.set_second_size(second);
        ASSIGN_OR_RETURN(*proof.mutable_first_root_hash(), stored.Hash({0, first}));
        ASSIGN_OR_RETURN(*proof.mutable_second_root_hash(), stored.Hash({0, second}));
        ASSIGN_OR_RETURN(const std::vector<std::string> path,
                         stored.Hashes(audit::ConsistencyRanges(first, second)));
        for (const std::string& hash : path) proof.add_path(hash);
        return proof;
      });
}

absl::StatusOr<audit::Expectation> AuditHandlers::ExpectationOf(
    const call::CallContext& context, const common::v1::VerifyAuditRequest& request, int64_t begin,
    int64_t end) {
  audit::Expectation expectation{.trusted = signer_.trusted().get(),
                                 .service = signer_.service(),
                                 .heads = {},
                                 .leaf_hashes = {},
                                 .size = 0};
  if (request.heads().empty()) {
    ASSIGN_OR_RETURN(const audit::AnchorLog::State state, anchors_.Look(context.organization_id));
    expectation.size = std::max(state.leaves, state.last.tree_size);
    ASSIGN_OR_RETURN(audit::Anchored anchored, anchors_.Read(context.organization_id, begin, end));
    expectation.heads = std::move(anchored.heads);
    expectation.leaf_hashes = std::move(anchored.leaf_hashes);
    return expectation;
  }
  for (int i = 0; i < request.heads_size(); ++i) {
    audit::Head head = FromProto(request.heads(i));
    if (head.organization_id != context.organization_id || head.service != signer_.service()) {
      return errors::InvalidArgument(absl::StrCat("heads[", i, "]"),
                                     "must be of this organization and service");
    }
    expectation.heads.push_back(std::move(head));
  }
  std::stable_sort(
      expectation.heads.begin(), expectation.heads.end(),
      [](const audit::Head& a, const audit::Head& b) { return a.tree_size < b.tree_size; });
  return expectation;
}

absl::StatusOr<common::v1::VerifyAuditResponse> AuditHandlers::VerifyAudit(
    const call::CallContext& context, const common::v1::VerifyAuditRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  audit::Progress progress;
  if (!page.after.empty()) {
    std::optional<audit::Progress> parsed = audit::Progress::Parse(page.after);
    if (!parsed) return errors::InvalidArgument("page_token", "must come from this method");
    progress = *std::move(parsed);
  }
  const int64_t limit = request.page_size() <= 0
                            ? kDefaultStretch
                            : std::min<int64_t>(request.page_size(), kMaxStretch);
  const int64_t begin = progress.frontier.size();
  // The anchor is read first: what it holds was in the database before.
  ASSIGN_OR_RETURN(const audit::Expectation expectation,
                   ExpectationOf(context, request, begin, begin + limit));
  const absl::Time started = absl::Now();
  const audit::Stretch stretch{
      .limit = limit, .until = started + (context.deadline - started) * 0.6, .now = context.now};
  return call::Read<common::v1::VerifyAuditResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<common::v1::VerifyAuditResponse> {
        audit::Progress next = progress;
        ASSIGN_OR_RETURN(
            const audit::Findings findings,
            audit::Verify(session, context.organization_id, kinds_, expectation, stretch, next));
        common::v1::VerifyAuditResponse response;
        response.set_verified_leaves(next.frontier.size());
        response.set_verified_records(findings.records);
        response.set_uncompared_records(findings.uncompared);
        response.set_verified_heads(static_cast<int32_t>(next.verified_heads));
        if (findings.fault) {
          common::v1::AuditFault& fault = *response.mutable_fault();
          fault.set_kind(static_cast<common::v1::AuditFaultKind>(findings.fault->kind));
          fault.set_leaf_index(findings.fault->leaf_index);
          fault.set_last_suspect(findings.fault->last_suspect);
          fault.set_resource(findings.fault->resource);
          fault.set_detail(findings.fault->detail);
          response.set_verified_leaves(std::min(findings.fault->leaf_index, next.frontier.size()));
        } else if (!findings.done) {
          response.set_next_page_token(call::NextPageToken(context, next.Bytes()));
        }
        return response;
      });
}

}  // namespace rapport::auditing
