// Everything of the request that is neither a message nor a tool: sampling, reasoning, stream,
// tier, user.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/json_text.h"
#include "adapters/sampling_checks.h"

namespace mg {
namespace {

constexpr int kMaxStops = 4;
constexpr absl::string_view kNotThisModel = "this model does not take it";
constexpr absl::string_view kNotWhileReasoning =
    "this model takes it only with reasoning.effort none";

void AppendMember(absl::string_view name, absl::string_view json, std::string* out) {
  absl::StrAppend(out, ",\"", name, "\":", json);
}

class SettingsWriter {
 public:
  SettingsWriter(bool stream, OpenAiEncoding* encoding)
      : stream_(stream),
        encoding_(*encoding),
        request_(encoding->request),
        rules_(encoding->rules),
        out_(encoding->body),
        notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status WriteReasoning();
  absl::Status ChooseEffort();
  absl::Status WriteSampling();
  absl::Status WriteStop();
  absl::Status WriteLogprobs();
  void WriteRest();

  // A number that reasoning models refuse.
  absl::Status Number(absl::string_view field, absl::string_view name, bool present, double value,
                      bool taken);

  const bool stream_;
  OpenAiEncoding& encoding_;
  const v1::ChatRequest& request_;
  const OpenAiModelRules& rules_;
  std::string& out_;
  EncodeNotes& notes_;
  std::string effort_;  // that is sent; empty: none is
};

absl::Status SettingsWriter::Write() {
  if (auto status = CheckSampling(request_); !status.ok()) return status;
  if (auto status = WriteReasoning(); !status.ok()) return status;
  if (auto status = WriteSampling(); !status.ok()) return status;
  if (auto status = WriteStop(); !status.ok()) return status;
  if (auto status = WriteLogprobs(); !status.ok()) return status;
  WriteRest();
  return absl::OkStatus();
}

// The caller's effort, or the one that stands for the caller's budget.
absl::Status SettingsWriter::ChooseEffort() {
  const v1::Reasoning& reasoning = request_.reasoning();
  effort_ = reasoning.effort();
  if (!effort_.empty() && !IsEffort(effort_)) {
    return Invalid("reasoning.effort",
                   "must be none, minimal, low, medium, high, xhigh or max; other words of a "
                   "provider go into provider_options");
  }
  if (reasoning.has_budget_tokens()) {
    if (effort_.empty()) effort_ = std::string(EffortOfBudget(reasoning.budget_tokens()));
    if (auto status = notes_.Change("reasoning.budget_tokens",
                                    absl::StrCat("the provider takes no budget: effort ", effort_));
        !status.ok()) {
      return status;
    }
  }
  if (effort_.empty()) return absl::OkStatus();
  const std::string sent(EffortFor(rules_, effort_));
  if (sent == effort_) return absl::OkStatus();
  effort_ = sent;
  return notes_.Change(reasoning.effort().empty() ? "reasoning.budget_tokens" : "reasoning.effort",
                       absl::StrCat("the model has no such effort: ", sent, " is sent"));
}

absl::Status SettingsWriter::WriteReasoning() {
  if (auto status = ChooseEffort(); !status.ok()) return status;
  bool functions = false;
  for (const v1::Tool& tool : request_.tools()) functions = functions || tool.hosted().empty();
  if (rules_.tools_need_effort_none && functions && effort_ != "none") {
    if (!effort_.empty()) {
      return Unsupported(
          request_.reasoning().effort().empty() ? "reasoning.budget_tokens" : "reasoning.effort",
          "OpenAI serves this model with tools and reasoning over its Responses API only, which "
          "this version does not speak");
    }
    effort_ = "none";
    notes_.Tell("changed", "reasoning.effort",
                "with tools this model is served without reasoning: effort none is sent");
  }
  if (!effort_.empty()) {
    out_.append(",\"reasoning_effort\":");
    AppendJsonString(effort_, &out_);
  }
  if (!request_.reasoning().has_include_text()) return absl::OkStatus();
  return notes_.Drop("reasoning.include_text", "OpenAI's chat API has no such switch");
}

absl::Status SettingsWriter::Number(absl::string_view field, absl::string_view name, bool present,
                                    double value, bool taken) {
  if (!present) return absl::OkStatus();
  if (!taken) {
    const bool penalty = absl::EndsWith(name, "penalty");
    return notes_.Drop(
        field, rules_.sampling_at_effort_none && !penalty ? kNotWhileReasoning : kNotThisModel);
  }
  absl::StrAppend(&out_, ",\"", name, "\":");
  AppendJsonNumber(value, &out_);
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteSampling() {
  const v1::Sampling& sampling = request_.sampling();
  const bool taken = rules_.sampling || (rules_.sampling_at_effort_none && effort_ == "none");
  if (sampling.has_max_output_tokens()) {
    AppendMember(encoding_.context.compatible ? "max_tokens" : "max_completion_tokens",
                 absl::StrCat(sampling.max_output_tokens()), &out_);
  }
  absl::Status status;
  const auto number = [&](absl::string_view field, absl::string_view name, bool present,
                          double value, bool is_taken) {
    if (status.ok()) status = Number(field, name, present, value, is_taken);
  };
  number("sampling.temperature", "temperature", sampling.has_temperature(), sampling.temperature(),
         taken && rules_.temperature);
  number("sampling.top_p", "top_p", sampling.has_top_p(), sampling.top_p(), taken);
  number("sampling.presence_penalty", "presence_penalty", sampling.has_presence_penalty(),
         sampling.presence_penalty(), rules_.sampling);
  number("sampling.frequency_penalty", "frequency_penalty", sampling.has_frequency_penalty(),
         sampling.frequency_penalty(), rules_.sampling);
  if (!status.ok()) return status;
  if (sampling.has_seed()) AppendMember("seed", absl::StrCat(sampling.seed()), &out_);
  // One choice is what every server gives unasked, and some refuse to be told.
  if (sampling.choices() > 1) AppendMember("n", absl::StrCat(sampling.choices()), &out_);
  if (!sampling.has_top_k()) return absl::OkStatus();
  return notes_.Drop("sampling.top_k", "OpenAI's chat API has no top_k");
}

absl::Status SettingsWriter::WriteStop() {
  const auto& stop = request_.sampling().stop();
  if (stop.empty()) return absl::OkStatus();
  if (!rules_.stop) return notes_.Drop("sampling.stop", kNotThisModel);
  out_.append(",\"stop\":[");
  for (int i = 0; i < stop.size() && i < kMaxStops; ++i) {
    if (i > 0) out_.push_back(',');
    AppendJsonString(stop[i], &out_);
  }
  out_.push_back(']');
  if (stop.size() <= kMaxStops) return absl::OkStatus();
  return notes_.Drop(absl::StrCat("sampling.stop[", kMaxStops, "]"),
                     absl::StrCat("the provider takes ", kMaxStops, "; the first ones are sent"));
}

absl::Status SettingsWriter::WriteLogprobs() {
  const v1::Sampling& sampling = request_.sampling();
  if (!sampling.has_top_logprobs()) return absl::OkStatus();
  if (!rules_.sampling && !(rules_.sampling_at_effort_none && effort_ == "none")) {
    return notes_.Drop("sampling.top_logprobs",
                       rules_.sampling_at_effort_none ? kNotWhileReasoning : kNotThisModel);
  }
  AppendMember("logprobs", "true", &out_);
  if (sampling.top_logprobs() > 0) {
    AppendMember("top_logprobs", absl::StrCat(sampling.top_logprobs()), &out_);
  }
  return absl::OkStatus();
}

void SettingsWriter::WriteRest() {
  if (!request_.output_modalities().empty()) {
    out_.append(",\"modalities\":[");
    for (const std::string& modality : request_.output_modalities()) {
      if (out_.back() != '[') out_.push_back(',');
      AppendJsonString(modality, &out_);
    }
    out_.push_back(']');
  }
  if (!request_.service_tier().empty()) {
    out_.append(",\"service_tier\":");
    AppendJsonString(request_.service_tier(), &out_);
  }
  if (!request_.context().end_user().empty()) {
    out_.append(encoding_.context.compatible ? ",\"user\":" : ",\"safety_identifier\":");
    AppendJsonString(request_.context().end_user(), &out_);
  }
  if (stream_) out_.append(",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
}

}  // namespace

absl::Status EncodeOpenAiSettings(bool stream, OpenAiEncoding* encoding) {
  return SettingsWriter(stream, encoding).Write();
}

}  // namespace mg
