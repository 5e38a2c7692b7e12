#include "adapters/dialects/azure_openai.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/url_path.h"

namespace mg {
namespace {

DialectContext AsAzure(DialectContext context) {
  context.preset = "azure";
  return context;
}

absl::StatusOr<EncodedRequest> AtDeployment(const DialectContext& context,
                                            absl::StatusOr<EncodedRequest> encoded) {
  if (!encoded.ok()) return encoded;
  if (context.api_version.empty()) {
    encoded->http.url = absl::StrCat("/openai/v1", encoded->http.url);
    return encoded;
  }
  std::string path = "/openai/deployments/";
  if (auto status = AppendModelPath(SentModel(context), true, &path); !status.ok()) return status;
  encoded->http.url = absl::StrCat(path, encoded->http.url, "?api-version=", context.api_version);
  return encoded;
}

}  // namespace

absl::StatusOr<EncodedRequest> AzureOpenAiDialect::EncodeChat(const v1::ChatRequest& request,
                                                              const DialectContext& context,
                                                              bool stream) const {
  return AtDeployment(context, OpenAiDialect::EncodeChat(request, AsAzure(context), stream));
}

absl::StatusOr<EncodedRequest> AzureOpenAiDialect::EncodeEmbed(const v1::EmbedRequest& request,
                                                               const DialectContext& context,
                                                               EmbedBatch batch) const {
  return AtDeployment(context, OpenAiDialect::EncodeEmbed(request, AsAzure(context), batch));
}

absl::StatusOr<EncodedRequest> AzureOpenAiDialect::EncodeCount(
    const v1::CountTokensRequest& request, const DialectContext& context) const {
  if (!context.api_version.empty()) {
    return MakeError(ErrorClass::kUnsupportedMethod,
                     absl::StrCat(context.provider,
                                  " counts no tokens under an api_version: Azure does at "
                                  "/openai/v1 alone"));
  }
  return AtDeployment(context, OpenAiDialect::EncodeCount(request, AsAzure(context)));
}

std::vector<absl::string_view> AzureOpenAiDialect::Capabilities(
    const DialectContext& context) const {
  std::vector<absl::string_view> words = OpenAiDialect::Capabilities(AsAzure(context));
  if (!context.api_version.empty()) {
    words.erase(std::remove(words.begin(), words.end(), "count_tokens"), words.end());
  }
  return words;
}

}  // namespace mg
