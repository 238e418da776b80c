#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;

constexpr char kNorth[] = "organizations/acme/clinics/north";

v1::CreateRoomRequest NewRoom(const std::string& id, const std::string& clinic = kNorth) {
  return Parse<v1::CreateRoomRequest>(
      absl::StrCat("parent: '", clinic, "' room_id: '", id,
                   "' room { display_name: 'Blue' capacity: 3 features: 'quiet' }"));
}

template <class Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

class RoomsTest : public SchedulingTest {
 protected:
  std::string Make(const std::string& id) {
    const auto room = Do(&DirectoryHandlers::CreateRoom, admin_, NewRoom(id));
    EXPECT_TRUE(room.ok()) << room.status();
    return room.ok() ? room->name() : "";
  }
  absl::Status Delete(const std::string& name, const std::string& etag = "") {
    auto request = Named<v1::DeleteRoomRequest>(name);
    request.set_etag(etag);
    return Do(&DirectoryHandlers::DeleteRoom, admin_, request).status();
  }
  template <class Payload>
  std::vector<Payload> Told(const std::string& resource) {
    std::vector<Payload> told;
    for (const auto& event : Events()) {
      Payload payload;
      if (event.resource() != resource || !event.payload().UnpackTo(&payload)) continue;
      versions_.push_back(event.version());
      told.push_back(payload);
    }
    return told;
  }
  // Runs a statement beside the handlers.
  void Run(const sql::Statement& statement, std::vector<sql::Value> values) {
    const absl::Status status = database_->Write(
        sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
        [&](sql::Transaction& tx) { return tx.Query(statement, values).status(); });
    ASSERT_TRUE(status.ok()) << status;
  }
  // A course with anna at north.
  void EnterCourse() {
    static const sql::Statement course{"test.course", R"sql(
      INSERT INTO course (organization_id, course_id, version, patient_id, clinician_id, clinic_id,
                          state, create_time, document)
      VALUES ($1, 'c', 1, 'p', 'anna', 'north', 1, 1, $2))sql"};
    Run(course, {sql::Text("acme"), sql::Bytes("")});
  }
  // A session with `clinician` at north in `room`.
  void EnterAppointment(const std::string& clinician, const std::string& room) {
    static const sql::Statement appointment{"test.appointment", R"sql(
      INSERT INTO appointment (organization_id, appointment_id, version, patient_id, clinician_id,
                               clinic_id, series_id, starts_at, ends_at, state, counts, used, room,
                               document)
      VALUES ($1, 'a', 1, 'p', $2, 'north', '', 1, 2, 1, 0, 0, $3, $4))sql"};
    Run(appointment, {sql::Text("acme"), sql::Text(clinician), sql::Text(room), sql::Bytes("")});
  }
  void RemoveAppointment() {
    static const sql::Statement remove{"test.appointment.remove",
                                       "DELETE FROM appointment WHERE organization_id = $1"};
    Run(remove, {sql::Text("acme")});
  }

  std::vector<int64_t> versions_;
};
INSTANTIATE_ON_ENGINES(RoomsTest);

TEST_P(RoomsTest, AreEnteredReadChangedAndListed) {
  const std::string blue = Make("blue");
  EXPECT_EQ(blue, "organizations/acme/clinics/north/rooms/blue");
  Make("amber");
  const auto red = Do(&DirectoryHandlers::CreateRoom, admin_,
                      NewRoom("red", "organizations/acme/clinics/south"));
  ASSERT_TRUE(red.ok());
  const auto updated = Do(&DirectoryHandlers::UpdateRoom, admin_, Parse<v1::UpdateRoomRequest>(R"pb(
    room {
      name: "organizations/acme/clinics/north/rooms/blue"
      capacity: 5
      out_of_use: true
      etag: "1"
    })pb"));
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->display_name(), "Blue");
  EXPECT_EQ(updated->etag(), "2");
  const auto read = Do(&DirectoryHandlers::GetRoom, admin_, Named<v1::GetRoomRequest>(blue));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->DebugString(), updated->DebugString());

  v1::ListRoomsRequest list;
  list.set_parent(kNorth);
  list.set_page_size(1);
  std::vector<std::string> listed;
  do {
    const auto page = Do(&DirectoryHandlers::ListRooms, admin_, list);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Room& room : page->rooms()) listed.push_back(room.name());
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(listed, ElementsAre("organizations/acme/clinics/north/rooms/amber", blue));

  const auto told = Told<v1::RoomEvent>(blue);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].capacity(), 3);
  EXPECT_THAT(told[0].features(), ElementsAre("quiet"));
  EXPECT_EQ(told[1].capacity(), 5);
  EXPECT_TRUE(told[1].out_of_use());
}

