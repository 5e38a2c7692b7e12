// Google's embeddings on both platforms: what is sent, what is refused, and the recorded answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "base/json.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kNew[] = "gemini-embedding-2";
constexpr char kOld[] = "text-embedding-005";

const Dialect& Of(const DialectContext& context) { return *FindAdapter(context.provider)->dialect; }

DialectContext Studio(const char* model = kNew) { return {.provider = "gemini", .model = model}; }
DialectContext Vertex(const char* model) { return {.provider = "vertex", .model = model}; }

v1::EmbedRequest Texts(int count) {
  v1::EmbedRequest request;
  for (int i = 0; i < count; ++i) request.add_inputs()->set_text("a \"quoted\" text");
  return request;
}

absl::StatusOr<EncodedRequest> Encode(const v1::EmbedRequest& request,
                                      const DialectContext& context) {
  const auto batches = Of(context).CutEmbed(request, context);
  if (!batches.ok()) return batches.status();
  return Of(context).EncodeEmbed(request, context, batches->front());
}

TEST(GeminiEmbed, ABatchOfAiStudio) {
  v1::EmbedRequest request = Texts(2);
  request.set_dimensions(768);
  request.set_task("query");
  auto& options = (*request.mutable_provider_options())["gemini"];
  (*options.mutable_fields())["title"].set_string_value("T");
  const auto encoded = Encode(request, Studio());
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.url, "/models/gemini-embedding-2:batchEmbedContents");
  const std::string each =
      R"({"model":"models/gemini-embedding-2","content":{"parts":[{"text":"a \"quoted\" text"}]},)"
      R"("taskType":"RETRIEVAL_QUERY","outputDimensionality":768,"title":"T"})";
  EXPECT_EQ(encoded->http.body, absl::StrCat("{\"requests\":[", each, ",", each, "]}"));
  EXPECT_TRUE(encoded->warnings.empty());
}

TEST(GeminiEmbed, PredictOfVertex) {
  v1::EmbedRequest request = Texts(2);
  request.set_dimensions(256);
  request.set_task("similarity");
  request.set_truncate(false);
  const auto encoded = Encode(request, Vertex(kOld));
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.url, "/publishers/google/models/text-embedding-005:predict");
  const std::string each = R"({"content":"a \"quoted\" text","task_type":"SEMANTIC_SIMILARITY"})";
  EXPECT_EQ(encoded->http.body,
            absl::StrCat("{\"instances\":[", each, ",", each,
                         R"(],"parameters":{"outputDimensionality":256,"autoTruncate":false}})"));
  EXPECT_EQ(Encode(Texts(1), Vertex(kOld))->http.body,
            R"({"instances":[{"content":"a \"quoted\" text"}]})");
}

TEST(GeminiEmbed, OneContentOfVertex) {
  v1::EmbedRequest request = Texts(2);
  request.set_task("document");
  request.set_truncate(true);
  for (const char* model :
       {kNew, "publishers/intfloat/models/multilingual-e5-large-instruct-maas"}) {
    const auto batches = Of(Vertex(model)).CutEmbed(request, Vertex(model));
    ASSERT_TRUE(batches.ok());
    EXPECT_EQ(batches->size(), 2u);
    const auto encoded = Encode(request, Vertex(model));
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    EXPECT_TRUE(absl::EndsWith(encoded->http.url, ":embedContent")) << encoded->http.url;
    EXPECT_EQ(encoded->http.body,
              R"({"content":{"parts":[{"text":"a \"quoted\" text"}]},)"
              R"("embedContentConfig":{"taskType":"RETRIEVAL_DOCUMENT","autoTruncate":true}})");
  }
}

TEST(GeminiEmbed, EveryTaskHasItsWord) {
  const std::pair<const char*, const char*> tasks[] = {{"query", "RETRIEVAL_QUERY"},
                                                       {"document", "RETRIEVAL_DOCUMENT"},
                                                       {"classification", "CLASSIFICATION"},
                                                       {"clustering", "CLUSTERING"},
                                                       {"similarity", "SEMANTIC_SIMILARITY"}};
  for (const auto& [task, word] : tasks) {
    v1::EmbedRequest request = Texts(1);
    request.set_task(task);
    EXPECT_THAT(Encode(request, Studio())->http.body,
                HasSubstr(absl::StrCat("\"taskType\":\"", word, "\"")));
  }
}

TEST(GeminiEmbed, AsManyAsTheApiTakes) {
  const auto size = [](int count, const DialectContext& context) {
    return Of(context).CutEmbed(Texts(count), context)->size();
  };
  EXPECT_EQ(size(201, Studio()), 3u);
  EXPECT_EQ(size(251, Vertex(kOld)), 2u);
  EXPECT_EQ(size(3, Vertex("gemini-embedding-001")), 3u);
}

