#include "adapters/framed_decoder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/event_stream.h"
#include "adapters/media.h"
#include "adapters/provider_errors.h"
#include "rapidjson/allocators.h"

namespace mg {
namespace {

constexpr size_t kMaxWhole = 64 << 20;
// A token with twenty alternatives, the most values that an answer has for its length, brings 170:
// this is an answer of twelve thousand of them. What has more would hold up the loop.
constexpr JsonLimits kLimits = {.max_values = 2 << 20};
constexpr absl::string_view kBom = "\xEF\xBB\xBF";

// A frame begins with its length, which is below 32 MiB; no text begins with such a byte.
bool BeginsFrame(char byte) { return byte == 0 || byte == 1; }

enum class Framing { kBySight, kWhole, kStream, kFrames };

class FramedDecoder : public Decoder {
 public:
  // `stream`: the framing of what begins with no bracket, where `framing` is by sight.
  FramedDecoder(std::unique_ptr<AnswerReader> reader, const DialectContext& context,
                Framing framing, Framing stream)
      : context_(context), framing_(framing), stream_(stream), reader_(std::move(reader)) {}

  absl::Status Feed(absl::string_view bytes, std::vector<v1::ChatEvent>* events) override;
  absl::Status Finish(bool clean, std::vector<v1::ChatEvent>* events) override;
  bool done() const override { return done_; }
  bool finished() const override { return reader_->finished(); }
  size_t kept_bytes() const override {
    return whole_.size() + parser_.kept_bytes() + frames_.kept_bytes();
  }

 private:
  absl::Status FeedStream(absl::string_view bytes, std::vector<v1::ChatEvent>* events);
  absl::Status ReadFrame(const EventStreamFrame& frame, std::vector<v1::ChatEvent>* events);
  absl::Status ReadEvent(const SseEvent& event, bool cut, std::vector<v1::ChatEvent>* events);
  absl::Status Keep(absl::string_view bytes);
  absl::Status FinishWhole(bool clean, std::vector<v1::ChatEvent>* events);
  absl::Status FinishStream(bool clean, std::vector<v1::ChatEvent>* events);
  absl::Status Complete(std::vector<v1::ChatEvent>* events);
  absl::Status Broken(ErrorClass error_class, absl::string_view what) const;

  const DialectContext& context_;
  Framing framing_;
  const Framing stream_;
  const std::unique_ptr<AnswerReader> reader_;
  SseParser parser_;
  EventStreamParser frames_;
  // The document so far; before the framing is known, what was seen of the body.
  std::string whole_;
  bool done_ = false;

