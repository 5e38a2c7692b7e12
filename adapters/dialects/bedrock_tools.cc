// Tools and the choice among them in Converse's shape, which has no word for "none".
#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/json_text.h"
#include "adapters/tool_checks.h"

namespace mg {
namespace {

using v1::Tool;
using v1::ToolChoice;

constexpr size_t kLongestName = 64;
constexpr absl::string_view kNoParameters = "{\"type\":\"object\",\"properties\":{}}";
constexpr absl::string_view kCallNone = "Do not call any tool: answer in words.";

// The tools that the history has calls of, in their order.
std::vector<absl::string_view> CalledBefore(const v1::ChatRequest& request) {
  std::vector<absl::string_view> names;
  for (const v1::Message& message : request.messages()) {
    for (const v1::Part& part : message.parts()) {
      const absl::string_view name = part.tool_call().name();
      if (!part.has_tool_call() || std::find(names.begin(), names.end(), name) != names.end()) {
        continue;
      }
      names.push_back(name);
    }
  }
  return names;
}

class ToolWriter {
 public:
  explicit ToolWriter(BedrockEncoding* encoding)
      : encoding_(*encoding),
        request_(encoding->request),
        choice_(encoding->request.tool_choice()),
        notes_(encoding->notes),
        out_(encoding->body) {}

  absl::Status Write();

 private:
  absl::Status WriteTools();
  absl::Status WriteTool(const Tool& tool, int index);
  absl::Status WriteHosted(const Tool& tool, const std::string& field);
  absl::Status WriteFunction(const Tool& tool, const std::string& field);
  absl::Status WriteStrict(const Tool& tool, const std::string& field);
  absl::Status WriteCalled();
  absl::Status WriteChoice();
  // The choice in Claude's own words, which alone can forbid calls side by side.
  void WriteClaudesChoice();

