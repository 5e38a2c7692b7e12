// What the strict checks of all dialects have in common: a body's members by name, type and range,
// and the list of what is wrong.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"

namespace mg {

using Names = std::initializer_list<absl::string_view>;

// An empty value of its type stands for what is missing, so that a check need not ask first.
const JsonValue& ListMember(const JsonValue& value, absl::string_view name);
bool IsBlankText(absl::string_view text);
// 1 to `longest` of A-Z, a-z, 0-9 and `more`.
bool IsWord(absl::string_view text, size_t longest, absl::string_view more);
bool IsBase64(absl::string_view text);
bool Among(absl::string_view word, Names words);

class Faults {
 public:
  void Add(absl::string_view at, absl::string_view text);

  // Each member of `object` must be among the names.
  void Known(const JsonValue& object, absl::string_view at, Names names);
  // Exactly one member of these names; the name of the first.
  absl::string_view OneOf(const JsonValue& object, absl::string_view at, Names names);
  // Where there is such a member, it must be of this sort.
  void Word(const JsonValue& object, absl::string_view at, absl::string_view name, Names words);
  void Range(const JsonValue& object, absl::string_view at, absl::string_view name, double least,
             double most);
  void Whole(const JsonValue& object, absl::string_view at, absl::string_view name, double least);
  void Flag(const JsonValue& object, absl::string_view at, absl::string_view name);
  void Texts(const JsonValue& object, absl::string_view at, absl::string_view name, size_t most);
  // There must be one, and it must be of this sort.
  void Text(const JsonValue& object, absl::string_view at, absl::string_view name);
  void Object(const JsonValue& object, absl::string_view at, absl::string_view name);
  void Forbidden(const JsonValue& object, absl::string_view at, Names names, absl::string_view why);

  std::vector<std::string> Take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

}  // namespace mg
