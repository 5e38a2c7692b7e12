#include "adapters/metadata.h"

#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr size_t kMaxMembers = 64;    // of one object: names could be endless
constexpr size_t kMaxHeld = 1 << 20;  // of all objects: there is one for each choice
constexpr int kMaxDepth = 8;

using google::protobuf::Struct;

void WriteMembers(const std::map<std::string, std::string>& members, size_t* room, Struct* out) {
  for (const auto& [name, text] : members) {
    const size_t size = name.size() + text.size() + 4;
    if (size > *room) continue;
    if (text[0] == '"' && text.find('\\') == std::string::npos) {
      (*out->mutable_fields())[name].set_string_value(text.substr(1, text.size() - 2));
    } else {
      JsonDocument value;
      if (!ParseJson(text, &value).ok()) continue;
      ToStructValue(value, kMaxDepth, &(*out->mutable_fields())[name]);
    }
    *room -= size;
  }
}

}  // namespace

void AnswerMetadata::KeepIn(Members* members, absl::string_view name, const JsonValue& value) {
  if (value.IsNull() || name.size() > 256) return;
  if (value.IsString() && value.GetStringLength() == 0) return;
  std::string key(name);
  if (members->size() >= kMaxMembers && members->find(key) == members->end()) return;
  std::string text;
  if (value.IsString()) {
    AppendJsonString(StringOf(value), &text);  // mostly, and again with each event
  } else {
    text = ToJsonText(value);
  }
  std::string& kept = (*members)[key];
  bytes_ -= kept.size();
  if (text.size() > kMaxMetadataBytes || bytes_ + text.size() > kMaxHeld) {
    members->erase(key);  // the last value is the one that counts, and it does not fit
    return;
  }
  bytes_ += text.size();
  kept = std::move(text);
}

bool AnswerMetadata::Write(Struct* out) const {
  size_t room = kMaxMetadataBytes;
  WriteMembers(answer_, &room, out);
  Struct usage;
  WriteMembers(usage_, &room, &usage);
  if (!usage.fields().empty()) *(*out->mutable_fields())["usage"].mutable_struct_value() = usage;
  std::map<int, Struct> choices;
  for (const auto& [index, members] : choices_) WriteMembers(members, &room, &choices[index]);
  for (const auto& [index, members] : messages_) {
    Struct message;
    WriteMembers(members, &room, &message);
    if (message.fields().empty()) continue;
    auto& fields = *choices[index].mutable_fields();
    *fields["message"].mutable_struct_value() = std::move(message);
  }
  for (auto& [index, choice] : choices) {
    if (choice.fields().empty()) continue;
    (*choice.mutable_fields())["index"].set_number_value(index);
    *(*out->mutable_fields())["choices"]
         .mutable_list_value()
         ->add_values()
         ->mutable_struct_value() = std::move(choice);
  }
  return !out->fields().empty();
}

}  // namespace mg
