#include "daemon/query_fields.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// A JSON object on its way: values by name, or objects.
struct Object {
  std::map<std::string, std::vector<std::string>> values;  // JSON texts
  std::map<std::string, bool> lists;
  std::map<std::string, Object> objects;
};

// "%41+b" as "A b".
std::string Unescaped(absl::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (escape) {
      plain.append(absl::HexStringToBytes(text.substr(i + 1, 2)));
      i += 2;
    } else {
      plain.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return WithValidUtf8(plain);
}

const FieldDescriptor* FieldOf(const Descriptor& message, const std::string& name) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor* field = message.field(i);
    if (field->name() == name || field->json_name() == name) return field;
  }
  return nullptr;
}

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return FieldError(ErrorClass::kInvalidRequest, field, absl::StrCat(field, " ", what));
}

// A Duration or Timestamp is written as one value, like a number or a word.
bool IsValue(const FieldDescriptor& field) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return true;
  const std::string& name = field.message_type()->full_name();
  return name == "google.protobuf.Duration" || name == "google.protobuf.Timestamp";
}

std::string Quoted(const std::string& value) {
  std::string json;
  AppendJsonString(value, &json);
  return json;
}

absl::Status Add(const std::string& path, const std::string& value, const Descriptor& message,
                 Object* object) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  const Descriptor* type = &message;
  for (size_t i = 0; i < names.size(); ++i) {
    const FieldDescriptor* field = FieldOf(*type, names[i]);
    if (field == nullptr) return Wrong(path, absl::StrCat("is no field of ", message.name()));
    const bool last = i + 1 == names.size();
    if (field->is_map() && !last) {
      const std::string key =
          absl::StrJoin(names.begin() + static_cast<ptrdiff_t>(i) + 1, names.end(), ".");
      std::vector<std::string>& values = object->objects[field->name()].values[key];
      if (!values.empty()) return Wrong(path, "stands twice");
      values.push_back(Quoted(value));
      return absl::OkStatus();
    }
    if (last != (IsValue(*field) && !field->is_map())) {
      return Wrong(path, last ? "is a message: name one of its fields" : "has no fields");
    }
    if (!last) {
      if (field->is_repeated()) return Wrong(path, "is in a list, which needs a POST");
      object = &object->objects[field->name()];
      type = field->message_type();
      continue;
    }
    std::vector<std::string>& values = object->values[field->name()];
    if (!values.empty() && !field->is_repeated()) return Wrong(path, "stands twice");
    object->lists[field->name()] = field->is_repeated();
    values.push_back(Quoted(value));
  }
  return absl::OkStatus();
}

// No deeper than the proto's messages, which the paths follow.
std::string ToJson(const Object& object) {
  std::vector<std::string> members;
  for (const auto& [name, values] : object.values) {
    const auto list = object.lists.find(name);
    const bool is_list = list != object.lists.end() && list->second;
    members.push_back(is_list ? absl::StrCat(Quoted(name), ":[", absl::StrJoin(values, ","), "]")
                              : absl::StrCat(Quoted(name), ":", values[0]));
  }
  for (const auto& [name, inner] : object.objects) {
    members.push_back(absl::StrCat(Quoted(name), ":", ToJson(inner)));
  }
  return absl::StrCat("{", absl::StrJoin(members, ","), "}");
}

}  // namespace

absl::StatusOr<std::string> JsonOfQuery(absl::string_view target, const Descriptor& message) {
  const size_t mark = target.find('?');
  if (mark == absl::string_view::npos) return std::string();
  Object object;
  for (absl::string_view pair : absl::StrSplit(target.substr(mark + 1), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    absl::Status status = Add(Unescaped(parts.first), Unescaped(parts.second), message, &object);
    if (!status.ok()) return status;
  }
  return ToJson(object);
}

}  // namespace mg
