// --config-dir: files laid over each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "daemon/config/reading.h"
#include "daemon/config/source.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LoadedConfig LoadAll(const std::vector<std::string>& texts) {
  static const FakeOutside kNothing;
  std::vector<ConfigSource> layers;
  for (const std::string& text : texts) {
    layers.push_back({text, absl::StrCat("f", layers.size(), ".yaml")});
  }
  return LoadLayers(layers, kNothing.Get());
}

TEST(Layers, ExactlyOneLevelMergesByKey) {
  const LoadedConfig loaded =
      LoadAll({"providers:\n  a: { mock: { models: [m, n] } }\n  b: { mock: {} }\n"
               "retry: { max_attempts: 5, max_delay: 9s }\nunsupported_parameters: refuse\n",
               "providers:\n  a: { mock: { models: [o] } }\n  c: { mock: {} }\n"
               "retry: { max_attempts: 2 }\n",
               "unsupported_parameters: warn\n"});
  EXPECT_EQ(ToText(loaded.problems), "");
  const v1::Config& config = loaded.config;
  ASSERT_EQ(config.providers_size(), 3);
  EXPECT_THAT(config.providers().at("a").mock().models(), ElementsAre("o"));  // the later one whole
  EXPECT_EQ(config.retry().max_attempts(), 2);
  EXPECT_EQ(config.retry().max_delay().seconds(), 9);
  EXPECT_EQ(config.unsupported_parameters(), v1::WARN);
  EXPECT_EQ(loaded.sources.At(loaded.LineOf("providers.b")).file, "f0.yaml");
  EXPECT_EQ(loaded.sources.At(loaded.LineOf("providers.b")).line, 3);
  EXPECT_EQ(loaded.sources.At(loaded.LineOf("providers.a")).file, "f1.yaml");
  EXPECT_EQ(loaded.sources.At(loaded.LineOf("providers.a")).line, 2);
}

TEST(Layers, ListsReplace) {
  const LoadedConfig loaded =
      LoadAll({"providers: { a: { mock: {} } }\nlisten: { admin: [\"127.0.0.1:1\"], grpc: "
               "[\"127.0.0.1:2\", \"127.0.0.1:3\"] }\n",
               "listen: { grpc: [\"127.0.0.1:4\"] }\n"});
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_THAT(loaded.config.listen().grpc().addresses(), ElementsAre("127.0.0.1:4"));
  EXPECT_THAT(loaded.config.listen().admin().addresses(), ElementsAre("127.0.0.1:1"));
}

TEST(Layers, ProblemsNameTheirOwnFileAndLine) {
  const LoadedConfig loaded = LoadAll({"providers: { a: { mock: {} } }\nretry:\n  jiter: full\n",
                                       "\n\nretry:\n\n  max_attempts: 0\n", "aliases: { x: b/m }"});
  ASSERT_EQ(loaded.problems.size(), 3u);
  EXPECT_THAT(ToText(loaded.problems[0]), HasSubstr("f0.yaml:3: retry.jiter: is not a key"));
  EXPECT_THAT(ToText(loaded.problems[1]), HasSubstr("f1.yaml:5: retry.max_attempts: "));
  EXPECT_THAT(ToText(loaded.problems[2]), HasSubstr("f2.yaml:1: aliases.x: "));
}

TEST(Layers, WhatIsNoYamlNamesItsFile) {
  const LoadedConfig loaded =
      LoadAll({"providers: { a: { mock: {} } }\n", "", "a: [\n", "retry: {}\n"});
  ASSERT_EQ(loaded.problems.size(), 2u);
  EXPECT_THAT(ToText(loaded.problems[0]), HasSubstr("f1.yaml: is empty"));
  EXPECT_THAT(ToText(loaded.problems[1]), HasSubstr("f2.yaml:1: is not YAML"));
}

// One file with a key twice is at fault even where another file has the last word.
TEST(Layers, ADoubleIsNotHiddenByALaterFile) {
  const LoadedConfig top =
      LoadAll({"providers: { a: { mock: {} } }\nproviders: { b: { mock: {} } }",
               "providers: { c: { mock: {} } }"});
  ASSERT_FALSE(top.ok());
  EXPECT_THAT(ToText(top.problems[0]), HasSubstr("f0.yaml:2: providers: is there twice"));
  const LoadedConfig inner = LoadAll(
      {"providers:\n  a: { mock: {} }\n  a: { mock: {} }\n", "providers: { a: { mock: {} } }"});
  ASSERT_FALSE(inner.ok());
  EXPECT_THAT(ToText(inner.problems[0]), HasSubstr("f0.yaml:3: providers.a: is there twice"));
}

