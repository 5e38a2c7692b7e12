// The schema by reflection: which keys a message has, as the configuration writes them, and what
// rules hold for them. Pure functions over config.proto's descriptors.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "modelgateway/v1/config.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

const v1::FieldRule& FieldRuleOf(const google::protobuf::FieldDescriptor& field);

// A key of a message: its field, perhaps within a message whose keys stand beside those of its
// holder.
struct SchemaKey {
  const google::protobuf::FieldDescriptor* field = nullptr;
  const google::protobuf::FieldDescriptor* holder = nullptr;  // the inlined message; nullptr: none
};

std::vector<SchemaKey> KeysOf(const google::protobuf::Descriptor& message);
// Those that a later version will have there.
std::vector<std::string> LaterKeysOf(const google::protobuf::Descriptor& message);

// How a value of the enum is written: lower case, without the enum's own name in front. Empty for
// one that stands for "absent" and cannot be written.
std::string WrittenName(const google::protobuf::EnumValueDescriptor& value);
// What may be written, in order.
std::vector<std::string> WrittenNames(const google::protobuf::EnumDescriptor& type);

}  // namespace mg
