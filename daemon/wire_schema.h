// What a request may hold, as tables for a walk over its bytes: nothing that the gateway does not
// know is dropped in silence, so fields and enum values without a meaning here are refused,
// wherever in the tree they are. (The same by protobuf's reflection over the parsed message costs
// ten times as much.) Immutable after construction.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mg {

class WireSchema {
 public:
  // As protobuf's parsers have it.
  static constexpr int kMaxDepth = 100;
  // Messages, strings and byte fields of one request: each costs memory beyond its bytes on the
  // wire (16 million empty messages fit into 32 MiB).
  static constexpr int kMaxItems = 1 << 18;

  // `program` ("model-gateway 1.2.3") is named in refusals.
  WireSchema(const google::protobuf::Descriptor* root, std::string program);

  // Whether the bytes are a message of this type with nothing unknown in it. UTF-8 is left to the
  // parser.
  bool Accepts(google::protobuf::io::ZeroCopyInputStream* bytes) const;
  // Why the bytes are not accepted, or not parsed: kInvalidRequest with the field to blame.
  absl::Status Explain(absl::string_view bytes) const;

 private:
  friend class WireWalk;

  enum class Shape : uint8_t {
    kUnknown,
    kVarint,
    kFixed32,
    kFixed64,
    kEnum,
    kBytes,
    kString,
    kMessage
  };

  struct Field {
    Shape shape = Shape::kUnknown;
    bool repeated = false;
    bool map = false;
    uint64_t enum_values = 0;  // a bit for each value
    size_t type = 0;           // index of a message's type
    const google::protobuf::FieldDescriptor* descriptor = nullptr;
  };
  struct Type {
    std::vector<Field> fields;  // by number
    const google::protobuf::Descriptor* descriptor = nullptr;
  };

  size_t AddType(const google::protobuf::Descriptor* descriptor);
  Field MakeField(const google::protobuf::FieldDescriptor* descriptor);

  const std::string program_;
  std::vector<Type> types_;  // the first is the root
  absl::flat_hash_map<const google::protobuf::Descriptor*, size_t> index_;
};

}  // namespace mg
