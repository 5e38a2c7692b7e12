#include "adapters/provider_count.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "adapters/json_count.h"
#include "adapters/provider_errors.h"

namespace mg {

absl::Status ReadEstimatedCount(const DialectContext& context, absl::string_view body,
                                absl::string_view member, absl::string_view method,
                                v1::CountTokensResponse* response) {
  JsonDocument document;
  if (auto status = ParseJson(body, &document); !status.ok()) {
    return MalformedAnswer(context, status.message());
  }
  const auto tokens = CountMember(document, member);
  if (!tokens.has_value()) return MalformedAnswer(context, absl::StrCat("no ", member, " in it"));
  constexpr double kMost = 2147483647;
  response->set_tokens(*tokens);
  response->set_accuracy(v1::CountTokensResponse::ACCURACY_PROVIDER_ESTIMATE);
  response->set_method(std::string(method));
  response->set_lower_bound(static_cast<int32_t>(std::floor(*tokens * 0.95)));
  response->set_upper_bound(static_cast<int32_t>(std::min(std::ceil(*tokens * 1.05), kMost)));
  return absl::OkStatus();
}

}  // namespace mg
