// What is said of models: patterns that can fit, and that say something.
#include <fnmatch.h>

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "daemon/config/validate.h"

namespace mg {
namespace {

bool SaysNothing(const v1::ModelConfig& model) {
  v1::ModelConfig rest = model;
  rest.clear_match();
  return rest.ByteSizeLong() == 0;
}

void CheckMatch(const v1::Config& config, const std::string& match, const std::string& path,
                Findings* findings) {
  const size_t slash = match.find('/');
  // A star may stand for both names and the slash between them.
  if (absl::EndsWith(match.substr(0, slash), "*")) return;
  if (slash == std::string::npos || slash + 1 == match.size()) {
    findings->Add(path, absl::StrCat(Shown(match), " is no pattern of PROVIDER/MODEL"));
    return;
  }
  const std::string provider = match.substr(0, slash);
  const std::vector<std::string> names = NamesOf(config.providers());
  for (const std::string& name : names) {
    if (fnmatch(provider.c_str(), name.c_str(), 0) == 0) return;
  }
  findings->Add(path, absl::StrCat("there is no provider ", Shown(provider)),
                Nearest(provider, names));
}

}  // namespace

void ValidateModels(const v1::Config& config, Findings* findings) {
  std::map<std::string, int> seen;
  for (int i = 0; i < config.models_size(); ++i) {
    if (findings->full()) return;
    const v1::ModelConfig& model = config.models(i);
    const std::string at = absl::StrCat("models[", i, "]");
    if (model.match().empty()) continue;  // told by reading
    CheckMatch(config, model.match(), absl::StrCat(at, ".match"), findings);
    const auto [first, is_new] = seen.emplace(model.match(), i);
    if (!is_new) {
      findings->Add(absl::StrCat(at, ".match"),
                    absl::StrCat("is there twice, and models[", first->second, "] wins"));
    }
    const std::string capabilities = absl::StrCat(at, ".capabilities");
    if (model.capabilities().empty() && findings->Written(capabilities)) {
      findings->Add(capabilities, "is empty: name what the model can do, or leave the key out");
    } else if (SaysNothing(model)) {
      findings->Add(at, "says nothing of the models that it fits");
    }
  }
}

}  // namespace mg
