#ifndef RAPPORT_TESTS_UNIT_SERVICES_SCHEDULING_BUILDERS_H_
#define RAPPORT_TESTS_UNIT_SERVICES_SCHEDULING_BUILDERS_H_

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/errors/errors.h"
#include "common/time/zones.h"
#include "google/protobuf/text_format.h"
#include "services/scheduling/data/shipped_protocols.h"
#include "services/scheduling/domain/booking.h"

namespace rapport::scheduling {

// The message that `text` says.
template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

inline absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

inline absl::TimeZone Zone(const std::string& name) { return time::LoadZone(name).value(); }

// In person, of clinician "c" and patient "p" at these times.
inline std::vector<AskedSession> Asked(const std::vector<SessionTime>& times) {
  std::vector<AskedSession> sessions;
  for (const SessionTime& time : times) {
    AskedSession& session = sessions.emplace_back();
    session.booking = absl::StrCat("asked-", sessions.size());
    session.time = time;
    session.clinicians = {"clinicians/c"};
    session.others = {"patients/p"};
  }
  return sessions;
}

inline const v1::Protocol& Classic() {
  return *ShippedProtocols().Find("protocols/classic/revisions/1");
}

}  // namespace rapport::scheduling

#endif  // RAPPORT_TESTS_UNIT_SERVICES_SCHEDULING_BUILDERS_H_
