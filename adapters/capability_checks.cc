#include "adapters/capability_checks.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/part_place.h"
#include "adapters/sampling_preferences.h"

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
  std::vector<absl::string_view> not_taken;
  if (!sampling) {
    not_taken = {"sampling.temperature", "sampling.top_p", "sampling.top_k",
                 "sampling.presence_penalty", "sampling.frequency_penalty"};
  }
  if (!sampling || !context.traits->Has("logprobs"))
    not_taken.emplace_back("sampling.top_logprobs");
  v1::Sampling kept = request.sampling();
  bool reduced = false;
  for (absl::string_view field : not_taken) {
    if (!ClearPreference(field, &kept)) continue;
    reduced = true;
    auto status = notes->Drop(field, "by the configuration (models) this model does not take it");
    if (!status.ok()) return status;
  }
  if (!reduced) return nullptr;
  auto request_taken = std::make_unique<v1::ChatRequest>(request);
  *request_taken->mutable_sampling() = std::move(kept);
  return request_taken;
}

}  // namespace mg
