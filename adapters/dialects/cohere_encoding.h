// One ChatRequest on its way into Cohere's body: what the pieces of the encoder share. Lives for
// one EncodeChat.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "adapters/encode_notes.h"
#include "adapters/part_place.h"

namespace mg {

inline constexpr absl::string_view kCohereDialect = "cohere";

struct CohereEncoding {
  const v1::ChatRequest& request;
  const DialectContext& context;
  bool stream;
  EncodeNotes notes;
  std::string body = {};
  std::string documents = {};  // of the users' messages, joined by commas: a member of its own
};

// cohere_parts.cc.
bool HasCohereOptions(const v1::Part& part, const DialectContext& context);
// Appends the content block, without a comma, of a text, refusal, image or (within a tool result)
// document; any other kind is refused.
absl::Status AppendCohereBlock(const v1::Part& part, const PartPlace& place,
                               CohereEncoding* encoding);
// Appends {"data":{"text":…,"title":…}}.
absl::Status AppendCohereDocument(const v1::Part& part, const PartPlace& place,
                                  CohereEncoding* encoding);
// Merges the part's options into what stands at the body's end from `start` on.
absl::Status MergeCohereOptions(const v1::Part& part, const PartPlace& place, size_t start,
                                CohereEncoding* encoding);
// Warns of what a part carries besides its kind and this dialect has no place for.
absl::Status DropCohereExtras(const v1::Part& part, const PartPlace& place,
                              CohereEncoding* encoding);

// The steps of the encoder, in this order: a response format cannot stand beside documents.
absl::Status EncodeCohereMessages(CohereEncoding* encoding);  // cohere_messages.cc
absl::Status EncodeCohereTools(CohereEncoding* encoding);     // cohere_tools.cc
absl::Status EncodeCohereSettings(CohereEncoding* encoding);  // cohere_settings.cc

// Must a JSON object be asked for in words, since the API takes no response format beside tools and
// documents?
bool NeedsJsonInstruction(const CohereEncoding& encoding);
// Does the model hold to a JSON Schema? (spec/providers.md §9.1; unknown ones do.)
bool CohereHasJsonSchema(const DialectContext& context);

}  // namespace mg
