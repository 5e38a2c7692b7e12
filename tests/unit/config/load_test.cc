#include "daemon/config/load.h"

#include <gtest/gtest.h>

#include "daemon/config/effective.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

// The example of the design, with what this version has.
constexpr char kExample[] = R"(
listen:
  grpc:  ["127.0.0.1:7411", "unix:/run/model-gateway/gateway.sock"]
  http:  ["127.0.0.1:7412"]          # OpenAI dialect
  admin: ["127.0.0.1:7413"]
  admin_grpc: ["unix:/run/model-gateway/admin.sock"]
  health:  ["[::]:7414"]
  metrics: ["0.0.0.0:9464"]
  unix_mode: "0660"
  allowed_hosts: []
providers:
  openai:     { openai: { api_key: { env: OPENAI_API_KEY }, headers: { x-tenant: search }, limits: { queue: 3 } } }
  local:      { openai_compatible: { base_url: "http://127.0.0.1:8000/v1/" } }
  fake:       { mock: { models: [m, slow], rules: [{ model: "*", last_user: "(?i)weather", reply: { text: "Sunny." } }, { model: slow, reply: { echo: true }, fault: { status: 503 } }], latency: { first: 0s, token: 0s } } }
groups:
  support:
    strategy: weighted_hash
    candidates:
      - { provider: openai, model: gpt-5-mini, weight: 95 }
      - { provider: fake, model: m, weight: 5, labels: { experiment: x, variant: b } }
    fallback: [local-small]
  local-small:
    strategy: round_robin
    candidates: [{ provider: local, model: qwen3-8b }]
aliases: { fast: support, offline: local-small, best: openai/gpt-5 }
retry:           { max_attempts: 3, base_delay: 250ms, max_delay: 8s, jitter: full, budget: { ratio: 0.2 } }
circuit_breaker: { scope: auto, failure_threshold: 5, cooldown: 10s }
cooldown:        { rate_default: 5s, quota: 300s }
timeouts:        { connect: 5s, ttft: 180s, attempt: 0s, stream_idle: 60s, stream_progress: 300s, stream_end: 5s }
deadline:        { default: 600s, max: 3600s }
limits:          { max_in_flight: 1024, queue: 256, buffered_bytes: 100MiB }
drain:           { timeout: 25s }
unsupported_parameters: warn
observability:
  backend: none
  logs: { format: json, level: debug }
)";

TEST(Load, TakesTheExample) {
  FakeOutside outside;
  outside.variables["OPENAI_API_KEY"] = "sk-canary-0123456789abcdef";
  const LoadedConfig loaded = Load(kExample, outside);
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_EQ(loaded.ApiKeyOf("openai").Reveal(), "sk-canary-0123456789abcdef");
}

}  // namespace
}  // namespace mg