TEST_P(RoomsTest, RefusesWhatDoesNotFit) {
  Make("blue");
  EXPECT_EQ(Do(&DirectoryHandlers::CreateRoom, admin_, NewRoom("blue")).status().code(),
            absl::StatusCode::kAlreadyExists);
  const absl::Status nowhere =
      Do(&DirectoryHandlers::CreateRoom, admin_, NewRoom("x", "organizations/acme/clinics/west"))
          .status();
  EXPECT_EQ(errors::Reason(nowhere), "UNKNOWN_CLINIC");
  EXPECT_EQ(errors::MetadataValue(nowhere, "clinic"), "organizations/acme/clinics/west");
  auto twice = NewRoom("x");
  twice.mutable_room()->add_features("quiet");
  EXPECT_EQ(
      errors::FieldViolations(Do(&DirectoryHandlers::CreateRoom, admin_, twice).status())[0].field,
      "room.features[1]");
  EXPECT_EQ(Do(&DirectoryHandlers::UpdateRoom, admin_,
               Parse<v1::UpdateRoomRequest>(
                   "room { name: 'organizations/acme/clinics/north/rooms/none' capacity: 2 }"))
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(errors::Reason(
                Do(&DirectoryHandlers::UpdateRoom, admin_,
                   Parse<v1::UpdateRoomRequest>("room { name: "
                                                "'organizations/acme/clinics/north/rooms/blue' "
                                                "capacity: 2 etag: '9' }"))
                    .status()),
            "STALE_ETAG");
  Who south = manager_;
  south.clinics = {{"south"}};
  EXPECT_EQ(errors::Reason(Do(&DirectoryHandlers::CreateRoom, south, NewRoom("x")).status()),
            "OTHER_CLINIC");
  EXPECT_EQ(
      errors::Reason(Do(&DirectoryHandlers::DeleteRoom, south,
                        Named<v1::DeleteRoomRequest>("organizations/acme/clinics/north/rooms/blue"))
                         .status()),
      "OTHER_CLINIC");
}

TEST_P(RoomsTest, GoWhenNothingWasBookedInThem) {
  const std::string blue = Make("blue");
  EXPECT_EQ(errors::Reason(Delete(blue, "7")), "STALE_ETAG");
  static const sql::Statement claim{"test.claim", R"sql(
    INSERT INTO claim (organization_id, resource, booking, starts_at, ends_at, state)
    VALUES ($1, 'rooms/north/blue', 'b', 1, 2, 'BOOKED'))sql"};
  static const sql::Statement free{"test.free", "DELETE FROM claim WHERE organization_id = $1"};
  Run(claim, {sql::Text("acme")});
  absl::Status used = Delete(blue);
  EXPECT_EQ(errors::Reason(used), "IN_USE");
  EXPECT_EQ(errors::MetadataValue(used, "used_by"), "appointments");
  Run(free, {sql::Text("acme")});

  EnterAppointment("anna", "blue");
  EXPECT_EQ(errors::Reason(Delete(blue)), "IN_USE");
  RemoveAppointment();

  auto remove = Named<v1::DeleteRoomRequest>(blue);
  remove.set_etag("1");
  remove.set_request_id("d");
  ASSERT_TRUE(Do(&DirectoryHandlers::DeleteRoom, admin_, remove).ok());
  ASSERT_TRUE(Do(&DirectoryHandlers::DeleteRoom, admin_, remove).ok());
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(Delete(blue).code(), absl::StatusCode::kNotFound);
}

// Whoever follows the events keeps the newest version: a room of the same name must come after the
// deletion.
TEST_P(RoomsTest, ANameThatIsBorneAgainGoesOnFromTheDeletion) {
  const std::string blue = Make("blue");
  ASSERT_TRUE(Delete(blue).ok());
  const auto again = Do(&DirectoryHandlers::CreateRoom, admin_, NewRoom("blue"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->etag(), "3");
  ASSERT_TRUE(Delete(blue, "3").ok());
  const auto told = Told<v1::RoomEvent>(blue);
  EXPECT_THAT(versions_, ElementsAre(1, 2, 3, 4));
  ASSERT_EQ(told.size(), 4u);
  EXPECT_TRUE(told[1].deleted());
  EXPECT_FALSE(told[2].deleted());
}

TEST_P(RoomsTest, AClinicGoesWhenNothingBelongsToIt) {
  const auto remove = [&](const std::string& id) {
    return Do(&DirectoryHandlers::DeleteClinic, admin_,
              Named<v1::DeleteClinicRequest>("organizations/acme/clinics/" + id))
        .status();
  };
  const auto used_by = [&](const std::string& id) {
    const absl::Status status = remove(id);
    EXPECT_EQ(errors::Reason(status), "IN_USE") << status;
    return errors::MetadataValue(status, "used_by");
  };
  const std::string blue = Make("blue");
  EXPECT_EQ(used_by("north"), "rooms");
  ASSERT_TRUE(Delete(blue).ok());
  EXPECT_EQ(used_by("north"), "clinicians");
  EnterCourse();
  for (const char* clinician : {"anna", "ben"}) {
    const auto away = Do(&DirectoryHandlers::UpdateClinician, admin_,
                         Parse<v1::UpdateClinicianRequest>(absl::StrCat(
                             "clinician { name: 'organizations/acme/clinicians/", clinician,
                             "' clinics: 'organizations/acme/clinics/south' } update_mask { "
                             "paths: 'clinics' paths: 'weekly_hours' }")));
    ASSERT_TRUE(away.ok()) << away.status();
  }
  EXPECT_EQ(used_by("north"), "courses");
  EXPECT_EQ(used_by("south"), "clinicians");
  EXPECT_EQ(remove("west").code(), absl::StatusCode::kNotFound);

  const auto east =
      Do(&DirectoryHandlers::CreateClinic, admin_, Parse<v1::CreateClinicRequest>(R"pb(
        parent: "organizations/acme"
        clinic_id: "east"
        clinic { display_name: "E" time_zone: "Europe/London" jurisdiction: "GB-ENG" })pb"));
  ASSERT_TRUE(east.ok());
  EXPECT_TRUE(remove("east").ok());
  EXPECT_EQ(remove("east").code(), absl::StatusCode::kNotFound);
  const auto told = Told<v1::ClinicEvent>("organizations/acme/clinics/east");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[1].deleted());
}

TEST_P(RoomsTest, AClinicianGoesWhenNothingNamesThem) {
  const auto used_by = [&](const std::string& id) {
    const absl::Status status =
        Do(&DirectoryHandlers::DeleteClinician, admin_,
           Named<v1::DeleteClinicianRequest>("organizations/acme/clinicians/" + id))
            .status();
    return status.ok() ? "gone" : errors::MetadataValue(status, "used_by");
  };
  for (const char* id : {"carl", "dora", "emil", "fay"}) {
    ASSERT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", id)).ok());
  }
  EnterCourse();
  EXPECT_EQ(used_by("anna"), "courses");
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateCover, admin_, Parse<v1::CreateCoverRequest>(R"pb(
                parent: "organizations/acme"
                cover {
                  clinician: "organizations/acme/clinicians/anna"
                  covering_clinician: "organizations/acme/clinicians/ben"
                  start_time { seconds: 1 }
                  end_time { seconds: 2 }
                })pb"))
                  .ok());
  EXPECT_EQ(used_by("ben"), "covers");
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateTimeOff, admin_, Parse<v1::CreateTimeOffRequest>(R"pb(
                parent: "organizations/acme/clinicians/carl"
                time_off {
                  start_time { seconds: 1 }
                  end_time { seconds: 2 }
                })pb"))
                  .ok());
  EXPECT_EQ(used_by("carl"), "timeOffs");
  ASSERT_TRUE(
      Do(&SupervisionHandlers::CreateSupervision, admin_, Parse<v1::CreateSupervisionRequest>(R"pb(
        parent: "organizations/acme"
        supervision {
          supervisor: "organizations/acme/clinicians/anna"
          supervisee: "organizations/acme/clinicians/dora"
          start_time { seconds: 1 }
        })pb"))
          .ok());
  EXPECT_EQ(used_by("dora"), "supervisions");
  const auto duty = [&](const std::string& list) {
    return Do(&DirectoryHandlers::UpdateClinic, admin_,
              Parse<v1::UpdateClinicRequest>(
                  absl::StrCat("clinic { name: 'organizations/acme/clinics/north' ", list,
                               " } update_mask { paths: 'duty_list' }")))
        .status();
  };
  ASSERT_TRUE(duty("duty_list: 'organizations/acme/clinicians/emil'").ok());
  EXPECT_EQ(used_by("emil"), "clinics");
  ASSERT_TRUE(duty("").ok());
  ASSERT_TRUE(Do(&OrganizationHandlers::UpdateOrganization, admin_,
                 Parse<v1::UpdateOrganizationRequest>(
                     "organization { name: 'organizations/acme' settings { duty_list: "
                     "'organizations/acme/clinicians/emil' } } update_mask { paths: "
                     "'settings.duty_list' }"))
                  .ok());
  EXPECT_EQ(used_by("emil"), "organizations");
  EnterAppointment("fay", "");
  EXPECT_EQ(used_by("fay"), "appointments");
  RemoveAppointment();
  EXPECT_EQ(used_by("fay"), "gone");
  const auto told = Told<v1::ClinicianEvent>("organizations/acme/clinicians/fay");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[1].deleted());
  EXPECT_EQ(told[1].subject(), "");
  EXPECT_EQ(errors::Reason(duty("duty_list: 'organizations/acme/clinicians/fay'")),
            "UNKNOWN_CLINICIAN");
  // Wherever she is in a long list.
  std::string many;
  for (int i = 0; i < 9; ++i) {
    absl::StrAppend(&many, "duty_list: 'organizations/acme/clinicians/",
                    std::vector<const char*>{"anna", "ben", "emil"}[i % 3], "' ");
  }
  EXPECT_TRUE(duty(many).ok());
  EXPECT_EQ(errors::Reason(duty(many + "duty_list: 'organizations/acme/clinicians/fay'")),
            "UNKNOWN_CLINICIAN");
  // The subject is free again.
  auto heir = NewClinician("acme", "gus");
  heir.mutable_clinician()->set_subject("fay");
  EXPECT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, heir).ok());
}

