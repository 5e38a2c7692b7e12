#include "adapters/dialects/gemini_path.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/url_path.h"

namespace mg {

std::string GeminiModelName(absl::string_view model) {
  if (absl::StrContains(model, '/')) return std::string(model);
  return absl::StrCat("models/", model);
}

absl::StatusOr<std::string> GeminiPath(absl::string_view model, bool vertex,
                                       absl::string_view method) {
  std::string path = "/";
  std::string name = GeminiModelName(model);
  // Beside Google's models: a tuned one ("endpoints/ID"), one of another publisher.
  if (vertex && absl::StartsWith(name, "models/")) name = absl::StrCat("publishers/google/", name);
  if (auto status = AppendModelPath(name, false, &path); !status.ok()) return status;
  absl::StrAppend(&path, ":", method);
  return path;
}

}  // namespace mg
