// Tools, the choice among them, and the response format: whatever constrains the answer's shape.
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/json_text.h"
#include "adapters/tool_checks.h"

namespace mg {
namespace {

using v1::Tool;
using v1::ToolChoice;

// {"type":"function","function":{"name":…}}, and the same for a hosted tool's own type.
void AppendToolByName(const Tool& tool, const DialectContext& context, std::string* out) {
  std::string type = "function";
  if (!tool.hosted().empty()) {
    const auto* hosted = HostedFor(tool, context.provider, kOpenAiDialect);
    const auto found = hosted->fields().find("type");
    if (found != hosted->fields().end()) type = found->second.string_value();
  }
  out->append("{\"type\":");
  AppendJsonString(type, out);
  AppendJsonKey(type, out);
  out->append("{\"name\":");
  AppendJsonString(tool.name(), out);
  out->append("}}");
}

absl::Status AppendHosted(const Tool& tool, const std::string& field, OpenAiEncoding* encoding) {
  if (!tool.description().empty() || !tool.parameters_schema_json().empty() || tool.has_strict()) {
    return Invalid(absl::StrCat(field, ".hosted"),
                   "a hosted tool has no description, parameters_schema_json or strict beside it");
  }
  const auto* hosted = HostedFor(tool, encoding->context.provider, kOpenAiDialect);
  if (hosted == nullptr) {
    return Unsupported(
        absl::StrCat(field, ".hosted"),
        absl::StrCat("no entry for ", encoding->context.provider, " or ", kOpenAiDialect));
  }
  if (!AppendStruct(*hosted, &encoding->body).ok()) {
    return Invalid(absl::StrCat(field, ".hosted"), "a number that JSON does not have, or too deep");
  }
  return absl::OkStatus();
}

absl::Status AppendFunction(const Tool& tool, const std::string& field, OpenAiEncoding* encoding) {
  std::string* out = &encoding->body;
  if (!IsToolName(tool.name(), 64)) {
    return Invalid(absl::StrCat(field, ".name"), "must be 1 to 64 of A-Z, a-z, 0-9, _ and -");
  }
  out->append("{\"type\":\"function\",\"function\":{\"name\":");
  AppendJsonString(tool.name(), out);
  if (!tool.description().empty()) {
    out->append(",\"description\":");
    AppendJsonString(tool.description(), out);
  }
  if (!IsBlank(tool.parameters_schema_json())) {
    absl::string_view schema;
    bool empty = false;
    auto status = CheckJsonObject(tool.parameters_schema_json(), &schema, &empty);
    if (!status.ok()) {
      return Invalid(absl::StrCat(field, ".parameters_schema_json"), status.message());
    }
    if (!empty) absl::StrAppend(out, ",\"parameters\":", schema);
  }
  if (tool.has_strict()) absl::StrAppend(out, ",\"strict\":", tool.strict() ? "true" : "false");
  out->append("}}");
  return absl::OkStatus();
}

absl::Status AppendTool(const Tool& tool, int index, OpenAiEncoding* encoding) {
  const std::string field = absl::StrCat("tools[", index, "]");
  if (tool.has_cache_breakpoint()) {
    if (auto status = encoding->notes.Drop(absl::StrCat(field, ".cache_breakpoint"),
                                           "no breakpoint can be set on a tool here");
        !status.ok()) {
      return status;
    }
  }
  if (encoding->body.back() != '[') encoding->body.push_back(',');
  return tool.hosted().empty() ? AppendFunction(tool, field, encoding)
                               : AppendHosted(tool, field, encoding);
}

void AppendChoice(const std::vector<const Tool*>& allowed, OpenAiEncoding* encoding) {
  const ToolChoice& choice = encoding->request.tool_choice();
  std::string* out = &encoding->body;
  const bool required = choice.mode() == ToolChoice::MODE_REQUIRED;
  if (required && choice.allowed_tools_size() > 0 && allowed.size() == 1) {
    out->append(",\"tool_choice\":");
    AppendToolByName(*allowed[0], encoding->context, out);
    return;
  }
  if (choice.allowed_tools_size() > 0 && !encoding->context.compatible) {
    absl::StrAppend(out,
                    ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":",
                    required ? "\"required\"" : "\"auto\"", ",\"tools\":[");
    for (const Tool* tool : allowed) {
      if (out->back() != '[') out->push_back(',');
      AppendToolByName(*tool, encoding->context, out);
    }
    out->append("]}}");
    return;
  }
  switch (choice.mode()) {
    case ToolChoice::MODE_AUTO:
      out->append(",\"tool_choice\":\"auto\"");
      return;
    case ToolChoice::MODE_NONE:
      out->append(",\"tool_choice\":\"none\"");
      return;
    case ToolChoice::MODE_REQUIRED:
      out->append(",\"tool_choice\":\"required\"");
      return;
    default:
      return;
  }
}

}  // namespace

absl::Status EncodeOpenAiTools(OpenAiEncoding* encoding) {
  const v1::ChatRequest& request = encoding->request;
  const ToolChoice& choice = request.tool_choice();
  if (auto status = CheckToolChoice(request); !status.ok()) return status;
  if (request.tools().empty()) return absl::OkStatus();
  const absl::flat_hash_set<absl::string_view> names(choice.allowed_tools().begin(),
                                                     choice.allowed_tools().end());
  std::vector<const Tool*> allowed;
  encoding->body.append(",\"tools\":[");
  for (int i = 0; i < request.tools_size(); ++i) {
    const Tool& tool = request.tools(i);
    const bool is_allowed = names.empty() || names.contains(tool.name());
    if (is_allowed) allowed.push_back(&tool);
    // Compatible servers do not know allowed_tools: they are shown the allowed ones alone.
    if (!is_allowed && encoding->context.compatible) continue;
    if (auto status = AppendTool(tool, i, encoding); !status.ok()) return status;
  }
  encoding->body.push_back(']');
  AppendChoice(allowed, encoding);
  if (choice.has_parallel()) {
    absl::StrAppend(&encoding->body,
                    ",\"parallel_tool_calls\":", choice.parallel() ? "true" : "false");
  }
  return absl::OkStatus();
}

bool NeedsSchemaInstruction(const OpenAiEncoding& encoding) {
  return encoding.request.response_format().has_json_schema() && !encoding.rules.json_schema;
}

absl::Status EncodeOpenAiFormat(OpenAiEncoding* encoding) {
  const v1::ResponseFormat& format = encoding->request.response_format();
  std::string* out = &encoding->body;
  if (format.has_json_object()) {
    out->append(",\"response_format\":{\"type\":\"json_object\"}");
    return absl::OkStatus();
  }
  if (!format.has_json_schema()) return absl::OkStatus();
  const v1::JsonSchema& schema = format.json_schema();
  const std::string field = "response_format.json_schema";
  absl::string_view text;
  bool empty = false;
  if (auto status = CheckJsonObject(schema.schema_json(), &text, &empty); !status.ok()) {
    return Invalid(absl::StrCat(field, ".schema_json"), status.message());
  }
  if (!schema.name().empty() && !IsToolName(schema.name(), 64)) {
    return Invalid(absl::StrCat(field, ".name"), "must be 1 to 64 of A-Z, a-z, 0-9, _ and -");
  }
  if (NeedsSchemaInstruction(*encoding)) {
    encoding->notes.Tell("emulated", "response_format",
                         "the model has no schemas: it is asked for in words, beside json_object");
    out->append(",\"response_format\":{\"type\":\"json_object\"}");
    return absl::OkStatus();
  }
  out->append(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":");
  AppendJsonString(schema.name().empty() ? "response" : schema.name(), out);
  if (!schema.description().empty()) {
    out->append(",\"description\":");
    AppendJsonString(schema.description(), out);
  }
  absl::StrAppend(out, ",\"schema\":", text);
  if (schema.has_strict()) absl::StrAppend(out, ",\"strict\":", schema.strict() ? "true" : "false");
  out->append("}}");
  return absl::OkStatus();
}

}  // namespace mg
