// Tools, the choice among them, and the response format: whatever constrains the answer's shape.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/json_text.h"
#include "adapters/provider_options.h"
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

// All tools are strict, or none is.
bool AnyStrict(const v1::ChatRequest& request) {
  return std::any_of(request.tools().begin(), request.tools().end(),
                     [](const Tool& tool) { return tool.strict(); });
}

absl::Status AppendStrict(const Tool& tool, const std::string& field, OpenAiEncoding* encoding) {
  switch (encoding->profile.strict) {
    case OpenAiProfile::Strict::kSent:
      if (!tool.has_strict()) return absl::OkStatus();
      absl::StrAppend(&encoding->body, ",\"strict\":", tool.strict() ? "true" : "false");
      return absl::OkStatus();
    case OpenAiProfile::Strict::kAllOrNone:
      if (!AnyStrict(encoding->request)) return absl::OkStatus();
      encoding->body.append(",\"strict\":true");
      if (!tool.strict()) {
        encoding->notes.Tell("changed", absl::StrCat(field, ".strict"),
                             "this server holds to the schemas of all tools or of none");
      }
      return absl::OkStatus();
    case OpenAiProfile::Strict::kNever:
      break;
  }
  if (!tool.strict()) return absl::OkStatus();
  return encoding->notes.Drop(absl::StrCat(field, ".strict"), kNotThisServer);
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
  if (auto status = AppendStrict(tool, field, encoding); !status.ok()) return status;
  out->append("}}");
  return absl::OkStatus();
}

absl::Status AppendTool(const Tool& tool, int index, OpenAiEncoding* encoding) {
  const std::string field = absl::StrCat("tools[", index, "]");
  const std::string breakpoint = absl::StrCat(field, ".cache_breakpoint");
  const bool marked = tool.has_cache_breakpoint() && encoding->profile.cache_control;
  if (tool.has_cache_breakpoint() && !marked) {
    if (auto status = encoding->notes.Drop(breakpoint, "no breakpoint can be set on a tool here");
        !status.ok()) {
      return status;
    }
  }
  if (encoding->body.back() != '[') encoding->body.push_back(',');
  auto status = tool.hosted().empty() ? AppendFunction(tool, field, encoding)
                                      : AppendHosted(tool, field, encoding);
  if (!status.ok() || !marked) return status;
  return AppendOpenAiBreakpoint(tool.cache_breakpoint(), breakpoint, encoding);
}

void AppendAllowed(const std::vector<const Tool*>& allowed, bool required,
                   OpenAiEncoding* encoding) {
  std::string* out = &encoding->body;
  absl::StrAppend(out, ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":",
                  required ? "\"required\"" : "\"auto\"", ",\"tools\":[");
  for (const Tool* tool : allowed) {
    if (out->back() != '[') out->push_back(',');
    AppendToolByName(*tool, encoding->context, out);
  }
  out->append("]}}");
}

// Is the one tool that must be called said by its name?
bool IsChosenByName(const ToolChoice& choice, OpenAiProfile::Choice taken) {
  return choice.mode() == ToolChoice::MODE_REQUIRED && choice.allowed_tools_size() == 1 &&
         taken != OpenAiProfile::Choice::kNoName;
}

void AppendChoice(const std::vector<const Tool*>& allowed, OpenAiEncoding* encoding) {
  const ToolChoice& choice = encoding->request.tool_choice();
  const OpenAiProfile::Choice taken = encoding->profile.choice;
  std::string* out = &encoding->body;
  if (taken == OpenAiProfile::Choice::kNever) return;
  const bool required = choice.mode() == ToolChoice::MODE_REQUIRED;
  if (IsChosenByName(choice, taken)) {
    out->append(",\"tool_choice\":");
    AppendToolByName(*allowed[0], encoding->context, out);
    return;
  }
  if (choice.allowed_tools_size() > 0 && taken == OpenAiProfile::Choice::kAllowed) {
    return AppendAllowed(allowed, required, encoding);
  }
  if (choice.mode() == ToolChoice::MODE_AUTO) out->append(",\"tool_choice\":\"auto\"");
  if (choice.mode() == ToolChoice::MODE_NONE) out->append(",\"tool_choice\":\"none\"");
  if (!required) return;
  absl::StrAppend(out, ",\"tool_choice\":\"",
                  taken == OpenAiProfile::Choice::kAny ? "any" : "required", "\"");
}

