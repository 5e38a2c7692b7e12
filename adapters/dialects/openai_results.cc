// Tool results in OpenAI's shape: a message of role tool for each, their images behind all of the
// turn.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_message_writer.h"
#include "adapters/json_text.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsText(const Part& part) { return part.has_text() && !IsBlank(part.text()); }

}  // namespace

absl::Status OpenAiMessageWriter::WriteResults(const Message& message, int index) {
  if (message.parts().empty()) {
    return Invalid(absl::StrCat("messages[", index, "]"), "no tool result in it");
  }
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    const PartPlace place = {index, i};
    if (!part.has_tool_result()) {
      return Invalid(place.Field(""), "a message of ROLE_TOOL holds tool results and nothing else");
    }
    if (auto status = WriteResult(part, place); !status.ok()) return status;
  }
  return WriteName(message, index);
}

absl::Status OpenAiMessageWriter::WriteResult(const Part& part, const PartPlace& place) {
  const v1::ToolResult& result = part.tool_result();
  const std::string id_field = place.Field("tool_result.tool_call_id");
  if (IsBlank(result.tool_call_id())) return Invalid(id_field, "empty: no call has this id");
  const auto call = calls_.find(result.tool_call_id());
  if (call != calls_.end()) {
    call->second.answered = true;
    if (!result.name().empty() && result.name() != call->second.name) {
      return Invalid(place.Field("tool_result.name"),
                     absl::StrCat("the call of this id is one of ", call->second.name));
    }
  } else if (!encoding_.profile.unanswered_calls) {
    return Invalid(id_field, "no tool call of the assistant's message before it has this id");
  } else if (!result.name().empty()) {
    if (auto status = notes_.Drop(place.Field("tool_result.name"),
                                  "a result goes by its id, and no call here holds the name");
        !status.ok()) {
      return status;
    }
  }
  if (result.is_error()) {
    if (auto status = notes_.Drop(place.Field("tool_result.is_error"),
                                  "this provider has no such mark: the result's text must say it");
        !status.ok()) {
      return status;
    }
  }
  if (part.has_provider_state()) {
    if (auto status = LeaveOutState(part, place); !status.ok()) return status;
  }
  if (auto status = DropExtras(part, place, &encoding_); !status.ok()) return status;
  if (auto status = DropBreakpoint(part, place, &encoding_); !status.ok()) return status;
  if (out_.back() != '[') out_.push_back(',');
  const size_t start = out_.size();
  out_.append("{\"role\":\"tool\",\"tool_call_id\":");
  AppendJsonString(SentCallId(result.tool_call_id()), &out_);
  if (encoding_.profile.names == OpenAiProfile::Names::kTools && call != calls_.end()) {
    out_.append(",\"name\":");
    AppendJsonString(call->second.name, &out_);
  }
  out_.append(",\"content\":");
  if (auto status = WriteResultContent(part, place); !status.ok()) return status;
  out_.push_back('}');
  return MergePartOptions(part, place, start, &encoding_);
}

absl::Status OpenAiMessageWriter::WriteResultContent(const Part& part, const PartPlace& place) {
  const v1::ToolResult& result = part.tool_result();
  bool blocks = false;
  for (int i = 0; i < result.parts_size(); ++i) {
    const Part& inner = result.parts(i);
    const PartPlace inner_place = {place.message, place.part, i};
    if (inner.has_image() && !encoding_.profile.user_behind_result) {
      return Unsupported(inner_place.Field("image"),
                         "this server takes no user message behind a tool's result, where the "
                         "image would stand");
    }
    if (inner.has_image()) {
      images_.push_back({&part, &inner, inner_place});
    } else if (inner.has_audio() || inner.has_video() || inner.has_document()) {
      return Unsupported(inner_place.Field(inner.has_audio()   ? "audio"
                                           : inner.has_video() ? "video"
                                                               : "document"),
                         "a tool result takes text, and images by emulation");
    } else if (!inner.has_text()) {
      return Invalid(inner_place.Field(""), "a tool result holds text and media only");
    } else if (IsText(inner)) {
      blocks = blocks || NeedsBlock(inner, encoding_);
    }
    if (inner.has_provider_state()) {
      if (auto status = LeaveOutState(inner, inner_place); !status.ok()) return status;
    }
    if (auto status = DropExtras(inner, inner_place, &encoding_); !status.ok()) return status;
  }
  if (blocks) out_.push_back('[');
  std::string text;
  for (int i = 0; i < result.parts_size(); ++i) {
    const Part& inner = result.parts(i);
    if (!IsText(inner)) continue;
    const PartPlace inner_place = {place.message, place.part, i};
    if (blocks) {
      if (auto status = AppendBlock(inner, inner_place, &encoding_); !status.ok()) return status;
      continue;
    }
    if (auto status = DropBreakpoint(inner, inner_place, &encoding_); !status.ok()) return status;
    if (!text.empty()) text.push_back('\n');
    text.append(inner.text());
  }
  if (blocks) {
    out_.push_back(']');
    return absl::OkStatus();
  }
  const bool only_images = text.empty() && !images_.empty() && images_.back().result == &part;
  AppendJsonString(only_images ? "(an image: see the user message behind the results)" : text,
                   &out_);
  return absl::OkStatus();
}

// Images of tool results go into a user message behind all results of the turn.
absl::Status OpenAiMessageWriter::WriteResultImages() {
  if (images_.empty()) return absl::OkStatus();
  Begin("user");
  out_.append(",\"content\":[");
  for (const ResultImage& each : images_) {
    if (out_.back() != '[') out_.push_back(',');
    out_.append("{\"type\":\"text\",\"text\":");
    AppendJsonString(absl::StrCat("Image in the result of tool call ",
                                  each.result->tool_result().tool_call_id(), ":"),
                     &out_);
    out_.push_back('}');
    if (auto status = AppendBlock(*each.image, each.place, &encoding_); !status.ok()) return status;
    notes_.Tell("emulated", each.place.Field("image"),
                "sent in a user message behind the tool results, which hold text only here");
  }
  out_.append("]}");
  images_.clear();
  return absl::OkStatus();
}

}  // namespace mg
