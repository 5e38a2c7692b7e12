// Where the configuration comes from, and where the daemon listens by it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "daemon/config/listen.h"
#include "daemon/config/source.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Source, TakesOneOfThree) {
  FakeOutside outside;
  outside.files["/a.yaml"] = {"a: 1", true};
  EXPECT_EQ(ChooseConfig("/a.yaml", outside.Get())->layers[0].text, "a: 1");
  EXPECT_EQ(ChooseConfig("/a.yaml", outside.Get())->layers[0].name, "/a.yaml");
  EXPECT_THAT(std::string(ChooseConfig("/b.yaml", outside.Get()).status().message()),
              HasSubstr("/b.yaml (--config) cannot be read"));

  outside.variables["MODEL_GATEWAY_CONFIG_FILE"] = "/a.yaml";
  EXPECT_EQ(ChooseConfig(std::nullopt, outside.Get())->layers[0].name, "/a.yaml");
  EXPECT_THAT(std::string(ChooseConfig("/a.yaml", outside.Get()).status().message()),
              HasSubstr("--config and MODEL_GATEWAY_CONFIG_FILE are set at once"));

  outside.variables["MODEL_GATEWAY_CONFIG"] = "b: 2";
  EXPECT_FALSE(ChooseConfig(std::nullopt, outside.Get()).ok());
  outside.variables.erase("MODEL_GATEWAY_CONFIG_FILE");
  EXPECT_EQ(ChooseConfig(std::nullopt, outside.Get())->layers[0].text, "b: 2");
  EXPECT_EQ(ChooseConfig(std::nullopt, outside.Get())->layers[0].name, "MODEL_GATEWAY_CONFIG");
  EXPECT_FALSE(ChooseConfig(std::nullopt, outside.Get())->embedded);

  // Set and empty is no wish for the defaults.
  outside.variables["MODEL_GATEWAY_CONFIG"] = "";
  const ChosenConfig chosen = *ChooseConfig(std::nullopt, outside.Get());
  EXPECT_EQ(ToText(LoadLayers(chosen.layers, outside.Get()).problems[0]).substr(0, 30),
            "MODEL_GATEWAY_CONFIG: is empty");
}

TEST(Source, EmbeddedDefaults) {
  FakeOutside outside;
  const ChosenConfig bare = *ChooseConfig(std::nullopt, outside.Get());
  EXPECT_TRUE(bare.embedded);
  EXPECT_THAT(bare.notes, IsEmpty());
  const LoadedConfig loaded = LoadLayers(bare.layers, outside.Get());
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_THAT(loaded.no_effect, IsEmpty());
  EXPECT_THAT(loaded.config.providers(), SizeIs(1));
  EXPECT_TRUE(loaded.config.providers().at("mock").has_mock());
  EXPECT_EQ(loaded.config.aliases().at("default"), "mock/echo");

  outside.variables = {{"OPENAI_API_KEY", "sk"}, {"ANTHROPIC_API_KEY", "x"}, {"CO_API_KEY", "c"},
                       {"GOOGLE_API_KEY", "g"},  {"MISTRAL_API_KEY", "mi"},  {"GROQ_API_KEY", ""}};
  const ChosenConfig with = *ChooseConfig(std::nullopt, outside.Get());
  const LoadedConfig both = LoadLayers(with.layers, outside.Get());
  EXPECT_EQ(ToText(both.problems), "");
  EXPECT_THAT(both.warnings, IsEmpty());
  EXPECT_EQ(both.ApiKeyOf("openai").Reveal(), "sk");
  EXPECT_EQ(both.ApiKeyOf("anthropic").Reveal(), "x");
  EXPECT_EQ(both.ApiKeyOf("cohere").Reveal(), "c");
  EXPECT_EQ(both.ApiKeyOf("gemini").Reveal(), "g");
  EXPECT_EQ(both.ApiKeyOf("mistral").Reveal(), "mi");
  EXPECT_EQ(both.config.providers().at("mistral").openai_compatible().preset(), "mistral");
  EXPECT_EQ(both.config.providers().count("groq"), 0u);
  EXPECT_THAT(with.notes, IsEmpty());

  outside.variables = {{"AZURE_OPENAI_API_KEY", "a"}};
  EXPECT_THAT(ChooseConfig(std::nullopt, outside.Get())->notes,
              ElementsAre("AZURE_OPENAI_API_KEY is set, but AZURE_OPENAI_ENDPOINT is not: nothing "
                          "was added for it"));
  outside.variables["AZURE_OPENAI_ENDPOINT"] = "https://r.openai.azure.com/";
  const ChosenConfig azure = *ChooseConfig(std::nullopt, outside.Get());
  const LoadedConfig resource = LoadLayers(azure.layers, outside.Get());
  EXPECT_EQ(ToText(resource.problems), "");
  EXPECT_EQ(resource.ApiKeyOf("azure_openai").Reveal(), "a");
  EXPECT_EQ(resource.config.providers().at("azure_openai").azure_openai().base_url(),
            "https://r.openai.azure.com");

  outside.variables = {{"OPENAI_API_KEY", ""}};
  const ChosenConfig empty = *ChooseConfig(std::nullopt, outside.Get());
  EXPECT_THAT(LoadLayers(empty.layers, outside.Get()).config.providers(), SizeIs(1));
}

