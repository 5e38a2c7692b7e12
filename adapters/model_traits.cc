#include "adapters/model_traits.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mg {

bool ModelTraits::Has(absl::string_view word, bool known) const {
  if (!capabilities.has_value()) return known;
  return std::find(capabilities->begin(), capabilities->end(), word) != capabilities->end();
}

void ModelTable::Add(std::string pattern, ModelTraits traits) {
  rows_.push_back({std::move(pattern), std::move(traits)});
}

const ModelTraits* ModelTable::Find(absl::string_view provider, absl::string_view model) const {
  if (rows_.empty()) return nullptr;
  const std::string name = absl::StrCat(provider, "/", model);
  for (const Row& row : rows_) {
    if (fnmatch(row.pattern.c_str(), name.c_str(), 0) == 0) return &row.traits;
  }
  return nullptr;
}

int ModelTable::ContextWindowOf(absl::string_view provider, absl::string_view model) const {
  const ModelTraits* traits = Find(provider, model);
  return traits == nullptr ? 0 : traits->context_window;
}

}  // namespace mg
