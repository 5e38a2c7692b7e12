#include "adapters/dialects/openai_decoder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/dialects/openai_answer.h"
#include "adapters/dialects/openai_errors.h"
#include "adapters/media.h"
#include "adapters/sse.h"
#include "rapidjson/allocators.h"

namespace mg {
namespace {

constexpr size_t kMaxWhole = 64 << 20;
constexpr absl::string_view kBom = "\xEF\xBB\xBF";

enum class Framing { kBySight, kWhole, kStream };

class OpenAiDecoder : public Decoder {
 public:
  OpenAiDecoder(const v1::ChatRequest& request, const DialectContext& context, Framing framing)
      : context_(context), framing_(framing), answer_(request, context) {}

  absl::Status Feed(absl::string_view bytes, std::vector<v1::ChatEvent>* events) override;
  absl::Status Finish(bool clean, std::vector<v1::ChatEvent>* events) override;
  bool done() const override { return done_; }
  bool finished() const override { return answer_.finished(); }
  size_t kept_bytes() const override { return whole_.size() + parser_.kept_bytes(); }

 private:
  absl::Status FeedStream(absl::string_view bytes, std::vector<v1::ChatEvent>* events);
  absl::Status ReadEvent(const SseEvent& event, bool cut, std::vector<v1::ChatEvent>* events);
  absl::Status Keep(absl::string_view bytes);
  absl::Status FinishWhole(bool clean, std::vector<v1::ChatEvent>* events);
  absl::Status FinishStream(bool clean, std::vector<v1::ChatEvent>* events);
  absl::Status Broken(ErrorClass error_class, absl::string_view what) const;

  const DialectContext& context_;
  Framing framing_;
  OpenAiAnswer answer_;
  SseParser parser_;
  std::string
      whole_;  // the document so far; before the framing is known, what was seen of the body
  bool done_ = false;

  // Chunks are small and many: their documents live here, and only larger ones are allocated.
  alignas(8) char chunk_buffer_[16 * 1024];
  rapidjson::MemoryPoolAllocator<> chunk_memory_{chunk_buffer_, sizeof(chunk_buffer_)};
};

absl::Status OpenAiDecoder::Broken(ErrorClass error_class, absl::string_view what) const {
  v1::ErrorDetail detail;
  detail.set_provider(context_.provider);
  detail.set_http_status(200);
  return MakeError(error_class, std::move(detail), absl::StrCat(context_.provider, " ", what));
}

absl::Status OpenAiDecoder::Keep(absl::string_view bytes) {
  if (whole_.size() + bytes.size() > kMaxWhole) {
    return OpenAiMalformed(context_, absl::StrCat("larger than ", kMaxWhole, " bytes"));
  }
  whole_.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status OpenAiDecoder::Feed(absl::string_view bytes, std::vector<v1::ChatEvent>* events) {
  if (done_) return absl::OkStatus();
  if (framing_ == Framing::kStream) return FeedStream(bytes, events);
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
  framing_ = head[0] == '{' || head[0] == '[' ? Framing::kWhole : Framing::kStream;
  if (framing_ == Framing::kWhole) return absl::OkStatus();
  const std::string seen(head);
  whole_.clear();
  return FeedStream(seen, events);
}

absl::Status OpenAiDecoder::FeedStream(absl::string_view bytes,
                                       std::vector<v1::ChatEvent>* events) {
  auto status =
      parser_.Feed(bytes, [&](const SseEvent& event) { return ReadEvent(event, false, events); });
  // Only the parser's own failure has no class.
  if (status.code() == absl::StatusCode::kResourceExhausted &&
      ClassOf(status) == ErrorClass::kBug) {
    return OpenAiMalformed(context_, status.message());
  }
  return status;
}

absl::Status OpenAiDecoder::ReadEvent(const SseEvent& event, bool cut,
                                      std::vector<v1::ChatEvent>* events) {
  if (done_) return absl::OkStatus();
  const absl::string_view data = absl::StripAsciiWhitespace(event.data);
  if (data.empty() || event.name == "ping") return absl::OkStatus();
  if (absl::StartsWith(data, "[DONE]")) {
    if (!answer_.has_output() && !answer_.has_finish()) {
      return Broken(ErrorClass::kEmpty, "ended its stream without content and finish reason");
    }
    answer_.Complete(events);
    done_ = true;
    return absl::OkStatus();
  }
  chunk_memory_.Clear();
  JsonDocument chunk(&chunk_memory_);
  const absl::Status parsed = ParseJson(data, &chunk);
  if (event.name == "error") {
    if (cut && !parsed.ok()) return absl::OkStatus();
    if (!parsed.ok()) chunk.SetString(data.data(), static_cast<rapidjson::SizeType>(data.size()));
    return OpenAiInBandError(context_, chunk);
  }
  if (parsed.ok()) return answer_.Read(chunk, data, false, events);
  if (cut) return absl::OkStatus();  // the stream ended within it: what is missing decides
  return OpenAiMalformed(context_, parsed.message());
}

absl::Status OpenAiDecoder::Finish(bool clean, std::vector<v1::ChatEvent>* events) {
  if (done_) return absl::OkStatus();
  if (framing_ == Framing::kStream) return FinishStream(clean, events);
  return FinishWhole(clean, events);
}

absl::Status OpenAiDecoder::FinishStream(bool clean, std::vector<v1::ChatEvent>* events) {
  auto status =
      parser_.Finish([&](const SseEvent& event) { return ReadEvent(event, true, events); });
  if (!status.ok() || done_) return status;
  if (answer_.finished()) {
    answer_.Complete(events);
    done_ = true;
    return absl::OkStatus();
  }
  if (answer_.has_output() || answer_.has_finish()) {
    return Broken(ErrorClass::kInterrupted, "ended its stream without a finish reason");
  }
  if (!clean) return Broken(ErrorClass::kReset, "closed the connection before any content");
  return Broken(ErrorClass::kEmpty, "answered without content and finish reason");
}

absl::Status OpenAiDecoder::FinishWhole(bool clean, std::vector<v1::ChatEvent>* events) {
  absl::string_view text = whole_;
  absl::ConsumePrefix(&text, kBom);
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) {
    if (!clean) return Broken(ErrorClass::kReset, "closed the connection before its answer");
    return Broken(ErrorClass::kEmpty, "answered without a body");
  }
  JsonDocument document(&chunk_memory_);
  const absl::Status parsed = ParseJson(text, &document);
  if (!parsed.ok()) {
    if (!clean) return Broken(ErrorClass::kReset, "closed the connection within its answer");
    return OpenAiMalformed(context_, parsed.message());
  }
  if (auto status = answer_.Read(document, text, true, events); !status.ok()) return status;
  if (!answer_.has_output() && !answer_.has_finish()) {
    return Broken(ErrorClass::kEmpty, "answered without content and finish reason");
  }
  answer_.Complete(events);
  done_ = true;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Decoder>> NewOpenAiDecoder(const v1::ChatRequest& request,
                                                          const DialectContext& context,
                                                          const HttpHead& head) {
  const std::string type = NormalMediaType(FindHeader(head.headers, "content-type"));
  if (type == "text/html") {
    return OpenAiMalformed(context, "an HTML page, as of a proxy, instead of an answer");
  }
  // A stream is looked at too: no event begins with a bracket, but an error that a proxy sends in
  // its place does.
  const Framing framing = type == "application/json" ? Framing::kWhole : Framing::kBySight;
  return std::make_unique<OpenAiDecoder>(request, context, framing);
}

}  // namespace mg
