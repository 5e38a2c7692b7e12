// Embeddings of Bedrock's models by InvokeModel: what is sent, what is refused, and the recorded
// answers; recorded refusals of InvokeModel with them.
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

constexpr char kTitan1[] = "amazon.titan-embed-text-v1";
constexpr char kTitan2[] = "amazon.titan-embed-text-v2:0";
constexpr char kCohere3[] = "cohere.embed-english-v3";
constexpr char kCohere4[] = "us.cohere.embed-v4:0";
constexpr char kNova[] = "amazon.nova-2-multimodal-embeddings-v1:0";

const Dialect& Bedrock() { return *FindAdapter("bedrock")->dialect; }

DialectContext Context(const char* model) { return {.provider = "bedrock", .model = model}; }

v1::EmbedRequest Texts(int count) {
  v1::EmbedRequest request;
  for (int i = 0; i < count; ++i) request.add_inputs()->set_text(absl::StrCat("t", i));
  return request;
}

// The body of a batch, and the fields of its warnings.
std::string Encoded(const v1::EmbedRequest& request, const char* model, EmbedBatch batch) {
  const auto encoded = Bedrock().EncodeEmbed(request, Context(model), batch);
  if (!encoded.ok()) return encoded.status().ToString();
  std::string out = encoded->http.body;
  for (const v1::Warning& warning : encoded->warnings) {
    absl::StrAppend(&out, " ", warning.code(), " ", warning.field());
  }
  return out;
}

TEST(BedrockEmbed, TitanTakesOneText) {
  v1::EmbedRequest request = Texts(2);
  request.set_dimensions(256);
  request.set_task("query");
  const auto batches = Bedrock().CutEmbed(request, Context(kTitan2));
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 2u);
  EXPECT_EQ(Encoded(request, kTitan2, (*batches)[1]),
            R"({"inputText":"t1","dimensions":256} dropped task)");
  const auto encoded = Bedrock().EncodeEmbed(request, Context(kTitan2), (*batches)[0]);
  EXPECT_EQ(encoded->http.url, "/model/amazon.titan-embed-text-v2%3A0/invoke");
  EXPECT_EQ(FindHeader(encoded->http.headers, "accept"), "application/json");
  request.clear_dimensions();
  request.set_element_type("binary");
  EXPECT_EQ(Encoded(request, kTitan2, {0, 1}),
            R"({"inputText":"t0","embeddingTypes":["binary"]} dropped task)");
}

TEST(BedrockEmbed, CohereTakesNinetySix) {
  v1::EmbedRequest request = Texts(97);
  const auto batches = Bedrock().CutEmbed(request, Context(kCohere4));
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 2u);
  EXPECT_EQ((*batches)[0].count, 96);
  EXPECT_EQ(Encoded(request, kCohere4, (*batches)[1]),
            R"({"texts":["t96"],"input_type":"search_document"} changed task)");
  request.set_task("query");
  request.set_dimensions(512);
  request.set_truncate(true);
  request.set_element_type("int8");
  request.mutable_context()->set_end_user("u");
  EXPECT_EQ(Encoded(request, kCohere4, {1, 2}),
            R"({"texts":["t1","t2"],"input_type":"search_query","embedding_types":["int8"],)"
            R"("output_dimension":512,"truncate":"END"} dropped context.end_user)");
}

TEST(BedrockEmbed, NovaIsToldThePurpose) {
  v1::EmbedRequest request = Texts(1);
  request.set_task("clustering");
  request.set_dimensions(384);
  EXPECT_EQ(Encoded(request, kNova, {0, 1}),
            R"({"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":)"
            R"("CLUSTERING","embeddingDimension":384,"text":{"truncationMode":"NONE","value":)"
            R"("t0"}}})");
  request.set_task("similarity");
  request.clear_dimensions();
  request.set_truncate(true);
  EXPECT_EQ(Encoded(request, kNova, {0, 1}),
            R"({"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":)"
            R"("GENERIC_INDEX","text":{"truncationMode":"END","value":"t0"}}} changed task)");
}

