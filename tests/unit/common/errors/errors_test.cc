#include "common/errors/errors.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace rapport::errors {
namespace {

using ::testing::HasSubstr;

template <class Message>
bool Payload(const absl::Status& status, Message& message) {
  auto payload =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()));
  return payload && message.ParseFromString(std::string(*payload));
}

TEST(ErrorsTest, EachErrorCarriesItsCodeReasonAndDomain) {
  struct Row {
    absl::Status status;
    absl::StatusCode code;
    std::string reason;
  };
  const Row rows[] = {
      {InvalidArgument("page_size", "must not be negative"), absl::StatusCode::kInvalidArgument,
       "INVALID_FIELD"},
      {Unauthenticated(), absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED"},
      {PermissionDenied("notes.sign"), absl::StatusCode::kPermissionDenied, "PERMISSION_REQUIRED"},
      {PermissionDenied("NOT_THE_AUTHOR", "Ask the author."), absl::StatusCode::kPermissionDenied,
       "NOT_THE_AUTHOR"},
      {NotFound("Course"), absl::StatusCode::kNotFound, "RESOURCE_NOT_FOUND"},
      {AlreadyExists("Clinic", "organizations/o/clinics/c"), absl::StatusCode::kAlreadyExists,
       "RESOURCE_EXISTS"},
      {FailedPrecondition("NOTE_SIGNED", "Amend it."), absl::StatusCode::kFailedPrecondition,
       "NOTE_SIGNED"},
      {Conflict("SLOT_TAKEN", "Choose another.", "Appointment", "a"),
       absl::StatusCode::kFailedPrecondition, "SLOT_TAKEN"},
      {StaleEtag("7"), absl::StatusCode::kAborted, "STALE_ETAG"},
      {Aborted("LOST_RACE", "Repeat."), absl::StatusCode::kAborted, "LOST_RACE"},
      {OutOfRange("CURSOR_EXPIRED", "Start over."), absl::StatusCode::kOutOfRange,
       "CURSOR_EXPIRED"},
      {ResourceExhausted("BUSY", "Wait.", absl::Seconds(1)), absl::StatusCode::kResourceExhausted,
       "BUSY"},
      {Unavailable("PEER_DOWN", "Wait.", "notes"), absl::StatusCode::kUnavailable, "PEER_DOWN"},
      {DeadlineExceeded("Ask for less."), absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED"},
      {Internal("broken"), absl::StatusCode::kInternal, "INTERNAL"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.status.code(), row.code) << row.status;
    EXPECT_EQ(Reason(row.status), row.reason);
    google::rpc::ErrorInfo info;
    ASSERT_TRUE(Payload(row.status, info)) << row.status;
    EXPECT_EQ(info.domain(), "rapport");
    EXPECT_FALSE(row.status.message().empty());
  }
}

TEST(ErrorsTest, InvalidFieldsAreListedInTheMessageAndTheDetails) {
  const absl::Status status =
      InvalidArgument({{"start", "is required"}, {"rooms[1]", "is no room name"}});
  EXPECT_EQ(status.message(), "start: is required; rooms[1]: is no room name");
  const std::vector<FieldViolation> violations = FieldViolations(status);
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[1].field, "rooms[1]");
  EXPECT_EQ(violations[1].description, "is no room name");
  EXPECT_EQ(MetadataValue(status, "field"), "start");
}

TEST(ErrorsTest, WhatIsRetryableSaysWhen) {
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(Payload(ResourceExhausted("BUSY", "Wait.", absl::Milliseconds(1500)), retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500000000);
  EXPECT_TRUE(Payload(Unavailable("PEER_DOWN", "Wait.", "notes"), retry));
  EXPECT_TRUE(Payload(Aborted("LOST_RACE", "Repeat."), retry));
  EXPECT_FALSE(Payload(StaleEtag("7"), retry)) << "repeating the same bytes would not help";
}

TEST(ErrorsTest, ConflictNamesTheResourceInTheWay) {
  const absl::Status status = Conflict("SLOT_TAKEN", "Choose another.", "Appointment",
                                       "organizations/o/appointments/a", {{"resource", "room"}});
  google::rpc::ResourceInfo info;
  ASSERT_TRUE(Payload(status, info));
  EXPECT_EQ(info.resource_name(), "organizations/o/appointments/a");
  EXPECT_EQ(MetadataValue(status, "resource"), "room");
}

TEST(ErrorsTest, WhatVariesInAMessageIsInTheMetadata) {
  EXPECT_THAT(std::string(StaleEtag("abc").message()), HasSubstr("abc"));
  EXPECT_EQ(MetadataValue(StaleEtag("abc"), "current_etag"), "abc");
  EXPECT_EQ(MetadataValue(PermissionDenied("notes.sign"), "permission"), "notes.sign");
  EXPECT_EQ(MetadataValue(Unavailable("X", "y", "notes"), "source"), "notes");
}

TEST(ErrorsTest, NotFoundIsTheSameForEveryObjectOfAType) {
  EXPECT_EQ(NotFound("Course"), NotFound("Course"));
  EXPECT_EQ(Unauthenticated(), Unauthenticated());
}

TEST(ErrorsTest, ForeignStatusesHaveNoReason) {
  EXPECT_EQ(Reason(absl::NotFoundError("x")), "");
  EXPECT_EQ(MetadataValue(absl::NotFoundError("x"), "type"), "");
  EXPECT_TRUE(FieldViolations(absl::OkStatus()).empty());
}

absl::StatusOr<int> Doubled(absl::StatusOr<int> input) {
  ASSIGN_OR_RETURN(const int value, input);
  RETURN_IF_ERROR(value < 0 ? absl::OutOfRangeError("negative") : absl::OkStatus());
  return value * 2;
}

TEST(StatusMacrosTest, ReturnTheFirstErrorOrGoOn) {
  EXPECT_EQ(*Doubled(21), 42);
  EXPECT_EQ(Doubled(-1).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Doubled(absl::NotFoundError("x")).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rapport::errors
