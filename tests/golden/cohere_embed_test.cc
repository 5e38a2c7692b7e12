// Cohere's embeddings: what is sent, what is refused, and the recorded answers; and the texts that
// its tokenizer is asked about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "base/json.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const DialectContext kContext = {.provider = "cohere", .model = "embed-v4.0"};

const Dialect& Cohere() { return *FindAdapter("cohere")->dialect; }

v1::EmbedRequest Texts(int count) {
  v1::EmbedRequest request;
  for (int i = 0; i < count; ++i) request.add_inputs()->set_text("a \"quoted\" text");
  request.set_task("query");
  return request;
}

absl::StatusOr<EncodedRequest> Encode(const v1::EmbedRequest& request,
                                      const DialectContext& context = kContext) {
  const auto batches = Cohere().CutEmbed(request, context);
  if (!batches.ok()) return batches.status();
  return Cohere().EncodeEmbed(request, context, batches->front());
}

TEST(CohereEmbed, TextsAndSettings) {
  v1::EmbedRequest request = Texts(2);
  request.set_dimensions(256);
  request.set_element_type("ubinary");
  request.set_truncate(true);
  auto encoded = Encode(request);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.url, "/v2/embed");
  EXPECT_EQ(encoded->http.body,
            R"({"model":"embed-v4.0","texts":["a \"quoted\" text","a \"quoted\" text"],)"
            R"("input_type":"search_query","embedding_types":["ubinary"],"output_dimension":256,)"
            R"("truncate":"END"})");
  EXPECT_TRUE(encoded->warnings.empty());
  request.set_truncate(false);
  EXPECT_THAT(Encode(request)->http.body, HasSubstr(R"("truncate":"NONE")"));
}

TEST(CohereEmbed, EveryTaskHasItsInputType) {
  const std::pair<const char*, const char*> tasks[] = {{"document", "search_document"},
                                                       {"classification", "classification"},
                                                       {"clustering", "clustering"},
                                                       {"similarity", "search_document"},
                                                       {"", "search_document"}};
  for (const auto& [task, input_type] : tasks) {
    v1::EmbedRequest request = Texts(1);
    request.set_task(task);
    auto encoded = Encode(request);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    EXPECT_THAT(encoded->http.body, HasSubstr(absl::StrCat("\"input_type\":\"", input_type, "\"")));
    const bool changed = *task == '\0' || std::string(task) == "similarity";
    ASSERT_EQ(encoded->warnings.size(), changed ? 1u : 0u) << task;
    if (changed) EXPECT_EQ(encoded->warnings[0].code(), "changed");
  }
}

TEST(CohereEmbed, ImagesMakeAllInputsContent) {
  v1::EmbedRequest request = Texts(1);
  v1::EmbedInput* mixed = request.add_inputs();
  mixed->add_parts()->set_text("a cat");
  mixed->add_parts()->mutable_image()->set_data("GIF89a");
  auto encoded = Encode(request);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_THAT(encoded->http.body,
              HasSubstr(R"("inputs":[{"content":[{"type":"text","text":"a \"quoted\" text"}]},)"
                        R"({"content":[{"type":"text","text":"a cat"},{"type":"image_url",)"
                        R"("image_url":{"url":"data:image/gif;base64,R0lGODlh"}}]}])"));
  const DialectContext older = {.provider = "cohere", .model = "embed-multilingual-v3.0"};
  EXPECT_EQ(DetailOf(Encode(request, older).status()).field(), "inputs[1].parts");
  mixed->add_parts()->mutable_audio()->set_data("RIFF");
  EXPECT_EQ(DetailOf(Encode(request).status()).field(), "inputs[1].parts[2]");
  mixed->mutable_parts(2)->set_text(" ");
  EXPECT_EQ(ClassOf(Encode(request).status()), ErrorClass::kInvalidRequest);
  mixed->mutable_parts(2)->mutable_image()->set_uri("https://a/b.png");
  EXPECT_EQ(DetailOf(Encode(request).status()).field(), "inputs[1].parts[2].image");
}

TEST(CohereEmbed, RefusesWhatItCannotEmbed) {
  v1::EmbedRequest request;
  EXPECT_EQ(DetailOf(Encode(request).status()).field(), "inputs");
  request.add_inputs();
  EXPECT_EQ(DetailOf(Encode(request).status()).field(), "inputs[0]");
  request.mutable_inputs(0)->add_token_ids(7);
  EXPECT_EQ(DetailOf(Encode(request).status()).field(), "inputs[0].token_ids");
  request = Texts(1);
  request.set_element_type("bits");
  EXPECT_EQ(DetailOf(Encode(request).status()).field(), "element_type");
  request = Texts(1);
  (*(*request.mutable_provider_options())["cohere"].mutable_fields())["texts"].set_string_value("");
  EXPECT_EQ(DetailOf(Encode(request).status()).field(), "provider_options[\"cohere\"].texts");
  request = Texts(1);
  request.mutable_context()->set_end_user("u");
  EXPECT_EQ(Encode(request)->warnings[0].field(), "context.end_user");
}

TEST(CohereEmbed, NinetySixARequest) {
  const auto batches = Cohere().CutEmbed(Texts(200), kContext);
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 3u);
  EXPECT_EQ((*batches)[2].first, 192);
  EXPECT_EQ((*batches)[2].count, 8);
}

