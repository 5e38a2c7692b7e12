// Counters in the JSON of providers. Pure.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/json.h"

namespace mg {

// The counter `name` of an object: an integer, or a double that is one; nullopt for anything else.
inline std::optional<int32_t> CountMember(const JsonValue& object, absl::string_view name) {
  const JsonValue* value = Member(object, name);
  if (value == nullptr || !value->IsNumber()) return std::nullopt;
  const double number = value->GetDouble();
  if (number < 0 || number > std::numeric_limits<int32_t>::max() || number != std::floor(number)) {
    return std::nullopt;
  }
  return static_cast<int32_t>(number);
}

}  // namespace mg
