// A page of a provider's list of models as the gateway lists it: names, and what the page says of
// them. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/model_list.h"

namespace mg {

struct ListedModel {
  std::string name;
  int context_window = 0;  // tokens of prompt and answer together; 0: the list does not tell
};

struct ListedPage {
  std::vector<ListedModel> models;
  std::string next;  // as ModelPage::next
};

// As DecodeModelList. Context windows have names of their own at Gemini, Cohere and OpenRouter,
// vLLM and Mistral (spec/providers.md §8.1, §9).
absl::Status ReadListedModels(const ModelListShape& shape, absl::string_view body,
                              ListedPage* page);

}  // namespace mg