  // Events are small and many: their documents live here, and only larger ones are allocated.
  alignas(8) char buffer_[16 * 1024];
  rapidjson::MemoryPoolAllocator<> memory_{buffer_, sizeof(buffer_)};
};

absl::Status FramedDecoder::Broken(ErrorClass error_class, absl::string_view what) const {
  v1::ErrorDetail detail;
  detail.set_provider(context_.provider);
  detail.set_http_status(200);
  return MakeError(error_class, std::move(detail), absl::StrCat(context_.provider, " ", what));
}

absl::Status FramedDecoder::Keep(absl::string_view bytes) {
  if (whole_.size() + bytes.size() > kMaxWhole) {
    return MalformedAnswer(context_, absl::StrCat("larger than ", kMaxWhole, " bytes"));
  }
  whole_.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status FramedDecoder::Feed(absl::string_view bytes, std::vector<v1::ChatEvent>* events) {
  if (done_) return absl::OkStatus();
  if (framing_ == Framing::kStream || framing_ == Framing::kFrames) {
    return FeedStream(bytes, events);
  }
  if (auto status = Keep(bytes); !status.ok()) return status;
  if (framing_ == Framing::kWhole) return absl::OkStatus();
  absl::string_view head = whole_;
  if (!absl::ConsumePrefix(&head, kBom) && absl::StartsWith(kBom, head)) return absl::OkStatus();
  head = absl::StripLeadingAsciiWhitespace(head);
  if (head.empty()) {
    // Blank lines before a document may go on for minutes; enough is kept to know a mark at the
    // very start, wherever the bytes are cut.
    whole_.resize(std::min(whole_.size(), kBom.size() + 1));
    return absl::OkStatus();
  }
  framing_ = head[0] == '{' || head[0] == '[' ? Framing::kWhole
             : BeginsFrame(head[0])           ? Framing::kFrames
                                              : stream_;
  if (framing_ == Framing::kWhole) return absl::OkStatus();
  const std::string seen(head);
  whole_.clear();
  return FeedStream(seen, events);
}

absl::Status FramedDecoder::FeedStream(absl::string_view bytes,
                                       std::vector<v1::ChatEvent>* events) {
  absl::Status status;
  if (framing_ == Framing::kFrames) {
    status = frames_.Feed(bytes,
                          [&](const EventStreamFrame& frame) { return ReadFrame(frame, events); });
  } else {
    status =
        parser_.Feed(bytes, [&](const SseEvent& event) { return ReadEvent(event, false, events); });
  }
  // Only the parsers' own failures have no class.
  if (!status.ok() && ClassOf(status) == ErrorClass::kBug) {
    return MalformedAnswer(context_, status.message());
  }
  return status;
}

absl::Status FramedDecoder::ReadFrame(const EventStreamFrame& frame,
                                      std::vector<v1::ChatEvent>* events) {
  if (done_) return absl::OkStatus();
  const absl::string_view type = frame.Text(":message-type");
  if (type == "exception") {
    return AwsStreamError(context_, frame.Text(":exception-type"), frame.payload);
  }
  if (type == "error") {
    return AwsStreamError(context_, frame.Text(":error-code"), frame.Text(":error-message"));
  }
  return ReadEvent({frame.Text(":event-type"), frame.payload}, false, events);
}

absl::Status FramedDecoder::Complete(std::vector<v1::ChatEvent>* events) {
  if (!reader_->has_output() && !reader_->has_finish()) {
    return Broken(ErrorClass::kEmpty, framing_ == Framing::kWhole
                                          ? "answered without content and finish reason"
                                          : "ended its stream without content and finish reason");
  }
  reader_->Complete(events);
  done_ = true;
  return absl::OkStatus();
}

absl::Status FramedDecoder::ReadEvent(const SseEvent& event, bool cut,
                                      std::vector<v1::ChatEvent>* events) {
  if (done_) return absl::OkStatus();
  const absl::string_view data = absl::StripAsciiWhitespace(event.data);
  if (data.empty() || event.name == "ping") return absl::OkStatus();
  if (reader_->IsEnd(data)) return Complete(events);
  memory_.Clear();
  JsonDocument json(&memory_);
  const absl::Status parsed = ParseJson(data, &json, kLimits);
  if (!parsed.ok() && (cut || event.bare)) return absl::OkStatus();  // what is missing decides
  if (!parsed.ok() && event.name == "error") {
    json.SetString(data.data(), static_cast<rapidjson::SizeType>(data.size()));
  } else if (!parsed.ok()) {
    return MalformedAnswer(context_, parsed.message());
  }
  bool ended = false;
  auto status = reader_->ReadEvent(event.name, json, data, events, &ended);
  return status.ok() && ended ? Complete(events) : status;
}

absl::Status FramedDecoder::Finish(bool clean, std::vector<v1::ChatEvent>* events) {
  if (done_) return absl::OkStatus();
  if (framing_ == Framing::kStream || framing_ == Framing::kFrames) {
    return FinishStream(clean, events);
  }
  return FinishWhole(clean, events);
}

absl::Status FramedDecoder::FinishStream(bool clean, std::vector<v1::ChatEvent>* events) {
  auto status =
      parser_.Finish([&](const SseEvent& event) { return ReadEvent(event, true, events); });
  if (!status.ok() || done_) return status;
  if (reader_->finished()) return Complete(events);
  if (reader_->has_output() || reader_->has_finish()) {
    return Broken(ErrorClass::kInterrupted, "ended its stream without a finish reason");
  }
  if (!clean) return Broken(ErrorClass::kReset, "closed the connection before any content");
  return Broken(ErrorClass::kEmpty, "answered without content and finish reason");
}

absl::Status FramedDecoder::FinishWhole(bool clean, std::vector<v1::ChatEvent>* events) {
  absl::string_view text = whole_;
  absl::ConsumePrefix(&text, kBom);
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) {
    if (!clean) return Broken(ErrorClass::kReset, "closed the connection before its answer");
    return Broken(ErrorClass::kEmpty, "answered without a body");
  }
  memory_.Clear();
  JsonDocument document(&memory_);
  const absl::Status parsed = ParseJson(text, &document, kLimits);
  if (!parsed.ok()) {
    if (!clean) return Broken(ErrorClass::kReset, "closed the connection within its answer");
    return MalformedAnswer(context_, parsed.message());
  }
  auto status = reader_->ReadWhole(document, text, events);
  return status.ok() ? Complete(events) : status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Decoder>> NewFramedDecoder(std::unique_ptr<AnswerReader> reader,
                                                          const DialectContext& context,
                                                          const HttpHead& head) {
  const std::string type = NormalMediaType(FindHeader(head.headers, "content-type"));
  if (type == "text/html") {
    return MalformedAnswer(context, "an HTML page, as of a proxy, instead of an answer");
  }
  // A stream is looked at too: no event begins with a bracket, but an error that a proxy sends in
  // its place does.
  const Framing framing = type == "application/json" ? Framing::kWhole : Framing::kBySight;
  const Framing stream =
      type == "application/vnd.amazon.eventstream" ? Framing::kFrames : Framing::kStream;
  return std::make_unique<FramedDecoder>(std::move(reader), context, framing, stream);
}

}  // namespace mg
