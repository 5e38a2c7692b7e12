// Tool results in Cohere's shape: a message of role tool for each, their images behind all of the
// turn.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/cohere_message_writer.h"
#include "adapters/json_text.h"

namespace mg {

using v1::Message;
using v1::Part;

namespace {

bool IsText(const Part& part) { return part.has_text() && !IsBlank(part.text()); }

}  // namespace

absl::Status CohereMessageWriter::WriteResults(const Message& message, int index) {
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

absl::Status CohereMessageWriter::WriteResult(const Part& part, const PartPlace& place) {
  const v1::ToolResult& result = part.tool_result();
  const std::string id_field = place.Field("tool_result.tool_call_id");
  if (IsBlank(result.tool_call_id())) return Invalid(id_field, "empty: no call has this id");
  const auto call = calls_.find(result.tool_call_id());
  if (call == calls_.end()) {
    return Invalid(id_field, "no tool call of the assistant's message before it has this id");
  }
  if (call->second.answered) return Invalid(id_field, "two results for one call");
  call->second.answered = true;
  if (!result.name().empty() && result.name() != call->second.name) {
    return Invalid(place.Field("tool_result.name"),
                   absl::StrCat("the call of this id is one of ", call->second.name));
  }
  if (result.is_error()) {
    auto status = notes_.Drop(place.Field("tool_result.is_error"),
                              "this provider has no such mark: the result's text must say it");
    if (!status.ok()) return status;
  }
  if (auto status = DropState(part, place); !status.ok()) return status;
  if (auto status = DropCohereExtras(part, place, &encoding_); !status.ok()) return status;
  if (out_.back() != '[') out_.push_back(',');
  const size_t start = out_.size();
  out_.append("{\"role\":\"tool\",\"tool_call_id\":");
  AppendJsonString(result.tool_call_id(), &out_);
  out_.append(",\"content\":");
  if (auto status = WriteResultContent(part, place); !status.ok()) return status;
  out_.push_back('}');
  return MergeCohereOptions(part, place, start, &encoding_);
}

absl::Status CohereMessageWriter::CheckResultPart(const Part& result, const Part& inner,
                                                  const PartPlace& place) {
  if (inner.has_audio() || inner.has_video()) {
    return Unsupported(place.Field(inner.has_audio() ? "audio" : "video"),
                       "a tool result takes text and documents, and images by emulation");
  }
  if (!inner.has_text() && !inner.has_image() && !inner.has_document()) {
    return Invalid(place.Field(""), "a tool result holds text and media only");
  }
  if (inner.has_image()) images_.push_back({&result, &inner, place});
  if (auto status = DropState(inner, place); !status.ok()) return status;
  return DropCohereExtras(inner, place, &encoding_);
}

// The texts as one, joined by line breaks; blocks where there is more than that.
absl::Status CohereMessageWriter::WriteResultContent(const Part& part, const PartPlace& place) {
  const v1::ToolResult& result = part.tool_result();
  bool blocks = false;
  std::string text;
  for (int i = 0; i < result.parts_size(); ++i) {
    const Part& inner = result.parts(i);
    const PartPlace inner_place = {place.message, place.part, i};
    if (auto status = CheckResultPart(part, inner, inner_place); !status.ok()) return status;
    blocks = blocks || inner.has_document() ||
             (IsText(inner) && HasCohereOptions(inner, encoding_.context));
    if (IsText(inner)) absl::StrAppend(&text, text.empty() ? "" : "\n", inner.text());
  }
  if (!blocks) {
    const bool only_images = text.empty() && !images_.empty() && images_.back().result == &part;
    AppendJsonString(only_images ? "(an image: see the user message behind the results)" : text,
                     &out_);
    return absl::OkStatus();
  }
  out_.push_back('[');
  for (int i = 0; i < result.parts_size(); ++i) {
    const Part& inner = result.parts(i);
    if (!IsText(inner) && !inner.has_document()) continue;
    if (out_.back() != '[') out_.push_back(',');
    auto status = AppendCohereBlock(inner, {place.message, place.part, i}, &encoding_);
    if (!status.ok()) return status;
  }
  out_.push_back(']');
  return absl::OkStatus();
}

// Images of tool results go into a user message behind all results of the turn.
absl::Status CohereMessageWriter::WriteResultImages() {
  if (images_.empty()) return absl::OkStatus();
  Begin("user");
  out_.append(",\"content\":[");
  for (const ResultImage& each : images_) {
    if (out_.back() != '[') out_.push_back(',');
    out_.append("{\"type\":\"text\",\"text\":");
    AppendJsonString(absl::StrCat("Image in the result of tool call ",
                                  each.result->tool_result().tool_call_id(), ":"),
                     &out_);
    out_.append("},");
    auto status = AppendCohereBlock(*each.image, each.place, &encoding_);
    if (!status.ok()) return status;
    notes_.Tell("emulated", each.place.Field("image"),
                "sent in a user message behind the tool results, which hold text only here");
  }
  out_.append("]}");
  images_.clear();
  return absl::OkStatus();
}

}  // namespace mg
