#include "daemon/http_provider.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"

namespace mg {
namespace {

// Of an error's body no more is read, nor waited for longer: its status says the most.
constexpr size_t kMaxErrorBody = 256 << 10;
constexpr absl::Duration kErrorBodyTime = absl::Seconds(5);

class HttpAnswer final : public Answer {
 public:
  HttpAnswer(const Ask& ask, const Dialect& dialect, DialectContext context,
             std::vector<v1::Warning> warnings, std::unique_ptr<HttpExchange> exchange)
      : ask_(ask), dialect_(dialect), context_(std::move(context)), exchange_(std::move(exchange)) {
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
      if (absl::Status status = decoder_->Feed(*bytes, events); !status.ok()) co_return status;
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
    return outcome_;
  }

 private:
  Task<absl::Status> ReadHead(Instant until, Cancellation* cancellation) {
    absl::StatusOr<const HttpHead*> head = co_await exchange_->Head(until, cancellation);
    if (!head.ok()) co_return head.status();
    outcome_.http_status = (*head)->status;
    outcome_.provider_request_id = dialect_.ProviderRequestId(**head);
    if ((*head)->status < 200 || (*head)->status > 299) {
      co_return co_await ReadError(**head, until, cancellation);
    }
    absl::StatusOr<std::unique_ptr<Decoder>> decoder =
        dialect_.NewChatDecoder(*ask_.chat, context_, **head);
    if (!decoder.ok()) co_return decoder.status();
    decoder_ = *std::move(decoder);
    co_return absl::OkStatus();
  }

  Task<absl::Status> ReadError(const HttpHead& head, Instant until, Cancellation* cancellation) {
    const Instant enough = std::min(until, ask_.loop->now() + kErrorBodyTime);
    std::string body;
    while (body.size() < kMaxErrorBody) {
      absl::StatusOr<std::string> piece = co_await exchange_->Read(enough, cancellation);
      if (!piece.ok() && cancellation->cancelled()) co_return cancellation->status();
      if (!piece.ok() || piece->empty()) break;
      body.append(*piece);
    }
    co_return dialect_.DecodeError(context_, head, body, ask_.loop->WallTime());
  }

  const Ask ask_;
  const Dialect& dialect_;
  const DialectContext context_;
  const std::unique_ptr<HttpExchange> exchange_;
  std::unique_ptr<Decoder> decoder_;
  bool whole_ = false;   // the body was read to its end
  bool silent_ = false;  // the server keeps quiet: its connection is of no further use
  mutable AskOutcome outcome_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Answer>> HttpProvider::Start(const Ask& ask) const {
  DialectContext context;
  context.provider = name_;
  context.model = ask.candidate->model;
  context.compatible = adapter_.compatible;
  context.refuse_unsupported = ask.refuse_unsupported;
  context.google_compatible = google_compatible_;
  absl::StatusOr<EncodedRequest> encoded =
      adapter_.dialect->EncodeChat(*ask.chat, context, ask.stream);
  if (!encoded.ok()) return encoded.status();
  adapter_.platform->Prepare(platform_, key_, ask.loop->WallTime(), &encoded->http);
  std::unique_ptr<HttpExchange> exchange =
      ask.http->Start(std::move(encoded->http), endpoint_, ask.connect_timeout);
  return std::make_unique<HttpAnswer>(ask, *adapter_.dialect, std::move(context),
                                      std::move(encoded->warnings), std::move(exchange));
}

}  // namespace mg
