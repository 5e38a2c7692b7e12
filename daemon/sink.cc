#include "daemon/sink.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"

namespace mg {
namespace {

constexpr size_t kMaxPreambleBytes = 64 << 10;
constexpr size_t kMaxPreambleEvents = 32;

bool MediaBearsContent(const v1::Media& media) {
  return !media.data().empty() || !media.uri().empty() || !media.file_id().empty() ||
         !media.transcript().empty();
}

bool PartBearsContent(const v1::Part& part) {
  switch (part.kind_case()) {
    case v1::Part::kText:
      return !part.text().empty();
    case v1::Part::kRefusal:
      return !part.refusal().empty();
    case v1::Part::kReasoning:
      return !part.reasoning().text().empty() || part.reasoning().redacted();
    case v1::Part::kImage:
      return MediaBearsContent(part.image());
    case v1::Part::kAudio:
      return MediaBearsContent(part.audio());
    case v1::Part::kVideo:
      return MediaBearsContent(part.video());
    case v1::Part::kDocument:
      return MediaBearsContent(part.document());
    case v1::Part::kToolCall:
    case v1::Part::kToolResult:
    case v1::Part::kProviderPart:
      return true;
    case v1::Part::KIND_NOT_SET:
      return part.citations_size() > 0;
  }
  return false;
}

absl::Status TooSlow(absl::string_view limit) {
  v1::ErrorDetail detail;
  detail.set_reason("slow_reader");
  return MakeError(
      ErrorClass::kSlowReader, std::move(detail),
      absl::StrCat("the stream was read too slowly: more than ", limit, " awaited its reader"));
}

}  // namespace

bool BearsContent(const v1::ChatEvent& event) {
  switch (event.kind_case()) {
    case v1::ChatEvent::kDelta:
      return PartBearsContent(event.delta().part()) || event.delta().logprobs_size() > 0;
    case v1::ChatEvent::kFinished:
    case v1::ChatEvent::kCompleted:
      return true;
    case v1::ChatEvent::kStarted:
    case v1::ChatEvent::KIND_NOT_SET:
      return false;
  }
  return false;
}

void Sink::TakeWhole(std::unique_ptr<google::protobuf::Message>) {
  MG_CHECK(false, "a chat has events, no whole answer");
}

absl::Status WholeSink::Take(v1::ChatEvent) {
  return MakeError(ErrorClass::kBug, "an answer that is no chat brought an event");
}

absl::Status CollectSink::Take(v1::ChatEvent event) {
  complete_ = event.has_completed();
  fold_.Add(std::move(event));
  return absl::OkStatus();
}

void CollectSink::Reset() { fold_ = ChatFold(); }

absl::Status StreamSink::Take(v1::ChatEvent event) {
  if (!committed_) {
    if (!BearsContent(event)) return Hold(std::move(event));
    committed_ = true;
    for (const v1::ChatEvent& held : preamble_) {
      if (absl::Status status = Forward(held); !status.ok()) return status;
    }
    preamble_.clear();
  }
  return Forward(event);
}

void StreamSink::Reset() {
  preamble_.clear();
  preamble_bytes_ = 0;
}

absl::Status StreamSink::Hold(v1::ChatEvent event) {
  preamble_bytes_ += event.ByteSizeLong();
  if (preamble_bytes_ > kMaxPreambleBytes || preamble_.size() >= kMaxPreambleEvents) {
    return MakeError(ErrorClass::kMalformed,
                     "the provider's stream brings nothing but preamble: more than 64 KiB or 32 "
                     "events came before any content");
  }
  preamble_.push_back(std::move(event));
  return absl::OkStatus();
}

absl::Status StreamSink::Forward(const v1::ChatEvent& event) {
  // An event that finds the buffer empty always passes, however large: else one large event could
  // never be sent.
  const size_t waiting = rpc_->unsent_bytes();
  const size_t wanted = waiting + event.ByteSizeLong();
  if (waiting > 0 && wanted > call_buffer_) {
    return TooSlow(absl::StrCat("limits.call_buffer (", call_buffer_, " bytes)"));
  }
  if (waiting > 0 && wanted > ByteBudget::kSmallShare && budget_ != nullptr && budget_->crowded()) {
    return TooSlow(absl::StrCat(ByteBudget::kSmallShare,
                                " bytes, while all buffers of the gateway (limits.buffered_bytes) "
                                "were full,"));
  }
  rpc_->Send(event);
  return absl::OkStatus();
}

}  // namespace mg
