// Everything of the request that is neither prompt nor tool: generationConfig, and the tier.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/gemini_encoding.h"
#include "adapters/json_text.h"
#include "adapters/sampling_checks.h"

namespace mg {
namespace {

constexpr int kMaxStops = 5;
constexpr absl::string_view kNoPlace = "Gemini's API has no such parameter";

class SettingsWriter {
 public:
  explicit SettingsWriter(GeminiEncoding* encoding)
      : encoding_(*encoding), request_(encoding->request), notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status WriteSampling();
  absl::Status WritePenalty(const char* name, absl::string_view field, bool given, double value);
  absl::Status WriteStop();
  absl::Status WriteFormat();
  absl::Status WriteSchema(const v1::JsonSchema& schema);
  void WriteModalities();
  absl::Status WriteRest();
  void Number(absl::string_view name, double value);

  GeminiEncoding& encoding_;
  const v1::ChatRequest& request_;
  EncodeNotes& notes_;
  std::string config_ = "{";
};

absl::Status SettingsWriter::Write() {
  if (auto status = CheckSampling(request_); !status.ok()) return status;
  if (!encoding_.counting) {
    if (auto status = WriteSampling(); !status.ok()) return status;
  }
  if (auto status = WriteFormat(); !status.ok()) return status;
  if (auto status = AppendGeminiThinking(&encoding_, &config_); !status.ok()) return status;
  if (!encoding_.counting) WriteModalities();
  if (config_ != "{") absl::StrAppend(&encoding_.body, ",\"generationConfig\":", config_, "}");
  return encoding_.counting ? absl::OkStatus() : WriteRest();
}

void SettingsWriter::Number(absl::string_view name, double value) {
  AppendJsonKey(name, &config_);
  AppendJsonNumber(value, &config_);
}

absl::Status SettingsWriter::WriteSampling() {
  const v1::Sampling& sampling = request_.sampling();
  if (sampling.has_temperature()) Number("temperature", sampling.temperature());
  if (sampling.has_top_p()) Number("topP", sampling.top_p());
  if (sampling.has_top_k()) Number("topK", sampling.top_k());
  if (sampling.choices() > 1) Number("candidateCount", sampling.choices());
  if (sampling.has_max_output_tokens()) Number("maxOutputTokens", sampling.max_output_tokens());
  if (auto status = WriteStop(); !status.ok()) return status;
  if (sampling.has_seed()) {
    AppendJsonKey("seed", &config_);
    absl::StrAppend(&config_, sampling.seed());
  }
  auto status = WritePenalty("presencePenalty", "sampling.presence_penalty",
                             sampling.has_presence_penalty(), sampling.presence_penalty());
  if (!status.ok()) return status;
  status = WritePenalty("frequencyPenalty", "sampling.frequency_penalty",
                        sampling.has_frequency_penalty(), sampling.frequency_penalty());
  if (!status.ok() || !sampling.has_top_logprobs()) return status;
  AppendJsonKey("responseLogprobs", &config_);
  config_.append("true");
  Number("logprobs", sampling.top_logprobs());
  return absl::OkStatus();
}

absl::Status SettingsWriter::WritePenalty(const char* name, absl::string_view field, bool given,
                                          double value) {
  if (!given) return absl::OkStatus();
  if (!encoding_.vertex && !encoding_.rules.studio_penalties) {
    return notes_.Drop(field, "this model does not take it");
  }
  Number(name, value);
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteStop() {
  const auto& stop = request_.sampling().stop();
  if (stop.empty()) return absl::OkStatus();
  AppendJsonKey("stopSequences", &config_);
  config_.push_back('[');
  for (int i = 0; i < stop.size() && i < kMaxStops; ++i) {
    if (i > 0) config_.push_back(',');
    AppendJsonString(stop[i], &config_);
  }
  config_.push_back(']');
  if (stop.size() <= kMaxStops) return absl::OkStatus();
  return notes_.Drop(
      absl::StrCat("sampling.stop[", kMaxStops, "]"),
      absl::StrCat("Gemini takes ", kMaxStops, " stop texts: the first ones are sent"));
}

absl::Status SettingsWriter::WriteFormat() {
  const v1::ResponseFormat& format = request_.response_format();
  if (format.has_json_schema()) return WriteSchema(format.json_schema());
  if (!format.has_json_object() || GeminiJsonByWords(encoding_)) return absl::OkStatus();
  AppendJsonKey("responseMimeType", &config_);
  config_.append("\"application/json\"");
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteSchema(const v1::JsonSchema& schema) {
  const std::string field = "response_format.json_schema";
  if (!encoding_.rules.json_mode) {
    return Unsupported(field, "this model has no structured output; Gemini's models have it");
  }
  for (const v1::Tool& tool : request_.tools()) {
    if (encoding_.rules.json_with_tools || !tool.hosted().empty()) continue;
    return Unsupported(field, "this model takes no schema beside functions; Gemini 3 and newer do");
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
                              "Gemini's API takes the schema alone, and always holds to it");
    if (!status.ok()) return status;
  }
  AppendJsonKey("responseMimeType", &config_);
  config_.append("\"application/json\"");
  AppendJsonKey("responseJsonSchema", &config_);
  absl::StrAppend(&config_, text);
  return absl::OkStatus();
}

void SettingsWriter::WriteModalities() {
  if (request_.output_modalities().empty()) return;
  AppendJsonKey("responseModalities", &config_);
  config_.push_back('[');
  for (const std::string& modality : request_.output_modalities()) {
    if (config_.back() != '[') config_.push_back(',');
    AppendJsonString(absl::AsciiStrToUpper(modality), &config_);
  }
  config_.push_back(']');
}

absl::Status SettingsWriter::WriteRest() {
  if (!request_.service_tier().empty()) {
    if (encoding_.vertex) {
      auto status = notes_.Drop("service_tier", "Vertex AI's API has no such parameter");
      if (!status.ok()) return status;
    } else {
      encoding_.body.append(",\"serviceTier\":");
      AppendJsonString(request_.service_tier(), &encoding_.body);
    }
  }
  if (request_.context().end_user().empty()) return absl::OkStatus();
  return notes_.Drop("context.end_user", kNoPlace);
}

}  // namespace

absl::Status EncodeGeminiSettings(GeminiEncoding* encoding) {
  return SettingsWriter(encoding).Write();
}

}  // namespace mg
