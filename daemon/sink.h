// Where the events of a call go. A sink sees the events of one attempt after the other; what a
// failed attempt said is forgotten (Reset) as long as the sink is not committed, and nothing is
// repeated once it is.
//
// Unary and streaming calls differ in the sink alone: CollectSink folds the events and commits with
// the whole answer; StreamSink holds the preamble back and commits at the first content
// (spec/resilience.md §2.5).
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "adapters/fold.h"
#include "daemon/byte_budget.h"
#include "daemon/rpc.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

// Whether an event bears content: a piece of any part, or a finish. A role, an empty string, usage
// or provider_state alone do not.
bool BearsContent(const v1::ChatEvent& event);

class Sink {
 public:
  virtual ~Sink() = default;
  // The next event of the running attempt. kSlowReader: the caller does not keep up and the call
  // ends; kMalformed: the preamble grows beyond all bounds.
  virtual absl::Status Take(v1::ChatEvent event) = 0;
  // The whole answer of an operation that has no events.
  virtual void TakeWhole(std::unique_ptr<google::protobuf::Message> answer);
  virtual bool committed() const = 0;
  // The attempt failed before the commit: forget what it said.
  virtual void Reset() = 0;
};

class CollectSink final : public Sink {
 public:
  absl::Status Take(v1::ChatEvent event) override;
  bool committed() const override { return complete_; }
  void Reset() override;

  // The whole answer, once committed.
  v1::ChatResponse TakeResponse() { return fold_.Take(); }

 private:
  ChatFold fold_;
  bool complete_ = false;
};

// For operations whose answer is one message.
class WholeSink final : public Sink {
 public:
  absl::Status Take(v1::ChatEvent event) override;
  void TakeWhole(std::unique_ptr<google::protobuf::Message> answer) override {
    answer_ = std::move(answer);
  }
  bool committed() const override { return answer_ != nullptr; }
  void Reset() override {}

  // Once committed.
  google::protobuf::Message* answer() { return answer_.get(); }

 private:
  std::unique_ptr<google::protobuf::Message> answer_;
};

class StreamSink final : public Sink {
 public:
  // `rpc` must outlive the sink, and `budget` (of which it knows whether it is crowded; null:
  // there is none). `call_buffer`: bytes that may await the reader.
  StreamSink(Rpc* rpc, size_t call_buffer, const ByteBudget* budget)
      : rpc_(rpc), call_buffer_(call_buffer), budget_(budget) {}

  absl::Status Take(v1::ChatEvent event) override;
  bool committed() const override { return committed_; }
  void Reset() override;

 private:
  absl::Status Hold(v1::ChatEvent event);
  absl::Status Forward(const v1::ChatEvent& event);

  Rpc* const rpc_;
  const size_t call_buffer_;
  const ByteBudget* const budget_;
  bool committed_ = false;
  std::vector<v1::ChatEvent> preamble_;
  size_t preamble_bytes_ = 0;
};

}  // namespace mg