TEST(BedrockEmbed, OptionsAreMergedAndReplaceNothing) {
  v1::EmbedRequest request = Texts(1);
  auto& options = (*request.mutable_provider_options())["bedrock"];
  (*options.mutable_fields())["normalize"].set_bool_value(true);
  EXPECT_EQ(Encoded(request, kTitan2, {0, 1}), R"({"inputText":"t0","normalize":true})");
  (*options.mutable_fields())["inputText"].set_string_value("other");
  const auto encoded = Bedrock().EncodeEmbed(request, Context(kTitan2), {0, 1});
  EXPECT_EQ(DetailOf(encoded.status()).field(), "provider_options[\"bedrock\"].inputText");
}

TEST(BedrockEmbed, WhatAModelLacksIsRefusedByName) {
  const auto field = [](const v1::EmbedRequest& request, const char* model) {
    const auto batches = Bedrock().CutEmbed(request, Context(model));
    return absl::StrCat(KindName(DetailOf(batches.status()).kind()), " ",
                        DetailOf(batches.status()).field());
  };
  v1::EmbedRequest request = Texts(1);
  request.set_dimensions(256);
  EXPECT_EQ(field(request, kTitan1), "unsupported dimensions");
  EXPECT_EQ(field(request, kCohere3), "unsupported dimensions");
  request = Texts(1);
  request.set_truncate(true);
  EXPECT_EQ(field(request, kTitan2), "unsupported truncate");
  request = Texts(1);
  request.set_element_type("int8");
  EXPECT_EQ(field(request, kTitan2), "unsupported element_type");
  EXPECT_EQ(field(request, kNova), "unsupported element_type");
  request = Texts(1);
  request.add_inputs()->add_parts()->set_text("x");
  EXPECT_EQ(field(request, kCohere4), "unsupported inputs[1].parts");
  request.mutable_inputs(1)->clear_parts();
  request.mutable_inputs(1)->add_token_ids(1);
  EXPECT_EQ(field(request, kCohere4), "unsupported inputs[1].token_ids");
  EXPECT_EQ(field({}, kTitan2), "invalid_request inputs");
  EXPECT_EQ(ClassOf(Bedrock().CutEmbed(Texts(1), Context("anthropic.claude-haiku-4-5")).status()),
            ErrorClass::kUnsupportedMethod);
}

absl::Status Decode(const char* model, int count, absl::string_view body,
                    v1::EmbedResponse* response) {
  return Bedrock().DecodeEmbed(Context(model), {0, count}, body, response);
}

TEST(BedrockEmbed, FormsOfAnswers) {
  v1::EmbedResponse response;
  ASSERT_TRUE(
      Decode(kTitan2, 1,
             R"({"embeddingsByType":{"binary":[1,0,0,0,0,0,0,1,1]},"inputTextTokenCount":3})",
             &response)
          .ok());
  EXPECT_EQ(response.embeddings(0).packed(), "\x81\x80");
  ASSERT_TRUE(Decode(kTitan2, 1, R"({"embedding":[1,2],"inputTextTokenCount":4})", &response).ok());
  EXPECT_THAT(response.embeddings(1).values(), ElementsAre(1, 2));
  EXPECT_EQ(response.usage().input_tokens(), 7);
  EXPECT_EQ(response.usage().total_tokens(), 7);
  EXPECT_EQ(response.model(), kTitan2);
  response.Clear();
  ASSERT_TRUE(Decode(kCohere3, 2, R"({"embeddings":[[1],[2]]})", &response).ok());
  ASSERT_TRUE(Decode(kCohere4, 1, R"({"embeddings":{"int8":[[-1,127]]}})", &response).ok());
  EXPECT_EQ(response.embeddings_size(), 3);
  EXPECT_EQ(response.embeddings(2).packed(), "\xFF\x7F");
  HttpHead head;
  head.headers = {{"X-Amzn-Bedrock-Input-Token-Count", "5"}};
  Bedrock().AddEmbedUsage(Context(kCohere4), head, "{}", &response);
  EXPECT_EQ(response.usage().input_tokens(), 5);
  const std::string nova =
      R"({"embeddings":[{"embeddingType":"TEXT","embedding":[0.5]}],"inputTokenCount":6})";
  ASSERT_TRUE(Decode(kNova, 1, nova, &response).ok());
  Bedrock().AddEmbedUsage(Context(kNova), head, nova, &response);
  EXPECT_EQ(response.usage().input_tokens(), 11);
  Bedrock().AddEmbedUsage(Context(kTitan2), head, "{}", &response);
  EXPECT_EQ(response.usage().input_tokens(), 11);
}

