#include "adapters/sampling_checks.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "adapters/encode_notes.h"

namespace mg {

absl::Status CheckSampling(const v1::ChatRequest& request) {
  const v1::Sampling& sampling = request.sampling();
  const auto finite = [](absl::string_view field, double value) {
    return std::isfinite(value) ? absl::OkStatus() : Invalid(field, "not a finite number");
  };
  absl::Status status;
  status.Update(finite("sampling.temperature", sampling.temperature()));
  status.Update(finite("sampling.top_p", sampling.top_p()));
  status.Update(finite("sampling.presence_penalty", sampling.presence_penalty()));
  status.Update(finite("sampling.frequency_penalty", sampling.frequency_penalty()));
  const auto at_least = [&status](absl::string_view field, bool present, int value, int least) {
    if (present && value < least) status.Update(Invalid(field, absl::StrCat("below ", least)));
  };
  at_least("sampling.max_output_tokens", sampling.has_max_output_tokens(),
           sampling.max_output_tokens(), 1);
  at_least("sampling.top_k", sampling.has_top_k(), sampling.top_k(), 0);
  at_least("sampling.choices", sampling.has_choices(), sampling.choices(), 1);
  at_least("sampling.top_logprobs", sampling.has_top_logprobs(), sampling.top_logprobs(), 0);
  at_least("reasoning.budget_tokens", request.reasoning().has_budget_tokens(),
           request.reasoning().budget_tokens(), 0);
  for (int i = 0; i < sampling.stop_size(); ++i) {
    if (sampling.stop(i).empty()) {
      status.Update(Invalid(absl::StrCat("sampling.stop[", i, "]"), "an empty text"));
    }
  }
  return status;
}

}  // namespace mg
