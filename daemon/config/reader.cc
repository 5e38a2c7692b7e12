#include "daemon/config/reader.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/nearest.h"
#include "daemon/config/scalar.h"
#include "daemon/config/schema.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;
using Kind = YamlValue::Kind;

std::string Join(absl::string_view path, absl::string_view key) {
  return path.empty() ? std::string(key) : absl::StrCat(path, ".", key);
}

bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() == google::protobuf::Duration::descriptor();
}

bool IsSecret(const FieldDescriptor& field) {
  return field.message_type() == v1::SecretRef::descriptor();
}

// The end of the sentence "KEY must be …".
std::string RangeText(const v1::FieldRule& rule) {
  if (rule.max().empty()) return absl::StrCat("at least ", rule.min());
  if (rule.min().empty()) return absl::StrCat("at most ", rule.max());
  return absl::StrCat(rule.min(), " to ", rule.max());
}

// `read` for a value and for the limits of its rule alike.
template <typename T>
absl::StatusOr<T> ReadWithin(const YamlValue& value, const v1::FieldRule& rule,
                             absl::StatusOr<T> (*read)(absl::string_view)) {
  absl::StatusOr<T> result = read(value.text);
  if (!result.ok()) return result;
  if ((!rule.min().empty() && *result < *read(rule.min())) ||
      (!rule.max().empty() && *result > *read(rule.max()))) {
    return absl::InvalidArgumentError(
        absl::StrCat(Shown(value.text), " is out of range: it must be ", RangeText(rule)));
  }
  return result;
}

class Reader {
 public:
  Reader(LoadedConfig* loaded, ProblemLog* log) : loaded_(loaded), log_(log) {}

  void ReadMessage(const YamlValue& map, const std::string& path, Message* message);
  std::vector<SecretPlace> TakeSecrets() { return std::move(secrets_); }

 private:
  // In the line of the key.
  void Refuse(const std::string& path, absl::string_view message, absl::string_view nearest = "") {
    log_->Add(loaded_->LineOf(path), path, message, nearest);
  }

  using Seen = absl::flat_hash_map<std::string, int>;  // keys and their lines

  bool IsNew(const YamlEntry& entry, const std::string& path, Seen* seen);
  void RefuseKey(const YamlEntry& entry, const std::string& path, const Descriptor& type);
  void CheckPresence(const std::string& path, const Descriptor& type, const Seen& seen,
                     bool refused);
  bool ExcludesOther(const YamlEntry& entry, const std::string& path, const FieldDescriptor& field,
                     const Message& message);
  void ReadField(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                 Message* message);
  void ReadList(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                Message* message);
  void ReadMap(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
               Message* message);
  void ReadSecret(const YamlValue& value, const std::string& path, Message* message);
  void ReadScalar(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                  Message* message);
  void ReadString(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                  Message* message);
  bool CheckWord(const YamlValue& value, const std::string& path, const v1::FieldRule& rule);
  void ReadEnum(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                Message* message);
  absl::Status ReadFlagOrNumber(const YamlValue& value, const FieldDescriptor& field,
                                Message* message);

  LoadedConfig* loaded_;
  ProblemLog* log_;
  std::vector<SecretPlace> secrets_;
};

void Reader::ReadMessage(const YamlValue& map, const std::string& path, Message* message) {
  const Descriptor& type = *message->GetDescriptor();
  if (map.kind != Kind::kMap) {
    Refuse(path, "must have keys of its own: write { KEY: VALUE }, or {} for none");
    return;
  }
  absl::flat_hash_map<absl::string_view, SchemaKey> keys;
  for (const SchemaKey& key : KeysOf(type)) keys.emplace(key.field->name(), key);

  Seen seen;
  bool refused = false;
  for (const YamlEntry& entry : map.entries) {
    const std::string at = Join(path, entry.key);
    if (!IsNew(entry, at, &seen)) continue;
    const auto found = keys.find(entry.key);
    if (found == keys.end()) {
      RefuseKey(entry, path, type);
      refused = true;
      continue;
    }
    const auto& [field, holder] = found->second;
    Message* owner =
        holder == nullptr ? message : message->GetReflection()->MutableMessage(message, holder);
    if (ExcludesOther(entry, path, *field, *owner)) continue;
    if (FieldRuleOf(*field).no_effect()) loaded_->no_effect.push_back(at);
    ReadField(entry.value, at, *field, owner);
  }
  CheckPresence(path, type, seen, refused);
}

