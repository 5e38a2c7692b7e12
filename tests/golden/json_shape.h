// What two bodies of requests differ in, and what is alike about many: JSON as it is compared with
// what other clients have sent.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"

namespace mg {

// Takes away what means nothing to a provider: members that are null, {}, [] or "", and at the top
// stream: false and n: 1. A list of one text block becomes its text.
void DropWhatMeansNothing(JsonDocument* body);

// JSON pointers to every place where the two differ, the deepest that says it: members and elements
// that only one of them has, and values that are not equal. Numbers are compared by value.
std::vector<std::string> Differences(const JsonValue& a, const JsonValue& b);

// The pointer with `*` for each index: a pattern of shapes_test.cc.
std::string PatternOf(absl::string_view pointer);

// Which members the body has, and of which type; for words like a role or a type, which word. It
// says nothing of what callers make up themselves: arguments, schemas and the numbers of elements.
std::string ShapeOf(const JsonValue& body);

}  // namespace mg
