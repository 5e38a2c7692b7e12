// Every rule that a configuration can break, as a small text and the one problem that it must
// bring.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

struct Refusal {
  std::string text;  // what follows the head
  int line;
  std::string path;
  std::string message;  // a part of it
  std::string nearest = "";
};

// The usual head, one line: a mock, a mock that has the model `a` alone, and openai.
constexpr char kProviders[] =
    "providers: { m: { mock: {} }, n: { mock: { models: [a] } }, "
    "o: { openai: { api_key: { env: KEY } } } }\n";

void Expect(const std::vector<Refusal>& table, const std::string& head) {
  FakeOutside outside;
  outside.variables["KEY"] = "k";
  outside.variables["EMPTY"] = "";
  outside.variables["BROKEN"] = "a\nb";
  outside.files["/empty"] = {"", false};
  outside.files["/newline"] = {"\n", false};
  outside.files["/two"] = {"a\nb\n", false};
  outside.files["/not.pem"] = {"text", false};
  for (const Refusal& refusal : table) {
    const LoadedConfig loaded = Load(absl::StrCat(head, refusal.text), outside);
    ASSERT_EQ(loaded.problems.size(), 1u) << refusal.text << "\n" << ToText(loaded.problems);
    const Problem& problem = loaded.problems[0];
    EXPECT_EQ(problem.file, "test.yaml");
    EXPECT_EQ(problem.line, refusal.line) << refusal.text << "\n" << ToText(problem);
    EXPECT_EQ(problem.path, refusal.path) << refusal.text << "\n" << ToText(problem);
    EXPECT_TRUE(absl::StrContains(problem.message, refusal.message))
        << refusal.text << "\n"
        << ToText(problem) << "\nwanted: " << refusal.message;
    EXPECT_EQ(problem.nearest, refusal.nearest) << refusal.text;
  }
}

TEST(Refusal, KeysAndTypes) {
  Expect(
      {
          {"alises: {}", 2, "alises", "is not a key", "aliases"},
          {"zzz: {}", 2, "zzz", "the keys here are: listen, providers"},
          {"retry:\n  jiter: full", 3, "retry.jiter", "is not a key", "jitter"},
          {"retry:\n  jitter: fulll", 3, "retry.jitter", "\"fulll\" is none of: none, full, equal",
           "full"},
          {"retry: { jitter: FULL }", 2, "retry.jitter", "none of", "full"},
          {"retry: { jitter: jitter_unspecified }", 2, "retry.jitter", "none of"},
          {"retry: { jitter: '' }", 2, "retry.jitter", "none of"},
          {"retry: {}\nretry: {}", 3, "retry", "is there twice: first in line 2"},
          {"retry: { jitter: full, jitter: full }", 2, "retry.jitter", "twice"},
          {"aliases: { a: m/x, a: m/y }", 2, "aliases.a", "twice"},
          {"retry:", 2, "retry", "has no value: write {}"},
          {"retry: { max_attempts: }", 2, "retry.max_attempts", "has no value"},
          {"retry: { max_attempts: null }", 2, "retry.max_attempts", "has no value"},
          {"retry: 3", 2, "retry", "must have keys"},
          {"retry: [a]", 2, "retry", "must have keys"},
          {"retry: { max_attempts: [3] }", 2, "retry.max_attempts", "single value"},
          {"retry: { max_attempts: 1.5 }", 2, "retry.max_attempts", "\"1.5\" is no whole number"},
          {"retry: { max_attempts: .nan }", 2, "retry.max_attempts", "no whole number"},
          {"retry: { max_attempts: '3' }", 2, "retry.max_attempts", "without quotes"},
          {"retry: { max_attempts: 0 }", 2, "retry.max_attempts",
           "out of range: it must be 1 to 10"},
          {"retry: { max_attempts: 11 }", 2, "retry.max_attempts", "1 to 10"},
          {"retry: { max_attempts: 99999999999 }", 2, "retry.max_attempts", "1 to 10"},
          {"retry: { base_delay: 250 }", 2, "retry.base_delay", "has no unit"},
          {"retry: { base_delay: -1s }", 2, "retry.base_delay", "is negative"},
          {"retry: { base_delay: 0s }", 2, "retry.base_delay", "1ms to 60s"},
          {"retry: { base_delay: 99999999h }", 2, "retry.base_delay", "too long"},
          {"limits: { call_buffer: 1MB }", 2, "limits.call_buffer", "is no size"},
          {"limits: { call_buffer: 32KiB }", 2, "limits.call_buffer", "64KiB to 64MiB"},
          {"limits: { buffered_bytes: 1MiB }", 2, "limits.buffered_bytes", "64MiB"},
          {"retry: { budget: { ratio: 1.5 } }", 2, "retry.budget.ratio", "0 to 1"},
          {"retry: { budget: { ratio: nan } }", 2, "retry.budget.ratio", "is no number"},
          {"groups: { g: { candidates: [{ provider: m, model: x }], failover: yes } }", 2,
           "groups.g.failover", "neither true nor false"},
          {"listen: { grpc: \"127.0.0.1:1\" }", 2, "listen.grpc", "must be a list"},
          {"listen: { grpc: [[]] }", 2, "listen.grpc[0]", "must be a text"},
          {"listen: { grpc: [''] }", 2, "listen.grpc[0]", "must be a text"},
          {"aliases: [a]", 2, "aliases", "must be a map"},
          {"aliases: { a: [b] }", 2, "aliases.a", "must be a text"},
          {"aliases: { '': m/x }", 2, "aliases.", "name of an alias is empty"},
          {"aliases: { ~: m/x }", 2, "aliases.", "name of an alias is empty"},
          {"unsupported_parameters: wran", 2, "unsupported_parameters", "none of", "warn"},
          {"drain: { timeout: 2h }", 2, "drain.timeout", "0s to 1h"},
          {"observability: { logs: { level: warning } }", 2, "observability.logs.level", "none of",
           "warn"},
          {"observability: { logs: { format: '' } }", 2, "observability.logs.format", "is empty"},
          {"observability: { metrics: { max_series: 1 } }", 2, "observability.metrics.max_series",
           "100 to"},
          {"circuit_breaker: { scope: targt }", 2, "circuit_breaker.scope", "none of", "target"},
      },
      kProviders);
}

