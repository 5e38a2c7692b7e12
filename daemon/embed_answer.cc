#include "daemon/embed_answer.h"

#include <utility>

#include "base/error.h"

namespace mg {
namespace {

constexpr size_t kBatchesAtOnce = 8;
constexpr size_t kMaxBody = 64 << 20;

}  // namespace

EmbedAnswer::EmbedAnswer(const Ask& ask, const HttpProvider* provider, const Dialect& dialect,
                         DialectContext context, std::vector<EmbedBatch> batches,
                         std::vector<v1::Warning> warnings)
    : ask_(ask),
      provider_(provider),
      dialect_(dialect),
      context_(std::move(context)),
      batches_(std::move(batches)),
      held_(ask.budget) {
  outcome_.warnings = std::move(warnings);
}

Task<absl::StatusOr<Answer::State>> EmbedAnswer::Next(Instant until, Cancellation* cancellation,
                                                      std::vector<v1::ChatEvent>*) {
  while (read_ < batches_.size()) {
    if (absl::Status status = StartBatches(); !status.ok()) co_return status;
    absl::Status status = co_await ReadBatch(until, cancellation);
    if (!status.ok()) co_return status;
  }
  outcome_.usage = response_->usage();
  co_return State::kDone;
}

absl::Status EmbedAnswer::StartBatches() {
  while (started_ < batches_.size() && under_way_.size() < kBatchesAtOnce) {
    absl::StatusOr<EncodedRequest> encoded =
        dialect_.EncodeEmbed(*ask_.asked.embed, context_, batches_[started_]);
    if (!encoded.ok()) return encoded.status();
    const size_t bytes = encoded->http.body.size();
    absl::StatusOr<std::unique_ptr<HttpExchange>> exchange =
        provider_->Send(ask_, std::move(encoded->http));
    if (!exchange.ok()) return exchange.status();
    held_.Add(bytes);
    under_way_.push_back(*std::move(exchange));
    ++started_;
  }
  return absl::OkStatus();
}

Task<absl::Status> EmbedAnswer::ReadBatch(Instant until, Cancellation* cancellation) {
  HttpExchange* const exchange = under_way_.front().get();
  absl::StatusOr<const HttpHead*> head = co_await exchange->Head(until, cancellation);
  if (!head.ok()) co_return head.status();
  outcome_.http_status = (*head)->status;
  outcome_.provider_request_id = dialect_.ProviderRequestId(**head);
  if ((*head)->status < 200 || (*head)->status > 299) {
    absl::Status error =
        co_await ReadHttpError(ask_, exchange, dialect_, context_, **head, until, cancellation);
    if (provider_->LearnsClock(**head, error, ask_.loop->WallTime())) {
      repair_ = std::make_unique<Repair>();
    }
    co_return error;
  }
  // Kept over a clock that came first: the answer stays usable.
  while (true) {
    absl::StatusOr<std::string> piece = co_await exchange->Read(until, cancellation);
    if (!piece.ok()) co_return piece.status();
    if (piece->empty()) break;
    held_.Add(piece->size());
    if (held_.too_much()) co_return Held::NoRoom("this answer");
    body_.append(*piece);
    if (body_.size() > kMaxBody) {
      co_return MakeError(ErrorClass::kMalformed, "the provider's answer is larger than 64 MiB");
    }
  }
  absl::Status decoded = dialect_.DecodeEmbed(context_, batches_[read_], body_, response_.get());
  if (!decoded.ok()) {
    TellBadAnswer(ask_, body_, decoded);
    co_return decoded;
  }
  dialect_.AddEmbedUsage(context_, **head, body_, response_.get());
  body_.clear();
  under_way_.pop_front();
  ++read_;
  sent_ = true;
  co_return absl::OkStatus();
}

const AskOutcome& EmbedAnswer::outcome() const {
  outcome_.connected = sent_ || (!under_way_.empty() && under_way_.front()->sent());
  return outcome_;
}

}  // namespace mg
