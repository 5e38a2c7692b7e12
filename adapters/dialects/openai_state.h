// ProviderState of this dialect: what an answer must give back on the next turn, written as a small
// JSON object. The caller holds it, so it is read as untrusted: each member fills its own slot of
// the body and no other. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "adapters/dialect.h"

namespace mg {

struct OpenAiState {
  std::string reasoning_key;          // under which the reasoning's text came: "reasoning_content"
  std::string reasoning_details;      // OpenRouter's, a JSON array
  std::string extra_content;          // of a tool call (Google's thought signature), a JSON object
  std::string message_extra_content;  // of the message
  std::string audio_id;               // of an audio answer
  bool custom_tool = false;           // the call is one to a tool of type custom

  bool empty() const {
    return reasoning_key.empty() && reasoning_details.empty() && extra_content.empty() &&
           message_extra_content.empty() && audio_id.empty() && !custom_tool;
  }
};

// The names under which servers send the text of reasoning, the most frequent first.
inline constexpr absl::string_view kReasoningKeys[] = {"reasoning_content", "reasoning",
                                                       "reasoning_text", "thinking"};

// As a reasoning_key: the text came as blocks of type "thinking" in the content (Mistral).
inline constexpr absl::string_view kThinkingInContent = "content";

void WriteOpenAiState(const OpenAiState& state, const DialectContext& context,
                      v1::ProviderState* out);

// nullopt: of another origin (neither this provider's nor this model's), or not as WriteOpenAiState
// writes it.
std::optional<OpenAiState> ReadOpenAiState(const v1::ProviderState& state,
                                           const DialectContext& context);

}  // namespace mg