TEST(Refusal, Models) {
  Expect(
      {
          {"models: { match: m }", 2, "models", "must be a list"},
          {"models: [{ context_window: 1 }]", 2, "models[0].match", "is missing"},
          {"models:\n  - { match: mock/x, sampling: true }", 3, "models[0].match",
           "there is no provider \"mock\""},
          {"models: [{ match: n, sampling: true }]", 2, "models[0].match",
           "\"n\" is no pattern of PROVIDER/MODEL"},
          {"models: [{ match: n/, sampling: true }]", 2, "models[0].match", "is no pattern"},
          {"models: [{ match: \"q?/x\", sampling: true }]", 2, "models[0].match",
           "there is no provider \"q?\""},
          {"models: [{ match: m/x, tokenizer: none }, { match: m/x, sampling: true }]", 2,
           "models[1].match", "is there twice, and models[0] wins"},
          {"models: [{ match: m/x }]", 2, "models[0]", "says nothing of the models that it fits"},
          {"models: [{ match: m/x, capabilities: [] }]", 2, "models[0].capabilities", "is empty"},
          {"models: [{ match: m/x, capabilities: [chat, tool] }]", 2, "models[0].capabilities[1]",
           "\"tool\" is none of: chat, stream", "tools"},
          {"models: [{ match: m/x, tokenizer: cl100k }]", 2, "models[0].tokenizer",
           "none of: none, o200k_base"},
          {"models: [{ match: m/x, context_window: 0 }]", 2, "models[0].context_window",
           "1 to 1000000000"},
          {"models: [{ match: m/x, sampling: no }]", 2, "models[0].sampling",
           "neither true nor false"},
          {"models: [{ match: m/x, contextwindow: 3 }]", 2, "models[0].contextwindow",
           "is not a key", "context_window"},
      },
      kProviders);
}

TEST(Refusal, ControlOfNoMock) {
  Expect({{"mock_control: true", 2, "mock_control", "no provider of kind mock"}},
         "providers: { o: { openai: { api_key: { env: KEY } } } }\n");
}

