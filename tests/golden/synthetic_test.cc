// The constructed vectors beside the recordings: SSE framing, errors within streams, errors as
// answers.
#include <gtest/gtest.h>

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "adapters/sse.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

class Synthetic : public testing::Test {
 protected:
  void SetUp() override {
    if (!FixturesDir().empty()) return;
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && absl::string_view(ci) == "true") << "the vectors are absent";
    GTEST_SKIP() << "SKIPPED: the vectors are absent";
  }
};

using Events = std::vector<std::pair<std::string, std::string>>;

Events Parse(absl::string_view bytes, const std::vector<size_t>& cuts) {
  SseParser parser;
  Events events;
  const auto keep = [&](const SseEvent& event) {
    events.emplace_back(event.name, event.data);
    return absl::OkStatus();
  };
  size_t at = 0;
  for (const size_t cut : cuts) {
    EXPECT_TRUE(parser.Feed(std::string(bytes.substr(at, cut - at)), keep).ok());
    at = cut;
  }
  EXPECT_TRUE(parser.Feed(std::string(bytes.substr(at)), keep).ok());
  EXPECT_TRUE(parser.Finish(keep).ok());
  return events;
}

TEST_F(Synthetic, SseVectorsAtEverySplit) {
  const JsonDocument document = ReadJsonFile(FixturesDir() + "/synthetic/sse-vectors.json");
  const auto vectors = Member(document, "vectors")->GetArray();
  size_t run = 0;
  for (const JsonValue& vector : vectors) {
    SCOPED_TRACE(StringMember(vector, "name"));
    std::string bytes;
    ASSERT_TRUE(absl::Base64Unescape(StringMember(vector, "bytes_base64"), &bytes));
    const JsonValue* lenient = Member(vector, "events_lenient");
    Events expected;
    for (const JsonValue& event : (lenient ? lenient : Member(vector, "events"))->GetArray()) {
      expected.emplace_back(StringMember(event, "event"), StringMember(event, "data"));
    }
    EXPECT_EQ(Parse(bytes, {}), expected);
    for (size_t first = 0; first <= bytes.size(); ++first) {
      for (size_t second = first; second <= bytes.size(); ++second) {
        ASSERT_EQ(Parse(bytes, {first, second}), expected) << first << " " << second;
      }
    }
    ++run;
  }
  EXPECT_EQ(run, 13u);
  std::printf("sse vectors: cases found %u, run %zu, skipped 0\n", vectors.Size(), run);
}

TEST_F(Synthetic, Streams) {
  const JsonDocument document = ReadJsonFile(FixturesDir() + "/synthetic/stream-cases.json");
  size_t run = 0;
  size_t skipped = 0;
  for (const JsonValue& row : Member(document, "cases")->GetArray()) {
    const bool anthropic = StringMember(row, "api") == "anthropic";
    const bool gemini = StringMember(row, "api") == "gemini-stream";
    const bool bedrock = StringMember(row, "api") == "converse-stream";
    if (!anthropic && !gemini && !bedrock && StringMember(row, "api") != "oai-chat") {
      ++skipped;
      continue;
    }
    SCOPED_TRACE(StringMember(row, "file"));
    const std::string body =
        ReadFile(absl::StrCat(FixturesDir(), "/synthetic/", StringMember(row, "file")));
    const DialectContext context = {.provider = anthropic ? "anthropic"
                                                : bedrock ? "bedrock"
                                                : gemini  ? "gemini"
                                                          : "p",
                                    .model = "m",
                                    .compatible = !anthropic && !bedrock && !gemini};
    const HttpHead head =
        HeadOf(bedrock ? "application/vnd.amazon.eventstream" : "text/event-stream");
    const Decoded decoded = Decode(context, head, body);
    // A failure of the provider's own is UNAVAILABLE to the gateway's caller.
    const absl::string_view code = StringMember(row, "grpc");
    EXPECT_EQ(CodeName(decoded.status.code()), code == "INTERNAL" ? "UNAVAILABLE" : code);
    std::string text;
    if (decoded.answer.choices_size() > 0) {
      const v1::Message& message = decoded.answer.choices(0).message();
      if (message.parts_size() > 0) text = message.parts(0).text();
    }
    EXPECT_EQ(text, std::string(StringMember(row, "text_before_error")));
    const std::string finish(StringMember(row, "finish"));
    if (!finish.empty()) {
      EXPECT_EQ(v1::FinishReason_Name(decoded.answer.choices(0).finish().reason()),
                "FINISH_REASON_" + finish);
    }
    if (const JsonValue* again = Member(row, "retryable_before_output"); again != nullptr) {
      EXPECT_EQ(text.empty() && RuleOf(ClassOf(decoded.status)).same != SameCandidate::kNever,
                again->GetBool());
    }
    EXPECT_EQ(DetailOf(decoded.status).provider_message(),
              std::string(StringMember(row, "message")));
    ExpectSameAtEverySplit(context, head, body, decoded);
    ++run;
  }
  EXPECT_EQ(run, 16u);
  std::printf("stream cases: cases found %zu, run %zu, skipped %zu (of other dialects)\n",
              run + skipped, run, skipped);
}

