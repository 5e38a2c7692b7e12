// OpenAI's embeddings (spec/providers.md §2.6, §8): what is sent and what comes back. Pure.
#pragma once

#include <vector>

#include "adapters/dialect.h"

namespace mg {

absl::StatusOr<std::vector<EmbedBatch>> CutOpenAiEmbed(const v1::EmbedRequest& request,
                                                       const DialectContext& context);
absl::StatusOr<EncodedRequest> EncodeOpenAiEmbed(const v1::EmbedRequest& request,
                                                 const DialectContext& context, EmbedBatch batch);
absl::Status DecodeOpenAiEmbed(const DialectContext& context, EmbedBatch batch,
                               absl::string_view body, v1::EmbedResponse* response);

}  // namespace mg
