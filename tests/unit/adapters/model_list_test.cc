#include "adapters/model_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"

namespace mg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ModelListShape& ShapeOf(absl::string_view kind) { return *FindAdapter(kind)->models; }

ModelPage PageOf(absl::string_view kind, absl::string_view body) {
  ModelPage page;
  const absl::Status status = DecodeModelList(ShapeOf(kind), body, &page);
  EXPECT_TRUE(status.ok()) << status;
  return page;
}

TEST(ModelListTest, EachProviderHasItsShape) {
  EXPECT_EQ(EncodeModelList(ShapeOf("openai"), "").url, "/models");
  EXPECT_EQ(EncodeModelList(ShapeOf("openai"), "").method, "GET");
  EXPECT_EQ(EncodeModelList(ShapeOf("anthropic"), "a/b c").url,
            "/v1/models?limit=1000&after_id=a%2Fb%20c");
  EXPECT_EQ(EncodeModelList(ShapeOf("cohere"), "x").url, "/v1/models?page_size=1000&page_token=x");

  const ModelPage openai = PageOf("openai", R"({"object":"list","data":[{"id":"a"},{"id":"b"}]})");
  EXPECT_THAT(openai.ids, ElementsAre("a", "b"));
  EXPECT_THAT(openai.next, IsEmpty());
  EXPECT_THAT(PageOf("openai_compatible", R"([{"id":"models/a"}])").ids, ElementsAre("models/a"));

  EXPECT_EQ(PageOf("anthropic", R"({"data":[],"has_more":true,"last_id":"z"})").next, "z");
  EXPECT_EQ(PageOf("anthropic", R"({"data":[],"has_more":false,"last_id":"z"})").next, "");
  EXPECT_EQ(PageOf("anthropic", R"({"data":[],"last_id":"z"})").next, "");

  const ModelPage cohere = PageOf("cohere", R"({"models":[{"name":"c"}],"next_page_token":"t"})");
  EXPECT_THAT(cohere.ids, ElementsAre("c"));
  EXPECT_EQ(cohere.next, "t");

  EXPECT_EQ(EncodeModelList(ShapeOf("gemini"), "x").url, "/models?pageSize=1000&pageToken=x");
  const ModelPage gemini = PageOf(
      "gemini", R"({"models":[{"name":"models/g"},{"name":"tunedModels/m"}],"nextPageToken":"t"})");
  EXPECT_THAT(gemini.ids, ElementsAre("g", "tunedModels/m"));
  EXPECT_EQ(gemini.next, "t");
  EXPECT_EQ(FindAdapter("vertex")->models, nullptr);
}

TEST(ModelListTest, WhatIsNoNameIsPassedOver) {
  const std::string longest(256, 'x');
  EXPECT_THAT(
      PageOf("openai",
             absl::StrCat(R"({"data":[{"id":""},{"id":7},{},[],null,{"id":"a\nb"},)", R"({"id":")",
                          longest, R"("},{"id":"x)", longest, R"("},{"id":"last"}]})"))
          .ids,
      ElementsAre(longest, "last"));
}

TEST(ModelListTest, WhatIsNoListIsRefused) {
  for (const char* body : {"", "<html>", "{}", "7", R"({"data":{}})", R"({"data":null})", "[1"}) {
    ModelPage page;
    EXPECT_EQ(DecodeModelList(ShapeOf("openai"), body, &page).code(),
              absl::StatusCode::kInvalidArgument)
        << body;
  }
}

}  // namespace
}  // namespace mg
