// Everything of the request that is neither prompt nor tool nor thinking: output, sampling, tier,
// and what the caller's options add.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/dialects/anthropic_options.h"
#include "adapters/dialects/anthropic_schema.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/json_text.h"
#include "adapters/provider_options.h"
#include "adapters/sampling_checks.h"

namespace mg {
namespace {

using Family = BedrockModelRules::Family;

constexpr absl::string_view kNoPlace = "Converse has no such parameter";
constexpr absl::string_view kNotTaken = "this model does not take it";
constexpr absl::string_view kThinks = "a model that thinks does not take it";
constexpr absl::string_view kBetas = "anthropic_beta";

class SettingsWriter {
 public:
  explicit SettingsWriter(BedrockEncoding* encoding)
      : encoding_(*encoding),
        request_(encoding->request),
        sampling_(encoding->request.sampling()),
        rules_(encoding->rules),
        out_(encoding->body),
        notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status WriteLimit();
  absl::Status WriteTemperature();
  absl::Status WriteTopP();
  absl::Status WriteTopK();
  absl::Status WriteStop();
  absl::Status WriteSchema();
  absl::Status WriteBetas();
  absl::Status DropTheRest();

  bool claude_thinks() const { return rules_.is_claude() && encoding_.thinks; }
  bool takes_sampling() const { return !rules_.is_claude() || rules_.claude.sampling; }

