#include "common/call/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/errors/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/common/v1/options.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"

namespace rapport::call {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class Message>
std::vector<std::string> WrongFields(const Message& message) {
  std::vector<std::string> fields;
  for (const auto& violation :
       errors::FieldViolations(Validator(Message::descriptor()).Check(message))) {
    fields.push_back(violation.field);
  }
  return fields;
}

scheduling::v1::CreateClinicRequest GoodClinic() {
  scheduling::v1::CreateClinicRequest request;
  request.set_parent("organizations/acme");
  request.mutable_clinic()->set_display_name("North");
  request.mutable_clinic()->set_time_zone("Europe/London");
  request.mutable_clinic()->set_jurisdiction("GB-ENG");
  request.set_clinic_id("north");
  return request;
}

TEST(ValidateTest, AcceptsWhatItsFieldsDeclare) {
  EXPECT_THAT(WrongFields(GoodClinic()), IsEmpty());
}

TEST(ValidateTest, NamesEveryWrongFieldAtOnce) {
  scheduling::v1::CreateClinicRequest request = GoodClinic();
  request.set_parent("acme");
  request.mutable_clinic()->clear_display_name();
  request.mutable_clinic()->set_time_zone("Europe/Atlantis");
  request.set_clinic_id("North!");
  EXPECT_THAT(WrongFields(request),
              ElementsAre("parent", "clinic.display_name", "clinic.time_zone", "clinic_id"));
}

TEST(ValidateTest, NamesItemsByTheirPlace) {
  assessment::v1::ScoreRequest request;
  request.set_instrument("instruments/phq-9");
  for (int i = 1; i <= 3; ++i) {
    auto* answer = request.add_answers();
    answer->set_item(i);
    answer->set_value(i == 2 ? -1 : 1);
  }
  EXPECT_THAT(WrongFields(request), ElementsAre("answers[1].value"));
}

TEST(ValidateTest, RefusesUnknownAndMissingEnums) {
  scheduling::v1::CancelAppointmentRequest request;
  request.set_name("organizations/acme/appointments/a");
  EXPECT_THAT(WrongFields(request), ElementsAre("reason"));
  request.set_reason(static_cast<scheduling::v1::CancelReason>(99));
  EXPECT_THAT(WrongFields(request), ElementsAre("reason"));
  request.set_reason(scheduling::v1::CANCEL_REASON_PATIENT);
  EXPECT_THAT(WrongFields(request), IsEmpty());
}

TEST(ValidateTest, RefusesDatesAndTimesThatDoNotExist) {
  scheduling::v1::BookAppointmentRequest request;
  request.set_course("organizations/acme/courses/c");
  request.mutable_local_date()->set_year(2026);
  request.mutable_local_date()->set_month(2);
  request.mutable_local_date()->set_day(29);
  request.mutable_local_time()->set_hours(24);
  request.mutable_local_time()->set_minutes(1);
  EXPECT_THAT(WrongFields(request), ElementsAre("local_date", "local_time"));
}

TEST(ValidateTest, IgnoresOutputOnlyFields) {
  scheduling::v1::CreateCourseRequest request;
  request.set_parent("organizations/acme");
  auto* course = request.mutable_course();
  course->mutable_create_time()->set_nanos(-1);
  course->set_patient("organizations/acme/patients/p");
  course->set_clinician("organizations/acme/clinicians/bo");
  course->set_clinic("organizations/acme/clinics/north");
  course->set_protocol("protocols/classic/revisions/1");
  auto* patient = course->mutable_patient_particulars();
  patient->set_birth_year(1980);
  patient->set_birth_month(13);
  patient->set_jurisdiction("GB");
  patient->set_time_zone("Europe/London");
  EXPECT_THAT(WrongFields(request), ElementsAre("course.patient_particulars.birth_month"));
}

TEST(ValidateTest, AnUpdateMayLeaveOutWhatACreationNeeds) {
  scheduling::v1::UpdateClinicRequest request;
  request.mutable_clinic()->set_name("organizations/acme/clinics/north");
  request.mutable_clinic()->set_display_name("Northern");
  EXPECT_THAT(WrongFields(request), IsEmpty());
  request.mutable_clinic()->clear_name();
  EXPECT_THAT(WrongFields(request), ElementsAre("clinic.name"));
}

// A message type with the fields `name` and `names` that may name either of two resources.
class EitherName {
 public:
  EitherName() : pool_(google::protobuf::DescriptorPool::generated_pool()) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("either.proto");
    auto* type = file.add_message_type();
    type->set_name("Either");
    for (const char* name : {"name", "names"}) {
      auto* field = type->add_field();
      field->set_name(name);
      field->set_number(type->field_size());
      field->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
      field->set_label(type->field_size() == 1
                           ? google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL
                           : google::protobuf::FieldDescriptorProto::LABEL_REPEATED);
      field->mutable_options()
          ->MutableExtension(common::v1::rules)
          ->set_resource("shelves/{shelf}/books/{book}|organizations/{organization}/maps/{map}");
    }
    const auto* made = pool_.BuildFile(file);
    type_ = made->message_type(0);
    message_.reset(factory_.GetPrototype(type_)->New());
  }
  const google::protobuf::Descriptor* type() const { return type_; }
  const google::protobuf::Message& With(const std::string& name,
                                        const std::vector<std::string>& names) {
    message_->Clear();
    const auto& reflection = *message_->GetReflection();
    reflection.SetString(message_.get(), type_->field(0), name);
    for (const std::string& each : names) {
      reflection.AddString(message_.get(), type_->field(1), each);
    }
    return *message_;
  }

