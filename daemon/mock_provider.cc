#include "daemon/mock_provider.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "daemon/mock_recording.h"
#include "daemon/mock_script.h"
#include "telemetry/call_record.h"

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

constexpr size_t kMaxSessionName = 128;
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

int DimensionsOf(const v1::EmbedRequest& request) {
  return request.has_dimensions() ? request.dimensions() : kMockDimensions;
}

absl::Status CheckEmbed(const v1::EmbedRequest& request) {
  if (const std::string& type = request.element_type(); !type.empty() && type != "float") {
    return FieldError(ErrorClass::kUnsupportedField, "element_type", "the mock embeds as floats");
  }
  const int dimensions = DimensionsOf(request);
  if (dimensions >= 1 && dimensions <= kMaxMockDimensions) return absl::OkStatus();
  return FieldError(ErrorClass::kInvalidRequest, "dimensions",
                    absl::StrCat("dimensions is 1 to ", kMaxMockDimensions));
}

absl::Status Check(const Asked& asked) {
  if (asked.chat != nullptr) return CheckSchemas(*asked.chat);
  return asked.embed != nullptr ? CheckEmbed(*asked.embed) : absl::OkStatus();
}

std::unique_ptr<Answer> StartChat(const Ask& ask, const MockRules& rules) {
  std::string text = LastUserText(*ask.asked.chat);
  const v1::MockRule* rule = rules.Find(ask.candidate->model, text);
  if (rule != nullptr && rule->reply().has_text()) text = rule->reply().text();
  return NewMockChat(ask, text, rules.MannerOf(rule));
}

std::unique_ptr<Answer> StartEmbed(const Ask& ask, const MockRules& rules) {
  const v1::EmbedRequest& request = *ask.asked.embed;
  auto response = std::make_unique<v1::EmbedResponse>();
  response->set_model(ask.candidate->model);
  size_t words = 0;
  for (const v1::EmbedInput& input : request.inputs()) {
    const std::string text = TextOf(input);
    words += MockWords(text).size();
    AddVector(text, DimensionsOf(request), response->add_embeddings());
  }
  v1::Usage usage;
  usage.set_input_tokens(static_cast<int>(words));
  usage.set_total_tokens(static_cast<int>(words));
  *response->mutable_usage() = usage;
  return NewMockWhole(ask, std::move(response), usage,
                      rules.MannerOf(rules.Find(ask.candidate->model, "")));
}

std::unique_ptr<Answer> StartCount(const Ask& ask, const MockRules& rules) {
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
                      rules.MannerOf(rules.Find(ask.candidate->model, "")));
}

std::unique_ptr<Answer> StartByRules(const Ask& ask, const MockRules& rules) {
  if (ask.asked.embed != nullptr) return StartEmbed(ask, rules);
  return ask.asked.count != nullptr ? StartCount(ask, rules) : StartChat(ask, rules);
}

}  // namespace

MockProvider::MockProvider(std::string name, const v1::MockConfig& config,
                           std::shared_ptr<const MockRules> rules, MockSessions* sessions)
    : name_(std::move(name)),
      models_(config.models().begin(), config.models().end()),
      rules_(std::move(rules)),
      sessions_(sessions) {}

absl::StatusOr<std::unique_ptr<MockProvider>> MockProvider::Create(std::string name,
                                                                   const v1::MockConfig& config,
                                                                   MockSessions* sessions) {
  absl::StatusOr<std::shared_ptr<const MockRules>> rules = MockRules::Compile(config);
  if (!rules.ok()) return rules.status();
  return std::unique_ptr<MockProvider>(
      new MockProvider(std::move(name), config, *std::move(rules), sessions));
}

std::vector<absl::string_view> MockProvider::Capabilities(absl::string_view) const {
  return {"chat",           "stream",      "embed",       "count_tokens", "tools",
          "parallel_tools", "json_object", "json_schema", "image",        "audio",
          "video",          "document",    "reasoning"};
}

absl::StatusOr<std::unique_ptr<Answer>> MockProvider::Start(const Ask& ask) const {
  if (sessions_ != nullptr && ask.record != nullptr) return StartControlled(ask);
  if (absl::Status status = Check(ask.asked); !status.ok()) return status;
  return StartByRules(ask, *rules_);
}

absl::Status MockProvider::Serves(const Ask& ask) const { return Check(ask.asked); }

// Everything that is asked is kept, what is refused too; a refused request spends no scripted
// answer.
absl::StatusOr<std::unique_ptr<Answer>> MockProvider::StartControlled(const Ask& ask) const {
  const std::string& session = ask.record->mock_session;
  if (session.size() > kMaxSessionName) {
    return MakeError(ErrorClass::kInvalidRequest,
                     absl::StrCat("x-modelgateway-mock-session has ", session.size(),
                                  " bytes, more than ", kMaxSessionName));
  }
  const int64_t call = sessions_->Begin(ask);
  if (absl::Status status = Check(ask.asked); !status.ok()) {
    sessions_->End(session, call, KindName(DetailOf(status).kind()), false);
    return status;
  }
  const MockSessions::Turn turn = sessions_->Take(ask);
  const MockRules& rules = turn.rules != nullptr ? *turn.rules : *rules_;
  std::unique_ptr<Answer> answer =
      turn.answer.has_value() ? NewScripted(ask, *turn.answer, rules.MannerOf(nullptr).pace)
                              : StartByRules(ask, rules);
  return NewRecorded(std::move(answer), sessions_, session, call);
}

}  // namespace mg
