#include "tests/support/strict/faults.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mg {

const JsonValue& ListMember(const JsonValue& value, absl::string_view name) {
  static const JsonValue none(rapidjson::kArrayType);
  const JsonValue* list = Member(value, name);
  return list != nullptr && list->IsArray() ? *list : none;
}

bool IsBlankText(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

bool IsWord(absl::string_view text, size_t longest, absl::string_view more) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [more](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  more.find(c) != absl::string_view::npos;
         });
}

bool IsBase64(absl::string_view text) {
  std::string bytes;
  return !text.empty() && absl::Base64Unescape(text, &bytes);
}

bool Among(absl::string_view word, Names words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void Faults::Add(absl::string_view at, absl::string_view text) {
  list_.push_back(absl::StrCat(at, ": ", text));
}

void Faults::Known(const JsonValue& object, absl::string_view at, Names names) {
  if (!object.IsObject()) return Add(at, "no object");
  for (const auto& member : object.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (!Among(name, names)) Add(absl::StrCat(at, "/", name), "an unknown member");
  }
}

absl::string_view Faults::OneOf(const JsonValue& object, absl::string_view at, Names names) {
  absl::string_view first;
  int found = 0;
  for (absl::string_view name : names) {
    if (Member(object, name) == nullptr) continue;
    if (found++ == 0) first = name;
  }
  if (found != 1) Add(at, absl::StrCat("not exactly one of ", absl::StrJoin(names, ", ")));
  return first;
}

void Faults::Word(const JsonValue& object, absl::string_view at, absl::string_view name,
                  Names words) {
  const JsonValue* value = Member(object, name);
  if (value == nullptr) return;
  if (value->IsString() && Among(StringOf(*value), words)) return;
  Add(absl::StrCat(at, "/", name), absl::StrCat("none of ", absl::StrJoin(words, ", ")));
}

void Faults::Range(const JsonValue& object, absl::string_view at, absl::string_view name,
                   double least, double most) {
  const JsonValue* value = Member(object, name);
  if (value == nullptr) return;
  if (value->IsNumber() && value->GetDouble() >= least && value->GetDouble() <= most) return;
  Add(absl::StrCat(at, "/", name), absl::StrCat("not ", least, " to ", most));
}

void Faults::Whole(const JsonValue& object, absl::string_view at, absl::string_view name,
                   double least) {
  const JsonValue* value = Member(object, name);
  if (value == nullptr) return;
  if ((value->IsInt64() || value->IsUint64()) && value->GetDouble() >= least) return;
  Add(absl::StrCat(at, "/", name), absl::StrCat("no whole number from ", least));
}

void Faults::Flag(const JsonValue& object, absl::string_view at, absl::string_view name) {
  const JsonValue* value = Member(object, name);
  if (value != nullptr && !value->IsBool())
    Add(absl::StrCat(at, "/", name), "neither true nor false");
}

void Faults::Texts(const JsonValue& object, absl::string_view at, absl::string_view name,
                   size_t most) {
  const JsonValue* list = Member(object, name);
  if (list == nullptr) return;
  const std::string place = absl::StrCat(at, "/", name);
  if (list->IsString() && !StringOf(*list).empty()) return;
  if (!list->IsArray() || list->Empty()) return Add(place, "no list of texts");
  if (list->Size() > most) Add(place, absl::StrCat("more than ", most));
  for (const JsonValue& text : list->GetArray()) {
    if (!text.IsString() || StringOf(text).empty()) Add(place, "an empty text, or none");
  }
}

void Faults::Text(const JsonValue& object, absl::string_view at, absl::string_view name) {
  const JsonValue* value = Member(object, name);
  if (value != nullptr && value->IsString() && value->GetStringLength() > 0) return;
  Add(absl::StrCat(at, "/", name), "an empty text, or none");
}

void Faults::Object(const JsonValue& object, absl::string_view at, absl::string_view name) {
  const JsonValue* value = Member(object, name);
  if (value == nullptr || !value->IsObject()) Add(absl::StrCat(at, "/", name), "no object");
}

void Faults::Forbidden(const JsonValue& object, absl::string_view at, Names names,
                       absl::string_view why) {
  for (absl::string_view name : names) {
    if (Member(object, name) != nullptr) Add(absl::StrCat(at, "/", name), why);
  }
}

}  // namespace mg