absl::Status Decode(absl::string_view embeddings, int count, v1::EmbedResponse* response) {
  return Cohere().DecodeEmbed(kContext, {0, count},
                              absl::StrCat(R"({"embeddings":)", embeddings,
                                           R"(,"meta":{"billed_units":{"input_tokens":3,)"
                                           R"("image_tokens":4}}})"),
                              response);
}

TEST(CohereEmbed, FloatsAndPackedNumbers) {
  v1::EmbedResponse response;
  ASSERT_TRUE(Decode(R"({"float":[[1,-2,0.5]]})", 1, &response).ok());
  ASSERT_TRUE(Decode(R"({"base64":["AACAPwAAAMAAAAA/"]})", 1, &response).ok());
  ASSERT_TRUE(Decode(R"({"int8":[[-128,127]]})", 1, &response).ok());
  ASSERT_TRUE(Decode(R"({"ubinary":[[255,1]]})", 1, &response).ok());
  EXPECT_THAT(response.embeddings(0).values(), ElementsAre(1.0F, -2.0F, 0.5F));
  EXPECT_THAT(response.embeddings(1).values(), ElementsAre(1.0F, -2.0F, 0.5F));
  EXPECT_EQ(response.embeddings(2).packed(), "\x80\x7F");
  EXPECT_EQ(response.embeddings(3).packed(), "\xFF\x01");
  EXPECT_EQ(response.usage().input_tokens(), 28);
  EXPECT_EQ(response.usage().image_input_tokens(), 16);
  EXPECT_EQ(response.model(), "embed-v4.0");
}

TEST(CohereEmbed, BrokenVectors) {
  for (const char* broken : {R"({"float":[[1],[2]]})", R"({"float":[[]]})", R"({"float":[["x"]]})",
                             R"({"float":[[1e39]]})", R"({"int8":[[300]]})", R"({"int8":[[0.5]]})",
                             R"({"float":{}})", R"({})", R"([])", R"("none")"}) {
    v1::EmbedResponse response;
    EXPECT_EQ(ClassOf(Decode(broken, 1, &response)), ErrorClass::kMalformed) << broken;
  }
  v1::EmbedResponse response;
  EXPECT_EQ(ClassOf(Cohere().DecodeEmbed(kContext, {0, 1}, "{}", &response)),
            ErrorClass::kMalformed);
}

TEST(CohereCount, ATextAndNoMessages) {
  v1::CountTokensRequest request;
  request.set_text("hello, world");
  const auto encoded = Cohere().EncodeCount(request, kContext);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.url, "/v1/tokenize");
  EXPECT_EQ(encoded->http.body, R"({"text":"hello, world","model":"embed-v4.0"})");
  // Characters count, not bytes.
  std::string longest;
  for (int i = 0; i < 65536; ++i) longest.append("\xC3\xA4");
  request.set_text(longest);
  EXPECT_TRUE(Cohere().EncodeCount(request, kContext).ok());
  request.set_text(longest + "a");
  EXPECT_EQ(ClassOf(Cohere().EncodeCount(request, kContext).status()),
            ErrorClass::kUnsupportedField);
  request.mutable_chat()->add_messages();
  request.clear_text();
  EXPECT_EQ(ClassOf(Cohere().EncodeCount(request, kContext).status()),
            ErrorClass::kUnsupportedField);
  v1::CountTokensResponse response;
  EXPECT_EQ(ClassOf(Cohere().DecodeCount(kContext, R"({"tokens":3})", &response)),
            ErrorClass::kMalformed);
}

// Decodes one recording and compares it with its expect.json.
void ExpectRecording(const std::string& dir) {
  SCOPED_TRACE(dir);
  const JsonDocument meta = ReadJsonFile(dir + "/meta.json");
  const JsonDocument expect = ReadJsonFile(dir + "/expect.json");
  const std::string body = ReadFile(dir + "/" + std::string(StringMember(meta, "response_file")));
  if (StringMember(expect, "kind") == "error") {
    const HttpHead head{Member(expect, "http")->GetInt(), {{"content-type", "application/json"}}};
    const absl::Status status = Cohere().DecodeError(kContext, head, body, absl::UnixEpoch());
    EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_UNKNOWN_MODEL) << status;
    EXPECT_EQ(DetailOf(status).provider_message(), std::string(StringMember(expect, "message")));
    return;
  }
  const int count = Member(expect, "count")->GetInt();
  v1::EmbedResponse response;
  const absl::Status status = Cohere().DecodeEmbed(kContext, {0, count}, body, &response);
  ASSERT_TRUE(status.ok()) << status;
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

TEST(CohereEmbed, Recordings) {
  if (FixturesDir().empty()) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "the recordings are absent";
    GTEST_SKIP() << "the recordings are absent";
  }
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FixturesDir() + "/cohere")) {
    const std::string dir = entry.path().string();
    if (StringMember(ReadJsonFile(dir + "/meta.json"), "api") != "cohere-embed") continue;
    ++found;
    ExpectRecording(dir);
  }
  std::printf("recordings (cohere-embed): cases found %d, run %d, skipped 0\n", found, found);
  EXPECT_EQ(found, 3);
}

}  // namespace
}  // namespace mg
