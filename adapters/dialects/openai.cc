#include "adapters/dialects/openai.h"

#include <algorithm>

#include "adapters/dialects/openai_answer.h"
#include "adapters/dialects/openai_count.h"
#include "adapters/dialects/openai_embed.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/json_text.h"
#include "adapters/provider_options.h"
#include "base/utf8.h"

namespace mg {
namespace {

// Room for the body, so that a long prompt is not moved again and again.
size_t ExpectedBytes(const v1::ChatRequest& request) {
  size_t bytes = 1024;
  for (const v1::Message& message : request.messages()) {
    for (const v1::Part& part : message.parts()) {
      bytes += 64 + part.text().size() + part.text().size() / 16 +
               (part.image().data().size() + part.audio().data().size() +
                part.document().data().size()) *
                   4 / 3;
    }
  }
  return bytes;
}

}  // namespace

absl::string_view OpenAiDialect::name() const { return kOpenAiDialect; }

absl::StatusOr<EncodedRequest> OpenAiDialect::EncodeChat(const v1::ChatRequest& request,
                                                         const DialectContext& context,
                                                         bool stream) const {
  if (request.has_legacy_prompt()) {
    return Unsupported("legacy_prompt", "not in this version; send messages");
  }
  OpenAiEncoding encoding = {request,
                             context,
                             OpenAiRulesFor(context),
                             OpenAiProfileFor(context),
                             stream,
                             EncodeNotes(context.refuse_unsupported)};
  if (!encoding.rules.responses_only.empty()) {
    return Unsupported("model", encoding.rules.responses_only);
  }
  std::string& body = encoding.body;
  body.reserve(ExpectedBytes(request));
  body.append("{\"model\":");
  AppendJsonString(SentModel(context), &body);
  body.push_back(',');
  for (auto* encode :
       {EncodeOpenAiMessages, EncodeOpenAiTools, EncodeOpenAiFormat, EncodeOpenAiSettings}) {
    if (auto status = encode(&encoding); !status.ok()) return status;
  }
  body.push_back('}');
  if (auto status = MergeOptions(request.provider_options(), context.provider, kOpenAiDialect,
                                 "provider_options", {"model", "messages", "stream"}, &body);
      !status.ok()) {
    return status;
  }
  EncodedRequest encoded;
  encoded.http.url = "/chat/completions";
  encoded.http.body = std::move(body);
  encoded.warnings = encoding.notes.TakeWarnings();
  return encoded;
}

SchemaMeans OpenAiDialect::SchemaMeansOf(const v1::ChatRequest& request, const AnswerSchema&,
                                         const DialectContext& context) const {
  const OpenAiProfile::Schema schema = OpenAiProfileFor(context).schema;
  const bool functions = std::any_of(request.tools().begin(), request.tools().end(),
                                     [](const v1::Tool& tool) { return tool.hosted().empty(); });
  if (functions && schema == OpenAiProfile::Schema::kWithoutTools) return SchemaMeans::kForcedTool;
  const bool native =
      OpenAiRulesFor(context).json_schema && schema != OpenAiProfile::Schema::kNever;
  return native ? SchemaMeans::kNative : SchemaMeans::kOwnWords;
}

absl::StatusOr<std::unique_ptr<Decoder>> OpenAiDialect::NewChatDecoder(
    const v1::ChatRequest& request, const DialectContext& context, const HttpHead& head) const {
  return NewFramedDecoder(std::make_unique<OpenAiAnswer>(request, context), context, head);
}

absl::Status OpenAiDialect::DecodeError(const DialectContext& context, const HttpHead& head,
                                        absl::string_view body, absl::Time wall_now) const {
  return OpenAiHttpError(context, head, body, wall_now);
}

absl::StatusOr<std::vector<EmbedBatch>> OpenAiDialect::CutEmbed(
    const v1::EmbedRequest& request, const DialectContext& context) const {
  return CutOpenAiEmbed(request, context);
}

absl::StatusOr<EncodedRequest> OpenAiDialect::EncodeEmbed(const v1::EmbedRequest& request,
                                                          const DialectContext& context,
                                                          EmbedBatch batch) const {
  return EncodeOpenAiEmbed(request, context, batch);
}

absl::Status OpenAiDialect::DecodeEmbed(const DialectContext& context, EmbedBatch batch,
                                        absl::string_view body, v1::EmbedResponse* response) const {
  return DecodeOpenAiEmbed(context, batch, body, response);
}

// Of a model that is not known everything the dialect can write is said: only the provider knows.
std::vector<absl::string_view> OpenAiDialect::Capabilities(const DialectContext& context) const {
  const OpenAiProfile profile = OpenAiProfileFor(context);
  std::vector<absl::string_view> words = {"chat",        "stream", "tools",    "parallel_tools",
                                          "json_object", "image",  "document", "reasoning"};
  if (profile.embed_batch > 0) words.emplace_back("embed");
  if (!profile.count_chat.empty()) words.emplace_back("count_tokens");
  if (profile.schema != OpenAiProfile::Schema::kNever) words.emplace_back("json_schema");
  if (profile.audio != OpenAiProfile::Audio::kNever) words.emplace_back("audio");
  if (profile.logprobs != OpenAiProfile::Logprobs::kNever) words.emplace_back("logprobs");
  if (profile.choices) words.emplace_back("choices");
  return words;
}

absl::StatusOr<EncodedRequest> OpenAiDialect::EncodeCount(const v1::CountTokensRequest& request,
                                                          const DialectContext& context) const {
  return EncodeOpenAiCount(request, context);
}

absl::Status OpenAiDialect::DecodeCount(const DialectContext& context, absl::string_view body,
                                        v1::CountTokensResponse* response) const {
  return DecodeOpenAiCount(context, body, response);
}

std::string OpenAiDialect::ProviderRequestId(const HttpHead& head) const {
  for (const char* name : {"x-request-id", "apim-request-id", "mistral-correlation-id", "cf-ray"}) {
    const absl::string_view id = FindHeader(head.headers, name);
    if (!id.empty()) return std::string(CutUtf8(WithValidUtf8(id), 256));
  }
  return "";
}

}  // namespace mg
