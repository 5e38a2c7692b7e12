// Cohere's embeddings (spec/providers.md §7, §10): what is sent and what comes back. Pure.
#pragma once

#include <vector>

#include "adapters/dialect.h"

namespace mg {

absl::StatusOr<std::vector<EmbedBatch>> CutCohereEmbed(const v1::EmbedRequest& request,
                                                       const DialectContext& context);
absl::StatusOr<EncodedRequest> EncodeCohereEmbed(const v1::EmbedRequest& request,
                                                 const DialectContext& context, EmbedBatch batch);
absl::Status DecodeCohereEmbed(const DialectContext& context, EmbedBatch batch,
                               absl::string_view body, v1::EmbedResponse* response);

}  // namespace mg
