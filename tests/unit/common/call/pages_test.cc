#include "common/call/pages.h"

#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "rapport/scheduling/v1/directory_service.pb.h"

namespace rapport::call {
namespace {

CallContext Context(absl::string_view fingerprint = "fingerprint") {
  CallContext context;
  context.organization_id = "acme";
  context.method = "rapport.scheduling.v1.DirectoryService/ListClinics";
  context.request_fingerprint = std::string(fingerprint);
  context.integrity = *auth::IntegrityKey::Parse(std::string(64, 'a'));
  return context;
}

scheduling::v1::ListClinicsRequest Request(int size, absl::string_view token = "") {
  scheduling::v1::ListClinicsRequest request;
  request.set_page_size(size);
  request.set_page_token(std::string(token));
  return request;
}

TEST(PagesTest, SizesAreDefaultedAndCoerced) {
  EXPECT_EQ(ReadPage(Context(), Request(0))->size, 50);
  EXPECT_EQ(ReadPage(Context(), Request(7))->size, 7);
  EXPECT_EQ(ReadPage(Context(), Request(100000))->size, 500);
  EXPECT_EQ(ReadPage(Context(), Request(7))->after, "");
}

TEST(PagesTest, ATokenLeadsOn) {
  const std::string token = NextPageToken(Context(), JoinKey("a", "b"));
  const auto page = ReadPage(Context(), Request(7, token));
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(SplitKey(page->after), std::make_pair(std::string("a"), std::string("b")));
}

TEST(PagesTest, ATokenOfAnotherQueryIsRefused) {
  const std::string token = NextPageToken(Context(), "key");
  CallContext other_organization = Context();
  other_organization.organization_id = "other";
  CallContext other_method = Context();
  other_method.method = "rapport.scheduling.v1.DirectoryService/ListClinicians";
  for (const CallContext& context :
       {Context("another request"), other_organization, other_method}) {
    const absl::Status status = ReadPage(context, Request(7, token)).status();
    EXPECT_EQ(errors::MetadataValue(status, "field"), "page_token");
  }
  EXPECT_FALSE(ReadPage(Context(), Request(7, "made up")).ok());
  EXPECT_FALSE(ReadPage(Context(), Request(7, token + "x")).ok());
}

}  // namespace
}  // namespace rapport::call
