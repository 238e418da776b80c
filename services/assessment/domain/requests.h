#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_REQUESTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_REQUESTS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/assessment/v1/events.pb.h"
#include "rapport/assessment/v1/measure_request.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// When a patient can be asked, and can answer.
namespace rapport::assessment {

// Hours in which somebody would see an answer, each stretch within one day. None given: always. Of
// a stretch, what the clocks leave out when they go forward is left out.
struct MonitoredHours {
  // The clinic's, by its clock, or the organisation's where it has none of its own.
  static MonitoredHours Of(const scheduling::v1::OrganizationEvent& organization,
                           const scheduling::v1::ClinicEvent& clinic);

  google::protobuf::RepeatedPtrField<scheduling::v1::WeeklyStretch> stretches;
  absl::TimeZone zone = absl::UTCTimeZone();

  bool Holds(absl::Time at) const;
  // The first instant from `from` on that they hold; nothing within the 8 days after it.
  std::optional<absl::Time> Next(absl::Time from) const;
};

// Fills in the times that `request` leaves out: open 48 h before the session (`start`, `end`), or
// now; until its end, or 7 days after it opens. Without a session both are nothing.
//   kInvalidArgument  times that do not follow each other, that are past, or more than 60 days from
//                     opening to expiry; fields below "measure_request."
absl::Status SettleTimes(v1::MeasureRequest& request, std::optional<absl::Time> start,
                         std::optional<absl::Time> end, absl::Time now);

// Whether it waits for answers still.
bool IsOpen(v1::MeasureRequestState state);

// The end of a request's time, as a kind of work item; the key is its name.
inline constexpr absl::string_view kExpiryWork = "measure_expiry";

v1::MeasureRequestEvent EventOf(const v1::MeasureRequest& request);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_REQUESTS_H_