TEST(Refusal, KeysOfLaterVersions) {
  Expect(
      {
          {"access: { keys: [] }", 2, "access", "\"access\" is not in this version"},
          {"prices: []", 2, "prices", "\"prices\" is not in this version"},
          {"count_tokens: { mode: auto }", 2, "count_tokens",
           "\"count_tokens\" is not in this version"},
          {"listen: { tls: {} }", 2, "listen.tls", "\"listen.tls\" is not in this version"},
          {"observability: { capture_content: true }", 2, "observability.capture_content",
           "\"observability.capture_content\" is not in this version"},
          {"observability: { redaction: {} }", 2, "observability.redaction", "not in this version"},
          {"observability: { tracer: {} }", 2, "observability.tracer", "not in this version"},
          {"observability: { backend: tracer }", 2, "observability.backend",
           "\"observability.backend: tracer\" is not in this version"},
          {"observability: { backend: otl }", 2, "observability.backend", "none of: none"},
          {"observability: { logs: { content: true } }", 2, "observability.logs.content",
           "not in this version"},
      },
      kProviders);
  std::vector<Refusal> kinds;
  for (const char* kind : {"plugin"}) {
    kinds.push_back({absl::StrCat("providers: { p: { ", kind, ": { api_key: { env: KEY } } } }"), 1,
                     absl::StrCat("providers.p.", kind),
                     absl::StrCat("\"providers.p.", kind, "\" is not in this version")});
  }
  Expect(kinds, "");
  Expect({{"providers: { p: { anthropic: { base_url: https://a } } }", 1, "providers.p.anthropic",
           "needs one of these keys: api_key, bearer_token"},
          {"providers: { p: { anthropic: { api_key: { env: KEY }, bearer_token: { env: KEY } } } }",
           1, "providers.p.anthropic.bearer_token", "api_key"},
          {"providers: { p: { anthropic: { api_key: { env: KEY }, version: latest } } }", 1,
           "providers.p.anthropic.version", "must be a date"},
          {"providers: { p: { anthropic: { api_key: { env: KEY }, headers: { Anthropic-Version: "
           "2023-06-01 } } } }",
           1, "providers.p.anthropic.headers.Anthropic-Version", "is said by the key version"},
          {"providers: { anthropic: { mock: {} } }", 1, "providers.anthropic",
           "is the name of a dialect"},
          {"providers: { cohere: { openai: { api_key: { env: KEY } } } }", 1, "providers.cohere",
           "is the name of a dialect"},
          {"providers: { p: { cohere: {} } }", 1, "providers.p.cohere.api_key", "is missing"},
          {"providers: { p: { cohere: { api_key: { env: KEY }, base_url: \"http://a.test\" } } }",
           1, "providers.p.cohere.base_url", "beyond loopback"}},
         "");
  const auto vertex = [](absl::string_view keys, absl::string_view key, absl::string_view message) {
    return Refusal{absl::StrCat("providers: { p: { vertex: { ", keys, " } } }"), 1,
                   absl::StrCat("providers.p.vertex", key.empty() ? "" : ".", key),
                   std::string(message)};
  };
  Expect(
      {{"providers: { p: { gemini: { base_url: https://a } } }", 1, "providers.p.gemini.api_key",
        "is missing"},
       {"providers: { p: { gemini: { api_key: { env: KEY }, api_version: v1/x } } }", 1,
        "providers.p.gemini.api_version", "must be one word"},
       {"providers: { gemini: { mock: {} } }", 1, "providers.gemini", "is the name of a dialect"},
       vertex("project: a", "", "needs one of these keys: api_key, bearer_token"),
       vertex("api_key: { env: KEY }, google: { credentials_file: /a }", "google",
              "is not in this version"),
       vertex("bearer_token: { env: KEY }", "bearer_token", "needs project"),
       vertex("api_key: { env: KEY }, location: eu", "location", "needs project"),
       vertex("api_key: { env: KEY }, project: a/b", "project", "the id of a project"),
       vertex("api_key: { env: KEY }, project: '..'", "project", "the id of a project"),
       vertex("api_key: { env: KEY }, project: a, location: a/b", "location", "a region")},
      "");
  Expect({{"providers: { p: { openai: { api_key: { env: KEY }, credentials: {} } } }", 1,
           "providers.p.openai.credentials", "not in this version"},
          {"providers: { p: { openai_compatible: { base_url: https://a, preset: grok } } }", 1,
           "providers.p.openai_compatible.preset", "none of", "groq"},
          {"providers: { p: { azure_openai: { base_url: https://a, entra: {} } } }", 1,
           "providers.p.azure_openai.entra", "not in this version"},
          {"providers: { p: { azure_openai: { api_key: { env: KEY } } } }", 1,
           "providers.p.azure_openai.base_url", "is missing"},
          {"providers: { p: { azure_openai: { base_url: https://a, api_key: { env: KEY }, "
           "bearer_token: { env: KEY } } } }",
           1, "providers.p.azure_openai.bearer_token", "api_key"},
          {"providers: { p: { azure_openai: { base_url: https://a, api_key: { env: KEY }, "
           "api_version: v1 } } }",
           1, "providers.p.azure_openai.api_version", "must be a date"},
          {"providers: { p: { azure_openai: { base_url: https://a, api_key: { env: KEY }, "
           "deployments: { m: \"\" } } } }",
           1, "providers.p.azure_openai.deployments.m", "is empty"}},
         "");
}

