#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/audit/heads.h"
#include "common/audit/tree.h"
#include "common/auth/keys.h"
#include "common/errors/status_macros.h"
#include "rapport/common/v1/audit_service.pb.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/describe.h"

ABSL_FLAG(std::string, audit_service, "",
          "The log of this service alone: scheduling, assessment or notes.");
ABSL_FLAG(std::string, audit_anchor_dir, "",
          "A copy of the directory that heads were anchored in, to hold the logs to.");
ABSL_FLAG(std::string, audit_jwks_file, "",
          "Key set of the public keys that sign heads; needed with --audit_anchor_dir.");

namespace rapport::ctl {
namespace {

using common::v1::AuditFault;
using common::v1::SignedHead;

constexpr char kService[] = "rapport.common.v1.AuditService/";
constexpr size_t kMostHeads = 100;
constexpr int kMostEvents = 500;
constexpr char kOfficer[] = "privacy_officer";

// One log and what was anchored of it.
class LogCheck {
 public:
  LogCheck(GrpcCaller& caller, std::string service, std::string organization_id)
      : caller_(caller),
        service_(std::move(service)),
        organization_id_(std::move(organization_id)) {}

  absl::Status ReadAnchors(const std::string& directory, const std::string& key_file) {
    if (directory.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(trusted_, auth::KeySet::FromFile(key_file));
    const auto log = audit::AnchorLog::OpenCopy(directory, service_);
    ASSIGN_OR_RETURN(const audit::AnchorLog::State state, log->Look(organization_id_));
    ASSIGN_OR_RETURN(anchored_,
                     log->Read(organization_id_, 0, std::max(state.leaves, state.last.tree_size)));
    for (const audit::Head& head : anchored_.heads) {
      if (!audit::IsTrusted(head, *trusted_)) {
        return absl::DataLossError(absl::StrCat(service_, ": no trusted key signed the head of ",
                                                head.tree_size, " leaves in ", directory));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Run() {
    common::v1::VerifyAuditRequest request;
    request.set_parent(Organization());
    // The newest count most; the others narrow a fault down.
    const size_t heads = anchored_.heads.size();
    const size_t step = (heads + kMostHeads - 1) / kMostHeads;
    for (size_t i = 0; step > 0 && i * step < heads; ++i) {
      *request.add_heads() = ToProto(anchored_.heads[heads - 1 - i * step]);
    }
    int64_t records = 0, uncompared = 0;
    common::v1::VerifyAuditResponse response;
    do {
      ASSIGN_OR_RETURN(response, Call<common::v1::VerifyAuditResponse>("VerifyAudit", request));
      records += response.verified_records();
      uncompared += response.uncompared_records();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty() && !response.has_fault());
    if (response.has_fault()) return Faulty(response.fault());
    if (trusted_ != nullptr) RETURN_IF_ERROR(HoldNewestHead());
    std::printf(
        "%s: %lld entries as they were signed, %lld records as they were written (%lld not "
        "compared: changed since, erased or not kept here), %d heads\n",
        service_.c_str(), static_cast<long long>(response.verified_leaves()),
        static_cast<long long>(records), static_cast<long long>(uncompared),
        response.verified_heads());
    return absl::OkStatus();
  }

 private:
  std::string Organization() const { return absl::StrCat("organizations/", organization_id_); }

  template <class Response, class Request>
  absl::StatusOr<Response> Call(absl::string_view method, const Request& request) {
    return caller_.CallAt<Response>(
        service_, {.subject = "auditor", .organization_id = organization_id_, .roles = {kOfficer}},
        absl::StrCat(kService, method), request);
  }

  static SignedHead ToProto(const audit::Head& head) {
    SignedHead proto;
    proto.set_organization(absl::StrCat("organizations/", head.organization_id));
    proto.set_service(head.service);
    proto.set_tree_size(head.tree_size);
    proto.set_root_hash(head.root_hash);
    const int64_t micros = absl::ToUnixMicros(head.sign_time);
    proto.mutable_sign_time()->set_seconds(micros / 1000000);
    proto.mutable_sign_time()->set_nanos(static_cast<int32_t>(micros % 1000000) * 1000);
    proto.set_key_id(head.key_id);
    proto.set_signature(head.signature);
    return proto;
  }

  // Within the stretch that heads tell of, the anchored hashes of leaves tell which.
  absl::Status Faulty(AuditFault fault) {
    for (int64_t index = fault.leaf_index();
         fault.leaf_index() < fault.last_suspect() && index <= fault.last_suspect(); ++index) {
      const auto anchored = anchored_.leaf_hashes.find(index);
      if (anchored == anchored_.leaf_hashes.end()) break;
      common::v1::GetInclusionProofRequest request;
      request.set_name(absl::StrCat(Organization(), "/auditEntries/", index));
      const auto proof = Call<common::v1::InclusionProof>("GetInclusionProof", request);
      if (!proof.ok() || proof->leaf_hash() != anchored->second) {
        fault.set_leaf_index(index);
        fault.set_last_suspect(index);
      }
    }
    return absl::DataLossError(
        absl::StrCat(service_, ": ", common::v1::AuditFaultKind_Name(fault.kind()),
                     ", first bad leaf ", fault.leaf_index(),
                     fault.last_suspect() > fault.leaf_index()
                         ? absl::StrCat(" or a later one up to ", fault.last_suspect())
                         : "",
                     fault.resource().empty() ? "" : absl::StrCat(", of ", fault.resource()), ". ",
                     fault.detail()));
  }

  // The tree as it is now is signed, and goes on from the last anchored head: proven here.
  absl::Status HoldNewestHead() {
    common::v1::GetSignedHeadRequest of;
    of.set_parent(Organization());
    ASSIGN_OR_RETURN(const SignedHead newest, Call<SignedHead>("GetSignedHead", of));
    const audit::Head head{.organization_id = organization_id_,
                           .service = service_,
                           .tree_size = newest.tree_size(),
                           .root_hash = newest.root_hash(),
                           .sign_time = absl::FromUnixSeconds(newest.sign_time().seconds()) +
                                        absl::Nanoseconds(newest.sign_time().nanos()),
                           .key_id = newest.key_id(),
                           .signature = newest.signature()};
    bool holds = audit::IsTrusted(head, *trusted_);
    if (holds && !anchored_.heads.empty()) {
      const audit::Head& last = anchored_.heads.back();
      common::v1::GetConsistencyProofRequest request;
      request.set_parent(Organization());
      request.set_first_size(last.tree_size);
      request.set_second_size(head.tree_size);
      ASSIGN_OR_RETURN(const auto proof,
                       Call<common::v1::ConsistencyProof>("GetConsistencyProof", request));
      holds = audit::ProvesConsistency(last.tree_size, last.root_hash, head.tree_size,
                                       head.root_hash, {proof.path().begin(), proof.path().end()});
    }
    if (holds) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(
        service_, ": the head that the service signs now does not go on from the last anchored"));
  }

  GrpcCaller& caller_;
  const std::string service_;
  const std::string organization_id_;
  std::shared_ptr<const auth::KeySet> trusted_;  // null: the service holds itself to its anchor
  audit::Anchored anchored_;
};

}  // namespace

absl::Status AuditVerify(const Words& words) {
  const std::string organization_id = IdentityFromFlags().organization_id;
  const std::string anchors = absl::GetFlag(FLAGS_audit_anchor_dir);
  const std::string keys = absl::GetFlag(FLAGS_audit_jwks_file);
  if (!words.empty() || organization_id.empty() || (!anchors.empty() && keys.empty())) {
    return absl::InvalidArgumentError(
        "usage: rapportctl audit verify --organization=ID [--audit_service=NAME] "
        "[--audit_anchor_dir=DIRECTORY --audit_jwks_file=FILE]");
  }
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  const std::string chosen = absl::GetFlag(FLAGS_audit_service);
  absl::Status first_fault;
  for (const char* service : {"scheduling", "assessment", "notes"}) {
    if (!chosen.empty() && chosen != service) continue;
    LogCheck check(*caller, service, organization_id);
    absl::Status status = check.ReadAnchors(anchors, keys);
    if (status.ok()) status = check.Run();
    if (status.ok()) continue;
    if (first_fault.ok()) {
      first_fault = status;
    } else {
      std::fprintf(stderr, "%s\n", Describe(status).c_str());
    }
  }
  return first_fault;
}

absl::Status AuditFhir(const Words& words) {
  const std::string organization_id = IdentityFromFlags().organization_id;
  const std::string service = absl::GetFlag(FLAGS_audit_service);
  if (words.size() > 1 || organization_id.empty() || service.empty()) {
    return absl::InvalidArgumentError(
        "usage: rapportctl audit fhir [RESOURCE] --organization=ID --audit_service=NAME");
  }
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  common::v1::ExportAuditEventsRequest request;
  request.set_parent(absl::StrCat("organizations/", organization_id));
  if (!words.empty()) request.set_resource(words[0]);
  request.set_page_size(kMostEvents);
  do {
    ASSIGN_OR_RETURN(
        const auto page,
        caller->CallAt<common::v1::ExportAuditEventsResponse>(
            service,
            {.subject = "auditor", .organization_id = organization_id, .roles = {kOfficer}},
            absl::StrCat(kService, "ExportAuditEvents"), request));
    std::puts(page.bundle().c_str());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace rapport::ctl
