// Tools, the choice among them, and the response format: whatever constrains the answer's shape.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/cohere_encoding.h"
#include "adapters/json_text.h"
#include "adapters/provider_options.h"
#include "adapters/tool_checks.h"

namespace mg {
namespace {

using v1::Tool;
using v1::ToolChoice;

constexpr size_t kLongestName = 64;

absl::Status AppendHosted(const Tool& tool, const std::string& field, CohereEncoding* encoding) {
  if (!tool.description().empty() || !tool.parameters_schema_json().empty() || tool.has_strict()) {
    return Invalid(absl::StrCat(field, ".hosted"),
                   "a hosted tool has no description, parameters_schema_json or strict beside it");
  }
  const auto* hosted = HostedFor(tool, encoding->context.provider, kCohereDialect);
  if (hosted == nullptr) {
    return Unsupported(
        absl::StrCat(field, ".hosted"),
        absl::StrCat("no entry for ", encoding->context.provider, " or ", kCohereDialect));
  }
  if (!AppendStruct(*hosted, &encoding->body).ok()) {
    return Invalid(absl::StrCat(field, ".hosted"), "a number that JSON does not have, or too deep");
  }
  return absl::OkStatus();
}

absl::Status AppendFunction(const Tool& tool, const std::string& field, CohereEncoding* encoding) {
  std::string* out = &encoding->body;
  if (!IsToolName(tool.name(), kLongestName)) {
    return Invalid(absl::StrCat(field, ".name"), "must be 1 to 64 of A-Z, a-z, 0-9, _ and -");
  }
  out->append("{\"type\":\"function\",\"function\":{\"name\":");
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
  absl::StrAppend(out, ",\"parameters\":", schema, "}}");
  return absl::OkStatus();
}

absl::Status AppendTool(const Tool& tool, int index, CohereEncoding* encoding) {
  const std::string field = absl::StrCat("tools[", index, "]");
  if (tool.has_cache_breakpoint()) {
    auto status = encoding->notes.Drop(absl::StrCat(field, ".cache_breakpoint"),
                                       "no breakpoint can be set on a tool here");
    if (!status.ok()) return status;
  }
  if (encoding->body.back() != '[') encoding->body.push_back(',');
  return tool.hosted().empty() ? AppendFunction(tool, field, encoding)
                               : AppendHosted(tool, field, encoding);
}

// The API's switch is one for all tools.
absl::Status AppendStrict(const std::vector<int>& shown, CohereEncoding* encoding) {
  const auto& tools = encoding->request.tools();
  const bool all =
      std::all_of(shown.begin(), shown.end(), [&](int i) { return tools[i].strict(); });
  if (all) {
    encoding->body.append(",\"strict_tools\":true");
    return absl::OkStatus();
  }
  for (const int i : shown) {
    if (!tools[i].strict()) continue;
    auto status = encoding->notes.Drop(
        absl::StrCat("tools[", i, "].strict"),
        "Cohere holds to the schemas of all tools or of none: the others are not strict");
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AppendChoice(CohereEncoding* encoding) {
  const ToolChoice& choice = encoding->request.tool_choice();
  if (choice.mode() == ToolChoice::MODE_NONE) encoding->body.append(",\"tool_choice\":\"NONE\"");
  if (choice.mode() == ToolChoice::MODE_REQUIRED) {
    encoding->body.append(",\"tool_choice\":\"REQUIRED\"");
  }
  if (!choice.has_parallel() || choice.parallel()) return absl::OkStatus();
  return encoding->notes.Drop("tool_choice.parallel", "Cohere's API has no such switch");
}

absl::Status AppendTools(CohereEncoding* encoding) {
  const v1::ChatRequest& request = encoding->request;
  if (auto status = CheckToolChoice(request); !status.ok()) return status;
  if (request.tools().empty()) return absl::OkStatus();
  const auto& names = request.tool_choice().allowed_tools();
  const absl::flat_hash_set<absl::string_view> allowed(names.begin(), names.end());
  std::vector<int> shown;
  encoding->body.append(",\"tools\":[");
  for (int i = 0; i < request.tools_size(); ++i) {
    // There is neither a list of allowed ones nor a choice by name: these alone are shown.
    if (!allowed.empty() && !allowed.contains(request.tools(i).name())) continue;
    if (auto status = AppendTool(request.tools(i), i, encoding); !status.ok()) return status;
    shown.push_back(i);
  }
  encoding->body.push_back(']');
  if (auto status = AppendStrict(shown, encoding); !status.ok()) return status;
  return AppendChoice(encoding);
}

bool HasDocuments(const CohereEncoding& encoding) {
  if (!encoding.documents.empty()) return true;
  google::protobuf::Struct options;
  OptionsFor(encoding.request.provider_options(), encoding.context.provider, kCohereDialect,
             &options);
  return options.fields().contains("documents");
}

absl::Status AppendSchema(CohereEncoding* encoding) {
  const v1::JsonSchema& schema = encoding->request.response_format().json_schema();
  const std::string field = "response_format.json_schema";
  if (!CohereHasJsonSchema(encoding->context)) {
    return Unsupported(field,
                       "this model has no structured output; Command R of 08-2024 and newer have "
                       "it");
  }
  if (!encoding->request.tools().empty() || HasDocuments(*encoding)) {
    return Unsupported(field, "Cohere takes no schema beside tools or documents");
  }
  absl::string_view text;
  bool empty = false;
  if (auto status = CheckJsonObject(schema.schema_json(), &text, &empty); !status.ok()) {
    return Invalid(absl::StrCat(field, ".schema_json"), status.message());
  }
  const std::pair<const char*, bool> hints[] = {{".name", !schema.name().empty()},
                                                {".description", !schema.description().empty()},
                                                {".strict", schema.has_strict()}};
  for (const auto& [name, given] : hints) {
    if (!given) continue;
    auto status =
        encoding->notes.Drop(absl::StrCat(field, name), "Cohere's API takes the schema alone");
    if (!status.ok()) return status;
  }
  absl::StrAppend(&encoding->body,
                  ",\"response_format\":{\"type\":\"json_object\",\"json_schema\":", text, "}");
  return absl::OkStatus();
}

}  // namespace

bool NeedsJsonInstruction(const CohereEncoding& encoding) {
  return encoding.request.response_format().has_json_object() &&
         (!encoding.request.tools().empty() || HasDocuments(encoding));
}

bool CohereHasJsonSchema(const DialectContext& context) {
  const absl::string_view model = KnownModel(context);
  bool has = model != "command";
  for (absl::string_view older : {"command-light", "command-nightly", "command-r-03-2024",
                                  "command-r-plus-04-2024", "c4ai-aya-23"}) {
    has = has && !absl::StartsWith(model, older);
  }
  return HasCapability(context, "json_schema", has);
}

absl::Status EncodeCohereTools(CohereEncoding* encoding) {
  if (auto status = AppendTools(encoding); !status.ok()) return status;
  const v1::ResponseFormat& format = encoding->request.response_format();
  if (format.has_json_schema()) return AppendSchema(encoding);
  if (!format.has_json_object()) return absl::OkStatus();
  if (NeedsJsonInstruction(*encoding)) {
    return encoding->notes.Emulate(
        "response_format.json_object",
        "Cohere takes no response format beside tools or documents: it is asked for in words");
  }
  encoding->body.append(",\"response_format\":{\"type\":\"json_object\"}");
  return absl::OkStatus();
}

}  // namespace mg