// A server that takes no choice, or none while its model thinks.
absl::Status CheckForced(OpenAiEncoding* encoding) {
  const v1::ChatRequest& request = encoding->request;
  if (request.tool_choice().mode() != ToolChoice::MODE_REQUIRED) return absl::OkStatus();
  if (encoding->profile.choice == OpenAiProfile::Choice::kNever) {
    return Unsupported("tool_choice.mode", "this server forces no tool upon its models");
  }
  if (encoding->profile.choice != OpenAiProfile::Choice::kUnthinking) return absl::OkStatus();
  const v1::Reasoning& reasoning = request.reasoning();
  const bool off =
      reasoning.has_budget_tokens() ? reasoning.budget_tokens() == 0 : reasoning.effort() == "none";
  if (off) return absl::OkStatus();
  if (reasoning.has_budget_tokens() || !reasoning.effort().empty()) {
    return Unsupported(
        reasoning.has_budget_tokens() ? "reasoning.budget_tokens" : "reasoning.effort",
        "a model cannot think where it is forced to call a tool");
  }
  if (!IsDeepSeekV4(KnownModel(encoding->context))) return absl::OkStatus();
  encoding->thinking_off = true;
  return encoding->notes.Change("tool_choice.mode",
                                "a tool is forced only upon a model that does not think: thinking "
                                "is switched off");
}

absl::Status AppendParallel(OpenAiEncoding* encoding) {
  const ToolChoice& choice = encoding->request.tool_choice();
  if (!choice.has_parallel()) return absl::OkStatus();
  if (encoding->profile.parallel) {
    absl::StrAppend(&encoding->body,
                    ",\"parallel_tool_calls\":", choice.parallel() ? "true" : "false");
    return absl::OkStatus();
  }
  if (choice.parallel()) return absl::OkStatus();
  return encoding->notes.Drop("tool_choice.parallel", kNotThisServer);
}

}  // namespace

absl::Status EncodeOpenAiTools(OpenAiEncoding* encoding) {
  const v1::ChatRequest& request = encoding->request;
  const ToolChoice& choice = request.tool_choice();
  if (auto status = CheckToolChoice(request); !status.ok()) return status;
  if (request.tools().empty()) return absl::OkStatus();
  if (auto status = CheckForced(encoding); !status.ok()) return status;
  // Where the choice cannot be said, tools that are not to be called are not shown.
  if (choice.mode() == ToolChoice::MODE_NONE &&
      encoding->profile.choice == OpenAiProfile::Choice::kNever) {
    return absl::OkStatus();
  }
  const absl::flat_hash_set<absl::string_view> names(choice.allowed_tools().begin(),
                                                     choice.allowed_tools().end());
  // Servers that cannot be told which tools are allowed are shown those alone.
  const OpenAiProfile::Choice taken = encoding->profile.choice;
  const bool all = taken == OpenAiProfile::Choice::kAllowed || IsChosenByName(choice, taken);
  std::vector<const Tool*> allowed;
  encoding->body.append(",\"tools\":[");
  for (int i = 0; i < request.tools_size(); ++i) {
    const Tool& tool = request.tools(i);
    const bool is_allowed = names.empty() || names.contains(tool.name());
    if (is_allowed) allowed.push_back(&tool);
    if (!is_allowed && !all) continue;
    if (auto status = AppendTool(tool, i, encoding); !status.ok()) return status;
  }
  encoding->body.push_back(']');
  AppendChoice(allowed, encoding);
  return AppendParallel(encoding);
}