TEST(Refusal, Secrets) {
  const auto with = [](const std::string& key, const std::string& message) {
    return Refusal{absl::StrCat("providers:\n  p:\n    openai:\n      api_key: ", key), 4,
                   "providers.p.openai.api_key", message};
  };
  Expect(
      {
          with("{ env: UNSET }", "the environment variable UNSET is not set"),
          with("{ env: EMPTY }", "the environment variable EMPTY is empty"),
          with("{ env: BROKEN }", "has a line break"),
          with("{ env: sk-proj-1 }", "not shown"),
          with("{ file: /missing }", "the file /missing cannot be read: No such file"),
          with("{ file: /empty }", "the file /empty is empty"),
          with("{ file: /newline }", "the file /newline is empty"),
          with("{ file: /two }", "has a line break"),
          with("{ file: secretsecret }", "not shown"),
          with("sk-canary",
               "a secret is not written here, only where it is: { env: NAME } or { file: PATH }"),
          with("[sk-canary]", "{ env: NAME }"),
          with("{ value: sk-canary }", "{ env: NAME }"),
          with("{ sk-canary: x }", "{ env: NAME }"),
          with("{ env: KEY, file: /two }", "{ env: NAME }"),
          with("{ env: [KEY] }", "{ env: NAME }"),
          with("{ env: '' }", "{ env: NAME }"),
          with("{}", "{ env: NAME }"),
      },
      "");
  Expect({{"providers: { p: { openai: {} } }", 1, "providers.p.openai.api_key", "is missing"}}, "");
}

