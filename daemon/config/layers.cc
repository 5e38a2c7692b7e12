#include "daemon/config/layers.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace mg {
namespace {

using Entries = std::vector<YamlEntry>;

int Times(const Entries& entries, absl::string_view key) {
  return static_cast<int>(std::count_if(entries.begin(), entries.end(),
                                        [key](const YamlEntry& one) { return one.key == key; }));
}

// Those of `below` whose name is not in `top`, then those of `top`. A double of `below` stays: it
// is a fault, and is not to vanish.
void Replace(Entries top, Entries* below) {
  absl::flat_hash_map<std::string, int> times;
  for (const YamlEntry& entry : *below) ++times[entry.key];
  absl::flat_hash_set<absl::string_view> names;
  for (const YamlEntry& entry : top) names.insert(entry.key);
  std::erase_if(*below, [&](const YamlEntry& entry) {
    return names.contains(entry.key) && times[entry.key] == 1;
  });
  std::move(top.begin(), top.end(), std::back_inserter(*below));
}

}  // namespace

void MoveLines(int by, YamlValue* value) {
  value->line += by;
  for (YamlValue& item : value->items) MoveLines(by, &item);
  for (YamlEntry& entry : value->entries) {
    entry.line += by;
    MoveLines(by, &entry.value);
  }
}

void LayOver(YamlValue top, YamlValue* root) {
  if (root->kind != YamlValue::Kind::kMap) {
    *root = std::move(top);
    return;
  }
  for (YamlEntry& entry : top.entries) {
    if (entry.value.kind != YamlValue::Kind::kMap || Times(root->entries, entry.key) != 1) continue;
    const auto below =
        std::find_if(root->entries.begin(), root->entries.end(),
                     [&entry](const YamlEntry& old) { return old.key == entry.key; });
    if (below->value.kind != YamlValue::Kind::kMap) continue;
    Replace(std::exchange(entry.value.entries, std::move(below->value.entries)),
            &entry.value.entries);
  }
  Replace(std::move(top.entries), &root->entries);
}

}  // namespace mg
