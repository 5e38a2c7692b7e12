// One ChatRequest on its way into OpenAI's body: what the pieces of the encoder share. Lives for
// one EncodeChat.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "adapters/dialects/openai_models.h"
#include "adapters/dialects/openai_profile.h"
#include "adapters/encode_notes.h"
#include "adapters/part_place.h"

namespace mg {

inline constexpr absl::string_view kOpenAiDialect = "openai";

struct OpenAiEncoding {
  const v1::ChatRequest& request;
  const DialectContext& context;
  OpenAiModelRules rules;  // takes everything where the server is a compatible one
  const OpenAiProfile profile;
  bool stream;
  EncodeNotes notes;
  std::string body = {};
  bool thinking_off = false;       // thinking must be switched off, though nobody asked for it
  bool template_unthinks = false;  // in the template, for a message that goes on
  bool continues = false;          // the last message goes on
};

inline constexpr absl::string_view kNotThisServer = "this server does not take it";

// Appends the mark of a cache breakpoint to the object at the body's end, in the form that this
// candidate takes: it must take one.
absl::Status AppendOpenAiBreakpoint(const v1::CacheBreakpoint& breakpoint, const std::string& field,
                                    OpenAiEncoding* encoding);
// Does it take such marks on content blocks?
bool TakesBreakpoints(const OpenAiEncoding& encoding);

// openai_parts.cc.
// Has the part options for this candidate? Is it more than a plain string can hold?
bool HasPartOptions(const v1::Part& part, const OpenAiEncoding& encoding);
bool NeedsBlock(const v1::Part& part, const OpenAiEncoding& encoding);
// Appends the content block of a text, image, audio, document or refusal; any other kind is
// refused.
absl::Status AppendBlock(const v1::Part& part, const PartPlace& place, OpenAiEncoding* encoding);
// Merges the part's options into what stands at the body's end from `start` on.
absl::Status MergePartOptions(const v1::Part& part, const PartPlace& place, size_t start,
                              OpenAiEncoding* encoding);
// Warns of what a part carries besides its kind and this dialect has no place for.
absl::Status DropExtras(const v1::Part& part, const PartPlace& place, OpenAiEncoding* encoding);
// "cache_breakpoint" for a part that is no content block.
absl::Status DropBreakpoint(const v1::Part& part, const PartPlace& place, OpenAiEncoding* encoding);

// openai_messages.cc: `"messages":[…]`.
absl::Status EncodeOpenAiMessages(OpenAiEncoding* encoding);
// openai_settings.cc: sampling, reasoning, stream and the rest.
absl::Status EncodeOpenAiSettings(OpenAiEncoding* encoding);
// openai_tools.cc: tools, tool_choice, parallel_tool_calls; response_format.
absl::Status EncodeOpenAiTools(OpenAiEncoding* encoding);
absl::Status EncodeOpenAiFormat(OpenAiEncoding* encoding);

// Must the schema be asked for in words, since model or server has no json_schema?
bool NeedsSchemaInstruction(const OpenAiEncoding& encoding);
// Must a JSON object be asked for in words beside its switch, since nothing else speaks of JSON?
bool NeedsJsonWord(const OpenAiEncoding& encoding);

}  // namespace mg
