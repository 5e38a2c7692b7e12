#include "daemon/runtime/curl_exchange.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/runtime/content_encoding.h"
#include "daemon/runtime/curl_errors.h"

namespace mg {
namespace {

// Of a body, decompressed, that nobody takes: beyond it the provider has to wait. libcurl reads a
// quick one for as long as there is something.
constexpr size_t kMaxUnread = 256 << 10;
// Of a compressed one more: when it rests, libcurl keeps the rest of what it has decompressed, and
// copies all of that each time it goes on.
constexpr size_t kMaxUnreadDecompressed = 4 << 20;

}  // namespace

CurlExchange::CurlExchange(CurlNames* names, HttpRequest request, const HttpEndpoint& endpoint,
                           absl::Duration connect_timeout)
    : NamedTransfer(names, connect_timeout),
      request_(std::move(request)),
      endpoint_(endpoint),
      changed_(names->loop()),
      max_unread_(kMaxUnread) {}

void CurlExchange::Start(CurlRoute route) {
  CurlEasy* const easy = Prepare(std::move(route));
  easy->SetRequest(request_);
  easy->SetCaFile(endpoint_.ca_file);
  Begin();
}

void CurlExchange::Connected() {
  sent_ = true;
  NamedTransfer::Connected();
}

bool CurlExchange::HeaderLine(absl::string_view line) {
  const bool complete_before = head_.complete();
  if (!head_.AddLine(line)) {
    problem_ = head_.problem();
    return false;
  }
  if (head_.complete() && !complete_before) {
    if (IsEncoded(FindHeader(head_.head().headers, "content-encoding"))) {
      max_unread_ = kMaxUnreadDecompressed;
    }
    changed_.Notify();
  }
  return true;
}

Taken CurlExchange::Body(absl::string_view bytes) {
  if (body_.size() >= max_unread_) {
    rests_ = true;
    return Taken::kNotYet;
  }
  body_bytes_ += bytes.size();
  if (body_bytes_ > kBombBytes) {
    curl_off_t received = 0;
    curl_easy_getinfo(easy()->curl(), CURLINFO_SIZE_DOWNLOAD_T, &received);
    if (body_bytes_ / kBombRatio > static_cast<size_t>(received)) {
      problem_ = "its answer is a decompression bomb";
      return Taken::kRefused;
    }
  }
  absl::StrAppend(&body_, bytes);
  changed_.Notify();
  return Taken::kAll;
}

void CurlExchange::Ended(CURLcode code, CurlEasy& easy) {
  const std::string peer = route().url.Peer();
  if (*problem_ != '\0') {
    return End(MakeError(ErrorClass::kMalformed,
                         absl::StrCat(peer, " does not answer as it should: ", problem_)));
  }
  // A connection that is closed within the head is fine with libcurl.
  if (code == CURLE_OK && !head_.complete()) code = CURLE_PARTIAL_FILE;
  if (code == CURLE_OK) return End(absl::OkStatus());
  CurlFailure failure;
  failure.code = code;
  failure.message = easy.error();
  curl_easy_getinfo(easy.curl(), CURLINFO_OS_ERRNO, &failure.os_errno);
  failure.sent = sent_;
  failure.peer = peer;
  End(CurlError(failure));
}

void CurlExchange::End(absl::Status failure) {
  ended_ = true;
  failure_ = std::move(failure);
  changed_.Notify();
}

Task<absl::StatusOr<const HttpHead*>> CurlExchange::Head(Instant until,
                                                         Cancellation* cancellation) {
  while (!head_.complete() && !ended_) {
    MG_CO_RETURN_IF_ERROR(WakeStatus(co_await changed_.Wait(until, cancellation), cancellation));
  }
  if (!head_.complete()) co_return failure_;
  co_return &head_.head();
}

Task<absl::StatusOr<std::string>> CurlExchange::Read(Instant until, Cancellation* cancellation) {
  if (cancellation != nullptr && cancellation->cancelled()) co_return cancellation->status();
  while (body_.empty() && !ended_) {
    MG_CO_RETURN_IF_ERROR(WakeStatus(co_await changed_.Wait(until, cancellation), cancellation));
  }
  if (!body_.empty()) {
    std::string bytes = std::exchange(body_, std::string());
    if (std::exchange(rests_, false) && running()) names()->multi().Resume(easy());
    co_return bytes;
  }
  if (!failure_.ok()) co_return failure_;
  co_return std::string();
}

}  // namespace mg
