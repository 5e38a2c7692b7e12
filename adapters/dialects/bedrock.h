// Amazon Bedrock: chat by Converse and ConverseStream, its count of tokens, and embeddings of
// Titan, Cohere and Nova by InvokeModel. Stateless.
#pragma once

#include "adapters/dialect.h"

namespace mg {

class BedrockDialect : public Dialect {
 public:
  absl::string_view name() const override;
  absl::StatusOr<EncodedRequest> EncodeChat(const v1::ChatRequest& request,
                                            const DialectContext& context,
                                            bool stream) const override;
  SchemaMeans SchemaMeansOf(const v1::ChatRequest& request, const AnswerSchema& schema,
                            const DialectContext& context) const override;
  absl::StatusOr<std::unique_ptr<Decoder>> NewChatDecoder(const v1::ChatRequest& request,
                                                          const DialectContext& context,
                                                          const HttpHead& head) const override;
  absl::Status DecodeError(const DialectContext& context, const HttpHead& head,
                           absl::string_view body, absl::Time wall_now) const override;
  absl::StatusOr<std::vector<EmbedBatch>> CutEmbed(const v1::EmbedRequest& request,
                                                   const DialectContext& context) const override;
  absl::StatusOr<EncodedRequest> EncodeEmbed(const v1::EmbedRequest& request,
                                             const DialectContext& context,
                                             EmbedBatch batch) const override;
  absl::Status DecodeEmbed(const DialectContext& context, EmbedBatch batch, absl::string_view body,
                           v1::EmbedResponse* response) const override;
  void AddEmbedUsage(const DialectContext& context, const HttpHead& head, absl::string_view body,
                     v1::EmbedResponse* response) const override;
  absl::StatusOr<EncodedRequest> EncodeCount(const v1::CountTokensRequest& request,
                                             const DialectContext& context) const override;
  absl::Status DecodeCount(const DialectContext& context, absl::string_view body,
                           v1::CountTokensResponse* response) const override;
  std::vector<absl::string_view> Capabilities(const DialectContext& context) const override;
  std::string ProviderRequestId(const HttpHead& head) const override;
};

}  // namespace mg
