#include "daemon/http_answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/sampling_preferences.h"
#include "adapters/sanitize.h"
#include "base/error.h"
#include "base/utf8.h"
#include "daemon/http_provider.h"

namespace mg {
namespace {

// Of an error's body no more is read, nor waited for longer: its status says the most.
constexpr size_t kMaxErrorBody = 256 << 10;
constexpr absl::Duration kErrorBodyTime = absl::Seconds(5);

// Of a bad answer so much is kept for the log, so that a secret at the end of what is told is seen
// whole before it is cut.
constexpr size_t kBeginning = 512;
constexpr size_t kBeginningTold = 200;

// Not a refusal that the provider put into words, and nothing that may quote a key.
bool IsBadAnswer(ErrorClass error_class) {
  return error_class == ErrorClass::kMalformed || error_class == ErrorClass::kEmpty ||
         error_class == ErrorClass::kRedirect || error_class == ErrorClass::kUnknown ||
         error_class == ErrorClass::kServerError || error_class == ErrorClass::kGatewayTimeout ||
         error_class == ErrorClass::kOverload;
}

bool IsLogged(const Ask& ask) {
  return ask.logger != nullptr && ask.logger->Enabled(LogLevel::kDebug);
}

// What a page says that no decoder takes, where somebody wants to know.
Task<void> TellBody(const Ask& ask, HttpExchange* exchange, const absl::Status& status,
                    Instant until, Cancellation* cancellation) {
  if (!IsLogged(ask)) co_return;
  const Instant enough = std::min(until, ask.loop->now() + kErrorBodyTime);
  const absl::StatusOr<std::string> piece = co_await exchange->Read(enough, cancellation);
  if (piece.ok()) TellBadAnswer(ask, *piece, status);
}

class ChatAnswer final : public Answer {
 public:
  ChatAnswer(const Ask& ask, const HttpProvider& provider, std::unique_ptr<ChatCodec> codec,
             std::vector<v1::Warning> warnings, size_t request_bytes,
             std::unique_ptr<HttpExchange> exchange)
      : ask_(ask),
        provider_(provider),
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
      beginning_.Add(*bytes);
      if (absl::Status status = decoder_->Feed(*bytes, events); !status.ok()) {
        beginning_.Tell(status);
        co_return status;
      }
      if (ask_.stream) held_.Set(request_bytes_ + decoder_->kept_bytes());
      if (decoder_->done()) co_return State::kDone;
      co_return decoder_->finished() ? State::kFinished : State::kMore;
    }
    // A reset behind the last finish reason completes the answer as a clean end does.
    const bool reset = !bytes.ok() && ClassOf(bytes.status()) == ErrorClass::kReset;
    if (!bytes.ok() && !(reset && decoder_->finished())) co_return bytes.status();
    whole_ = !reset;
    if (absl::Status status = decoder_->Finish(!reset, events); !status.ok()) {
      beginning_.Tell(status);
      co_return status;
    }
    co_return State::kDone;
  }

  std::unique_ptr<Repair> TakeRepair() override {
    if (std::unique_ptr<v1::ChatRequest> mended = std::move(codec_->failure().repair)) {
      repair_ = std::make_unique<Repair>();
      repair_->request = std::move(mended);
    }
    return std::move(repair_);
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
      absl::Status error = co_await ReadHttpError(ask_, exchange_.get(), codec_->dialect(),
                                                  codec_->context(), **head, until, cancellation);
      ConsiderRepair(**head, error);
      co_return error;
    }
    absl::StatusOr<std::unique_ptr<Decoder>> decoder = codec_->NewDecoder(**head);
    if (!decoder.ok()) {
      co_await TellBody(ask_, exchange_.get(), decoder.status(), until, cancellation);
      co_return decoder.status();
    }
    decoder_ = *std::move(decoder);
    co_return absl::OkStatus();
  }

  // A time that was not believed, or a preference that is not taken: the gateway itself can mend
  // these.
  void ConsiderRepair(const HttpHead& head, const absl::Status& error) {
    if (provider_.LearnsClock(head, error, ask_.loop->WallTime())) {
      repair_ = std::make_unique<Repair>();
      return;
    }
    if (ask_.refuse_unsupported) return;
    v1::Warning warning;
    std::unique_ptr<v1::ChatRequest> rest = WithoutRefused(*ask_.asked.chat, error, &warning);
    if (rest == nullptr) return;
    repair_ = std::make_unique<Repair>();
    repair_->request = std::move(rest);
    repair_->warnings.push_back(std::move(warning));
  }

  const Ask ask_;
  const HttpProvider& provider_;
  Beginning beginning_{ask_};
  std::unique_ptr<Repair> repair_;
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

void TellBadAnswer(const Ask& ask, absl::string_view body, const absl::Status& status) {
  if (!IsLogged(ask) || !IsBadAnswer(ClassOf(status))) return;
  const std::string said = SanitizeText(body.substr(0, kBeginning));
  ask.logger->Log(LogLevel::kDebug, "upstream.bad_answer", "an answer of no known shape",
                  {{"provider", ask.candidate->provider},
                   {"model", ask.candidate->model},
                   {"class", RuleOf(ClassOf(status)).name},
                   {"beginning", CutUtf8(said, kBeginningTold)}});
}

void Beginning::Add(absl::string_view bytes) {
  if (!IsLogged(ask_) || bytes_.size() >= kBeginning) return;
  absl::StrAppend(&bytes_, bytes.substr(0, kBeginning - bytes_.size()));
}

Task<absl::Status> ReadHttpError(const Ask& ask, HttpExchange* exchange, const Dialect& dialect,
                                 const DialectContext& context, const HttpHead& head, Instant until,
                                 Cancellation* cancellation) {
  const Instant enough = std::min(until, ask.loop->now() + kErrorBodyTime);
  std::string body;
  while (body.size() < kMaxErrorBody) {
    absl::StatusOr<std::string> piece = co_await exchange->Read(enough, cancellation);
    if (!piece.ok() && cancellation->cancelled()) co_return cancellation->status();
    if (!piece.ok() || piece->empty()) break;
    body.append(*piece);
  }
  absl::Status status = dialect.DecodeError(context, head, body, ask.loop->WallTime());
  TellBadAnswer(ask, body, status);
  co_return status;
}

std::unique_ptr<Answer> NewChatAnswer(const Ask& ask, const HttpProvider& provider,
                                      std::unique_ptr<ChatCodec> codec,
                                      std::vector<v1::Warning> warnings, size_t request_bytes,
                                      std::unique_ptr<HttpExchange> exchange) {
  return std::make_unique<ChatAnswer>(ask, provider, std::move(codec), std::move(warnings),
                                      request_bytes, std::move(exchange));
}

}  // namespace mg
