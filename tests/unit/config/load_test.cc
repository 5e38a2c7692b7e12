#include "daemon/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
models:
  - { match: "local/qwen3-*", context_window: 40960, capabilities: [chat, stream, tools], tokenizer: none }
  - { match: "*", sampling: false }
retry:           { max_attempts: 4, base_delay: 250ms, max_delay: 8s, jitter: full, budget: { ratio: 0.2 } }
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

constexpr char kCanary[] = "sk-canary-0123456789abcdef";

FakeOutside WithKey() {
  FakeOutside outside;
  outside.variables["OPENAI_API_KEY"] = kCanary;
  return outside;
}

// All that a loaded configuration may show.
std::string Output(const LoadedConfig& loaded) {
  return absl::StrCat(ToText(loaded.problems), absl::StrJoin(loaded.warnings, "\n"),
                      absl::StrJoin(loaded.no_effect, "\n"));
}

TEST(Load, TakesTheExample) {
  const LoadedConfig loaded = Load(kExample, WithKey());
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.ApiKeyOf("openai").Reveal(), kCanary);
  EXPECT_TRUE(loaded.ApiKeyOf("local").empty());
  EXPECT_TRUE(loaded.ApiKeyOf("fake").empty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_THAT(loaded.no_effect, ElementsAre("listen.http", "groups.support.candidates[1].labels",
                                            "models[0].tokenizer", "observability.backend"));

  const v1::Config& config = loaded.config;
  EXPECT_EQ(config.providers().at("local").openai_compatible().base_url(),
            "http://127.0.0.1:8000/v1");
  EXPECT_EQ(config.providers().at("openai").openai().http().headers().at("x-tenant"), "search");
  EXPECT_EQ(config.providers().at("openai").openai().scoped().limits().queue(), 3);
  const v1::MockConfig& mock = config.providers().at("fake").mock();
  EXPECT_EQ(mock.rules(0).reply().text(), "Sunny.");
  EXPECT_EQ(mock.rules(1).fault().status(), 503);
  EXPECT_TRUE(mock.latency().has_first());
  EXPECT_EQ(config.groups().at("support").candidates(1).labels().at("variant"), "b");
  EXPECT_EQ(config.aliases().at("best"), "openai/gpt-5");
  EXPECT_EQ(config.models(0).context_window(), 40960);
  EXPECT_THAT(config.models(0).capabilities(), ElementsAre("chat", "stream", "tools"));
  EXPECT_TRUE(config.models(1).has_sampling());
  EXPECT_EQ(config.limits().buffered_bytes(), 100u << 20);
  EXPECT_EQ(config.listen().grpc().addresses_size(), 2);
  EXPECT_EQ(loaded.LineOf("groups.support.candidates[1].weight"), 20);
  EXPECT_EQ(loaded.LineOf("groups.support.candidates[1].retry.jitter"), 20);
  EXPECT_EQ(loaded.LineOf("nowhere"), 0);
}

TEST(Load, TakesJson) {
  const LoadedConfig loaded = Load(R"({
    "providers": {"m": {"mock": {"fault": {"status": 503}}}},
    "groups": {"g": {"candidates": [{"provider": "m", "model": "x", "weight": 3}], "failover": false}},
    "retry": {"base_delay": "1s", "budget": {"ratio": 0.5}},
    "limits": {"call_buffer": 65536}
  })");
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_EQ(loaded.config.groups().at("g").candidates(0).weight(), 3);
  EXPECT_TRUE(loaded.config.groups().at("g").has_failover());
  EXPECT_EQ(loaded.config.limits().call_buffer(), 65536u);
}

TEST(Load, ZeroIsAValue) {
  const LoadedConfig loaded = Load(R"(
providers: { m: { mock: {} } }
groups:
  g: { candidates: [{ provider: m, model: x, weight: 0 }, { provider: m, model: y }] }
retry: { inline_wait_max: 0s }
timeouts: { attempt: 0s }
limits: { queue: 0 }
listen: { grpc: [] }
)");
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_TRUE(loaded.config.groups().at("g").candidates(0).has_weight());
  EXPECT_FALSE(loaded.config.groups().at("g").candidates(1).has_weight());
  EXPECT_TRUE(loaded.config.retry().has_inline_wait_max());
  EXPECT_FALSE(loaded.config.retry().has_base_delay());
  EXPECT_TRUE(loaded.config.limits().has_queue());
  EXPECT_TRUE(loaded.config.listen().has_grpc());
  EXPECT_FALSE(loaded.config.listen().has_admin());
}

