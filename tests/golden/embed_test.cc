// Embeddings of OpenAI and of servers like it: what is sent, what is refused, and the recorded
// answers (Azure's too: they have the same shape).
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

const Dialect& OpenAi() { return *FindAdapter("openai")->dialect; }

DialectContext Context(bool compatible) {
  return {.provider = "p", .model = "text-embedding-3-small", .compatible = compatible};
}

v1::EmbedRequest Texts(int count) {
  v1::EmbedRequest request;
  for (int i = 0; i < count; ++i) request.add_inputs()->set_text("a \"quoted\" text");
  return request;
}

TEST(EmbedRequest, IsWrittenForOpenAi) {
  v1::EmbedRequest request = Texts(1);
  request.set_dimensions(256);
  request.mutable_context()->set_end_user("u1");
  auto encoded = OpenAi().EncodeEmbed(request, Context(false), {0, 1});
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.url, "/embeddings");
  EXPECT_EQ(encoded->http.body,
            R"({"model":"text-embedding-3-small","input":["a \"quoted\" text"],)"
            R"("encoding_format":"base64","dimensions":256,"user":"u1"})");
  EXPECT_TRUE(encoded->warnings.empty());
}

TEST(EmbedRequest, OfACompatibleServerHoldsNothingItMayNotKnow) {
  v1::EmbedRequest request = Texts(1);
  request.set_task("document");
  request.mutable_context()->set_end_user("u1");
  auto encoded = OpenAi().EncodeEmbed(request, Context(true), {0, 1});
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.body,
            R"({"model":"text-embedding-3-small","input":["a \"quoted\" text"]})");
  ASSERT_EQ(encoded->warnings.size(), 2u);
  EXPECT_EQ(encoded->warnings[0].field(), "context.end_user");
  EXPECT_EQ(encoded->warnings[1].field(), "task");
}

TEST(EmbedRequest, MistralHasOtherTypesThanFloat) {
  DialectContext context = Context(true);
  context.preset = "mistral";
  v1::EmbedRequest request = Texts(1);
  request.set_element_type("ubinary");
  request.set_dimensions(256);
  auto encoded = OpenAi().EncodeEmbed(request, context, {0, 1});
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_EQ(encoded->http.body,
            R"({"model":"text-embedding-3-small","input":["a \"quoted\" text"],)"
            R"("output_dimension":256,"output_dtype":"ubinary"})");
  v1::EmbedResponse response;
  const auto decode = [&](const std::string& vector) {
    response.Clear();
    return OpenAi().DecodeEmbed(context, {0, 1},
                                absl::StrCat(R"({"data":[{"index":0,"embedding":)", vector, "}]}"),
                                &response);
  };
  ASSERT_TRUE(decode("[0,255,17]").ok());
  EXPECT_EQ(response.embeddings(0).packed(), std::string("\0\xff\x11", 3));
  ASSERT_TRUE(decode("[-128,127]").ok());
  EXPECT_EQ(response.embeddings(0).packed(), "\x80\x7f");
  ASSERT_TRUE(decode("[0.5,1.0]").ok());
  EXPECT_THAT(response.embeddings(0).values(), ElementsAre(0.5F, 1.0F));
  EXPECT_FALSE(decode("[256]").ok());
  EXPECT_FALSE(decode("[]").ok());
  // Elsewhere whole numbers are floats, and no other type can be asked for.
  response.Clear();
  ASSERT_TRUE(
      OpenAi()
          .DecodeEmbed(Context(true), {0, 1}, R"({"data":[{"embedding":[1,2]}]})", &response)
          .ok());
  EXPECT_EQ(response.embeddings_size(), 1);
  EXPECT_EQ(DetailOf(OpenAi().CutEmbed(request, Context(true)).status()).field(), "element_type");
}

TEST(EmbedRequest, OptionsAreMergedAndReplaceNothing) {
  v1::EmbedRequest request = Texts(1);
  auto& options = (*request.mutable_provider_options())["openai"];
  (*options.mutable_fields())["priority"].set_number_value(3);
  auto encoded = OpenAi().EncodeEmbed(request, Context(true), {0, 1});
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_THAT(encoded->http.body, testing::HasSubstr(R"("priority":3)"));
  (*options.mutable_fields())["model"].set_string_value("other");
  encoded = OpenAi().EncodeEmbed(request, Context(true), {0, 1});
  EXPECT_EQ(DetailOf(encoded.status()).field(), "provider_options[\"openai\"].model");
}

TEST(EmbedRequest, TextsAndTokenListsAreCutApart) {
  v1::EmbedRequest request = Texts(2);
  request.add_inputs()->add_token_ids(7);
  request.mutable_inputs(2)->add_token_ids(9);
  request.add_inputs()->set_text("end");
  auto batches = OpenAi().CutEmbed(request, Context(false));
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 3u);
  EXPECT_EQ((*batches)[1].first, 2);
  EXPECT_EQ((*batches)[1].count, 1);
  auto encoded = OpenAi().EncodeEmbed(request, Context(false), (*batches)[1]);
  EXPECT_THAT(encoded->http.body, testing::HasSubstr(R"("input":[[7,9]])"));
  EXPECT_EQ(OpenAi().CutEmbed(Texts(2049), Context(false))->size(), 2u);
  EXPECT_EQ(OpenAi().CutEmbed(Texts(257), Context(true))->size(), 2u);
}

