// Everything of the request that is neither a message nor a tool: sampling, reasoning, stream,
// tier, user.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialects/openai_encoding.h"
#include "adapters/json_text.h"
#include "adapters/sampling_checks.h"
#include "adapters/tool_checks.h"

namespace mg {
namespace {

constexpr absl::string_view kNotThisModel = "this model does not take it";
constexpr absl::string_view kNotWhileReasoning =
    "this model takes it only with reasoning.effort none";

void AppendMember(absl::string_view name, absl::string_view json, std::string* out) {
  absl::StrAppend(out, ",\"", name, "\":", json);
}

class SettingsWriter {
 public:
  explicit SettingsWriter(OpenAiEncoding* encoding)
      : encoding_(*encoding),
        request_(encoding->request),
        rules_(encoding->rules),
        profile_(encoding->profile),
        out_(encoding->body),
        notes_(encoding->notes) {}

  absl::Status Write();

 private:
  absl::Status WriteReasoning();
  absl::Status ChooseEffort();
  absl::Status WriteEffort();
  absl::Status WriteThinking();
  void WriteReasoningObject();
  absl::Status WriteIncludeText();
  void WriteTemplate();
  absl::Status WriteSampling();
  absl::Status WriteStop();
  absl::Status WriteLogprobs();
  absl::Status WriteEndUser();
  absl::Status WriteRest();

  // A number that reasoning models refuse.
  absl::Status Number(absl::string_view field, absl::string_view name, bool present, double value,
                      bool taken);