bool Reader::IsNew(const YamlEntry& entry, const std::string& path, Seen* seen) {
  const auto [first, is_new] = seen->emplace(entry.key, entry.line);
  if (!is_new) {
    log_->Add(
        entry.line, path,
        absl::StrCat("is there twice: first in line ", loaded_->sources.At(first->second).line));
    return false;
  }
  loaded_->lines[path] = entry.line;
  return true;
}

void Reader::RefuseKey(const YamlEntry& entry, const std::string& path, const Descriptor& type) {
  const std::string at = Join(path, entry.key);
  if (absl::c_linear_search(LaterKeysOf(type), entry.key)) {
    log_->Add(entry.line, at, absl::StrCat("\"", at, "\" is not in this version"));
    return;
  }
  std::vector<std::string> names;
  for (const SchemaKey& key : KeysOf(type)) names.push_back(key.field->name());
  const std::string nearest = Nearest(entry.key, names);
  if (nearest.empty()) {
    log_->Add(entry.line, at,
              absl::StrCat("is not a key; the keys here are: ", absl::StrJoin(names, ", ")));
  } else {
    log_->Add(entry.line, at, "is not a key", nearest);
  }
}

// At most one of a oneof: the first stays.
bool Reader::ExcludesOther(const YamlEntry& entry, const std::string& path,
                           const FieldDescriptor& field, const Message& message) {
  const OneofDescriptor* oneof = field.real_containing_oneof();
  if (oneof == nullptr || !message.GetReflection()->HasOneof(message, oneof)) return false;
  const FieldDescriptor* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
  log_->Add(entry.line, Join(path, entry.key),
            absl::StrCat("cannot stand beside \"", other->name(), "\": keep one of them"));
  return true;
}

void Reader::CheckPresence(const std::string& path, const Descriptor& type, const Seen& seen,
                           bool refused) {
  for (const SchemaKey& key : KeysOf(type)) {
    if (FieldRuleOf(*key.field).required() && !seen.contains(key.field->name())) {
      Refuse(Join(path, key.field->name()), "is missing, and must be there");
    }
  }
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& oneof = *type.oneof_decl(i);
    if (!oneof.options().GetExtension(v1::exactly_one)) continue;
    std::vector<std::string> names;
    bool one = false;
    for (int j = 0; j < oneof.field_count(); ++j) {
      names.push_back(oneof.field(j)->name());
      one = one || seen.contains(oneof.field(j)->name());
    }
    // A key that was refused was probably meant to be the one.
    if (!one && !refused) {
      Refuse(path, absl::StrCat("needs one of these keys: ", absl::StrJoin(names, ", ")));
    }
  }
}

void Reader::ReadField(const YamlValue& value, const std::string& path,
                       const FieldDescriptor& field, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (value.kind == Kind::kNull) {
    Refuse(path,
           field.message_type() != nullptr && !IsDuration(field)
               ? "has no value: write {} or [] if nothing is to be in it, or leave the key out"
               : "has no value: write one, or leave the key out for the default");
  } else if (field.is_map()) {
    ReadMap(value, path, field, message);
  } else if (field.is_repeated()) {
    ReadList(value, path, field, message);
  } else if (FieldRuleOf(field).list()) {
    Message* wrapper = reflection.MutableMessage(message, &field);
    ReadList(value, path, *wrapper->GetDescriptor()->field(0), wrapper);
  } else if (field.message_type() == nullptr || IsDuration(field)) {
    ReadScalar(value, path, field, message);
  } else if (IsSecret(field)) {
    ReadSecret(value, path, reflection.MutableMessage(message, &field));
  } else {
    ReadMessage(value, path, reflection.MutableMessage(message, &field));
  }
}

