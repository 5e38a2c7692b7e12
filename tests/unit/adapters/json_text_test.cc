#include "adapters/json_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace mg {
namespace {

std::string Number(double value) {
  std::string out;
  AppendJsonNumber(value, &out);
  return out;
}

TEST(JsonText, Numbers) {
  EXPECT_EQ(Number(1024.0), "1024");
  EXPECT_EQ(Number(-0.0), "0");
  EXPECT_EQ(Number(0.7), "0.7");
  EXPECT_EQ(Number(1e300), "1e+300");
  EXPECT_EQ(Number(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(Number(5e-324), "5e-324");
}

TEST(JsonText, Slices) {
  const absl::string_view object =
      R"( { "a" : [1, {"b":"x]}\""} ,2.50 ], "c\"d":"\\", "e":{},"n":null , "a":9} )";
  EXPECT_EQ(MemberText(object, "a"), R"([1, {"b":"x]}\""} ,2.50 ])");
  EXPECT_EQ(MemberText(object, "c\\\"d"), R"("\\")");
  EXPECT_EQ(MemberText(object, "n"), "null");
  EXPECT_EQ(MemberText(object, "x"), "");
  const auto elements = ElementTexts(MemberText(object, "a"));
  ASSERT_EQ(elements.size(), 3u);
  EXPECT_EQ(elements[2], "2.50");
  EXPECT_TRUE(ElementTexts("[]").empty());
  EXPECT_TRUE(ElementTexts("[ ]").empty());
  EXPECT_TRUE(ElementTexts("{}").empty());
  EXPECT_TRUE(ElementTexts("").empty());
  EXPECT_EQ(MemberText("{}", "a"), "");
  EXPECT_EQ(MemberText("", "a"), "");
}

google::protobuf::Struct Nested(int depth) {
  google::protobuf::Struct root;
  google::protobuf::Struct* at = &root;
  for (int i = 1; i < depth; ++i) at = (*at->mutable_fields())["a"].mutable_struct_value();
  return root;
}

TEST(JsonText, DepthIsBounded) {
  std::string out;
  EXPECT_TRUE(AppendStruct(Nested(kMaxStructDepth), &out).ok());
  EXPECT_FALSE(AppendStruct(Nested(kMaxStructDepth + 1), &out).ok());
  std::string merged;
  EXPECT_FALSE(MergeIntoObject("{}", Nested(200), &merged).ok());
}

TEST(JsonText, MergeAddsAndNeverReplaces) {
  google::protobuf::Struct settings;
  (*settings.mutable_fields())["b"].set_number_value(2);
  auto& inner = *(*settings.mutable_fields())["o"].mutable_struct_value();
  (*inner.mutable_fields())["y"].set_bool_value(true);
  std::string out;
  ASSERT_TRUE(MergeIntoObject(R"({"a":1.0,"o":{"x":12345678901234567890}})", settings, &out).ok());
  EXPECT_EQ(out, R"({"a":1.0,"o":{"x":12345678901234567890,"y":true},"b":2})");
  (*inner.mutable_fields())["x"].set_number_value(1);
  out.clear();
  EXPECT_EQ(MergeIntoObject(R"({"o":{"x":1}})", settings, &out).message(), ".o.x");
  out.clear();
  EXPECT_EQ(MergeIntoObject(R"({"o":[]})", settings, &out).message(), ".o");
}

TEST(JsonText, ObjectsAreChecked) {
  absl::string_view object;
  bool empty = false;
  EXPECT_TRUE(CheckJsonObject(" {\"a\":1} \n", &object, &empty).ok());
  EXPECT_EQ(object, "{\"a\":1}");
  EXPECT_FALSE(empty);
  EXPECT_TRUE(CheckJsonObject("{ }", &object, &empty).ok());
  EXPECT_TRUE(empty);
  for (const char* text : {"", "[]", "1", "{", "{\"a\":1e999}", "{\"a\":1}{", "{'a':1}"}) {
    EXPECT_FALSE(CheckJsonObject(text, &object, &empty).ok()) << text;
  }
  EXPECT_FALSE(CheckJsonObject(std::string(1000000, '['), &object, &empty).ok());
}

}  // namespace
}  // namespace mg