TEST_P(RoomsTest, ClinicsAndCliniciansKeepWhatTheyAreGiven) {
  const auto clinic =
      Do(&DirectoryHandlers::UpdateClinic, admin_, Parse<v1::UpdateClinicRequest>(R"pb(
        clinic {
          name: "organizations/acme/clinics/north"
          address: "1 High Street"
          holidays {
            date { year: 2026 month: 12 day: 25 }
            label: "Christmas"
          }
          monitored_hours {
            day_of_week: MONDAY
            start_time { hours: 8 }
            end_time { hours: 20 }
          }
        })pb"));
  ASSERT_TRUE(clinic.ok()) << clinic.status();
  EXPECT_EQ(Do(&DirectoryHandlers::GetClinic, admin_,
               Named<v1::GetClinicRequest>("organizations/acme/clinics/north"))
                ->DebugString(),
            clinic->DebugString());
  EXPECT_EQ(Told<v1::ClinicEvent>(clinic->name()).back().holidays_size(), 1);
  const auto clinician =
      Do(&DirectoryHandlers::UpdateClinician, admin_, Parse<v1::UpdateClinicianRequest>(R"pb(
        clinician {
          name: "organizations/acme/clinicians/anna"
          trainee: true
          licensed_jurisdictions: "GB-SCT"
          modalities: MODALITY_VIDEO
          caseload_cap: 30
          buffer_minutes: 10
          max_sessions_per_day: 6
          dated_hours {
            clinic: "organizations/acme/clinics/north"
            date { year: 2026 month: 12 day: 25 }
            start_time { hours: 9 }
            end_time { hours: 12 }
          }
          telehealth_uri: "https://example.org/anna"
          closed_to_new_courses: true
        })pb"));
  ASSERT_TRUE(clinician.ok()) << clinician.status();
  EXPECT_EQ(Do(&DirectoryHandlers::GetClinician, admin_,
               Named<v1::GetClinicianRequest>("organizations/acme/clinicians/anna"))
                ->DebugString(),
            clinician->DebugString());
  EXPECT_TRUE(Told<v1::ClinicianEvent>(clinician->name()).back().trainee());
  const absl::Status script =
      Do(&DirectoryHandlers::UpdateClinician, admin_,
         Parse<v1::UpdateClinicianRequest>("clinician { name: 'organizations/acme/clinicians/anna' "
                                           "telehealth_uri: 'javascript:x' }"))
          .status();
  ASSERT_EQ(errors::FieldViolations(script).size(), 1u) << script;
  EXPECT_EQ(errors::FieldViolations(script)[0].field, "clinician.telehealth_uri");
}

}  // namespace
}  // namespace rapport::scheduling