void Reader::ReadList(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                      Message* message) {
  if (value.kind != Kind::kList) {
    Refuse(path, "must be a list: write [ITEM, ITEM], or [] for none");
    return;
  }
  const std::string& max = FieldRuleOf(field).max_items();
  if (!max.empty() && static_cast<int64_t>(value.items.size()) > *ReadInteger(max)) {
    Refuse(path, absl::StrCat("has ", value.items.size(), " items, and may have at most ", max));
  }
  for (size_t i = 0; i < value.items.size(); ++i) {
    const YamlValue& item = value.items[i];
    const std::string at = absl::StrCat(path, "[", i, "]");
    loaded_->lines[at] = item.line;
    if (field.message_type() != nullptr) {
      ReadMessage(item, at, message->GetReflection()->AddMessage(message, &field));
    } else if (item.kind == Kind::kScalar && !item.text.empty()) {
      CheckWord(item, at, FieldRuleOf(field));
      message->GetReflection()->AddString(message, &field, item.text);
    } else {
      Refuse(at, "must be a text that is not empty");
      // Its place is kept, so that later problems name the right items.
      message->GetReflection()->AddString(message, &field, "");
    }
  }
}

void Reader::ReadMap(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                     Message* message) {
  const std::string& what = FieldRuleOf(field).map_key();
  if (value.kind != Kind::kMap) {
    Refuse(path, absl::StrCat("must be a map: write { KEY: VALUE }, where KEY is the ", what));
    return;
  }
  const FieldDescriptor* key_field = field.message_type()->map_key();
  const FieldDescriptor* value_field = field.message_type()->map_value();
  Seen seen;
  for (const YamlEntry& entry : value.entries) {
    const std::string at = Join(path, entry.key);
    if (!IsNew(entry, at, &seen)) continue;
    if (entry.key.empty()) {
      log_->Add(entry.line, at, absl::StrCat("the ", what, " is empty"));
      continue;
    }
    Message* pair = message->GetReflection()->AddMessage(message, &field);
    pair->GetReflection()->SetString(pair, key_field, entry.key);
    if (value_field->message_type() != nullptr) {
      ReadMessage(entry.value, at, pair->GetReflection()->MutableMessage(pair, value_field));
    } else if (entry.value.kind == Kind::kScalar) {
      pair->GetReflection()->SetString(pair, value_field, entry.value.text);
    } else {
      Refuse(at, "must be a text");
    }
  }
}

// Nothing of what stands here is ever repeated: it may be the secret itself.
void Reader::ReadSecret(const YamlValue& value, const std::string& path, Message* message) {
  constexpr char kHow[] =
      "a secret is not written here, only where it is: { env: NAME } or { file: PATH }";
  const bool one = value.kind == Kind::kMap && value.entries.size() == 1;
  const YamlEntry* entry = one ? &value.entries[0] : nullptr;
  if (!one || (entry->key != "env" && entry->key != "file") || entry->value.kind != Kind::kScalar ||
      entry->value.text.empty()) {
    Refuse(path, kHow);
    return;
  }
  auto* ref = static_cast<v1::SecretRef*>(message);
  (entry->key == "env" ? *ref->mutable_env() : *ref->mutable_file()) = entry->value.text;
  secrets_.push_back({path, *ref});
}

void Reader::ReadScalar(const YamlValue& value, const std::string& path,
                        const FieldDescriptor& field, Message* message) {
  if (value.kind != Kind::kScalar) {
    Refuse(path, "must be a single value, not a list or map");
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    ReadString(value, path, field, message);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    ReadEnum(value, path, field, message);
  } else if (const absl::Status status = ReadFlagOrNumber(value, field, message); !status.ok()) {
    Refuse(path, status.message());
  }
}

void Reader::ReadString(const YamlValue& value, const std::string& path,
                        const FieldDescriptor& field, Message* message) {
  const v1::FieldRule& rule = FieldRuleOf(field);
  if (value.text.empty() && !field.has_presence()) {
    Refuse(path, "is empty: write a text, or leave the key out");
    return;
  }
  for (const std::string& later : rule.later_values()) {
    if (value.text == later) {
      Refuse(path, absl::StrCat("\"", path, ": ", later, "\" is not in this version"));
      return;
    }
  }
  if (CheckWord(value, path, rule))
    message->GetReflection()->SetString(message, &field, value.text);
}

