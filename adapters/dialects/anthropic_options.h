// provider_options of a request to Anthropic: what goes into the body, and the betas, which go into
// a header. Pure functions.
#pragma once

#include "adapters/dialects/anthropic_encoding.h"

namespace mg {

// Appends the names of provider_options[KEY].anthropic_beta, a comma between two.
absl::Status ReadAnthropicBetas(const google::protobuf::Value& value, absl::string_view key,
                                std::string* betas);
// Merges the options into the body, which is whole but for them, and the betas into a header of
// `http`. When counting, only what is part of the prompt is merged.
absl::Status MergeAnthropicOptions(AnthropicEncoding* encoding, HttpRequest* http);

}  // namespace mg
