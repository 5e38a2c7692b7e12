#include "tests/golden/strict_faults.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/golden/decode_support.h"
#include "tests/support/strict/strict.h"

namespace mg {

std::optional<std::vector<std::string>> FaultsOf(const DialectContext& context,
                                                 const HttpRequest& http) {
  JsonDocument document;
  EXPECT_TRUE(ParseJson(http.body, &document).ok()) << http.body;
  StrictCase of = {.model = std::string(SentModel(context)), .compatible = context.compatible};
  of.vertex = absl::StartsWith(context.provider, "vertex");
  const JsonValue* body = &document;
  const absl::string_view dialect = AdapterOf(context).dialect->name();
  if (dialect == "bedrock") {
    const JsonValue* input = Member(document, "input");
    if (input != nullptr) body = Member(*input, "converse");
    if (Member(*body, "messages") == nullptr) return std::nullopt;  // texts to embed
    return BedrockFaults(*body, of);
  }
  if (Member(document, "messages") == nullptr && Member(document, "contents") == nullptr &&
      Member(document, "generateContentRequest") == nullptr) {
    return std::nullopt;
  }
  if (dialect == "anthropic" || document.HasMember("anthropic_version")) {
    if (absl::StrContains(http.url, "count")) of.model = absl::StrCat("count:", of.model);
    return AnthropicFaults(*body, of);
  }
  if (dialect == "cohere") return CohereFaults(*body, of);
  if (dialect == "openai") return OpenAiFaults(*body, of);
  const JsonValue* counted = Member(document, "generateContentRequest");
  return GeminiFaults(counted == nullptr ? *body : *counted, of);
}

}  // namespace mg
