// Counts of tokens that OpenAI and the servers that imitate it give themselves
// (spec/providers.md §2.6, §10): the prompt as items of the Responses API for OpenAI and Azure, as
// a chat's body for vLLM and llama.cpp. Pure.
#pragma once

#include "adapters/dialect.h"

namespace mg {

absl::StatusOr<EncodedRequest> EncodeOpenAiCount(const v1::CountTokensRequest& request,
                                                 const DialectContext& context);
absl::Status DecodeOpenAiCount(const DialectContext& context, absl::string_view body,
                               v1::CountTokensResponse* response);

// openai_items.cc: `"input":[…]` and what counts beside it, for the Responses API. What it does not
// count is refused by name.
struct OpenAiEncoding;
absl::Status AppendResponsesPrompt(OpenAiEncoding* encoding);

}  // namespace mg