std::vector<std::string> Texts(const std::vector<Address>& addresses) {
  std::vector<std::string> texts;
  for (const Address& address : addresses) texts.push_back(address.ToText());
  return texts;
}

ListenPlan PlanOf(const std::string& listen, const FakeOutside& outside,
                  const std::vector<std::string>& folders) {
  const LoadedConfig loaded = Load(absl::StrCat("providers: { m: { mock: {} } }\n", listen));
  EXPECT_EQ(ToText(loaded.problems), "");
  return ListenOf(loaded.config, outside.Get(), [&folders](const std::string& folder) {
    return std::find(folders.begin(), folders.end(), folder) != folders.end();
  });
}

TEST(Listen, EachAbsentKeyHasItsDefault) {
  const ListenPlan plan = PlanOf("", {}, {"/run/model-gateway"});
  EXPECT_THAT(Texts(plan.grpc),
              ElementsAre("127.0.0.1:7411", "unix:/run/model-gateway/gateway.sock"));
  EXPECT_THAT(Texts(plan.admin), ElementsAre("127.0.0.1:7413"));
  EXPECT_THAT(Texts(plan.admin_grpc), ElementsAre("unix:/run/model-gateway/admin.sock"));
  EXPECT_THAT(plan.token_folders, ElementsAre("/run/model-gateway"));
  EXPECT_THAT(plan.health, IsEmpty());
  EXPECT_THAT(plan.metrics, IsEmpty());
  EXPECT_EQ(plan.unix_mode, 0660u);
  EXPECT_THAT(plan.notes, IsEmpty());

  const ListenPlan some = PlanOf(
      "listen: { admin: [], metrics: [\"0.0.0.0:9464\"], unix_mode: \"0600\", allowed_hosts: "
      "[a.test] }",
      {}, {"/run/model-gateway"});
  EXPECT_THAT(some.grpc, SizeIs(2));
  EXPECT_THAT(some.admin, IsEmpty());
  EXPECT_THAT(Texts(some.metrics), ElementsAre("0.0.0.0:9464"));
  EXPECT_EQ(some.unix_mode, 0600u);
  EXPECT_THAT(some.allowed_hosts, ElementsAre("a.test"));

  const ListenPlan own = PlanOf("listen: { grpc: [\"[::1]:0\", \"unix:/a/b\"] }", {}, {});
  EXPECT_THAT(Texts(own.grpc), ElementsAre("[::1]:0", "unix:/a/b"));
  EXPECT_THAT(Texts(own.admin_grpc), ElementsAre("unix:/a/admin.sock"));
  EXPECT_THAT(own.token_folders, ElementsAre("/a"));
  EXPECT_THAT(own.notes, IsEmpty());
  EXPECT_THAT(PlanOf("listen: { grpc: [] }", {}, {}).grpc, IsEmpty());
  EXPECT_THAT(
      Texts(PlanOf("listen: { grpc: [\"0.0.0.0:1\"], allow_unauthenticated: true }", {}, {}).grpc),
      ElementsAre("0.0.0.0:1"));
}