TEST(Load, TellsAllProblemsAtOnceInOrder) {
  const LoadedConfig loaded = Load(R"(listen:
  grpc: ["0.0.0.0:7411"]
  tls: {}
providers:
  o: { openai: { api_key: { env: OPENAI_API_KEY } } }
  p: { openai_compatible: { base_url: "http://example.test" } }
groups:
  g:
    strategy: randm
    candidates:
      - { provider: x, model: a, weight: -1 }
      - { provider: o, model: a, wieght: 2 }
    fallback: [h]
aliases: { a: nothing }
retry: { base_delay: 250, jitter: ful }
acess: {}
)");
  std::vector<std::string> found;
  for (const Problem& problem : loaded.problems) {
    found.push_back(absl::StrCat(problem.line, " ", problem.path));
  }
  EXPECT_THAT(found,
              ElementsAre("2 listen.grpc[0]", "3 listen.tls", "5 providers.o.openai.api_key",
                          "6 providers.p.openai_compatible.base_url", "9 groups.g.strategy",
                          "11 groups.g.candidates[0].provider", "11 groups.g.candidates[0].weight",
                          "12 groups.g.candidates[1].wieght", "13 groups.g.fallback[0]",
                          "14 aliases.a", "15 retry.base_delay", "15 retry.jitter", "16 acess"));
  EXPECT_EQ(ToText(loaded.problems[11]),
            "test.yaml:15: retry.jitter: \"ful\" is none of: none, full, equal, decorrelated (did "
            "you mean \"full\"?)");
}

TEST(Load, AMissingProviderIsNotToldTwice) {
  // The kind is refused; that groups name the provider is not wrong.
  const LoadedConfig loaded = Load(
      "providers: { a: { plugin: {} } }\n"
      "groups: { g: { candidates: [{ provider: a, model: x }] } }\naliases: { b: a/x }\n");
  ASSERT_EQ(loaded.problems.size(), 1u) << ToText(loaded.problems);
  EXPECT_EQ(loaded.problems[0].path, "providers.a.plugin");
}

TEST(Load, ReadsSecretsFromFiles) {
  FakeOutside outside;
  outside.files["/key"] = {absl::StrCat(kCanary, "\n"), true};
  outside.files["/crlf"] = {absl::StrCat(kCanary, "\r\n"), false};
  const LoadedConfig loaded = Load(
      "providers:\n  a: { openai: { api_key: { file: /key } } }\n"
      "  b: { openai_compatible: { base_url: https://b, api_key: { file: /crlf } } }\n",
      outside);
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_EQ(loaded.ApiKeyOf("a").Reveal(), kCanary);
  EXPECT_EQ(loaded.ApiKeyOf("b").Reveal(), kCanary);
  EXPECT_THAT(loaded.warnings,
              ElementsAre("test.yaml:2: providers.a.openai.api_key: the file /key can be read by "
                          "everybody on this machine: chmod o-r"));
}

