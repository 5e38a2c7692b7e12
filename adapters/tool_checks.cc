#include "adapters/tool_checks.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/encode_notes.h"

namespace mg {

using v1::Tool;
using v1::ToolChoice;

bool IsToolName(absl::string_view name, size_t longest) {
  if (name.empty() || name.size() > longest) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

const google::protobuf::Struct* HostedFor(const Tool& tool, absl::string_view provider,
                                          absl::string_view dialect) {
  auto found = tool.hosted().find(std::string(provider));
  if (found == tool.hosted().end()) found = tool.hosted().find(std::string(dialect));
  return found == tool.hosted().end() ? nullptr : &found->second;
}

absl::Status CheckToolChoice(const v1::ChatRequest& request) {
  const ToolChoice& choice = request.tool_choice();
  absl::flat_hash_set<absl::string_view> names;
  for (int i = 0; i < request.tools_size(); ++i) {
    const Tool& tool = request.tools(i);
    if (!tool.name().empty() && !names.insert(tool.name()).second) {
      return Invalid(absl::StrCat("tools[", i, "].name"), "another tool has this name");
    }
  }
  if (!ToolChoice::Mode_IsValid(choice.mode())) {
    return Invalid("tool_choice.mode", "no mode that this gateway knows");
  }
  if (choice.mode() == ToolChoice::MODE_REQUIRED && request.tools().empty()) {
    return Invalid("tool_choice.mode", "a tool is required, but there are none");
  }
  if (choice.mode() == ToolChoice::MODE_NONE && !choice.allowed_tools().empty()) {
    return Invalid("tool_choice.allowed_tools", "tools are allowed, but the mode says none");
  }
  for (int i = 0; i < choice.allowed_tools_size(); ++i) {
    if (!names.contains(choice.allowed_tools(i))) {
      return Invalid(absl::StrCat("tool_choice.allowed_tools[", i, "]"),
                     absl::StrCat("no tool is named ", choice.allowed_tools(i)));
    }
  }
  return absl::OkStatus();
}

}  // namespace mg
