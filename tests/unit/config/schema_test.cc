// The schema's own rules: what the loader, the manual and later the editors' schema derive from it
// must be there and make sense.
#include "daemon/config/schema.h"

#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

#include <set>

#include "daemon/config/reader.h"
#include "daemon/config/scalar.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() == google::protobuf::Duration::descriptor();
}

// Every message that a configuration can have.
void Collect(const Descriptor* type, std::set<const Descriptor*>* types) {
  if (type == google::protobuf::Duration::descriptor() || !types->insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->message_type() != nullptr) Collect(type->field(i)->message_type(), types);
  }
}

std::set<const Descriptor*> AllTypes() {
  std::set<const Descriptor*> types;
  Collect(v1::Config::descriptor(), &types);
  return types;
}

TEST(Schema, LimitsAndDefaultsAreValuesOfTheirField) {
  int limits = 0;
  for (const Descriptor* type : AllTypes()) {
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      const v1::FieldRule& rule = FieldRuleOf(field);
      EXPECT_TRUE(rule.default_().empty() || rule.default_note().empty()) << field.full_name();
      EXPECT_FALSE(rule.required() && !rule.default_().empty()) << field.full_name();
      for (const std::string& limit : {rule.min(), rule.max()}) {
        if (limit.empty()) continue;
        ++limits;
        if (IsDuration(field)) {
          EXPECT_TRUE(ReadDuration(limit).ok()) << field.full_name();
        } else if (rule.size()) {
          EXPECT_TRUE(ReadSize(limit).ok()) << field.full_name();
        } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
          EXPECT_TRUE(ReadNumber(limit).ok()) << field.full_name();
        } else {
          ASSERT_EQ(field.cpp_type(), FieldDescriptor::CPPTYPE_INT32) << field.full_name();
          EXPECT_TRUE(ReadInteger(limit).ok()) << field.full_name();
        }
      }
      // Every number and duration has its limits, and says what its absence means (members of a
      // oneof have none).
      const bool number = IsDuration(field) || field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                          field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64 ||
                          field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
      if (!number) continue;
      EXPECT_FALSE(rule.min().empty() || rule.max().empty()) << field.full_name();
      EXPECT_TRUE(field.real_containing_oneof() != nullptr || !rule.default_().empty() ||
                  !rule.default_note().empty())
          << field.full_name();
      EXPECT_TRUE(field.has_presence()) << field.full_name();
    }
  }
  EXPECT_GT(limits, 60);
}

// ReadDefaults checks each default against its own rule, and ends the process where one breaks it.
TEST(Schema, DefaultsObeyTheirRules) {
  for (const Descriptor* type : AllTypes()) {
    bool has_required = type->options().map_entry();
    for (int i = 0; i < type->field_count(); ++i) {
      has_required = has_required || FieldRuleOf(*type->field(i)).required() ||
                     type->field(i)->real_containing_oneof() != nullptr;
    }
    if (has_required) continue;
    const std::unique_ptr<google::protobuf::Message> message(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    ReadDefaults(message.get());
  }
}

TEST(Schema, NoKeyIsBothThereAndLater) {
  for (const Descriptor* type : AllTypes()) {
    const std::vector<std::string> later = LaterKeysOf(*type);
    std::set<std::string> names(later.begin(), later.end());
    EXPECT_EQ(names.size(), later.size()) << type->full_name();
    for (const SchemaKey& key : KeysOf(*type)) {
      EXPECT_TRUE(names.insert(key.field->name()).second) << key.field->full_name();
    }
  }
}

TEST(Schema, EnumsAreWrittenInLowerCaseWithoutTheirName) {
  EXPECT_EQ(WrittenNames(*v1::GroupConfig::Strategy_descriptor()),
            (std::vector<std::string>{"weighted_hash", "round_robin", "random"}));
  EXPECT_EQ(WrittenNames(*v1::GroupConfig::MissingKey_descriptor()),
            (std::vector<std::string>{"random", "fixed", "reject"}));
  EXPECT_EQ(WrittenNames(*v1::RetryConfig::Jitter_descriptor()),
            (std::vector<std::string>{"none", "full", "equal", "decorrelated"}));
  EXPECT_EQ(WrittenNames(*v1::UnsupportedParameters_descriptor()),
            (std::vector<std::string>{"warn", "refuse"}));
}

}  // namespace
}  // namespace mg
