#include "adapters/dialects/openai_profile.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "adapters/dialects/anthropic_models.h"
#include "adapters/effort.h"

namespace mg {
namespace {

using Profile = OpenAiProfile;

constexpr int kAnyNumber = std::numeric_limits<int>::max();

constexpr Profile OpenAi() {
  Profile p;
  p.max_tokens = "max_completion_tokens";
  p.end_user = "safety_identifier";
  p.choice = Profile::Choice::kAllowed;
  p.names = Profile::Names::kUsersAndAssistant;
  p.reasoning_back = false;
  p.unanswered_calls = false;
  p.embed_batch = 2048;
  p.embed_total = 300'000;
  p.embed_base64 = true;
  p.embed_tokens = true;
  p.embed_user = "user";
  p.count_text = "/responses/input_tokens";
  p.count_chat = "/responses/input_tokens";
  return p;
}

// Models of others, too, who tell their reasoning.
constexpr Profile Azure() {
  Profile p = OpenAi();
  p.reasoning_back = true;
  return p;
}

constexpr Profile Mistral() {
  Profile p;
  p.preset = "mistral";
  p.base_url = "https://api.mistral.ai/v1";
  p.stream_usage = false;
  p.seed = "random_seed";
  p.logprobs = Profile::Logprobs::kNever;
  p.max_stops = kAnyNumber;
  p.choice = Profile::Choice::kAny;
  p.json_word = true;
  p.end_user = "";
  p.document_url = true;
  p.audio = Profile::Audio::kText;
  p.prefill = Profile::Prefill::kPrefix;
  p.names = Profile::Names::kTools;
  p.short_call_ids = true;
  p.user_behind_result = false;
  p.embed_batch = 32;
  p.dimensions = "output_dimension";
  p.element_type = "output_dtype";
  return p;
}

constexpr Profile Groq() {
  Profile p;
  p.preset = "groq";
  p.base_url = "https://api.groq.com/openai/v1";
  p.stream_usage = false;
  p.choices = false;
  p.logprobs = Profile::Logprobs::kNever;
  p.penalties = false;
  p.schema = Profile::Schema::kWithoutTools;
  p.include_text = "include_reasoning";
  p.audio = Profile::Audio::kNever;
  p.prefill = Profile::Prefill::kNative;
  p.dimensions = "";
  return p;
}

constexpr Profile DeepSeek() {
  Profile p;
  p.preset = "deepseek";
  p.base_url = "https://api.deepseek.com";
  p.parallel = false;
  p.seed = "";
  p.choices = false;
  p.penalties = false;
  p.max_stops = 16;
  p.strict = Profile::Strict::kNever;
  p.choice = Profile::Choice::kUnthinking;
  p.json_word = true;
  p.schema = Profile::Schema::kNever;
  p.reasoning = Profile::Reasoning::kThinking;
  p.end_user = "user_id";
  p.service_tier = false;
  p.audio = Profile::Audio::kNever;
  p.names = Profile::Names::kUsersAndAssistant;
  p.embed_batch = 0;
  return p;
}

constexpr Profile Xai() {
  Profile p;
  p.preset = "xai";
  p.base_url = "https://api.x.ai/v1";
  p.max_tokens = "max_completion_tokens";
  p.penalties = false;
  p.max_stops = 8;
  p.strict = Profile::Strict::kNever;
  p.schema = Profile::Schema::kStrict;
  p.audio = Profile::Audio::kNever;
  p.names = Profile::Names::kUsers;
  p.embed_batch = 0;
  return p;
}

constexpr Profile OpenRouter() {
  Profile p;
  p.preset = "openrouter";
  p.schema_everywhere = true;
  p.base_url = "https://openrouter.ai/api/v1";
  p.top_k = "top_k";
  p.choices = false;
  p.reasoning = Profile::Reasoning::kObject;
  p.prefill = Profile::Prefill::kNative;
  p.names = Profile::Names::kAll;
  p.cache_control = true;
  p.embed_tokens = true;
  return p;
}

constexpr Profile Together() {
  Profile p;
  p.preset = "together";
  p.base_url = "https://api.together.ai/v1";
  p.parallel = false;
  p.top_k = "top_k";
  p.logprobs = Profile::Logprobs::kNumber;
  p.max_stops = kAnyNumber;
  p.strict = Profile::Strict::kNever;
  p.reasoning = Profile::Reasoning::kEffortOrOff;
  p.end_user = "";
  p.service_tier = false;
  p.names = Profile::Names::kAll;
  p.dimensions = "";
  return p;
}

constexpr Profile Google() {
  Profile p;
  p.preset = "google";
  p.base_url = "https://generativelanguage.googleapis.com/v1beta/openai";
  p.parallel = false;
  p.seed = "";
  p.choices = false;
  p.logprobs = Profile::Logprobs::kNever;
  p.penalties = false;
  p.max_stops = 5;
  p.strict = Profile::Strict::kNever;
  p.end_user = "";
  p.embed_batch = 100;
  return p;
}

constexpr Profile Ollama() {
  Profile p;
  p.preset = "ollama";
  p.base_url = "http://localhost:11434/v1";
  p.parallel = false;
  p.choices = false;
  p.max_stops = kAnyNumber;
  p.strict = Profile::Strict::kNever;
  p.choice = Profile::Choice::kNever;
  p.end_user = "";
  p.service_tier = false;
  p.image = Profile::Image::kNoGif;
  p.names = Profile::Names::kTools;
  return p;
}

// What the servers that run models themselves have alike.
constexpr Profile SelfHosted() {
  Profile p;
  p.top_k = "top_k";
  p.max_stops = kAnyNumber;
  p.strict = Profile::Strict::kNever;
  p.end_user = "";
  p.service_tier = false;
  return p;
}

constexpr Profile LlamaCpp() {
  Profile p = SelfHosted();
  p.preset = "llamacpp";
  p.base_url = "http://localhost:8080/v1";
  p.choice = Profile::Choice::kNoName;
  p.budget = "reasoning_budget_tokens";
  p.prefill = Profile::Prefill::kUnthinking;
  p.count_text = "/../tokenize";
  p.count_chat = "/chat/completions/input_tokens";
  return p;
}

constexpr Profile Vllm() {
  Profile p = SelfHosted();
  p.preset = "vllm";
  p.base_url = "http://localhost:8000/v1";
  p.budget = "thinking_token_budget";
  p.include_text = "include_reasoning";
  p.prefill = Profile::Prefill::kContinue;
  p.count_text = "/../tokenize";
  p.count_chat = "/../tokenize";
  return p;
}

constexpr Profile Sglang() {
  Profile p = SelfHosted();
  p.preset = "sglang";
  p.base_url = "http://localhost:30000/v1";
  p.strict = Profile::Strict::kSent;
  p.schema = Profile::Schema::kWithoutTools;
  p.include_text = "separate_reasoning";
  p.prefill = Profile::Prefill::kContinue;
  p.names = Profile::Names::kAll;
  return p;
}

constexpr Profile kOpenAi = OpenAi();
constexpr Profile kAzure = Azure();
constexpr Profile kDefault = {};
constexpr Profile kPresets[] = {Mistral(), Groq(),   DeepSeek(), Xai(),  OpenRouter(), Together(),
                                Google(),  Ollama(), LlamaCpp(), Vllm(), Sglang()};

using Words = std::vector<absl::string_view>;

// The words that a model of the preset takes, low to high; empty: any.
Words EffortsOf(absl::string_view preset, absl::string_view model) {
  const auto begins = [&](std::initializer_list<absl::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [&](absl::string_view name) { return absl::StartsWith(model, name); });
  };
  if (preset == "mistral") {
    if (begins({"mistral-large-4"})) return {"low", "medium", "high"};
    if (begins({"zai-glm-5"})) return {"low", "high", "max"};
    return {"none", "high"};
  }
  if (preset == "groq") {
    if (absl::StrContains(model, "gpt-oss")) return {"low", "medium", "high"};
    if (absl::StrContains(model, "qwen3.8-27b")) return {"none", "low", "medium", "high"};
    return {};
  }
  if (preset == "deepseek") return {"none", "low", "high", "max"};
  if (preset == "xai") {
    if (absl::StartsWith(model, "grok-4.6")) return {"none", "low", "medium", "high", "xhigh"};
    return {"none", "low", "medium", "high"};
  }
  if (preset == "together") {
    if (absl::StrContains(model, "DeepSeek-V4-Pro")) return {"none", "high", "max"};
    if (absl::StrContains(model, "gpt-oss")) return {"low", "medium", "high"};
    return {"none", "low", "medium", "high"};
  }
  if (preset == "ollama") return {"none", "low", "medium", "high", "max"};
  return {};
}

bool TakesNoEffort(absl::string_view preset, absl::string_view model) {
  if (preset == "mistral") {
    for (absl::string_view name : {"codestral", "ministral", "voxtral-small"}) {
      if (absl::StartsWith(model, name)) return true;
    }
    return model == "mistral-large-latest" || model == "mistral-large-2512";
  }
  return preset == "xai" && absl::StartsWith(model, "grok-4.20") &&
         absl::EndsWith(model, "reasoning");
}

bool IsXaiReasoning(absl::string_view model) {
  if (absl::StrContains(model, "non-reasoning")) return false;
  return absl::StrContains(model, "reasoning") || absl::StartsWith(model, "grok-4") ||
         absl::StartsWith(model, "grok-3-mini") || absl::StartsWith(model, "grok-code");
}

}  // namespace

