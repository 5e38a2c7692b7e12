// Tools and the choice among them in Anthropic's shape.
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/json_text.h"
#include "adapters/tool_checks.h"

namespace mg {
namespace {

using v1::Tool;
using v1::ToolChoice;

constexpr size_t kLongestName = 128;

absl::Status AppendHosted(const Tool& tool, const std::string& field, AnthropicEncoding* encoding) {
  if (!tool.description().empty() || !tool.parameters_schema_json().empty() || tool.has_strict()) {
    return Invalid(absl::StrCat(field, ".hosted"),
                   "a hosted tool has no description, parameters_schema_json or strict beside it");
  }
  const auto* hosted = HostedFor(tool, encoding->context.provider, kAnthropicDialect);
  if (hosted == nullptr) {
    return Unsupported(
        absl::StrCat(field, ".hosted"),
        absl::StrCat("no entry for ", encoding->context.provider, " or ", kAnthropicDialect));
  }
  if (encoding->counting) {
    return Unsupported(absl::StrCat(field, ".hosted"), "Anthropic does not count hosted tools");
  }
  if (tool.has_cache_breakpoint() && hosted->fields().contains("cache_control")) {
    return Invalid(absl::StrCat(field, ".cache_breakpoint"), "the hosted tool has one of its own");
  }
  if (!AppendStruct(*hosted, &encoding->body).ok()) {
    return Invalid(absl::StrCat(field, ".hosted"), "a number that JSON does not have, or too deep");
  }
  return absl::OkStatus();
}

absl::Status AppendFunction(const Tool& tool, const std::string& field,
                            AnthropicEncoding* encoding) {
  std::string* out = &encoding->body;
  if (!IsToolName(tool.name(), kLongestName)) {
    return Invalid(absl::StrCat(field, ".name"), "must be 1 to 128 of A-Z, a-z, 0-9, _ and -");
  }
  out->append("{\"name\":");
  AppendJsonString(tool.name(), out);
  if (!tool.description().empty()) {
    out->append(",\"description\":");
    AppendJsonString(tool.description(), out);
  }
  absl::string_view schema = "{}";
  bool empty = true;
  if (!IsBlank(tool.parameters_schema_json())) {
    auto status = CheckJsonObject(tool.parameters_schema_json(), &schema, &empty);
    if (!status.ok()) {
      return Invalid(absl::StrCat(field, ".parameters_schema_json"), status.message());
    }
  }
  if (empty) schema = "{\"type\":\"object\",\"properties\":{}}";
  absl::StrAppend(out, ",\"input_schema\":", schema);
  if (tool.has_strict()) absl::StrAppend(out, ",\"strict\":", tool.strict() ? "true" : "false");
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status AppendTool(const Tool& tool, int index, AnthropicEncoding* encoding) {
  const std::string field = absl::StrCat("tools[", index, "]");
  if (encoding->body.back() != '[') encoding->body.push_back(',');
  auto status = tool.hosted().empty() ? AppendFunction(tool, field, encoding)
                                      : AppendHosted(tool, field, encoding);
  if (!status.ok() || !tool.has_cache_breakpoint()) return status;
  return AppendCacheControl(tool.cache_breakpoint(), absl::StrCat(field, ".cache_breakpoint"),
                            encoding);
}

// `only`: the one tool that must be called; empty: none is singled out.
void AppendChoice(const ToolChoice& choice, absl::string_view only, std::string* out) {
  absl::string_view type;
  if (choice.mode() == ToolChoice::MODE_REQUIRED) type = only.empty() ? "any" : "tool";
  if (choice.mode() == ToolChoice::MODE_NONE) type = "none";
  if (choice.mode() == ToolChoice::MODE_AUTO || (type.empty() && choice.has_parallel())) {
    type = "auto";
  }
  if (type.empty()) return;
  absl::StrAppend(out, ",\"tool_choice\":{\"type\":\"", type, "\"");
  if (!only.empty()) {
    out->append(",\"name\":");
    AppendJsonString(only, out);
  }
  if (choice.has_parallel() && type != "none") {
    absl::StrAppend(out, ",\"disable_parallel_tool_use\":", choice.parallel() ? "false" : "true");
  }
  out->push_back('}');
}

}  // namespace

absl::Status EncodeAnthropicTools(AnthropicEncoding* encoding) {
  const v1::ChatRequest& request = encoding->request;
  const ToolChoice& choice = request.tool_choice();
  if (auto status = CheckToolChoice(request); !status.ok()) return status;
  if (request.tools().empty()) return absl::OkStatus();
  const absl::flat_hash_set<absl::string_view> allowed(choice.allowed_tools().begin(),
                                                       choice.allowed_tools().end());
  absl::string_view only;
  if (choice.mode() == ToolChoice::MODE_REQUIRED && allowed.size() == 1) only = *allowed.begin();
  encoding->body.append(",\"tools\":[");
  for (int i = 0; i < request.tools_size(); ++i) {
    // There is no list of allowed ones: these alone are shown. A single one is named.
    const bool shown =
        allowed.empty() || !only.empty() || allowed.contains(request.tools(i).name());
    if (!shown) continue;
    if (auto status = AppendTool(request.tools(i), i, encoding); !status.ok()) return status;
  }
  encoding->body.push_back(']');
  AppendChoice(choice, only, &encoding->body);
  return absl::OkStatus();
}

}  // namespace mg
