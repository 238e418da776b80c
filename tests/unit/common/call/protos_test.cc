// Walks every method of every service of the suite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/auth/permissions.h"
#include "common/call/validate.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/caseload_service.pb.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "rapport/assessment/v1/measure_request_service.pb.h"
#include "rapport/assessment/v1/outcome_service.pb.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/common/v1/audit_service.pb.h"
#include "rapport/common/v1/event_service.pb.h"
#include "rapport/common/v1/options.pb.h"
#include "rapport/common/v1/privacy_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/entry_service.pb.h"
#include "rapport/notes/v1/export_service.pb.h"
#include "rapport/notes/v1/fidelity_service.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/notes/v1/note_template_service.pb.h"
#include "rapport/notes/v1/psychotherapy_note_service.pb.h"
#include "rapport/notes/v1/release_service.pb.h"
#include "rapport/notes/v1/review_service.pb.h"
#include "rapport/notes/v1/suitability_service.pb.h"
#include "rapport/notes/v1/supervision_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "rapport/scheduling/v1/group_service.pb.h"
#include "rapport/scheduling/v1/leave_service.pb.h"
#include "rapport/scheduling/v1/opening_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "rapport/scheduling/v1/protocol_service.pb.h"
#include "rapport/scheduling/v1/revocation_service.pb.h"
#include "rapport/scheduling/v1/supervision_service.pb.h"
#include "rapport/scheduling/v1/waitlist_service.pb.h"

namespace rapport {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

std::vector<const MethodDescriptor*> AllMethods() {
  const FileDescriptor* files[] = {
      assessment::v1::GetAlertRequest::descriptor()->file(),
      assessment::v1::GetAssessmentRequest::descriptor()->file(),
      assessment::v1::GetCourseNeedsRequest::descriptor()->file(),
      assessment::v1::GetInstrumentRequest::descriptor()->file(),
      assessment::v1::CreateMeasureRequestRequest::descriptor()->file(),
      assessment::v1::GetOutcomesRequest::descriptor()->file(),
      assessment::v1::GetProgressRequest::descriptor()->file(),
      assessment::v1::ScoreRequest::descriptor()->file(),
      common::v1::PlaceHoldRequest::descriptor()->file(),
      common::v1::ListAuditEntriesRequest::descriptor()->file(),
      common::v1::WatchRequest::descriptor()->file(),
      notes::v1::GetCaseRequest::descriptor()->file(),
      notes::v1::GetEntryRequest::descriptor()->file(),
      notes::v1::ExportCaseRequest::descriptor()->file(),
      notes::v1::GetCourseFidelityRequest::descriptor()->file(),
      notes::v1::GetNoteRequest::descriptor()->file(),
      notes::v1::GetNoteTemplateRequest::descriptor()->file(),
      notes::v1::GetPsychotherapyNoteRequest::descriptor()->file(),
      notes::v1::GetPatientViewRequest::descriptor()->file(),
      notes::v1::GetSessionBriefRequest::descriptor()->file(),
      notes::v1::CheckSuitabilityRequest::descriptor()->file(),
      notes::v1::ListCaseloadRequest::descriptor()->file(),
      scheduling::v1::GetAppointmentRequest::descriptor()->file(),
      scheduling::v1::GetCourseRequest::descriptor()->file(),
      scheduling::v1::GetClinicRequest::descriptor()->file(),
      scheduling::v1::CreateGroupRequest::descriptor()->file(),
      scheduling::v1::PlanLeaveRequest::descriptor()->file(),
      scheduling::v1::SearchOpeningsRequest::descriptor()->file(),
      scheduling::v1::GetOrganizationRequest::descriptor()->file(),
      scheduling::v1::GetProtocolRequest::descriptor()->file(),
      scheduling::v1::RevokeSubjectRequest::descriptor()->file(),
      scheduling::v1::CreateSupervisionRequest::descriptor()->file(),
      scheduling::v1::JoinWaitlistRequest::descriptor()->file(),
  };
  std::vector<const MethodDescriptor*> methods;
  for (const FileDescriptor* file : files) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.push_back(file->service(s)->method(m));
      }
    }
  }
  return methods;
}

