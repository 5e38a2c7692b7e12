// Everything of the request that is neither prompt nor tool nor thinking: output, sampling, stream,
// tier and user.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/dialects/anthropic_schema.h"
#include "adapters/json_text.h"
#include "adapters/sampling_checks.h"

namespace mg {
namespace {

// The first version of the API that takes no sampling controls for any model.
constexpr absl::string_view kNoSamplingSince = "2026-10-21";
// Of a whole answer: a longer one could not come within the ten minutes that are allowed for it.
constexpr int kWholeMaxTokens = 21333;
constexpr absl::string_view kNoPlace = "Anthropic's API has no such parameter";

class SettingsWriter {
 public:
  explicit SettingsWriter(AnthropicEncoding* encoding)
      : encoding_(*encoding),
        request_(encoding->request),
        rules_(encoding->rules),
        out_(encoding->body),
        notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status WriteOutputConfig();
  absl::Status WriteSchema();
  absl::Status WriteMaxTokens();
  absl::Status WriteSampling();
  absl::Status WriteTopP(bool beside_temperature);
  absl::Status WriteStop();
  absl::Status DropTheRest();
  void WriteRest();
  void Number(absl::string_view name, double value);

  AnthropicEncoding& encoding_;
  const v1::ChatRequest& request_;
  const AnthropicModelRules& rules_;
  std::string& out_;
  EncodeNotes& notes_;
};

absl::Status SettingsWriter::Write() {
  if (auto status = CheckSampling(request_); !status.ok()) return status;
  if (auto status = WriteOutputConfig(); !status.ok()) return status;
  if (encoding_.counting) return absl::OkStatus();
  if (auto status = WriteMaxTokens(); !status.ok()) return status;
  if (auto status = WriteSampling(); !status.ok()) return status;
  if (auto status = WriteStop(); !status.ok()) return status;
  if (auto status = DropTheRest(); !status.ok()) return status;
  WriteRest();
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteOutputConfig() {
  const bool schema = request_.response_format().has_json_schema();
  if (encoding_.effort.empty() && !schema) return absl::OkStatus();
  out_.append(",\"output_config\":{");
  if (!encoding_.effort.empty()) {
    absl::StrAppend(&out_, "\"effort\":\"", encoding_.effort, "\"", schema ? "," : "");
  }
  if (schema) {
    if (auto status = WriteSchema(); !status.ok()) return status;
  }
  out_.push_back('}');
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteSchema() {
  const v1::JsonSchema& schema = request_.response_format().json_schema();
  const std::string field = "response_format.json_schema";
  if (!rules_.json_schema) {
    return Unsupported(field, "this model has no structured output; Claude 4.1 and newer have it");
  }
  absl::string_view text;
  bool empty = false;
  if (auto status = CheckJsonObject(schema.schema_json(), &text, &empty); !status.ok()) {
    return Invalid(absl::StrCat(field, ".schema_json"), status.message());
  }
  const std::pair<const char*, bool> hints[] = {{".name", !schema.name().empty()},
                                                {".description", !schema.description().empty()},
                                                {".strict", schema.has_strict()}};
  for (const auto& [name, given] : hints) {
    if (!given) continue;
    auto status = notes_.Drop(absl::StrCat(field, name),
                              "Anthropic's API takes the schema alone, and always holds to it");
    if (!status.ok()) return status;
  }
  const std::string taken = ToAnthropicSchema(text);
  if (taken.size() != text.size()) {
    notes_.Tell("changed", absl::StrCat(field, ".schema_json"), kClosedSchema);
  }
  absl::StrAppend(&out_, "\"format\":{\"type\":\"json_schema\",\"schema\":", taken, "}");
  return absl::OkStatus();
}

// The API wants it. A budget for thinking comes on top of the caller's limit, as far as the model
// can.
absl::Status SettingsWriter::WriteMaxTokens() {
  const v1::Sampling& sampling = request_.sampling();
  int64_t limit = rules_.max_output;
  if (!encoding_.stream) limit = std::min<int64_t>(limit, kWholeMaxTokens);
  if (sampling.has_max_output_tokens()) limit = sampling.max_output_tokens();
  int64_t sent = limit + encoding_.thinking_budget;
  if (rules_.max_output_known) sent = std::min<int64_t>(sent, rules_.max_output);
  absl::StrAppend(&out_, ",\"max_tokens\":", sent);
  if (!sampling.has_max_output_tokens() || limit <= sent) return absl::OkStatus();
  return notes_.Change("sampling.max_output_tokens",
                       absl::StrCat("more than the model can put out: ", sent, " is sent"));
}

void SettingsWriter::Number(absl::string_view name, double value) {
  absl::StrAppend(&out_, ",\"", name, "\":");
  AppendJsonNumber(value, &out_);
}

absl::Status SettingsWriter::WriteSampling() {
  const v1::Sampling& sampling = request_.sampling();
  const bool version = encoding_.context.api_version >= kNoSamplingSince;
  const bool taken = rules_.sampling && !version;
  const absl::string_view why =
      version ? "this version of Anthropic's API does not take it" : "this model does not take it";
  constexpr absl::string_view kThinks = "a model that thinks does not take it";
  bool temperature = false;
  if (sampling.has_temperature()) {
    const double sent = std::min(sampling.temperature(), 1.0);
    absl::Status status;
    if (!taken || (encoding_.thinks && sent != 1.0)) {
      status = notes_.Drop("sampling.temperature", taken ? kThinks : why);
    } else {
      temperature = true;
      Number("temperature", sent);
      if (sent != sampling.temperature()) {
        status = notes_.Change("sampling.temperature", "Anthropic takes 0 to 1: 1 is sent");
      }
    }
    if (!status.ok()) return status;
  }
  if (sampling.has_top_p()) {
    auto status = taken ? WriteTopP(temperature) : notes_.Drop("sampling.top_p", why);
    if (!status.ok()) return status;
  }
  if (!sampling.has_top_k()) return absl::OkStatus();
  if (!taken || encoding_.thinks) return notes_.Drop("sampling.top_k", taken ? kThinks : why);
  Number("top_k", sampling.top_k());
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteTopP(bool beside_temperature) {
  constexpr double kLeastWithThinking = 0.95;
  if (beside_temperature) {
    return notes_.Drop("sampling.top_p", "Anthropic takes temperature or top_p, not both");
  }
  if (encoding_.thinks && request_.sampling().top_p() < kLeastWithThinking) {
    return notes_.Drop("sampling.top_p", "a model that thinks takes 0.95 to 1");
  }
  Number("top_p", request_.sampling().top_p());
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteStop() {
  const auto& stop = request_.sampling().stop();
  bool any = false;
  for (int i = 0; i < stop.size(); ++i) {
    if (IsBlank(stop[i])) {
      auto status = notes_.Drop(absl::StrCat("sampling.stop[", i, "]"),
                                "Anthropic takes no stop text of white space alone");
      if (!status.ok()) return status;
      continue;
    }
    out_.append(any ? "," : ",\"stop_sequences\":[");
    any = true;
    AppendJsonString(stop[i], &out_);
  }
  if (any) out_.push_back(']');
  return absl::OkStatus();
}

absl::Status SettingsWriter::DropTheRest() {
  const v1::Sampling& sampling = request_.sampling();
  if (sampling.choices() > 1) {
    return Unsupported("sampling.choices", "Anthropic gives one answer to a request");
  }
  for (int i = 0; i < request_.output_modalities_size(); ++i) {
    if (request_.output_modalities(i) == "text") continue;
    return Unsupported(absl::StrCat("output_modalities[", i, "]"),
                       "Anthropic's models put out text only");
  }
  const std::pair<const char*, bool> preferences[] = {
      {"sampling.seed", sampling.has_seed()},
      {"sampling.presence_penalty", sampling.has_presence_penalty()},
      {"sampling.frequency_penalty", sampling.has_frequency_penalty()},
      {"sampling.top_logprobs", sampling.has_top_logprobs()}};
  for (const auto& [field, given] : preferences) {
    if (!given) continue;
    if (auto status = notes_.Drop(field, kNoPlace); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void SettingsWriter::WriteRest() {
  if (!request_.service_tier().empty()) {
    out_.append(",\"service_tier\":");
    AppendJsonString(request_.service_tier(), &out_);
  }
  if (!request_.context().end_user().empty()) {
    out_.append(",\"metadata\":{\"user_id\":");
    AppendJsonString(request_.context().end_user(), &out_);
    out_.push_back('}');
  }
  if (encoding_.stream) out_.append(",\"stream\":true");
}

}  // namespace

absl::Status EncodeAnthropicSettings(AnthropicEncoding* encoding) {
  return SettingsWriter(encoding).Write();
}

}  // namespace mg