TEST(Refusal, Providers) {
  const auto url = [](const std::string& value, const std::string& message) {
    return Refusal{
        absl::StrCat("providers:\n  p: { openai_compatible: { base_url: \"", value, "\" } }"), 2,
        "providers.p.openai_compatible.base_url", message};
  };
  const auto header = [](const std::string& name, const std::string& value,
                         const std::string& message) {
    return Refusal{
        absl::StrCat("providers:\n  p:\n    openai_compatible:\n      base_url: https://a\n",
                     "      headers:\n        ", name, ": \"", value, "\""),
        6, absl::StrCat("providers.p.openai_compatible.headers.", name), message};
  };
  const auto common = [](const std::string& key, const std::string& value,
                         const std::string& message) {
    return Refusal{
        absl::StrCat("providers:\n  p:\n    openai_compatible:\n      base_url: https://a\n",
                     "      ", key, ": ", value),
        5, absl::StrCat("providers.p.openai_compatible.", key), message};
  };
  Expect(
      {
          url("http://example.test/v1", "beyond loopback"),
          url("http://127.0.0.1.evil.test", "beyond loopback"),
          url("http://10.0.0.1", "beyond loopback"),
          url("https://u:sk-canary@example.test", "has a user"),
          url("https://example.test?a=b", "query"),
          url("https://example.test#a", "fragment"),
          url("example.test", "must begin with https://"),
          url("https://169.254.169.254/", "link-local"),
          url("http://127.0.0.1:7411", "own listener (listen.grpc)"),
          url("http://localhost:7413/v1", "own listener (listen.admin)"),
          header("host", "a", "belongs to the connection"),
          header("Content-Length", "1", "belongs to the connection"),
          header("Transfer-Encoding", "chunked", "belongs to the connection"),
          header("Authorization", "Bearer sk-canary", "goes into api_key"),
          header("api-key", "sk-canary", "goes into api_key"),
          header("X-Api-Key", "sk-canary", "goes into api_key"),
          header("a b", "x", "no name of a header"),
          header("x", "a\\r\\nb: c", "line break"),
          header("x", "a\\x01", "control character"),
          common("ca_file", "/missing.pem", "cannot be read"),
          common("ca_file", "/not.pem", "no certificate"),
          common("proxy", "http://user:sk-canary@p:1", "without user and password"),
          common("proxy", "p:1", "must be http://HOST:PORT"),
          common("proxy", "http://p:1/x", "has a path"),

          {"providers:\n  p: {}", 2, "providers.p",
           "needs one of these keys: openai, openai_compatible, mock, anthropic, azure_openai, "
           "cohere"},
          {"providers:\n  p: { mock: {}, openai: { api_key: { env: KEY } } }", 2,
           "providers.p.openai", "cannot stand beside \"mock\""},
          {"providers:\n  p: { openai_compatible: { base_url: https://a, heders: {} } }", 2,
           "providers.p.openai_compatible.heders", "is not a key", "headers"},
          {"providers:\n  p: { opnai: {} }", 2, "providers.p.opnai", "is not a key", "openai"},
          {"providers:\n  a/b: { mock: {} }", 2, "providers.a/b", "letters, digits"},
          {"providers:\n  openai: { mock: {} }", 2, "providers.openai", "name of a dialect"},
          {"providers:\n  p: { openai_compatible: {} }", 2,
           "providers.p.openai_compatible.base_url", "is missing"},
          {"providers:\n  p: { openai: { api_key: { env: KEY }, organization: \"a\\nb\" } }", 2,
           "providers.p.openai.organization", "control character"},
          {"providers:\n  p: { mock: { limits: { call_buffer: 1MiB } } }", 2,
           "providers.p.mock.limits.call_buffer", "is not a key"},
      },
      "");
}

TEST(Refusal, HeaderTwice) {
  Expect({{"providers: { p: { openai_compatible: { base_url: https://a, headers: { X-A: 1, x-a: 2 "
           "} } } }",
           1, "providers.p.openai_compatible.headers.x-a", "case does not count"}},
         "");
}

TEST(Refusal, Mock) {
  const auto mock = [](const std::string& text, const std::string& path,
                       const std::string& message) {
    return Refusal{absl::StrCat("providers: { p: { mock: { ", text, " } } }"), 1,
                   absl::StrCat("providers.p.mock.", path), message};
  };
  Expect(
      {
          mock("rules: [{ model: x }]", "rules[0]", "needs a reply, a fault or both"),
          mock("rules: [{ reply: {} }]", "rules[0].reply", "needs one of these keys: text, echo"),
          mock("rules: [{ reply: { text: a, echo: true } }]", "rules[0].reply.echo",
               "cannot stand beside"),
          mock("rules: [{ reply: { echo: false } }]", "rules[0].reply.echo", "can only be true"),
          mock("rules: [{ reply: { zzzz: a } }]", "rules[0].reply.zzzz", "is not a key"),
          mock("rules: [{ last_user: '(', reply: { text: a } }]", "rules[0].last_user", "RE2"),
          mock("rules: [{ last_user: '(?=a)', reply: { text: a } }]", "rules[0].last_user", "RE2"),
          mock("rules: [{ fault: { status: 200 } }]", "rules[0].fault.status", "300 to 599"),
          mock("fault: { stall_after: -1 }", "fault.stall_after", "0 to 1000000"),
          mock("fault: { malformed: false }", "fault.malformed", "can only be true"),
          mock("fault: {}", "fault", "needs one of these keys: status"),
          mock("fault: { status: 500, stall_after: 1 }", "fault.stall_after",
               "cannot stand beside"),
          mock("latency: { token: 1 }", "latency.token", "has no unit"),
          mock("models: [a, a]", "models[1]", "twice"),
          mock("models: ['']", "models[0]", "not empty"),
      },
      "");
}

