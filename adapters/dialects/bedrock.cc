#include "adapters/dialects/bedrock.h"

#include "absl/strings/str_cat.h"
#include "adapters/dialects/anthropic_schema.h"
#include "adapters/dialects/bedrock_answer.h"
#include "adapters/dialects/bedrock_embed.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/json_count.h"
#include "adapters/provider_errors.h"
#include "adapters/url_path.h"
#include "base/utf8.h"

namespace mg {
namespace {

absl::Status AppendPath(absl::string_view model, absl::string_view operation, HttpRequest* http) {
  http->url = "/model/";
  // An ARN too is one segment.
  if (auto status = AppendModelPath(model, true, &http->url); !status.ok()) return status;
  absl::StrAppend(&http->url, "/", operation);
  return absl::OkStatus();
}

absl::Status EncodeBody(BedrockEncoding* encoding) {
  for (auto* encode :
       {EncodeBedrockTools, EncodeBedrockReasoning, EncodeBedrockMessages, EncodeBedrockSettings}) {
    if (auto status = encode(encoding); !status.ok()) return status;
  }
  encoding->body.push_back('}');
  return MergeBedrockOptions(encoding);
}

BedrockEncoding NewEncoding(const v1::ChatRequest& request, const DialectContext& context,
                            bool counting, bool stream) {
  return {request,  context, BedrockRulesFor(context),
          counting, stream,  EncodeNotes(context.refuse_unsupported)};
}

absl::StatusOr<EncodedRequest> EncodeCountOf(const v1::ChatRequest& request,
                                             const DialectContext& context) {
  BedrockEncoding encoding = NewEncoding(request, context, true, false);
  if (auto status = EncodeBody(&encoding); !status.ok()) return status;
  EncodedRequest encoded;
  // Profiles are not counted, but the model behind them is.
  auto status = AppendPath(WithoutGeoPrefix(KnownModel(context)), "count-tokens", &encoded.http);
  if (!status.ok()) return status;
  encoded.http.body = absl::StrCat("{\"input\":{\"converse\":", encoding.body, "}}");
  encoded.warnings = encoding.notes.TakeWarnings();
  return encoded;
}

}  // namespace

absl::string_view BedrockDialect::name() const { return kBedrockDialect; }

absl::StatusOr<EncodedRequest> BedrockDialect::EncodeChat(const v1::ChatRequest& request,
                                                          const DialectContext& context,
                                                          bool stream) const {
  if (request.has_legacy_prompt()) {
    return Unsupported("legacy_prompt", "not in this version; send messages");
  }
  BedrockEncoding encoding = NewEncoding(request, context, false, stream);
  if (auto status = EncodeBody(&encoding); !status.ok()) return status;
  EncodedRequest encoded;
  auto status = AppendPath(context.model, stream ? "converse-stream" : "converse", &encoded.http);
  if (!status.ok()) return status;
  encoded.http.body = std::move(encoding.body);
  encoded.warnings = encoding.notes.TakeWarnings();
  return encoded;
}

absl::StatusOr<EncodedRequest> BedrockDialect::EncodeCount(const v1::CountTokensRequest& request,
                                                           const DialectContext& context) const {
  if (!BedrockRulesFor(context).is_claude()) {
    return Unsupported("chat.model", "Bedrock counts tokens for Claude's models alone");
  }
  if (!request.has_text()) return EncodeCountOf(request.chat(), context);
  if (IsBlank(request.text())) return Unsupported("text", "Bedrock counts no blank text");
  v1::ChatRequest chat;
  v1::Message* message = chat.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(request.text());
  return EncodeCountOf(chat, context);
}

absl::Status BedrockDialect::DecodeCount(const DialectContext& context, absl::string_view body,
                                         v1::CountTokensResponse* response) const {
  JsonDocument document;
  if (auto status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  const auto tokens = CountMember(document, "inputTokens");
  if (!tokens.has_value()) return MalformedAnswer(context, "no inputTokens in it");
  response->set_tokens(*tokens);
  response->set_accuracy(v1::CountTokensResponse::ACCURACY_PROVIDER_EXACT);
  response->set_method("bedrock count-tokens");
  response->set_lower_bound(*tokens);
  response->set_upper_bound(*tokens);
  return absl::OkStatus();
}

// Claude takes no more of a schema here than at Anthropic.
SchemaMeans BedrockDialect::SchemaMeansOf(const v1::ChatRequest&, const AnswerSchema& schema,
                                          const DialectContext& context) const {
  const BedrockModelRules rules = BedrockRulesFor(context);
  const bool native = rules.json_schema && (!rules.is_claude() || IsAnthropicSchema(schema));
  return native ? SchemaMeans::kNative : SchemaMeans::kForcedTool;
}

absl::StatusOr<std::unique_ptr<Decoder>> BedrockDialect::NewChatDecoder(
    const v1::ChatRequest&, const DialectContext& context, const HttpHead& head) const {
  return NewFramedDecoder(std::make_unique<BedrockAnswer>(context), context, head);
}

absl::Status BedrockDialect::DecodeError(const DialectContext& context, const HttpHead& head,
                                         absl::string_view body, absl::Time wall_now) const {
  return ProviderHttpError(context, head, body, wall_now, nullptr);
}

absl::StatusOr<std::vector<EmbedBatch>> BedrockDialect::CutEmbed(
    const v1::EmbedRequest& request, const DialectContext& context) const {
  return CutBedrockEmbed(request, context);
}

absl::StatusOr<EncodedRequest> BedrockDialect::EncodeEmbed(const v1::EmbedRequest& request,
                                                           const DialectContext& context,
                                                           EmbedBatch batch) const {
  auto encoded = EncodeBedrockEmbed(request, context, batch);
  if (!encoded.ok()) return encoded;
  if (auto status = AppendPath(context.model, "invoke", &encoded->http); !status.ok()) {
    return status;
  }
  encoded->http.headers.push_back({"Accept", "application/json"});
  return encoded;
}

absl::Status BedrockDialect::DecodeEmbed(const DialectContext& context, EmbedBatch batch,
                                         absl::string_view body,
                                         v1::EmbedResponse* response) const {
  return DecodeBedrockEmbed(context, batch, body, response);
}

void BedrockDialect::AddEmbedUsage(const DialectContext& context, const HttpHead& head,
                                   absl::string_view body, v1::EmbedResponse* response) const {
  AddBedrockEmbedUsage(context, head, body, response);
}

std::vector<absl::string_view> BedrockDialect::Capabilities(const DialectContext& context) const {
  if (IsBedrockEmbedModel(KnownModel(context))) return {"embed"};
  const BedrockModelRules rules = BedrockRulesFor(context);
  std::vector<absl::string_view> words = {"chat", "stream", "image", "document"};
  if (!rules.is_claude()) words.insert(words.end(), {"audio", "video"});
  if (rules.is_claude()) words.emplace_back("count_tokens");
  if (rules.tools) words.insert(words.end(), {"tools", "parallel_tools"});
  if (rules.json_schema) words.emplace_back("json_schema");
  if (rules.reasons()) words.emplace_back("reasoning");
  return words;
}

std::string BedrockDialect::ProviderRequestId(const HttpHead& head) const {
  return std::string(CutUtf8(WithValidUtf8(FindHeader(head.headers, "x-amzn-requestid")), 256));
}

}  // namespace mg
