#include "services/scheduling/rpc/time_watch.h"

#include <functional>

#include "services/scheduling/data/shipped_protocols.h"
#include "services/scheduling/store/appointment_store.h"
#include "tests/conformance/scheduling/background.h"

namespace rapport::scheduling {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::StartsWith;

// The zone data in use is said to be newer than what sessions were booked with.
class TimeWatchTest : public BackgroundTest {
 protected:
  void Write(const std::function<absl::Status(sql::Transaction&)>& body) {
    const absl::Status status =
        database_->Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
                         [&](sql::Transaction& tx) { return body(tx); });
    ASSERT_TRUE(status.ok()) << status;
  }

  // As if zone data had been such, when it was booked, that its local time was another.
  void Agree(const std::string& name, int hours, const std::string& zone = "Europe/London") {
    Write([&](sql::Transaction& tx) -> absl::Status {
      ASSIGN_OR_RETURN(auto row, store::GetAppointment(tx, name, {}));
      row.resource.mutable_local_time()->set_hours(hours);
      row.resource.set_time_zone(zone);
      row.resource.set_tzdata_version("2025b");
      return store::UpdateAppointment(
          tx, row.resource, *ShippedProtocols().Find("protocols/classic/revisions/1"), row.version);
    });
  }

  void Watch(const std::string& version) {
    Background background(*database_, clock_, *metrics_, booker_, waitlist_, version);
    ASSERT_TRUE(background.Adopt().ok());
    for (int done = 1; done > 0; done = *background.RunOnce()) {
    }
  }
};

TEST_P(TimeWatchTest, WhatStillBeginsWhenAgreedIsLeftAlone) {
  const v1::Appointment session = Booked(Active("a"), 2, 2, 10);
  const size_t events = Events().size();
  ASSERT_TRUE(background_.Adopt().ok());
  Work();
  EXPECT_EQ(Session(session.name()).etag(), session.etag());
  EXPECT_EQ(Events().size(), events);
}

TEST_P(TimeWatchTest, WhatWouldBeginAtAnotherTimeIsMarkedAndToldButNotMoved) {
  const v1::Appointment session = Booked(Active("a"), 2, 2, 10);
  const v1::Appointment gone = Booked(Active("b"), 2, 2, 12);
  const v1::Appointment past = Booked(Active("c"), 2, 2, 14);
  for (const auto& one : {session, past}) Agree(one.name(), 11);
  Agree(gone.name(), 12, "Europe/Atlantis");
  Cancel(past);
  Watch("2030a");

  const v1::Appointment marked = Session(session.name());
  EXPECT_EQ(time::ToTime(marked.time_at_risk().would_start_time()),
            time::ToTime(session.start_time()) + absl::Hours(1));
  EXPECT_EQ(marked.time_at_risk().tzdata_version(), "2030a");
  EXPECT_EQ(marked.start_time().seconds(), session.start_time().seconds());
  EXPECT_EQ(marked.sequence(), session.sequence());
  EXPECT_EQ(marked.tzdata_version(), "2025b");
  EXPECT_EQ(marked.etag(), "3");
  EXPECT_TRUE(Session(gone.name()).has_time_at_risk());
  EXPECT_FALSE(Session(gone.name()).time_at_risk().has_would_start_time());
  EXPECT_FALSE(Session(past.name()).has_time_at_risk());

  const auto told = EventsOf<v1::AppointmentTimeAtRisk>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].first.resource(), absl::StrCat(session.name(), "/timeAtRisk"));
  EXPECT_EQ(told[0].first.version(), 3);
  EXPECT_EQ(told[0].second.start_time().seconds(), session.start_time().seconds());
  EXPECT_EQ(told[0].second.local_time().hours(), 11);
  EXPECT_EQ(told[0].second.time_zone(), "Europe/London");
  EXPECT_FALSE(told[1].second.has_would_start_time());
  const auto changed = EventsOf<v1::AppointmentEvent>();
  EXPECT_EQ(changed.back().first.version(), 3);
  EXPECT_TRUE(changed.back().second.has_busy_until());

  // Once, also on the next day and by the next release.
  Advance(absl::Hours(24));
  Watch("2030a");
  Watch("2030b");
  EXPECT_EQ(EventsOf<v1::AppointmentTimeAtRisk>().size(), 2u);
  EXPECT_EQ(Session(session.name()).etag(), "3");
}

TEST_P(TimeWatchTest, WhatIsAtRiskNoMoreIsToldToo) {
  const v1::Appointment session = Booked(Active("a"), 2, 2, 10);
  Agree(session.name(), 11);
  Watch("2030a");
  ASSERT_TRUE(Session(session.name()).has_time_at_risk());
  Agree(session.name(), 10);
  Watch("2030b");
  EXPECT_FALSE(Session(session.name()).has_time_at_risk());
  const auto told = EventsOf<v1::AppointmentTimeAtRisk>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].second.would_start_time().seconds(), session.start_time().seconds());
}

TEST_P(TimeWatchTest, AllPagesAreChecked) {
  std::vector<std::string> sessions;
  for (const char* patient : {"a", "b", "c", "d", "e"}) {
    v1::BookSeriesRequest ask = SeriesOf(Active(patient), 12, 2, 2 + (patient[0] - 'a') % 5, 10);
    const auto series = Do(&AppointmentHandlers::BookSeries, scheduler_, ask);
    ASSERT_TRUE(series.ok()) << series.status();
    for (const auto& one : series->appointments()) sessions.push_back(one.name());
  }
  for (const std::string& name : sessions) Agree(name, 11);
  Watch("2030a");
  EXPECT_EQ(EventsOf<v1::AppointmentTimeAtRisk>().size(), 60u);
}

TEST_P(TimeWatchTest, AnItemOfAnotherReleaseIsLeftToWhoHasItOrDropped) {
  Booked(Active("a"), 2, 2, 10);
  Write([&](sql::Transaction& tx) {
    work::Schedule(tx, "acme", kTimeWatchWork, "2029z", now_);
    work::Schedule(tx, "acme", kTimeWatchWork, "2031a", now_);
    return absl::OkStatus();
  });
  Work();
  EXPECT_THAT(Items(), Not(Contains("tzdata 2029z")));
  EXPECT_THAT(Items(), Contains("tzdata 2031a"));
  Watch("2031a");
  Work();
  EXPECT_THAT(Items(), Contains("tzdata 2031a"));
}

TEST_P(TimeWatchTest, DataThatDoesNotSayItsReleaseWatchesNothing) {
  Watch("unknown");
  EXPECT_THAT(Items(), Not(Contains(StartsWith("tzdata"))));
}

INSTANTIATE_ON_ENGINES(TimeWatchTest);

}  // namespace
}  // namespace rapport::scheduling
