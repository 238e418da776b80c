#include "common/call/masks.h"

#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/organization.pb.h"

namespace rapport::call {
namespace {

TEST(MasksTest, ReplacesWhatTheMaskNamesAndNothingElse) {
  scheduling::v1::Clinic source;
  source.set_display_name("New");
  source.set_jurisdiction("IE");
  source.add_duty_list("organizations/acme/clinicians/c");
  scheduling::v1::Clinic target;
  target.set_display_name("Old");
  target.set_jurisdiction("GB");
  target.add_duty_list("organizations/acme/clinicians/a");
  target.add_duty_list("organizations/acme/clinicians/b");
  google::protobuf::FieldMask mask;
  mask.add_paths("display_name");
  mask.add_paths("duty_list");
  ASSERT_TRUE(ApplyMask(mask, source, target).ok());
  EXPECT_EQ(target.display_name(), "New");
  EXPECT_EQ(target.jurisdiction(), "GB");
  ASSERT_EQ(target.duty_list_size(), 1);
  EXPECT_EQ(target.duty_list(0), "organizations/acme/clinicians/c");
}

TEST(MasksTest, ReachesIntoMessages) {
  scheduling::v1::Organization source;
  source.mutable_settings()->mutable_minimum_notice()->set_seconds(60);
  scheduling::v1::Organization target;
  target.mutable_settings()->mutable_note_due_after()->set_seconds(3600);
  google::protobuf::FieldMask mask;
  mask.add_paths("settings.minimum_notice");
  ASSERT_TRUE(ApplyMask(mask, source, target).ok());
  EXPECT_EQ(target.settings().minimum_notice().seconds(), 60);
  EXPECT_EQ(target.settings().note_due_after().seconds(), 3600);
}

TEST(MasksTest, ANamedFieldThatIsNotSetIsCleared) {
  scheduling::v1::Clinic target;
  target.add_duty_list("organizations/acme/clinicians/a");
  google::protobuf::FieldMask mask;
  mask.add_paths("duty_list");
  ASSERT_TRUE(ApplyMask(mask, scheduling::v1::Clinic(), target).ok());
  EXPECT_EQ(target.duty_list_size(), 0);
}

TEST(MasksTest, AnEmptyMaskMeansWhatIsSetAndMayChange) {
  scheduling::v1::Clinic source;
  source.set_name("organizations/acme/clinics/other");
  source.set_display_name("New");
  source.set_etag("9");
  scheduling::v1::Clinic target;
  target.set_name("organizations/acme/clinics/north");
  target.set_time_zone("Europe/London");
  ASSERT_TRUE(ApplyMask({}, source, target).ok());
  EXPECT_EQ(target.name(), "organizations/acme/clinics/north");
  EXPECT_EQ(target.display_name(), "New");
  EXPECT_EQ(target.time_zone(), "Europe/London");
  EXPECT_EQ(target.etag(), "");
}

TEST(MasksTest, RefusesPathsThatDoNotExistOrMayNotChange) {
  scheduling::v1::Clinic target;
  for (const char* path : {"nonsense", "name", "create_time", "display_name.more"}) {
    google::protobuf::FieldMask mask;
    mask.add_paths(path);
    const absl::Status status = ApplyMask(mask, scheduling::v1::Clinic(), target);
    EXPECT_EQ(errors::Reason(status), "INVALID_FIELD") << path;
    EXPECT_EQ(errors::MetadataValue(status, "field"), "update_mask") << path;
  }
}

}  // namespace
}  // namespace rapport::call
