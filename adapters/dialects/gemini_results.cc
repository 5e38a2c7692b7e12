// Tool results in Gemini's shape: a functionResponse for each call, by its name.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_message_writer.h"
#include "adapters/json_text.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsMedia(const Part& part) {
  return part.has_image() || part.has_audio() || part.has_video() || part.has_document();
}

// `response` takes an object and nothing else: a text that is one, or the texts as a member.
void AppendResponse(const v1::ToolResult& result, std::string* out) {
  std::string joined;
  int texts = 0;
  for (const Part& part : result.parts()) {
    if (!part.has_text() || IsBlank(part.text())) continue;
    absl::StrAppend(&joined, texts++ > 0 ? "\n" : "", part.text());
  }
  absl::string_view object;
  bool empty = false;
  const bool is_object = texts == 1 && CheckJsonObject(joined, &object, &empty).ok();
  if (is_object && !result.is_error()) {
    absl::StrAppend(out, object);
    return;
  }
  absl::StrAppend(out, "{\"", result.is_error() ? "error" : "result", "\":");
  if (is_object) {
    absl::StrAppend(out, object);
  } else {
    AppendJsonString(joined, out);
  }
  out->push_back('}');
}

}  // namespace

absl::Status GeminiMessageWriter::WriteResults(const Message& message, int index) {
  if (message.parts().empty()) {
    return Invalid(absl::StrCat("messages[", index, "]"), "no tool result in it");
  }
  if (auto status = DropName(message, index); !status.ok()) return status;
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    const PartPlace place = {index, i};
    if (!part.has_tool_result()) {
      return Invalid(place.Field(""), "a message of ROLE_TOOL holds tool results and nothing else");
    }
    if (auto status = WriteResult(part, place); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GeminiMessageWriter::WriteResult(const Part& part, const PartPlace& place) {
  const v1::ToolResult& result = part.tool_result();
  const std::string id_field = place.Field("tool_result.tool_call_id");
  if (IsBlank(result.tool_call_id())) return Invalid(id_field, "empty: no call has this id");
  const auto found = call_of_id_.find(result.tool_call_id());
  if (found == call_of_id_.end()) {
    return Invalid(id_field, "no tool call of the assistant's message before it has this id");
  }
  Call& call = calls_[found->second];
  if (!call.result.empty()) return Invalid(id_field, "two results for one call");
  if (!result.name().empty() && result.name() != call.name) {
    return Invalid(place.Field("tool_result.name"),
                   absl::StrCat("the call of this id is one of ", call.name));
  }
  if (part.has_provider_state()) {
    auto status = notes_.Drop(place.Field("provider_state"), "a result can have none here");
    if (!status.ok()) return status;
  }
  if (auto status = DropExtras(part, place); !status.ok()) return status;
  const size_t start = out_.size();
  out_.append("{\"functionResponse\":{\"name\":");
  AppendJsonString(call.name, &out_);
  if (call.own_id) {
    out_.append(",\"id\":");
    AppendJsonString(call.id, &out_);
  }
  if (auto status = WriteResponse(result, place); !status.ok()) return status;
  out_.push_back('}');
  if (auto status = FinishGeminiPart(part, place, start, "", &encoding_); !status.ok()) {
    return status;
  }
  call.result = out_.substr(start);
  out_.resize(start);
  answered_ = true;
  return absl::OkStatus();
}

// Texts make the response, media its parts.
absl::Status GeminiMessageWriter::WriteResponse(const v1::ToolResult& result,
                                                const PartPlace& place) {
  out_.append(",\"response\":");
  AppendResponse(result, &out_);
  bool any = false;
  for (int i = 0; i < result.parts_size(); ++i) {
    const Part& inner = result.parts(i);
    const PartPlace inner_place = {place.message, place.part, i};
    if (inner.has_provider_state()) {
      auto status = notes_.Drop(inner_place.Field("provider_state"), "a result can have none here");
      if (!status.ok()) return status;
    }
    if (auto status = DropExtras(inner, inner_place); !status.ok()) return status;
    if (inner.has_text()) {
      if (!HasGeminiOptions(inner, encoding_.context)) continue;
      return Unsupported(inner_place.Field("provider_options"),
                         "the texts of a result are one: they take no options");
    }
    if (!IsMedia(inner)) {
      return Invalid(inner_place.Field(""), "a tool result holds text and media only");
    }
    out_.append(any ? "," : ",\"parts\":[");
    any = true;
    auto status = AppendGeminiPart(inner, inner_place, "", &encoding_);
    if (!status.ok()) return status;
  }
  if (any) out_.push_back(']');
  return absl::OkStatus();
}

}  // namespace mg
