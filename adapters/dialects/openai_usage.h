// Usage objects of OpenAI and of the servers that imitate it (spec/providers.md §1.3). Pure
// functions.
#pragma once

#include "adapters/dialect.h"
#include "base/json.h"

namespace mg {

// Replaces *usage by what the object says; false (and *usage untouched) where it counts nothing.
// The tier that was charged is kept, since it may have come elsewhere.
bool ReadOpenAiUsage(const JsonValue& object, const DialectContext& context, v1::Usage* usage);
// Is it a member of a usage object that ReadOpenAiUsage reads?
bool IsReadUsageMember(absl::string_view name);

}  // namespace mg
