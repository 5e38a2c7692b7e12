// Embeddings by InvokeModel, whose body is each model's own (spec/providers.md §5.8, §10.1). Pure
// functions.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "adapters/dialect.h"

namespace mg {

// Is it one of the models whose embeddings can be asked for?
bool IsBedrockEmbedModel(absl::string_view model);

absl::StatusOr<std::vector<EmbedBatch>> CutBedrockEmbed(const v1::EmbedRequest& request,
                                                        const DialectContext& context);
// The body alone.
absl::StatusOr<EncodedRequest> EncodeBedrockEmbed(const v1::EmbedRequest& request,
                                                  const DialectContext& context, EmbedBatch batch);
absl::Status DecodeBedrockEmbed(const DialectContext& context, EmbedBatch batch,
                                absl::string_view body, v1::EmbedResponse* response);
void AddBedrockEmbedUsage(const DialectContext& context, const HttpHead& head,
                          absl::string_view body, v1::EmbedResponse* response);

}  // namespace mg
