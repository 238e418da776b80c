#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_HANDLERS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/exchange.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "google/protobuf/empty.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"

namespace rapport::scheduling {

// Answers DirectoryService.
class DirectoryHandlers {
 public:
  explicit DirectoryHandlers(sql::Database& database) : database_(database) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Clinic> CreateClinic(const call::CallContext& context,
                                          const v1::CreateClinicRequest& request);
  absl::StatusOr<v1::Clinic> GetClinic(const call::CallContext& context,
                                       const v1::GetClinicRequest& request);
  absl::StatusOr<v1::ListClinicsResponse> ListClinics(const call::CallContext& context,
                                                      const v1::ListClinicsRequest& request);
  absl::StatusOr<v1::Clinic> UpdateClinic(const call::CallContext& context,
                                          const v1::UpdateClinicRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteClinic(const call::CallContext& context,
                                                       const v1::DeleteClinicRequest& request);

  absl::StatusOr<v1::Clinician> CreateClinician(const call::CallContext& context,
                                                const v1::CreateClinicianRequest& request);
  absl::StatusOr<v1::Clinician> GetClinician(const call::CallContext& context,
                                             const v1::GetClinicianRequest& request);
  absl::StatusOr<v1::ListCliniciansResponse> ListClinicians(
      const call::CallContext& context, const v1::ListCliniciansRequest& request);
  absl::StatusOr<v1::Clinician> UpdateClinician(const call::CallContext& context,
                                                const v1::UpdateClinicianRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteClinician(
      const call::CallContext& context, const v1::DeleteClinicianRequest& request);

  absl::StatusOr<v1::TimeOff> CreateTimeOff(const call::CallContext& context,
                                            const v1::CreateTimeOffRequest& request);
  absl::StatusOr<v1::TimeOff> GetTimeOff(const call::CallContext& context,
                                         const v1::GetTimeOffRequest& request);
  absl::StatusOr<v1::ListTimeOffsResponse> ListTimeOffs(const call::CallContext& context,
                                                        const v1::ListTimeOffsRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteTimeOff(const call::CallContext& context,
                                                        const v1::DeleteTimeOffRequest& request);

  absl::StatusOr<v1::Cover> CreateCover(const call::CallContext& context,
                                        const v1::CreateCoverRequest& request);
  absl::StatusOr<v1::Cover> GetCover(const call::CallContext& context,
                                     const v1::GetCoverRequest& request);
  absl::StatusOr<v1::ListCoversResponse> ListCovers(const call::CallContext& context,
                                                    const v1::ListCoversRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteCover(const call::CallContext& context,
                                                      const v1::DeleteCoverRequest& request);

  absl::StatusOr<v1::Room> CreateRoom(const call::CallContext& context,
                                      const v1::CreateRoomRequest& request);
  absl::StatusOr<v1::Room> GetRoom(const call::CallContext& context,
                                   const v1::GetRoomRequest& request);
  absl::StatusOr<v1::ListRoomsResponse> ListRooms(const call::CallContext& context,
                                                  const v1::ListRoomsRequest& request);
  absl::StatusOr<v1::Room> UpdateRoom(const call::CallContext& context,
                                      const v1::UpdateRoomRequest& request);
  absl::StatusOr<google::protobuf::Empty> DeleteRoom(const call::CallContext& context,
                                                     const v1::DeleteRoomRequest& request);

  using Import = call::Exchange<v1::ImportDirectoryRequest, v1::ImportDirectoryResponse>;
  absl::StatusOr<std::unique_ptr<Import>> ImportDirectory(const call::CallContext& context);

 private:
  sql::Database& database_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_DIRECTORY_HANDLERS_H_
