// Metadata of a call: what is taken over into logs, headers and traces is harmless there, and keys
// are taken for providers that exist, whole, or refused without a word of what may be a key.
// Input: 'p' (x-modelgateway-api-key), 'm' (x-modelgateway-credentials-bin) or anything else
// (x-correlation-id and traceparent); the value.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/check.h"
#include "base/utf8.h"
#include "daemon/call_keys.h"
#include "telemetry/ids.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

// A call that brings one value along.
class FakeRpc final : public Rpc {
 public:
  FakeRpc(absl::string_view key, absl::string_view value) : key_(key), value_(value) {}

  absl::string_view Metadata(absl::string_view key) const override {
    return key == key_ ? value_ : absl::string_view();
  }
  std::vector<absl::string_view> MetadataValues(absl::string_view key) const override {
    if (key != key_) return {};
    return {value_};
  }
  Instant deadline() const override { return kNever; }
  Cancellation* cancellation() override { return nullptr; }
  void AddInitialMetadata(absl::string_view, absl::string_view) override {}
  void AddTrailingMetadata(absl::string_view, absl::string_view) override {}
  void Send(const google::protobuf::MessageLite&) override {}
  size_t unsent_bytes() const override { return 0; }

 private:
  const absl::string_view key_;
  const absl::string_view value_;
};

class FakeProvider final : public Provider {
 public:
  absl::string_view name() const override { return "acme"; }
  absl::StatusOr<std::unique_ptr<Answer>> Start(const Ask&) const override {
    return absl::UnimplementedError("asks nobody");
  }
  absl::Status Serves(const Ask&) const override { return absl::OkStatus(); }
  std::vector<absl::string_view> Capabilities(absl::string_view) const override { return {}; }
};

void CheckHeader(const Secret& secret) {
  for (const char c : secret.Reveal()) {
    MG_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "what HTTP allows in a header");
  }
}

// Another key for the same provider, or for none.
std::string Masked(absl::string_view value) {
  const size_t equals = value.find('=');
  std::string masked(value);
  for (size_t i = equals == absl::string_view::npos ? 0 : equals + 1; i < masked.size(); ++i) {
    if (static_cast<unsigned char>(masked[i]) > ' ' && masked[i] != 0x7f) masked[i] = 'k';
  }
  return masked;
}

void CheckKeys(const std::string& key, absl::string_view value) {
  Snapshot snapshot;
  snapshot.providers["acme"] = std::make_unique<FakeProvider>();
  const absl::StatusOr<CallKeys> keys = CallKeys::Of(FakeRpc(key, value), snapshot);
  if (!keys.ok()) {
    MG_CHECK(ClassOf(keys.status()) == ErrorClass::kInvalidRequest, "the caller's fault");
    MG_CHECK(DetailOf(keys.status()).field() == key, "the field is named");
    if (!absl::EndsWith(key, "-bin")) {
      const std::string masked = Masked(value);
      const absl::StatusOr<CallKeys> other = CallKeys::Of(FakeRpc(key, masked), snapshot);
      MG_CHECK(other.status() == keys.status(), "a refusal never holds what may be a key");
    }
    return;
  }
  MG_CHECK(keys->For("other") == nullptr, "a provider that is not named keeps its own");
  const CallKey* taken = keys->For("acme");
  if (taken == nullptr) return;  // a message that names nobody
  const std::shared_ptr<const Secrets> secrets = taken->secrets.Now();
  MG_CHECK(!secrets->key.empty() || !secrets->aws.access_key_id.empty(), "no key is empty");
  CheckHeader(secrets->key);
  CheckHeader(secrets->aws.access_key_id);
  CheckHeader(secrets->aws.session_token);
}

void CheckIds(absl::string_view value) {
  if (IsCorrelationId(value)) {
    MG_CHECK(value.size() <= 128 && IsValidUtf8(value), "short, and text");
    MG_CHECK(value.find_first_of(" \t\r\n\"\\,;") == absl::string_view::npos, "one plain word");
  }
  const std::string trace_id = TraceIdOf(value);
  MG_CHECK(trace_id.size() == 32, "an id of a trace");
  MG_CHECK(trace_id.find_first_not_of("0123456789abcdef") == std::string::npos, "lower-case hex");
  MG_CHECK(trace_id.find_first_not_of('0') != std::string::npos, "not all zero");
  const std::optional<Traceparent> parsed = ParseTraceparent(value);
  if (!parsed.has_value()) return;
  const std::optional<Traceparent> again = ParseTraceparent(FormatTraceparent(*parsed));
  MG_CHECK(again.has_value() && again->trace_id == trace_id && again->sampled == parsed->sampled &&
               again->parent_id == parsed->parent_id,
           "the same, written again");
}

void Check(absl::string_view input) {
  switch (TakeByte(&input)) {
    case 'p':
      return CheckKeys("x-modelgateway-api-key", input);
    case 'm':
      return CheckKeys("x-modelgateway-credentials-bin", input);
    default:
      CheckIds(input);
  }
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
