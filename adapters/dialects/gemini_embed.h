// Google's embeddings (spec/providers.md §6.6, §10.1): three shapes, by platform and model. Pure.
#pragma once

#include <vector>

#include "adapters/dialect.h"

namespace mg {

absl::StatusOr<std::vector<EmbedBatch>> CutGeminiEmbed(const v1::EmbedRequest& request,
                                                       const DialectContext& context, bool vertex);
absl::StatusOr<EncodedRequest> EncodeGeminiEmbed(const v1::EmbedRequest& request,
                                                 const DialectContext& context, EmbedBatch batch,
                                                 bool vertex);
absl::Status DecodeGeminiEmbed(const DialectContext& context, EmbedBatch batch,
                               absl::string_view body, v1::EmbedResponse* response);

}  // namespace mg
