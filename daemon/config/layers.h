// Laying one configuration's tree over another's. Pure functions.
#pragma once

#include "daemon/config/yaml.h"

namespace mg {

// Adds `by` to the line of everything in the tree.
void MoveLines(int by, YamlValue* value);

// Lays the keys of `top` over those of `root` (empty at first). Exactly one level merges by key:
// where both have a map under the same key, the entries of `top` replace those of the same name,
// whole. Everything else of the same key is replaced. Doubles within one tree stay doubles.
void LayOver(YamlValue top, YamlValue* root);

}  // namespace mg
