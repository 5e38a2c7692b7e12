#include "daemon/config/secrets.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mg {
namespace {

constexpr size_t kMaxSecretBytes = 64 << 10;

// Whoever writes the key itself where its place is wanted is not to read it in a log: a name is
// repeated only where it looks like one.
std::string ShownVariable(absl::string_view name) {
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_isupper(byte) && !absl::ascii_isdigit(byte) && c != '_') {
      return "named here (not shown: it could be the secret itself)";
    }
  }
  return std::string(name);
}

std::string ShownFile(absl::string_view path) {
  if (absl::StartsWith(path, "/") || absl::StartsWith(path, ".")) return std::string(path);
  return "named here (not shown: it could be the secret itself)";
}

// What is wrong with a secret's text; empty: nothing.
std::string Fault(absl::string_view text) {
  if (text.empty()) return "is empty";
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return "has a line break or NUL character within it";
  }
  return "";
}

}  // namespace

void ResolveSecret(const SecretPlace& place, const Outside& outside, LoadedConfig* loaded,
                   ProblemLog* log) {
  const int line = loaded->LineOf(place.path);
  std::string text;
  std::string what;
  if (place.ref.has_env()) {
    what = absl::StrCat("the environment variable ", ShownVariable(place.ref.env()));
    std::optional<std::string> value = outside.variable(place.ref.env());
    if (!value.has_value()) {
      log->Add(line, place.path, absl::StrCat(what, " is not set"));
      return;
    }
    text = *std::move(value);
  } else {
    what = absl::StrCat("the file ", ShownFile(place.ref.file()));
    absl::StatusOr<FileContent> content = outside.file(place.ref.file(), kMaxSecretBytes);
    if (!content.ok()) {
      log->Add(line, place.path,
               absl::StrCat(what, " cannot be read: ", content.status().message()));
      return;
    }
    text = std::move(content->text);
    if (absl::EndsWith(text, "\n")) text.pop_back();
    if (absl::EndsWith(text, "\r")) text.pop_back();
    if (content->others_can_read) {
      loaded->Warn(place.path,
                   absl::StrCat(what, " can be read by everybody on this machine: chmod o-r"));
    }
  }
  const std::string fault = Fault(text);
  Secret secret(std::move(text));
  if (!fault.empty()) {
    log->Add(line, place.path, absl::StrCat(what, " ", fault));
    return;
  }
  loaded->secrets.insert_or_assign(place.path, std::move(secret));
}

}  // namespace mg
