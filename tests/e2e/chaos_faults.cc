#include "tests/e2e/chaos_faults.h"

#include "tests/e2e/answers.h"

namespace mg::e2e {
namespace {

constexpr size_t kInTheHead = 20;
constexpr char kError[] = R"({"error":{"message":"no","type":"server_error","code":"c"}})";

Script Begun() { return Sse({Role(), Piece("hi")}); }
// Half of a body that is longer.
Script HalfABody() {
  const std::string body = Whole(R"({"role":"assistant","content":"hi"})");
  return Script()
      .Header("content-type", "application/json")
      .ContentLength(body.size())
      .Body(body.substr(0, body.size() / 2));
}
Script As(const std::string& type, const std::string& body) {
  return Script().Header("content-type", type).Body(body);
}

// With a reset the kernel drops what had come before it, so these two may look alike.
bool MayBeRepeated(Fault fault) {
  return fault == Fault::kResetAtOnce || fault == Fault::kResetInHead;
}

bool TookTooLong(v1::ErrorKind kind, bool stream) {
  return kind == v1::ERROR_KIND_TIMEOUT || kind == v1::ERROR_KIND_DEADLINE ||
         (stream && kind == v1::ERROR_KIND_STREAM_INTERRUPTED);
}

// May an attempt that met this end so?
bool Explains(Fault fault, bool stream, v1::ErrorKind kind) {
  switch (fault) {
    case Fault::kNone:
    case Fault::kTrickle:
      return kind == v1::ERROR_KIND_UNSPECIFIED;
    case Fault::kRateLimited:
      return kind == v1::ERROR_KIND_RATE_LIMITED;
    case Fault::kUnavailable:
    case Fault::kOverloaded:
      return kind == v1::ERROR_KIND_OVERLOADED;
    case Fault::kResetAtOnce:
    case Fault::kResetInHead:
      return kind == v1::ERROR_KIND_CONNECTION;
    case Fault::kCut:
      return kind == (stream ? v1::ERROR_KIND_STREAM_INTERRUPTED : v1::ERROR_KIND_CONNECTION);
    case Fault::kSilent:
    case Fault::kFallsSilent:
      return TookTooLong(kind, stream);
    case Fault::kMalformed:
    case Fault::kWrongType:
    case Fault::kHtml:
    case Fault::kEmpty:
      return kind == v1::ERROR_KIND_MALFORMED_RESPONSE;
    case Fault::kInternal:
    case Fault::kToldInBody:
      return kind == v1::ERROR_KIND_SERVER_ERROR;
  }
  return false;
}

}  // namespace

Script ScriptOf(Fault fault, bool stream) {
  switch (fault) {
    case Fault::kNone:
      return Good(stream);
    case Fault::kTrickle:
      return Good(stream).Trickle(16, std::chrono::milliseconds(2));
    case Fault::kRateLimited:
      return Failing(429).Header("retry-after", "1");
    case Fault::kInternal:
      return Failing(500);
    case Fault::kUnavailable:
      return Failing(503);
    case Fault::kOverloaded:
      return Failing(529);
    case Fault::kResetAtOnce:
      return Good(stream).ResetAtByte(0);
    case Fault::kResetInHead:
      return Good(stream).ResetAtByte(kInTheHead);
    case Fault::kCut:
      return stream ? Begun().Close() : HalfABody().Close();
    case Fault::kSilent:
      return Script().Raw("").Stall();
    case Fault::kFallsSilent:
      return stream ? Begun().Stall() : HalfABody().Stall();
    case Fault::kMalformed:
      return stream ? Sse({R"({"id":"c1","choices":[{"ind)"}) : Json(R"({"id":"c1","choices":[)");
    case Fault::kWrongType:
      return As("image/png", "\x89PNG\r\n\x1a\n");
    case Fault::kHtml:
      return As("text/html; charset=utf-8", "<html>log in</html>");
    case Fault::kEmpty:
      return stream ? Sse() : Json("");
    case Fault::kToldInBody:
      return stream ? Begun().Event(kError) : Json(kError);
  }
  return Good(stream);
}

bool Explain(absl::Span<const Fault> requests, bool stream,
             absl::Span<const v1::ErrorKind> attempts) {
  if (attempts.empty()) return requests.empty();
  const v1::ErrorKind kind = attempts.front();
  const bool too_long = TookTooLong(kind, stream);
  const auto explained_by = [&](size_t i) {
    return i < requests.size() && (too_long || Explains(requests[i], stream, kind)) &&
           Explain(requests.subspan(i + 1), stream, attempts.subspan(1));
  };
  if (explained_by(0)) return true;
  if (!requests.empty() && MayBeRepeated(requests.front()) && explained_by(1)) return true;
  return too_long && Explain(requests, stream, attempts.subspan(1));
}

}  // namespace mg::e2e