  BedrockEncoding& encoding_;
  const v1::ChatRequest& request_;
  const v1::Sampling& sampling_;
  const BedrockModelRules& rules_;
  std::string& out_;
  EncodeNotes& notes_;
  std::string inference_ = "{";
};

absl::Status SettingsWriter::Write() {
  if (auto status = CheckSampling(request_); !status.ok()) return status;
  if (auto status = WriteBetas(); !status.ok()) return status;
  if (!encoding_.counting) {
    for (auto write :
         {&SettingsWriter::WriteLimit, &SettingsWriter::WriteTemperature,
          &SettingsWriter::WriteTopP, &SettingsWriter::WriteTopK, &SettingsWriter::WriteStop,
          &SettingsWriter::WriteSchema, &SettingsWriter::DropTheRest}) {
      if (auto status = (this->*write)(); !status.ok()) return status;
    }
  }
  const auto append = [this](absl::string_view name, const std::string& members) {
    if (members == "{") return;
    AppendJsonKey(name, &out_);
    absl::StrAppend(&out_, members, "}");
  };
  append("inferenceConfig", inference_);
  append("additionalModelRequestFields", encoding_.additional);
  return absl::OkStatus();
}

// A budget for thinking comes on top of the caller's limit, as far as the model can.
absl::Status SettingsWriter::WriteLimit() {
  if (!sampling_.has_max_output_tokens()) return absl::OkStatus();
  if (encoding_.without_limit) {
    return notes_.Drop("sampling.max_output_tokens",
                       "the model takes no limit beside its highest effort");
  }
  const int64_t limit = sampling_.max_output_tokens();
  int64_t sent = limit + encoding_.thinking_budget;
  if (rules_.is_claude() && rules_.claude.max_output_known) {
    sent = std::min<int64_t>(sent, rules_.claude.max_output);
  }
  AppendJsonKey("maxTokens", &inference_);
  absl::StrAppend(&inference_, sent);
  if (limit <= sent) return absl::OkStatus();
  return notes_.Change("sampling.max_output_tokens",
                       absl::StrCat("more than the model can put out: ", sent, " is sent"));
}

absl::Status SettingsWriter::WriteTemperature() {
  if (!sampling_.has_temperature()) return absl::OkStatus();
  const double sent = std::min(sampling_.temperature(), 1.0);
  if (!takes_sampling()) return notes_.Drop("sampling.temperature", kNotTaken);
  if (claude_thinks() && sent != 1.0) return notes_.Drop("sampling.temperature", kThinks);
  AppendJsonKey("temperature", &inference_);
  AppendJsonNumber(sent, &inference_);
  if (sent == sampling_.temperature()) return absl::OkStatus();
  return notes_.Change("sampling.temperature", "Converse takes 0 to 1: 1 is sent");
}

absl::Status SettingsWriter::WriteTopP() {
  constexpr double kLeastWithThinking = 0.95;
  if (!sampling_.has_top_p()) return absl::OkStatus();
  if (!takes_sampling()) return notes_.Drop("sampling.top_p", kNotTaken);
  const bool beside = absl::StrContains(inference_, "temperature");
  if (beside && rules_.is_claude() &&
      !absl::StrContains(KnownModel(encoding_.context), "claude-3")) {
    return notes_.Drop("sampling.top_p", "this model takes temperature or top_p, not both");
  }
  if (claude_thinks() && sampling_.top_p() < kLeastWithThinking) {
    return notes_.Drop("sampling.top_p", "a model that thinks takes 0.95 to 1");
  }
  AppendJsonKey("topP", &inference_);
  AppendJsonNumber(sampling_.top_p(), &inference_);
  return absl::OkStatus();
}

// Converse has none: each maker has a name of its own for it.
absl::Status SettingsWriter::WriteTopK() {
  if (!sampling_.has_top_k()) return absl::OkStatus();
  if (!takes_sampling()) return notes_.Drop("sampling.top_k", kNotTaken);
  if (claude_thinks()) return notes_.Drop("sampling.top_k", kThinks);
  std::string* additional = &encoding_.additional;
  if (rules_.is_claude()) {
    AppendJsonKey("top_k", additional);
  } else if (rules_.family == Family::kCohere) {
    AppendJsonKey("k", additional);
  } else if (rules_.family == Family::kNova) {
    AppendJsonKey("inferenceConfig", additional);
    absl::StrAppend(additional, "{\"topK\":", sampling_.top_k(), "}");
    return absl::OkStatus();
  } else {
    return notes_.Drop("sampling.top_k", "no name is known under which this model takes it");
  }
  absl::StrAppend(additional, sampling_.top_k());
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteStop() {
  std::string list = "[";
  for (int i = 0; i < sampling_.stop_size(); ++i) {
    if (rules_.is_claude() && IsBlank(sampling_.stop(i))) {
      auto status = notes_.Drop(absl::StrCat("sampling.stop[", i, "]"),
                                "this model takes no stop text of white space alone");
      if (!status.ok()) return status;
      continue;
    }
    if (list.size() > 1) list.push_back(',');
    AppendJsonString(sampling_.stop(i), &list);
  }
  if (list.size() == 1) return absl::OkStatus();
  AppendJsonKey("stopSequences", &inference_);
  absl::StrAppend(&inference_, list, "]");
  if (!rules_.is_claude()) return absl::OkStatus();
  // Which of them it was stands in Claude's own answer alone.
  AppendJsonKey("additionalModelResponseFieldPaths", &out_);
  out_.append(encoding_.stream ? "[\"/stop_sequence\",\"/delta/stop_sequence\"]"
                               : "[\"/stop_sequence\"]");
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteSchema() {
  if (!request_.response_format().has_json_schema()) return absl::OkStatus();
  const v1::JsonSchema& schema = request_.response_format().json_schema();
  const std::string field = "response_format.json_schema";
  if (!rules_.json_schema) {
    return Unsupported(field, "this model has no structured output on Bedrock");
  }
  absl::string_view text;
  bool empty = false;
  if (auto status = CheckJsonObject(schema.schema_json(), &text, &empty); !status.ok()) {
    return Invalid(absl::StrCat(field, ".schema_json"), status.message());
  }
  if (schema.has_strict()) {
    auto status =
        notes_.Drop(absl::StrCat(field, ".strict"), "Converse always holds to the schema");
    if (!status.ok()) return status;
  }
  AppendJsonKey("outputConfig", &out_);
  out_.append(
      "{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{\"schema\":");
  const std::string taken = rules_.is_claude() ? ToAnthropicSchema(text) : std::string(text);
  if (taken.size() != text.size()) {
    notes_.Tell("changed", absl::StrCat(field, ".schema_json"), kClosedSchema);
  }
  AppendJsonString(taken, &out_);
  if (!schema.name().empty()) {
    AppendJsonKey("name", &out_);
    AppendJsonString(schema.name(), &out_);
  }
  if (!schema.description().empty()) {
    AppendJsonKey("description", &out_);
    AppendJsonString(schema.description(), &out_);
  }
  out_.append("}}}}");
  return absl::OkStatus();
}

// Of Anthropic's options the betas alone concern Claude here, and they stand in the body.
absl::Status SettingsWriter::WriteBetas() {
  const auto entry = request_.provider_options().find(std::string(kAnthropicDialect));
  if (!rules_.is_claude() || entry == request_.provider_options().end()) return absl::OkStatus();
  const auto betas = entry->second.fields().find(std::string(kBetas));
  if (betas == entry->second.fields().end()) return absl::OkStatus();
  std::string list;
  auto status = ReadAnthropicBetas(betas->second, kAnthropicDialect, &list);
  if (!status.ok() || list.empty()) return status;
  AppendJsonKey(kBetas, &encoding_.additional);
  absl::StrAppend(&encoding_.additional, "[\"", absl::StrReplaceAll(list, {{",", "\",\""}}), "\"]");
  return absl::OkStatus();
}

absl::Status SettingsWriter::DropTheRest() {
  if (sampling_.choices() > 1) {
    return Unsupported("sampling.choices", "Bedrock gives one answer to a request");
  }
  for (int i = 0; i < request_.output_modalities_size(); ++i) {
    if (request_.output_modalities(i) == "text") continue;
    return Unsupported(absl::StrCat("output_modalities[", i, "]"), "Converse puts out text only");
  }
  const std::pair<const char*, bool> preferences[] = {
      {"sampling.seed", sampling_.has_seed()},
      {"sampling.presence_penalty", sampling_.has_presence_penalty()},
      {"sampling.frequency_penalty", sampling_.has_frequency_penalty()},
      {"sampling.top_logprobs", sampling_.has_top_logprobs()},
      {"context.end_user", !request_.context().end_user().empty()}};
  for (const auto& [field, given] : preferences) {
    if (!given) continue;
    if (auto status = notes_.Drop(field, kNoPlace); !status.ok()) return status;
  }
  if (request_.service_tier().empty()) return absl::OkStatus();
  AppendJsonKey("serviceTier", &out_);
  out_.append("{\"type\":");
  AppendJsonString(request_.service_tier(), &out_);
  out_.push_back('}');
  return absl::OkStatus();
}

// Of the body's members, those that count-tokens takes.
bool IsOfThePrompt(absl::string_view name) {
  return name == "system" || name == "toolConfig" || name == "additionalModelRequestFields";
}

}  // namespace

absl::Status EncodeBedrockSettings(BedrockEncoding* encoding) {
  return SettingsWriter(encoding).Write();
}

absl::Status MergeBedrockOptions(BedrockEncoding* encoding) {
  const DialectContext& context = encoding->context;
  OptionsMap taken;
  for (absl::string_view key : {absl::string_view(context.provider), kBedrockDialect}) {
    const auto found = encoding->request.provider_options().find(std::string(key));
    if (found == encoding->request.provider_options().end()) continue;
    google::protobuf::Struct& entry = taken[found->first];
    for (const auto& [name, value] : found->second.fields()) {
      if (!encoding->counting || IsOfThePrompt(name)) (*entry.mutable_fields())[name] = value;
    }
  }
  return MergeOptions(taken, context.provider, kBedrockDialect, "provider_options",
                      {"messages", "modelId"}, &encoding->body);
}

}  // namespace mg
