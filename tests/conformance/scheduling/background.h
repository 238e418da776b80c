#ifndef RAPPORT_TESTS_CONFORMANCE_SCHEDULING_BACKGROUND_H_
#define RAPPORT_TESTS_CONFORMANCE_SCHEDULING_BACKGROUND_H_

#include <memory>
#include <string>
#include <vector>

#include "common/names/names.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "services/scheduling/rpc/background.h"
#include "services/scheduling/rpc/waitlist.h"
#include "services/scheduling/rpc/waitlist_handlers.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {

// With what the service does by itself, at the time of a clock that the test moves.
class BackgroundTest : public SchedulingTest {
 protected:
  void SetUp() override {
    SchedulingTest::SetUp();
    clock_.Set(now_);
  }

  void Advance(absl::Duration by) {
    now_ += by;
    clock_.Set(now_);
  }
  void AdvanceTo(const std::string& time) {
    absl::Time to;
    std::string error;
    ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, time, &to, &error));
    ASSERT_GE(to, now_);
    Advance(to - now_);
  }

  // Does all that is due.
  void Work() {
    for (int done = 1; done > 0;) {
      const auto once = background_.RunOnce();
      ASSERT_TRUE(once.ok()) << once.status();
      done = *once;
    }
  }

  // Calls the waitlist at the time of the clock; from any thread.
  template <class Response, class Request>
  absl::StatusOr<Response> Ask(absl::StatusOr<Response> (WaitlistHandlers::*method)(
                                   const call::CallContext&, const Request&),
                               const Who& who, const Request& request) {
    call::CallContext context = Context(who, request);
    context.now = clock_.Now();
    return (waitlist_handlers_.*method)(context, request);
  }

  absl::StatusOr<v1::WaitlistEntry> Join(const v1::Course& course, const std::string& more = "") {
    return Ask(&WaitlistHandlers::JoinWaitlist, scheduler_,
               Parse<v1::JoinWaitlistRequest>(
                   absl::StrCat("parent: 'organizations/acme' waitlist_entry { course: '",
                                course.name(), "' ", more, " }")));
  }
  std::string Joined(const v1::Course& course, const std::string& more = "") {
    const auto entry = Join(course, more);
    EXPECT_TRUE(entry.ok()) << entry.status();
    return entry.ok() ? entry->name() : "";
  }

  v1::WaitlistEntry Entry(const std::string& name) {
    v1::GetWaitlistEntryRequest get;
    get.set_name(name);
    const auto entry = Ask(&WaitlistHandlers::GetWaitlistEntry, scheduler_, get);
    EXPECT_TRUE(entry.ok()) << entry.status();
    return entry.ok() ? *entry : v1::WaitlistEntry();
  }
  v1::WaitlistState StateOf(const std::string& name) { return Entry(name).state(); }

  absl::StatusOr<v1::AcceptWaitlistOfferResponse> Accept(const std::string& name,
                                                         const std::string& request_id = "") {
    v1::AcceptWaitlistOfferRequest accept;
    accept.set_name(name);
    accept.set_request_id(request_id);
    return Ask(&WaitlistHandlers::AcceptWaitlistOffer, scheduler_, accept);
  }
  absl::Status Decline(const std::string& name) {
    v1::DeclineWaitlistOfferRequest decline;
    decline.set_name(name);
    return Ask(&WaitlistHandlers::DeclineWaitlistOffer, scheduler_, decline).status();
  }
  absl::Status Leave(const std::string& name) {
    v1::LeaveWaitlistRequest leave;
    leave.set_name(name);
    return Ask(&WaitlistHandlers::LeaveWaitlist, scheduler_, leave).status();
  }

  v1::Appointment Session(const std::string& name) {
    v1::GetAppointmentRequest get;
    get.set_name(name);
    const auto appointment = Do(&AppointmentHandlers::GetAppointment, scheduler_, get);
    EXPECT_TRUE(appointment.ok()) << appointment.status();
    return appointment.ok() ? *appointment : v1::Appointment();
  }
  void Cancel(const v1::Appointment& appointment) {
    v1::CancelAppointmentRequest cancel;
    cancel.set_name(appointment.name());
    cancel.set_reason(v1::CANCEL_REASON_PATIENT);
    const auto cancelled = Do(&AppointmentHandlers::CancelAppointment, scheduler_, cancel);
    EXPECT_TRUE(cancelled.ok()) << cancelled.status();
  }

  // The events of one type, in order.
  template <class Payload>
  std::vector<std::pair<common::v1::Event, Payload>> EventsOf() {
    std::vector<std::pair<common::v1::Event, Payload>> found;
    for (common::v1::Event& event : Events()) {
      Payload payload;
      if (event.payload().UnpackTo(&payload)) found.emplace_back(event, payload);
    }
    return found;
  }

  std::vector<std::string> Items() {
    std::vector<std::string> items;
    EXPECT_TRUE(database_
                    ->Read(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
                           [&](sql::Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const sql::Result rows,
                                              session.Query(kItems, {sql::Text("acme")}));
                             for (size_t i = 0; i < rows.rows(); ++i) {
                               items.push_back(absl::StrCat(rows.Text(i, 0), " ", rows.Text(i, 1)));
                             }
                             return absl::OkStatus();
                           })
                    .ok());
    return items;
  }
  static inline const sql::Statement kItems{"test.scheduling.items", R"sql(
    SELECT kind, key FROM due_work WHERE organization_id = $1 ORDER BY kind, key)sql"};

  time::ManualClock clock_{absl::UnixEpoch()};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  Waitlist waitlist_{revisions_, booker_, ask_nearest_};
  WaitlistHandlers waitlist_handlers_{*database_, waitlist_};
  Background background_{*database_, clock_, *metrics_, booker_, waitlist_, "2030a"};
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_TESTS_CONFORMANCE_SCHEDULING_BACKGROUND_H_
