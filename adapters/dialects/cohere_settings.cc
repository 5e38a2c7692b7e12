// Everything of the request that is neither a message nor a tool: thinking, sampling, stream.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/dialects/cohere_encoding.h"
#include "adapters/effort.h"
#include "adapters/json_text.h"
#include "adapters/sampling_checks.h"

namespace mg {
namespace {

constexpr int kMaxStops = 5;
constexpr int kMaxTopK = 500;
constexpr int kLeastBudget = 1024;
constexpr int kMostBudget = 32768;
constexpr absl::string_view kNoPlace = "Cohere's API has no such parameter";

class SettingsWriter {
 public:
  explicit SettingsWriter(CohereEncoding* encoding)
      : request_(encoding->request),
        stream_(encoding->stream),
        out_(encoding->body),
        notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status WriteThinking();
  absl::Status WriteBudget(int budget, absl::string_view field);
  absl::Status WriteSampling();
  absl::Status WriteStop();
  absl::Status WriteLogprobs();
  absl::Status DropTheRest();
  // Cut to what the API takes.
  absl::Status Number(absl::string_view field, absl::string_view name, bool present, double value,
                      double least, double most);
  void Count(absl::string_view name, bool present, int64_t value);

  const v1::ChatRequest& request_;
  const bool stream_;
  std::string& out_;
  EncodeNotes& notes_;
};

absl::Status SettingsWriter::Write() {
  if (auto status = CheckSampling(request_); !status.ok()) return status;
  if (auto status = WriteThinking(); !status.ok()) return status;
  if (auto status = WriteSampling(); !status.ok()) return status;
  if (auto status = WriteStop(); !status.ok()) return status;
  if (auto status = WriteLogprobs(); !status.ok()) return status;
  if (auto status = DropTheRest(); !status.ok()) return status;
  if (stream_) out_.append(",\"stream\":true");
  return absl::OkStatus();
}

// Models take a budget alone (spec/providers.md §9.2).
absl::Status SettingsWriter::WriteThinking() {
  const v1::Reasoning& reasoning = request_.reasoning();
  const std::string& effort = reasoning.effort();
  if (!effort.empty() && !IsEffort(effort)) {
    return Invalid("reasoning.effort",
                   "must be none, minimal, low, medium, high, xhigh or max; other words of a "
                   "provider go into provider_options");
  }
  const bool budget = reasoning.has_budget_tokens();
  if (budget || !effort.empty()) {
    if (budget && !effort.empty()) {
      notes_.Tell("changed", "reasoning.effort", "the budget wins: no effort is sent beside it");
    }
    if (budget ? reasoning.budget_tokens() == 0 : effort == "none") {
      out_.append(",\"thinking\":{\"type\":\"disabled\"}");
    } else if (budget) {
      auto status = WriteBudget(reasoning.budget_tokens(), "reasoning.budget_tokens");
      if (!status.ok()) return status;
    } else {
      // The budget is the effort in this provider's terms: nothing is changed by it.
      const int sent = std::max(kLeastBudget, BudgetOfEffort(effort, kMostBudget));
      if (auto status = WriteBudget(sent, "reasoning.effort"); !status.ok()) return status;
    }
  }
  if (!reasoning.has_include_text()) return absl::OkStatus();
  return notes_.Drop("reasoning.include_text", kNoPlace);
}

absl::Status SettingsWriter::WriteBudget(int budget, absl::string_view field) {
  const int sent = std::clamp(budget, kLeastBudget, kMostBudget);
  absl::StrAppend(&out_, ",\"thinking\":{\"type\":\"enabled\",\"token_budget\":", sent, "}");
  if (sent == budget) return absl::OkStatus();
  return notes_.Change(field, absl::StrCat("out of the provider's range: ", sent, " is sent"));
}

absl::Status SettingsWriter::Number(absl::string_view field, absl::string_view name, bool present,
                                    double value, double least, double most) {
  if (!present) return absl::OkStatus();
  const double sent = std::clamp(value, least, most);
  absl::StrAppend(&out_, ",\"", name, "\":");
  AppendJsonNumber(sent, &out_);
  if (sent == value) return absl::OkStatus();
  return notes_.Change(field,
                       absl::StrCat("Cohere takes ", least, " to ", most, ": ", sent, " is sent"));
}

void SettingsWriter::Count(absl::string_view name, bool present, int64_t value) {
  if (present) absl::StrAppend(&out_, ",\"", name, "\":", value);
}

absl::Status SettingsWriter::WriteSampling() {
  const v1::Sampling& sampling = request_.sampling();
  Count("max_tokens", sampling.has_max_output_tokens(), sampling.max_output_tokens());
  absl::Status status;
  const auto number = [&](absl::string_view field, absl::string_view name, bool present,
                          double value, double least, double most) {
    if (status.ok()) status = Number(field, name, present, value, least, most);
  };
  number("sampling.temperature", "temperature", sampling.has_temperature(), sampling.temperature(),
         0, 1);
  number("sampling.top_p", "p", sampling.has_top_p(), sampling.top_p(), 0.01, 0.99);
  number("sampling.top_k", "k", sampling.has_top_k(), sampling.top_k(), 0, kMaxTopK);
  number("sampling.presence_penalty", "presence_penalty", sampling.has_presence_penalty(),
         sampling.presence_penalty(), 0, 1);
  number("sampling.frequency_penalty", "frequency_penalty", sampling.has_frequency_penalty(),
         sampling.frequency_penalty(), 0, 1);
  Count("seed", sampling.has_seed(), sampling.seed());
  return status;
}

absl::Status SettingsWriter::WriteStop() {
  const auto& stop = request_.sampling().stop();
  if (stop.empty()) return absl::OkStatus();
  out_.append(",\"stop_sequences\":[");
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
  out_.append(",\"logprobs\":true");
  if (sampling.top_logprobs() == 0) return absl::OkStatus();
  return notes_.Change("sampling.top_logprobs",
                       "Cohere tells the tokens that were taken, and no others in their place");
}

absl::Status SettingsWriter::DropTheRest() {
  if (request_.sampling().choices() > 1) {
    return Unsupported("sampling.choices", "Cohere gives one answer to a request");
  }
  for (int i = 0; i < request_.output_modalities_size(); ++i) {
    if (request_.output_modalities(i) == "text") continue;
    return Unsupported(absl::StrCat("output_modalities[", i, "]"),
                       "Cohere's models put out text only");
  }
  const std::pair<const char*, bool> hints[] = {
      {"service_tier", !request_.service_tier().empty()},
      {"context.end_user", !request_.context().end_user().empty()}};
  for (const auto& [field, given] : hints) {
    if (!given) continue;
    if (auto status = notes_.Drop(field, kNoPlace); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EncodeCohereSettings(CohereEncoding* encoding) {
  return SettingsWriter(encoding).Write();
}

}  // namespace mg
