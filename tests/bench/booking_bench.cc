// How fast sessions and series are booked on PostgreSQL, against pgbench sending the same
// statements to the same database in the same run, and how far the index of free time trails a
// commit.
//
//   booking_bench [--clinicians N] [--rounds N] [--bookings N] [--series N] [--lags N] [--json
//   FILE]
//
// The statements are recorded from a first booking through the handlers and written down as pgbench
// scripts, in which people, times and ids are computed for each transaction; what is the same for
// all is a literal, documents are parameters. The scripts send them one by one ("a round trip
// each"), in as many round trips as the handler needs for its decisions ("its round trips"), and in
// one ("pipelined"), which knows all answers beforehand.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/feed/feed.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "services/scheduling/data/shipped_protocols.h"
#include "services/scheduling/migrations/migrations.h"
#include "services/scheduling/rpc/appointment_handlers.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/organization_handlers.h"
#include "tests/bench/network.h"
#include "tests/bench/pgbench.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::bench {
namespace {

namespace v1 = scheduling::v1;
using sql::testing::PostgresServer;

constexpr int kClients = 4;
constexpr char kOrganization[] = "bench";
constexpr int kBookingsEach = 25;  // of the network, a clinician
constexpr int kSlotsADay = 22;     // on the hour, from midnight
constexpr int kSinglesWeek = 20;   // the network's own bookings end before
constexpr int kSeriesWeek = 30;
constexpr int kSeriesSessions = 16;
constexpr int64_t kFirstNumber = 1'000'000'000;  // of the courses to book for, in ten digits
constexpr int64_t kSeriesNumbers = 1'000'000;    // those of series come so much later

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "%s\n", std::string(what).c_str());
  std::exit(1);
}
void Check(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

std::string Name(absl::string_view collection, absl::string_view id) {
  return absl::StrCat("organizations/", kOrganization, "/", collection, "/", id);
}

struct Options {
  int clinicians = 2'000;
  int rounds = 5;
  int bookings = 1'000;  // a round
  int series = 80;       // a round
  int lags = 200;
  std::string json;
};

// The place of a booking: each is of another course and patient, and takes free time.
struct Place {
  int clinician = 0;
  absl::CivilDay day;
  int hour = 0;
};

class Places {
 public:
  Places(const Options& options, absl::CivilDay start)
      : clinicians_(options.clinicians),
        clinics_(std::max(1, options.clinicians / 20)),
        start_(start) {}

  int clinics() const { return clinics_; }

  Place Single(int64_t number) const {
    const int64_t slot = number / clinicians_;
    return {static_cast<int>(number % clinicians_), start_ + 7 * kSinglesWeek + slot / kSlotsADay,
            static_cast<int>(slot % kSlotsADay)};
  }
  // Those of one clinic begin at different hours, so that its first room is free for each.
  Place Series(int64_t number) const {
    const int clinician = static_cast<int>(number % clinicians_);
    return {clinician, start_ + 7 * (kSeriesWeek + kSeriesSessions * (number / clinicians_)),
            clinician / clinics_};
  }

  // The same for pgbench: from :m to the microseconds after the place of number 0.
  std::string ShiftOfSingle() const {
    return absl::StrCat("(:m / ", clinicians_, " / ", kSlotsADay, ") * 86400000000 + (:m / ",
                        clinicians_, " % ", kSlotsADay, ") * 3600000000");
  }
  std::string ShiftOfSeries() const {
    return absl::StrCat("(:i / ", clinics_, ") * 3600000000 + (:m / ", clinicians_, ") * ",
                        int64_t{kSeriesSessions} * 7 * 86'400'000'000);
  }

 private:
  const int clinicians_;
  const int clinics_;
  const absl::CivilDay start_;
};

std::string CourseId(int64_t number) {
  return absl::StrCat(std::string(16, '0'), kFirstNumber + number);
}
std::string PatientId(int64_t number) { return absl::StrCat("p", kFirstNumber + number); }

// Writes rows for COPY.
class Table {
 public:
  Table(const testing::TempDir& folder, std::string columns)
      : columns_(std::move(columns)), path_(folder.File(columns_.substr(0, columns_.find(' ')))) {
    file_.open(path_);
  }

  template <class... Cells>
  void Row(const Cells&... cells) {
    const char* between = "";
    ((file_ << std::exchange(between, "\t") << Text(cells)), ...);
    file_ << "\n";
    ++rows_;
  }

  void Load(PostgresServer& server, const std::string& database) {
    file_.close();
    // As the superuser: foreign keys, which hold by construction, are not looked at.
    server.Admin(database, absl::StrCat("SET session_replication_role = replica; COPY ", columns_,
                                        " FROM '", path_, "'"));
  }

  int64_t rows() const { return rows_; }

 private:
  static std::string Text(const google::protobuf::Message& document) {
    return absl::StrCat("\\\\x", absl::BytesToHexString(document.SerializeAsString()));
  }
  static std::string Text(const std::string& text) { return text; }
  static std::string Text(int64_t number) { return absl::StrCat(number); }

  const std::string columns_;
  const std::string path_;
  std::ofstream file_;
  int64_t rows_ = 0;
};

class Loader {
 public:
  Loader(const Options& options, PostgresServer& server, std::string database, const Places& places)
      : options_(options), server_(server), database_(std::move(database)), places_(places) {
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
  }

  // Returns how many bookings there are.
  int64_t Load(int64_t singles, int64_t series) {
    const Network network = MakeNetwork({.clinicians = options_.clinicians,
                                         .clinics = places_.clinics(),
                                         .bookings = int64_t{kBookingsEach} * options_.clinicians});
    now_ = absl::FromCivil(network.start, absl::UTCTimeZone());
    PutDirectory(network);
    std::set<uint32_t> known;
    for (const Booking& booking : network.bookings) {
      const Clinician& clinician = network.clinicians[booking.clinician];
      const std::string course = IdOf(booking.series + 1);
      const std::string patient = absl::StrCat("n", booking.patient);
      const std::string& clinic = network.clinics[booking.clinic].id;
      if (known.insert(booking.series).second) PutCourse(course, patient, clinician.id, clinic);
      PutBooking(network, booking, course, patient);
    }
    for (int64_t i = 0; i < singles; ++i) PutCourse(network, i, places_.Single(i));
    for (int64_t i = 0; i < series; ++i) {
      PutCourse(network, kSeriesNumbers + i, places_.Series(i));
    }
    for (Table* table : {&clinics_, &rooms_, &clinicians_, &links_, &time_off_, &courses_,
                         &appointments_, &attendees_, &claims_}) {
      table->Load(server_, database_);
    }
    server_.Admin(database_, "VACUUM ANALYZE");
    return appointments_.rows();
  }

  int64_t claims() const { return claims_.rows(); }

 private:
  void PutDirectory(const Network& network) {
    const std::string organization = kOrganization;
    for (const Clinic& of : network.clinics) {
      v1::Clinic clinic;
      clinic.set_name(Name("clinics", of.id));
      clinic.set_display_name(of.id);
      clinic.set_time_zone("Etc/UTC");
      clinic.set_jurisdiction(of.jurisdiction);
      clinics_.Row(organization, of.id, 1, clinic);
    }
    for (const Room& of : network.rooms) {
      const std::string& clinic = network.clinics[of.clinic].id;
      v1::Room room;
      room.set_name(absl::StrCat(Name("clinics", clinic), "/rooms/", of.id));
      room.set_display_name(of.id);
      room.set_capacity(of.capacity);
      for (const std::string& feature : of.features) room.add_features(feature);
      rooms_.Row(organization, clinic, of.id, 1, of.capacity, 0,
                 absl::StrCat("rooms/", clinic, "/", of.id), room);
    }
    for (const Clinician& of : network.clinicians) {
      const std::string& home = network.clinics[of.clinics[0]].id;
      v1::Clinician clinician;
      clinician.set_name(Name("clinicians", of.id));
      clinician.set_display_name(of.id);
      clinician.set_subject(of.id);
      clinician.set_profession(v1::PROFESSION_PSYCHOLOGIST);
      clinician.set_licence_number("L");
      *clinician.mutable_licence_expire_date() = time::ToDate(absl::CivilDay(2040, 1, 1));
      for (uint32_t clinic : of.clinics) {
        clinician.add_clinics(Name("clinics", network.clinics[clinic].id));
        links_.Row(organization, of.id, network.clinics[clinic].id);
      }
      for (const std::string& protocol : of.protocols) clinician.add_certified_protocols(protocol);
      for (const std::string& language : of.languages) clinician.add_languages(language);
      clinician.set_buffer_minutes(of.buffer_minutes);
      for (int day = 1; day <= 7; ++day) {
        v1::WorkingHours& hours = *clinician.add_weekly_hours();
        hours.set_clinic(Name("clinics", home));
        hours.set_day_of_week(static_cast<google::type::DayOfWeek>(day));
        *hours.mutable_start_time() = time::ToTimeOfDay(0);
        *hours.mutable_end_time() = time::ToTimeOfDay(23 * 60);
      }
      clinicians_.Row(organization, of.id, 1, of.id, clinician);
    }
    for (const TimeOff& of : network.time_off) {
      const std::string& clinician = network.clinicians[of.clinician].id;
      const std::string id = IdOf(time_off_.rows() + 1);
      v1::TimeOff time_off;
      time_off.set_name(absl::StrCat(Name("clinicians", clinician), "/timeOffs/", id));
      *time_off.mutable_start_time() = time::ToTimestamp(of.start);
      *time_off.mutable_end_time() = time::ToTimestamp(of.end);
      time_off_.Row(organization, clinician, id, 1, absl::ToUnixMicros(of.start),
                    absl::ToUnixMicros(of.end), time_off);
    }
  }

  void PutCourse(const Network& network, int64_t number, const Place& place) {
    const Clinician& clinician = network.clinicians[place.clinician];
    PutCourse(CourseId(number), PatientId(number), clinician.id,
              network.clinics[clinician.clinics[0]].id);
  }

  void PutCourse(const std::string& id, const std::string& patient, const std::string& clinician,
                 const std::string& clinic) {
    v1::Course course;
    course.set_name(Name("courses", id));
    course.set_patient(Name("patients", patient));
    v1::PatientParticulars& particulars = *course.mutable_patient_particulars();
    particulars.set_birth_year(1980);
    particulars.set_birth_month(5);
    particulars.set_jurisdiction("GB-ENG");
    particulars.set_time_zone("Europe/London");
    course.set_clinician(Name("clinicians", clinician));
    course.set_clinic(Name("clinics", clinic));
    course.set_protocol("protocols/classic/revisions/1");
    course.set_planned_sessions(kSeriesSessions);
    course.set_state(v1::COURSE_STATE_ACTIVE);
    *course.mutable_create_time() = time::ToTimestamp(now_);
    courses_.Row(std::string(kOrganization), id, 1, patient, clinician, clinic, course.state(),
                 absl::ToUnixMicros(now_), course);
  }

  void PutBooking(const Network& network, const Booking& booking, const std::string& course,
                  const std::string& patient) {
    const std::string organization = kOrganization;
    const std::string id = IdOf(booking.number);
    const Clinician& clinician = network.clinicians[booking.clinician];
    const std::string& clinic = network.clinics[booking.clinic].id;
    const absl::Time start = absl::FromUnixSeconds(booking.start);
    const absl::Time end = start + absl::Minutes(booking.minutes);
    const int64_t from = absl::ToUnixMicros(start);
    const int64_t to = absl::ToUnixMicros(end);
    const std::string room = booking.room == Booking::kNoRoom ? "" : network.rooms[booking.room].id;
    v1::Appointment appointment;
    appointment.set_name(Name("appointments", id));
    appointment.set_course(Name("courses", course));
    appointment.set_patient(Name("patients", patient));
    appointment.set_clinician(Name("clinicians", clinician.id));
    appointment.set_clinic(Name("clinics", clinic));
    appointment.set_series(course);
    appointment.set_modality(room.empty() ? v1::MODALITY_VIDEO : v1::MODALITY_IN_PERSON);
    appointment.set_state(v1::APPOINTMENT_STATE_BOOKED);
    appointment.set_time_zone("Etc/UTC");
    *appointment.mutable_start_time() = time::ToTimestamp(start);
    *appointment.mutable_end_time() = time::ToTimestamp(end);
    *appointment.mutable_create_time() = time::ToTimestamp(now_);
    if (!room.empty()) {
      appointment.set_room(absl::StrCat(Name("clinics", clinic), "/rooms/", room));
    }
    appointments_.Row(organization, id, 1, course, patient, clinician.id, clinic, course, from, to,
                      appointment.state(), 1, 0, 0, 0, room, std::string("2026a"), appointment);
    attendees_.Row(organization, absl::StrCat("patients/", patient), from, id);
    const int64_t buffer = clinician.buffer_minutes * int64_t{60'000'000};
    const std::string booked = "BOOKED";
    claims_.Row(organization, absl::StrCat("clinicians/", clinician.id), id, from, to + buffer,
                booked);
    claims_.Row(organization, absl::StrCat("patients/", patient), id, from, to, booked);
    if (!room.empty()) {
      claims_.Row(organization, absl::StrCat("rooms/", clinic, "/", room), id, from, to, booked);
    }
  }

  const Options& options_;
  PostgresServer& server_;
  const std::string database_;
  const Places& places_;
  absl::Time now_;
  testing::TempDir folder_;
  Table clinics_{folder_, "clinic (organization_id, clinic_id, version, document)"};
  Table rooms_{folder_,
               "room (organization_id, clinic_id, room_id, version, capacity, out_of_use, "
               "resource, document)"};
  Table clinicians_{folder_,
                    "clinician (organization_id, clinician_id, version, subject, document)"};
  Table links_{folder_, "clinician_clinic (organization_id, clinician_id, clinic_id)"};
  Table time_off_{folder_,
                  "time_off (organization_id, clinician_id, time_off_id, version, starts_at, "
                  "ends_at, document)"};
  Table courses_{folder_,
                 "course (organization_id, course_id, version, patient_id, clinician_id, "
                 "clinic_id, state, create_time, document)"};
  Table appointments_{folder_,
                      "appointment (organization_id, appointment_id, version, course_id, "
                      "patient_id, clinician_id, clinic_id, series_id, starts_at, ends_at, state, "
                      "counts, used, private, segment, room, tzdata_version, document)"};
  Table attendees_{folder_, "attendee (organization_id, person, starts_at, appointment_id)"};
  Table claims_{folder_, "claim (organization_id, resource, booking, starts_at, ends_at, state)"};
};

// Names and ids of what was recorded of number 0 become those of number :m = :base + :j * clients +
// its own; new ids become others of the same length.
class Numbers {
 public:
  Numbers(const Options& options, const Places& places, bool series)
      : first_(absl::StrCat(kFirstNumber + (series ? kSeriesNumbers : 0))),
        start_(absl::ToUnixMicros(StartOf(series ? places.Series(0) : places.Single(0)))) {
    substitution_.head = absl::StrCat(
        "\\set j :j + 1\n\\set m :base + :j * ", kClients, " + :client_id\n", "\\set i :m % ",
        options.clinicians, "\n\\set c :i % ", places.clinics(), "\n\\set u ", first_,
        " + :m\n\\set dt ", series ? places.ShiftOfSeries() : places.ShiftOfSingle(), "\n");
    substitution_.number = [this](int64_t number) {
      constexpr int64_t kDay = 86'400'000'000;
      const bool moves = number > start_ - 2 * kDay && number < start_ + 18 * 7 * kDay;
      return moves ? absl::StrCat("(", number, " + :dt::bigint)") : Substitution::Plain(number);
    };
    substitution_.text = [this](const std::string& text) { return Text(text); };
  }
  Numbers(const Numbers&) = delete;

  const Substitution& substitution() const { return substitution_; }

 private:
  static absl::Time StartOf(const Place& place) {
    return absl::FromCivil(absl::CivilHour(place.day) + place.hour, absl::UTCTimeZone());
  }

  std::string Text(std::string text) {
    static const std::regex ulid("01[0-9a-hjkmnp-tv-zA-HJKMNP-TV-Z]{24}");
    for (std::smatch found; std::regex_search(text, found, ulid);) {
      const size_t number = ids_.try_emplace(found.str(), ids_.size()).first->second;
      text.replace(found.position(), found.length(),
                   absl::StrCat(std::string(13, '0'), "<u>", 100 + number));
    }
    text = absl::StrReplaceAll(text, {{first_, "<u>"},
                                      {"clinician-0", "clinician-<i>"},
                                      {"clinic-0", "clinic-<c>"},
                                      {"room-0-", "room-<c>-"}});
    text = absl::StrReplaceAll(absl::StrCat("'", text, "'"), {{"<u>", "' || :u::text || '"},
                                                              {"<i>", "' || :i::text || '"},
                                                              {"<c>", "' || :c::text || '"}});
    return absl::StrContains(text, "||") ? absl::StrCat("(", text, ")")
                                         : absl::StrCat(text, "::text");
  }

  const std::string first_;
  const int64_t start_;
  Substitution substitution_;
  std::map<std::string, size_t> ids_;
};

class Caller {
 public:
  Caller(const Places& places, absl::Time now) : places_(places), now_(now) {}

  template <class Request>
  call::CallContext Context(const Request& request, const char* method, const char* role) const {
    auto principal = std::make_shared<auth::Principal>();
    principal->subject = "desk";
    principal->roles = {role};
    principal->organization_id = kOrganization;
    call::CallContext context;
    context.principal = principal;
    context.organization_id = kOrganization;
    context.method = method;
    context.deadline = absl::Now() + absl::Seconds(30);
    context.now = now_;
    context.request_fingerprint = auth::Sha256(request.SerializeAsString());
    return context;
  }

  void MakeOrganization(sql::Database& database) const {
    v1::CreateOrganizationRequest request;
    request.set_organization_id(kOrganization);
    request.mutable_organization()->set_display_name("Bench");
    Check(scheduling::OrganizationHandlers(database)
              .CreateOrganization(
                  Context(request, "rapport.scheduling.v1.OrganizationService/CreateOrganization",
                          "platform_operator"),
                  request)
              .status());
  }

  absl::StatusOr<v1::Appointment> Single(scheduling::AppointmentHandlers& handlers,
                                         int64_t number) const {
    const Place place = places_.Single(number);
    v1::BookAppointmentRequest request;
    request.set_course(Name("courses", CourseId(number)));
    *request.mutable_local_date() = time::ToDate(place.day);
    *request.mutable_local_time() = time::ToTimeOfDay(place.hour * 60);
    request.set_request_id(absl::StrCat("r", kFirstNumber + number));
    return handlers.BookAppointment(
        Context(request, "rapport.scheduling.v1.AppointmentService/BookAppointment", "scheduler"),
        request);
  }

  absl::Status Series(scheduling::AppointmentHandlers& handlers, int64_t number) const {
    const Place place = places_.Series(number);
    v1::BookSeriesRequest request;
    request.set_course(Name("courses", CourseId(kSeriesNumbers + number)));
    *request.mutable_first_date() = time::ToDate(place.day);
    *request.mutable_local_time() = time::ToTimeOfDay(place.hour * 60);
    request.set_count(kSeriesSessions);
    request.mutable_room_need()->set_capacity(2);
    request.set_request_id(absl::StrCat("r", kFirstNumber + kSeriesNumbers + number));
    return handlers
        .BookSeries(
            Context(request, "rapport.scheduling.v1.AppointmentService/BookSeries", "scheduler"),
            request)
        .status();
  }

 private:
  const Places& places_;
  const absl::Time now_;
};

struct Row {
  std::string name;
  std::vector<double> figures;

  double At(double share) const {
    std::vector<double> sorted = figures;
    std::sort(sorted.begin(), sorted.end());
    return sorted[std::min(sorted.size() - 1,
                           static_cast<size_t>(share * static_cast<double>(sorted.size())))];
  }
  double Median() const { return At(0.5); }
};

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options),
        server_(PostgresServer::Shared()),
        place_(server_.NewDatabase({work::Migrations(), scheduling::Migrations()})),
        places_(options, NetworkOptions().start),
        now_(absl::FromCivil(NetworkOptions().start, absl::UTCTimeZone())),
        caller_(places_, now_),
        database_(Open()) {}

  int Run() {
    const int modes = 1 + 3;
    const int64_t singles =
        1 + options_.lags + int64_t{modes} * options_.rounds * options_.bookings;
    const int64_t series = 1 + int64_t{modes} * options_.rounds * options_.series;
    const absl::Time begun = absl::Now();
    caller_.MakeOrganization(*database_);
    Loader loader(options_, server_, place_.name, places_);
    bookings_ = loader.Load(singles, series);
    std::printf("%d clinicians, %lld bookings with %lld claims; loaded in %.0f s\n",
                options_.clinicians, static_cast<long long>(bookings_),
                static_cast<long long>(loader.claims()),
                absl::ToDoubleSeconds(absl::Now() - begun));
    std::fflush(stdout);

    MeasureLag();
    Measure("BookAppointment", false, options_.bookings, next_single_);
    Measure("BookSeries", true, options_.series, next_series_);
    Print();
    return 0;
  }

 private:
  std::unique_ptr<sql::Database> Open() const {
    auto database = sql::OpenPostgres(place_, {work::Migrations(), scheduling::Migrations()});
    Check(database.status());
    return *std::move(database);
  }

  scheduling::Booker booker() { return scheduling::Booker(revisions_, nullptr); }

  // From the return of a booking until the index shows it; bookings come at random moments.
  void MeasureLag() {
    time::ManualClock clock(now_);
    const auto metrics = telemetry::Metrics::Unserved();
    const scheduling::Booker booking = booker();
    scheduling::AppointmentHandlers handlers(*database_, booking);
    feed::Feed feed(*database_, clock);
    feed.Start();
    scheduling::LiveIndex index(*database_, clock, *metrics);
    const absl::Time before = absl::Now();
    Check(index.CatchUp());
    load_seconds_ = absl::ToDoubleSeconds(absl::Now() - before);
    index.Start();
    lag_.name = "lag of the index, ms";
    std::mt19937_64 random(1);
    ++next_single_;  // 0 is for the recording
    for (int i = 0; i < options_.lags; ++i, ++next_single_) {
      absl::SleepFor(absl::Microseconds(random() % 75'000));
      const auto booked = caller_.Single(handlers, next_single_);
      const absl::Time returned = absl::Now();
      Check(booked.status());
      const absl::Time start = time::ToTime(booked->start_time());
      while (index.NearestFree(booked->clinician(), booked->clinic(), start, 50) == start) {
        if (absl::Now() - returned > absl::Seconds(20)) Die("the index does not show the booking");
        absl::SleepFor(absl::Microseconds(200));
      }
      lag_.figures.push_back(absl::ToDoubleMilliseconds(absl::Now() - returned));
    }
    index.Stop();
    feed.Stop();
  }

  void Measure(const std::string& name, bool series, int count, int64_t& next) {
    RecordingDatabase recording(*database_);
    const scheduling::Booker booking = booker();
    const auto book = [&](scheduling::AppointmentHandlers& handlers, int64_t number) {
      Check(series ? caller_.Series(handlers, number) : caller_.Single(handlers, number).status());
    };
    scheduling::AppointmentHandlers first(recording, booking);
    book(first, 0);
    if (next == 0) ++next;
    const Numbers numbers(options_, places_, series);
    std::vector<Script> scripts;
    for (const Trips trips : {Trips::kEach, Trips::kItsOwn, Trips::kOne}) {
      scripts.push_back(MakeScript(recording, trips, kOrganization, numbers.substitution()));
    }
    const size_t trips =
        1 + static_cast<size_t>(std::count_if(recording.sent.begin(), recording.sent.end(),
                                              [](const Sent& one) { return one.awaited; }));
    statements_.push_back({name, recording.sent.size() + 3, trips});

    const size_t row = rows_.size();
    for (const char* mode :
         {"ours", "pgbench, a round trip each", "pgbench, its round trips", "pgbench, pipelined"}) {
      rows_.push_back({absl::StrCat(name, ": ", mode), {}});
    }
    const int each = count / kClients;
    for (int round = 0; round < options_.rounds; ++round) {
      rows_[row].figures.push_back(Ours(each, next, booking, book));
      next += int64_t{each} * kClients;
      for (size_t mode = 0; mode < scripts.size(); ++mode) {
        rows_[row + 1 + mode].figures.push_back(
            RunPgbench(place_, scripts[mode], kClients, each, {"j=-1", absl::StrCat("base=", next)})
                .per_second);
        next += int64_t{each} * kClients;
      }
    }
  }

  // Bookings a second, over new connections, as pgbench's are.
  double Ours(int each, int64_t first, const scheduling::Booker& booking,
              const std::function<void(scheduling::AppointmentHandlers&, int64_t)>& book) {
    const auto database = Open();
    scheduling::AppointmentHandlers handlers(*database, booking);
    const absl::Time begun = absl::Now();
    std::vector<std::thread> threads;
    for (int client = 0; client < kClients; ++client) {
      threads.emplace_back([&, client] {
        for (int i = 0; i < each; ++i) book(handlers, first + int64_t{i} * kClients + client);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return each * kClients / absl::ToDoubleSeconds(absl::Now() - begun);
  }

  void Print() {
    std::printf("%-44s %10s %10s %10s %12s\n", "", "median /s", "least", "most", "ours / this");
    std::string json =
        absl::StrCat("{\"clinicians\": ", options_.clinicians, ", \"bookings\": ", bookings_,
                     ", \"index_load_seconds\": ", load_seconds_, ", \"rows\": [");
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      // Of pairs that ran one after the other.
      Row ratio;
      for (size_t j = 0; j < row.figures.size(); ++j) {
        ratio.figures.push_back(rows_[i / 4 * 4].figures[j] / row.figures[j]);
      }
      std::printf("%-44s %10.1f %10.1f %10.1f %12.2f (%.2f to %.2f)\n", row.name.c_str(),
                  row.Median(), row.At(0), row.At(1), ratio.Median(), ratio.At(0), ratio.At(1));
      absl::StrAppend(&json, i == 0 ? "" : ", ", "{\"name\": \"", row.name,
                      "\", \"median_per_second\": ", row.Median(), ", \"least\": ", row.At(0),
                      ", \"most\": ", row.At(1), ", \"ours_of_it\": ", ratio.Median(),
                      ", \"ratio_least\": ", ratio.At(0), ", \"ratio_most\": ", ratio.At(1), "}");
    }
    for (const auto& [name, statements, trips] : statements_) {
      std::printf("%s: %zu statements in %zu round trips\n", name.c_str(), statements, trips);
    }
    std::printf("%s: p50 %.1f, p99 %.1f, most %.1f (%zu bookings); loaded in %.1f s\n",
                lag_.name.c_str(), lag_.Median(), lag_.At(0.99), lag_.At(1), lag_.figures.size(),
                load_seconds_);
    absl::StrAppend(&json, "], \"index_lag_ms\": {\"p50\": ", lag_.Median(),
                    ", \"p99\": ", lag_.At(0.99), ", \"most\": ", lag_.At(1), "}}\n");
    if (!options_.json.empty()) std::ofstream(options_.json) << json;
  }

  struct Counted {
    std::string name;
    size_t statements;
    size_t trips;
  };

  const Options options_;
  PostgresServer& server_;
  const sql::PostgresOptions place_;
  const Places places_;
  const absl::Time now_;
  const Caller caller_;
  const scheduling::Protocols revisions_{scheduling::ShippedProtocols()};
  const std::unique_ptr<sql::Database> database_;
  int64_t bookings_ = 0;
  int64_t next_single_ = 0;
  int64_t next_series_ = 0;
  double load_seconds_ = 0;
  Row lag_;
  std::vector<Row> rows_;
  std::vector<Counted> statements_;
};

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  rapport::bench::Options options;
  const std::map<std::string, int*> numbers = {{"--clinicians", &options.clinicians},
                                               {"--rounds", &options.rounds},
                                               {"--bookings", &options.bookings},
                                               {"--series", &options.series},
                                               {"--lags", &options.lags}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto number = numbers.find(argv[i]);
    if (number != numbers.end()) {
      *number->second = std::atoi(argv[i + 1]);
      if (*number->second < 1) return 2;
    } else if (std::strcmp(argv[i], "--json") == 0) {
      options.json = argv[i + 1];
    } else {
      return 2;
    }
  }
  return rapport::bench::Bench(options).Run();
}
