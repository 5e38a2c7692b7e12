// Tools and the choice among them in Gemini's shape.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_encoding.h"
#include "adapters/json_text.h"
#include "adapters/tool_checks.h"

namespace mg {
namespace {

using v1::Tool;
using v1::ToolChoice;

constexpr size_t kLongestName = 128;

bool IsFunctionName(absl::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  if (!absl::ascii_isalpha(static_cast<unsigned char>(name[0])) && name[0] != '_') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view("_.:-").find(c) != absl::string_view::npos;
  });
}

bool IsEmptyList(const JsonValue& value) {
  return (value.IsObject() && value.ObjectEmpty()) || (value.IsArray() && value.Empty());
}

// Does a function by this schema take nothing? Its parameters are then left out.
bool TakesNothing(absl::string_view schema) {
  JsonDocument document;
  if (!ParseJson(schema, &document).ok()) return false;
  for (const auto& member : document.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    const bool said = name == "$schema" || name == "title" || name == "description" ||
                      (name == "type" && member.value == "object") ||
                      (name == "additionalProperties" && member.value.IsBool()) ||
                      ((name == "properties" || name == "required") && IsEmptyList(member.value));
    if (!said) return false;
  }
  return true;
}

class ToolsWriter {
 public:
  explicit ToolsWriter(GeminiEncoding* encoding)
      : encoding_(*encoding),
        request_(encoding->request),
        choice_(encoding->request.tool_choice()),
        out_(encoding->body),
        notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status DropHints(const Tool& tool, const std::string& field);
  absl::Status AddFunction(const Tool& tool, const std::string& field);
  absl::Status AddHosted(const Tool& tool, const std::string& field);
  absl::Status WriteChoice();

  GeminiEncoding& encoding_;
  const v1::ChatRequest& request_;
  const ToolChoice& choice_;
  std::string& out_;
  EncodeNotes& notes_;
  absl::flat_hash_set<absl::string_view> allowed_;
  std::vector<absl::string_view> names_;  // of the functions that may be called
  std::string functions_;
  std::string hosted_;
};

absl::Status ToolsWriter::DropHints(const Tool& tool, const std::string& field) {
  if (tool.has_strict() && tool.hosted().empty()) {
    auto status = notes_.Drop(absl::StrCat(field, ".strict"), "Gemini's API has no such switch");
    if (!status.ok()) return status;
  }
  if (!tool.has_cache_breakpoint()) return absl::OkStatus();
  return notes_.Drop(absl::StrCat(field, ".cache_breakpoint"),
                     "Gemini caches by itself and takes no such mark");
}

absl::Status ToolsWriter::AddFunction(const Tool& tool, const std::string& field) {
  if (!IsFunctionName(tool.name())) {
    return Invalid(
        absl::StrCat(field, ".name"),
        "must be 1 to 128 of A-Z, a-z, 0-9, _, ., : and -, and begin with a letter or _");
  }
  if (!functions_.empty()) functions_.push_back(',');
  functions_.append("{\"name\":");
  AppendJsonString(tool.name(), &functions_);
  if (!tool.description().empty()) {
    functions_.append(",\"description\":");
    AppendJsonString(tool.description(), &functions_);
  }
  absl::string_view schema;
  bool empty = true;
  if (!IsBlank(tool.parameters_schema_json())) {
    auto status = CheckJsonObject(tool.parameters_schema_json(), &schema, &empty);
    if (!status.ok()) {
      return Invalid(absl::StrCat(field, ".parameters_schema_json"), status.message());
    }
  }
  if (!empty && !TakesNothing(schema)) {
    absl::StrAppend(&functions_, ",\"parametersJsonSchema\":", schema);
  }
  functions_.push_back('}');
  if (allowed_.empty() || allowed_.contains(tool.name())) names_.emplace_back(tool.name());
  return absl::OkStatus();
}

