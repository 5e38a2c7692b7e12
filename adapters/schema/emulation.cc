#include "adapters/schema/emulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/json.h"

namespace mg {
namespace {

using v1::ToolChoice;

// The schema as one of a tool's arguments, which are an object; empty where it is not known to be
// one.
std::string ToolSchema(const std::string& schema_json) {
  JsonDocument document;
  if (!ParseJson(schema_json, &document).ok() || !document.IsObject()) return "";
  const JsonValue* type = Member(document, "type");
  if (type != nullptr) return type->IsString() && StringOf(*type) == "object" ? schema_json : "";
  if (Member(document, "properties") == nullptr) return "";
  const size_t open = schema_json.find('{');
  return absl::StrCat("{\"type\":\"object\",", schema_json.substr(open + 1));
}

std::string FreeName(const v1::ChatRequest& request) {
  for (int i = 1;; ++i) {
    std::string name = i == 1 ? "json" : absl::StrCat("json_", i);
    const auto taken = [&name](const v1::Tool& tool) { return tool.name() == name; };
    if (std::none_of(request.tools().begin(), request.tools().end(), taken)) return name;
  }
}

// The caller's tools stay beside it, unless the caller wants none of them called. Where one of
// them must be called, this turn is no answer, and nothing is to be added.
void ForceTool(std::string schema, EmulatedChat* chat) {
  v1::ChatRequest& request = chat->request;
  ToolChoice* choice = request.mutable_tool_choice();
  const bool own = !request.tools().empty() && choice->mode() != ToolChoice::MODE_NONE;
  if (own && choice->mode() == ToolChoice::MODE_REQUIRED) return;
  chat->tool = FreeName(request);
  v1::Tool* tool = request.add_tools();
  tool->set_name(chat->tool);
  const std::string& description = request.response_format().json_schema().description();
  tool->set_description(
      absl::StrCat("Gives the final answer.", description.empty() ? "" : " ", description));
  tool->set_parameters_schema_json(std::move(schema));
  if (!own) choice->clear_allowed_tools();
  if (!own || !choice->allowed_tools().empty()) choice->add_allowed_tools(chat->tool);
  choice->set_mode(ToolChoice::MODE_REQUIRED);
  choice->set_parallel(false);
}

// In the system's words, behind the caller's own where it has some.
void AskInWords(EmulatedChat* chat) {
  v1::ChatRequest& request = chat->request;
  const v1::JsonSchema& schema = request.response_format().json_schema();
  std::string text = absl::StrCat(
      "Answer with one JSON value that fits this JSON Schema, and with nothing else:\n",
      schema.schema_json());
  if (!schema.description().empty()) {
    absl::StrAppend(&text, "\nWhat it is for: ", schema.description());
  }
  if (request.messages().empty()) return;  // refused for that
  if (request.messages(0).role() == v1::ROLE_SYSTEM) {
    request.mutable_messages(0)->add_parts()->set_text(text);
    return;
  }
  chat->message_first = true;
  v1::Message* message = request.add_messages();
  message->set_role(v1::ROLE_SYSTEM);
  message->add_parts()->set_text(text);
  auto* messages = request.mutable_messages();
  std::rotate(messages->pointer_begin(), messages->pointer_end() - 1, messages->pointer_end());
}

// ```json … ```, as models write it though they are asked for nothing else.
absl::string_view WithoutFence(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  absl::string_view inner = text;
  if (!absl::ConsumePrefix(&inner, "```") || !absl::ConsumeSuffix(&inner, "```")) return text;
  absl::ConsumePrefix(&inner, "json");
  inner = absl::StripAsciiWhitespace(inner);
  // Only a fence around all of it.
  return inner.empty() || (inner[0] != '{' && inner[0] != '[') ? text : inner;
}

bool CallsTool(const v1::Part& part, absl::string_view tool) {
  return !tool.empty() && part.has_tool_call() && part.tool_call().name() == tool;
}

// The call is the answer: neither a text around it nor another call is.
void AnswerByCall(absl::string_view tool, v1::Message* message) {
  google::protobuf::RepeatedPtrField<v1::Part> kept;
  bool answered = false;
  for (v1::Part& part : *message->mutable_parts()) {
    if (part.has_reasoning() || part.has_provider_part() || part.has_refusal()) {
      kept.Add(std::move(part));
    } else if (CallsTool(part, tool) && !answered) {
      answered = true;
      kept.Add()->set_text(std::move(*part.mutable_tool_call()->mutable_arguments_json()));
    }
  }
  message->mutable_parts()->Swap(&kept);
}

// All texts as one, at the place of the first.
void AnswerByText(v1::Message* message) {
  const std::string all = TextOf(*message);
  google::protobuf::RepeatedPtrField<v1::Part> kept;
  v1::Part* answer = nullptr;
  for (v1::Part& part : *message->mutable_parts()) {
    if (part.has_text() && answer != nullptr) {
      for (v1::Citation& citation : *part.mutable_citations()) {
        *answer->add_citations() = std::move(citation);
      }
      continue;
    }
    kept.Add(std::move(part));
    v1::Part* moved = kept.Mutable(kept.size() - 1);
    if (moved->has_text()) answer = moved;
  }
  if (answer != nullptr) answer->set_text(std::string(WithoutFence(all)));
  message->mutable_parts()->Swap(&kept);
}

}  // namespace

EmulatedChat EmulateSchema(const v1::ChatRequest& request, SchemaMeans means) {
  EmulatedChat chat;
  chat.request = request;
  chat.means = means;
  if (means == SchemaMeans::kForcedTool) {
    std::string schema = ToolSchema(request.response_format().json_schema().schema_json());
    if (schema.empty()) {
      chat.means = SchemaMeans::kInstruction;
    } else {
      ForceTool(std::move(schema), &chat);
    }
  }
  if (chat.means == SchemaMeans::kInstruction) AskInWords(&chat);
  chat.request.clear_response_format();
  return chat;
}

void RestoreAnswer(absl::string_view tool, v1::Choice* choice) {
  v1::Message* message = choice->mutable_message();
  const auto& parts = message->parts();
  const bool by_call = std::any_of(parts.begin(), parts.end(),
                                   [tool](const v1::Part& part) { return CallsTool(part, tool); });
  v1::Finish* finish = choice->mutable_finish();
  if (by_call) {
    AnswerByCall(tool, message);
    if (finish->reason() == v1::FINISH_REASON_TOOL_CALLS) {
      finish->set_reason(v1::FINISH_REASON_STOP);
    }
  } else if (finish->reason() == v1::FINISH_REASON_STOP) {
    AnswerByText(message);
  }
}

std::string TextOf(const v1::Message& message) {
  std::string text;
  for (const v1::Part& part : message.parts()) text.append(part.text());
  return text;
}

}  // namespace mg
