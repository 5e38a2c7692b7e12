#include "daemon/http_provider.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

// Of an error's body no more is read, nor waited for longer: its status says the most.
constexpr size_t kMaxErrorBody = 256 << 10;
constexpr absl::Duration kErrorBodyTime = absl::Seconds(5);

// What an attempt holds of the bytes that all buffers of the process may have together.
class Held {
 public:
  explicit Held(ByteBudget* budget) : budget_(budget) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    if (budget_ != nullptr) budget_->Release(bytes_);
  }

  void Add(size_t bytes) {
    if (budget_ == nullptr) return;
    budget_->Take(bytes);
    bytes_ += bytes;
  }
  bool too_much() const { return budget_ != nullptr && budget_->used() > budget_->total(); }

 private:
  ByteBudget* const budget_;
  size_t bytes_ = 0;
};

class HttpAnswer final : public Answer {
 public:
  HttpAnswer(const Ask& ask, const Dialect& dialect, DialectContext context,
             std::vector<v1::Warning> warnings, size_t request_bytes,
             std::unique_ptr<HttpExchange> exchange)
      : ask_(ask),
        dialect_(dialect),
        context_(std::move(context)),
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
      // A whole answer is kept until its end; of a stream what awaits the reader is counted there.
      if (!ask_.stream) held_.Add(bytes->size());
      if (held_.too_much()) co_return NoRoom();
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
  static absl::Status NoRoom() {
    v1::ErrorDetail detail;
    detail.set_reason("buffered_bytes");
    detail.mutable_retry_after()->set_seconds(1);
    return MakeError(ErrorClass::kShed, std::move(detail),
                     "the gateway's buffers are full: this answer found no room");
  }

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
  Held held_;
  bool whole_ = false;   // the body was read to its end
  bool silent_ = false;  // the server keeps quiet: its connection is of no further use
  mutable AskOutcome outcome_;
};

// At debug, what goes upstream: where to, under which headers and how much. No value of a header
// and no content.
void LogRequest(const Ask& ask, const HttpRequest& request) {
  if (ask.logger == nullptr || !ask.logger->Enabled(LogLevel::kDebug)) return;
  std::string names;
  for (const HttpHeader& header : request.headers) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", header.name);
  }
  const std::string url = request.url.substr(0, request.url.find('?'));
  ask.logger->Log(LogLevel::kDebug, "upstream.request", "request to a provider",
                  {{"provider", ask.candidate->provider},
                   {"model", ask.candidate->model},
                   {"url", url},
                   {"headers", names},
                   {"bytes", static_cast<int64_t>(request.body.size())}});
}

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
  LogRequest(ask, encoded->http);
  const size_t request_bytes = encoded->http.body.size();
  std::unique_ptr<HttpExchange> exchange =
      ask.http->Start(std::move(encoded->http), endpoint_, ask.connect_timeout);
  return std::make_unique<HttpAnswer>(ask, *adapter_.dialect, std::move(context),
                                      std::move(encoded->warnings), request_bytes,
                                      std::move(exchange));
}

}  // namespace mg
