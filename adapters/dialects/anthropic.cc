#include "adapters/dialects/anthropic.h"

#include "absl/strings/str_cat.h"
#include "adapters/dialects/anthropic_answer.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/dialects/anthropic_options.h"
#include "adapters/dialects/anthropic_schema.h"
#include "adapters/json_text.h"
#include "adapters/provider_count.h"
#include "adapters/provider_errors.h"
#include "base/utf8.h"

namespace mg {
namespace {

absl::Status NoEmbeddings() {
  return MakeError(ErrorClass::kUnsupportedMethod, "Anthropic has no embeddings");
}

absl::StatusOr<EncodedRequest> Encode(AnthropicEncoding* encoding) {
  std::string& body = encoding->body;
  body.append("{\"model\":");
  AppendJsonString(encoding->context.model, &body);
  for (auto* encode : {EncodeAnthropicTools, EncodeAnthropicThinking, EncodeAnthropicMessages,
                       EncodeAnthropicSettings}) {
    if (auto status = encode(encoding); !status.ok()) return status;
  }
  body.push_back('}');
  EncodedRequest encoded;
  if (auto status = MergeAnthropicOptions(encoding, &encoded.http); !status.ok()) return status;
  encoded.http.url = encoding->counting ? "/v1/messages/count_tokens" : "/v1/messages";
  encoded.http.body = std::move(body);
  encoded.warnings = encoding->notes.TakeWarnings();
  return encoded;
}

AnthropicEncoding NewEncoding(const v1::ChatRequest& request, const DialectContext& context,
                              bool counting, bool stream) {
  return {request,  context, AnthropicRulesFor(context),
          counting, stream,  EncodeNotes(context.refuse_unsupported)};
}

}  // namespace

absl::string_view AnthropicDialect::name() const { return kAnthropicDialect; }

absl::StatusOr<EncodedRequest> AnthropicDialect::EncodeChat(const v1::ChatRequest& request,
                                                            const DialectContext& context,
                                                            bool stream) const {
  if (request.has_legacy_prompt()) {
    return Unsupported("legacy_prompt", "not in this version; send messages");
  }
  AnthropicEncoding encoding = NewEncoding(request, context, false, stream);
  return Encode(&encoding);
}

absl::StatusOr<EncodedRequest> AnthropicDialect::EncodeCount(const v1::CountTokensRequest& request,
                                                             const DialectContext& context) const {
  if (!request.has_text()) {
    AnthropicEncoding encoding = NewEncoding(request.chat(), context, true, false);
    return Encode(&encoding);
  }
  if (IsBlank(request.text())) return Unsupported("text", "Anthropic counts no blank text");
  v1::ChatRequest chat;
  v1::Message* message = chat.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(request.text());
  AnthropicEncoding encoding = NewEncoding(chat, context, true, false);
  return Encode(&encoding);
}

// The vendor calls its number an estimate.
absl::Status AnthropicDialect::DecodeCount(const DialectContext& context, absl::string_view body,
                                           v1::CountTokensResponse* response) const {
  return ReadEstimatedCount(context, body, "input_tokens", "anthropic count_tokens", response);
}

// A model that thinks refuses the tool, and is asked in words.
SchemaMeans AnthropicDialect::SchemaMeansOf(const v1::ChatRequest&, const AnswerSchema& schema,
                                            const DialectContext& context) const {
  const bool native = AnthropicRulesFor(context).json_schema && IsAnthropicSchema(schema);
  return native ? SchemaMeans::kNative : SchemaMeans::kForcedTool;
}

absl::StatusOr<std::unique_ptr<Decoder>> AnthropicDialect::NewChatDecoder(
    const v1::ChatRequest&, const DialectContext& context, const HttpHead& head) const {
  return NewFramedDecoder(std::make_unique<AnthropicAnswer>(context), context, head);
}

absl::Status AnthropicDialect::DecodeError(const DialectContext& context, const HttpHead& head,
                                           absl::string_view body, absl::Time wall_now) const {
  return ProviderHttpError(context, head, body, wall_now, nullptr);
}

absl::StatusOr<std::vector<EmbedBatch>> AnthropicDialect::CutEmbed(const v1::EmbedRequest&,
                                                                   const DialectContext&) const {
  return NoEmbeddings();
}

absl::StatusOr<EncodedRequest> AnthropicDialect::EncodeEmbed(const v1::EmbedRequest&,
                                                             const DialectContext&,
                                                             EmbedBatch) const {
  return NoEmbeddings();
}

absl::Status AnthropicDialect::DecodeEmbed(const DialectContext&, EmbedBatch, absl::string_view,
                                           v1::EmbedResponse*) const {
  return NoEmbeddings();
}

std::vector<absl::string_view> AnthropicDialect::Capabilities(const DialectContext& context) const {
  const AnthropicModelRules rules = AnthropicRulesFor(context);
  std::vector<absl::string_view> words = {"chat",           "stream", "count_tokens", "tools",
                                          "parallel_tools", "image",  "document"};
  words.emplace_back("json_schema");  // where the model has it not, ChatCodec brings it
  if (rules.thinking != AnthropicModelRules::Thinking::kNone) words.emplace_back("reasoning");
  return words;
}

std::string AnthropicDialect::ProviderRequestId(const HttpHead& head) const {
  return std::string(CutUtf8(WithValidUtf8(FindHeader(head.headers, "request-id")), 256));
}

}  // namespace mg
