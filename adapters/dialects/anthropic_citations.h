// Anthropic's citations of a text (spec/providers.md §1.12, §4.2), as they come in its answers and
// go back with them. Pure functions.
#pragma once

#include <string>

#include "base/json.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// `from` is the object of one citation.
void ReadAnthropicCitation(const JsonValue& from, v1::Citation* citation);

// Whether all that Anthropic's API wants of such a citation is there, as in those that were read.
bool IsAnthropicCitation(const v1::Citation& citation);
// Appends one that is.
void AppendAnthropicCitation(const v1::Citation& citation, std::string* out);

}  // namespace mg
