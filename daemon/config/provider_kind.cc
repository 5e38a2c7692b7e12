#include "daemon/config/provider_kind.h"

#include <utility>

#include "daemon/config/schema.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* KindField(const v1::ProviderConfig& provider) {
  static const auto* const kOneof = v1::ProviderConfig::descriptor()->FindOneofByName("kind");
  return v1::ProviderConfig::GetReflection()->GetOneofFieldDescriptor(provider, kOneof);
}

const Message* KindMessage(const v1::ProviderConfig& provider) {
  const FieldDescriptor* kind = KindField(provider);
  return kind == nullptr ? nullptr : &provider.GetReflection()->GetMessage(provider, kind);
}

// The kind's member of this type; nullptr: none.
const Message* MemberOf(const v1::ProviderConfig& provider, const Descriptor* type) {
  const Message* kind = KindMessage(provider);
  if (kind == nullptr) return nullptr;
  for (int i = 0; i < kind->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = kind->GetDescriptor()->field(i);
    if (field->message_type() == type) return &kind->GetReflection()->GetMessage(*kind, field);
  }
  return nullptr;
}

// The kind's field of this name; nullptr: none, or no kind.
const FieldDescriptor* FieldOf(const v1::ProviderConfig& provider, absl::string_view key) {
  const FieldDescriptor* kind = KindField(provider);
  return kind == nullptr ? nullptr : kind->message_type()->FindFieldByName(std::string(key));
}

bool IsText(const FieldDescriptor* field) {
  return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated();
}

}  // namespace

std::string KindOf(const v1::ProviderConfig& provider) {
  const FieldDescriptor* kind = KindField(provider);
  return kind == nullptr ? "" : kind->name();
}

const v1::ScopedProviderConfig* ScopedOf(const v1::ProviderConfig& provider) {
  return static_cast<const v1::ScopedProviderConfig*>(
      MemberOf(provider, v1::ScopedProviderConfig::descriptor()));
}

const v1::HttpProviderConfig* HttpOf(const v1::ProviderConfig& provider) {
  return static_cast<const v1::HttpProviderConfig*>(
      MemberOf(provider, v1::HttpProviderConfig::descriptor()));
}

std::string TextOf(const v1::ProviderConfig& provider, absl::string_view key) {
  const FieldDescriptor* field = FieldOf(provider, key);
  if (!IsText(field)) return "";
  const Message& kind = *KindMessage(provider);
  return kind.GetReflection()->GetString(kind, field);
}

void SetText(absl::string_view key, std::string text, v1::ProviderConfig* provider) {
  const FieldDescriptor* field = FieldOf(*provider, key);
  if (!IsText(field)) return;
  Message* kind = provider->GetReflection()->MutableMessage(provider, KindField(*provider));
  kind->GetReflection()->SetString(kind, field, std::move(text));
}

std::map<std::string, std::string> TextsOf(const v1::ProviderConfig& provider,
                                           absl::string_view key) {
  std::map<std::string, std::string> texts;
  const FieldDescriptor* field = FieldOf(provider, key);
  if (field == nullptr || !field->is_map()) return texts;
  const Message& kind = *KindMessage(provider);
  const FieldDescriptor* name = field->message_type()->map_key();
  const FieldDescriptor* value = field->message_type()->map_value();
  for (int i = 0; i < kind.GetReflection()->FieldSize(kind, field); ++i) {
    const Message& entry = kind.GetReflection()->GetRepeatedMessage(kind, field, i);
    texts[entry.GetReflection()->GetString(entry, name)] =
        entry.GetReflection()->GetString(entry, value);
  }
  return texts;
}

bool IsWritten(const v1::ProviderConfig& provider, absl::string_view key) {
  const FieldDescriptor* field = FieldOf(provider, key);
  if (field == nullptr || !field->has_presence()) return !TextOf(provider, key).empty();
  const Message& kind = *KindMessage(provider);
  return kind.GetReflection()->HasField(kind, field);
}

const std::vector<ProviderKind>& ProviderKinds() {
  static const auto* const kKinds = [] {
    auto* kinds = new std::vector<ProviderKind>();
    const Descriptor* type = v1::ProviderConfig::descriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const v1::FieldRule& rule = FieldRuleOf(*type->field(i));
      kinds->push_back({type->field(i)->name(),
                        rule.dialect(),
                        {rule.env_keys().begin(), rule.env_keys().end()}});
    }
    return kinds;
  }();
  return *kKinds;
}

}  // namespace mg
