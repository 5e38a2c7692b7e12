// The table of adapters. A new dialect is its file and a line here.
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "adapters/dialect.h"
#include "adapters/dialects/anthropic.h"
#include "adapters/dialects/azure_openai.h"
#include "adapters/dialects/bedrock.h"
#include "adapters/dialects/cohere.h"
#include "adapters/dialects/gemini.h"
#include "adapters/dialects/openai.h"
#include "adapters/dialects/openai_profile.h"
#include "adapters/dialects/vertex.h"
#include "adapters/platforms/anthropic.h"
#include "adapters/platforms/azure_openai.h"
#include "adapters/platforms/bedrock.h"
#include "adapters/platforms/gemini.h"
#include "adapters/platforms/openai.h"

namespace mg {

namespace {

constexpr ModelListShape kOpenAiModels = {"/models", "", "data", "id", "", "", ""};
// The models that the resource may deploy, and no names of deployments.
constexpr ModelListShape kAzureModels = {"/openai/v1/models", "", "data", "id", "", "", ""};
constexpr ModelListShape kAnthropicModels = {
    "/v1/models?limit=1000", "after_id", "data", "id", "", "last_id", "has_more"};
constexpr ModelListShape kGeminiModels = {
    "/models?pageSize=1000", "pageToken", "models", "name", "models/", "nextPageToken", ""};
// What Google publishes, in the one version of the API that lists it.
constexpr ModelListShape kVertexModels = {"/v1beta1/publishers/google/models?pageSize=100",
                                          "pageToken",
                                          "publisherModels",
                                          "name",
                                          "publishers/google/models/",
                                          "nextPageToken",
                                          ""};
constexpr ModelListShape kCohereModels = {
    "/v1/models?page_size=1000", "page_token", "models", "name", "", "next_page_token", ""};

}  // namespace

const Adapter* FindAdapter(absl::string_view kind) {
  static const OpenAiDialect kOpenAi;
  static const OpenAiPlatform kOpenAiPlatform;
  static const AzureOpenAiDialect kAzureOpenAi;
  static const AzureOpenAiPlatform kAzureOpenAiPlatform;
  static const AnthropicDialect kAnthropic;
  static const AnthropicPlatform kAnthropicPlatform;
  static const CohereDialect kCohere;
  static const GeminiDialect kGemini(false);
  static const GeminiPlatform kGeminiPlatform;
  static const VertexDialect kVertex;
  static const VertexPlatform kVertexPlatform;
  static const BedrockDialect kBedrock;
  static const BedrockPlatform kBedrockPlatform;
  static const struct {
    absl::string_view kind;
    Adapter adapter;
  } kAdapters[] = {
      {"openai", {&kOpenAi, &kOpenAiPlatform, "https://api.openai.com/v1", false, &kOpenAiModels}},
      {"openai_compatible", {&kOpenAi, &kOpenAiPlatform, "", true, &kOpenAiModels}},
      {"azure_openai", {&kAzureOpenAi, &kAzureOpenAiPlatform, "", false, &kAzureModels}},
      {"anthropic",
       {&kAnthropic, &kAnthropicPlatform, "https://api.anthropic.com", false, &kAnthropicModels}},
      {"cohere", {&kCohere, &kOpenAiPlatform, "https://api.cohere.com", false, &kCohereModels}},
      {"gemini",
       {&kGemini, &kGeminiPlatform, "https://generativelanguage.googleapis.com", false,
        &kGeminiModels}},
      // Where Vertex AI is depends on the location.
      {"vertex", {&kVertex, &kVertexPlatform, "", false, &kVertexModels}},
      // Its default base URL follows from the region; its models are another host's.
      {"bedrock", {&kBedrock, &kBedrockPlatform, "", false, nullptr}},
  };
  for (const auto& row : kAdapters) {
    if (row.kind == kind) return &row.adapter;
  }
  return nullptr;
}

std::string DefaultBaseUrl(const Adapter& adapter, absl::string_view preset) {
  if (!adapter.compatible) return std::string(adapter.default_base_url);
  DialectContext context;
  context.compatible = true;
  context.preset = std::string(preset);
  return std::string(OpenAiProfileOf(context).base_url);
}

std::vector<absl::string_view> DialectNames() {
  return {"openai", "anthropic", "bedrock", "gemini", "cohere"};
}

bool IsGoogleCompatible(absl::string_view base_url) {
  if (!absl::ConsumeSuffix(&base_url, "/openai")) return false;
  base_url.remove_prefix(std::min(base_url.rfind('/'), base_url.size()));
  return absl::ConsumePrefix(&base_url, "/v") && !base_url.empty() &&
         absl::ascii_isdigit(static_cast<unsigned char>(base_url[0]));
}

}  // namespace mg