absl::Status ToolsWriter::AddHosted(const Tool& tool, const std::string& field) {
  if (!tool.description().empty() || !tool.parameters_schema_json().empty() || tool.has_strict()) {
    return Invalid(absl::StrCat(field, ".hosted"),
                   "a hosted tool has no description, parameters_schema_json or strict beside it");
  }
  const auto* hosted = HostedFor(tool, encoding_.context.provider, kGeminiDialect);
  if (hosted == nullptr) {
    return Unsupported(
        absl::StrCat(field, ".hosted"),
        absl::StrCat("no entry for ", encoding_.context.provider, " or ", kGeminiDialect));
  }
  if (choice_.mode() == ToolChoice::MODE_NONE) {
    return notes_.Emulate("tool_choice.mode",
                          "a hosted tool cannot be shown and forbidden: it is left out");
  }
  if (!hosted_.empty()) hosted_.push_back(',');
  if (!AppendStruct(*hosted, &hosted_).ok()) {
    return Invalid(absl::StrCat(field, ".hosted"), "a number that JSON does not have, or too deep");
  }
  return absl::OkStatus();
}

// allowedFunctionNames goes with ANY alone: of AUTO the others are not shown.
absl::Status ToolsWriter::WriteChoice() {
  if (choice_.has_parallel() && !choice_.parallel()) {
    auto status = notes_.Drop("tool_choice.parallel", "Gemini's API has no such switch");
    if (!status.ok()) return status;
  }
  absl::string_view mode;
  if (choice_.mode() == ToolChoice::MODE_AUTO) mode = "AUTO";
  if (choice_.mode() == ToolChoice::MODE_NONE) mode = "NONE";
  if (choice_.mode() == ToolChoice::MODE_REQUIRED) {
    mode = "ANY";
    if (names_.empty()) {
      return Unsupported("tool_choice.mode", "Gemini can be made to call functions alone");
    }
  }
  if (mode.empty() || functions_.empty() || encoding_.counting) return absl::OkStatus();
  absl::StrAppend(&out_, ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"", mode, "\"");
  if (mode == "ANY" && !allowed_.empty()) {
    out_.append(",\"allowedFunctionNames\":[");
    for (absl::string_view name : names_) {
      if (out_.back() != '[') out_.push_back(',');
      AppendJsonString(name, &out_);
    }
    out_.push_back(']');
  }
  out_.append("}}");
  return absl::OkStatus();
}

absl::Status ToolsWriter::Write() {
  if (auto status = CheckToolChoice(request_); !status.ok()) return status;
  if (request_.tools().empty()) {
    if (!choice_.has_parallel() || choice_.parallel()) return absl::OkStatus();
    return notes_.Drop("tool_choice.parallel", "Gemini's API has no such switch");
  }
  allowed_.insert(choice_.allowed_tools().begin(), choice_.allowed_tools().end());
  const bool all = allowed_.empty() || choice_.mode() == ToolChoice::MODE_REQUIRED;
  for (int i = 0; i < request_.tools_size(); ++i) {
    const Tool& tool = request_.tools(i);
    const std::string field = absl::StrCat("tools[", i, "]");
    // A hosted tool cannot be among those that must be called.
    const bool shown = tool.hosted().empty() ? all || allowed_.contains(tool.name())
                                             : allowed_.empty() || allowed_.contains(tool.name());
    if (!shown) continue;
    if (auto status = DropHints(tool, field); !status.ok()) return status;
    auto status = tool.hosted().empty() ? AddFunction(tool, field) : AddHosted(tool, field);
    if (!status.ok()) return status;
  }
  if (!functions_.empty())
    functions_ = absl::StrCat("{\"functionDeclarations\":[", functions_, "]}");
  if (!functions_.empty() || !hosted_.empty()) {
    absl::StrAppend(&out_, ",\"tools\":[", functions_,
                    functions_.empty() || hosted_.empty() ? "" : ",", hosted_, "]");
  }
  return WriteChoice();
}

}  // namespace

absl::Status EncodeGeminiTools(GeminiEncoding* encoding) { return ToolsWriter(encoding).Write(); }

}  // namespace mg
