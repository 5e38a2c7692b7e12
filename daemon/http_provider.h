// A provider that is reached over HTTP: an adapter (dialect × platform) with the configuration of
// one provider. Immutable and shared; the answers belong to their attempts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/dialect.h"
#include "base/secret.h"
#include "daemon/provider.h"
#include "daemon/runtime/http_client.h"

namespace mg {

class HttpProvider final : public Provider {
 public:
  HttpProvider(std::string name, Adapter adapter, PlatformConfig platform,
               std::unique_ptr<const SecretSource> secrets, HttpEndpoint endpoint,
               std::shared_ptr<const ModelTable> models = nullptr)
      : name_(std::move(name)),
        adapter_(adapter),
        platform_(std::move(platform)),
        google_compatible_(platform_.preset == "google" || IsGoogleCompatible(platform_.base_url)),
        secrets_(std::move(secrets)),
        endpoint_(std::move(endpoint)),
        models_(std::move(models)) {}
  HttpProvider(std::string name, Adapter adapter, PlatformConfig platform, Secret key,
               HttpEndpoint endpoint)
      : HttpProvider(std::move(name), adapter, std::move(platform),
                     std::make_unique<FixedSecrets>(Secrets{std::move(key), {}}),
                     std::move(endpoint)) {}

  absl::string_view name() const override { return name_; }
  absl::StatusOr<std::unique_ptr<Answer>> Start(const Ask& ask) const override;
  absl::Status Serves(const Ask& ask) const override;
  Task<absl::StatusOr<std::vector<ListedModel>>> ListModels(
      const Ask& ask, Instant until, Cancellation* cancellation) const override;
  Task<absl::Status> Reach(const Ask& ask, Instant until,
                           Cancellation* cancellation) const override;
  bool Takes(KeyForm form) const override;
  std::vector<absl::string_view> Capabilities(absl::string_view model) const override;

  // After an error with this head: was the time of our signature not believed, and is the
  // provider's clock known now? Then the same request will do.
  bool LearnsClock(const HttpHead& head, const absl::Status& error, absl::Time wall_now) const;

  // Puts URL, headers and key to a dialect's request and begins the exchange. kShed where
  // a request that is none of the small ones would leave no room to read another call's;
  // kCredential where there is no key and nobody would answer without one.
  absl::StatusOr<std::unique_ptr<HttpExchange>> Send(const Ask& ask, HttpRequest request) const;

 private:
  Task<absl::StatusOr<ListedPage>> ReadModelPage(const Ask& ask, std::string page, Instant until,
                                                 Cancellation* cancellation) const;
  absl::Status Prepare(const Ask& ask, HttpRequest* request) const;
  DialectContext ContextOf(absl::string_view model, bool refuse_unsupported) const;
  // An Embed cut into requests, the first of them written: they differ in nothing else.
  struct Embedding {
    std::vector<EmbedBatch> batches;
    EncodedRequest first;
  };
  absl::StatusOr<Embedding> PrepareEmbed(const Ask& ask, const DialectContext& context) const;
  absl::StatusOr<std::unique_ptr<Answer>> StartEmbed(const Ask& ask, DialectContext context) const;
  absl::StatusOr<std::unique_ptr<Answer>> StartCount(const Ask& ask, DialectContext context) const;

  const std::string name_;
  const Adapter adapter_;
  const PlatformConfig platform_;
  const bool google_compatible_;
  const std::unique_ptr<const SecretSource> secrets_;
  const HttpEndpoint endpoint_;
  // Seconds by which the provider's clock is before ours.
  mutable std::atomic<int64_t> clock_offset_ = 0;
  const std::shared_ptr<const ModelTable> models_;  // what the configuration says; null: nothing
};

}  // namespace mg
