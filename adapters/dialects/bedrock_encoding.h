// One ChatRequest on its way into the body of Converse: what the pieces of the encoder share. Lives
// for one EncodeChat or EncodeCount.
#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "adapters/dialects/bedrock_models.h"
#include "adapters/encode_notes.h"
#include "adapters/part_place.h"

namespace mg {

inline constexpr absl::string_view kBedrockDialect = "bedrock";

struct BedrockEncoding {
  const v1::ChatRequest& request;
  const DialectContext& context;
  const BedrockModelRules rules;
  bool counting;  // for count-tokens, which takes the prompt alone
  bool stream;
  EncodeNotes notes;
  std::string body = "{";
  std::string additional = "{";  // additionalModelRequestFields, but for its end
  std::vector<absl::string_view> instructions = {};  // what is asked for in words
  int breakpoints = 0;                               // cache points so far
  std::set<std::string> document_names = {};
  bool thinks = false;         // the request turns thinking on
  int thinking_budget = 0;     // in tokens; 0: without one
  bool without_limit = false;  // maxTokens cannot stand beside the effort
};

// bedrock_blocks.cc.
// Appends the content block, without a comma, of a text, refusal or medium; any other kind is
// refused.
absl::Status AppendBedrockBlock(const v1::Part& part, const PartPlace& place,
                                BedrockEncoding* encoding);
// Puts the part's options into the block that stands at the body's end from `start` on, and its
// cache point behind it.
absl::Status FinishBedrockBlock(const v1::Part& part, const PartPlace& place, size_t start,
                                BedrockEncoding* encoding);
// Appends `,{"cachePoint":…}`. `field` is the breakpoint's place.
absl::Status AppendCachePoint(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                              BedrockEncoding* encoding);
bool HasBedrockOptions(const v1::Part& part, const DialectContext& context);

// The steps of the encoder, in this order: cache points are counted, instructions stand in the
// system prompt, and settings depend on whether the model thinks.
absl::Status EncodeBedrockTools(BedrockEncoding* encoding);      // bedrock_tools.cc
absl::Status EncodeBedrockReasoning(BedrockEncoding* encoding);  // bedrock_reasoning.cc
absl::Status EncodeBedrockMessages(BedrockEncoding* encoding);   // bedrock_messages.cc
absl::Status EncodeBedrockSettings(BedrockEncoding* encoding);   // bedrock_settings.cc
// Merges provider_options into the body, which is whole but for them. When counting, only what is
// part of the prompt is merged.
absl::Status MergeBedrockOptions(BedrockEncoding* encoding);  // bedrock_settings.cc

}  // namespace mg
