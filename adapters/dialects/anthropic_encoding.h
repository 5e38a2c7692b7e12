// One ChatRequest on its way into Anthropic's body: what the pieces of the encoder share. Lives for
// one EncodeChat or EncodeCount.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "adapters/dialects/anthropic_models.h"
#include "adapters/encode_notes.h"
#include "adapters/part_place.h"

namespace mg {

inline constexpr absl::string_view kAnthropicDialect = "anthropic";

struct AnthropicEncoding {
  const v1::ChatRequest& request;
  const DialectContext& context;
  const AnthropicModelRules rules;
  bool counting;  // for count_tokens, which takes the prompt alone
  bool stream;
  EncodeNotes notes;
  std::string body = {};
  int breakpoints = 0;      // cache_control marks so far
  bool thinks = false;      // the request turns thinking on
  int thinking_budget = 0;  // in tokens; 0: without one
  std::string effort = {};  // of output_config; empty: none is sent
};

// anthropic_blocks.cc.
// Appends the content block, without a comma, of a text, refusal, image or document; any other kind
// is refused.
absl::Status AppendAnthropicBlock(const v1::Part& part, const PartPlace& place,
                                  AnthropicEncoding* encoding);
// Puts the part's cache breakpoint and options into the block that stands at the body's end from
// `start` on.
absl::Status FinishAnthropicBlock(const v1::Part& part, const PartPlace& place, size_t start,
                                  AnthropicEncoding* encoding);
// Puts `"cache_control":…` into the object at the body's end. `field` is the breakpoint's place.
absl::Status AppendCacheControl(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                                AnthropicEncoding* encoding);
bool HasAnthropicOptions(const v1::Part& part, const DialectContext& context);

// Is it a member of tool_use that the gateway itself writes, or no plain name? Both never go
// through a state.
bool IsOwnToolUseMember(absl::string_view name);  // anthropic_messages.cc

// The steps of the encoder, in this order: cache breakpoints are counted, and messages and settings
// depend on whether the model thinks.
absl::Status EncodeAnthropicTools(AnthropicEncoding* encoding);     // anthropic_tools.cc
absl::Status EncodeAnthropicThinking(AnthropicEncoding* encoding);  // anthropic_thinking.cc
absl::Status EncodeAnthropicMessages(AnthropicEncoding* encoding);  // anthropic_messages.cc
absl::Status EncodeAnthropicSettings(AnthropicEncoding* encoding);  // anthropic_settings.cc

}  // namespace mg
