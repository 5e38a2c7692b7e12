// Arguments of a call that Vertex AI streams as values at JSON paths
// (streamFunctionCallArguments): put together here and given out whole. Owned by its candidate.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"

namespace mg {

class GeminiPartialArgs {
 public:
  // One element of partialArgs, `text` its JSON. What is at no path that can be followed is left
  // out.
  void Add(const JsonValue& piece, absl::string_view text);
  // The object so far.
  std::string Json() const;
  size_t held_bytes() const { return held_bytes_; }

 private:
  struct Node {
    enum class Kind { kNone, kObject, kArray, kText, kJson };
    Kind kind = Kind::kNone;
    std::string value;                                                   // of a text, or JSON
    std::vector<std::pair<std::string, std::unique_ptr<Node>>> members;  // of an array: no names
  };

  Node* NodeAt(absl::string_view path);
  Node* Child(Node* node, absl::string_view name);
  Node* Element(Node* node, size_t index);
  static void Write(const Node& node, std::string* out);

  Node root_;
  size_t held_bytes_ = 0;
  std::string open_path_;  // of the text that goes on
};

}  // namespace mg
