#include "adapters/dialects/gemini.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_answer.h"
#include "adapters/dialects/gemini_embed.h"
#include "adapters/dialects/gemini_encoding.h"
#include "adapters/dialects/gemini_errors.h"
#include "adapters/dialects/gemini_path.h"
#include "adapters/json_text.h"
#include "adapters/provider_count.h"
#include "adapters/provider_options.h"
#include "base/utf8.h"

namespace mg {
namespace {

// Of the body's members, those that countTokens takes.
constexpr absl::string_view kOfThePrompt[] = {"systemInstruction", "tools", "generationConfig"};

GeminiEncoding NewEncoding(const v1::ChatRequest& request, const DialectContext& context,
                           bool vertex, bool counting) {
  return {request, context,  GeminiRulesFor(context),
          vertex,  counting, EncodeNotes(context.refuse_unsupported)};
}

// The options of which the endpoint takes any: all of a chat, the prompt's of a count.
OptionsMap OptionsOf(const GeminiEncoding& encoding) {
  if (!encoding.counting) return encoding.request.provider_options();
  OptionsMap kept;
  for (const auto& [key, entry] : encoding.request.provider_options()) {
    google::protobuf::Struct& to = kept[key];
    for (absl::string_view name : kOfThePrompt) {
      const auto found = entry.fields().find(std::string(name));
      if (found != entry.fields().end()) (*to.mutable_fields())[found->first] = found->second;
    }
  }
  return kept;
}

absl::Status WriteBody(GeminiEncoding* encoding) {
  std::string& body = encoding->body;
  body = "{";
  for (auto* encode : {EncodeGeminiMessages, EncodeGeminiTools, EncodeGeminiSettings}) {
    if (auto status = encode(encoding); !status.ok()) return status;
  }
  body.push_back('}');
  return MergeOptions(OptionsOf(*encoding), encoding->context.provider, kGeminiDialect,
                      "provider_options", {"contents", "model"}, &body);
}

// AI Studio counts bare contents, or a whole request that names its model.
absl::Status WrapCount(const DialectContext& context, std::string* body) {
  bool bare = true;
  ForEachMember(*body, [&bare](absl::string_view name, absl::string_view) {
    bare = bare && name == "contents";
  });
  if (bare) return absl::OkStatus();
  std::string wrapped = "{\"generateContentRequest\":{\"model\":";
  AppendJsonString(GeminiModelName(context.model), &wrapped);
  absl::StrAppend(&wrapped, ",", absl::string_view(*body).substr(1), "}");
  *body = std::move(wrapped);
  return absl::OkStatus();
}

}  // namespace

absl::string_view GeminiDialect::name() const { return kGeminiDialect; }

absl::StatusOr<EncodedRequest> GeminiDialect::EncodeChat(const v1::ChatRequest& request,
                                                         const DialectContext& context,
                                                         bool stream) const {
  if (request.has_legacy_prompt()) {
    return Unsupported("legacy_prompt", "not in this version; send messages");
  }
  GeminiEncoding encoding = NewEncoding(request, context, vertex_, false);
  if (auto status = WriteBody(&encoding); !status.ok()) return status;
  auto path = GeminiPath(context.model, vertex_,
                         stream ? "streamGenerateContent?alt=sse" : "generateContent");
  if (!path.ok()) return path.status();
  EncodedRequest encoded;
  encoded.http.url = *std::move(path);
  encoded.http.body = std::move(encoding.body);
  encoded.warnings = encoding.notes.TakeWarnings();
  return encoded;
}

// Before Gemini 3 a schema cannot stand beside functions, but can be one of theirs.
SchemaMeans GeminiDialect::SchemaMeansOf(const v1::ChatRequest& request, const AnswerSchema&,
                                         const DialectContext& context) const {
  const GeminiModelRules rules = GeminiRulesFor(context);
  if (!rules.json_mode) return SchemaMeans::kInstruction;
  const bool functions = std::any_of(request.tools().begin(), request.tools().end(),
                                     [](const v1::Tool& tool) { return tool.hosted().empty(); });
  return functions && !rules.json_with_tools ? SchemaMeans::kForcedTool : SchemaMeans::kNative;
}

absl::StatusOr<EncodedRequest> GeminiDialect::EncodeCount(const v1::CountTokensRequest& request,
                                                          const DialectContext& context) const {
  if (request.has_text() && IsBlank(request.text())) {
    return Unsupported("text", "Gemini counts no blank text");
  }
  v1::ChatRequest text;
  if (request.has_text()) {
    v1::Message* message = text.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text(request.text());
  }
  GeminiEncoding encoding =
      NewEncoding(request.has_text() ? text : request.chat(), context, vertex_, true);
  if (auto status = WriteBody(&encoding); !status.ok()) return status;
  if (!vertex_) {
    if (auto status = WrapCount(context, &encoding.body); !status.ok()) return status;
  }
  auto path = GeminiPath(context.model, vertex_, "countTokens");
  if (!path.ok()) return path.status();
  EncodedRequest encoded;
  encoded.http.url = *std::move(path);
  encoded.http.body = std::move(encoding.body);
  encoded.warnings = encoding.notes.TakeWarnings();
  return encoded;
}

// It is not documented to match what is billed.
absl::Status GeminiDialect::DecodeCount(const DialectContext& context, absl::string_view body,
                                        v1::CountTokensResponse* response) const {
  return ReadEstimatedCount(context, body, "totalTokens", "gemini countTokens", response);
}

absl::StatusOr<std::unique_ptr<Decoder>> GeminiDialect::NewChatDecoder(
    const v1::ChatRequest& request, const DialectContext& context, const HttpHead& head) const {
  return NewFramedDecoder(std::make_unique<GeminiAnswer>(request, context), context, head);
}

absl::Status GeminiDialect::DecodeError(const DialectContext& context, const HttpHead& head,
                                        absl::string_view body, absl::Time wall_now) const {
  return GeminiHttpError(context, head, body, wall_now);
}

absl::StatusOr<std::vector<EmbedBatch>> GeminiDialect::CutEmbed(
    const v1::EmbedRequest& request, const DialectContext& context) const {
  return CutGeminiEmbed(request, context, vertex_);
}

absl::StatusOr<EncodedRequest> GeminiDialect::EncodeEmbed(const v1::EmbedRequest& request,
                                                          const DialectContext& context,
                                                          EmbedBatch batch) const {
  return EncodeGeminiEmbed(request, context, batch, vertex_);
}

absl::Status GeminiDialect::DecodeEmbed(const DialectContext& context, EmbedBatch batch,
                                        absl::string_view body, v1::EmbedResponse* response) const {
  return DecodeGeminiEmbed(context, batch, body, response);
}

std::vector<absl::string_view> GeminiDialect::Capabilities(const DialectContext& context) const {
  const GeminiModelRules rules = GeminiRulesFor(context);
  std::vector<absl::string_view> words = {
      "chat",  "stream", "embed", "count_tokens", "tools",    "parallel_tools", "json_object",
      "image", "audio",  "video", "document",     "logprobs", "choices"};
  words.emplace_back("json_schema");  // where the model has it not, ChatCodec brings it
  if (rules.thinking != GeminiModelRules::Thinking::kNone) words.emplace_back("reasoning");
  return words;
}

std::string GeminiDialect::ProviderRequestId(const HttpHead& head) const {
  return std::string(CutUtf8(WithValidUtf8(FindHeader(head.headers, "x-goog-request-id")), 256));
}

}  // namespace mg
