// YAML (and JSON, which is YAML) as a tree of values with their lines. Bounded in size, depth and
// number; without anchors and aliases, which could make a huge tree of a small text. A pure
// function; yaml-cpp stays in the .cc file.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mg {

inline constexpr size_t kMaxConfigBytes = 10 << 20;

struct YamlEntry;

struct YamlValue {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 0;         // from 1
  std::string text;     // of a scalar
  bool quoted = false;  // "5" is a text, 5 a number
  std::vector<YamlValue> items;
  std::vector<YamlEntry> entries;  // in order, doubles included
};

struct YamlEntry {
  std::string key;
  int line = 0;
  YamlValue value;
};

struct YamlError {
  int line = 0;
  std::string message;
};

// Parses the one document of `text` into `root`. False: `error` says why not, without a word of the
// text. A text without a document, or with an empty one, is an error too.
bool ParseYaml(absl::string_view text, YamlValue* root, YamlError* error);

}  // namespace mg