const OpenAiProfile& OpenAiProfileOf(const DialectContext& context) {
  if (!context.compatible) return context.preset == "azure" ? kAzure : kOpenAi;
  for (const Profile& profile : kPresets) {
    if (profile.preset == context.preset) return profile;
  }
  return kDefault;
}

OpenAiProfile OpenAiProfileFor(const DialectContext& context) {
  Profile profile = OpenAiProfileOf(context);
  const absl::string_view model = KnownModel(context);
  if (profile.preset == "xai" && IsXaiReasoning(model)) profile.max_stops = 0;
  if (profile.preset == "deepseek" && context.beta) {
    profile.strict = Profile::Strict::kAllOrNone;
    profile.prefill = Profile::Prefill::kPrefix;
  }
  if (profile.preset == "groq" && absl::StrContains(model, "llama-3.1-8b-instant")) {
    profile.schema = Profile::Schema::kNever;
  }
  // OpenRouter writes Claude's versions with points, and Claude 4.6 and newer continue nothing.
  const std::string dashed = absl::StrReplaceAll(model, {{".", "-"}});
  if (profile.preset == "openrouter" && absl::StrContains(dashed, "claude") &&
      !AnthropicRulesFor(dashed).prefill) {
    profile.prefill = Profile::Prefill::kInstruction;
  }
  return profile;
}

std::string PresetEffort(const DialectContext& context, absl::string_view effort) {
  const absl::string_view preset = context.preset;
  const absl::string_view model = KnownModel(context);
  if (TakesNoEffort(preset, model)) return "";
  if (preset == "groq" && absl::StrContains(model, "qwen3") &&
      !absl::StrContains(model, "qwen3.8-27b")) {
    return effort == "none" ? "none" : "default";
  }
  if (preset == "deepseek" && effort == "medium") return "high";
  if (effort == "xhigh" && (preset == "deepseek" || preset == "ollama")) return "max";
  const Words words = EffortsOf(preset, model);
  if (words.empty()) return std::string(effort);
  return std::string(NearestEffort(words.data(), static_cast<int>(words.size()), effort));
}

bool IsDeepSeekV4(absl::string_view model) {
  for (absl::string_view name : {"deepseek-v4", "deepseek-flash", "deepseek-pro"}) {
    if (absl::StartsWith(model, name)) return true;
  }
  return false;
}

}  // namespace mg
