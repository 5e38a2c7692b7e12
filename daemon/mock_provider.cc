#include "daemon/mock_provider.h"

#include <fnmatch.h>
#include <re2/re2.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "daemon/config/effective.h"

namespace mg {
namespace {

std::string LastUserText(const v1::ChatRequest& request) {
  for (int i = request.messages_size() - 1; i >= 0; --i) {
    const v1::Message& message = request.messages(i);
    if (message.role() != v1::ROLE_USER) continue;
    std::string text;
    for (const v1::Part& part : message.parts()) text.append(part.text());
    return text;
  }
  return "";
}

constexpr int kMockDimensions = 8;
constexpr int kMaxMockDimensions = 4096;

std::string TextOf(const v1::EmbedInput& input) {
  std::string text = input.text();
  for (const v1::Part& part : input.parts()) text.append(part.text());
  for (const int32_t id : input.token_ids()) absl::StrAppend(&text, text.empty() ? "" : " ", id);
  return text;
}

// In [-1, 1), from the hash of the text alone.
void AddVector(absl::string_view text, int dimensions, v1::Embedding* embedding) {
  for (int i = 0; i < dimensions; ++i) {
    const uint64_t hash = StableHash(text, static_cast<uint64_t>(i));
    embedding->add_values(static_cast<float>(static_cast<int64_t>(hash >> 40) - (1 << 23)) /
                          static_cast<float>(1 << 23));
  }
}

absl::Status CheckSchema(absl::string_view field, absl::string_view schema) {
  if (schema.empty()) return absl::OkStatus();
  JsonDocument document;
  if (absl::Status status = ParseJson(schema, &document); !status.ok()) {
    return FieldError(ErrorClass::kInvalidRequest, field,
                      absl::StrCat(field, " is no JSON Schema: ", status.message()));
  }
  if (!document.IsObject()) {
    return FieldError(ErrorClass::kInvalidRequest, field,
                      absl::StrCat(field, " is no JSON Schema: an object is wanted"));
  }
  return absl::OkStatus();
}

// What every real provider would refuse is refused here too.
absl::Status CheckSchemas(const v1::ChatRequest& request) {
  for (int i = 0; i < request.tools_size(); ++i) {
    absl::Status status = CheckSchema(absl::StrCat("tools[", i, "].parameters_schema_json"),
                                      request.tools(i).parameters_schema_json());
    if (!status.ok()) return status;
  }
  return CheckSchema("response_format.json_schema.schema_json",
                     request.response_format().json_schema().schema_json());
}

}  // namespace

struct MockProvider::Rule {
  v1::MockRule config;
  std::unique_ptr<RE2> last_user;  // null: any
};

MockProvider::MockProvider(std::string name, const v1::MockConfig& config)
    : name_(std::move(name)), config_(config) {}

MockProvider::~MockProvider() = default;

absl::StatusOr<std::unique_ptr<MockProvider>> MockProvider::Create(std::string name,
                                                                   const v1::MockConfig& config) {
  std::unique_ptr<MockProvider> mock(new MockProvider(std::move(name), config));
  for (const v1::MockRule& rule : config.rules()) {
    Rule& compiled = mock->rules_.emplace_back();
    compiled.config = rule;
    if (rule.last_user().empty()) continue;
    compiled.last_user = std::make_unique<RE2>(rule.last_user(), RE2::Quiet);
    if (!compiled.last_user->ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("last_user is no RE2 pattern: ", compiled.last_user->error()));
    }
  }
  return mock;
}

const MockProvider::Rule* MockProvider::Find(absl::string_view model,
                                             absl::string_view last_user) const {
  const std::string name(model);
  for (const Rule& rule : rules_) {
    const std::string& pattern = rule.config.model();
    if (!pattern.empty() && fnmatch(pattern.c_str(), name.c_str(), 0) != 0) continue;
    const re2::StringPiece text(last_user.data(), last_user.size());
    if (rule.last_user != nullptr && !RE2::PartialMatch(text, *rule.last_user)) continue;
    return &rule;
  }
  return nullptr;
}

