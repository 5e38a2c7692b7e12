#include "adapters/sampling_preferences.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/provider_errors.h"
#include "base/error.h"

namespace mg {
namespace {

constexpr absl::string_view kPreferences[] = {
    "temperature",       "top_p", "top_k", "presence_penalty",
    "frequency_penalty", "seed",  "stop",  "top_logprobs"};

}  // namespace

bool ClearPreference(absl::string_view path, v1::Sampling* sampling) {
  if (!absl::ConsumePrefix(&path, "sampling.")) return false;
  if (std::find(std::begin(kPreferences), std::end(kPreferences), path) == std::end(kPreferences)) {
    return false;
  }
  const auto* field = v1::Sampling::descriptor()->FindFieldByName(std::string(path));
  const auto* reflection = sampling->GetReflection();
  const bool set = field->is_repeated() ? reflection->FieldSize(*sampling, field) > 0
                                        : reflection->HasField(*sampling, field);
  if (set) reflection->ClearField(sampling, field);
  return set;
}

std::unique_ptr<v1::ChatRequest> WithoutRefused(const v1::ChatRequest& request,
                                                const absl::Status& error, v1::Warning* warning) {
  const v1::ErrorDetail detail = DetailOf(error);
  if (detail.reason() != kUnsupportedParameter) return nullptr;
  v1::Sampling kept = request.sampling();
  if (!ClearPreference(detail.field(), &kept)) return nullptr;
  auto reduced = std::make_unique<v1::ChatRequest>(request);
  *reduced->mutable_sampling() = std::move(kept);
  warning->set_code("dropped");
  warning->set_field(detail.field());
  warning->set_message(absl::StrCat("the provider refused it: ", detail.provider_message()));
  return reduced;
}

}  // namespace mg