TEST(EmbedRequest, NoRequestHasMoreTokensThanOpenAiTakes) {
  v1::EmbedRequest request;
  for (int i = 0; i < 80; ++i) request.add_inputs()->set_text(std::string(16000, 'x'));
  for (int i = 0; i < 40; ++i) {
    auto* ids = request.add_inputs()->mutable_token_ids();
    for (int k = 0; k < 8000; ++k) ids->Add(k);
  }
  auto batches = OpenAi().CutEmbed(request, Context(false));
  ASSERT_TRUE(batches.ok()) << batches.status();
  std::vector<int> counts;
  for (const EmbedBatch& batch : *batches) counts.push_back(batch.count);
  EXPECT_THAT(counts, ElementsAre(37, 37, 6, 37, 3));
  // Of a server that is not OpenAI's the limit is not known.
  request.mutable_inputs()->DeleteSubrange(80, 40);
  EXPECT_EQ(OpenAi().CutEmbed(request, Context(true))->size(), 1u);
}

TEST(EmbedAnswer, Base64IsLittleEndianFloats) {
  v1::EmbedResponse response;
  const absl::Status status = OpenAi().DecodeEmbed(
      Context(false), {0, 1}, R"({"data":[{"embedding":"AACAPwAAAMAAAAA/"}]})", &response);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(response.embeddings(0).values(), ElementsAre(1.0F, -2.0F, 0.5F));
  EXPECT_EQ(response.model(), "text-embedding-3-small");
}

TEST(EmbedAnswer, IndexesAreAllThereOnceOrNotAtAll) {
  const auto decode = [](absl::string_view data, int count) {
    v1::EmbedResponse response;
    return OpenAi().DecodeEmbed(Context(true), {0, count}, absl::StrCat("{\"data\":", data, "}"),
                                &response);
  };
  EXPECT_TRUE(decode(R"([{"embedding":[1]},{"embedding":[2]}])", 2).ok());
  EXPECT_TRUE(decode(R"([{"index":1,"embedding":[1]},{"index":0,"embedding":[2]}])", 2).ok());
  for (const char* broken : {
           R"([{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}])",
           R"([{"index":0,"embedding":[1]},{"embedding":[2]}])",
           R"([{"index":0,"embedding":[1]},{"index":2,"embedding":[2]}])",
           R"([{"index":-1,"embedding":[1]},{"index":1,"embedding":[2]}])",
           R"([{"embedding":[1]}])",
           R"([{"embedding":[]},{"embedding":[2]}])",
           R"([{"embedding":["x"]},{"embedding":[2]}])",
           R"([{"embedding":"AAA"},{"embedding":[2]}])",
           R"("none")",
       }) {
    EXPECT_EQ(ClassOf(decode(broken, 2)), ErrorClass::kMalformed) << broken;
  }
}

TEST(EmbedAnswer, AValueThatIsNoNumberIsBroken) {
  for (const char* vector : {
           R"("AADAfw==")",      // NaN
           R"("AACAPwAAgH8=")",  // 1 and infinity
           "[1,1e39]",
           "[-1e39]",
       }) {
    v1::EmbedResponse response;
    const absl::Status status =
        OpenAi().DecodeEmbed(Context(false), {0, 1},
                             absl::StrCat(R"({"data":[{"embedding":)", vector, "}]}"), &response);
    EXPECT_EQ(ClassOf(status), ErrorClass::kMalformed) << vector;
    EXPECT_TRUE(response.embeddings().empty()) << vector;
  }
}

TEST(EmbedAnswer, AnErrorInA200IsAnError) {
  v1::EmbedResponse response;
  const absl::Status status = OpenAi().DecodeEmbed(
      Context(true), {0, 1}, R"({"error":{"message":"slow down","code":429}})", &response);
  EXPECT_EQ(ClassOf(status), ErrorClass::kRate) << status;
}

// Decodes one recording and compares it with its expect.json.
void ExpectRecording(const std::string& dir) {
  SCOPED_TRACE(dir);
  const JsonDocument meta = ReadJsonFile(dir + "/meta.json");
  const JsonDocument expect = ReadJsonFile(dir + "/expect.json");
  const std::string body = ReadFile(dir + "/" + std::string(StringMember(meta, "response_file")));
  if (StringMember(expect, "kind") == "error") {
    const HttpHead head{Member(expect, "http")->GetInt(), {{"content-type", "application/json"}}};
    const absl::Status status = OpenAi().DecodeError(Context(false), head, body, absl::Now());
    EXPECT_EQ(DetailOf(status).kind(), v1::ERROR_KIND_INVALID_REQUEST) << status;
    return;
  }
  const int count = Member(expect, "count")->GetInt();
  v1::EmbedResponse response;
  const absl::Status status = OpenAi().DecodeEmbed(Context(false), {0, count}, body, &response);
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

TEST(EmbedRecordings, AllAnswers) {
  if (FixturesDir().empty()) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "the recordings are absent";
    GTEST_SKIP() << "the recordings are absent";
  }
  int found = 0;
  for (const auto& provider : std::filesystem::directory_iterator(FixturesDir())) {
    if (!provider.is_directory()) continue;
    for (const auto& entry : std::filesystem::directory_iterator(provider.path())) {
      const std::string dir = entry.path().string();
      if (!std::filesystem::exists(dir + "/meta.json")) continue;
      if (StringMember(ReadJsonFile(dir + "/meta.json"), "api") != "oai-embed") continue;
      ++found;
      ExpectRecording(dir);
    }
  }
  std::printf("cases found %d, run %d, skipped 0\n", found, found);
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace mg
