#include "adapters/dialects/anthropic_options.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/provider_options.h"

namespace mg {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr absl::string_view kBetas = "anthropic_beta";
// Of the body's members, those that count_tokens takes.
constexpr absl::string_view kOfThePrompt[] = {
    "cache_control", "context_management", "output_config", "system",
    "thinking",      "tool_choice",        "tools"};

bool IsBeta(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '-';
  });
}

bool GoesIntoBody(absl::string_view name, bool counting) {
  if (name == kBetas) return false;
  return !counting || std::find(std::begin(kOfThePrompt), std::end(kOfThePrompt), name) !=
                          std::end(kOfThePrompt);
}

}  // namespace

absl::Status ReadAnthropicBetas(const Value& value, absl::string_view key, std::string* betas) {
  const std::string field = absl::StrCat("provider_options[\"", key, "\"].", kBetas);
  if (!value.has_list_value()) return Invalid(field, "must be a list of names");
  for (const Value& beta : value.list_value().values()) {
    if (!IsBeta(beta.string_value())) {
      return Invalid(field, "a name has a-z, 0-9 and - alone");
    }
    absl::StrAppend(betas, betas->empty() ? "" : ",", beta.string_value());
  }
  return absl::OkStatus();
}

absl::Status MergeAnthropicOptions(AnthropicEncoding* encoding, HttpRequest* http) {
  const DialectContext& context = encoding->context;
  OptionsMap body;
  std::string betas;
  for (absl::string_view key : {absl::string_view(context.provider), kAnthropicDialect}) {
    const auto found = encoding->request.provider_options().find(std::string(key));
    if (found == encoding->request.provider_options().end() || body.contains(found->first)) {
      continue;
    }
    Struct& entry = body[found->first];
    for (const auto& [name, value] : found->second.fields()) {
      if (GoesIntoBody(name, encoding->counting)) (*entry.mutable_fields())[name] = value;
      if (name != kBetas) continue;
      if (auto status = ReadAnthropicBetas(value, key, &betas); !status.ok()) return status;
    }
  }
  if (!betas.empty()) http->headers.push_back({"anthropic-beta", betas});
  return MergeOptions(body, context.provider, kAnthropicDialect, "provider_options",
                      {"model", "messages", "max_tokens", "stream"}, &encoding->body);
}

}  // namespace mg