// The kind that the row's gRPC code and reason stand for, by the tables of the provider sheet.
v1::ErrorKind KindOf(int http, const JsonValue& expect, absl::string_view code) {
  if (StringMember(expect, "reason") == "BILLING") return v1::ERROR_KIND_QUOTA;
  const absl::string_view grpc = StringMember(expect, "grpc");
  if (code == "unsupported_country_region_territory") return v1::ERROR_KIND_UNKNOWN_MODEL;
  if (grpc == "UNAUTHENTICATED" || grpc == "PERMISSION_DENIED") return v1::ERROR_KIND_CREDENTIAL;
  if (grpc == "RESOURCE_EXHAUSTED") {
    return http == 400 ? v1::ERROR_KIND_QUOTA : v1::ERROR_KIND_RATE_LIMITED;
  }
  if (grpc == "DEADLINE_EXCEEDED") return v1::ERROR_KIND_TIMEOUT;
  if (grpc == "NOT_FOUND") return v1::ERROR_KIND_UNKNOWN_MODEL;
  if (grpc == "INVALID_ARGUMENT") return v1::ERROR_KIND_INVALID_REQUEST;
  if (grpc == "DEADLINE_EXCEEDED") return v1::ERROR_KIND_TIMEOUT;
  if (http == 503 || http == 529) return v1::ERROR_KIND_OVERLOADED;
  return v1::ERROR_KIND_SERVER_ERROR;
}

TEST_F(Synthetic, ErrorTable) {
  const JsonDocument document = ReadJsonFile(FixturesDir() + "/synthetic/error-table.json");
  const std::vector<std::string> ours = {"openai", "groq",       "mistral", "vllm",
                                         "sglang", "openrouter", "any",     "gemini",
                                         "azure",  "anthropic",  "cohere",  "bedrock"};
  size_t run = 0;
  size_t skipped = 0;
  for (const JsonValue& row : Member(document, "cases")->GetArray()) {
    const std::string provider(StringMember(row, "provider"));
    HttpHead head;
    head.status = Member(row, "http")->GetInt();
    if (std::find(ours.begin(), ours.end(), provider) == ours.end()) {
      ++skipped;
      continue;
    }
    const JsonValue& body = *Member(row, "body");
    const std::string text = body.IsString() ? std::string(StringOf(body)) : ToJsonText(body);
    SCOPED_TRACE(text);
    for (const auto& header : Member(row, "headers")->GetObject()) {
      head.headers.push_back(
          {std::string(StringOf(header.name)), std::string(StringOf(header.value))});
    }
    const JsonValue& expect = *Member(row, "expect");
    const DialectContext context = {
        .provider = provider,
        .model = "m",
        .compatible = provider != "openai" && FindAdapter(provider) == nullptr};
    const absl::Status status =
        AdapterOf(context).dialect->DecodeError(context, head, text, absl::UnixEpoch());
    const v1::ErrorDetail detail = DetailOf(status);
    const JsonValue* error = Member(body, "error");
    const absl::string_view code =
        error == nullptr ? absl::string_view() : StringMember(*error, "code");
    if (head.status == 409) {
      EXPECT_EQ(ClassOf(status), ErrorClass::kConflict);
    } else {
      EXPECT_EQ(KindName(detail.kind()), KindName(KindOf(head.status, expect, code)));
    }
    EXPECT_EQ(RuleOf(ClassOf(status)).same != SameCandidate::kNever,
              Member(expect, "retryable")->GetBool());
    const JsonValue* delay = Member(expect, "retry_after_ms");
    ASSERT_EQ(detail.has_retry_after(), delay != nullptr);
    if (delay != nullptr) {
      EXPECT_EQ(detail.retry_after().seconds() * 1000 + detail.retry_after().nanos() / 1000000,
                delay->GetInt());
    }
    ++run;
  }
  EXPECT_EQ(run, 32u);
  std::printf("error table: cases found %zu, run %zu, skipped %zu (of other dialects)\n",
              run + skipped, run, skipped);
}

}  // namespace
}  // namespace mg
