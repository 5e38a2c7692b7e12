#include "daemon/mock_answer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"

namespace mg {
namespace {

// The HTTP answer that the mock plays, and what a fault with its count of pieces does to it.
class Play {
 public:
  Play(const Ask& ask, MockManner manner)
      : loop_(ask.loop),
        provider_(ask.candidate->provider),
        model_(ask.candidate->model),
        manner_(std::move(manner)) {}

  const MockPace& pace() const { return manner_.pace; }
  const std::string& model() const { return model_; }

  bool Reached(int pieces) const {
    const v1::MockFault& fault = manner_.fault;
    switch (fault.kind_case()) {
      case v1::MockFault::kResetAfter:
        return pieces >= fault.reset_after();
      case v1::MockFault::kStallAfter:
        return pieces >= fault.stall_after();
      case v1::MockFault::kTruncateAfter:
        return pieces >= fault.truncate_after();
      case v1::MockFault::kMalformed:
        return fault.malformed();
      case v1::MockFault::kStatus:
      case v1::MockFault::KIND_NOT_SET:
        return false;
    }
    return false;
  }
  bool Stalls(int pieces) const { return manner_.fault.has_stall_after() && Reached(pieces); }

  // The head of the answer is there; what a provider's answer of this status would have become.
  absl::Status Head(AskOutcome* outcome) const {
    const Dialect& dialect = *FindAdapter("openai")->dialect;
    HttpHead head{manner_.fault.has_status() ? manner_.fault.status() : 200, manner_.headers};
    outcome->http_status = head.status;
    outcome->provider_request_id = dialect.ProviderRequestId(head);
    if (!manner_.fault.has_status()) return absl::OkStatus();
    head.headers.push_back({"content-type", "application/json"});
    const DialectContext context{.provider = provider_, .model = model_};
    return dialect.DecodeError(context, head,
                               R"({"error":{"message":"a fault of the mock, as configured"}})",
                               loop_->WallTime());
  }

  // Of a fault that was reached.
  absl::Status Error(int pieces) const {
    const v1::MockFault& fault = manner_.fault;
    if (fault.has_malformed()) {
      return MakeError(ErrorClass::kMalformed, "the mock's answer is malformed, as configured");
    }
    if (fault.has_truncate_after() && pieces > 0) {
      return MakeError(ErrorClass::kInterrupted,
                       "the mock's answer ends without a finish reason, as configured");
    }
    if (fault.has_truncate_after()) {
      return MakeError(ErrorClass::kEmpty, "the mock's answer is empty, as configured");
    }
    return MakeError(ErrorClass::kReset, "the mock reset the connection, as configured");
  }

 private:
  Loop* const loop_;
  const std::string provider_;
  const std::string model_;
  const MockManner manner_;
};

// An answer to a chat, piece by piece.
class PacedChat : public Answer {
 public:
  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>* events) override {
    const Instant due = play_.Stalls(said_) ? kNever : DueAt();
    const Wake wake = co_await never_.Wait(std::min(due, until), cancellation);
    if (wake == Wake::kCancelled) co_return cancellation->status();
    if (due > until) co_return absl::DeadlineExceededError("until");
    if (!started_) {
      if (absl::Status status = play_.Head(&outcome_); !status.ok()) co_return status;
      started_ = true;
      Begin(events->emplace_back().mutable_started());
      if (stream_) co_return State::kMore;
    }
    while (said_ < pieces() && !play_.Reached(said_)) {
      Say(said_++, events);
      if (stream_) co_return State::kMore;
    }
    if (play_.Reached(said_)) {
      if (play_.Stalls(said_)) co_return State::kMore;
      co_return play_.Error(said_);
    }
    Complete(events);
    co_return State::kDone;
  }

  absl::Status End(std::vector<v1::ChatEvent>*) override { return absl::OkStatus(); }
  Task<void> Drain(Instant) override { co_return; }
  const AskOutcome& outcome() const override { return outcome_; }

