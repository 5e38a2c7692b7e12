// A compiled configuration: routes and providers. Immutable and shared; a call keeps the one it
// started with.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "daemon/provider.h"
#include "routing/router.h"

namespace mg {

struct Snapshot {
  std::unique_ptr<Router> router;
  absl::flat_hash_map<std::string, std::unique_ptr<Provider>> providers;
  bool refuse_unsupported = false;  // unsupported_parameters: refuse
  size_t call_buffer = 8 << 20;     // limits.call_buffer

  // nullptr if there is none of this name.
  const Provider* FindProvider(absl::string_view name) const {
    const auto found = providers.find(name);
    return found == providers.end() ? nullptr : found->second.get();
  }
};

}  // namespace mg