bool Begins(const MethodDescriptor& method, std::initializer_list<absl::string_view> verbs) {
  for (absl::string_view verb : verbs) {
    if (absl::StartsWith(method.name(), verb)) return true;
  }
  return false;
}

TEST(ProtosTest, EveryMethodDeclaresAKnownPermissionAndAnExecutor) {
  ASSERT_GT(AllMethods().size(), 50u);
  for (const MethodDescriptor* method : AllMethods()) {
    const auto& policy = method->options().GetExtension(common::v1::policy);
    EXPECT_TRUE(auth::IsPermission(policy.permission())) << method->full_name();
    EXPECT_NE(policy.executor(), common::v1::EXECUTOR_UNSPECIFIED) << method->full_name();
  }
}

TEST(ProtosTest, EveryPermissionOfAMethodIsGrantedToSomeone) {
  for (const MethodDescriptor* method : AllMethods()) {
    const std::string& permission = method->options().GetExtension(common::v1::policy).permission();
    bool granted = auth::ServiceGrants("scheduling", permission) ||
                   auth::ServiceGrants("assessment", permission);
    for (absl::string_view role : auth::AllRoles()) granted |= auth::RoleGrants(role, permission);
    EXPECT_TRUE(granted) << method->full_name() << " needs " << permission;
  }
}

TEST(ProtosTest, EveryFieldOfARequestIsBounded) {
  for (const MethodDescriptor* method : AllMethods()) {
    EXPECT_THAT(call::UnboundedFields(method->input_type()), testing::IsEmpty())
        << method->full_name();
  }
}

TEST(ProtosTest, EveryListIsPaged) {
  for (const MethodDescriptor* method : AllMethods()) {
    if (!Begins(*method, {"List"})) continue;
    EXPECT_NE(method->input_type()->FindFieldByName("page_size"), nullptr) << method->full_name();
    EXPECT_NE(method->input_type()->FindFieldByName("page_token"), nullptr) << method->full_name();
    EXPECT_NE(method->output_type()->FindFieldByName("next_page_token"), nullptr)
        << method->full_name();
  }
}

// SaveDraft is repeatable by its sequence number, RetryParkedEvents, RebuildOutcomes and imports by
// nature.
TEST(ProtosTest, EveryChangeIsRepeatableByItsRequestId) {
  for (const MethodDescriptor* method : AllMethods()) {
    if (Begins(*method, {"Get",
                         "List",
                         "Search",
                         "PlanSeries",
                         "Watch",
                         "Score",
                         "StreamScores",
                         "Render",
                         "OpenMeasureRequest",
                         "CheckSuitability",
                         "Export",
                         "SaveDraft",
                         "RebuildOutcomes",
                         "RetryParkedEvents",
                         "ImportDirectory",
                         "CheckPrefill",
                         "DiffNote",
                         "VerifyNote",
                         "AdviseSuitability",
                         "VerifyAudit"}))
      continue;
    // A link is spent once, and a save bears its number.
    if (Begins(*method, {"SaveMeasureAnswers", "DeclineMeasure"})) continue;
    EXPECT_NE(method->input_type()->FindFieldByName("request_id"), nullptr) << method->full_name();
  }
}

TEST(ProtosTest, EveryEnumBeginsWithAnUnspecifiedValue) {
  std::set<const google::protobuf::EnumDescriptor*> enums;
  for (const MethodDescriptor* method : AllMethods()) {
    const FileDescriptor* file = method->output_type()->file();
    for (int i = 0; i < file->enum_type_count(); ++i) enums.insert(file->enum_type(i));
  }
  ASSERT_FALSE(enums.empty());
  for (const auto* type : enums) {
    EXPECT_TRUE(absl::EndsWith(type->value(0)->name(), "_UNSPECIFIED")) << type->full_name();
    EXPECT_EQ(type->value(0)->number(), 0) << type->full_name();
  }
}

}  // namespace
}  // namespace rapport
