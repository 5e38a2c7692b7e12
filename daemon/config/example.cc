#include "daemon/config/example.h"

namespace mg {

std::string ConfigExample() {
  return R"(# A configuration of Model Gateway to begin with. `model-gateway config docs` explains every key,
# `model-gateway check FILE` names every problem, `model-gateway doctor --config FILE` asks the providers.
# A change of this file is taken up while the daemon runs.

listen:
  grpc: ["127.0.0.1:7411"]      # the API of applications; "unix:/PATH" is a socket
  admin: ["127.0.0.1:7413"]     # /metrics, /healthz, /readyz

providers:                      # where models are; secrets are references, never the secret itself
  openai:
    openai: { api_key: { env: OPENAI_API_KEY } }
  anthropic:
    anthropic: { api_key: { env: ANTHROPIC_API_KEY } }
  local:                        # vLLM, Ollama, llama.cpp: any server that speaks OpenAI's dialect
    openai_compatible: { base_url: "http://127.0.0.1:8000/v1" }
  mock:                         # answers by itself, for tests: mock/echo
    mock: {}

groups:                         # candidates that serve as one model
  support:
    strategy: weighted_hash     # the same user, the same candidate
    candidates:
      - { provider: openai, model: gpt-5-mini, weight: 95 }
      - { provider: anthropic, model: claude-haiku-4-5, weight: 5 }
    fallback: [spare]           # asked where none of these answers
  spare:
    candidates: [{ provider: local, model: qwen3-8b }]

aliases:                        # what applications ask for
  fast: support
  test: mock/echo

retry: { max_attempts: 4 }      # attempts of a call over all candidates: one for each, and a repetition
timeouts: { ttft: 60s }         # to the first token of a stream
deadline: { default: 120s }     # of a call without one

observability:
  logs: { level: info }
)";
}

}  // namespace mg