  BedrockEncoding& encoding_;
  const v1::ChatRequest& request_;
  const ToolChoice& choice_;
  EncodeNotes& notes_;
  std::string& out_;
  std::vector<absl::string_view> called_;
  absl::string_view only_;  // the one tool that must be called; empty: none is singled out
};

absl::Status ToolWriter::Write() {
  if (auto status = CheckToolChoice(request_); !status.ok()) return status;
  called_ = CalledBefore(request_);
  if (!encoding_.rules.tools && (!request_.tools().empty() || !called_.empty())) {
    return Unsupported(request_.tools().empty() ? "messages" : "tools",
                       "this model takes no tools");
  }
  if (request_.tools().empty()) return called_.empty() ? absl::OkStatus() : WriteCalled();
  if (choice_.mode() != ToolChoice::MODE_NONE) return WriteTools();
  if (called_.empty()) {
    return notes_.Emulate("tool_choice.mode", "Converse has no such mode: no tools are sent");
  }
  encoding_.instructions.push_back(kCallNone);
  auto status = notes_.Emulate("tool_choice.mode",
                               "Converse has no such mode: the tools, of which the conversation "
                               "has calls, are sent with an instruction to call none");
  return status.ok() ? WriteTools() : status;
}

absl::Status ToolWriter::WriteTools() {
  const absl::flat_hash_set<absl::string_view> allowed(choice_.allowed_tools().begin(),
                                                       choice_.allowed_tools().end());
  if (choice_.mode() == ToolChoice::MODE_REQUIRED && allowed.size() == 1) only_ = *allowed.begin();
  AppendJsonKey("toolConfig", &out_);
  out_.append("{\"tools\":[");
  for (int i = 0; i < request_.tools_size(); ++i) {
    // There is no list of allowed ones: these alone are shown. A single one is named.
    const bool shown =
        allowed.empty() || !only_.empty() || allowed.contains(request_.tools(i).name());
    if (!shown) continue;
    if (auto status = WriteTool(request_.tools(i), i); !status.ok()) return status;
  }
  out_.push_back(']');
  if (auto status = WriteChoice(); !status.ok()) return status;
  out_.push_back('}');
  return absl::OkStatus();
}

absl::Status ToolWriter::WriteTool(const Tool& tool, int index) {
  const std::string field = absl::StrCat("tools[", index, "]");
  if (out_.back() != '[') out_.push_back(',');
  auto status = tool.hosted().empty() ? WriteFunction(tool, field) : WriteHosted(tool, field);
  if (!status.ok() || !tool.has_cache_breakpoint()) return status;
  return AppendCachePoint(tool.cache_breakpoint(), absl::StrCat(field, ".cache_breakpoint"),
                          &encoding_);
}

absl::Status ToolWriter::WriteHosted(const Tool& tool, const std::string& field) {
  if (!tool.description().empty() || !tool.parameters_schema_json().empty() || tool.has_strict()) {
    return Invalid(absl::StrCat(field, ".hosted"),
                   "a hosted tool has no description, parameters_schema_json or strict beside it");
  }
  const auto* hosted = HostedFor(tool, encoding_.context.provider, kBedrockDialect);
  if (hosted == nullptr) {
    return Unsupported(
        absl::StrCat(field, ".hosted"),
        absl::StrCat("no entry for ", encoding_.context.provider, " or ", kBedrockDialect));
  }
  if (!AppendStruct(*hosted, &out_).ok()) {
    return Invalid(absl::StrCat(field, ".hosted"), "a number that JSON does not have, or too deep");
  }
  return absl::OkStatus();
}

absl::Status ToolWriter::WriteFunction(const Tool& tool, const std::string& field) {
  if (!IsToolName(tool.name(), kLongestName)) {
    return Invalid(absl::StrCat(field, ".name"), "must be 1 to 64 of A-Z, a-z, 0-9, _ and -");
  }
  out_.append("{\"toolSpec\":{\"name\":");
  AppendJsonString(tool.name(), &out_);
  if (!IsBlank(tool.description())) {  // an empty one is refused there
    out_.append(",\"description\":");
    AppendJsonString(tool.description(), &out_);
  }
  absl::string_view schema;
  bool empty = true;
  if (!IsBlank(tool.parameters_schema_json())) {
    auto status = CheckJsonObject(tool.parameters_schema_json(), &schema, &empty);
    if (!status.ok()) {
      return Invalid(absl::StrCat(field, ".parameters_schema_json"), status.message());
    }
  }
  absl::StrAppend(&out_, ",\"inputSchema\":{\"json\":", empty ? kNoParameters : schema, "}");
  if (auto status = WriteStrict(tool, field); !status.ok()) return status;
  out_.append("}}");
  return absl::OkStatus();
}

// Models that hold to a schema in their answers do so in their calls.
absl::Status ToolWriter::WriteStrict(const Tool& tool, const std::string& field) {
  if (!tool.has_strict()) return absl::OkStatus();
  if (!encoding_.rules.json_schema) {
    return notes_.Drop(absl::StrCat(field, ".strict"), "this model has no such switch on Bedrock");
  }
  absl::StrAppend(&out_, ",\"strict\":", tool.strict() ? "true" : "false");
  return absl::OkStatus();
}

// Calls and results are refused where there are no tools.
absl::Status ToolWriter::WriteCalled() {
  auto status = notes_.Emulate("tools",
                               "Converse wants tools where the conversation has calls: those that "
                               "were called are sent, with an instruction to call none");
  if (!status.ok()) return status;
  encoding_.instructions.push_back(kCallNone);
  AppendJsonKey("toolConfig", &out_);
  out_.append("{\"tools\":[");
  for (absl::string_view name : called_) {
    if (out_.back() != '[') out_.push_back(',');
    out_.append("{\"toolSpec\":{\"name\":");
    AppendJsonString(name, &out_);
    absl::StrAppend(&out_, ",\"inputSchema\":{\"json\":", kNoParameters, "}}}");
  }
  out_.append("]}");
  return absl::OkStatus();
}

absl::Status ToolWriter::WriteChoice() {
  const bool one_by_one = choice_.has_parallel() && !choice_.parallel();
  if (choice_.mode() == ToolChoice::MODE_NONE) return absl::OkStatus();
  if (one_by_one && encoding_.rules.is_claude()) {
    WriteClaudesChoice();
    return absl::OkStatus();
  }
  if (choice_.mode() == ToolChoice::MODE_AUTO) out_.append(",\"toolChoice\":{\"auto\":{}}");
  if (choice_.mode() == ToolChoice::MODE_REQUIRED && only_.empty()) {
    out_.append(",\"toolChoice\":{\"any\":{}}");
  } else if (!only_.empty()) {
    out_.append(",\"toolChoice\":{\"tool\":{\"name\":");
    AppendJsonString(only_, &out_);
    out_.append("}}");
  }
  if (!one_by_one) return absl::OkStatus();
  return notes_.Drop("tool_choice.parallel", "this model has no such switch on Bedrock");
}

void ToolWriter::WriteClaudesChoice() {
  std::string* additional = &encoding_.additional;
  AppendJsonKey("tool_choice", additional);
  const bool required = choice_.mode() == ToolChoice::MODE_REQUIRED;
  absl::StrAppend(additional, "{\"type\":\"",
                  !required       ? "auto"
                  : only_.empty() ? "any"
                                  : "tool",
                  "\"");
  if (!only_.empty()) {
    additional->append(",\"name\":");
    AppendJsonString(only_, additional);
  }
  additional->append(",\"disable_parallel_tool_use\":true}");
}

}  // namespace

absl::Status EncodeBedrockTools(BedrockEncoding* encoding) { return ToolWriter(encoding).Write(); }

}  // namespace mg
