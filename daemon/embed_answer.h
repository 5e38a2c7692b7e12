// The answer to an Embed over HTTP: its inputs are cut into batches, some of which are under way at
// once; one attempt all the same. It belongs to its attempt and its loop.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "adapters/dialect.h"
#include "daemon/http_answer.h"
#include "daemon/http_provider.h"
#include "daemon/provider.h"

namespace mg {

class EmbedAnswer final : public Answer {
 public:
  // `provider`, `dialect` and what `ask` refers to must outlive it.
  EmbedAnswer(const Ask& ask, const HttpProvider* provider, const Dialect& dialect,
              DialectContext context, std::vector<EmbedBatch> batches,
              std::vector<v1::Warning> warnings);

  Task<absl::StatusOr<State>> Next(Instant until, Cancellation* cancellation,
                                   std::vector<v1::ChatEvent>* events) override;
  std::unique_ptr<google::protobuf::Message> TakeWhole() override { return std::move(response_); }
  std::unique_ptr<Repair> TakeRepair() override { return std::move(repair_); }
  absl::Status End(std::vector<v1::ChatEvent>*) override { return absl::OkStatus(); }
  Task<void> Drain(Instant) override { co_return; }
  const AskOutcome& outcome() const override;

 private:
  // Keeps as many batches under way as may be.
  absl::Status StartBatches();
  // The answer to the oldest batch under way.
  Task<absl::Status> ReadBatch(Instant until, Cancellation* cancellation);

  const Ask ask_;
  const HttpProvider* const provider_;
  const Dialect& dialect_;
  const DialectContext context_;
  const std::vector<EmbedBatch> batches_;
  size_t started_ = 0;
  size_t read_ = 0;
  std::deque<std::unique_ptr<HttpExchange>> under_way_;
  std::string body_;  // of the oldest, so far
  Held held_;
  std::unique_ptr<v1::EmbedResponse> response_ = std::make_unique<v1::EmbedResponse>();
  std::unique_ptr<Repair> repair_;
  bool sent_ = false;
  mutable AskOutcome outcome_;
};

}  // namespace mg
