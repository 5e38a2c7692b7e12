#include "daemon/mock_provider.h"

#include <fnmatch.h>
#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "daemon/config/effective.h"

namespace mg {
namespace {

// What a fault with its count of deltas does to the answer.
struct Fault {
  v1::MockFault config;

  bool Reached(int deltas) const {
    switch (config.kind_case()) {
      case v1::MockFault::kResetAfter:
        return deltas >= config.reset_after();
      case v1::MockFault::kStallAfter:
        return deltas >= config.stall_after();
      case v1::MockFault::kTruncateAfter:
        return deltas >= config.truncate_after();
      case v1::MockFault::kMalformed:
        return config.malformed();
      case v1::MockFault::kStatus:
      case v1::MockFault::KIND_NOT_SET:
        return false;
    }
    return false;
  }

  // What a provider's answer of this status would have become.
  absl::Status StatusError(const std::string& provider, const std::string& model,
                           absl::Time wall_now) const {
    const HttpHead head{config.status(), {{"content-type", "application/json"}}};
    const DialectContext context{.provider = provider, .model = model};
    return FindAdapter("openai")->dialect->DecodeError(
        context, head, R"({"error":{"message":"a fault of the mock, as configured"}})", wall_now);
  }

  absl::Status Error(int deltas) const {
    if (config.has_malformed()) {
      return MakeError(ErrorClass::kMalformed, "the mock's answer is malformed, as configured");
    }
    if (config.has_truncate_after() && deltas > 0) {
      return MakeError(ErrorClass::kInterrupted,
                       "the mock's answer ends without a finish reason, as configured");
    }
    if (config.has_truncate_after()) {
      return MakeError(ErrorClass::kEmpty, "the mock's answer is empty, as configured");
    }
    return MakeError(ErrorClass::kReset, "the mock reset the connection, as configured");
  }
};

// Words with the white space behind them, so that they add up to the text.
std::vector<std::string> WordsOf(absl::string_view text) {
  std::vector<std::string> words;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && absl::ascii_isspace(static_cast<unsigned char>(text[end]))) ++end;
    while (end < text.size() && !absl::ascii_isspace(static_cast<unsigned char>(text[end]))) ++end;
    while (end < text.size() && absl::ascii_isspace(static_cast<unsigned char>(text[end]))) ++end;
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

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

int CountInputWords(const v1::ChatRequest& request) {
  size_t words = 0;
  for (const v1::Message& message : request.messages()) {
    for (const v1::Part& part : message.parts()) words += WordsOf(part.text()).size();
  }
  return static_cast<int>(words);
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

// The mock's answer, word by word.
class MockAnswer final : public Answer {
 public:
  MockAnswer(const Ask& ask, const std::string& text, Fault fault, absl::Duration first,
             absl::Duration token)
      : loop_(ask.loop),
        stream_(ask.stream),
        words_(WordsOf(text)),
        fault_(std::move(fault)),
        first_(first),
        token_(token),
        input_words_(CountInputWords(*ask.asked.chat)),
        provider_(ask.candidate->provider),
        model_(ask.candidate->model),
        id_(absl::StrCat("mock-", absl::Hex(StableHash(text), absl::kZeroPad16))),
        ready_at_(ask.loop->now() + first),
        never_(ask.loop) {
    limit_ = static_cast<int>(words_.size());
    if (const int64_t asked = ask.asked.chat->sampling().max_output_tokens();
        ask.asked.chat->sampling().has_max_output_tokens() && asked < limit_) {
      limit_ = static_cast<int>(asked);
    }
    outcome_.connected = true;
  }

  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>* events) override {
    const Instant due = fault_.Reached(said_) && fault_.config.has_stall_after() ? kNever : DueAt();
    const Wake wake = co_await never_.Wait(std::min(due, until), cancellation);
    if (wake == Wake::kCancelled) co_return cancellation->status();
    if (due > until) co_return absl::DeadlineExceededError("until");
    if (fault_.config.has_status()) {
      outcome_.http_status = fault_.config.status();
      co_return fault_.StatusError(provider_, model_, loop_->WallTime());
    }
    outcome_.http_status = 200;
    if (!started_) {
      Start(events);
      if (stream_) co_return State::kMore;
    }
    while (said_ < limit_ && !fault_.Reached(said_)) {
      Say(events);
      if (stream_) co_return State::kMore;
    }
    if (fault_.Reached(said_)) {
      if (fault_.config.has_stall_after()) co_return State::kMore;
      co_return fault_.Error(said_);
    }
    Complete(events);
    co_return State::kDone;
  }

  absl::Status End(std::vector<v1::ChatEvent>*) override { return absl::OkStatus(); }
  Task<void> Drain(Instant) override { co_return; }
  const AskOutcome& outcome() const override { return outcome_; }

 private:
  // A whole answer comes when its last word would have come.
  Instant DueAt() const {
    const int last = std::max(limit_ - 1, 0);
    return ready_at_ + token_ * (stream_ ? std::min(said_, last) : last);
  }

  void Start(std::vector<v1::ChatEvent>* events) {
    started_ = true;
    v1::ChatEvent::Started* started = events->emplace_back().mutable_started();
    started->set_id(id_);
    started->set_model(model_);
    started->mutable_created()->set_seconds(absl::ToUnixSeconds(loop_->WallTime()));
  }

  void Say(std::vector<v1::ChatEvent>* events) {
    v1::ChatEvent::Delta* delta = events->emplace_back().mutable_delta();
    delta->mutable_part()->set_text(words_[static_cast<size_t>(said_)]);
    ++said_;
  }

  void Complete(std::vector<v1::ChatEvent>* events) const {
    v1::Finish* finish = events->emplace_back().mutable_finished()->mutable_finish();
    const bool cut = limit_ < static_cast<int>(words_.size());
    finish->set_reason(cut ? v1::FINISH_REASON_LENGTH : v1::FINISH_REASON_STOP);
    finish->set_provider_reason(cut ? "length" : "stop");
    v1::Usage* usage = events->emplace_back().mutable_completed()->mutable_usage();
    usage->set_input_tokens(input_words_);
    usage->set_output_tokens(said_);
    usage->set_total_tokens(input_words_ + said_);
  }

  Loop* const loop_;
  const bool stream_;
  const std::vector<std::string> words_;
  const Fault fault_;
  const absl::Duration first_;
  const absl::Duration token_;
  const int input_words_;
  const std::string provider_;
  const std::string model_;
  const std::string id_;
  const Instant ready_at_;
  Signal never_;
  int limit_ = 0;  // words that max_output_tokens allows
  int said_ = 0;
  bool started_ = false;
  AskOutcome outcome_;
};

// An answer of one message; a fault strikes before it.
class MockWhole final : public Answer {
 public:
  MockWhole(const Ask& ask, const v1::MockFault& fault,
            std::unique_ptr<google::protobuf::Message> answer, v1::Usage usage,
            absl::Duration latency)
      : loop_(ask.loop),
        provider_(ask.candidate->provider),
        model_(ask.candidate->model),
        fault_{fault},
        answer_(std::move(answer)),
        ready_at_(ask.loop->now() + latency),
        never_(ask.loop) {
    outcome_.usage = std::move(usage);
    outcome_.connected = true;
  }

  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>*) override {
    const bool stalls = fault_.config.has_stall_after();
    const Instant due = stalls ? kNever : ready_at_;
    const Wake wake = co_await never_.Wait(std::min(due, until), cancellation);
    if (wake == Wake::kCancelled) co_return cancellation->status();
    if (due > until) co_return absl::DeadlineExceededError("until");
    if (fault_.config.has_status()) {
      outcome_.http_status = fault_.config.status();
      co_return fault_.StatusError(provider_, model_, loop_->WallTime());
    }
    if (fault_.config.kind_case() != v1::MockFault::KIND_NOT_SET) co_return fault_.Error(0);
    outcome_.http_status = 200;
    co_return State::kDone;
  }

