// OpenAI's dialect as Azure serves it: the model by its deployment, in the path or, where no
// version is configured, in the body. Stateless.
#pragma once

#include "adapters/dialects/openai.h"

namespace mg {

class AzureOpenAiDialect final : public OpenAiDialect {
 public:
  absl::StatusOr<EncodedRequest> EncodeChat(const v1::ChatRequest& request,
                                            const DialectContext& context,
                                            bool stream) const override;
  absl::StatusOr<EncodedRequest> EncodeEmbed(const v1::EmbedRequest& request,
                                             const DialectContext& context,
                                             EmbedBatch batch) const override;
  absl::StatusOr<EncodedRequest> EncodeCount(const v1::CountTokensRequest& request,
                                             const DialectContext& context) const override;
  std::vector<absl::string_view> Capabilities(const DialectContext& context) const override;
};

}  // namespace mg