 protected:
  PacedChat(const Ask& ask, MockManner manner, std::string id)
      : input_words_(CountInputWords(*ask.asked.chat)),
        play_(ask, std::move(manner)),
        loop_(ask.loop),
        stream_(ask.stream),
        id_(std::move(id)),
        ready_at_(ask.loop->now() + play_.pace().first),
        never_(ask.loop) {
    outcome_.connected = true;
  }

  virtual int pieces() const = 0;
  virtual void Say(int piece, std::vector<v1::ChatEvent>* events) = 0;
  virtual void Complete(std::vector<v1::ChatEvent>* events) = 0;
  virtual void Begin(v1::ChatEvent::Started* started) {
    if (started->id().empty()) started->set_id(id_);
    if (started->model().empty()) started->set_model(play_.model());
    if (!started->has_created()) {
      started->mutable_created()->set_seconds(absl::ToUnixSeconds(loop_->WallTime()));
    }
  }

  const int input_words_;

 private:
  // A whole answer comes when its last piece would have come.
  Instant DueAt() const {
    const int last = std::max(pieces() - 1, 0);
    return ready_at_ + play_.pace().token * (stream_ ? std::min(said_, last) : last);
  }

  const Play play_;
  Loop* const loop_;
  const bool stream_;
  const std::string id_;
  const Instant ready_at_;
  Signal never_;
  int said_ = 0;
  bool started_ = false;
  AskOutcome outcome_;
};

std::string IdOf(absl::string_view text) {
  return absl::StrCat("mock-", absl::Hex(StableHash(text), absl::kZeroPad16));
}

v1::Usage UsageOf(int input_words, int output_words) {
  v1::Usage usage;
  usage.set_input_tokens(input_words);
  usage.set_output_tokens(output_words);
  usage.set_total_tokens(input_words + output_words);
  return usage;
}

// A text, word by word.
class MockText final : public PacedChat {
 public:
  MockText(const Ask& ask, const std::string& text, MockManner manner)
      : PacedChat(ask, std::move(manner), IdOf(text)),
        words_(MockWords(text)),
        limit_(static_cast<int>(words_.size())) {
    const v1::Sampling& sampling = ask.asked.chat->sampling();
    if (sampling.has_max_output_tokens()) {
      limit_ = std::clamp(sampling.max_output_tokens(), 0, limit_);
    }
  }

 private:
  int pieces() const override { return limit_; }

  void Say(int piece, std::vector<v1::ChatEvent>* events) override {
    v1::ChatEvent::Delta* delta = events->emplace_back().mutable_delta();
    delta->mutable_part()->set_text(words_[static_cast<size_t>(piece)]);
  }

  void Complete(std::vector<v1::ChatEvent>* events) override {
    v1::Finish* finish = events->emplace_back().mutable_finished()->mutable_finish();
    const bool cut = limit_ < static_cast<int>(words_.size());
    finish->set_reason(cut ? v1::FINISH_REASON_LENGTH : v1::FINISH_REASON_STOP);
    finish->set_provider_reason(cut ? "length" : "stop");
    *events->emplace_back().mutable_completed()->mutable_usage() = UsageOf(input_words_, limit_);
  }

  const std::vector<std::string> words_;
  int limit_;  // words that max_output_tokens allows
};

// Events that a test wrote down. The pieces are those before the finish reasons.
class MockEvents final : public PacedChat {
 public:
  MockEvents(const Ask& ask, std::vector<v1::ChatEvent> events, MockManner manner)
      : PacedChat(ask, std::move(manner), IdOf(events.back().SerializeAsString())),
        events_(std::move(events)) {
    if (events_.front().has_started()) {
      started_ = events_.front().started();
      events_.erase(events_.begin());
    }
    pieces_ = static_cast<int>(events_.size()) - 1;
    while (pieces_ > 0 && events_[static_cast<size_t>(pieces_) - 1].has_finished()) --pieces_;
  }