// Is it one of the texts that the rule allows?
bool Reader::CheckWord(const YamlValue& value, const std::string& path, const v1::FieldRule& rule) {
  if (rule.values().empty() || absl::c_linear_search(rule.values(), value.text)) return true;
  const std::vector<std::string> names(rule.values().begin(), rule.values().end());
  Refuse(path, absl::StrCat(Shown(value.text), " is none of: ", absl::StrJoin(names, ", ")),
         Nearest(value.text, names));
  return false;
}

void Reader::ReadEnum(const YamlValue& value, const std::string& path, const FieldDescriptor& field,
                      Message* message) {
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const EnumValueDescriptor* one = field.enum_type()->value(i);
    if (!value.text.empty() && WrittenName(*one) == value.text) {
      message->GetReflection()->SetEnum(message, &field, one);
      return;
    }
  }
  const std::vector<std::string> names = WrittenNames(*field.enum_type());
  Refuse(path, absl::StrCat(Shown(value.text), " is none of: ", absl::StrJoin(names, ", ")),
         Nearest(value.text, names));
}

absl::Status Reader::ReadFlagOrNumber(const YamlValue& value, const FieldDescriptor& field,
                                      Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const v1::FieldRule& rule = FieldRuleOf(field);
  if (IsDuration(field)) {
    const auto read = ReadWithin(value, rule, &ReadDuration);
    if (!read.ok()) return read.status();
    auto* duration =
        static_cast<google::protobuf::Duration*>(reflection.MutableMessage(message, &field));
    const int64_t nanos = absl::ToInt64Nanoseconds(*read);
    duration->set_seconds(nanos / 1'000'000'000);
    duration->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
    return absl::OkStatus();
  }
  if (value.quoted && !rule.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is a text: write ",
        field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL ? "true or false" : "the number",
        " without quotes"));
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: {
      if (value.text != "true" && value.text != "false") {
        return absl::InvalidArgumentError(
            absl::StrCat(Shown(value.text), " is neither true nor false"));
      }
      reflection.SetBool(message, &field, value.text == "true");
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto read = ReadWithin(value, rule, &ReadInteger);
      if (read.ok()) reflection.SetInt32(message, &field, static_cast<int32_t>(*read));
      return read.status();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const auto read = ReadWithin(value, rule, &ReadSize);
      if (read.ok()) reflection.SetUInt64(message, &field, *read);
      return read.status();
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const auto read = ReadWithin(value, rule, &ReadNumber);
      if (read.ok()) reflection.SetDouble(message, &field, *read);
      return read.status();
    }
    default:
      MG_CHECK(false, "config.proto has a type that the loader cannot read");
  }
}

}  // namespace

std::vector<SecretPlace> ReadConfig(const YamlValue& root, LoadedConfig* loaded, ProblemLog* log) {
  Reader reader(loaded, log);
  reader.ReadMessage(root, "", &loaded->config);
  return reader.TakeSecrets();
}

// Through the same door as what is written, so that a default obeys its own rule.
void ReadDefaults(Message* message) {
  YamlValue map;
  map.kind = Kind::kMap;
  for (const SchemaKey& key : KeysOf(*message->GetDescriptor())) {
    const v1::FieldRule& rule = FieldRuleOf(*key.field);
    const bool single = !key.field->is_repeated() &&
                        (key.field->message_type() == nullptr || IsDuration(*key.field));
    if (!single || rule.default_().empty()) continue;
    YamlEntry entry{key.field->name(), 0, {}};
    entry.value.kind = Kind::kScalar;
    entry.value.text = rule.default_();
    map.entries.push_back(std::move(entry));
  }
  LoadedConfig scratch;
  scratch.sources.Add("config.proto", "");
  ProblemLog log(&scratch.sources);
  Reader(&scratch, &log).ReadMessage(map, "", message);
  MG_CHECK(log.empty(), "a default of config.proto breaks its own rule");
}

}  // namespace mg
