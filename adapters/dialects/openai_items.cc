// A chat as items of OpenAI's Responses API, which counts them: messages, function calls and their
// outputs, tools and what constrains the answer.
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_count.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/json_text.h"
#include "adapters/media.h"
#include "adapters/media_source.h"
#include "adapters/tool_checks.h"

namespace mg {
namespace {

using v1::Media;
using v1::Message;
using v1::Part;

class ItemWriter {
 public:
  explicit ItemWriter(OpenAiEncoding* encoding) : encoding_(*encoding), out_(encoding->body) {}

  absl::Status Write();

 private:
  absl::Status WriteMessage(const Message& message, int index);
  absl::Status WriteContent(const Part& part, const PartPlace& place, bool assistant);
  absl::Status WriteImage(const Media& media, const std::string& field);
  absl::Status WriteFile(const Media& media, const std::string& field);
  absl::Status WriteDataUrl(const Media& media, const std::string& field);
  void WriteCall(const v1::ToolCall& call);
  absl::Status WriteResult(const v1::ToolResult& result, const PartPlace& place);
  absl::Status WriteTools();
  void WriteChoice();
  absl::Status WriteFormat();

  // Begins another item of the list at hand.
  void Next() {
    if (out_.back() != '[') out_.push_back(',');
  }
  // `"name":"text"`, with a comma before it.
  void Text(absl::string_view name, absl::string_view text) {
    AppendJsonKey(name, &out_);
    AppendJsonString(text, &out_);
  }

