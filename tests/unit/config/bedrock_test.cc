// Bedrock's keys and region: written, taken from the environment, or missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/source.h"
#include "tests/unit/config/fake_outside.h"

namespace mg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LoadedConfig Load(const FakeOutside& outside, const std::string& bedrock) {
  return LoadConfig({"providers: { b: { bedrock: " + bedrock + " } }", "test.yaml"}, outside.Get());
}

TEST(Bedrock, WrittenKeysWin) {
  FakeOutside outside;
  outside.variables = {{"AWS_BEARER_TOKEN_BEDROCK", "outer"},
                       {"AWS_REGION", "us-west-2"},
                       {"ID", "id"},
                       {"KEY", "key"},
                       {"TOKEN", "token"},
                       {"MINE", "mine"}};
  const LoadedConfig keys = Load(
      outside,
      "{ region: eu-west-1, aws: { access_key_id: { env: ID }, secret_access_key: { env: KEY }, "
      "session_token: { env: TOKEN } } }");
  EXPECT_EQ(ToText(keys.problems), "");
  EXPECT_EQ(keys.config.providers().at("b").bedrock().region(), "eu-west-1");
  EXPECT_EQ(keys.ApiKeyOf("b").Reveal(), "");
  EXPECT_EQ(keys.SecretOf("b", "aws.access_key_id").Reveal(), "id");
  EXPECT_EQ(keys.SecretOf("b", "aws.secret_access_key").Reveal(), "key");
  EXPECT_EQ(keys.SecretOf("b", "aws.session_token").Reveal(), "token");
  const LoadedConfig bearer = Load(outside, "{ api_key: { env: MINE } }");
  EXPECT_EQ(ToText(bearer.problems), "");
  EXPECT_EQ(bearer.config.providers().at("b").bedrock().region(), "us-west-2");
  EXPECT_EQ(bearer.ApiKeyOf("b").Reveal(), "mine");
  EXPECT_EQ(bearer.SecretOf("b", "aws.access_key_id").Reveal(), "");
}

TEST(Bedrock, TheEnvironmentsKeys) {
  FakeOutside outside;
  outside.variables = {{"AWS_BEARER_TOKEN_BEDROCK", "bearer"},
                       {"AWS_ACCESS_KEY_ID", "id"},
                       {"AWS_SECRET_ACCESS_KEY", "key"},
                       {"AWS_SESSION_TOKEN", "token"},
                       {"AWS_DEFAULT_REGION", "us-east-2"}};
  const LoadedConfig first = Load(outside, "{}");
  EXPECT_EQ(ToText(first.problems), "");
  EXPECT_EQ(first.ApiKeyOf("b").Reveal(), "bearer");
  EXPECT_EQ(first.SecretOf("b", "aws.access_key_id").Reveal(), "");
  EXPECT_EQ(first.config.providers().at("b").bedrock().region(), "us-east-2");
  outside.variables["AWS_BEARER_TOKEN_BEDROCK"] = "";  // empty is not set
  const LoadedConfig second = Load(outside, "{}");
  EXPECT_EQ(second.ApiKeyOf("b").Reveal(), "");
  EXPECT_EQ(second.SecretOf("b", "aws.access_key_id").Reveal(), "id");
  EXPECT_EQ(second.SecretOf("b", "aws.session_token").Reveal(), "token");
}

TEST(Bedrock, WithoutKeysItStarts) {
  FakeOutside outside;
  const LoadedConfig loaded = Load(outside, "{ region: us-east-1 }");
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_EQ(loaded.ApiKeyOf("b").Reveal(), "");
  EXPECT_EQ(loaded.SecretOf("b", "aws.access_key_id").Reveal(), "");
}

TEST(Bedrock, RegionIsThereAndIsOne) {
  FakeOutside outside;
  outside.variables = {{"KEY", "k"}};
  EXPECT_THAT(ToText(Load(outside, "{}").problems), HasSubstr("bedrock.region: is missing"));
  EXPECT_THAT(ToText(Load(outside, "{ region: us-east-1.evil.test }").problems),
              HasSubstr("bedrock.region: is no region"));
  EXPECT_EQ(
      ToText(Load(outside, "{ base_url: \"https://e.test/\", api_key: { env: KEY } }").problems),
      "");
  EXPECT_THAT(ToText(Load(outside, "{ base_url: \"https://e.test\" }").problems),
              HasSubstr("bedrock.region: is missing"));
}

TEST(Bedrock, WhatFetchesKeysIsRefused) {
  FakeOutside outside;
  outside.variables = {{"K", "k"}};
  for (const char* key : {"profile: dev", "role_arn: x", "web_identity_token_file: /t"}) {
    const LoadedConfig loaded =
        Load(outside, std::string("{ region: us-east-1, aws: { access_key_id: { env: K }, "
                                  "secret_access_key: { env: K }, ") +
                          key + " } }");
    ASSERT_EQ(loaded.problems.size(), 1u) << ToText(loaded.problems);
    EXPECT_THAT(ToText(loaded.problems), HasSubstr("not in this version"));
  }
  EXPECT_THAT(ToText(Load(outside,
                          "{ region: us-east-1, api_key: { env: K }, aws: { access_key_id: { env: "
                          "K }, secret_access_key: { env: K } } }")
                         .problems),
              HasSubstr("cannot stand beside"));
}

TEST(Bedrock, EmbeddedDefaults) {
  FakeOutside outside;
  outside.variables = {{"AWS_BEARER_TOKEN_BEDROCK", "k"}};
  const ChosenConfig without = *ChooseConfig(std::nullopt, outside.Get());
  EXPECT_THAT(without.notes, ElementsAre(HasSubstr("neither AWS_REGION nor AWS_DEFAULT_REGION")));
  outside.variables["AWS_REGION"] = "us-east-1";
  const ChosenConfig with = *ChooseConfig(std::nullopt, outside.Get());
  EXPECT_THAT(with.notes, IsEmpty());
  const LoadedConfig loaded = LoadLayers(with.layers, outside.Get());
  EXPECT_EQ(ToText(loaded.problems), "");
  EXPECT_EQ(loaded.ApiKeyOf("bedrock").Reveal(), "k");
  outside.variables = {{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_REGION", "us-east-1"}};
  EXPECT_THAT(LoadLayers(ChooseConfig(std::nullopt, outside.Get())->layers, outside.Get())
                  .config.providers(),
              testing::SizeIs(1));
}

}  // namespace
}  // namespace mg
