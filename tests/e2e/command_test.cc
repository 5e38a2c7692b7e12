// The sub-commands that look at a configuration or at a daemon.

#include "tests/e2e/command.h"

#include "adapters/schema/schema.h"
#include "base/json.h"
#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/config_files.h"
#include "tests/e2e/daemon.h"

namespace mg::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Command, ConfigEffectiveLaysAFolderOverAFile) {
  const Folder folder;
  const std::string base = folder.path() + "/base.yaml";
  const std::string over = folder.path() + "/over.d";
  ASSERT_EQ(mkdir(over.c_str(), 0700), 0);
  Overwrite(base, "providers: { mock: { mock: {} } }\nretry: { max_attempts: 5 }\n");
  Overwrite(over + "/a.yaml", "\nretry: { max_delay: 3s }\n");
  const CommandResult shown =
      RunCommand({"config", "effective", "--config", base, "--config-dir", over});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output, AllOf(HasSubstr("  max_attempts: 5  # " + base + ":2\n"),
                                  HasSubstr("  max_delay: 3s  # " + over + "/a.yaml:2\n"),
                                  HasSubstr("  jitter: full  # default\n")));
  Overwrite(over + "/b.yaml", "retry: { max_dela: 3s }\n");
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"config", "effective", "--config", base, "--config-dir", over},
           {"check", base, "--config-dir", over},
           {"serve", "--config", base, "--config-dir", over}}) {
    const CommandResult refused = RunCommand(arguments);
    EXPECT_EQ(refused.exit_code, 2) << arguments[0];
    EXPECT_EQ(refused.output, over +
                                  "/b.yaml:1: retry.max_dela: is not a key (did you mean "
                                  "\"max_delay\"?)\n");
  }
}

TEST(Command, ConfigExampleIsGood) {
  const Folder folder;
  const std::string file = folder.path() + "/example.yaml";
  const CommandResult example = RunCommand({"config", "example"});
  EXPECT_EQ(example.exit_code, 0);
  Overwrite(file, example.output);
  const CommandResult checked =
      RunCommand({"check", file}, {{"OPENAI_API_KEY", "sk-1"}, {"ANTHROPIC_API_KEY", "sk-2"}});
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
}

