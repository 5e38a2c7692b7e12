#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "adapters/listed_models.h"

namespace mg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ModelListShape& ShapeOf(absl::string_view kind) { return *FindAdapter(kind)->models; }

ListedPage PageOf(absl::string_view kind, absl::string_view body) {
  ListedPage page;
  const absl::Status status = ReadListedModels(ShapeOf(kind), body, &page);
  EXPECT_TRUE(status.ok()) << status;
  return page;
}

std::vector<std::string> NamesOf(const ListedPage& page) {
  std::vector<std::string> names;
  for (const ListedModel& model : page.models) names.push_back(model.name);
  return names;
}

std::string UrlOf(absl::string_view kind, absl::string_view page) {
  return EncodeModelList(ShapeOf(kind), page).url;
}

TEST(ModelListTest, EachProviderHasItsShape) {
  EXPECT_EQ(UrlOf("openai", ""), "/models");
  EXPECT_EQ(EncodeModelList(ShapeOf("openai"), "").method, "GET");
  EXPECT_EQ(UrlOf("anthropic", "a/b c"), "/v1/models?limit=1000&after_id=a%2Fb%20c");
  EXPECT_EQ(UrlOf("cohere", "x"), "/v1/models?page_size=1000&page_token=x");
  EXPECT_EQ(UrlOf("azure_openai", ""), "/openai/v1/models");
  EXPECT_EQ(UrlOf("vertex", "t"), "/v1beta1/publishers/google/models?pageSize=100&pageToken=t");

  const ListedPage openai = PageOf("openai", R"({"object":"list","data":[{"id":"a"},{"id":"b"}]})");
  EXPECT_THAT(NamesOf(openai), ElementsAre("a", "b"));
  EXPECT_THAT(openai.next, IsEmpty());
  EXPECT_THAT(NamesOf(PageOf("openai_compatible", R"([{"id":"models/a"}])")),
              ElementsAre("models/a"));

  EXPECT_EQ(PageOf("anthropic", R"({"data":[],"has_more":true,"last_id":"z"})").next, "z");
  EXPECT_EQ(PageOf("anthropic", R"({"data":[],"has_more":false,"last_id":"z"})").next, "");
  EXPECT_EQ(PageOf("anthropic", R"({"data":[],"last_id":"z"})").next, "");

  const ListedPage cohere = PageOf("cohere", R"({"models":[{"name":"c"}],"next_page_token":"t"})");
  EXPECT_THAT(NamesOf(cohere), ElementsAre("c"));
  EXPECT_EQ(cohere.next, "t");

  EXPECT_EQ(UrlOf("gemini", "x"), "/models?pageSize=1000&pageToken=x");
  const ListedPage gemini = PageOf(
      "gemini", R"({"models":[{"name":"models/g"},{"name":"tunedModels/m"}],"nextPageToken":"t"})");
  EXPECT_THAT(NamesOf(gemini), ElementsAre("g", "tunedModels/m"));
  EXPECT_EQ(gemini.next, "t");

  const ListedPage vertex =
      PageOf("vertex",
             R"({"publisherModels":[{"name":"publishers/google/models/v"}],"nextPageToken":"t"})");
  EXPECT_THAT(NamesOf(vertex), ElementsAre("v"));
  EXPECT_EQ(vertex.next, "t");
  EXPECT_THAT(NamesOf(PageOf("azure_openai", R"({"data":[{"id":"gpt-4o"}]})")),
              ElementsAre("gpt-4o"));
  EXPECT_EQ(FindAdapter("bedrock")->models, nullptr);
}

TEST(ModelListTest, SomeTellTheContextWindow) {
  const auto window = [](absl::string_view kind, const std::string& members) {
    const std::string item = absl::StrCat(R"([{"id":"m","name":"m",)", members, "}]");
    return PageOf(kind, item).models.at(0).context_window;
  };
  EXPECT_EQ(window("openai_compatible", R"("max_model_len":4096)"), 4096);
  EXPECT_EQ(window("openai_compatible", R"("context_length":8192)"), 8192);
  EXPECT_EQ(window("openai_compatible", R"("max_context_length":32768)"), 32768);
  EXPECT_EQ(window("gemini", R"("inputTokenLimit":1048576,"outputTokenLimit":65536)"), 1048576);
  EXPECT_EQ(window("cohere", R"("context_length":256000)"), 256000);
  EXPECT_EQ(window("openai", R"("context_length":"8192")"), 0);
  EXPECT_EQ(window("openai", R"("context_length":-1)"), 0);
}

TEST(ModelListTest, WhatIsNoNameIsPassedOver) {
  const std::string longest(256, 'x');
  const std::string body =
      absl::StrCat(R"({"data":[{"id":""},{"id":7},{},[],null,{"id":"a\nb"},)", R"({"id":")",
                   longest, R"("},{"id":"x)", longest, R"("},{"id":"last"}]})");
  EXPECT_THAT(NamesOf(PageOf("openai", body)), ElementsAre(longest, "last"));
}

TEST(ModelListTest, WhatIsNoListIsRefused) {
  for (const char* body : {"", "<html>", "{}", "7", R"({"data":{}})", R"({"data":null})", "[1"}) {
    ListedPage page;
    EXPECT_EQ(ReadListedModels(ShapeOf("openai"), body, &page).code(),
              absl::StatusCode::kInvalidArgument)
        << body;
  }
}

}  // namespace
}  // namespace mg
