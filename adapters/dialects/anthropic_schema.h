// JSON Schema as Anthropic's structured output takes it (spec/providers.md §4.4). Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "adapters/schema/schema.h"

namespace mg {

// Can it be written for structured output at all? Neither recursion, nor members of any name, nor
// many that may be left out.
bool IsAnthropicSchema(const AnswerSchema& schema);

// The object `schema_json` with the keywords that are not taken told in its descriptions, oneOf as
// anyOf, and objects of named members closed to others; all else, digits and order too, as it is.
std::string ToAnthropicSchema(absl::string_view schema_json);

// The warning where that is not the schema itself.
inline constexpr absl::string_view kClosedSchema =
    "what Claude does not take as keywords is told in descriptions, and objects are closed to "
    "other "
    "members; the answer is checked against all of it";

}  // namespace mg