 private:
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  const google::protobuf::Descriptor* type_;
  std::unique_ptr<google::protobuf::Message> message_;
};

TEST(ValidateTest, ANameFitsAnyOfTheFieldsPatterns) {
  EitherName either;
  const Validator validator(either.type());
  EXPECT_EQ(validator.Check(either.With("shelves/s/books/b",
                                        {"organizations/acme/maps/m", "shelves/s/books/b"})),
            absl::OkStatus());
  const absl::Status status =
      validator.Check(either.With("shelves/s/maps/m", {"shelves/s/books/b", "organizations/acme"}));
  const auto violations = errors::FieldViolations(status);
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[0].field, "name");
  EXPECT_EQ(violations[0].description,
            "must be a name as \"shelves/{shelf}/books/{book}\" or "
            "\"organizations/{organization}/maps/{map}\"");
  EXPECT_EQ(violations[1].field, "names[1]");
}

TEST(ValidateTest, AnAlternativeNamesTheOrganisation) {
  EitherName either;
  const Validator validator(either.type());
  EXPECT_EQ(*validator.Organization(either.With("shelves/s/books/b", {}), ""), "");
  EXPECT_EQ(
      *validator.Organization(either.With("shelves/s/books/b", {"organizations/acme/maps/m"}), ""),
      "acme");
  EXPECT_EQ(validator.Organization(either.With("organizations/acme/maps/m", {}), "other").status(),
            errors::NotFound("Map"));
}

TEST(ValidateTest, FindsTheOrganisationOfARequest) {
  const Validator validator(scheduling::v1::CreateCourseRequest::descriptor());
  scheduling::v1::CreateCourseRequest request;
  request.set_parent("organizations/acme");
  request.mutable_course()->set_patient("organizations/acme/patients/p");
  EXPECT_EQ(*validator.Organization(request, ""), "acme");
  EXPECT_EQ(*validator.Organization(request, "acme"), "acme");
  EXPECT_EQ(*validator.Organization(scheduling::v1::CreateCourseRequest(), "acme"), "acme");

  const absl::Status foreign = validator.Organization(request, "other").status();
  EXPECT_EQ(foreign, errors::NotFound("Organization"));
  request.mutable_course()->set_clinician("organizations/other/clinicians/bo");
  EXPECT_EQ(validator.Organization(request, "acme").status(), errors::NotFound("Clinician"));
}

}  // namespace
}  // namespace rapport::call
