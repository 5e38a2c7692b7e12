#include "adapters/model_list.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/json.h"

namespace mg {
namespace {

constexpr size_t kLongestId = 256;

std::string UrlEncoded(absl::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-._~", c)) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

bool IsUsable(absl::string_view id) {
  return !id.empty() && id.size() <= kLongestId && std::none_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

const JsonValue* ItemsOf(const ModelListShape& shape, const JsonValue& document) {
  const JsonValue* items = document.IsArray() ? &document : Member(document, shape.items);
  return items != nullptr && items->IsArray() ? items : nullptr;
}

std::string NextPage(const ModelListShape& shape, const JsonValue& document) {
  if (shape.page_parameter.empty()) return {};
  if (!shape.more.empty()) {
    const JsonValue* more = Member(document, shape.more);
    if (more == nullptr || !more->IsTrue()) return {};
  }
  return std::string(StringMember(document, shape.next));
}

}  // namespace

HttpRequest EncodeModelList(const ModelListShape& shape, absl::string_view page) {
  HttpRequest request;
  request.method = "GET";
  request.url = std::string(shape.path);
  if (!page.empty()) {
    absl::StrAppend(&request.url, absl::StrContains(request.url, '?') ? "&" : "?",
                    shape.page_parameter, "=", UrlEncoded(page));
  }
  return request;
}

absl::Status DecodeModelList(const ModelListShape& shape, absl::string_view body, ModelPage* page) {
  JsonDocument document;
  if (absl::Status status = ParseJson(body, &document); !status.ok()) return status;
  const JsonValue* items = ItemsOf(shape, document);
  if (items == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("no list \"", shape.items, "\" in it"));
  }
  page->ids.clear();
  for (const JsonValue& item : items->GetArray()) {
    absl::string_view id = StringMember(item, shape.id);
    absl::ConsumePrefix(&id, shape.id_prefix);
    if (IsUsable(id)) page->ids.emplace_back(id);
  }
  page->next = NextPage(shape, document);
  return absl::OkStatus();
}

}  // namespace mg
