#include "daemon/http_answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

// Of an error's body no more is read, nor waited for longer: its status says the most.
constexpr size_t kMaxErrorBody = 256 << 10;
constexpr absl::Duration kErrorBodyTime = absl::Seconds(5);

class ChatAnswer final : public Answer {
 public:
  ChatAnswer(const Ask& ask, std::unique_ptr<ChatCodec> codec, std::vector<v1::Warning> warnings,
             size_t request_bytes, std::unique_ptr<HttpExchange> exchange)
      : ask_(ask),
        codec_(std::move(codec)),
        request_bytes_(request_bytes),
        exchange_(std::move(exchange)),
        held_(ask.budget) {
    held_.Add(request_bytes);
    outcome_.warnings = std::move(warnings);
  }

  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>* events) override {
    if (decoder_ == nullptr) {
      absl::Status status = co_await ReadHead(until, cancellation);
      if (!status.ok()) co_return status;
      co_return State::kMore;
    }
    absl::StatusOr<std::string> bytes = co_await exchange_->Read(until, cancellation);
    if (bytes.ok() && !bytes->empty()) {
      // A whole answer is kept until its end; of a stream what is no event yet, as what awaits the
      // reader is counted there.
      if (!ask_.stream) held_.Add(bytes->size());
      if (held_.too_much()) co_return Held::NoRoom("this answer");
      if (absl::Status status = decoder_->Feed(*bytes, events); !status.ok()) co_return status;
      if (ask_.stream) held_.Set(request_bytes_ + decoder_->kept_bytes());
      if (decoder_->done()) co_return State::kDone;
      co_return decoder_->finished() ? State::kFinished : State::kMore;
    }
    // A reset behind the last finish reason completes the answer as a clean end does.
    const bool reset = !bytes.ok() && ClassOf(bytes.status()) == ErrorClass::kReset;
    if (!bytes.ok() && !(reset && decoder_->finished())) co_return bytes.status();
    whole_ = !reset;
    if (absl::Status status = decoder_->Finish(!reset, events); !status.ok()) co_return status;
    co_return State::kDone;
  }

  std::unique_ptr<v1::ChatRequest> TakeRepair() override {
    return std::move(codec_->failure().repair);
  }

  absl::Status End(std::vector<v1::ChatEvent>* events) override {
    silent_ = true;
    return decoder_->Finish(false, events);
  }

  Task<void> Drain(Instant until) override {
    if (whole_ || silent_) co_return;
    while (true) {
      absl::StatusOr<std::string> rest = co_await exchange_->Read(until, nullptr);
      if (!rest.ok() || rest->empty()) co_return;
    }
  }

  const AskOutcome& outcome() const override {
    outcome_.connected = exchange_->sent();
    outcome_.usage = codec_->failure().usage;
    return outcome_;
  }

 private:
  Task<absl::Status> ReadHead(Instant until, Cancellation* cancellation) {
    absl::StatusOr<const HttpHead*> head = co_await exchange_->Head(until, cancellation);
    if (!head.ok()) co_return head.status();
    outcome_.http_status = (*head)->status;
    outcome_.provider_request_id = codec_->dialect().ProviderRequestId(**head);
    if ((*head)->status < 200 || (*head)->status > 299) {
      co_return co_await ReadHttpError(exchange_.get(), codec_->dialect(), codec_->context(),
                                       **head, until, cancellation, ask_.loop);
    }
    absl::StatusOr<std::unique_ptr<Decoder>> decoder = codec_->NewDecoder(**head);
    if (!decoder.ok()) co_return decoder.status();
    decoder_ = *std::move(decoder);
    co_return absl::OkStatus();
  }

  const Ask ask_;
  const std::unique_ptr<ChatCodec> codec_;
  const size_t request_bytes_;
  const std::unique_ptr<HttpExchange> exchange_;
  std::unique_ptr<Decoder> decoder_;
  Held held_;
  bool whole_ = false;   // the body was read to its end
  bool silent_ = false;  // the server keeps quiet: its connection is of no further use
  mutable AskOutcome outcome_;
};

}  // namespace

Held::~Held() { Set(0); }

void Held::Set(size_t bytes) {
  if (budget_ == nullptr || bytes == bytes_) return;
  if (bytes > bytes_) {
    budget_->Take(bytes - bytes_);
  } else {
    budget_->GiveBack(bytes_ - bytes);
  }
  bytes_ = bytes;
}

bool Held::too_much() const {
  return budget_ != nullptr && bytes_ > ByteBudget::kSmallShare && budget_->crowded();
}

absl::Status Held::NoRoom(absl::string_view what) {
  v1::ErrorDetail detail;
  detail.set_reason("buffered_bytes");
  detail.mutable_retry_after()->set_seconds(1);
  return MakeError(ErrorClass::kShed, std::move(detail),
                   absl::StrCat("the gateway's buffers are full: ", what, " found no room"));
}

Task<absl::Status> ReadHttpError(HttpExchange* exchange, const Dialect& dialect,
                                 const DialectContext& context, const HttpHead& head, Instant until,
                                 Cancellation* cancellation, Loop* loop) {
  const Instant enough = std::min(until, loop->now() + kErrorBodyTime);
  std::string body;
  while (body.size() < kMaxErrorBody) {
    absl::StatusOr<std::string> piece = co_await exchange->Read(enough, cancellation);
    if (!piece.ok() && cancellation->cancelled()) co_return cancellation->status();
    if (!piece.ok() || piece->empty()) break;
    body.append(*piece);
  }
  co_return dialect.DecodeError(context, head, body, loop->WallTime());
}

std::unique_ptr<Answer> NewChatAnswer(const Ask& ask, std::unique_ptr<ChatCodec> codec,
                                      std::vector<v1::Warning> warnings, size_t request_bytes,
                                      std::unique_ptr<HttpExchange> exchange) {
  return std::make_unique<ChatAnswer>(ask, std::move(codec), std::move(warnings), request_bytes,
                                      std::move(exchange));
}

}  // namespace mg