TEST(Refusal, Listen) {
  Expect(
      {
          {"listen: { grpc: [\"0.0.0.0:7411\"] }", 2, "listen.grpc[0]",
           "allow_unauthenticated: true"},
          {"listen: { grpc: [\"127.0.0.1:1\",\n  \"[::]:2\"] }", 3, "listen.grpc[1]",
           "beyond loopback"},
          {"listen: { http: [\"example.test:1\"] }", 2, "listen.http[0]", "beyond loopback"},
          {"listen: { admin: [\"0.0.0.0:1\"], allow_unauthenticated: true }", 2, "listen.admin[0]",
           "mTLS"},
          {"listen: { admin_grpc: [\"[::]:1\"], allow_unauthenticated: true }", 2,
           "listen.admin_grpc[0]", "mTLS"},
          {"listen: { admin: [\"unix:/a\"] }", 2, "listen.admin[0]", "cannot be a Unix socket"},
          {"listen: { grpc: [\"127.0.0.1\"] }", 2, "listen.grpc[0]", "has no port"},
          {"listen: { grpc: [\"::1:7411\"] }", 2, "listen.grpc[0]", "more than one colon"},
          {"listen: { grpc: [\"unix:a\"] }", 2, "listen.grpc[0]", "absolute path"},
          {"listen: { grpc: [\"127.0.0.1:1\"], metrics: [\"127.0.0.1:1\"] }", 2,
           "listen.metrics[0]", "is also listen.grpc[0]"},
          {"listen: { grpc: [\"unix:/a\", \"unix:/a\"] }", 2, "listen.grpc[1]",
           "is also listen.grpc[0]"},
          {"listen: { unix_mode: \"0999\" }", 2, "listen.unix_mode", "octal"},
          {"listen: { unix_mode: \"66\" }", 2, "listen.unix_mode", "octal"},
          {"listen: { unix_mode: \"4660\" }", 2, "listen.unix_mode", "octal"},
          {"listen: { allowed_hosts: [\"a:80\"] }", 2, "listen.allowed_hosts[0]",
           "without scheme, port"},
          {"listen: { allowed_hosts: [\"http://a\"] }", 2, "listen.allowed_hosts[0]",
           "without scheme"},
          {"listen: { allowed_hosts: [\"*\"] }", 2, "listen.allowed_hosts[0]", "must be a host"},
          {"listen: { grcp: [] }", 2, "listen.grcp", "is not a key", "grpc"},
      },
      kProviders);
}

