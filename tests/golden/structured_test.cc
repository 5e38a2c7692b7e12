// Answers that were asked for by a schema: structured/NAME.textproto is the request ("# context:"
// says for whom), NAME.sse or NAME.json what the provider answers, NAME.txt what comes of it: the
// answer, or the error with the request that would mend it. Each is re-fed in two pieces.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/chat_codec.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

struct Case {
  v1::ChatRequest request;
  DialectContext context = {.provider = "p", .model = "m"};
  HttpHead head;
  std::string body;
  bool stream = false;
};

Case ReadCase(const std::string& path) {
  Case read;
  const std::string text = ReadFile(path);
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &read.request));
  for (absl::string_view word : ContextWords(text)) {
    if (absl::ConsumePrefix(&word, "model=")) read.context.model = std::string(word);
    if (absl::ConsumePrefix(&word, "provider=")) read.context.provider = std::string(word);
  }
  const std::string stem = path.substr(0, path.size() - sizeof("textproto") + 1);
  read.body = ReadFile(stem + "sse");
  read.stream = !read.body.empty();
  if (!read.stream) read.body = ReadFile(stem + "json");
  EXPECT_FALSE(read.body.empty());
  read.head = HeadOf(read.stream ? "text/event-stream" : "application/json");
  return read;
}

// Answer or error, what may mend it, and how many events it took.
std::string OutcomeOf(const Case& one, const std::vector<size_t>& cuts) {
  ChatCodec codec(*AdapterOf(one.context).dialect, one.request, one.context, one.stream);
  const auto encoded = codec.Encode();
  EXPECT_TRUE(encoded.ok()) << encoded.status();
  auto decoder = codec.NewDecoder(one.head);
  EXPECT_TRUE(decoder.ok());
  if (!encoded.ok() || !decoder.ok()) return "";
  const Decoded decoded = Decode(**decoder, one.body, cuts);
  std::string out;
  for (const v1::Warning& warning : encoded->warnings) {
    absl::StrAppend(&out, "# ", warning.code(), " ", warning.field(), "\n");
  }
  if (decoded.status.ok()) return absl::StrCat(out, ToTextproto(decoded.answer));
  EXPECT_EQ(DetailOf(decoded.status).provider(), one.context.provider);
  absl::StrAppend(&out, "# ", RuleOf(ClassOf(decoded.status)).name, ": ",
                  std::string(decoded.status.message()), "\n", ToTextproto(decoded.answer));
  if (codec.failure().repair == nullptr) return out;
  absl::StrAppend(&out, "# costs ", codec.failure().usage.output_tokens(), "; then:\n");
  for (const v1::Message& message : codec.failure().repair->messages()) {
    absl::StrAppend(&out, ToTextproto(message), "\n");
  }
  return out;
}

TEST(Structured, Golden) {
  const auto paths = FilesIn(GoldenDir() + "/structured", ".textproto");
  EXPECT_GE(paths.size(), 18u);
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const Case one = ReadCase(path);
    const std::string actual = OutcomeOf(one, {});
    ExpectGolden(path.substr(0, path.size() - sizeof("textproto") + 1) + "txt", actual);
    for (const size_t at : SplitPoints(one.body.size()))
      ASSERT_EQ(OutcomeOf(one, {at}), actual) << at;
  }
  std::printf("structured: cases found %zu, run %zu, skipped 0\n", paths.size(), paths.size());
}

// An emulated answer is counted as long as it is kept, and given in pieces that a caller can take.
TEST(Structured, LongAnswersAreCountedAndCut) {
  Case one;
  one.context = {.provider = "anthropic", .model = "claude-3-5-haiku"};
  one.request.add_messages()->set_role(v1::ROLE_USER);
  one.request.mutable_messages(0)->add_parts()->set_text("Hi");
  one.request.mutable_response_format()->mutable_json_schema()->set_schema_json(
      R"({"type":"object","properties":{"a":{"type":"string"}}})");
  ChatCodec codec(*AdapterOf(one.context).dialect, one.request, one.context, true);
  ASSERT_TRUE(codec.Encode().ok());
  auto decoder = codec.NewDecoder(HeadOf("text/event-stream"));
  ASSERT_TRUE(decoder.ok());

  std::vector<v1::ChatEvent> events;
  const auto feed = [&](absl::string_view json) {
    ASSERT_TRUE((*decoder)->Feed(absl::StrCat("data: ", json, "\n\n"), &events).ok());
  };
  feed(R"({"type":"message_start","message":{"id":"m","model":"c","content":[],"usage":{}}})");
  feed(R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t",)"
       R"("name":"json","input":{}}})");
  const auto piece = [&](absl::string_view text) {
    feed(absl::StrCat(
        R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta",)",
        R"("partial_json":")", text, R"("}})"));
  };
  piece(R"({\"a\":\")");
  for (int i = 0; i < 30; ++i) piece(std::string(100'000, 'x'));
  piece(R"(\"})");
  EXPECT_GT((*decoder)->kept_bytes(), 3'000'000u);
  EXPECT_LE(events.size(), 1u);  // Started
  feed(R"({"type":"content_block_stop","index":0})");
  feed(
      R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}})");
  feed(R"({"type":"message_stop"})");
  ASSERT_TRUE((*decoder)->done());
  EXPECT_LT((*decoder)->kept_bytes(), 100'000u);
  size_t bytes = 0;
  for (const v1::ChatEvent& event : events) {
    EXPECT_LE(event.ByteSizeLong(), 1u << 20);
    bytes += event.delta().part().text().size();
  }
  EXPECT_EQ(bytes, 3'000'008u);
}

}  // namespace
}  // namespace mg