TEST(Listen, DefaultSocketsGoWhereTheUserMayMakeThem) {
  FakeOutside outside;
  outside.variables["XDG_RUNTIME_DIR"] = "/run/user/1";
  const ListenPlan own = PlanOf("", outside, {"/run/user/1/model-gateway"});
  EXPECT_THAT(Texts(own.grpc),
              ElementsAre("127.0.0.1:7411", "unix:/run/user/1/model-gateway/gateway.sock"));
  EXPECT_THAT(own.notes, ElementsAre(HasSubstr("/run/user/1/model-gateway/gateway.sock")));

  const ListenPlan none = PlanOf("", outside, {});
  EXPECT_THAT(Texts(none.grpc), ElementsAre("127.0.0.1:7411"));
  EXPECT_THAT(none.admin_grpc, IsEmpty());
  EXPECT_THAT(none.notes,
              ElementsAre(HasSubstr("TCP alone"), HasSubstr("no place for the admin token")));
  outside.variables.clear();
  EXPECT_THAT(Texts(PlanOf("", outside, {"/model-gateway"}).grpc), ElementsAre("127.0.0.1:7411"));
  outside.variables["XDG_RUNTIME_DIR"] = "relative";
  EXPECT_THAT(PlanOf("", outside, {"relative/model-gateway"}).grpc, SizeIs(1));
}

TEST(Listen, TheAdminTokenLiesBesideASocketOrInTheStateFolder) {
  const FakeOutside outside;
  FakeOutside home;
  home.variables["XDG_STATE_HOME"] = "/state";
  const std::string state = StateFolder(home.Get());
  EXPECT_THAT(state, AnyOf("/state/model-gateway", "/var/lib/model-gateway"));
  const ListenPlan named =
      PlanOf("listen: { grpc: [\"127.0.0.1:0\"], admin_grpc: [\"[::1]:0\", \"unix:/b/x.sock\"] }",
             outside, {});
  EXPECT_THAT(Texts(named.admin_grpc), ElementsAre("[::1]:0", "unix:/b/x.sock"));
  EXPECT_THAT(named.token_folders, ElementsAre("/b"));
  EXPECT_THAT(named.notes, IsEmpty());
  const ListenPlan tcp = PlanOf("listen: { grpc: [\"127.0.0.1:0\"] }", home, {state});
  EXPECT_THAT(tcp.admin_grpc, IsEmpty());
  EXPECT_THAT(tcp.token_folders, ElementsAre(state));
  EXPECT_THAT(tcp.notes, ElementsAre(HasSubstr("listen.admin_grpc")));
  const ListenPlan none =
      PlanOf("listen: { grpc: [\"127.0.0.1:0\"], admin: [], admin_grpc: [] }", outside, {state});
  EXPECT_THAT(none.token_folders, IsEmpty());
  EXPECT_THAT(none.notes, IsEmpty());
}

TEST(Outside, ReadsFilesAndTheirModes) {
  std::string folder = testing::TempDir() + "/config_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/key";
  std::ofstream(path) << "secret";
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  const Outside outside = RealOutside();
  EXPECT_EQ(outside.file(path, 6)->text, "secret");
  EXPECT_FALSE(outside.file(path, 6)->others_can_read);
  EXPECT_THAT(std::string(outside.file(path, 5).status().message()), HasSubstr("larger"));
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_TRUE(outside.file(path, 6)->others_can_read);
  EXPECT_THAT(std::string(outside.file(folder, 6).status().message()), HasSubstr("a directory"));
  EXPECT_THAT(std::string(outside.file(folder + "/none", 6).status().message()),
              HasSubstr("No such file"));

  EXPECT_TRUE(MakeSocketFolder(folder + "/sockets"));
  EXPECT_TRUE(MakeSocketFolder(folder + "/sockets"));
  struct stat info;
  ASSERT_EQ(::stat((folder + "/sockets").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007, 0u);
  EXPECT_FALSE(MakeSocketFolder(folder + "/absent/sockets"));
  EXPECT_FALSE(MakeSocketFolder(path));
  ASSERT_EQ(::symlink((folder + "/sockets").c_str(), (folder + "/link").c_str()), 0);
  EXPECT_FALSE(MakeSocketFolder(folder + "/link"));
  ::unlink((folder + "/link").c_str());
  ::rmdir((folder + "/sockets").c_str());
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}

}  // namespace
}  // namespace mg
