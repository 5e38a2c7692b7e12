#include "adapters/dialects/anthropic_schema.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr int kMostOptional = 24;

template <size_t N>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

constexpr absl::string_view kNotTaken[] = {
    "minimum",    "maximum",     "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength",   "maxLength",        "pattern",
    "maxItems",   "uniqueItems", "minProperties",    "maxProperties",
    "not"};
constexpr absl::string_view kFormats[] = {
    "\"date-time\"", "\"time\"", "\"date\"", "\"duration\"", "\"email\"",
    "\"hostname\"",  "\"uri\"",  "\"ipv4\"", "\"ipv6\"",     "\"uuid\""};
constexpr absl::string_view kSchemasByName[] = {"properties", "$defs", "definitions"};
constexpr absl::string_view kLists[] = {"anyOf", "oneOf", "allOf", "prefixItems"};

bool IsTold(absl::string_view name, absl::string_view value) {
  if (name == "minItems") return value != "0" && value != "1";
  if (name == "format") return !IsOneOf(value, kFormats);
  return IsOneOf(name, kNotTaken);
}

// The description as a JSON string with `told` at its end.
std::string Described(absl::string_view description, const std::string& told) {
  std::string tail;
  AppendJsonString(absl::StrCat(description.size() > 2 ? "\n\n" : "", "{", told, "}"), &tail);
  if (description.size() <= 2) return tail;
  return absl::StrCat(description.substr(0, description.size() - 1), tail.substr(1));
}

void WriteSchema(absl::string_view schema, std::string* out);

void WriteList(absl::string_view list, std::string* out) {
  out->push_back('[');
  for (absl::string_view element : ElementTexts(list)) {
    if (out->back() != '[') out->push_back(',');
    WriteSchema(element, out);
  }
  out->push_back(']');
}

void WriteByName(absl::string_view object, std::string* out) {
  out->push_back('{');
  absl::string_view comma = "";
  ForEachMember(object, [&](absl::string_view name, absl::string_view schema) {
    absl::StrAppend(out, comma, "\"", name, "\":");
    comma = ",";
    WriteSchema(schema, out);
  });
  out->push_back('}');
}

void WriteMember(absl::string_view name, absl::string_view value, std::string* out) {
  absl::StrAppend(out, "\"", name == "oneOf" ? "anyOf" : name, "\":");
  if (IsOneOf(name, kLists) && absl::StartsWith(value, "[")) {
    WriteList(value, out);
  } else if (IsOneOf(name, kSchemasByName) && absl::StartsWith(value, "{")) {
    WriteByName(value, out);
  } else if (name == "items" || name == "additionalProperties") {
    WriteSchema(value, out);
  } else {
    out->append(value.data(), value.size());
  }
}

void WriteSchema(absl::string_view schema, std::string* out) {
  if (!absl::StartsWith(schema, "{")) {
    out->append(schema.data(), schema.size());
    return;
  }
  const bool both = !MemberText(schema, "anyOf").empty();
  const absl::string_view description = MemberText(schema, "description");
  std::string told;
  const auto is_told = [both](absl::string_view name, absl::string_view value) {
    return IsTold(name, value) || (both && name == "oneOf");
  };
  ForEachMember(schema, [&](absl::string_view name, absl::string_view value) {
    if (is_told(name, value)) absl::StrAppend(&told, told.empty() ? "" : ", ", name, ": ", value);
  });
  out->push_back('{');
  absl::string_view comma = "";
  ForEachMember(schema, [&](absl::string_view name, absl::string_view value) {
    if (is_told(name, value) || (name == "description" && !told.empty())) return;
    out->append(comma.data(), comma.size());
    comma = ",";
    WriteMember(name, value, out);
  });
  if (!told.empty()) {
    absl::StrAppend(out, comma, "\"description\":",
                    Described(absl::StartsWith(description, "\"") ? description : "", told));
    comma = ",";
  }
  if (!MemberText(schema, "properties").empty() &&
      MemberText(schema, "additionalProperties").empty()) {
    absl::StrAppend(out, comma, "\"additionalProperties\":false");
  }
  out->push_back('}');
}

}  // namespace

bool IsAnthropicSchema(const AnswerSchema& schema) {
  const AnswerSchema::Traits& traits = schema.traits();
  return !traits.recursive && !traits.free_members && traits.optional_members <= kMostOptional;
}

std::string ToAnthropicSchema(absl::string_view schema_json) {
  std::string out;
  WriteSchema(schema_json, &out);
  return out;
}

}  // namespace mg
