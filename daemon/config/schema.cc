#include "daemon/config/schema.h"

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace mg {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

const v1::FieldRule& FieldRuleOf(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::rule);
}

std::vector<SchemaKey> KeysOf(const Descriptor& message) {
  std::vector<SchemaKey> keys;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor* field = message.field(i);
    if (!FieldRuleOf(*field).inlined()) {
      keys.push_back({field, nullptr});
      continue;
    }
    for (const SchemaKey& key : KeysOf(*field->message_type())) keys.push_back({key.field, field});
  }
  return keys;
}

std::vector<std::string> LaterKeysOf(const Descriptor& message) {
  const auto& own = message.options().GetRepeatedExtension(v1::later);
  std::vector<std::string> keys(own.begin(), own.end());
  for (int i = 0; i < message.field_count(); ++i) {
    if (!FieldRuleOf(*message.field(i)).inlined()) continue;
    const std::vector<std::string> more = LaterKeysOf(*message.field(i)->message_type());
    keys.insert(keys.end(), more.begin(), more.end());
  }
  return keys;
}

std::string WrittenName(const EnumValueDescriptor& value) {
  // MISSING_KEY_FIXED of MissingKey is written "fixed".
  std::string prefix;
  for (const char c : value.type()->name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  prefix += '_';
  absl::string_view name = value.name();
  absl::ConsumePrefix(&name, prefix);
  return name == "UNSPECIFIED" ? "" : absl::AsciiStrToLower(name);
}

std::vector<std::string> WrittenNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    std::string name = WrittenName(*type.value(i));
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace mg
