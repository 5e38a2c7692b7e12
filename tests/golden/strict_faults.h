// The strict checks of tests/support/strict, for what a dialect has written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/dialect.h"

namespace mg {

// What the provider of `context` would refuse of the body; nothing where it is the body of no chat
// (a text to be counted, an item list of Responses).
std::optional<std::vector<std::string>> FaultsOf(const DialectContext& context,
                                                 const HttpRequest& http);

}  // namespace mg
