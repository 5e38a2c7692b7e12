#include "daemon/count_answer.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "daemon/http_answer.h"
#include "daemon/http_provider.h"

namespace mg {
namespace {

constexpr size_t kMaxBody = 1 << 20;

class CountAnswer final : public Answer {
 public:
  CountAnswer(const Ask& ask, const HttpProvider& provider, const Dialect& dialect,
              DialectContext context, std::vector<v1::Warning> warnings,
              std::unique_ptr<HttpExchange> exchange)
      : ask_(ask),
        provider_(provider),
        dialect_(dialect),
        context_(std::move(context)),
        exchange_(std::move(exchange)) {
    outcome_.warnings = std::move(warnings);
  }

  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>*) override {
    absl::StatusOr<const HttpHead*> head = co_await exchange_->Head(until, cancellation);
    if (!head.ok()) co_return head.status();
    outcome_.http_status = (*head)->status;
    outcome_.provider_request_id = dialect_.ProviderRequestId(**head);
    if ((*head)->status < 200 || (*head)->status > 299) {
      absl::Status error = co_await ReadHttpError(ask_, exchange_.get(), dialect_, context_, **head,
                                                  until, cancellation);
      if (provider_.LearnsClock(**head, error, ask_.loop->WallTime())) {
        repair_ = std::make_unique<Repair>();
      }
      co_return error;
    }
    // Kept over a clock that came first: the answer stays usable.
    while (true) {
      absl::StatusOr<std::string> piece = co_await exchange_->Read(until, cancellation);
      if (!piece.ok()) co_return piece.status();
      if (piece->empty()) break;
      body_.append(*piece);
      if (body_.size() > kMaxBody) {
        co_return MakeError(ErrorClass::kMalformed, "the provider's count is larger than 1 MiB");
      }
    }
    absl::Status status = dialect_.DecodeCount(context_, body_, response_.get());
    if (!status.ok()) {
      TellBadAnswer(ask_, body_, status);
      co_return status;
    }
    co_return State::kDone;
  }

  std::unique_ptr<Repair> TakeRepair() override { return std::move(repair_); }

  std::unique_ptr<google::protobuf::Message> TakeWhole() override { return std::move(response_); }
  absl::Status End(std::vector<v1::ChatEvent>*) override { return absl::OkStatus(); }
  Task<void> Drain(Instant) override { co_return; }

  const AskOutcome& outcome() const override {
    outcome_.connected = exchange_->sent();
    return outcome_;
  }

 private:
  const Ask ask_;
  const HttpProvider& provider_;
  const Dialect& dialect_;
  const DialectContext context_;
  const std::unique_ptr<HttpExchange> exchange_;
  std::string body_;
  std::unique_ptr<Repair> repair_;
  std::unique_ptr<v1::CountTokensResponse> response_ = std::make_unique<v1::CountTokensResponse>();
  mutable AskOutcome outcome_;
};

}  // namespace

std::unique_ptr<Answer> NewCountAnswer(const Ask& ask, const HttpProvider& provider,
                                       const Dialect& dialect, DialectContext context,
                                       std::vector<v1::Warning> warnings,
                                       std::unique_ptr<HttpExchange> exchange) {
  return std::make_unique<CountAnswer>(ask, provider, dialect, std::move(context),
                                       std::move(warnings), std::move(exchange));
}

}  // namespace mg