TEST(Command, ConfigWithoutAWordSaysWhichThereAre) {
  EXPECT_EQ(RunCommand({"config"}).exit_code, 2);
  const CommandResult other = RunCommand({"config", "doc"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.output, HasSubstr("config has no \"doc\"; it has: docs, schema, example, "
                                      "effective"));
}

// The schema for editors takes what the loader takes, and refuses what it refuses. (That one of
// several keys must be there is said by oneOf, which this validator does not check.)
TEST(Command, ConfigSchemaFitsConfigurations) {
  const CommandResult printed = RunCommand({"config", "schema"});
  EXPECT_EQ(printed.exit_code, 0);
  const auto schema = AnswerSchema::Compile(printed.output);
  ASSERT_TRUE(schema.ok()) << schema.status();
  const auto fits = [&](const std::string& text) { return (*schema)->Check(text, 1).empty(); };
  const Folder folder;
  const auto loads = [&](const std::string& text) {
    Overwrite(folder.path() + "/c.json", text);
    return RunCommand({"check", folder.path() + "/c.json"}, {{"K", "sk-1"}}).exit_code == 0;
  };
  const std::string mock = R"("providers":{"m":{"mock":{}}})";
  for (const std::string& good :
       {std::string("{" + mock + "}"),
        "{" + mock + R"(,"retry":{"max_attempts":2,"base_delay":"1ms"}})",
        "{" + mock + R"(,"limits":{"call_buffer":"1MiB"},"listen":{"grpc":["127.0.0.1:1"]}})",
        std::string(R"({"providers":{"a":{"openai":{"api_key":{"env":"K"}}}},)"
                    R"("groups":{"g":{"strategy":"random","candidates":[)"
                    R"({"provider":"a","model":"m","weight":3}]}},"aliases":{"x":"g"}})")}) {
    EXPECT_TRUE(fits(good)) << good;
    EXPECT_TRUE(loads(good)) << good;
  }
  for (const std::string& bad :
       {std::string("{}"), "{" + mock + R"(,"rety":{}})",
        "{" + mock + R"(,"retry":{"max_attempts":"2"}})",
        "{" + mock + R"(,"retry":{"base_delay":"1"}})",
        "{" + mock + R"(,"retry":{"jitter":"ful"}})",
        "{" + mock + R"(,"limits":{"call_buffer":"1MB"}})",
        std::string(R"({"providers":{"a":{"openai":{"api_key":"sk-1"}}}})"),
        std::string(R"({"providers":{"a":{"openai":{}}}})")}) {
    EXPECT_FALSE(fits(bad)) << bad;
    EXPECT_FALSE(loads(bad)) << bad;
  }
}

TEST(Command, HealthAsksADaemon) {
  Daemon daemon({.config = absl::StrCat(Listening(), "providers: { mock: { mock: {} } }\n")});
  const std::string path = daemon.folder() + "/gateway.sock";
  EXPECT_EQ(RunCommand({"health", "--socket", path}).exit_code, 0);
  EXPECT_EQ(RunCommand({"health", "--socket", "unix:" + path}).exit_code, 0);
  EXPECT_EQ(
      RunCommand({"health", "--socket", daemon.tcp(), "--service", "modelgateway.v1.ModelGateway"})
          .exit_code,
      0);
  const CommandResult other =
      RunCommand({"health", "--socket=" + daemon.tcp(), "--service", "no.Such"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("no service \"no.Such\""));
  EXPECT_EQ(daemon.Stop(), 0);
  const CommandResult gone = RunCommand({"health", "--socket", path});
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_THAT(gone.output, HasSubstr("not serving at unix:" + path));
  EXPECT_EQ(RunCommand({"health", "--sock"}).exit_code, 2);
}

constexpr char kRoutes[] =
    "providers: { a: { mock: {} }, b: { mock: {} }, c: { mock: {} } }\n"
    "groups:\n"
    "  support:\n"
    "    candidates:\n"
    "      - { provider: a, model: m, weight: 1 }\n"
    "      - { provider: b, model: m, weight: 3, id: second }\n"
    "      - { provider: b, model: old, weight: 0 }\n"
    "    fallback: [spare]\n"
    "  spare: { candidates: [{ provider: c, model: s }] }\n"
    "aliases: { fast: support }\n";

TEST(Command, ExplainSaysWhoWouldServeAndWhy) {
  const Folder folder;
  const std::string file = folder.path() + "/c.yaml";
  Overwrite(file, kRoutes);
  const CommandResult hashed =
      RunCommand({"explain", "fast", "--end-user", "u-1", "--config", file});
  EXPECT_EQ(hashed.exit_code, 0) << hashed.output;
  EXPECT_THAT(
      hashed.output,
      AllOf(HasSubstr("support: weighted_hash of end_user\n"), HasSubstr("  1. "),
            HasSubstr("second (b/m)  weight 3  score 0."), HasSubstr("a/m  weight 1  score"),
            HasSubstr("  -  b/old  weight 0  skipped: weight_zero\n"),
            HasSubstr("c/s  weight 1  score"), HasSubstr("  fallback 1\n")));
  EXPECT_EQ(RunCommand({"explain", "fast", "--end-user", "u-1", "--config", file}).output,
            hashed.output);
  EXPECT_THAT(RunCommand({"explain", "fast", "--config", file}).output,
              HasSubstr("weighted_hash, and nothing to hash"));
  EXPECT_THAT(RunCommand({"explain", "a/x", "--config", file}).output,
              HasSubstr("a/x: asked for by name\n  1. a/x\n"));
  const CommandResult unknown = RunCommand({"explain", "fats", "--config", file});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.output, HasSubstr("refused: no model \"fats\": did you mean \"fast\"?"));
  EXPECT_EQ(RunCommand({"explain"}).exit_code, 2);
  EXPECT_EQ(RunCommand({"explain", "fast", "--address", "unix:/nowhere/admin.sock"}).exit_code, 1);
}

// One provider for each thing that can be wrong.
TEST(Command, DoctorSaysWhatIsWrongAndWhatToDo) {
  FakeUpstream upstream;
  const std::string list = R"({"data":[{"id":"m-1"},{"id":"m-2"}]})";
  upstream.When("/good/v1/models").Reply(Json(list));
  upstream.When("/refused/v1/models").Reply(Failing(401, "no such key sk-canary-refused"));
  upstream.When("/keyless/v1/models").Reply(Failing(401, "a key, please"));
  upstream.When("/listless/v1/models").Reply(Failing(404));
  upstream.When("/broken/v1/models").Reply(Failing(500, "out of order"));
  FakeUpstream gone;
  gone.StopListening();
  TlsIdentity identity;
  MakeTlsIdentity({"127.0.0.1"}, /*expired=*/false, &identity);
  FakeUpstream untrusted({.tls = &identity});
  const auto compatible = [](const std::string& name, const std::string& url, bool key) {
    return absl::StrCat("  ", name, ": { openai_compatible: { base_url: \"", url, "\"",
                        key ? ", api_key: { env: KEY }" : "", " } }\n");
  };
  std::string config = "providers:\n  fake: { mock: {} }\n";
  for (const char* name : {"good", "refused", "listless", "broken"}) {
    config += compatible(name, upstream.Url(absl::StrCat("/", name, "/v1")), true);
  }
  config += compatible("keyless", upstream.Url("/keyless/v1"), false);
  config += compatible("gone", gone.Url("/v1"), true);
  config += compatible("untrusted", untrusted.Url("/v1"), true);
  config += "aliases: { x: good/m-1, y: good/m-3 }\n";
  const Folder folder;
  const std::string file = folder.path() + "/c.yaml";
  Overwrite(file, config);

  const std::map<std::string, std::string> environment = {{"KEY", "sk-canary-refused"}};
  const CommandResult table = RunCommand({"doctor", "--config", file}, environment);
  EXPECT_EQ(table.exit_code, 1);
  EXPECT_THAT(table.output,
              AllOf(HasSubstr("PROVIDER"), HasSubstr("2 listed"), HasSubstr(" ms\n")));
  EXPECT_THAT(table.output, Not(HasSubstr("canary")));

  const CommandResult printed = RunCommand({"doctor", "--json", "--config", file}, environment);
  EXPECT_EQ(printed.exit_code, 1);
  JsonDocument document;
  ASSERT_TRUE(ParseJson(printed.output, &document).ok()) << printed.output;
  std::map<std::string, std::string> found;
  for (const JsonValue& one : Member(document, "providers")->GetArray()) {
    std::string& text = found[std::string(StringMember(one, "provider"))];
    for (const char* step : {"name", "tls", "key", "models"}) {
      absl::StrAppend(&text, StringMember(one, step), ", ");
    }
    for (const char* list_of : {"faults", "notes"}) {
      for (const JsonValue& line : Member(one, list_of)->GetArray()) {
        absl::StrAppend(&text, StringOf(line), "\n");
      }
    }
  }
  EXPECT_EQ(found["fake"], "none, none, none, none, ");
  EXPECT_THAT(found["good"], AllOf(HasSubstr("ok, none, ok, ok, "),
                                   HasSubstr("its list has not: m-3 (named by groups or aliases")));
  EXPECT_THAT(
      found["refused"],
      AllOf(HasSubstr("ok, none, failed, not checked, the key is refused: refused answered 401"),
            HasSubstr("renew what providers.refused.openai_compatible.api_key (" + file +
                      ":4) refers to")));
  EXPECT_THAT(found["keyless"], HasSubstr("ok, none, failed, not checked, it wants a key: "));
  EXPECT_EQ(found["listless"], "ok, none, not checked, not checked, ");
  EXPECT_THAT(found["broken"],
              AllOf(HasSubstr("ok, none, not checked, failed, "), HasSubstr("out of order")));
  EXPECT_THAT(found["gone"], AllOf(HasSubstr("ok, failed, not checked, not checked, "),
                                   HasSubstr("Connection refused: is the server running")));
  EXPECT_THAT(found["untrusted"], AllOf(HasSubstr("ok, failed, not checked, not checked, "),
                                        HasSubstr("(a CA of your own is named by ca_file)")));

  // Nothing was asked for that costs.
  for (const UpstreamRequest& request : upstream.requests()) EXPECT_EQ(request.method, "GET");

  Overwrite(file, "providers:\n" + compatible("good", upstream.Url("/good/v1"), true));
  EXPECT_EQ(RunCommand({"doctor", "--config", file}, environment).exit_code, 0);
  EXPECT_EQ(RunCommand({"doctor", "--config", file}).exit_code, 2) << "without its key";
}

}  // namespace
}  // namespace mg::e2e
