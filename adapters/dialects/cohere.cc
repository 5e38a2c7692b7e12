#include "adapters/dialects/cohere.h"

#include "absl/strings/str_cat.h"
#include "adapters/answer_pieces.h"
#include "adapters/dialects/cohere_answer.h"
#include "adapters/dialects/cohere_embed.h"
#include "adapters/dialects/cohere_encoding.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"
#include "adapters/provider_options.h"
#include "base/utf8.h"

namespace mg {
namespace {

// Of /v1/tokenize, in characters.
constexpr int64_t kLongestText = 65536;

}  // namespace

absl::string_view CohereDialect::name() const { return kCohereDialect; }

absl::StatusOr<EncodedRequest> CohereDialect::EncodeChat(const v1::ChatRequest& request,
                                                         const DialectContext& context,
                                                         bool stream) const {
  if (request.has_legacy_prompt()) {
    return Unsupported("legacy_prompt", "not in this version; send messages");
  }
  CohereEncoding encoding = {request, context, stream, EncodeNotes(context.refuse_unsupported)};
  std::string& body = encoding.body;
  body.append("{\"model\":");
  AppendJsonString(context.model, &body);
  for (auto* encode : {EncodeCohereMessages, EncodeCohereTools, EncodeCohereSettings}) {
    if (auto status = encode(&encoding); !status.ok()) return status;
  }
  body.push_back('}');
  if (auto status = MergeOptions(request.provider_options(), context.provider, kCohereDialect,
                                 "provider_options", {"model", "messages", "stream"}, &body);
      !status.ok()) {
    return status;
  }
  EncodedRequest encoded;
  encoded.http.url = "/v2/chat";
  encoded.http.body = std::move(body);
  encoded.warnings = encoding.notes.TakeWarnings();
  return encoded;
}

absl::StatusOr<std::unique_ptr<Decoder>> CohereDialect::NewChatDecoder(
    const v1::ChatRequest&, const DialectContext& context, const HttpHead& head) const {
  return NewFramedDecoder(std::make_unique<CohereAnswer>(context), context, head);
}

absl::Status CohereDialect::DecodeError(const DialectContext& context, const HttpHead& head,
                                        absl::string_view body, absl::Time wall_now) const {
  // "invalid token"; elsewhere the number says that a server has no room.
  if (head.status == 498) {
    HttpHead refused = head;
    refused.status = 401;
    absl::Status status = ProviderHttpError(context, refused, body, wall_now, nullptr);
    v1::ErrorDetail detail = DetailOf(status);
    detail.set_http_status(head.status);
    return MakeError(ClassOf(status), std::move(detail), status.message());
  }
  return ProviderHttpError(context, head, body, wall_now, nullptr);
}

absl::StatusOr<std::vector<EmbedBatch>> CohereDialect::CutEmbed(
    const v1::EmbedRequest& request, const DialectContext& context) const {
  return CutCohereEmbed(request, context);
}

absl::StatusOr<EncodedRequest> CohereDialect::EncodeEmbed(const v1::EmbedRequest& request,
                                                          const DialectContext& context,
                                                          EmbedBatch batch) const {
  return EncodeCohereEmbed(request, context, batch);
}

absl::Status CohereDialect::DecodeEmbed(const DialectContext& context, EmbedBatch batch,
                                        absl::string_view body, v1::EmbedResponse* response) const {
  return DecodeCohereEmbed(context, batch, body, response);
}

// The endpoint knows texts and no messages: what a chat puts around them is not published.
absl::StatusOr<EncodedRequest> CohereDialect::EncodeCount(const v1::CountTokensRequest& request,
                                                          const DialectContext& context) const {
  if (!request.has_text()) {
    return Unsupported("chat.messages", "Cohere counts the tokens of a text, and of no messages");
  }
  if (request.text().empty()) return Unsupported("text", "Cohere counts no empty text");
  if (CodePoints(request.text()) > kLongestText) {
    return Unsupported("text", absl::StrCat("Cohere counts ", kLongestText, " characters at most"));
  }
  EncodedRequest encoded;
  encoded.http.url = "/v1/tokenize";
  std::string& body = encoded.http.body;
  body.append("{\"text\":");
  AppendJsonString(request.text(), &body);
  body.append(",\"model\":");
  AppendJsonString(context.model, &body);
  body.push_back('}');
  return encoded;
}

// The model's own tokenizer over a bare text: the number is exact.
absl::Status CohereDialect::DecodeCount(const DialectContext& context, absl::string_view body,
                                        v1::CountTokensResponse* response) const {
  JsonDocument document;
  if (auto status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  const JsonValue* tokens = Member(document, "tokens");
  if (tokens == nullptr || !tokens->IsArray()) return MalformedAnswer(context, "no tokens in it");
  const auto count = static_cast<int32_t>(tokens->Size());
  response->set_tokens(count);
  response->set_accuracy(v1::CountTokensResponse::ACCURACY_EXACT);
  response->set_method("cohere tokenize");
  response->set_lower_bound(count);
  response->set_upper_bound(count);
  return absl::OkStatus();
}

// Of a model that is not known everything the dialect can write is said: only the provider knows.
std::vector<absl::string_view> CohereDialect::Capabilities(const DialectContext& context) const {
  std::vector<absl::string_view> words = {
      "chat",        "stream", "embed",    "count_tokens", "tools",   "parallel_tools",
      "json_object", "image",  "document", "reasoning",    "logprobs"};
  if (CohereHasJsonSchema(context)) words.emplace_back("json_schema");
  return words;
}

std::string CohereDialect::ProviderRequestId(const HttpHead& head) const {
  return std::string(CutUtf8(WithValidUtf8(FindHeader(head.headers, "x-debug-trace-id")), 256));
}

}  // namespace mg
