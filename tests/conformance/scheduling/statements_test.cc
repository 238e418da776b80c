#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "services/scheduling/rpc/service.h"
#include "tests/support/postgres/catalogue.h"

namespace rapport::scheduling {
namespace {

TEST(StatementsTest, EachBindsTheOrganizationOfEachTable) {
  // Links every store.
  SchedulingService* (*make)(Dependencies) = [](Dependencies dependencies) {
    return new SchedulingService(std::move(dependencies));
  };
  ASSERT_NE(make, nullptr);
  EXPECT_GT(sql::Statement::Catalogue().size(), 40u);
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace rapport::scheduling
