// What a server that speaks OpenAI's dialect takes of a request, and under which names
// (spec/providers.md §8, §8.1): OpenAI itself, Azure, each preset of openai_compatible, and any
// other server. Beside the names of fields stand the ways in which servers differ. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"

namespace mg {

struct OpenAiProfile {
  enum class Logprobs { kNever, kFlag, kNumber };  // kFlag: logprobs and top_logprobs
  enum class Choice {
    kAll,         // none, auto, required and by name
    kAny,         // "any" instead of "required" (Mistral)
    kNoName,      // an object counts as auto: one tool is shown alone, and required
    kNever,       // no tool_choice at all (Ollama)
    kAllowed,     // kAll, and a list of allowed tools
    kUnthinking,  // kAll; one that forces a call only where the model does not think (DeepSeek)
  };
  enum class Strict { kSent, kNever, kAllOrNone };
  enum class Schema {
    kSent,
    kStrict,        // always with strict: true
    kWithoutTools,  // not beside function tools
    kNever,         // json_object, and the schema in words
  };
  enum class Reasoning {
    kEffort,      // reasoning_effort
    kThinking,    // thinking {type}, and reasoning_effort beside it (DeepSeek)
    kObject,      // reasoning {effort or max_tokens, exclude} (OpenRouter)
    kEffortOrOff  // reasoning_effort, but reasoning {enabled: false} (Together)
  };
  enum class Prefill {
    kInstruction,
    kNative,
    kUnthinking,  // native, with thinking switched off in the template (llama.cpp)
    kPrefix,      // prefix: true on the message
    kContinue     // continue_final_message
  };
  enum class Names { kNever, kTools, kUsers, kUsersAndAssistant, kAll };
  enum class Image { kAll, kDataOnly, kNoGif };  // kNoGif: data only, and no GIF
  enum class Audio { kObject, kText, kNever };

  absl::string_view preset;    // its name in the configuration; empty: none
  absl::string_view base_url;  // empty: must be configured

  bool stream_usage = true;  // stream_options.include_usage
  bool parallel = true;      // parallel_tool_calls
  bool choices = true;       // n
  bool penalties = true;
  bool service_tier = true;
  bool cache_control = false;
  bool reasoning_back = true;      // a model's reasoning goes back under the key it came with
  bool unanswered_calls = true;    // takes history in which calls and results do not match
  bool user_behind_result = true;  // takes a user's message behind a tool's
  bool short_call_ids = false;     // of nine letters and digits
  bool schema_everywhere =
      false;                  // what it passes the request to must know its schema (OpenRouter)
  bool json_word = false;     // wants to be told of JSON in words too
  bool document_url = false;  // documents as {type: document_url}
  int max_stops = 4;          // 0: none
  absl::string_view max_tokens = "max_tokens";
  absl::string_view seed = "seed";  // empty here and below: never sent
  absl::string_view top_k = "";
  absl::string_view end_user = "user";
  absl::string_view budget = "";        // the member for Reasoning.budget_tokens
  absl::string_view include_text = "";  // the member for Reasoning.include_text
  Logprobs logprobs = Logprobs::kFlag;
  Choice choice = Choice::kAll;
  Strict strict = Strict::kSent;
  Schema schema = Schema::kSent;
  Reasoning reasoning = Reasoning::kEffort;
  Prefill prefill = Prefill::kInstruction;
  Names names = Names::kNever;
  Image image = Image::kAll;
  Audio audio = Audio::kObject;

  int embed_batch = 256;  // 0: it has no embeddings
  int embed_total = 0;    // tokens of one request; 0: no limit is known
  absl::string_view dimensions = "dimensions";
  absl::string_view element_type = "";  // the member for EmbedRequest.element_type
  bool embed_base64 = false;
  bool embed_tokens = false;
  absl::string_view embed_user = "";

  // Where a text and a chat are counted, beneath the base URL ("/.." leaves its version); empty:
  // nowhere.
  absl::string_view count_text = "";
  absl::string_view count_chat = "";
};

const OpenAiProfile& OpenAiProfileOf(const DialectContext& context);

// What is left of it for the model at hand, and for the base URL (DeepSeek's /beta).
OpenAiProfile OpenAiProfileFor(const DialectContext& context);

// The word that the server takes for an effort of the contract; the same word: it takes it. Empty:
// this model takes none at all.
std::string PresetEffort(const DialectContext& context, absl::string_view effort);

// DeepSeek's V4, which thinks unless told not to, and wants its reasoning back with every message.
bool IsDeepSeekV4(absl::string_view model);

}  // namespace mg
