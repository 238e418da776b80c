#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_REQUESTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_REQUESTS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/assessment/v1/measure_request.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"

// When a patient can be asked, and can answer.
namespace rapport::assessment {

// Hours in which somebody would see an answer, each stretch within one day. None given: always. Of
// a stretch, what the clocks leave out when they go forward is left out.
struct MonitoredHours {
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

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_REQUESTS_H_