 private:
  int pieces() const override { return pieces_; }

  void Begin(v1::ChatEvent::Started* started) override {
    *started = started_;
    PacedChat::Begin(started);
  }

  void Say(int piece, std::vector<v1::ChatEvent>* events) override {
    v1::ChatEvent& event = events_[static_cast<size_t>(piece)];
    words_ += static_cast<int>(MockWords(event.delta().part().text()).size());
    events->push_back(std::move(event));
  }

  void Complete(std::vector<v1::ChatEvent>* events) override {
    v1::ChatEvent::Completed* completed = events_.back().mutable_completed();
    if (!completed->has_usage()) *completed->mutable_usage() = UsageOf(input_words_, words_);
    for (size_t i = static_cast<size_t>(pieces_); i < events_.size(); ++i) {
      events->push_back(std::move(events_[i]));
    }
  }

  v1::ChatEvent::Started started_;
  std::vector<v1::ChatEvent> events_;
  int pieces_ = 0;
  int words_ = 0;
};

// An answer of one message; a fault strikes before it.
class MockWhole final : public Answer {
 public:
  MockWhole(const Ask& ask, std::unique_ptr<google::protobuf::Message> answer, v1::Usage usage,
            MockManner manner)
      : faulty_(manner.fault.kind_case() != v1::MockFault::KIND_NOT_SET),
        play_(ask, std::move(manner)),
        answer_(std::move(answer)),
        ready_at_(ask.loop->now() + play_.pace().first),
        never_(ask.loop) {
    outcome_.usage = std::move(usage);
    outcome_.connected = true;
  }

  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>*) override {
    const Instant due = play_.Stalls(kAll) ? kNever : ready_at_;
    const Wake wake = co_await never_.Wait(std::min(due, until), cancellation);
    if (wake == Wake::kCancelled) co_return cancellation->status();
    if (due > until) co_return absl::DeadlineExceededError("until");
    if (absl::Status status = play_.Head(&outcome_); !status.ok()) co_return status;
    if (faulty_) co_return play_.Error(0);
    co_return State::kDone;
  }

  std::unique_ptr<google::protobuf::Message> TakeWhole() override { return std::move(answer_); }
  absl::Status End(std::vector<v1::ChatEvent>*) override { return absl::OkStatus(); }
  Task<void> Drain(Instant) override { co_return; }
  const AskOutcome& outcome() const override { return outcome_; }

 private:
  // However many pieces a fault counts: this answer is one.
  static constexpr int kAll = std::numeric_limits<int>::max();

  const bool faulty_;
  const Play play_;
  std::unique_ptr<google::protobuf::Message> answer_;
  const Instant ready_at_;
  Signal never_;
  AskOutcome outcome_;
};

}  // namespace

int CountInputWords(const v1::ChatRequest& request) {
  size_t words = 0;
  for (const v1::Message& message : request.messages()) {
    for (const v1::Part& part : message.parts()) words += MockWords(part.text()).size();
  }
  return static_cast<int>(words);
}

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

std::unique_ptr<Answer> NewMockChat(const Ask& ask, const std::string& text, MockManner manner) {
  return std::make_unique<MockText>(ask, text, std::move(manner));
}

std::unique_ptr<Answer> NewMockEvents(const Ask& ask, std::vector<v1::ChatEvent> events,
                                      MockManner manner) {
  MG_CHECK(!events.empty() && events.back().has_completed(), "events of the mock without an end");
  return std::make_unique<MockEvents>(ask, std::move(events), std::move(manner));
}

std::unique_ptr<Answer> NewMockWhole(const Ask& ask,
                                     std::unique_ptr<google::protobuf::Message> answer,
                                     v1::Usage usage, MockManner manner) {
  return std::make_unique<MockWhole>(ask, std::move(answer), std::move(usage), std::move(manner));
}

}  // namespace mg
