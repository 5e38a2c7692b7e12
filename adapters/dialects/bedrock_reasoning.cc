// How much the model is to think, in the words of its maker (spec/providers.md §5.2, §9.2).
// Converse has none of its own: they go into additionalModelRequestFields. Decided before messages
// and settings, which depend on it.
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/dialects/anthropic_encoding.h"
#include "adapters/dialects/bedrock_encoding.h"
#include "adapters/effort.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

using Family = BedrockModelRules::Family;

constexpr absl::string_view kLowToHigh[] = {"low", "medium", "high"};
constexpr absl::string_view kLowToMax[] = {"low", "medium", "high", "max"};
constexpr absl::string_view kLowAndHigh[] = {"low", "high"};

class ReasoningWriter {
 public:
  explicit ReasoningWriter(BedrockEncoding* encoding)
      : encoding_(*encoding),
        reasoning_(encoding->request.reasoning()),
        family_(encoding->rules.family),
        notes_(encoding->notes),
        out_(encoding->additional) {}

  absl::Status Write();

 private:
  absl::Status WriteClaudes();
  absl::Status TurnOff();
  // The effort that the caller wants, whatever its words are.
  absl::Status Wanted(std::string* effort);
  absl::Status WriteEffort(absl::string_view effort);
  void WriteWord(absl::string_view word);
  // The field that the caller has set.
  absl::string_view Field() const {
    return reasoning_.has_budget_tokens() ? "reasoning.budget_tokens" : "reasoning.effort";
  }

  BedrockEncoding& encoding_;
  const v1::Reasoning& reasoning_;
  const Family family_;
  EncodeNotes& notes_;
  std::string& out_;
};

absl::Status ReasoningWriter::Write() {
  if (family_ == Family::kClaude) return WriteClaudes();
  if (!reasoning_.effort().empty() && !IsEffort(reasoning_.effort())) {
    return Invalid("reasoning.effort",
                   "must be none, minimal, low, medium, high, xhigh or max; other words of a "
                   "provider go into provider_options");
  }
  if (reasoning_.has_include_text()) {
    auto status = notes_.Drop("reasoning.include_text", "this model has no such switch on Bedrock");
    if (!status.ok()) return status;
  }
  const bool budget = reasoning_.has_budget_tokens();
  if (!budget && reasoning_.effort().empty()) return absl::OkStatus();
  const bool off = budget ? reasoning_.budget_tokens() == 0 : reasoning_.effort() == "none";
  if (off) return TurnOff();
  if (!encoding_.rules.reasons()) {
    return Unsupported(Field(),
                       "no word is known by which this model could be told: it goes into "
                       "provider_options[\"bedrock\"].additionalModelRequestFields");
  }
  std::string effort;
  if (auto status = Wanted(&effort); !status.ok()) return status;
  return WriteEffort(effort);
}

// As Anthropic's own API takes it, but for the efforts: those of Bedrock end with max.
absl::Status ReasoningWriter::WriteClaudes() {
  v1::ChatRequest request;
  *request.mutable_reasoning() = reasoning_;
  request.mutable_tool_choice()->set_mode(encoding_.request.tool_choice().mode());
  if (reasoning_.effort() == "xhigh" && encoding_.rules.claude.effort) {
    auto status =
        notes_.Change("reasoning.effort", "the model has no such effort here: max is sent");
    if (!status.ok()) return status;
    request.mutable_reasoning()->set_effort("max");
  }
  AnthropicEncoding claude = {request,
                              encoding_.context,
                              encoding_.rules.claude,
                              encoding_.counting,
                              encoding_.stream,
                              EncodeNotes(encoding_.context.refuse_unsupported)};
  if (auto status = EncodeAnthropicThinking(&claude); !status.ok()) return status;
  for (const v1::Warning& warning : claude.notes.TakeWarnings()) {
    notes_.Tell(warning.code(), warning.field(), warning.message());
  }
  encoding_.thinks = claude.thinks;
  encoding_.thinking_budget = claude.thinking_budget;
  absl::string_view thinking = claude.body;
  if (absl::ConsumePrefix(&thinking, ",\"thinking\":")) {
    AppendJsonKey("thinking", &out_);
    absl::StrAppend(&out_, thinking);
  }
  if (!claude.effort.empty()) {
    AppendJsonKey("output_config", &out_);
    absl::StrAppend(&out_, "{\"effort\":\"", claude.effort, "\"}");
  }
  return absl::OkStatus();
}

absl::Status ReasoningWriter::TurnOff() {
  if (encoding_.rules.nova_reasons) {
    AppendJsonKey("reasoningConfig", &out_);
    out_.append("{\"type\":\"disabled\"}");
    return absl::OkStatus();
  }
  // Qwen's do not think unasked, and the others that are left never do.
  if (!encoding_.rules.reasons() || family_ == Family::kQwen) return absl::OkStatus();
  WriteWord("low");
  return notes_.Change(Field(), "this model cannot be kept from thinking: effort low is sent");
}

absl::Status ReasoningWriter::Wanted(std::string* effort) {
  *effort = reasoning_.effort();
  if (!reasoning_.has_budget_tokens()) return absl::OkStatus();
  if (effort->empty() || *effort == "none") {
    *effort = std::string(EffortOfBudget(reasoning_.budget_tokens()));
  }
  return notes_.Change("reasoning.budget_tokens",
                       absl::StrCat("the model takes no budget: effort ", *effort));
}

absl::Status ReasoningWriter::WriteEffort(absl::string_view effort) {
  absl::string_view word;
  if (family_ == Family::kNova) {
    word = NearestEffort(kLowToHigh, std::size(kLowToHigh), effort);
  } else if (family_ == Family::kQwen || family_ == Family::kDeepSeek) {
    word = NearestEffort(kLowAndHigh, std::size(kLowAndHigh), effort);
  } else {
    word = effort == "xhigh" ? "max" : NearestEffort(kLowToMax, std::size(kLowToMax), effort);
  }
  WriteWord(word);
  if (word == effort) return absl::OkStatus();
  return notes_.Change(Field(), absl::StrCat("the model has no such effort: ", word, " is sent"));
}

void ReasoningWriter::WriteWord(absl::string_view word) {
  encoding_.thinks = true;
  switch (family_) {
    case Family::kNova:
      AppendJsonKey("reasoningConfig", &out_);
      absl::StrAppend(&out_, "{\"type\":\"enabled\",\"maxReasoningEffort\":\"", word, "\"}");
      encoding_.without_limit = word == "high";
      return;
    case Family::kGptOss:
      AppendJsonKey("reasoning_effort", &out_);
      absl::StrAppend(&out_, "\"", word, "\"");
      return;
    case Family::kOpenAi:
      AppendJsonKey("reasoning", &out_);
      absl::StrAppend(&out_, "{\"effort\":\"", word, "\"}");
      return;
    default:
      AppendJsonKey("reasoning_config", &out_);
      absl::StrAppend(&out_, "\"", word, "\"");
      return;
  }
}

}  // namespace

absl::Status EncodeBedrockReasoning(BedrockEncoding* encoding) {
  return ReasoningWriter(encoding).Write();
}

}  // namespace mg
