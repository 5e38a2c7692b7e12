// What the configuration says of models (`models:`) that the tables of the dialects do not know, or
// know wrongly. Values and pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mg {

struct ModelTraits {
  std::string base_model;        // the known model as which it counts; empty: its own name
  std::optional<bool> sampling;  // takes temperature, top_p and their like; absent: as known
  // All it can do, in the words of Dialect::Capabilities; absent: as known.
  std::optional<std::vector<std::string>> capabilities;
  int context_window = 0;  // tokens of prompt and answer together; 0: not known
  std::string tokenizer;   // of its prompts; "none": none that is known; empty: by its name

  // Can the model do it? `known`: what holds where the configuration is silent.
  bool Has(absl::string_view word, bool known = true) const;
};

// By pattern of "provider/model".
class ModelTable {
 public:
  // `*` stands for any text, "/" too, and `?` for one character. Those added first win.
  void Add(std::string pattern, ModelTraits traits);
  // What is said of the model; nullptr: nothing. Valid as long as the table.
  const ModelTraits* Find(absl::string_view provider, absl::string_view model) const;
  // Of that its context window; 0: not known.
  int ContextWindowOf(absl::string_view provider, absl::string_view model) const;

 private:
  struct Row {
    std::string pattern;
    ModelTraits traits;
  };
  std::vector<Row> rows_;
};

}  // namespace mg
