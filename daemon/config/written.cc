#include "daemon/config/written.h"

#include <google/protobuf/duration.pb.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/utf8.h"
#include "daemon/config/effective.h"
#include "daemon/config/schema.h"

namespace mg {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string WrittenSecret(const v1::SecretRef& secret) {
  return secret.has_env() ? absl::StrCat("{ env: ", WrittenText(secret.env()), " }")
                          : absl::StrCat("{ file: ", WrittenText(secret.file()), " }");
}

std::string WrittenMessage(const Message& value) {
  if (value.GetDescriptor() == v1::SecretRef::descriptor()) {
    return WrittenSecret(static_cast<const v1::SecretRef&>(value));
  }
  return WrittenDuration(ToDuration(static_cast<const google::protobuf::Duration&>(value)));
}

// Words that YAML takes for something else.
bool IsWordOfYaml(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (const absl::string_view word : {"null", "true", "false", "yes", "no", "on", "off"}) {
    if (lower == word) return true;
  }
  return false;
}

}  // namespace

std::string WrittenDuration(absl::Duration duration) {
  return duration == absl::ZeroDuration() ? "0s" : absl::FormatDuration(duration);
}

std::string WrittenSize(uint64_t bytes) {
  constexpr std::pair<const char*, int> kUnits[] = {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}};
  for (const auto& [unit, bits] : kUnits) {
    if (bytes != 0 && bytes % (uint64_t{1} << bits) == 0) return absl::StrCat(bytes >> bits, unit);
  }
  return absl::StrCat(bytes);
}

std::string WrittenText(absl::string_view text) {
  bool plain = !text.empty() && absl::ascii_isalpha(static_cast<unsigned char>(text[0])) &&
               !IsWordOfYaml(text);
  for (const char c : text) {
    plain = plain && (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      absl::string_view("_-./").find(c) != absl::string_view::npos);
  }
  if (plain) return std::string(text);
  std::string quoted;
  AppendJsonString(WithValidUtf8(text), &quoted);
  return quoted;
}

std::string WrittenValue(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool item = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return WrittenSize(reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return WrittenName(*reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return WrittenMessage(item ? reflection.GetRepeatedMessage(message, &field, index)
                                 : reflection.GetMessage(message, &field));
    default:
      return WrittenText(item ? reflection.GetRepeatedString(message, &field, index)
                              : reflection.GetString(message, &field));
  }
}

}  // namespace mg