TEST(GeminiEmbed, RefusesWhatItCannotEmbed) {
  const auto field = [](const v1::EmbedRequest& request) {
    return DetailOf(Encode(request, Studio()).status()).field();
  };
  v1::EmbedRequest request;
  EXPECT_EQ(field(request), "inputs");
  request.add_inputs()->add_token_ids(7);
  EXPECT_EQ(field(request), "inputs[0].token_ids");
  request = Texts(1);
  request.mutable_inputs(0)->clear_text();
  request.mutable_inputs(0)->add_parts()->set_text("a");
  EXPECT_EQ(field(request), "inputs[0].parts");
  request = Texts(1);
  request.set_element_type("int8");
  EXPECT_EQ(field(request), "element_type");
  request = Texts(1);
  request.set_truncate(false);
  EXPECT_EQ(field(request), "truncate");
  request = Texts(1);
  (*(*request.mutable_provider_options())["gemini"].mutable_fields())["model"].set_string_value("");
  EXPECT_EQ(field(request), "provider_options[\"gemini\"].model");
  request = Texts(1);
  request.mutable_context()->set_end_user("u");
  EXPECT_EQ(Encode(request, Studio())->warnings[0].field(), "context.end_user");
  EXPECT_EQ(DetailOf(Encode(Texts(1), Studio("../x")).status()).field(), "model");
}

absl::Status Decode(absl::string_view body, int count, v1::EmbedResponse* response) {
  return Of(Studio()).DecodeEmbed(Studio(), {0, count}, body, response);
}

TEST(GeminiEmbed, UsageIsTheSum) {
  v1::EmbedResponse response;
  ASSERT_TRUE(Decode(R"({"embedding":{"values":[1,-2]},"usageMetadata":{"promptTokenCount":3}})", 1,
                     &response)
                  .ok());
  ASSERT_TRUE(Decode(R"({"predictions":[{"embeddings":{"values":[1],"statistics":)"
                     R"({"token_count":4.0}}},{"embeddings":{"values":[2]}}]})",
                     2, &response)
                  .ok());
  EXPECT_THAT(response.embeddings(0).values(), ElementsAre(1.0F, -2.0F));
  EXPECT_EQ(response.embeddings_size(), 3);
  EXPECT_EQ(response.usage().input_tokens(), 7);
  EXPECT_EQ(response.usage().total_tokens(), 7);
  EXPECT_EQ(response.model(), kNew);
}

TEST(GeminiEmbed, BrokenVectors) {
  for (const char* broken :
       {R"({"embeddings":[]})", R"({"embeddings":[{"values":[1]},{"values":[2]}]})",
        R"({"embeddings":[{"values":[]}]})", R"({"embeddings":[{}]})", R"({"embeddings":[7]})",
        R"({"embeddings":{"values":[1]}})", R"({"embedding":{"values":[1e39]}})", "[]", "{}", ""}) {
    v1::EmbedResponse response;
    EXPECT_EQ(ClassOf(Decode(broken, 1, &response)), ErrorClass::kMalformed) << broken;
    EXPECT_TRUE(response.embeddings().empty()) << broken;
  }
  v1::EmbedResponse response;
  EXPECT_EQ(ClassOf(Decode(R"({"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}})",
                           1, &response)),
            ErrorClass::kRate);
}

// Decodes one recording and compares it with its expect.json.
void ExpectRecording(const std::string& dir) {
  SCOPED_TRACE(dir);
  const JsonDocument meta = ReadJsonFile(dir + "/meta.json");
  const JsonDocument expect = ReadJsonFile(dir + "/expect.json");
  const std::string body = ReadFile(dir + "/" + std::string(StringMember(meta, "response_file")));
  const int count = Member(expect, "count")->GetInt();
  v1::EmbedResponse response;
  const absl::Status status = Decode(body, count, &response);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(response.embeddings_size(), count);
  if (const JsonValue* tokens = Member(expect, "input_tokens")) {
    EXPECT_EQ(response.usage().input_tokens(), tokens->GetInt());
  }
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(response.embeddings(i).values_size(), Member(expect, "dims")->GetInt());
    const auto& first = (*Member(expect, "first4"))[static_cast<rapidjson::SizeType>(i)];
    for (int k = 0; k < 4; ++k) {
      EXPECT_NEAR(response.embeddings(i).values(k),
                  first[static_cast<rapidjson::SizeType>(k)].GetDouble(), 1e-6);
    }
  }
}

TEST(GeminiEmbed, Recordings) {
  if (FixturesDir().empty()) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "the recordings are absent";
    GTEST_SKIP() << "the recordings are absent";
  }
  int found = 0;
  for (const char* provider : {"gemini", "vertex"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(absl::StrCat(FixturesDir(), "/", provider))) {
      const std::string dir = entry.path().string();
      const JsonDocument meta = ReadJsonFile(dir + "/meta.json");
      const absl::string_view api = StringMember(meta, "api");
      if (api != "gemini-embed" && api != "gemini-embed1" && api != "vertex-predict") continue;
      ++found;
      ExpectRecording(dir);
    }
  }
  std::printf(
      "recordings (gemini-embed, gemini-embed1, vertex-predict): cases found %d, run %d, "
      "skipped 0\n",
      found, found);
  EXPECT_EQ(found, 3);
}

}  // namespace
}  // namespace mg