// A key at every place where it does not belong: no output may have it.
TEST(Load, NeverShowsASecret) {
  std::vector<std::string> texts;
  for (const std::string value :
       {"CANARY", "'CANARY'", "[CANARY]", "{CANARY: x}", "{value: CANARY}", "{env: CANARY}",
        "{file: CANARY}", "{env: [CANARY]}", "{env: a, file: CANARY}", "&CANARY x", "*CANARY",
        "!CANARY x", "\"CANARY\\n\"", "{env: \"CANARY\\n\"}", "{CANARY}"}) {
    texts.push_back(absl::StrCat("providers: { p: { openai: { api_key: ", value, " } } }"));
    texts.push_back(absl::StrCat("providers: { p: { openai: ", value, " } }"));
    for (const char* key :
         {"base_url", "proxy", "ca_file", "allow_insecure", "headers", "limits"}) {
      texts.push_back(absl::StrCat("providers: { p: { openai: { api_key: {env: K}, ", key, ": ",
                                   value, " } } }"));
    }
    for (const char* key : {"retry: { jitter: ", "retry: { max_attempts: ", "retry: { base_delay: ",
                            "limits: { call_buffer: ", "observability: { backend: ",
                            "listen: { unix_mode: ", "listen: { grpc: "}) {
      texts.push_back(absl::StrCat(key, value, " }"));
    }
  }
  texts.insert(
      texts.end(),
      {"providers: { p: { openai: { base_url: 'https://u:CANARY@h', api_key: {env: K} } } }",
       "providers: { p: { openai: { proxy: 'http://u:CANARY@h', api_key: {env: K} } } }",
       "providers: { p: { openai: { headers: { authorization: CANARY }, api_key: {env: K} } } }",
       "providers: { p: { openai: { headers: { x: \"CANARY\\r\\n\" }, api_key: {env: K} } } }",
       "providers: { p: { openai: { api_key: {env: BROKEN} } } }",
       "providers: { p: { openai: { api_key: {file: /key} } } }"});
  FakeOutside outside;
  for (const std::string canary : {kCanary, "AIzaSyCanary0123456789abcdefghijklmno"}) {
    outside.variables["K"] = canary;
    outside.variables["BROKEN"] = absl::StrCat(canary, "\n", canary);
    outside.files["/key"] = {canary + "\n\n", true};
    for (const std::string& text : texts) {
      const std::string full = absl::StrReplaceAll(text, {{"CANARY", canary}});
      const LoadedConfig loaded = Load(full, outside);
      // Keys are the one thing that problems repeat, and only outside of secrets.
      if (absl::StrContains(text, "{CANARY") && !absl::StrContains(text, "api_key: {CANARY"))
        continue;
      EXPECT_FALSE(absl::StrContains(Output(loaded), canary)) << Output(loaded);
    }
  }
}

TEST(Load, ProblemsStayOneLineAndBounded) {
  std::string text = "aliases:\n";
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&text, "  a", i, ": nothing\n");
  const LoadedConfig loaded = Load(text);
  EXPECT_EQ(loaded.problems.size(), 501u);
  EXPECT_EQ(ToText(loaded.problems.back()),
            "test.yaml: perhaps more is wrong: these are the first problems");
  const LoadedConfig steering = Load("\"a\\n\\e[2Jb\": 1\n");
  EXPECT_THAT(ToText(steering.problems[0]), HasSubstr("test.yaml:1: a??[2Jb: is not a key"));
}

// Whatever stands in the file: an answer, and never a crash, a hang or a secret.
TEST(Load, SurvivesTruncationAndMutation) {
  const std::string example = kExample;
  const FakeOutside outside = WithKey();
  for (size_t end = 0; end < example.size(); end += 7) {
    EXPECT_FALSE(absl::StrContains(Output(Load(example.substr(0, end), outside)), kCanary));
  }
  std::mt19937 random(20240607);
  const std::string signs = "{}[]:,-#&*!|>'\"%@`?~ \n\t\r0a.\\\x80\xff\x01";
  int taken = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = example;
    const int changes = 1 + static_cast<int>(random() % 8);
    for (int i = 0; i < changes; ++i) {
      const size_t at = random() % text.size();
      const size_t length = random() % 12;
      switch (random() % 4) {
        case 0:
          text[at] = signs[random() % signs.size()];
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), length));
          break;
        default:
          text.insert(at, 1, signs[random() % signs.size()]);
          break;
      }
    }
    const LoadedConfig loaded = Load(text, outside);
    taken += loaded.ok() ? 1 : 0;
    EXPECT_FALSE(absl::StrContains(Output(loaded), kCanary));
    for (const Problem& problem : loaded.problems) {
      EXPECT_EQ(problem.file, "test.yaml");
      EXPECT_FALSE(problem.message.empty());
      EXPECT_FALSE(absl::StrContains(ToText(problem), "\n"));
    }
  }
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 1500);
}

}  // namespace
}  // namespace mg
