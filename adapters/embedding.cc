#include "adapters/embedding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "adapters/encode_notes.h"

namespace mg {
namespace {

constexpr absl::string_view kPackedTypes[] = {"int8", "uint8", "binary", "ubinary"};
constexpr absl::string_view kTasks[] = {"query", "document", "classification", "clustering",
                                        "similarity"};

bool IsOneOf(absl::string_view word, absl::Span<const absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// One value that is no number makes every distance to the vector none.
bool IsFinite(const v1::Embedding& embedding) {
  return std::all_of(embedding.values().begin(), embedding.values().end(),
                     [](float value) { return std::isfinite(value); });
}

}  // namespace

bool IsPackedType(absl::string_view element_type) { return IsOneOf(element_type, kPackedTypes); }

absl::Status CheckEmbedRequest(const v1::EmbedRequest& request) {
  if (request.inputs().empty()) return Invalid("inputs", "there is nothing to embed");
  if (request.has_dimensions() && request.dimensions() <= 0) {
    return Invalid("dimensions", "a vector has at least one dimension");
  }
  const std::string& type = request.element_type();
  if (!type.empty() && type != "float" && !IsPackedType(type)) {
    return Invalid("element_type",
                   "element_type is float, int8, uint8, binary or ubinary; no such type is known");
  }
  if (!request.task().empty() && !IsOneOf(request.task(), kTasks)) {
    return Invalid("task",
                   "task is query, document, classification, clustering or similarity; no such "
                   "task is known");
  }
  return absl::OkStatus();
}

absl::Status CheckEmbedInput(const v1::EmbedInput& input, int index) {
  const int kinds = (input.text().empty() ? 0 : 1) + (input.parts().empty() ? 0 : 1) +
                    (input.token_ids().empty() ? 0 : 1);
  if (kinds == 1) return absl::OkStatus();
  return Invalid(absl::StrCat("inputs[", index, "]"),
                 kinds == 0 ? "an input is a text, parts or token ids: it has none"
                            : "an input is one of text, parts and token_ids");
}

bool ReadFloats(const JsonValue& value, v1::Embedding* embedding) {
  if (value.IsString()) {
    std::string bytes;
    if (!absl::Base64Unescape(StringOf(value), &bytes)) return false;
    if (bytes.empty() || bytes.size() % sizeof(float) != 0) return false;
    static_assert(std::endian::native == std::endian::little);
    embedding->mutable_values()->Resize(static_cast<int>(bytes.size() / sizeof(float)), 0);
    std::memcpy(embedding->mutable_values()->mutable_data(), bytes.data(), bytes.size());
    return IsFinite(*embedding);
  }
  if (!value.IsArray() || value.Empty()) return false;
  embedding->mutable_values()->Reserve(static_cast<int>(value.Size()));
  for (const JsonValue& number : value.GetArray()) {
    if (!number.IsNumber()) return false;
    embedding->add_values(static_cast<float>(number.GetDouble()));
  }
  return IsFinite(*embedding);
}

bool ReadBytes(const JsonValue& value, v1::Embedding* embedding) {
  if (!value.IsArray() || value.Empty()) return false;
  for (const JsonValue& number : value.GetArray()) {
    if (!number.IsInt() || number.GetInt() < -128 || number.GetInt() > 255) return false;
    embedding->mutable_packed()->push_back(static_cast<char>(number.GetInt()));
  }
  return true;
}

}  // namespace mg
