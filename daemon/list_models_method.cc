#include "daemon/list_models_method.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/served_call.h"

namespace mg {
namespace {

using Words = std::vector<absl::string_view>;

// Of `words` those that `others` has too.
Words Common(const Words& words, const Words& others) {
  Words common;
  for (absl::string_view word : words) {
    if (std::find(others.begin(), others.end(), word) != others.end()) common.push_back(word);
  }
  return common;
}

v1::Model ModelOf(const Router::Named& named, const Snapshot& snapshot) {
  v1::Model model;
  model.set_name(named.name);
  model.set_kind(named.kind);
  Words capabilities;
  for (const Tier& tier : named.route->tiers) {
    for (const Candidate& candidate : tier.candidates) {
      const Provider* provider = snapshot.FindProvider(candidate.provider);
      if (provider == nullptr) continue;
      const Words words = provider->Capabilities(candidate.model);
      capabilities = model.candidates().empty() ? words : Common(capabilities, words);
      v1::Candidate* listed = model.add_candidates();
      listed->set_id(candidate.id);
      listed->set_provider(candidate.provider);
      listed->set_model(candidate.model);
      listed->set_weight(candidate.weight);
      listed->set_tier(candidate.tier);
    }
  }
  for (absl::string_view word : capabilities) model.add_capabilities(std::string(word));
  return model;
}

v1::ListModelsResponse ListOf(const v1::ListModelsRequest& request, const Snapshot& snapshot) {
  v1::ListModelsResponse response;
  for (const Router::Named& named : snapshot.router->List()) {
    *response.add_models() = ModelOf(named, snapshot);
  }
  if (!request.discover()) return response;
  std::vector<std::string> names;
  for (const auto& [name, provider] : snapshot.providers) names.push_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    v1::Warning* warning = response.add_warnings();
    warning->set_code("not_discovered");
    warning->set_field("discover");
    warning->set_message("provider " + name +
                         " was not asked: this version lists what the configuration names");
  }
  return response;
}

}  // namespace

std::unique_ptr<google::protobuf::Message> ListModelsMethod::NewRequest() const {
  return std::make_unique<v1::ListModelsRequest>();
}

Task<absl::Status> ListModelsMethod::Serve(
    Rpc& rpc, absl::StatusOr<std::unique_ptr<google::protobuf::Message>> request) {
  Call call = BeginCall(*worker_, rpc, "list_models", false);
  absl::Status status = request.status();
  if (request.ok()) {
    rpc.Send(ListOf(static_cast<const v1::ListModelsRequest&>(**request), *call.snapshot));
  }
  co_return EndCall(*worker_, call, std::move(status));
}

}  // namespace mg