TEST(Refusal, Groups) {
  const auto group = [](const std::string& text, const std::string& path,
                        const std::string& message, const std::string& nearest = "") {
    return Refusal{absl::StrCat("groups:\n  g: { ", text, " }"), 3,
                   path.empty() ? "groups.g" : absl::StrCat("groups.g.", path), message, nearest};
  };
  Expect(
      {
          group("strategy: random", "candidates", "is missing"),
          group("candidates: []", "candidates", "has no candidate"),
          group("candidates: [{ provider: m }]", "candidates[0].model", "is missing"),
          group("candidates: [{ provider: mm, model: x }]", "candidates[0].provider",
                "there is no provider \"mm\"", "m"),
          group("candidates: [{ provider: n, model: other }]", "candidates[0].model",
                "has no model \"other\""),
          group("candidates: [{ provider: m, model: x, weight: 0 }]", "candidates",
                "all weights are 0"),
          group("candidates: [{ provider: m, model: x, weight: -1 }]", "candidates[0].weight",
                "0 to 1000000"),
          group("candidates: [{ provider: m, model: x, weight: 1.5 }]", "candidates[0].weight",
                "no whole number"),
          group("candidates: [{ provider: m, model: x, weight: 1000001 }]", "candidates[0].weight",
                "0 to 1000000"),
          group("candidates: [{ provider: m, model: x, id: a }, { provider: m, model: y, id: a }]",
                "candidates[1].id", "another candidate with the id \"a\""),
          group("candidates: [{ provider: m, model: x, id: a }, { provider: m, model: x, id: b }]",
                "candidates[1]", "this provider and model already"),
          group("candidates: [{ provider: m, model: x }], fallback: [g]", "fallback[0]",
                "the group itself"),
          group("candidates: [{ provider: m, model: x }], fallback: [gg]", "fallback[0]",
                "there is no group \"gg\"", "g"),
          group("candidates: [{ provider: m, model: x }], strategy: weighted", "strategy",
                "none of: "),
          group("candidates: [{ provider: m, model: x }], hash_key: user", "hash_key",
                "none of: routing_key"),
          group("candidates: [{ provider: m, model: x }], hash_key: metadata.", "hash_key",
                "metadata.NAME"),
          group("candidates: [{ provider: m, model: x }], hash_key: end_usr", "hash_key", "none of",
                "end_user"),
          group("candidates: [{ provider: m, model: x }], strategy: random, hash_key: team",
                "hash_key", "weighted_hash alone"),
          group("candidates: [{ provider: m, model: x }], missing_key: fail", "missing_key",
                "none of"),
          group("candidates: [{ provider: m, model: x }], circuit_breaker: {}", "circuit_breaker",
                "is not a key"),
          group("candidates: [{ provider: m, model: x }], retry: { budget: {} }", "retry.budget",
                "belongs to a provider"),
          group("candidates: [{ provider: m, model: x, retry: { max_attempts: 2 } }]",
                "candidates[0].retry.max_attempts", "belongs to the call"),
          {"groups: { a/b: { candidates: [{ provider: m, model: x }] } }", 2, "groups.a/b",
           "letters, digits"},
          {"groups:\n  a: { candidates: [{ provider: m, model: x }], fallback: [b, b] }\n"
           "  b: { candidates: [{ provider: m, model: y }] }",
           3, "groups.a.fallback[1]", "is there twice"},
          {"groups:\n  a: { candidates: [{ provider: m, model: x }], fallback: [b] }\n"
           "  b: { candidates: [{ provider: m, model: x }] }",
           3, "groups.a.fallback[0]", "brings m/x into this group's chain a second time"},
          {"groups:\n  a: { candidates: [{ provider: m, model: x }], fallback: [b, c] }\n"
           "  b: { candidates: [{ provider: m, model: y }] }\n"
           "  c: { candidates: [{ provider: m, model: y, id: other }] }",
           3, "groups.a.fallback[1]", "second time"},
      },
      kProviders);
}

TEST(Refusal, GroupsWithManyFallbacksOrWeights) {
  std::string text = "groups:\n";
  std::string names;
  for (int i = 0; i < 9; ++i) {
    absl::StrAppend(&text, "  g", i, ": { candidates: [{ provider: m, model: x", i, " }] }\n");
    absl::StrAppend(&names, "g", i, ",");
  }
  Expect({{absl::StrCat(text, "  a: { candidates: [{ provider: m, model: x }], fallback: [", names,
                        "] }"),
           12, "groups.a.fallback", "has 9 items, and may have at most 8"}},
         kProviders);
  std::string many = "groups:\n  a:\n    candidates:\n";
  for (int i = 0; i < 2148; ++i) {
    absl::StrAppend(&many, "      - { provider: m, model: x", i, ", weight: 1000000 }\n");
  }
  Expect({{many, 4, "groups.a.candidates", "sum is over 2147483647"}}, kProviders);
}

TEST(Refusal, Aliases) {
  const std::string head =
      absl::StrCat(kProviders, "groups: { g: { candidates: [{ provider: m, model: x }] } }\n");
  Expect(
      {
          {"aliases: { a: other }", 3, "aliases.a", "there is no group \"other\""},
          {"aliases: { a: gg }", 3, "aliases.a", "there is no group \"gg\"", "g"},
          {"aliases: { a: m/ }", 3, "aliases.a", "there is no group"},
          {"aliases: { a: '' }", 3, "aliases.a", "there is no group"},
          {"aliases: { a: mm/x }", 3, "aliases.a", "there is no provider \"mm\"", "m"},
          {"aliases: { a: n/other }", 3, "aliases.a", "has no model \"other\""},
          {"aliases: { a: a }", 3, "aliases.a", "is an alias itself"},
          {"aliases: { g: m/x }", 3, "aliases.g", "also the name of a group"},
          {"aliases: { m/x: g }", 3, "aliases.m/x", "also a provider and model"},
      },
      head);
  const LoadedConfig loop = Load(absl::StrCat(head, "aliases: { a: b, b: a }"));
  EXPECT_EQ(loop.problems.size(), 3u) << ToText(loop.problems);  // and KEY, which is not set here
}