  std::unique_ptr<google::protobuf::Message> TakeWhole() override { return std::move(answer_); }
  absl::Status End(std::vector<v1::ChatEvent>*) override { return absl::OkStatus(); }
  Task<void> Drain(Instant) override { co_return; }
  const AskOutcome& outcome() const override { return outcome_; }

 private:
  Loop* const loop_;
  const std::string provider_;
  const std::string model_;
  const Fault fault_;
  std::unique_ptr<google::protobuf::Message> answer_;
  const Instant ready_at_;
  Signal never_;
  AskOutcome outcome_;
};

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

const v1::MockFault& MockProvider::FaultFor(absl::string_view model, absl::string_view text) const {
  const Rule* rule = Find(model, text);
  return rule != nullptr && rule->config.has_fault() ? rule->config.fault() : config_.fault();
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
  Fault fault{FaultFor(ask.candidate->model, text)};
  const Rule* rule = Find(ask.candidate->model, text);
  if (rule != nullptr && rule->config.reply().has_text()) text = rule->config.reply().text();
  const v1::MockLatency latency = LatencyOf(config_);
  return std::make_unique<MockAnswer>(ask, text, std::move(fault), ToDuration(latency.first()),
                                      ToDuration(latency.token()));
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
    words += WordsOf(text).size();
    AddVector(text, dimensions, response->add_embeddings());
  }
  v1::Usage usage;
  usage.set_input_tokens(static_cast<int>(words));
  usage.set_total_tokens(static_cast<int>(words));
  *response->mutable_usage() = usage;
  return std::make_unique<MockWhole>(ask, FaultFor(ask.candidate->model, ""), std::move(response),
                                     usage, ToDuration(LatencyOf(config_).first()));
}

absl::StatusOr<std::unique_ptr<Answer>> MockProvider::StartCount(const Ask& ask) const {
  const v1::CountTokensRequest& request = *ask.asked.count;
  auto response = std::make_unique<v1::CountTokensResponse>();
  int words = static_cast<int>(WordsOf(request.text()).size());
  for (const v1::Message& message : request.chat().messages()) {
    int of_message = 0;
    for (const v1::Part& part : message.parts()) {
      of_message += static_cast<int>(WordsOf(part.text()).size());
    }
    response->add_tokens_by_message(of_message);
    words += of_message;
  }
  response->set_tokens(words);
  response->set_lower_bound(words);
  response->set_upper_bound(words);
  response->set_accuracy(v1::CountTokensResponse::ACCURACY_EXACT);
  response->set_method("mock words");
  return std::make_unique<MockWhole>(ask, FaultFor(ask.candidate->model, ""), std::move(response),
                                     v1::Usage(), ToDuration(LatencyOf(config_).first()));
}

}  // namespace mg
