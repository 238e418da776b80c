#include "tools/rapportctl/methods.h"

#include <string>

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

namespace rapport::ctl {
namespace {

// One message of each service's file: the linker keeps only files that something names.
bool Linked() {
  const google::protobuf::Descriptor* const all[] = {
      assessment::v1::GetAlertRequest::default_instance().GetDescriptor(),
      assessment::v1::RecordAssessmentRequest::default_instance().GetDescriptor(),
      assessment::v1::GetInstrumentRequest::default_instance().GetDescriptor(),
      assessment::v1::GetProgressRequest::default_instance().GetDescriptor(),
      assessment::v1::ScoreRequest::default_instance().GetDescriptor(),
      common::v1::RetryParkedEventsRequest::default_instance().GetDescriptor(),
      common::v1::PlaceHoldRequest::default_instance().GetDescriptor(),
      notes::v1::GetCaseRequest::default_instance().GetDescriptor(),
      notes::v1::GetEntryRequest::default_instance().GetDescriptor(),
      notes::v1::ExportCaseRequest::default_instance().GetDescriptor(),
      notes::v1::GetSessionBriefRequest::default_instance().GetDescriptor(),
      notes::v1::StartNoteRequest::default_instance().GetDescriptor(),
      notes::v1::CheckSuitabilityRequest::default_instance().GetDescriptor(),
      scheduling::v1::HoldAppointmentRequest::default_instance().GetDescriptor(),
      scheduling::v1::CreateCourseRequest::default_instance().GetDescriptor(),
      scheduling::v1::CreateClinicRequest::default_instance().GetDescriptor(),
      scheduling::v1::CreateGroupRequest::default_instance().GetDescriptor(),
      scheduling::v1::PlanLeaveRequest::default_instance().GetDescriptor(),
      scheduling::v1::OpeningFilter::default_instance().GetDescriptor(),
      scheduling::v1::CreateOrganizationRequest::default_instance().GetDescriptor(),
      scheduling::v1::CreateProtocolRevisionRequest::default_instance().GetDescriptor(),
      scheduling::v1::CreateSupervisionRequest::default_instance().GetDescriptor(),
      scheduling::v1::RevokeTokenRequest::default_instance().GetDescriptor(),
      scheduling::v1::JoinWaitlistRequest::default_instance().GetDescriptor(),
      assessment::v1::GetCourseNeedsRequest::default_instance().GetDescriptor(),
      assessment::v1::CreateMeasureRequestRequest::default_instance().GetDescriptor(),
      assessment::v1::GetOutcomesRequest::default_instance().GetDescriptor(),
      common::v1::ListAuditEntriesRequest::default_instance().GetDescriptor(),
      notes::v1::GetSessionFidelityRequest::default_instance().GetDescriptor(),
      notes::v1::CreateNoteTemplateRevisionRequest::default_instance().GetDescriptor(),
      notes::v1::CreatePsychotherapyNoteRequest::default_instance().GetDescriptor(),
      notes::v1::CreateConsentRequest::default_instance().GetDescriptor(),
      notes::v1::ListCaseloadRequest::default_instance().GetDescriptor(),
  };
  return all[0] != nullptr;
}

}  // namespace

const google::protobuf::MethodDescriptor* FindUnaryMethod(absl::string_view method) {
  std::string name(method);
  const size_t slash = name.find('/');
  if (slash == std::string::npos || !Linked()) return nullptr;
  name[slash] = '.';
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  if (found == nullptr || found->client_streaming() || found->server_streaming()) return nullptr;
  return found;
}

}  // namespace rapport::ctl
