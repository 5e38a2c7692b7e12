// The assistant's messages in Gemini's shape: text and media with their signatures, thoughts, tool
// calls and the provider's own parts, each at its place.
#include "absl/strings/str_cat.h"
#include "adapters/call_arguments.h"
#include "adapters/dialects/gemini_message_writer.h"
#include "adapters/dialects/gemini_state.h"
#include "adapters/json_text.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

// What a model that checks signatures accepts for a call that another one has made.
constexpr absl::string_view kForeignSignature = "skip_thought_signature_validator";
constexpr absl::string_view kNoState =
    "state of another provider or model, or none that this part "
    "can have here";

bool IsBlankSaid(const Part& part) {
  return (part.has_text() && IsBlank(part.text())) ||
         (part.has_refusal() && IsBlank(part.refusal()));
}

}  // namespace

absl::Status GeminiMessageWriter::WriteAssistant(const Message& message, int index) {
  bool any = false;
  for (const Part& part : message.parts())
    any = any || !IsBlankSaid(part) || part.has_provider_state();
  if (!any) {
    return Invalid(absl::StrCat("messages[", index, "]"), "no part that is not blank");
  }
  if (auto status = DropName(message, index); !status.ok()) return status;
  if (auto status = BeginAssistant(); !status.ok()) return status;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    if (auto status = DropExtras(part, {index, i}); !status.ok()) return status;
    if (auto status = WriteAssistantPart(part, {index, i}); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GeminiMessageWriter::BeginAssistant() {
  if (answered_ || !lead_.empty()) {
    if (auto status = EndAssistant(); !status.ok()) return status;
    WriteLead();
  }
  if (any_content_ || !assistant_.empty()) return absl::OkStatus();
  AppendContent("user", "{\"text\":\"(start)\"}");
  return notes_.Emulate("messages",
                        "a conversation begins with the user here: a text (start) of the user is "
                        "put before it");
}

absl::Status GeminiMessageWriter::WriteAssistantPart(const Part& part, const PartPlace& place) {
  switch (part.kind_case()) {
    case Part::kReasoning:
      return WriteReasoning(part, place);
    case Part::kToolCall:
      return WriteToolCall(part, place);
    case Part::kProviderPart:
      return WriteProviderPart(part, place);
    case Part::kToolResult:
      return Invalid(place.Field("tool_result"), "tool results belong into a message of ROLE_TOOL");
    case Part::KIND_NOT_SET:
      return Invalid(place.Field(""), "a part of no kind");
    default:
      return WriteSaid(part, place);
  }
}

// A text without words goes out only with the signature that it carries.
absl::Status GeminiMessageWriter::WriteSaid(const Part& part, const PartPlace& place) {
  std::string signature;
  if (part.has_provider_state()) {
    if (auto state = ReadGeminiState(part.provider_state(), encoding_.context)) {
      signature = std::move(state->signature);
    } else if (auto status = notes_.Drop(place.Field("provider_state"), kNoState); !status.ok()) {
      return status;
    }
  }
  if (IsBlankSaid(part) && signature.empty()) return absl::OkStatus();
  const size_t start = out_.size();
  auto status = AppendGeminiPart(part, place, signature, &encoding_);
  if (status.ok()) Move(start, &assistant_);
  return status;
}

absl::Status GeminiMessageWriter::WriteReasoning(const Part& part, const PartPlace& place) {
  const auto state = part.has_provider_state()
                         ? ReadGeminiState(part.provider_state(), encoding_.context)
                         : std::nullopt;
  if (!state.has_value()) {
    return notes_.Drop(place.Field("reasoning"), "it has no state of this provider or model");
  }
  const size_t start = out_.size();
  out_.append("{\"text\":");
  AppendJsonString(part.reasoning().text(), &out_);
  out_.append(",\"thought\":true");
  auto status = FinishGeminiPart(part, place, start, state->signature, &encoding_);
  if (status.ok()) Move(start, &assistant_);
  return status;
}

absl::Status GeminiMessageWriter::WriteToolCall(const Part& part, const PartPlace& place) {
  const v1::ToolCall& call = part.tool_call();
  if (IsBlank(call.id())) {
    return Invalid(place.Field("tool_call.id"), "empty: the result could not be matched to it");
  }
  if (IsBlank(call.name())) return Invalid(place.Field("tool_call.name"), "empty");
  if (!call_of_id_.insert({call.id(), calls_.size()}).second) {
    return Invalid(place.Field("tool_call.id"), "two calls of this turn have this id");
  }
  GeminiState state;
  if (part.has_provider_state()) {
    if (auto read = ReadGeminiState(part.provider_state(), encoding_.context)) {
      state = *std::move(read);
    } else if (auto status = notes_.Drop(place.Field("provider_state"), kNoState); !status.ok()) {
      return status;
    }
  }
  // Of the calls of one step the first alone has a signature.
  if (state.signature.empty() && calls_.empty() && encoding_.rules.signatures) {
    state.signature = std::string(kForeignSignature);
  }
  calls_.push_back({call.id(), call.name(), state.own_id, place, ""});
  const size_t start = out_.size();
  out_.append("{\"functionCall\":{\"name\":");
  AppendJsonString(call.name(), &out_);
  out_.append(",\"args\":");
  if (!AppendArgumentsObject(call.arguments_json(), &out_)) {
    notes_.Tell("changed", place.Field("tool_call.arguments_json"),
                "no JSON object, and nothing else is taken: it is sent as the member input of one");
  }
  if (state.own_id) {
    out_.append(",\"id\":");
    AppendJsonString(call.id(), &out_);
  }
  out_.push_back('}');
  auto status = FinishGeminiPart(part, place, start, state.signature, &encoding_);
  if (status.ok()) Move(start, &assistant_);
  return status;
}

absl::Status GeminiMessageWriter::WriteProviderPart(const Part& part, const PartPlace& place) {
  if (!IsGeminiOrigin(part.provider_part().origin(), encoding_.context)) {
    return notes_.Drop(place.Field("provider_part"),
                       "a block of another provider, which this one cannot read");
  }
  if (HasGeminiOptions(part, encoding_.context)) {
    return Unsupported(place.Field("provider_options"), "a provider's own block takes no options");
  }
  absl::string_view block;
  bool empty = false;
  if (auto status = CheckJsonObject(part.provider_part().block_json(), &block, &empty);
      !status.ok()) {
    return Invalid(place.Field("provider_part.block_json"), status.message());
  }
  const size_t start = out_.size();
  absl::StrAppend(&out_, block);
  Move(start, &assistant_);
  return absl::OkStatus();
}

}  // namespace mg