TEST(Refusal, RangesBetweenKeys) {
  const auto group = [](const std::string& text, const std::string& path,
                        const std::string& message) {
    return Refusal{
        absl::StrCat(
            "retry: { base_delay: 1s, max_attempts: 2 }\ndeadline: { default: 60s, max: 120s }\n",
            "groups:\n  g:\n    candidates: [{ provider: m, model: x }]\n    ", text),
        7, absl::StrCat("groups.g.", path), message};
  };
  const auto candidate = [](const std::string& text, const std::string& path,
                            const std::string& message) {
    return Refusal{
        absl::StrCat("retry: { base_delay: 1s }\ngroups:\n  g:\n    deadline: { max: 30s }\n",
                     "    candidates:\n    - provider: m\n      model: x\n      ", text),
        9, absl::StrCat("groups.g.candidates[0].", path), message};
  };
  Expect(
      {
          {"retry: { base_delay: 2s, max_delay: 1s }", 2, "retry.max_delay",
           "is less than base_delay (2s)"},
          {"retry: { base_delay: 9s }", 2, "retry.base_delay", "max_delay (8s) is less"},
          {"retry: { max_attempts: 2, max_attempts_per_candidate: 3 }", 2,
           "retry.max_attempts_per_candidate", "(3) is more than max_attempts (2)"},
          {"retry: { max_attempts_per_candidate: 4 }", 2, "retry.max_attempts_per_candidate",
           "(3)"},
          {"deadline: { default: 2m, max: 1m }", 2, "deadline.default", "is more than max (1m)"},
          {"deadline: { max: 60s }\ntimeouts: { ttft: 90s }", 3, "timeouts.ttft",
           "more than deadline.max"},
          {"deadline: { max: 60s }\ntimeouts: { attempt: 61s }", 3, "timeouts.attempt",
           "more than deadline.max (1m)"},
          {"timeouts: { final_ttft: 60s }", 2, "timeouts.final_ttft", "is less than ttft (3m)"},
          {"timeouts: { min_attempt: 10s }\ndeadline: { default: 20s }", 2, "timeouts.min_attempt",
           "times max_attempts (3) is more than deadline.default (20s)"},
          {"retry: { max_attempts: 10 }\ndeadline: { default: 5s }", 2, "retry.max_attempts",
           "times"},
          {"circuit_breaker: { failure_threshold: 0, failure_ratio: 0 }", 2,
           "circuit_breaker.failure_threshold", "enabled: false"},
          {"circuit_breaker: { cooldown: 10m }", 2, "circuit_breaker.cooldown",
           "max_cooldown (5m)"},
          {"limits: { queue_timeout: 700s }", 2, "limits.queue_timeout",
           "more than deadline.default (10m)"},
          group("retry: { max_delay: 500ms }", "retry.max_delay", "less than base_delay (1s)"),
          group("retry: { max_attempts_per_candidate: 3 }", "retry.max_attempts_per_candidate",
                "(2)"),
          group("timeouts: { ttft: 121s }", "timeouts.ttft", "more than deadline.max (2m)"),
          group("deadline: { max: 30s }", "deadline.max", "default (1m) is more than max (30s)"),
          candidate("retry: { max_delay: 500ms }", "retry.max_delay", "less than base_delay (1s)"),
          candidate("retry: { max_attempts_per_candidate: 4 }", "retry.max_attempts_per_candidate",
                    "(4) is more than max_attempts (3)"),
          candidate("retry: { max_attempts_per_candidate: 0 }", "retry.max_attempts_per_candidate",
                    "1 to 5"),
          candidate("retry: { inline_wait_max: 61s }", "retry.inline_wait_max", "0s to 60s"),
          candidate("timeouts: { ttft: 31s }", "timeouts.ttft", "more than deadline.max (30s)"),
      },
      kProviders);
  Expect({{"circuit_breaker: { failure_ratio: 0 }\nproviders:\n  p:\n    mock:\n"
           "      circuit_breaker: { failure_threshold: 0 }",
           5, "providers.p.mock.circuit_breaker.failure_threshold", "enabled: false"},
          {"providers:\n  p: { mock: { limits: { queue_timeout: 11m } } }", 2,
           "providers.p.mock.limits.queue_timeout", "deadline.default"}},
         "");
}

}  // namespace
}  // namespace mg
