// One ChatRequest on its way into Gemini's body: what the pieces of the encoder share. Lives for
// one EncodeChat or EncodeCount.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "adapters/dialects/gemini_models.h"
#include "adapters/encode_notes.h"
#include "adapters/part_place.h"

namespace mg {

inline constexpr absl::string_view kGeminiDialect = "gemini";

struct GeminiEncoding {
  const v1::ChatRequest& request;
  const DialectContext& context;
  const GeminiModelRules rules;
  bool vertex;    // Vertex AI, not AI Studio
  bool counting;  // for countTokens, which takes the prompt alone
  EncodeNotes notes;
  std::string body = {};  // an object that is not closed yet
};

// gemini_parts.cc.
// Appends the part, without a comma, of a text, refusal or medium; any other kind is refused. An
// empty `signature`: none.
absl::Status AppendGeminiPart(const v1::Part& part, const PartPlace& place,
                              absl::string_view signature, GeminiEncoding* encoding);
// Closes the part that stands open at the body's end from `start` on: its signature, and its
// options.
absl::Status FinishGeminiPart(const v1::Part& part, const PartPlace& place, size_t start,
                              absl::string_view signature, GeminiEncoding* encoding);
bool HasGeminiOptions(const v1::Part& part, const DialectContext& context);

// How a JSON object is asked for where no schema is: by the API's own mode, else in words.
bool GeminiJsonByWords(const GeminiEncoding& encoding);

absl::Status EncodeGeminiMessages(GeminiEncoding* encoding);  // gemini_messages.cc
absl::Status EncodeGeminiTools(GeminiEncoding* encoding);     // gemini_tools.cc
absl::Status EncodeGeminiSettings(GeminiEncoding* encoding);  // gemini_settings.cc
// Appends `"thinkingConfig":…` to the generationConfig `out`; gemini_thinking.cc.
absl::Status AppendGeminiThinking(GeminiEncoding* encoding, std::string* out);

}  // namespace mg
