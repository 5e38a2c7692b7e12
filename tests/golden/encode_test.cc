// Requests and the body that each becomes: encode/NAME.textproto (a ChatRequest; "# context:" lines
// say for whom) and encode/NAME.json (the body and the warnings, or the error). Likewise
// encode/anthropic/NAME.*.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/chat_codec.h"
#include "adapters/dialect.h"
#include "adapters/json_text.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

void AppendMember(absl::string_view name, absl::string_view text, std::string* out) {
  if (text.empty()) return;
  if (out->back() != '{') out->push_back(',');
  absl::StrAppend(out, "\"", name, "\":");
  AppendJsonString(text, out);
}

// A member of the body a line, as it was written.
std::string Describe(const EncodedRequest& encoded) {
  std::string out = absl::StrCat("{\"url\":\"", encoded.http.url, "\",\n");
  for (const HttpHeader& header : encoded.http.headers) {
    absl::StrAppend(&out, "\"", header.name, "\":\"", header.value, "\",\n");
  }
  out.append("\"body\":{");
  absl::string_view comma = "";
  ForEachMember(encoded.http.body, [&](absl::string_view name, absl::string_view value) {
    absl::StrAppend(&out, comma, "\n  \"", name, "\":", value);
    comma = ",";
  });
  out.append("\n},\n\"warnings\":[");
  comma = "";
  for (const v1::Warning& warning : encoded.warnings) {
    absl::StrAppend(&out, comma, "\n  {");
    AppendMember("code", warning.code(), &out);
    AppendMember("field", warning.field(), &out);
    AppendMember("message", warning.message(), &out);
    out.push_back('}');
    comma = ",";
  }
  out.append("\n]}\n");
  return out;
}

std::string DescribeError(const absl::Status& status) {
  std::string out = "{\"error\":{";
  AppendMember("kind", KindName(DetailOf(status).kind()), &out);
  AppendMember("field", DetailOf(status).field(), &out);
  AppendMember("message", status.message(), &out);
  out.append("}}\n");
  return out;
}

void RunGolden(const std::string& dir, const DialectContext& by_default, size_t least) {
  const auto paths = FilesIn(GoldenDir() + dir, ".textproto");
  EXPECT_GE(paths.size(), least);
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const std::string text = ReadFile(path);
    DialectContext context = by_default;
    bool count = false;
    bool stream = false;
    for (absl::string_view word : ContextWords(text)) {
      if (word == "compatible") context.compatible = true;
      if (word == "refuse") context.refuse_unsupported = true;
      if (word == "stream") stream = true;
      if (word == "count") count = true;
      if (word == "beta") context.beta = true;
      if (absl::ConsumePrefix(&word, "preset=")) context.preset = std::string(word);
      if (absl::ConsumePrefix(&word, "deployment=")) context.deployment = std::string(word);
      if (absl::ConsumePrefix(&word, "version=")) context.api_version = std::string(word);
      if (absl::ConsumePrefix(&word, "model=")) context.model = std::string(word);
      if (absl::ConsumePrefix(&word, "provider=")) context.provider = std::string(word);
    }
    v1::ChatRequest request;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request));
    const Dialect& dialect = *AdapterOf(context).dialect;
    v1::CountTokensRequest counted;
    *counted.mutable_chat() = request;
    const auto encoded = count ? EncodeCount(dialect, counted, context)
                               : ChatCodec(dialect, request, context, stream).Encode();
    std::string actual;
    if (encoded.ok()) {
      JsonDocument body;
      EXPECT_TRUE(ParseJson(encoded->http.body, &body).ok()) << encoded->http.body;
      actual = Describe(*encoded);
    } else {
      actual = DescribeError(encoded.status());
    }
    ExpectGolden(path.substr(0, path.size() - sizeof("textproto") + 1) + "json", actual);
  }
  std::printf("encode: cases found %zu, run %zu, skipped 0\n", paths.size(), paths.size());
}

TEST(Encode, Golden) { RunGolden("/encode", {.provider = "openai-eu", .model = "gpt-4.1"}, 40); }

TEST(Encode, GoldenAnthropic) {
  RunGolden("/encode/anthropic", {.provider = "anthropic", .model = "claude-sonnet-4-5"}, 60);
}

TEST(Encode, GoldenCohere) {
  RunGolden("/encode/cohere", {.provider = "cohere", .model = "command-a-03-2025"}, 60);
}

TEST(Encode, GoldenGemini) {
  RunGolden("/encode/gemini", {.provider = "gemini", .model = "gemini-2.5-flash"}, 100);
}

TEST(Encode, GoldenBedrock) {
  RunGolden("/encode/bedrock",
            {.provider = "bedrock", .model = "anthropic.claude-sonnet-4-5-20250929-v1:0"}, 170);
}

TEST(Encode, GoldenAzure) {
  RunGolden("/encode/azure", {.provider = "azure", .model = "gpt-4.1"}, 10);
}

TEST(Encode, GoldenPresets) {
  RunGolden("/encode/presets", {.provider = "p", .model = "m", .compatible = true}, 100);
}

}  // namespace
}  // namespace mg