  OpenAiEncoding& encoding_;
  std::string& out_;
};

absl::Status ItemWriter::Write() {
  const v1::ChatRequest& request = encoding_.request;
  if (request.messages().empty()) return Invalid("messages", "no message at all");
  out_.append(",\"input\":[");
  for (int i = 0; i < request.messages_size(); ++i) {
    if (auto status = WriteMessage(request.messages(i), i); !status.ok()) return status;
  }
  out_.push_back(']');
  if (auto status = WriteTools(); !status.ok()) return status;
  if (auto status = WriteFormat(); !status.ok()) return status;
  if (!request.reasoning().effort().empty()) {
    out_.append(",\"reasoning\":{\"effort\":");
    AppendJsonString(EffortFor(encoding_.rules, request.reasoning().effort()), &out_);
    out_.push_back('}');
  }
  return absl::OkStatus();
}

// Calls and results are items of their own, behind what else the message holds.
absl::Status ItemWriter::WriteMessage(const Message& message, int index) {
  const bool assistant = message.role() == v1::ROLE_ASSISTANT;
  const char* role = assistant                         ? "assistant"
                     : message.role() == v1::ROLE_USER ? "user"
                     : encoding_.rules.developer_role  ? "developer"
                                                       : "system";
  const size_t start = out_.size();
  Next();
  absl::StrAppend(&out_, "{\"role\":\"", role, "\",\"content\":[");
  const size_t empty = out_.size();
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    if (part.has_tool_call() || part.has_tool_result()) continue;
    if (auto status = WriteContent(part, {index, i}, assistant); !status.ok()) return status;
  }
  if (out_.size() == empty) {
    out_.resize(start);
  } else {
    out_.append("]}");
  }
  for (int i = 0; i < message.parts_size(); ++i) {
    const Part& part = message.parts(i);
    if (part.has_tool_call()) WriteCall(part.tool_call());
    if (!part.has_tool_result()) continue;
    if (auto status = WriteResult(part.tool_result(), {index, i}); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// What is not sent in a chat counts nothing: reasoning, and blocks of other providers.
absl::Status ItemWriter::WriteContent(const Part& part, const PartPlace& place, bool assistant) {
  if (part.has_reasoning() || part.has_provider_part()) return absl::OkStatus();
  if (part.has_text() || part.has_refusal()) {
    const std::string& text = part.has_text() ? part.text() : part.refusal();
    if (IsBlank(text)) return absl::OkStatus();
    Next();
    const char* type = part.has_refusal() ? "refusal" : assistant ? "output_text" : "input_text";
    absl::StrAppend(&out_, "{\"type\":\"", type, "\"");
    Text(part.has_refusal() ? "refusal" : "text", text);
    out_.push_back('}');
    return absl::OkStatus();
  }
  Next();
  if (part.has_image()) return WriteImage(part.image(), place.Field("image"));
  if (part.has_document()) return WriteFile(part.document(), place.Field("document"));
  return Unsupported(place.Field(part.has_audio() ? "audio" : ""),
                     "OpenAI counts texts, images and documents alone");
}

absl::Status ItemWriter::WriteDataUrl(const Media& media, const std::string& field) {
  std::string type;
  if (auto status = MediaTypeOf(media, field, &encoding_.notes, &type); !status.ok()) return status;
  absl::StrAppend(&out_, "\"data:", type, ";base64,");
  AppendBase64(media.data(), &out_);
  out_.push_back('"');
  return absl::OkStatus();
}

absl::Status ItemWriter::WriteImage(const Media& media, const std::string& field) {
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  out_.append("{\"type\":\"input_image\"");
  if (media.has_file_id()) Text("file_id", media.file_id());
  if (media.has_uri()) Text("image_url", media.uri());
  if (media.has_data()) {
    out_.append(",\"image_url\":");
    if (auto status = WriteDataUrl(media, field); !status.ok()) return status;
  }
  if (!media.detail().empty()) Text("detail", media.detail());
  out_.push_back('}');
  return absl::OkStatus();
}

absl::Status ItemWriter::WriteFile(const Media& media, const std::string& field) {
  if (auto status = CheckMediaSource(media, field); !status.ok()) return status;
  out_.append("{\"type\":\"input_file\"");
  if (media.has_file_id()) Text("file_id", media.file_id());
  if (media.has_uri()) Text("file_url", media.uri());
  if (media.has_data()) {
    Text("filename", media.name().empty() ? "document" : media.name());
    out_.append(",\"file_data\":");
    if (auto status = WriteDataUrl(media, field); !status.ok()) return status;
  }
  out_.push_back('}');
  return absl::OkStatus();
}

void ItemWriter::WriteCall(const v1::ToolCall& call) {
  Next();
  out_.append("{\"type\":\"function_call\"");
  Text("call_id", call.id());
  Text("name", call.name());
  Text("arguments", IsBlank(call.arguments_json()) ? "{}" : call.arguments_json());
  out_.push_back('}');
}

absl::Status ItemWriter::WriteResult(const v1::ToolResult& result, const PartPlace& place) {
  std::string text;
  for (int i = 0; i < result.parts_size(); ++i) {
    const Part& inner = result.parts(i);
    if (!inner.has_text()) {
      return Unsupported(PartPlace{place.message, place.part, i}.Field(""),
                         "of tool results OpenAI counts texts alone");
    }
    if (!IsBlank(inner.text())) absl::StrAppend(&text, text.empty() ? "" : "\n", inner.text());
  }
  Next();
  out_.append("{\"type\":\"function_call_output\"");
  Text("call_id", result.tool_call_id());
  Text("output", text);
  out_.push_back('}');
  return absl::OkStatus();
}

absl::Status ItemWriter::WriteTools() {
  const v1::ChatRequest& request = encoding_.request;
  if (auto status = CheckToolChoice(request); !status.ok()) return status;
  if (request.tools().empty()) return absl::OkStatus();
  out_.append(",\"tools\":[");
  for (int i = 0; i < request.tools_size(); ++i) {
    const v1::Tool& tool = request.tools(i);
    const std::string field = absl::StrCat("tools[", i, "]");
    if (!tool.hosted().empty()) {
      return Unsupported(absl::StrCat(field, ".hosted"), "OpenAI counts functions alone");
    }
    Next();
    out_.append("{\"type\":\"function\"");
    Text("name", tool.name());
    if (!tool.description().empty()) Text("description", tool.description());
    absl::string_view schema = "{}";
    bool empty = true;
    if (!IsBlank(tool.parameters_schema_json())) {
      auto status = CheckJsonObject(tool.parameters_schema_json(), &schema, &empty);
      if (!status.ok()) {
        return Invalid(absl::StrCat(field, ".parameters_schema_json"), status.message());
      }
    }
    if (empty) schema = "{\"type\":\"object\",\"properties\":{}}";
    // Here functions are strict unless one says that they are not.
    absl::StrAppend(&out_, ",\"parameters\":", schema,
                    ",\"strict\":", tool.strict() ? "true" : "false", "}");
  }
  out_.push_back(']');
  WriteChoice();
  return absl::OkStatus();
}

void ItemWriter::WriteChoice() {
  const v1::ToolChoice& choice = encoding_.request.tool_choice();
  const bool required = choice.mode() == v1::ToolChoice::MODE_REQUIRED;
  if (choice.allowed_tools_size() == 1 && required) {
    out_.append(",\"tool_choice\":{\"type\":\"function\"");
    Text("name", choice.allowed_tools(0));
    out_.push_back('}');
  } else if (choice.allowed_tools_size() > 0) {
    absl::StrAppend(&out_, ",\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"",
                    required ? "required" : "auto", "\",\"tools\":[");
    for (const std::string& name : choice.allowed_tools()) {
      Next();
      out_.append("{\"type\":\"function\"");
      Text("name", name);
      out_.push_back('}');
    }
    out_.append("]}");
  } else if (choice.mode() != v1::ToolChoice::MODE_UNSPECIFIED) {
    Text("tool_choice", required                                     ? "required"
                        : choice.mode() == v1::ToolChoice::MODE_NONE ? "none"
                                                                     : "auto");
  }
  if (choice.has_parallel()) {
    absl::StrAppend(&out_, ",\"parallel_tool_calls\":", choice.parallel() ? "true" : "false");
  }
}

absl::Status ItemWriter::WriteFormat() {
  const v1::ResponseFormat& format = encoding_.request.response_format();
  if (format.has_json_object()) out_.append(",\"text\":{\"format\":{\"type\":\"json_object\"}}");
  if (!format.has_json_schema()) return absl::OkStatus();
  const v1::JsonSchema& schema = format.json_schema();
  absl::string_view text;
  bool empty = false;
  if (auto status = CheckJsonObject(schema.schema_json(), &text, &empty); !status.ok()) {
    return Invalid("response_format.json_schema.schema_json", status.message());
  }
  out_.append(",\"text\":{\"format\":{\"type\":\"json_schema\"");
  Text("name", schema.name().empty() ? "response" : schema.name());
  absl::StrAppend(&out_, ",\"schema\":", text);
  if (schema.has_strict()) {
    absl::StrAppend(&out_, ",\"strict\":", schema.strict() ? "true" : "false");
  }
  out_.append("}}");
  return absl::OkStatus();
}

}  // namespace

absl::Status AppendResponsesPrompt(OpenAiEncoding* encoding) {
  return ItemWriter(encoding).Write();
}

}  // namespace mg
