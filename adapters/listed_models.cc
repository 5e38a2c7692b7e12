#include "adapters/listed_models.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/strip.h"
#include "adapters/json_count.h"
#include "base/json.h"

namespace mg {
namespace {

constexpr absl::string_view kWindows[] = {"inputTokenLimit", "context_length", "max_model_len",
                                          "max_context_length"};

int WindowOf(const JsonValue& item) {
  for (absl::string_view name : kWindows) {
    const auto tokens = CountMember(item, name);
    if (tokens.has_value()) return *tokens;
  }
  return 0;
}

// By name, of a body that is a list.
absl::flat_hash_map<std::string, int> WindowsOf(const ModelListShape& shape,
                                                absl::string_view body) {
  absl::flat_hash_map<std::string, int> windows;
  JsonDocument document;
  if (!ParseJson(body, &document).ok()) return windows;
  const JsonValue* items = document.IsArray() ? &document : Member(document, shape.items);
  if (items == nullptr || !items->IsArray()) return windows;
  for (const JsonValue& item : items->GetArray()) {
    absl::string_view id = StringMember(item, shape.id);
    absl::ConsumePrefix(&id, shape.id_prefix);
    if (!id.empty()) windows[std::string(id)] = WindowOf(item);
  }
  return windows;
}

}  // namespace

absl::Status ReadListedModels(const ModelListShape& shape, absl::string_view body,
                              ListedPage* page) {
  ModelPage names;
  if (auto status = DecodeModelList(shape, body, &names); !status.ok()) return status;
  const auto windows = WindowsOf(shape, body);
  page->models.clear();
  for (std::string& name : names.ids) {
    const auto window = windows.find(name);
    const int tokens = window == windows.end() ? 0 : window->second;
    page->models.push_back({std::move(name), tokens});
  }
  page->next = std::move(names.next);
  return absl::OkStatus();
}

}  // namespace mg