  OpenAiEncoding& encoding_;
  const v1::ChatRequest& request_;
  const OpenAiModelRules& rules_;
  const OpenAiProfile& profile_;
  std::string& out_;
  EncodeNotes& notes_;
  std::string effort_;   // that is sent; empty: none is
  bool thinks_ = false;  // known to think (DeepSeek)
};

absl::Status SettingsWriter::Write() {
  if (auto status = CheckSampling(request_); !status.ok()) return status;
  if (auto status = WriteReasoning(); !status.ok()) return status;
  if (auto status = WriteSampling(); !status.ok()) return status;
  if (auto status = WriteStop(); !status.ok()) return status;
  if (auto status = WriteLogprobs(); !status.ok()) return status;
  WriteTemplate();
  return WriteRest();
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
  // A budget of nothing is a word where it stands in the place of one.
  const bool in_object = profile_.reasoning == OpenAiProfile::Reasoning::kObject;
  const bool takes_budget =
      !profile_.budget.empty() || (in_object && reasoning.budget_tokens() > 0);
  if (reasoning.has_budget_tokens() && takes_budget) {
    if (effort_.empty()) return absl::OkStatus();
    notes_.Tell("changed", "reasoning.effort", "the budget wins: no effort is sent beside it");
    effort_.clear();
    return absl::OkStatus();
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
  const char* field = reasoning.effort().empty() ? "reasoning.budget_tokens" : "reasoning.effort";
  const std::string sent = encoding_.context.compatible ? PresetEffort(encoding_.context, effort_)
                                                        : std::string(EffortFor(rules_, effort_));
  if (sent == effort_) return absl::OkStatus();
  const bool off = effort_ == "none";
  effort_ = sent;
  if (sent.empty() && off) return absl::OkStatus();
  if (sent.empty()) return Unsupported(field, "this model takes no effort");
  return notes_.Change(field, absl::StrCat("the model has no such effort: ", sent, " is sent"));
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
  if (auto status = WriteEffort(); !status.ok()) return status;
  return WriteIncludeText();
}

absl::Status SettingsWriter::WriteEffort() {
  if (profile_.reasoning == OpenAiProfile::Reasoning::kThinking) return WriteThinking();
  if (profile_.reasoning == OpenAiProfile::Reasoning::kObject) {
    WriteReasoningObject();
    return absl::OkStatus();
  }
  if (!profile_.budget.empty() && request_.reasoning().has_budget_tokens()) {
    AppendMember(profile_.budget, absl::StrCat(request_.reasoning().budget_tokens()), &out_);
  }
  if (effort_.empty()) return absl::OkStatus();
  if (profile_.reasoning == OpenAiProfile::Reasoning::kEffortOrOff && effort_ == "none") {
    AppendMember("reasoning", "{\"enabled\":false}", &out_);
    return absl::OkStatus();
  }
  out_.append(",\"reasoning_effort\":");
  AppendJsonString(effort_, &out_);
  return absl::OkStatus();
}

// DeepSeek's switch, and the effort beside it. Its V4 thinks unless told not to.
absl::Status SettingsWriter::WriteThinking() {
  const bool off = effort_ == "none" || encoding_.thinking_off;
  thinks_ = !off && (!effort_.empty() || IsDeepSeekV4(KnownModel(encoding_.context)));
  if (off) {
    AppendMember("thinking", "{\"type\":\"disabled\"}", &out_);
  } else if (!effort_.empty()) {
    AppendMember("thinking", "{\"type\":\"enabled\"}", &out_);
    AppendMember("reasoning_effort", absl::StrCat("\"", effort_, "\""), &out_);
  }
  return absl::OkStatus();
}

// OpenRouter's object, which holds the switch for the text too.
void SettingsWriter::WriteReasoningObject() {
  const v1::Reasoning& reasoning = request_.reasoning();
  std::string object = "{";
  if (reasoning.budget_tokens() > 0) {
    absl::StrAppend(&object, "\"max_tokens\":", reasoning.budget_tokens());
  } else if (!effort_.empty()) {
    absl::StrAppend(&object, "\"effort\":\"", effort_, "\"");
  }
  if (reasoning.has_include_text()) {
    AppendJsonKey("exclude", &object);
    object.append(reasoning.include_text() ? "false" : "true");
  }
  if (object != "{") AppendMember("reasoning", object + "}", &out_);
}

absl::Status SettingsWriter::WriteIncludeText() {
  const v1::Reasoning& reasoning = request_.reasoning();
  if (!reasoning.has_include_text() || profile_.reasoning == OpenAiProfile::Reasoning::kObject) {
    return absl::OkStatus();
  }
  if (profile_.include_text.empty()) {
    return notes_.Drop("reasoning.include_text", "OpenAI's chat API has no such switch");
  }
  AppendMember(profile_.include_text, reasoning.include_text() ? "true" : "false", &out_);
  return absl::OkStatus();
}

// How a last message of the assistant goes on where the server's template must be told.
void SettingsWriter::WriteTemplate() {
  if (encoding_.template_unthinks) {
    AppendMember("chat_template_kwargs", "{\"enable_thinking\":false}", &out_);
  }
  if (!encoding_.continues) return;
  AppendMember("continue_final_message", "true", &out_);
  if (profile_.preset == "vllm") AppendMember("add_generation_prompt", "false", &out_);
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
  const bool taken =
      !thinks_ && (rules_.sampling || (rules_.sampling_at_effort_none && effort_ == "none"));
  if (sampling.has_max_output_tokens()) {
    AppendMember(profile_.max_tokens, absl::StrCat(sampling.max_output_tokens()), &out_);
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
         sampling.presence_penalty(), rules_.sampling && profile_.penalties);
  number("sampling.frequency_penalty", "frequency_penalty", sampling.has_frequency_penalty(),
         sampling.frequency_penalty(), rules_.sampling && profile_.penalties);
  if (!status.ok()) return status;
  if (sampling.has_seed()) {
    if (!profile_.seed.empty()) {
      AppendMember(profile_.seed, absl::StrCat(sampling.seed()), &out_);
    } else if (status = notes_.Drop("sampling.seed", kNotThisServer); !status.ok()) {
      return status;
    }
  }
  // One choice is what every server gives unasked, and some refuse to be told.
  if (sampling.choices() > 1) {
    if (!profile_.choices) {
      return Unsupported("sampling.choices", "this server gives one answer to a request");
    }
    AppendMember("n", absl::StrCat(sampling.choices()), &out_);
  }
  if (!sampling.has_top_k()) return absl::OkStatus();
  if (profile_.top_k.empty()) {
    return notes_.Drop("sampling.top_k", "OpenAI's chat API has no top_k");
  }
  AppendMember(profile_.top_k, absl::StrCat(sampling.top_k()), &out_);
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteStop() {
  const auto& stop = request_.sampling().stop();
  if (stop.empty()) return absl::OkStatus();
  const int most = profile_.max_stops;
  if (!rules_.stop || most == 0) return notes_.Drop("sampling.stop", kNotThisModel);
  out_.append(",\"stop\":[");
  for (int i = 0; i < stop.size() && i < most; ++i) {
    if (i > 0) out_.push_back(',');
    AppendJsonString(stop[i], &out_);
  }
  out_.push_back(']');
  if (stop.size() <= most) return absl::OkStatus();
  return notes_.Drop(absl::StrCat("sampling.stop[", most, "]"),
                     absl::StrCat("the provider takes ", most, "; the first ones are sent"));
}

absl::Status SettingsWriter::WriteLogprobs() {
  const v1::Sampling& sampling = request_.sampling();
  if (!sampling.has_top_logprobs()) return absl::OkStatus();
  if (!rules_.sampling && !(rules_.sampling_at_effort_none && effort_ == "none")) {
    return notes_.Drop("sampling.top_logprobs",
                       rules_.sampling_at_effort_none ? kNotWhileReasoning : kNotThisModel);
  }
  // llama.cpp refuses them in a stream with tools.
  const bool never =
      profile_.logprobs == OpenAiProfile::Logprobs::kNever ||
      (profile_.preset == "llamacpp" && encoding_.stream && !request_.tools().empty());
  if (never) return notes_.Drop("sampling.top_logprobs", kNotThisServer);
  if (profile_.logprobs == OpenAiProfile::Logprobs::kNumber) {
    AppendMember("logprobs", absl::StrCat(sampling.top_logprobs()), &out_);
    return absl::OkStatus();
  }
  AppendMember("logprobs", "true", &out_);
  if (sampling.top_logprobs() > 0) {
    AppendMember("top_logprobs", absl::StrCat(sampling.top_logprobs()), &out_);
  }
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteEndUser() {
  const std::string& user = request_.context().end_user();
  if (user.empty()) return absl::OkStatus();
  // DeepSeek's ids are of letters, digits, "_" and "-".
  const bool fits = profile_.end_user != "user_id" || IsToolName(user, 512);
  if (profile_.end_user.empty() || !fits) {
    return notes_.Drop("context.end_user", kNotThisServer);
  }
  AppendJsonKey(profile_.end_user, &out_);
  AppendJsonString(user, &out_);
  return absl::OkStatus();
}

absl::Status SettingsWriter::WriteRest() {
  if (!request_.output_modalities().empty()) {
    out_.append(",\"modalities\":[");
    for (const std::string& modality : request_.output_modalities()) {
      if (out_.back() != '[') out_.push_back(',');
      AppendJsonString(modality, &out_);
    }
    out_.push_back(']');
  }
  if (!request_.service_tier().empty() && !profile_.service_tier) {
    auto status = notes_.Drop("service_tier", kNotThisServer);
    if (!status.ok()) return status;
  } else if (!request_.service_tier().empty()) {
    out_.append(",\"service_tier\":");
    AppendJsonString(request_.service_tier(), &out_);
  }
  if (auto status = WriteEndUser(); !status.ok()) return status;
  if (encoding_.stream) out_.append(",\"stream\":true");
  if (encoding_.stream && profile_.stream_usage) {
    out_.append(",\"stream_options\":{\"include_usage\":true}");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EncodeOpenAiSettings(OpenAiEncoding* encoding) {
  return SettingsWriter(encoding).Write();
}

}  // namespace mg
