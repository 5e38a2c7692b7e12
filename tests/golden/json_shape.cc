#include "tests/golden/json_shape.h"

#include <algorithm>
#include <array>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace mg {
namespace {

// Members whose strings are words of the API.
constexpr auto kWords = std::to_array<absl::string_view>(
    {"type", "role", "mode", "effort", "reasoning_effort", "tool_choice", "format", "media_type",
     "ttl", "display", "thinkingLevel", "status", "input_type", "truncate", "encoding_format"});
// Members that hold what the caller made up.
constexpr auto kOpaque = std::to_array<absl::string_view>(
    {"parameters", "input_schema", "json", "schema", "parameters_json_schema",
     "parametersJsonSchema", "responseJsonSchema", "input", "args", "response"});

template <typename List>
bool Among(const List& list, absl::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool MeansNothing(const JsonValue& value) {
  if (value.IsObject()) return value.ObjectEmpty();
  if (value.IsArray()) return value.Empty();
  return value.IsNull() || (value.IsString() && value.GetStringLength() == 0);
}

bool IsOneTextBlock(const JsonValue& list) {
  if (list.Size() != 1 || !list[0].IsObject()) return false;
  const auto text = list[0].FindMember("text");
  if (text == list[0].MemberEnd() || !text->value.IsString()) return false;
  const absl::string_view type = StringMember(list[0], "type");
  return list[0].MemberCount() == (type == "text" || type == "input_text" ? 2u : 1u);
}

void Drop(JsonValue* value) {
  if (value->IsArray()) {
    if (IsOneTextBlock(*value)) {
      JsonValue text = std::move((*value)[0]["text"]);
      *value = std::move(text);
      return;
    }
    for (JsonValue& element : value->GetArray()) Drop(&element);
  }
  if (!value->IsObject()) return;
  for (auto member = value->MemberBegin(); member != value->MemberEnd();) {
    Drop(&member->value);
    member = MeansNothing(member->value) ? value->EraseMember(member) : member + 1;
  }
}

std::string Step(absl::string_view pointer, absl::string_view name) {
  return absl::StrCat(pointer, "/", absl::StrReplaceAll(name, {{"~", "~0"}, {"/", "~1"}}));
}

void Compare(const std::string& at, const JsonValue& a, const JsonValue& b,
             std::vector<std::string>* out) {
  if (a.IsObject() && b.IsObject()) {
    for (const auto& member : a.GetObject()) {
      const std::string next = Step(at, StringOf(member.name));
      const auto other = b.FindMember(member.name);
      if (other == b.MemberEnd()) {
        out->push_back(next);
      } else {
        Compare(next, member.value, other->value, out);
      }
    }
    for (const auto& member : b.GetObject()) {
      if (!a.HasMember(member.name)) out->push_back(Step(at, StringOf(member.name)));
    }
    return;
  }
  if (a.IsArray() && b.IsArray()) {
    for (rapidjson::SizeType i = 0; i < std::max(a.Size(), b.Size()); ++i) {
      const std::string next = absl::StrCat(at, "/", i);
      if (i < a.Size() && i < b.Size()) {
        Compare(next, a[i], b[i], out);
      } else {
        out->push_back(next);
      }
    }
    return;
  }
  if (a != b) out->push_back(at);
}

void Describe(const std::string& at, absl::string_view name, const JsonValue& value,
              std::set<std::string>* out) {
  if (value.IsObject() && !(Among(kOpaque, name) && !value.HasMember("converse"))) {
    for (const auto& member : value.GetObject()) {
      const absl::string_view next = StringOf(member.name);
      Describe(Step(at, next), next, member.value, out);
    }
    return;
  }
  if (value.IsArray()) {
    for (const JsonValue& element : value.GetArray()) Describe(at + "/*", name, element, out);
    return;
  }
  absl::string_view type = value.IsObject()   ? "an object"
                           : value.IsString() ? "a string"
                           : value.IsNumber() ? "a number"
                                              : "true or false";
  if (value.IsString() && Among(kWords, name)) type = StringOf(value);
  out->insert(absl::StrCat(at, ": ", type));
}

}  // namespace

void DropWhatMeansNothing(JsonDocument* body) {
  Drop(body);
  const auto stream = body->FindMember("stream");
  if (stream != body->MemberEnd() && stream->value.IsFalse()) body->EraseMember(stream);
  const auto n = body->FindMember("n");
  if (n != body->MemberEnd() && n->value == 1) body->EraseMember(n);
}

std::vector<std::string> Differences(const JsonValue& a, const JsonValue& b) {
  std::vector<std::string> pointers;
  Compare("", a, b, &pointers);
  return pointers;
}

std::string PatternOf(absl::string_view pointer) {
  std::vector<std::string> steps = absl::StrSplit(pointer, '/');
  for (std::string& step : steps) {
    const bool index = !step.empty() && std::all_of(step.begin(), step.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
    if (index) step = "*";
  }
  return absl::StrJoin(steps, "/");
}

std::string ShapeOf(const JsonValue& body) {
  std::set<std::string> lines;
  Describe("", "", body, &lines);
  return absl::StrJoin(lines, "\n");
}

}  // namespace mg
