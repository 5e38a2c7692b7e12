#include "daemon/wire_status.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "base/utf8.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "telemetry/report.h"

namespace mg {
namespace {

// The message goes out twice, percent-encoded as grpc-message and inside the details, which clients
// compare with it.
constexpr size_t kMaxEncodedMessage = 640;
constexpr absl::Duration kWorthWaiting = absl::Seconds(60);

// The longest start of `text` that takes at most kMaxEncodedMessage bytes on the wire.
std::string ShortMessage(absl::string_view text) {
  size_t encoded = 0;
  size_t length = 0;
  for (; length < text.size(); ++length) {
    const char c = text[length];
    encoded += (c >= ' ' && c <= '~' && c != '%') ? 1 : 3;
    if (encoded > kMaxEncodedMessage) break;
  }
  if (length == text.size()) return WithValidUtf8(text);
  constexpr absl::string_view kMark = "...";
  length -= std::min(length, kMark.size());
  return absl::StrCat(WithValidUtf8(CutUtf8(text, length)), kMark);
}

absl::Duration HintOf(const v1::ErrorDetail& detail) {
  return absl::Seconds(detail.retry_after().seconds()) +
         absl::Nanoseconds(detail.retry_after().nanos());
}

void AddTrailers(const v1::ErrorDetail& detail, WireStatus* wire) {
  const auto add = [wire](absl::string_view key, std::string value) {
    wire->trailers.emplace_back(std::string(key), std::move(value));
  };
  const bool hinted = detail.has_retry_after() && detail.kind() != v1::ERROR_KIND_QUOTA;
  const absl::Duration hint = HintOf(detail);
  const int64_t millis = absl::ToInt64Milliseconds(absl::Ceil(hint, absl::Milliseconds(1)));
  if (hinted) {
    add("retry-after", absl::StrCat(absl::ToInt64Seconds(absl::Ceil(hint, absl::Seconds(1)))));
  }
  if (!detail.report().attempts().empty()) {
    // The gateway has tried already: a client that tries again multiplies the load on a provider
    // that is down.
    add("x-should-retry", "false");
    add("grpc-retry-pushback-ms", "-1");
  } else if (hinted) {
    add("retry-after-ms", absl::StrCat(millis));
    add("grpc-retry-pushback-ms", absl::StrCat(millis));
    if (hint <= kWorthWaiting) add("x-should-retry", "true");
  } else if (detail.kind() == v1::ERROR_KIND_QUOTA) {
    add("x-should-retry", "false");
  }
}

}  // namespace

WireStatus ToWire(const absl::Status& status, bool error_details) {
  WireStatus wire;
  wire.code = static_cast<int>(status.code());
  if (status.ok()) return wire;
  wire.message = ShortMessage(status.message());
  if (!error_details) return wire;

  v1::ErrorDetail detail = DetailOf(status);
  AddTrailers(detail, &wire);
  CutToFit(&detail);
  google::rpc::Status rich;
  rich.set_code(wire.code);
  rich.set_message(wire.message);
  rich.add_details()->PackFrom(detail);
  if (detail.has_retry_after() && detail.kind() != v1::ERROR_KIND_QUOTA) {
    google::rpc::RetryInfo retry;
    *retry.mutable_retry_delay() = detail.retry_after();
    rich.add_details()->PackFrom(retry);
  }
  wire.details = rich.SerializeAsString();
  return wire;
}

}  // namespace mg
