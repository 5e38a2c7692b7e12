#include "daemon/list_models_method.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "daemon/served_call.h"

namespace mg {
namespace {

// How long a provider has for its list, and how long before the caller's deadline that is over.
constexpr absl::Duration kAskedFor = absl::Seconds(5);
constexpr absl::Duration kBeforeDeadline = absl::Milliseconds(100);

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
      const Words words = snapshot.CapabilitiesOf(*provider, candidate.model);
      capabilities = model.candidates().empty() ? words : Common(capabilities, words);
      v1::Candidate* listed = model.add_candidates();
      listed->set_id(candidate.id);
      listed->set_provider(candidate.provider);
      listed->set_model(candidate.model);
      listed->set_weight(candidate.weight);
      listed->set_tier(candidate.tier);
      if (candidate.context_window > 0) listed->set_context_window(candidate.context_window);
    }
  }
  for (absl::string_view word : capabilities) model.add_capabilities(std::string(word));
  return model;
}

v1::ListModelsResponse ListOf(const Snapshot& snapshot) {
  v1::ListModelsResponse response;
  for (const Router::Named& named : snapshot.router->List()) {
    *response.add_models() = ModelOf(named, snapshot);
  }
  return response;
}

void AddDiscovered(const std::string& provider_name, const ListedModel& discovered,
                   const Snapshot& snapshot, v1::ListModelsResponse* response) {
  const std::string& name = discovered.name;
  v1::Model* model = response->add_models();
  model->set_name(absl::StrCat(provider_name, "/", name));
  model->set_kind(v1::Model::KIND_PROVIDER_MODEL);
  v1::Candidate* candidate = model->add_candidates();
  candidate->set_id(model->name());
  candidate->set_provider(provider_name);
  candidate->set_model(name);
  candidate->set_weight(1);
  const Provider& provider = *snapshot.FindProvider(provider_name);
  for (absl::string_view word : snapshot.CapabilitiesOf(provider, name)) {
    model->add_capabilities(std::string(word));
  }
  int window = snapshot.models->ContextWindowOf(provider_name, name);
  if (window == 0) window = discovered.context_window;
  if (window > 0) candidate->set_context_window(window);
}

// Behind what the configuration names, which stays as it stands there.
void AddListings(const std::vector<Discovery::Listing>& listings, const Snapshot& snapshot,
                 v1::ListModelsResponse* response) {
  absl::flat_hash_set<std::string> named;
  for (const v1::Model& model : response->models()) named.insert(model.name());
  for (const Discovery::Listing& listing : listings) {
    if (!listing.models.ok()) {
      v1::Warning* warning = response->add_warnings();
      warning->set_code("not_discovered");
      warning->set_field("discover");
      warning->set_message(absl::StrCat("provider ", listing.provider,
                                        " gave no list: ", listing.models.status().message()));
      continue;
    }
    for (const ListedModel& model : *listing.models) {
      if (!named.insert(absl::StrCat(listing.provider, "/", model.name)).second) continue;
      AddDiscovered(listing.provider, model, snapshot, response);
    }
  }
}

// No key of the configuration goes out, whoever wrote it there.
void Scrub(const Logger* logger, v1::ListModelsResponse* response) {
  if (logger == nullptr) return;
  for (v1::Warning& warning : *response->mutable_warnings()) {
    logger->scrubber()->Scrub(warning.mutable_message());
  }
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
    v1::ListModelsResponse response = ListOf(*call.snapshot);
    if (static_cast<const v1::ListModelsRequest&>(**request).discover()) {
      const Instant until =
          std::min(call.loop->now() + kAskedFor, rpc.deadline() - kBeforeDeadline);
      AddListings(co_await discovery_.Ask(call, until), *call.snapshot, &response);
    }
    if (call.cancellation->cancelled()) {
      status = call.cancellation->status();
    } else {
      Scrub(call.logger, &response);
      rpc.Send(response);
    }
  }
  co_return EndCall(*worker_, call, std::move(status));
}

}  // namespace mg
