#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/postgres/catalogue.h"

namespace rapport::notes {
namespace {

TEST(NotesStatementsTest, EachTenantStatementBindsTheOrganisationForEachTable) {
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace rapport::notes
