#include "daemon/config/effective_text.h"

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "daemon/config/effective.h"
#include "daemon/config/schema.h"
#include "daemon/config/written.h"

namespace mg {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsSingle(const FieldDescriptor& field) {
  return !field.is_repeated() && !FieldRuleOf(field).list() &&
         (field.message_type() == nullptr ||
          field.message_type() == google::protobuf::Duration::descriptor() ||
          field.message_type() == v1::SecretRef::descriptor());
}

// A section of a group, candidate or provider that inherits, key by key, from that of its name at
// the top.
bool Inherits(const FieldDescriptor& field, int depth) {
  const FieldDescriptor* top = v1::Config::descriptor()->FindFieldByName(field.name());
  return depth > 0 && top != nullptr && !top->is_repeated() && top->message_type() != nullptr;
}

// A section that holds something where it is absent: its defaults.
bool IsSection(const FieldDescriptor& field) {
  return field.message_type() != nullptr && !IsSingle(field) && !field.is_repeated() &&
         !FieldRuleOf(field).list() && field.real_containing_oneof() == nullptr;
}

// A key whose default may not be written beside what its owner says.
bool IsRefusedBeside(const Message& owner, const FieldDescriptor& field) {
  return field.number() == v1::GroupConfig::kMissingKeyFieldNumber &&
         owner.GetDescriptor() == v1::GroupConfig::descriptor() &&
         StrategyOf(static_cast<const v1::GroupConfig&>(owner)) != Strategy::kWeightedHash;
}

class Writer {
 public:
  explicit Writer(const LoadedConfig& loaded) : loaded_(loaded) {}

  // `defaults`: of what is absent.
  void WriteKeys(const Message& message, const std::string& path, int depth, bool defaults) {
    for (const SchemaKey& key : KeysOf(*message.GetDescriptor())) {
      const Message& owner = key.holder == nullptr
                                 ? message
                                 : message.GetReflection()->GetMessage(message, key.holder);
      WriteKey(owner, *key.field, Join(path, key.field->name()), depth, defaults);
    }
  }
  std::string Take() { return std::move(text_); }

 private:
  static std::string Join(const std::string& path, const std::string& key) {
    return path.empty() ? key : absl::StrCat(path, ".", key);
  }

  bool IsThere(const Message& owner, const FieldDescriptor& field, const std::string& path) const {
    if (field.is_repeated()) return owner.GetReflection()->FieldSize(owner, &field) > 0;
    return loaded_.lines.contains(path) || (owner.GetReflection()->HasField(owner, &field));
  }

  void WriteKey(const Message& owner, const FieldDescriptor& field, const std::string& path,
                int depth, bool defaults) {
    const v1::FieldRule& rule = FieldRuleOf(field);
    const std::string& name = field.name();
    if (!IsThere(owner, field, path)) {
      if (IsRefusedBeside(owner, field)) return;
      if (defaults && !rule.default_().empty()) {
        Line(depth, absl::StrCat(name, ": ", rule.default_()), "default");
      } else if (defaults && IsSection(field) && !Inherits(field, depth)) {
        WriteSection(owner.GetReflection()->GetMessage(owner, &field), name, path, depth, true);
      }
    } else if (IsSingle(field)) {
      Line(depth, absl::StrCat(name, ": ", WrittenValue(owner, field)), PlaceOf(path));
    } else if (field.is_map()) {
      WriteMap(owner, field, path, depth);
    } else if (field.is_repeated()) {
      WriteList(owner, field, name, path, depth);
    } else if (rule.list()) {
      const Message& list = owner.GetReflection()->GetMessage(owner, &field);
      WriteList(list, *list.GetDescriptor()->field(0), name, path, depth);
    } else {
      const Message& section = owner.GetReflection()->GetMessage(owner, &field);
      WriteSection(section, name, path, depth, defaults && !Inherits(field, depth));
    }
  }

  void WriteSection(const Message& section, const std::string& name, const std::string& path,
                    int depth, bool defaults) {
    const size_t head = text_.size();
    absl::StrAppend(&text_, Indent(depth), name, ":\n");
    const size_t body = text_.size();
    WriteKeys(section, path, depth + 1, defaults);
    if (text_.size() != body) return;
    text_.resize(head);
    if (loaded_.lines.contains(path)) Line(depth, absl::StrCat(name, ": {}"), PlaceOf(path));
  }

  void WriteMap(const Message& owner, const FieldDescriptor& field, const std::string& path,
                int depth) {
    absl::StrAppend(&text_, Indent(depth), field.name(), ":\n");
    const Reflection& reflection = *owner.GetReflection();
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    std::vector<std::pair<std::string, const Message*>> entries;
    for (int i = 0; i < reflection.FieldSize(owner, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(owner, &field, i);
      entries.emplace_back(entry.GetReflection()->GetString(entry, &key), &entry);
    }
    std::sort(entries.begin(), entries.end());
    for (const auto& [name, entry] : entries) {
      const std::string at = Join(path, name);
      if (value.message_type() == nullptr) {
        Line(depth + 1, absl::StrCat(WrittenText(name), ": ", WrittenValue(*entry, value)),
             PlaceOf(at));
      } else {
        WriteSection(entry->GetReflection()->GetMessage(*entry, &value), WrittenText(name), at,
                     depth + 1, true);
      }
    }
  }

  void WriteList(const Message& owner, const FieldDescriptor& field, const std::string& name,
                 const std::string& path, int depth) {
    const int size = owner.GetReflection()->FieldSize(owner, &field);
    if (field.message_type() == nullptr) {
      std::vector<std::string> items;
      items.reserve(static_cast<size_t>(size));
      for (int i = 0; i < size; ++i) items.push_back(WrittenValue(owner, field, i));
      Line(depth, absl::StrCat(name, ": [", absl::StrJoin(items, ", "), "]"), PlaceOf(path));
      return;
    }
    absl::StrAppend(&text_, Indent(depth), name, ":\n");
    for (int i = 0; i < size; ++i) WriteItem(owner, field, path, i, depth + 1);
  }

  // The first key of an item stands behind its dash.
  void WriteItem(const Message& owner, const FieldDescriptor& field, const std::string& path,
                 int index, int depth) {
    const size_t begin = text_.size();
    const std::string at = absl::StrCat(path, "[", index, "]");
    WriteKeys(owner.GetReflection()->GetRepeatedMessage(owner, &field, index), at, depth + 1, true);
    const std::string indent = Indent(depth);
    if (text_.size() == begin) {
      Line(depth, "- {}", PlaceOf(at));
    } else {
      text_.replace(begin + indent.size(), 2, "- ");
    }
  }

  std::string PlaceOf(const std::string& path) const {
    const auto found = loaded_.lines.find(path);
    if (found == loaded_.lines.end()) return "env";
    const SourceLines::Place place = loaded_.sources.At(found->second);
    return absl::StrCat(place.file, ":", place.line);
  }

  static std::string Indent(int depth) { return std::string(static_cast<size_t>(depth) * 2, ' '); }

  void Line(int depth, const std::string& text, const std::string& place) {
    absl::StrAppend(&text_, Indent(depth), text, "  # ", place, "\n");
  }

  const LoadedConfig& loaded_;
  std::string text_;
};

}  // namespace

std::string EffectiveText(const LoadedConfig& loaded) {
  Writer writer(loaded);
  writer.WriteKeys(loaded.config, "", 0, true);
  return writer.Take();
}

}  // namespace mg
