#include "common/auth/strict_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rapport::auth {
namespace {

TEST(StrictJsonTest, TakesObjects) {
  const auto object = ParseStrictObject(R"( {"a": [1, {"b": "x"}, {"b": "y"}], "c": {"a": 2}} )");
  ASSERT_TRUE(object);
  EXPECT_EQ((*object)["a"][2]["b"], "y");
  EXPECT_TRUE(ParseStrictObject("{}"));
}

TEST(StrictJsonTest, RefusesRepeatedMembersAtAnyDepth) {
  EXPECT_FALSE(ParseStrictObject(R"({"a":1,"a":1})"));
  EXPECT_FALSE(ParseStrictObject(R"({"a":1,"b":2,"\u0061":3})")) << "the same once unescaped";
  EXPECT_FALSE(ParseStrictObject(R"({"x":[{"y":{"a":1,"a":2}}]})"));
  EXPECT_FALSE(ParseStrictObject(R"({"a":{"b":1},"a":{"c":1}})"));
}

TEST(StrictJsonTest, RefusesWhatIsNoObject) {
  for (const char* text :
       {"", "[]", "1", "\"a\"", "null", "{", "{\"a\":1}x", "{\"a\":1}{}", "{a:1}", "{'a':1}",
        "{\"a\":NaN}", "{\"a\":1,}", "// c\n{}", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}"}) {
    EXPECT_FALSE(ParseStrictObject(text)) << text;
  }
  EXPECT_FALSE(ParseStrictObject(absl::string_view("{}\0", 3)));
}

TEST(StrictJsonTest, RefusesDeepNesting) {
  const auto nested = [](int depth) {
    return absl::StrCat("{\"a\":", std::string(depth, '['), std::string(depth, ']'), "}");
  };
  EXPECT_TRUE(ParseStrictObject(nested(8)));
  EXPECT_FALSE(ParseStrictObject(nested(100)));
  EXPECT_FALSE(ParseStrictObject(nested(100000)));
}

}  // namespace
}  // namespace rapport::auth
