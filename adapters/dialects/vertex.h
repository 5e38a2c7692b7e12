// Vertex AI: Google's models, and of Anthropic's those named claude-* (spec/providers.md §6.6, §9),
// each in its maker's own dialect. Stateless.
#pragma once

#include "adapters/dialects/anthropic.h"
#include "adapters/dialects/gemini.h"

namespace mg {

// Anthropic's API as Vertex AI serves it: the model is in the path, version and betas in the body.
class VertexClaudeDialect : public AnthropicDialect {
 public:
  absl::StatusOr<EncodedRequest> EncodeChat(const v1::ChatRequest& request,
                                            const DialectContext& context,
                                            bool stream) const override;
  absl::StatusOr<EncodedRequest> EncodeCount(const v1::CountTokensRequest& request,
                                             const DialectContext& context) const override;
};

class VertexDialect : public Dialect {
 public:
  absl::string_view name() const override { return gemini_.name(); }
  absl::StatusOr<EncodedRequest> EncodeChat(const v1::ChatRequest& request,
                                            const DialectContext& context,
                                            bool stream) const override {
    return Of(context).EncodeChat(request, context, stream);
  }
  SchemaMeans SchemaMeansOf(const v1::ChatRequest& request, const AnswerSchema& schema,
                            const DialectContext& context) const override {
    return Of(context).SchemaMeansOf(request, schema, context);
  }
  absl::StatusOr<std::unique_ptr<Decoder>> NewChatDecoder(const v1::ChatRequest& request,
                                                          const DialectContext& context,
                                                          const HttpHead& head) const override {
    return Of(context).NewChatDecoder(request, context, head);
  }
  absl::Status DecodeError(const DialectContext& context, const HttpHead& head,
                           absl::string_view body, absl::Time wall_now) const override {
    return Of(context).DecodeError(context, head, body, wall_now);
  }
  absl::StatusOr<std::vector<EmbedBatch>> CutEmbed(const v1::EmbedRequest& request,
                                                   const DialectContext& context) const override {
    return Of(context).CutEmbed(request, context);
  }
  absl::StatusOr<EncodedRequest> EncodeEmbed(const v1::EmbedRequest& request,
                                             const DialectContext& context,
                                             EmbedBatch batch) const override {
    return Of(context).EncodeEmbed(request, context, batch);
  }
  absl::Status DecodeEmbed(const DialectContext& context, EmbedBatch batch, absl::string_view body,
                           v1::EmbedResponse* response) const override {
    return Of(context).DecodeEmbed(context, batch, body, response);
  }
  absl::StatusOr<EncodedRequest> EncodeCount(const v1::CountTokensRequest& request,
                                             const DialectContext& context) const override {
    return Of(context).EncodeCount(request, context);
  }
  absl::Status DecodeCount(const DialectContext& context, absl::string_view body,
                           v1::CountTokensResponse* response) const override {
    return Of(context).DecodeCount(context, body, response);
  }
  std::vector<absl::string_view> Capabilities(const DialectContext& context) const override {
    return Of(context).Capabilities(context);
  }
  std::string ProviderRequestId(const HttpHead& head) const override;

 private:
  const Dialect& Of(const DialectContext& context) const;

  const GeminiDialect gemini_{true};
  const VertexClaudeDialect claude_;
};

}  // namespace mg
