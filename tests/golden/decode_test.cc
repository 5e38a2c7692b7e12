// Answers and what they are read as: decode/openai, decode/compatible and so on hold bodies (.sse,
// .json, .frames) and beside each the answer in text form, after the error if it ends in one.
// In decode/pairs a stream and a whole answer of one name say the same. Every body is re-fed in two
// pieces.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"
#include "tests/support/frames.h"

namespace mg {
namespace {

DialectContext ContextFor(absl::string_view dir) {
  for (const char* dialect : {"anthropic", "azure", "gemini", "cohere", "bedrock"}) {
    if (absl::StartsWith(dir, dialect)) return {.provider = dialect, .model = "m"};
  }
  return {.provider = "p", .model = "m", .compatible = dir != "openai"};
}

HttpHead HeadFor(absl::string_view path) {
  if (absl::EndsWith(path, ".frames")) return HeadOf("application/vnd.amazon.eventstream");
  return HeadOf(absl::EndsWith(path, ".sse") ? "text/event-stream; charset=utf-8"
                                             : "application/json");
}

std::string Describe(const Decoded& decoded) {
  std::string out;
  if (!decoded.status.ok()) {
    const v1::ErrorDetail detail = DetailOf(decoded.status);
    absl::StrAppend(&out, "# ", RuleOf(ClassOf(decoded.status)).name, " ", KindName(detail.kind()),
                    " http=", detail.http_status(), " code=", detail.provider_code(), "\n# ",
                    decoded.status.message(), "\n");
  }
  absl::StrAppend(&out, ToTextproto(decoded.answer));
  return out;
}

std::string BodyOf(const std::string& path) {
  return absl::EndsWith(path, ".frames") ? FramesOf(ReadFile(path)) : ReadFile(path);
}

std::vector<std::string> Bodies(const std::string& dir) {
  std::vector<std::string> bodies = FilesIn(dir, ".sse");
  for (const char* ending : {".json", ".frames"}) {
    for (std::string& path : FilesIn(dir, ending)) bodies.push_back(std::move(path));
  }
  return bodies;
}

TEST(Decode, Golden) {
  size_t run = 0;
  for (const std::string dir :
       {"openai", "compatible", "azure", "anthropic", "gemini", "cohere", "bedrock"}) {
    for (const std::string& path : Bodies(absl::StrCat(GoldenDir(), "/decode/", dir))) {
      SCOPED_TRACE(path);
      ++run;
      const std::string body = BodyOf(path);
      const Decoded decoded = Decode(ContextFor(dir), HeadFor(path), body);
      ExpectGolden(path.substr(0, path.rfind('.')) + ".textproto", Describe(decoded));
      ExpectSameAtEverySplit(ContextFor(dir), HeadFor(path), body, decoded);
      // Read by sight where the server names no type (what is no JSON at all is a stream then).
      if (absl::EndsWith(path, "not_json.json")) continue;
      EXPECT_EQ(Describe(Decode(ContextFor(dir), HeadOf(""), body)), Describe(decoded));
    }
  }
  EXPECT_GE(run, 95u);
  std::printf("decode: cases found %zu, run %zu, skipped 0\n", run, run);
}

TEST(Decode, StreamAndWholeAnswerSayTheSame) {
  for (const std::string dir :
       {"pairs", "anthropic_pairs", "gemini_pairs", "cohere_pairs", "bedrock_pairs"}) {
    for (const std::string& path : Bodies(absl::StrCat(GoldenDir(), "/decode/", dir))) {
      if (absl::EndsWith(path, ".json")) continue;
      SCOPED_TRACE(path);
      const std::string whole = path.substr(0, path.rfind('.')) + ".json";
      const Decoded streamed = Decode(ContextFor(dir), HeadFor(path), BodyOf(path));
      const Decoded at_once = Decode(ContextFor(dir), HeadFor(whole), ReadFile(whole));
      ASSERT_TRUE(streamed.status.ok()) << streamed.status;
      EXPECT_EQ(ToTextproto(streamed.answer), ToTextproto(at_once.answer));
    }
  }
}

}  // namespace
}  // namespace mg
