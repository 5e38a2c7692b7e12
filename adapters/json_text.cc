#include "adapters/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace mg {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr double kLargestExactInteger = 9007199254740992.0;  // 2^53

std::vector<const std::string*> SortedNames(const Struct& settings) {
  std::vector<const std::string*> names;
  names.reserve(settings.fields().size());
  for (const auto& [name, value] : settings.fields()) names.push_back(&name);
  std::sort(names.begin(), names.end(), [](const auto* a, const auto* b) { return *a < *b; });
  return names;
}

absl::Status AppendStructAt(const Struct& settings, int depth, std::string* out);

absl::Status AppendValueAt(const Value& value, int depth, std::string* out) {
  switch (value.kind_case()) {
    case Value::kNumberValue:
      if (!std::isfinite(value.number_value())) {
        return absl::InvalidArgumentError("a number that JSON does not have");
      }
      AppendJsonNumber(value.number_value(), out);
      return absl::OkStatus();
    case Value::kStringValue:
      AppendJsonString(value.string_value(), out);
      return absl::OkStatus();
    case Value::kBoolValue:
      out->append(value.bool_value() ? "true" : "false");
      return absl::OkStatus();
    case Value::kStructValue:
      return AppendStructAt(value.struct_value(), depth, out);
    case Value::kListValue: {
      if (depth <= 0) return absl::InvalidArgumentError("nested too deep");
      out->push_back('[');
      bool first = true;
      for (const Value& element : value.list_value().values()) {
        if (!first) out->push_back(',');
        first = false;
        if (auto status = AppendValueAt(element, depth - 1, out); !status.ok()) return status;
      }
      out->push_back(']');
      return absl::OkStatus();
    }
    case Value::kNullValue:
    case Value::KIND_NOT_SET:
      out->append("null");
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status AppendStructAt(const Struct& settings, int depth, std::string* out) {
  if (depth <= 0) return absl::InvalidArgumentError("nested too deep");
  out->push_back('{');
  for (const std::string* name : SortedNames(settings)) {
    AppendJsonKey(*name, out);
    if (auto status = AppendValueAt(settings.fields().at(*name), depth - 1, out); !status.ok()) {
      return status;
    }
  }
  out->push_back('}');
  return absl::OkStatus();
}

absl::Status MergeAt(absl::string_view text, const Struct& settings, int depth,
                     const std::string& path, std::string* out) {
  absl::Status status;
  if (depth <= 0) return absl::OutOfRangeError(path);
  out->push_back('{');
  ForEachMember(text, [&](absl::string_view name, absl::string_view value) {
    if (!status.ok()) return;
    if (out->back() != '{') out->push_back(',');
    absl::StrAppend(out, "\"", name, "\":");  // as written: its escapes stay
    const auto found = settings.fields().find(std::string(name));
    if (found == settings.fields().end()) {
      out->append(value.data(), value.size());
      return;
    }
    const std::string member = absl::StrCat(path, ".", name);
    if (value[0] == '{' && found->second.has_struct_value()) {
      status = MergeAt(value, found->second.struct_value(), depth - 1, member, out);
    } else {
      status = absl::InvalidArgumentError(member);
    }
  });
  if (!status.ok()) return status;
  for (const std::string* name : SortedNames(settings)) {
    if (!MemberText(text, *name).empty()) continue;
    AppendJsonKey(*name, out);
    if (!AppendValueAt(settings.fields().at(*name), depth - 1, out).ok()) {
      return absl::OutOfRangeError(absl::StrCat(path, ".", *name));
    }
  }
  out->push_back('}');
  return absl::OkStatus();
}

size_t SkipSpace(absl::string_view text, size_t at) {
  while (at < text.size() && absl::ascii_isspace(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

// `at` is at the opening quote; returns the place behind the closing one.
size_t SkipString(absl::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

size_t SkipValue(absl::string_view text, size_t at) {
  if (at >= text.size()) return at;
  if (text[at] == '"') return SkipString(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' &&
           !absl::ascii_isspace(static_cast<unsigned char>(text[at]))) {
      ++at;
    }
    return at;
  }
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = SkipString(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

}  // namespace

void AppendJsonNumber(double value, std::string* out) {
  if (value == std::floor(value) && std::fabs(value) <= kLargestExactInteger) {
    absl::StrAppend(out, static_cast<int64_t>(value));
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, static_cast<size_t>(end.ptr - buffer));
}

void AppendJsonKey(absl::string_view name, std::string* out) {
  if (out->back() != '{') out->push_back(',');
  AppendJsonString(name, out);
  out->push_back(':');
}

absl::Status AppendStruct(const Struct& settings, std::string* out) {
  return AppendStructAt(settings, kMaxStructDepth, out);
}

absl::Status MergeIntoObject(absl::string_view text, const Struct& settings, std::string* out) {
  return MergeAt(text, settings, kMaxStructDepth, "", out);
}

void LayOver(const Struct& over, Struct* base) {
  for (const auto& [name, value] : over.fields()) {
    Value& below = (*base->mutable_fields())[name];
    if (value.has_struct_value() && below.has_struct_value()) {
      LayOver(value.struct_value(), below.mutable_struct_value());
    } else {
      below = value;
    }
  }
}

void ForEachMember(absl::string_view object,
                   absl::FunctionRef<void(absl::string_view, absl::string_view)> visit) {
  size_t at = SkipSpace(object, 0);
  if (at >= object.size() || object[at] != '{') return;
  at = SkipSpace(object, at + 1);
  while (at < object.size() && object[at] == '"') {
    const size_t name_end = SkipString(object, at);
    const absl::string_view name = object.substr(at + 1, name_end - at - 2);
    at = SkipSpace(object, SkipSpace(object, name_end) + 1);  // behind the colon
    const size_t value_end = SkipValue(object, at);
    visit(name, object.substr(at, value_end - at));
    at = SkipSpace(object, value_end);
    if (at >= object.size() || object[at] != ',') return;
    at = SkipSpace(object, at + 1);
  }
}

absl::string_view MemberText(absl::string_view object, absl::string_view name) {
  absl::string_view found;
  ForEachMember(object, [&](absl::string_view each, absl::string_view value) {
    if (found.empty() && each == name) found = value;
  });
  return found;
}

std::vector<absl::string_view> ElementTexts(absl::string_view array) {
  std::vector<absl::string_view> elements;
  size_t at = SkipSpace(array, 0);
  if (at >= array.size() || array[at] != '[') return elements;
  while (at < array.size()) {
    at = SkipSpace(array, at + 1);  // behind the bracket or the comma
    const size_t end = SkipValue(array, at);
    if (end == at) break;
    elements.push_back(array.substr(at, end - at));
    at = SkipSpace(array, end);
    if (at >= array.size() || array[at] != ',') break;
  }
  return elements;
}

void ToStructValue(const JsonValue& json, int depth, Value* value) {
  if (json.IsNull()) {
    value->set_null_value(google::protobuf::NULL_VALUE);
  } else if (json.IsBool()) {
    value->set_bool_value(json.GetBool());
  } else if (json.IsNumber()) {
    value->set_number_value(json.GetDouble());
  } else if (json.IsString()) {
    value->set_string_value(json.GetString(), json.GetStringLength());
  } else if (depth <= 0) {
    value->set_string_value(ToJsonText(json));
  } else if (json.IsArray()) {
    auto* list = value->mutable_list_value();
    for (const JsonValue& element : json.GetArray()) {
      ToStructValue(element, depth - 1, list->add_values());
    }
  } else {
    auto* fields = value->mutable_struct_value()->mutable_fields();
    for (const auto& member : json.GetObject()) {
      ToStructValue(member.value, depth - 1, &(*fields)[std::string(StringOf(member.name))]);
    }
  }
}

absl::Status CheckJsonObject(absl::string_view text, absl::string_view* object, bool* empty) {
  JsonDocument document;
  if (auto status = ParseJson(text, &document); !status.ok()) return status;
  if (!document.IsObject()) return absl::InvalidArgumentError("JSON, but no object");
  *object = absl::StripAsciiWhitespace(text);
  *empty = document.MemberCount() == 0;
  return absl::OkStatus();
}

}  // namespace mg
