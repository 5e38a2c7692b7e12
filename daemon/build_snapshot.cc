#include "daemon/build_snapshot.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "adapters/platforms/bedrock.h"
#include "daemon/config/effective.h"
#include "daemon/config/provider_kind.h"
#include "daemon/config/resilience.h"
#include "daemon/http_provider.h"
#include "daemon/mock_provider.h"

namespace mg {
namespace {

// What the platforms read of a configuration has the same name in every kind that has it.
PlatformConfig PlatformOf(const Adapter& adapter, const v1::ProviderConfig& config,
                          const v1::HttpProviderConfig& http) {
  PlatformConfig platform;
  platform.base_url = TextOf(config, "base_url");
  platform.preset = TextOf(config, "preset");
  if (platform.base_url.empty()) platform.base_url = DefaultBaseUrl(adapter, platform.preset);
  platform.organization = TextOf(config, "organization");
  platform.project = TextOf(config, "project");
  platform.location = TextOf(config, "location");
  platform.api_version = TextOf(config, IsWritten(config, "version") ? "version" : "api_version");
  platform.deployments = TextsOf(config, "deployments");
  platform.bearer = IsWritten(config, "bearer_token");
  platform.region = TextOf(config, "region");
  if (platform.base_url.empty() && config.has_bedrock()) {
    platform.base_url = BedrockBaseUrl(platform.region);
  }
  for (const auto& [name, value] : http.headers()) platform.headers.push_back({name, value});
  return platform;
}

HttpEndpoint EndpointOf(const v1::HttpProviderConfig& http) {
  HttpEndpoint endpoint;
  endpoint.ca_file = http.ca_file();
  if (http.has_proxy()) endpoint.proxy = http.proxy();
  return endpoint;
}

// Configured secrets stand still; a chain that fetches them would be another source here.
std::unique_ptr<const SecretSource> SecretsOf(const std::string& name, const LoadedConfig& loaded) {
  const auto copy = [](const Secret& secret) { return Secret(std::string(secret.Reveal())); };
  Secrets secrets;
  secrets.key = copy(loaded.ApiKeyOf(name));
  secrets.aws.access_key_id = copy(loaded.SecretOf(name, "aws.access_key_id"));
  secrets.aws.secret_access_key = copy(loaded.SecretOf(name, "aws.secret_access_key"));
  secrets.aws.session_token = copy(loaded.SecretOf(name, "aws.session_token"));
  return std::make_unique<FixedSecrets>(std::move(secrets));
}

std::shared_ptr<const ModelTable> ModelsOf(const v1::Config& config) {
  auto table = std::make_shared<ModelTable>();
  for (const v1::ModelConfig& model : config.models()) {
    ModelTraits traits;
    traits.base_model = model.base_model();
    if (model.has_sampling()) traits.sampling = model.sampling();
    if (!model.capabilities().empty()) {
      traits.capabilities.emplace(model.capabilities().begin(), model.capabilities().end());
    }
    traits.context_window = model.context_window();
    traits.tokenizer = model.tokenizer();
    table->Add(model.match(), std::move(traits));
  }
  return table;
}

absl::StatusOr<std::unique_ptr<Provider>> ProviderOf(
    const std::string& name, const v1::ProviderConfig& config, const LoadedConfig& loaded,
    const std::shared_ptr<const ModelTable>& models, MockSessions* sessions) {
  if (config.has_mock()) {
    absl::StatusOr<std::unique_ptr<MockProvider>> mock =
        MockProvider::Create(name, config.mock(), sessions);
    if (!mock.ok()) return mock.status();
    return *std::move(mock);
  }
  const Adapter* adapter = FindAdapter(KindOf(config));
  const v1::HttpProviderConfig* http = HttpOf(config);
  if (adapter == nullptr || http == nullptr) {
    return absl::InternalError(absl::StrCat("providers.", name, " has no kind that can be served"));
  }
  return std::make_unique<HttpProvider>(name, *adapter, PlatformOf(*adapter, config, *http),
                                        SecretsOf(name, loaded), EndpointOf(*http), models);
}

// Where a provider is: the region is a part of the name of each host that has one.
std::string HostOf(const v1::ProviderConfig& provider) {
  const Adapter* adapter = FindAdapter(KindOf(provider));
  const v1::HttpProviderConfig* http = HttpOf(provider);
  if (adapter == nullptr || http == nullptr) return KindOf(provider);
  const PlatformConfig platform = PlatformOf(*adapter, provider, *http);
  return absl::AsciiStrToLower(
      absl::StrCat(platform.base_url, " ", platform.region, " ", platform.location));
}

Snapshot::State StateOf(const std::string& name, const v1::ProviderConfig& provider,
                        const LoadedConfig& loaded, Lasting* lasting, Instant now) {
  const v1::ScopedProviderConfig* scoped = ScopedOf(provider);
  Snapshot::State state;
  static_cast<ProviderState&>(state) =
      lasting->live.For(name, HostOf(provider), SecretReferenceOf(provider),
                        SecretFingerprintOf(loaded, name, lasting->salt),
                        ResilienceOf(loaded.config, scoped), now, &lasting->events);
  state.queue_timeout = QueueTimeoutOf(loaded.config, scoped);
  if (provider.has_mock() && lasting->mock_sessions != nullptr) {
    state.sessions = std::make_shared<SessionStates>(name, HostOf(provider),
                                                     ResilienceOf(loaded.config, scoped));
  }
  return state;
}

Candidate CandidateOf(const v1::Config& config, const v1::GroupConfig& group,
                      const v1::CandidateConfig& candidate, int tier, const ModelTable& models) {
  Candidate made;
  made.provider = candidate.provider();
  made.model = candidate.model();
  made.id = CandidateIdOf(candidate);
  made.weight = WeightOf(candidate);
  made.tier = tier;
  made.context_window = candidate.has_context_window()
                            ? candidate.context_window()
                            : models.ContextWindowOf(made.provider, made.model);
  made.timeouts = TimeoutsOf(config, &group, &candidate);
  made.retry = RetryOf(config, &group, &candidate);
  return made;
}

Tier TierOf(const v1::Config& config, const std::string& name, int number,
            const ModelTable& models) {
  const v1::GroupConfig& group = config.groups().at(name);
  Tier tier;
  tier.group = name;
  const HashKey hash_key = HashKeyOf(group);
  tier.strategy = StrategyOf(group);
  tier.hash_key = hash_key.source;
  tier.hash_metadata = hash_key.metadata;
  tier.hash_seed = HashSeedOf(name, group);
  tier.missing_key = MissingKeyOf(group);
  for (const v1::CandidateConfig& candidate : group.candidates()) {
    tier.candidates.push_back(CandidateOf(config, group, candidate, number, models));
  }
  return tier;
}

// A group and its fallbacks, one tier each; a fallback's own fallbacks are not followed.
std::shared_ptr<const Route> RouteOf(const v1::Config& config, const std::string& name,
                                     const ModelTable& models) {
  const v1::GroupConfig& group = config.groups().at(name);
  auto route = std::make_shared<Route>();
  route->group = name;
  route->failover = FailoverOf(group);
  route->max_attempts = MaxAttemptsOf(config, &group);
  route->deadline = DeadlineOf(config, &group);
  route->tiers.push_back(TierOf(config, name, 0, models));
  for (int i = 0; i < group.fallback_size(); ++i) {
    route->tiers.push_back(TierOf(config, group.fallback(i), i + 1, models));
  }
  return route;
}

// The settings of a provider/model that is asked for by name: the global ones.
Route DirectRoute(const v1::Config& config) {
  Route route;
  route.max_attempts = MaxAttemptsOf(config, nullptr);
  route.deadline = DeadlineOf(config, nullptr);
  Candidate& candidate = route.tiers.emplace_back().candidates.emplace_back();
  candidate.timeouts = TimeoutsOf(config, nullptr, nullptr);
  candidate.retry = RetryOf(config, nullptr, nullptr);
  return route;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Snapshot>> BuildSnapshot(const LoadedConfig& loaded,
                                                              Lasting* lasting, Instant now) {
  const v1::Config& config = loaded.config;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->refuse_unsupported = config.unsupported_parameters() == v1::REFUSE;
  snapshot->call_buffer = CallBufferOf(config);
  snapshot->models = ModelsOf(config);

  std::vector<std::string> names;
  ModelLists lists;
  for (const auto& [name, provider] : config.providers()) {
    absl::StatusOr<std::unique_ptr<Provider>> made =
        ProviderOf(name, provider, loaded, snapshot->models, lasting->mock_sessions);
    if (!made.ok()) return made.status();
    snapshot->providers[name] = *std::move(made);
    snapshot->states[name] = StateOf(name, provider, loaded, lasting, now);
    names.push_back(name);
    const auto& listed = provider.mock().models();
    if (!listed.empty()) lists[name] = {listed.begin(), listed.end()};
  }
  absl::flat_hash_map<std::string, std::shared_ptr<const Route>> groups;
  for (const auto& [name, group] : config.groups())
    groups[name] = RouteOf(config, name, *snapshot->models);
  absl::flat_hash_map<std::string, std::string> aliases(config.aliases().begin(),
                                                        config.aliases().end());
  snapshot->router = std::make_unique<Router>(
      std::move(groups), std::move(aliases), std::move(names), DirectRoute(config),
      lasting->rotations, std::move(lists),
      [models = snapshot->models](absl::string_view provider, absl::string_view model) {
        return models->ContextWindowOf(provider, model);
      });
  return snapshot;
}

}  // namespace mg
