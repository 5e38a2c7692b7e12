#include "daemon/config/aws.h"

#include "absl/strings/str_cat.h"
#include "daemon/config/secrets.h"

namespace mg {
namespace {

constexpr char kBearer[] = "AWS_BEARER_TOKEN_BEDROCK";
constexpr char kKeyId[] = "AWS_ACCESS_KEY_ID";
constexpr char kKey[] = "AWS_SECRET_ACCESS_KEY";
constexpr char kSessionToken[] = "AWS_SESSION_TOKEN";

std::string Variable(const Outside& outside, const char* name) {
  return outside.variable(name).value_or("");
}

// As if the reference stood at `path`.
void TakeSecret(const Outside& outside, const char* variable, const std::string& path,
                LoadedConfig* loaded, ProblemLog* log) {
  if (Variable(outside, variable).empty()) return;
  SecretPlace place;
  place.path = path;
  place.ref.set_env(variable);
  ResolveSecret(place, outside, loaded, log);
}

}  // namespace

std::string AwsRegion(const Outside& outside) {
  std::string region = Variable(outside, "AWS_REGION");
  return region.empty() ? Variable(outside, "AWS_DEFAULT_REGION") : region;
}

bool HasBedrockKeys(const Outside& outside) {
  return !Variable(outside, kBearer).empty() ||
         (!Variable(outside, kKeyId).empty() && !Variable(outside, kKey).empty());
}

void TakeAwsEnvironment(const Outside& outside, LoadedConfig* loaded, ProblemLog* log) {
  for (auto& [name, provider] : *loaded->config.mutable_providers()) {
    if (!provider.has_bedrock()) continue;
    v1::BedrockConfig* bedrock = provider.mutable_bedrock();
    if (bedrock->region().empty()) bedrock->set_region(AwsRegion(outside));
    if (bedrock->has_api_key() || bedrock->has_aws()) continue;
    const std::string path = absl::StrCat("providers.", name, ".bedrock.");
    if (!Variable(outside, kBearer).empty()) {
      TakeSecret(outside, kBearer, path + "api_key", loaded, log);
      continue;
    }
    TakeSecret(outside, kKeyId, path + "aws.access_key_id", loaded, log);
    TakeSecret(outside, kKey, path + "aws.secret_access_key", loaded, log);
    TakeSecret(outside, kSessionToken, path + "aws.session_token", loaded, log);
  }
}

}  // namespace mg