namespace {

// What goes beside a schema, where that is asked for in words.
absl::Status DropSchemaHints(const v1::JsonSchema& schema, const std::string& field,
                             OpenAiEncoding* encoding) {
  const std::pair<const char*, bool> hints[] = {{".name", !schema.name().empty()},
                                                {".description", !schema.description().empty()},
                                                {".strict", schema.has_strict()}};
  for (const auto& [name, given] : hints) {
    if (!given) continue;
    auto status = encoding->notes.Drop(absl::StrCat(field, name),
                                       "the words ask for the schema, and for nothing beside it");
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Has the caller decided itself what OpenRouter may pass the request to?
bool SaysWhoMustKnow(const OpenAiEncoding& encoding) {
  google::protobuf::Struct options;
  OptionsFor(encoding.request.provider_options(), encoding.context.provider, kOpenAiDialect,
             &options);
  const auto provider = options.fields().find("provider");
  return provider != options.fields().end() &&
         provider->second.struct_value().fields().contains("require_parameters");
}

}  // namespace

bool NeedsSchemaInstruction(const OpenAiEncoding& encoding) {
  return encoding.request.response_format().has_json_schema() &&
         (!encoding.rules.json_schema || encoding.profile.schema == OpenAiProfile::Schema::kNever);
}

bool NeedsJsonWord(const OpenAiEncoding& encoding) {
  if (!encoding.profile.json_word || !encoding.request.response_format().has_json_object()) {
    return false;
  }
  for (const v1::Message& message : encoding.request.messages()) {
    for (const v1::Part& part : message.parts()) {
      if (absl::StrContains(absl::AsciiStrToLower(part.text()), "json")) return false;
    }
  }
  return true;
}

absl::Status EncodeOpenAiFormat(OpenAiEncoding* encoding) {
  const v1::ResponseFormat& format = encoding->request.response_format();
  std::string* out = &encoding->body;
  if (format.has_json_object()) {
    if (NeedsJsonWord(*encoding)) {
      encoding->notes.Tell("changed", "response_format.json_object",
                           "this server wants to be told of JSON in words too: a system message "
                           "says so");
    }
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
  const bool functions =
      std::any_of(encoding->request.tools().begin(), encoding->request.tools().end(),
                  [](const Tool& tool) { return tool.hosted().empty(); });
  if (functions && encoding->profile.schema == OpenAiProfile::Schema::kWithoutTools) {
    return Unsupported(field, "this server holds to no schema beside tools");
  }
  if (NeedsSchemaInstruction(*encoding)) {
    encoding->notes.Tell("emulated", "response_format",
                         "the model has no schemas: it is asked for in words, beside json_object");
    out->append(",\"response_format\":{\"type\":\"json_object\"}");
    return DropSchemaHints(schema, field, encoding);
  }
  out->append(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":");
  AppendJsonString(schema.name().empty() ? "response" : schema.name(), out);
  if (!schema.description().empty()) {
    out->append(",\"description\":");
    AppendJsonString(schema.description(), out);
  }
  absl::StrAppend(out, ",\"schema\":", text);
  const bool strict = encoding->profile.schema == OpenAiProfile::Schema::kStrict;
  if (strict && schema.has_strict() && !schema.strict()) {
    auto status = encoding->notes.Change(absl::StrCat(field, ".strict"),
                                         "this server always holds to the schema");
    if (!status.ok()) return status;
  }
  if (strict || schema.has_strict()) {
    absl::StrAppend(out, ",\"strict\":", strict || schema.strict() ? "true" : "false");
  }
  out->append("}}");
  if (encoding->profile.schema_everywhere && !SaysWhoMustKnow(*encoding)) {
    out->append(",\"provider\":{\"require_parameters\":true}");
  }
  return absl::OkStatus();
}

}  // namespace mg
