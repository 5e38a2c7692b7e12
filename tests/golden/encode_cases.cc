#include "tests/golden/encode_cases.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "adapters/chat_codec.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"

namespace mg {

const std::vector<EncodeSuite>& EncodeSuites() {
  static const auto& suites = *new std::vector<EncodeSuite>{
      {"/encode", {.provider = "openai-eu", .model = "gpt-4.1"}, 40},
      {"/encode/anthropic", {.provider = "anthropic", .model = "claude-sonnet-4-5"}, 60},
      {"/encode/cohere", {.provider = "cohere", .model = "command-a-03-2025"}, 60},
      {"/encode/gemini", {.provider = "gemini", .model = "gemini-2.5-flash"}, 100},
      {"/encode/bedrock",
       {.provider = "bedrock", .model = "anthropic.claude-sonnet-4-5-20250929-v1:0"},
       170},
      {"/encode/azure", {.provider = "azure", .model = "gpt-4.1"}, 10},
      {"/encode/presets", {.provider = "p", .model = "m", .compatible = true}, 100},
  };
  return suites;
}

std::vector<EncodeCase> CasesOf(const EncodeSuite& suite) {
  std::vector<EncodeCase> cases;
  for (const std::string& path : FilesIn(GoldenDir() + suite.dir, ".textproto")) {
    EncodeCase one;
    one.path = path;
    one.context = suite.context;
    const std::string text = ReadFile(path);
    for (const std::string& word : ContextWords(text)) {
      if (ApplyContextWord(word, &one.context)) continue;
      if (word == "stream") one.stream = true;
      if (word == "count") one.count = true;
    }
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &one.request)) << path;
    cases.push_back(std::move(one));
  }
  EXPECT_GE(cases.size(), suite.least);
  return cases;
}

absl::StatusOr<EncodedRequest> Encode(const EncodeCase& one) {
  const Dialect& dialect = *AdapterOf(one.context).dialect;
  if (!one.count) return ChatCodec(dialect, one.request, one.context, one.stream).Encode();
  v1::CountTokensRequest counted;
  *counted.mutable_chat() = one.request;
  return EncodeCount(dialect, counted, one.context);
}

}  // namespace mg
