// A compiled configuration: routes and providers. Immutable and shared; a call keeps the one it
// started with.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "adapters/model_traits.h"
#include "daemon/provider.h"
#include "daemon/session_states.h"
#include "resilience/live_state.h"
#include "routing/router.h"

namespace mg {

struct Snapshot {
  std::unique_ptr<Router> router;
  absl::flat_hash_map<std::string, std::unique_ptr<Provider>> providers;
  // What the configuration says of models; never null.
  std::shared_ptr<const ModelTable> models = std::make_shared<const ModelTable>();
  // The live state of what each provider is reached by.
  struct State : ProviderState {
    absl::Duration queue_timeout = absl::Seconds(2);  // limits.queue_timeout
    std::shared_ptr<SessionStates> sessions;          // of a mock under control; else null
  };
  absl::flat_hash_map<std::string, State> states;
  bool refuse_unsupported = false;  // unsupported_parameters: refuse
  size_t call_buffer = 8 << 20;     // limits.call_buffer

  // nullptr if there is none of this name.
  const Provider* FindProvider(absl::string_view name) const {
    const auto found = providers.find(name);
    return found == providers.end() ? nullptr : found->second.get();
  }
  // What a model of a provider can do, as the configuration says, else as the provider knows.
  std::vector<absl::string_view> CapabilitiesOf(const Provider& provider,
                                                absl::string_view model) const {
    const ModelTraits* traits = models->Find(provider.name(), model);
    if (traits == nullptr || !traits->capabilities.has_value()) return provider.Capabilities(model);
    return {traits->capabilities->begin(), traits->capabilities->end()};
  }
  const State* FindState(absl::string_view provider) const {
    const auto found = states.find(provider);
    return found == states.end() ? nullptr : &found->second;
  }
};

}  // namespace mg