TEST(BedrockEmbed, BrokenAnswers) {
  const std::pair<const char*, const char*> broken[] = {
      {kTitan2, "{}"},
      {kTitan2, R"({"embedding":[]})"},
      {kTitan2, R"({"embedding":[1e39]})"},
      {kTitan2, R"({"embeddingsByType":{"binary":[2]}})"},
      {kCohere4, R"({"embeddings":[[1],[2]]})"},
      {kCohere4, R"({"embeddings":{"odd":[[1]]}})"},
      {kCohere4, R"({"embeddings":{"int8":[[300]]}})"},
      {kNova, R"({"embeddings":[{"embedding":[1]},{"embedding":[2]}]})"},
      {kNova, "[]"},
      {kNova, "nonsense"}};
  for (const auto& [model, body] : broken) {
    v1::EmbedResponse response;
    EXPECT_EQ(ClassOf(Decode(model, 1, body, &response)), ErrorClass::kMalformed) << body;
  }
}

// The model's id, out of the URL.
std::string ModelOf(const JsonValue& meta) {
  std::string url(StringMember(meta, "url"));
  url = url.substr(url.find("/model/") + 7);
  return url.substr(0, url.rfind('/'));
}

HttpHead HeadOf(const JsonValue& meta) {
  HttpHead head;
  head.status = Member(meta, "http_status")->GetInt();
  for (const auto& header : Member(meta, "response_headers")->GetObject()) {
    head.headers.push_back(
        {std::string(StringOf(header.name)), std::string(StringOf(header.value))});
  }
  return head;
}

void ExpectRecording(const JsonValue& meta, const JsonValue& expect, const std::string& body) {
  const HttpHead head = HeadOf(meta);
  const DialectContext context = {.provider = "bedrock", .model = ModelOf(meta)};
  if (StringMember(expect, "kind") == "error") {
    const auto status = Bedrock().DecodeError(context, head, body, absl::UnixEpoch());
    EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_INVALID_REQUEST) << status;
    EXPECT_EQ(DetailOf(status).provider_code(), std::string(StringMember(expect, "provider_type")));
    return;
  }
  const int count = Member(expect, "count")->GetInt();
  v1::EmbedResponse response;
  const auto status = Bedrock().DecodeEmbed(context, {0, count}, body, &response);
  ASSERT_TRUE(status.ok()) << status;
  Bedrock().AddEmbedUsage(context, head, body, &response);
  ASSERT_EQ(response.embeddings_size(), count);
  EXPECT_EQ(response.usage().input_tokens(), Member(expect, "input_tokens")->GetInt());
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(response.embeddings(i).values_size(), Member(expect, "dims")->GetInt());
    const auto& first = (*Member(expect, "first4"))[static_cast<rapidjson::SizeType>(i)];
    for (int k = 0; k < 4; ++k) {
      EXPECT_NEAR(response.embeddings(i).values(k),
                  first[static_cast<rapidjson::SizeType>(k)].GetDouble(), 1e-6);
    }
  }
}

TEST(BedrockInvoke, Recordings) {
  if (FixturesDir().empty()) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "the recordings are absent";
    GTEST_SKIP() << "the recordings are absent";
  }
  int run = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FixturesDir() + "/bedrock")) {
    const std::string dir = entry.path().string();
    const JsonDocument meta = ReadJsonFile(dir + "/meta.json");
    const JsonDocument expect = ReadJsonFile(dir + "/expect.json");
    // Chats over InvokeModel belong to a dialect that this version lacks.
    if (!absl::StartsWith(StringMember(meta, "api"), "invoke") ||
        StringMember(expect, "kind") == "chat") {
      continue;
    }
    SCOPED_TRACE(dir);
    ExpectRecording(meta, expect,
                    ReadFile(dir + "/" + std::string(StringMember(meta, "response_file"))));
    ++run;
  }
  EXPECT_EQ(run, 5);
  std::printf("recordings (invoke): cases found %d, run %d, skipped 0\n", run, run);
}

}  // namespace
}  // namespace mg
