#include "adapters/dialects/openai_count.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"
#include "adapters/provider_errors.h"

namespace mg {
namespace {

OpenAiEncoding NewEncoding(const v1::ChatRequest& request, const DialectContext& context) {
  return {request,
          context,
          OpenAiRulesFor(context),
          OpenAiProfileFor(context),
          false,
          EncodeNotes(context.refuse_unsupported),
          {}};
}

// A bare text: as the server's own tokenizer takes it, or as the only message.
void AppendText(const std::string& text, const OpenAiProfile& profile, std::string* body) {
  if (profile.preset == "llamacpp") {
    body->append(",\"content\":");
  } else {
    body->append(profile.preset == "vllm" ? ",\"prompt\":" : ",\"input\":");
  }
  AppendJsonString(text, body);
  // What the text has, and not what would begin a prompt.
  if (profile.preset == "llamacpp") body->append(",\"add_special\":false");
  if (profile.preset == "vllm") body->append(",\"add_special_tokens\":false");
}

// The chat's own messages and tools.
absl::Status AppendChat(OpenAiEncoding* encoding) {
  encoding->body.push_back(',');
  if (auto status = EncodeOpenAiMessages(encoding); !status.ok()) return status;
  if (encoding->continues) {
    encoding->body.append(",\"continue_final_message\":true,\"add_generation_prompt\":false");
  }
  return EncodeOpenAiTools(encoding);
}

}  // namespace

absl::StatusOr<EncodedRequest> EncodeOpenAiCount(const v1::CountTokensRequest& request,
                                                 const DialectContext& context) {
  OpenAiEncoding encoding = NewEncoding(request.chat(), context);
  const OpenAiProfile& profile = encoding.profile;
  if (profile.count_chat.empty()) {
    return MakeError(ErrorClass::kUnsupportedMethod,
                     absl::StrCat(context.provider, " has no endpoint that counts tokens"));
  }
  std::string& body = encoding.body;
  body.append("{\"model\":");
  AppendJsonString(SentModel(context), &body);
  absl::Status status;
  if (request.has_text()) {
    AppendText(request.text(), profile, &body);
  } else {
    status = context.compatible ? AppendChat(&encoding) : AppendResponsesPrompt(&encoding);
  }
  if (!status.ok()) return status;
  body.push_back('}');
  EncodedRequest encoded;
  encoded.http.url = std::string(request.has_text() ? profile.count_text : profile.count_chat);
  encoded.http.body = std::move(body);
  encoded.warnings = encoding.notes.TakeWarnings();
  return encoded;
}

// {input_tokens}, vLLM's {count}, or llama.cpp's {tokens}: a list.
absl::Status DecodeOpenAiCount(const DialectContext& context, absl::string_view body,
                               v1::CountTokensResponse* response) {
  JsonDocument document;
  if (auto status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  if (const JsonValue* error = Member(document, "error"); error != nullptr) {
    return OpenAiInBandError(context, *error);
  }
  auto tokens = CountMember(document, "input_tokens");
  if (!tokens.has_value()) tokens = CountMember(document, "count");
  const JsonValue* list = Member(document, "tokens");
  if (!tokens.has_value() && list != nullptr && list->IsArray()) {
    tokens = static_cast<int32_t>(list->Size());
  }
  if (!tokens.has_value()) return MalformedAnswer(context, "no count in it");
  response->set_tokens(*tokens);
  response->set_accuracy(v1::CountTokensResponse::ACCURACY_PROVIDER_EXACT);
  response->set_method(context.preset == "vllm"       ? "vllm tokenize"
                       : context.preset == "llamacpp" ? "llamacpp tokenize"
                                                      : "openai input_tokens");
  response->set_lower_bound(*tokens);
  response->set_upper_bound(*tokens);
  return absl::OkStatus();
}

}  // namespace mg