const v1::MockFault& MockProvider::FaultOf(const Rule* rule) const {
  return rule != nullptr && rule->config.has_fault() ? rule->config.fault() : config_.fault();
}

MockPace MockProvider::Pace() const {
  const v1::MockLatency latency = LatencyOf(config_);
  return {ToDuration(latency.first()), ToDuration(latency.token())};
}

std::vector<absl::string_view> MockProvider::Capabilities(absl::string_view) const {
  return {"chat",           "stream",      "embed",       "count_tokens", "tools",
          "parallel_tools", "json_object", "json_schema", "image",        "audio",
          "video",          "document",    "reasoning"};
}

absl::StatusOr<std::unique_ptr<Answer>> MockProvider::Start(const Ask& ask) const {
  if (ask.asked.embed != nullptr) return StartEmbed(ask);
  return ask.asked.count != nullptr ? StartCount(ask) : StartChat(ask);
}

absl::StatusOr<std::unique_ptr<Answer>> MockProvider::StartChat(const Ask& ask) const {
  if (absl::Status status = CheckSchemas(*ask.asked.chat); !status.ok()) return status;
  std::string text = LastUserText(*ask.asked.chat);
  const Rule* rule = Find(ask.candidate->model, text);
  if (rule != nullptr && rule->config.reply().has_text()) text = rule->config.reply().text();
  return NewMockChat(ask, text, FaultOf(rule), Pace());
}

absl::StatusOr<std::unique_ptr<Answer>> MockProvider::StartEmbed(const Ask& ask) const {
  if (const std::string& type = ask.asked.embed->element_type(); !type.empty() && type != "float") {
    return FieldError(ErrorClass::kUnsupportedField, "element_type", "the mock embeds as floats");
  }
  const v1::EmbedRequest& request = *ask.asked.embed;
  auto response = std::make_unique<v1::EmbedResponse>();
  response->set_model(ask.candidate->model);
  const int dimensions = request.has_dimensions() ? request.dimensions() : kMockDimensions;
  if (dimensions < 1 || dimensions > kMaxMockDimensions) {
    return FieldError(ErrorClass::kInvalidRequest, "dimensions",
                      absl::StrCat("dimensions is 1 to ", kMaxMockDimensions));
  }
  size_t words = 0;
  for (const v1::EmbedInput& input : request.inputs()) {
    const std::string text = TextOf(input);
    words += MockWords(text).size();
    AddVector(text, dimensions, response->add_embeddings());
  }
  v1::Usage usage;
  usage.set_input_tokens(static_cast<int>(words));
  usage.set_total_tokens(static_cast<int>(words));
  *response->mutable_usage() = usage;
  return NewMockWhole(ask, std::move(response), usage, FaultOf(Find(ask.candidate->model, "")),
                      Pace());
}

absl::StatusOr<std::unique_ptr<Answer>> MockProvider::StartCount(const Ask& ask) const {
  const v1::CountTokensRequest& request = *ask.asked.count;
  auto response = std::make_unique<v1::CountTokensResponse>();
  int words = static_cast<int>(MockWords(request.text()).size());
  for (const v1::Message& message : request.chat().messages()) {
    int of_message = 0;
    for (const v1::Part& part : message.parts()) {
      of_message += static_cast<int>(MockWords(part.text()).size());
    }
    response->add_tokens_by_message(of_message);
    words += of_message;
  }
  response->set_tokens(words);
  response->set_lower_bound(words);
  response->set_upper_bound(words);
  response->set_accuracy(v1::CountTokensResponse::ACCURACY_EXACT);
  response->set_method("mock words");
  return NewMockWhole(ask, std::move(response), v1::Usage(),
                      FaultOf(Find(ask.candidate->model, "")), Pace());
}

}  // namespace mg
