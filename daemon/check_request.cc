#include "daemon/check_request.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "base/error.h"
#include "base/nearest.h"

namespace mg {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view text) {
  return FieldError(ErrorClass::kInvalidRequest, field, text);
}

absl::Status Unsupported(absl::string_view field, absl::string_view text) {
  return FieldError(ErrorClass::kUnsupportedField, field, text);
}

using Options = google::protobuf::Map<std::string, google::protobuf::Struct>;

// A key is a provider of the configuration or a dialect; a typo would be dropped in silence
// otherwise.
absl::Status CheckOptionKeys(const Options& options, absl::string_view field,
                             const Snapshot& snapshot) {
  for (const auto& [key, unused] : options) {
    bool known = snapshot.FindProvider(key) != nullptr;
    for (absl::string_view dialect : DialectNames()) known = known || dialect == key;
    if (known) continue;
    std::vector<std::string> names;
    for (const auto& [name, provider] : snapshot.providers) names.push_back(name);
    for (absl::string_view dialect : DialectNames()) names.emplace_back(dialect);
    const std::string nearest = Nearest(key, names);
    return Invalid(
        absl::StrCat(field, "[\"", key, "\"]"),
        absl::StrCat("\"", key, "\" is neither a configured provider nor a dialect",
                     nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }
  return absl::OkStatus();
}

absl::Status CheckParts(const google::protobuf::RepeatedPtrField<v1::Part>& parts,
                        const std::string& path, const Snapshot& snapshot) {
  for (int i = 0; i < parts.size(); ++i) {
    const v1::Part& part = parts.Get(i);
    if (part.provider_options().empty() && !part.has_tool_result()) continue;
    const std::string at = absl::StrCat(path, ".parts[", i, "]");
    absl::Status status =
        CheckOptionKeys(part.provider_options(), absl::StrCat(at, ".provider_options"), snapshot);
    if (status.ok() && part.has_tool_result()) {
      status = CheckParts(part.tool_result().parts(), absl::StrCat(at, ".tool_result"), snapshot);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckContext(const v1::CallContext& context) {
  if (context.max_attempts() < 0) {
    return Invalid("context.max_attempts",
                   "context.max_attempts is negative; 0 stands for what is configured");
  }
  if (!context.credential_profiles().empty()) {
    return Unsupported("context.credential_profiles",
                       "credential profiles are not in this version: the call would be billed to "
                       "the provider's configured key");
  }
  return absl::OkStatus();
}

absl::Status CheckPrompt(const v1::ChatRequest& request) {
  if (request.messages_size() == 0) {
    return Invalid("messages", "the request has no message");
  }
  for (int i = 0; i < request.messages_size(); ++i) {
    if (request.messages(i).role() != v1::ROLE_UNSPECIFIED) continue;
    return Invalid(absl::StrCat("messages[", i, "].role"),
                   absl::StrCat("messages[", i, "] has no role"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckEmbed(const v1::EmbedRequest& request, const Snapshot& snapshot) {
  if (absl::Status status = CheckContext(request.context()); !status.ok()) return status;
  if (request.inputs().empty()) return Invalid("inputs", "there is nothing to embed");
  return CheckOptionKeys(request.provider_options(), "provider_options", snapshot);
}

absl::Status CheckChat(const v1::ChatRequest& request, const Snapshot& snapshot) {
  if (absl::Status status = CheckContext(request.context()); !status.ok()) return status;
  if (absl::Status status = CheckPrompt(request); !status.ok()) return status;
  absl::Status status = CheckOptionKeys(request.provider_options(), "provider_options", snapshot);
  if (!status.ok()) return status;
  for (int i = 0; i < request.tools_size(); ++i) {
    status =
        CheckOptionKeys(request.tools(i).hosted(), absl::StrCat("tools[", i, "].hosted"), snapshot);
    if (!status.ok()) return status;
  }
  for (int i = 0; i < request.messages_size(); ++i) {
    status = CheckParts(request.messages(i).parts(), absl::StrCat("messages[", i, "]"), snapshot);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace mg
