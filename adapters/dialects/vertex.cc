#include "adapters/dialects/vertex.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/encode_notes.h"
#include "adapters/json_text.h"
#include "adapters/url_path.h"

namespace mg {
namespace {

constexpr absl::string_view kVersion = "vertex-2023-10-16";
constexpr absl::string_view kBetas = "anthropic-beta";

// Puts into the body what Anthropic itself takes from elsewhere, and takes the model out of it
// unless it is `named` there.
absl::Status Rewrite(bool named, EncodedRequest* encoded) {
  std::string body = "{\"anthropic_version\":";
  AppendJsonString(kVersion, &body);
  bool twice = false;
  ForEachMember(encoded->http.body, [&](absl::string_view name, absl::string_view value) {
    twice = twice || name == "anthropic_version";
    if (name == "model" && !named) return;
    absl::StrAppend(&body, ",\"", name, "\":", value);
  });
  if (twice) {
    return Invalid("provider_options[\"anthropic\"].anthropic_version",
                   "the gateway writes this itself");
  }
  HttpHeaders headers;
  for (const HttpHeader& header : encoded->http.headers) {
    if (header.name != kBetas) {
      headers.push_back(header);
      continue;
    }
    body.append(",\"anthropic_beta\":[");
    for (absl::string_view beta : absl::StrSplit(header.value, ',')) {
      if (body.back() != '[') body.push_back(',');
      AppendJsonString(beta, &body);
    }
    body.push_back(']');
  }
  body.push_back('}');
  encoded->http.headers = std::move(headers);
  encoded->http.body = std::move(body);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EncodedRequest> VertexClaudeDialect::EncodeChat(const v1::ChatRequest& request,
                                                               const DialectContext& context,
                                                               bool stream) const {
  auto encoded = AnthropicDialect::EncodeChat(request, context, stream);
  if (!encoded.ok()) return encoded;
  if (auto status = Rewrite(false, &*encoded); !status.ok()) return status;
  encoded->http.url = "/publishers/anthropic/models/";
  if (auto status = AppendModelPath(context.model, true, &encoded->http.url); !status.ok()) {
    return status;
  }
  encoded->http.url.append(stream ? ":streamRawPredict" : ":rawPredict");
  return encoded;
}

absl::StatusOr<EncodedRequest> VertexClaudeDialect::EncodeCount(
    const v1::CountTokensRequest& request, const DialectContext& context) const {
  auto encoded = AnthropicDialect::EncodeCount(request, context);
  if (!encoded.ok()) return encoded;
  if (auto status = Rewrite(true, &*encoded); !status.ok()) return status;
  encoded->http.url = "/publishers/anthropic/models/count-tokens:rawPredict";
  return encoded;
}

const Dialect& VertexDialect::Of(const DialectContext& context) const {
  if (absl::StartsWith(KnownModel(context), "claude-")) return claude_;
  return gemini_;
}

std::string VertexDialect::ProviderRequestId(const HttpHead& head) const {
  std::string id = gemini_.ProviderRequestId(head);
  return id.empty() ? claude_.ProviderRequestId(head) : id;
}

}  // namespace mg
