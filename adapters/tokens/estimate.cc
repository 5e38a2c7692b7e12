#include "adapters/tokens/estimate.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace mg {
namespace {

constexpr int64_t kBytesPerToken = 4;
// What images and pages cost with the vendors lies between a few hundred and some thousand.
constexpr int64_t kMediaTokens = 1000;

int32_t Clamped(int64_t tokens) {
  return static_cast<int32_t>(std::min<int64_t>(tokens, std::numeric_limits<int32_t>::max()));
}

int64_t OfBytes(size_t bytes) {
  return (static_cast<int64_t>(bytes) + kBytesPerToken - 1) / kBytesPerToken;
}

struct Count {
  size_t bytes = 0;
  int64_t media = 0;
};

void Add(const v1::Part& part, Count* count) {
  count->bytes += part.text().size() + part.refusal().size() + part.reasoning().text().size() +
                  part.tool_call().name().size() + part.tool_call().arguments_json().size() +
                  part.provider_part().block_json().size();
  if (part.has_image() || part.has_audio() || part.has_video() || part.has_document()) {
    ++count->media;
  }
  for (const v1::Part& inner : part.tool_result().parts()) Add(inner, count);
}

int64_t OfMessage(const v1::Message& message, int64_t* media) {
  Count count;
  count.bytes = message.name().size();
  for (const v1::Part& part : message.parts()) Add(part, &count);
  *media += count.media;
  return OfBytes(count.bytes) + count.media * kMediaTokens;
}

int64_t OfTools(const v1::ChatRequest& chat) {
  size_t bytes = chat.response_format().json_schema().schema_json().size();
  for (const v1::Tool& tool : chat.tools()) {
    bytes += tool.name().size() + tool.description().size() + tool.parameters_schema_json().size();
    for (const auto& [key, hosted] : tool.hosted()) bytes += hosted.ByteSizeLong();
  }
  return OfBytes(bytes);
}

}  // namespace

v1::CountTokensResponse EstimateTokens(const v1::CountTokensRequest& request) {
  v1::CountTokensResponse response;
  response.set_method("estimate bytes");
  response.set_accuracy(v1::CountTokensResponse::ACCURACY_ESTIMATE);
  int64_t tokens = 0;
  int64_t media = 0;
  if (request.has_text()) {
    tokens = OfBytes(request.text().size());
    if (tokens == 0) response.set_accuracy(v1::CountTokensResponse::ACCURACY_EXACT);
  } else {
    for (const v1::Message& message : request.chat().messages()) {
      const int64_t of_message = OfMessage(message, &media);
      response.add_tokens_by_message(Clamped(of_message));
      tokens += of_message;
    }
    tokens += OfTools(request.chat());
  }
  response.set_tokens(Clamped(tokens));
  response.set_lower_bound(Clamped(tokens / 2));
  response.set_upper_bound(Clamped(tokens * 2));
  if (media > 0) {
    v1::Warning* warning = response.mutable_report()->add_warnings();
    warning->set_code("estimated");
    warning->set_field("chat.messages");
    warning->set_message("each image, audio, video or document is counted as 1000 tokens");
  }
  return response;
}

}  // namespace mg
