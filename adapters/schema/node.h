// One schema in its compiled form; the others it refers to by their index. Of adapters/schema
// alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "adapters/schema/formats.h"
#include "adapters/schema/schema.h"

namespace re2 {
class RE2;
}

namespace mg {

// Bits of Node::types.
enum JsonType : uint8_t {
  kJsonNull = 1,
  kJsonBoolean = 2,
  kJsonObject = 4,
  kJsonArray = 8,
  kJsonString = 16,
  kJsonNumber = 32,
  kJsonInteger = 64,
};

struct AnswerSchema::Node {
  struct Property {
    int node = -1;      // in `properties`
    int required = -1;  // its place in `required`
  };
  struct Bounds {
    std::optional<uint64_t> min;
    std::optional<uint64_t> max;
  };

  bool never = false;                        // the schema `false`
  unsigned types = 0;                        // 0: any
  const JsonValue* one_of_values = nullptr;  // enum
  const JsonValue* constant = nullptr;

  // Schemas that hold for the same value.
  int ref = -1;
  int all_of = -1;  // of one schema; more are not checked
  std::vector<int> any_of;

  absl::flat_hash_map<absl::string_view, Property> properties;
  std::vector<absl::string_view> required;
  int additional = -1;  // additionalProperties
  Bounds property_count;

  std::vector<int> prefix;
  int items = -1;
  Bounds item_count;

  // Wide enough for every int64, uint64 and double.
  std::optional<long double> minimum;
  std::optional<long double> maximum;
  std::optional<long double> above;  // exclusiveMinimum
  std::optional<long double> below;  // exclusiveMaximum
  const JsonValue* multiple_of = nullptr;

  Bounds length;  // in characters
  std::unique_ptr<re2::RE2> pattern;
  FormatCheck format = nullptr;
};

// Of what is said of a document or a schema no name and no pointer is longer.
inline constexpr size_t kMaxShownPointer = 256;

// "a/b" → "a~1b"
std::string EscapedForPointer(absl::string_view name);

// Exact for all that ParseJson makes of a number.
long double NumberOf(const JsonValue& value);

}  // namespace mg