TEST(Layers, OfTheFolderInOrderOfName) {
  FakeOutside outside;
  outside.files["/d/20.yaml"] = {"c: 1", true};
  outside.files["/d/10.yml"] = {"b: 1", true};
  outside.files["/d/30.json"] = {"{\"d\": 1}", true};
  outside.files["/d/.hidden.yaml"] = {"x: 1", true};
  outside.files["/d/notes.txt"] = {"x: 1", true};
  outside.files["/base.yaml"] = {"a: 1", true};
  const auto names = [](const ChosenConfig& chosen) {
    std::vector<std::string> all;
    for (const ConfigSource& layer : chosen.layers) all.push_back(layer.name);
    return all;
  };
  EXPECT_THAT(names(*ChooseConfig(std::nullopt, outside.Get(), "/d")),
              ElementsAre("/d/10.yml", "/d/20.yaml", "/d/30.json"));
  EXPECT_THAT(names(*ChooseConfig("/base.yaml", outside.Get(), "/d/")),
              ElementsAre("/base.yaml", "/d/10.yml", "/d/20.yaml", "/d/30.json"));
}

TEST(Layers, AFolderWithoutFilesNeedsABase) {
  FakeOutside outside;
  outside.files["/d/notes.txt"] = {"x", true};
  outside.files["/base.yaml"] = {"a: 1", true};
  EXPECT_TRUE(ChooseConfig("/base.yaml", outside.Get(), "/d").ok());
  EXPECT_THAT(std::string(ChooseConfig(std::nullopt, outside.Get(), "/d").status().message()),
              HasSubstr("/d (--config-dir) has no file *.yaml"));
  EXPECT_THAT(std::string(ChooseConfig(std::nullopt, outside.Get(), "/no").status().message()),
              HasSubstr("/no (--config-dir) cannot be read: No such file"));
}

TEST(Reading, ItsFootprintKnowsEveryFile) {
  FakeOutside outside;
  outside.files["/d/a.yaml"] = {"providers: { a: { openai: { api_key: { file: /keys/a } } } }\n",
                                true};
  outside.files["/keys/a"] = {"sk-1", false};
  const ConfigReading reading = ReadConfiguration({std::nullopt, "/d"}, outside.Get());
  EXPECT_EQ(ToText(reading.Problems()), "");
  EXPECT_THAT(reading.footprint.files(), ElementsAre("/d/a.yaml", "/keys/a"));
  EXPECT_THAT(reading.footprint.folders(), ElementsAre("/d"));
  const auto changed = [&] { return reading.footprint.Again(outside.Get()) != reading.footprint; };
  EXPECT_FALSE(changed());
  outside.files["/d/a.txt"] = {"x", false};
  EXPECT_TRUE(changed()) << "a new name in the folder";
  outside.files.erase("/d/a.txt");
  EXPECT_FALSE(changed());
  outside.files["/keys/a"].text = "sk-2";
  EXPECT_TRUE(changed());
  outside.files.erase("/keys/a");
  EXPECT_TRUE(changed());
}

TEST(Reading, WhatCannotBeReadIsAProblem) {
  FakeOutside outside;
  const ConfigReading reading = ReadConfiguration({"/a.yaml", std::nullopt}, outside.Get());
  EXPECT_FALSE(reading.ok());
  EXPECT_THAT(ToText(reading.Problems()),
              HasSubstr("the configuration /a.yaml (--config) cannot be read"));
  EXPECT_THAT(reading.footprint.files(), ElementsAre("/a.yaml"));
}

TEST(Reading, NamesTheKeysThatWaitForARestart) {
  const auto differ = [](const std::string& before, const std::string& after) {
    const std::string mock = "providers: { a: { mock: {} } }\n";
    const LoadedConfig was = Load(mock + before);
    const LoadedConfig is = Load(mock + after);
    EXPECT_EQ(ToText(was.problems) + ToText(is.problems), "");
    return NeedsRestart(was.config, is.config);
  };
  EXPECT_THAT(differ("", "retry: { max_attempts: 5 }"), ElementsAre());
  EXPECT_THAT(differ("listen: { grpc: [\"127.0.0.1:1\"] }",
                     "listen: { grpc: [\"127.0.0.1:2\"], unix_mode: \"0666\" }"),
              ElementsAre("listen.grpc", "listen.unix_mode"));
  EXPECT_THAT(differ("listen: { grpc: [] }", "listen: {}"), ElementsAre("listen.grpc"));
  EXPECT_THAT(differ("limits: { buffered_bytes: 64MiB, call_buffer: 1MiB }",
                     "limits: { buffered_bytes: 65MiB, call_buffer: 2MiB }"),
              ElementsAre("limits.buffered_bytes"));
  EXPECT_THAT(differ("observability: { logs: { level: info, format: json } }",
                     "observability: { logs: { level: warn, format: text } }"),
              ElementsAre("observability.logs.format"));
}

}  // namespace
}  // namespace mg
