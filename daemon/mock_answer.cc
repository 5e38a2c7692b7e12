#include "daemon/mock_answer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "base/error.h"
#include "base/hash.h"

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

int CountInputWords(const v1::ChatRequest& request) {
  size_t words = 0;
  for (const v1::Message& message : request.messages()) {
    for (const v1::Part& part : message.parts()) words += MockWords(part.text()).size();
  }
  return static_cast<int>(words);
}

// The mock's answer, word by word.
class MockAnswer final : public Answer {
 public:
  MockAnswer(const Ask& ask, const std::string& text, const v1::MockFault& fault, MockPace pace)
      : loop_(ask.loop),
        stream_(ask.stream),
        words_(MockWords(text)),
        fault_{fault},
        token_(pace.token),
        input_words_(CountInputWords(*ask.asked.chat)),
        provider_(ask.candidate->provider),
        model_(ask.candidate->model),
        id_(absl::StrCat("mock-", absl::Hex(StableHash(text), absl::kZeroPad16))),
        ready_at_(ask.loop->now() + pace.first),
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
  MockWhole(const Ask& ask, std::unique_ptr<google::protobuf::Message> answer, v1::Usage usage,
            const v1::MockFault& fault, MockPace pace)
      : loop_(ask.loop),
        provider_(ask.candidate->provider),
        model_(ask.candidate->model),
        fault_{fault},
        answer_(std::move(answer)),
        ready_at_(ask.loop->now() + pace.first),
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

std::vector<std::string> MockWords(absl::string_view text) {
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

std::unique_ptr<Answer> NewMockChat(const Ask& ask, const std::string& text,
                                    const v1::MockFault& fault, MockPace pace) {
  return std::make_unique<MockAnswer>(ask, text, fault, pace);
}

std::unique_ptr<Answer> NewMockWhole(const Ask& ask,
                                     std::unique_ptr<google::protobuf::Message> answer,
                                     v1::Usage usage, const v1::MockFault& fault, MockPace pace) {
  return std::make_unique<MockWhole>(ask, std::move(answer), std::move(usage), fault, pace);
}

}  // namespace mg
