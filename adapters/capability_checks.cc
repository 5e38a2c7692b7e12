#include "adapters/capability_checks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/part_place.h"

namespace mg {
namespace {

std::string Lacks(absl::string_view word) {
  return absl::StrCat("by the configuration (models, capabilities) this model has no ", word);
}

// The word for what the part is; empty: every model takes it.
absl::string_view WordOf(const v1::Part& part) {
  switch (part.kind_case()) {
    case v1::Part::kImage:
      return "image";
    case v1::Part::kAudio:
      return "audio";
    case v1::Part::kVideo:
      return "video";
    case v1::Part::kDocument:
      return "document";
    default:
      return "";
  }
}

absl::Status CheckPart(const v1::Part& part, const PartPlace& place, const ModelTraits& traits) {
  const absl::string_view word = WordOf(part);
  if (word.empty() || traits.Has(word)) return absl::OkStatus();
  return Unsupported(place.Field(word), Lacks(word));
}

absl::Status CheckMessages(const v1::ChatRequest& request, const ModelTraits& traits) {
  PartPlace place;
  for (place.message = 0; place.message < request.messages_size(); ++place.message) {
    const v1::Message& message = request.messages(place.message);
    for (place.part = 0; place.part < message.parts_size(); ++place.part) {
      const v1::Part& part = message.parts(place.part);
      place.inner = -1;
      if (auto status = CheckPart(part, place, traits); !status.ok()) return status;
      for (const v1::Part& inner : part.tool_result().parts()) {
        ++place.inner;
        if (auto status = CheckPart(inner, place, traits); !status.ok()) return status;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCapability(absl::string_view word, const DialectContext& context) {
  if (context.traits == nullptr || context.traits->Has(word)) return absl::OkStatus();
  return MakeError(ErrorClass::kUnsupportedMethod,
                   absl::StrCat(context.provider, "/", context.model, ": ", Lacks(word)));
}

absl::Status CheckCapabilities(const v1::ChatRequest& request, const DialectContext& context,
                               bool stream) {
  if (context.traits == nullptr || !context.traits->capabilities.has_value()) {
    return absl::OkStatus();
  }
  const ModelTraits& traits = *context.traits;
  if (auto status = CheckCapability("chat", context); !status.ok()) return status;
  if (stream) {
    if (auto status = CheckCapability("stream", context); !status.ok()) return status;
  }
  const v1::Reasoning& reasoning = request.reasoning();
  const struct {
    absl::string_view field;
    absl::string_view word;
    bool asked;
  } rows[] = {
      {"tools", "tools", !request.tools().empty()},
      {"response_format.json_object", "json_object", request.response_format().has_json_object()},
      {"reasoning.effort", "reasoning",
       !reasoning.effort().empty() && reasoning.effort() != "none"},
      {"reasoning.budget_tokens", "reasoning", reasoning.budget_tokens() > 0},
      {"sampling.choices", "choices", request.sampling().choices() > 1}};
  for (const auto& [field, word, asked] : rows) {
    if (asked && !traits.Has(word)) return Unsupported(field, Lacks(word));
  }
  return CheckMessages(request, traits);
}

absl::StatusOr<std::unique_ptr<v1::ChatRequest>> WithoutPreferences(const v1::ChatRequest& request,
                                                                    const DialectContext& context,
                                                                    EncodeNotes* notes) {
  if (context.traits == nullptr) return nullptr;
  const bool sampling = context.traits->sampling.value_or(true);
  const bool logprobs = sampling && context.traits->Has("logprobs");
  const v1::Sampling& asked = request.sampling();
  v1::Sampling kept = asked;
  const auto drop = [&](absl::string_view field, bool given, void (v1::Sampling::*clear)()) {
    if (!given) return absl::OkStatus();
    (kept.*clear)();
    return notes->Drop(absl::StrCat("sampling.", field),
                       "by the configuration (models) this model does not take it");
  };
  absl::Status status;
  if (!sampling) {
    using S = v1::Sampling;
    status.Update(drop("temperature", asked.has_temperature(), &S::clear_temperature));
    status.Update(drop("top_p", asked.has_top_p(), &S::clear_top_p));
    status.Update(drop("top_k", asked.has_top_k(), &S::clear_top_k));
    status.Update(
        drop("presence_penalty", asked.has_presence_penalty(), &S::clear_presence_penalty));
    status.Update(
        drop("frequency_penalty", asked.has_frequency_penalty(), &S::clear_frequency_penalty));
  }
  if (!logprobs) {
    status.Update(
        drop("top_logprobs", asked.has_top_logprobs(), &v1::Sampling::clear_top_logprobs));
  }
  if (!status.ok()) return status;
  if (kept.ByteSizeLong() == asked.ByteSizeLong()) return nullptr;
  auto reduced = std::make_unique<v1::ChatRequest>(request);
  *reduced->mutable_sampling() = std::move(kept);
  return reduced;
}

}  // namespace mg
