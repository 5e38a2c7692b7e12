#include "daemon/runtime/http_client.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {

namespace {

constexpr char kStepUrl[] = "modelgateway.internal/connect-step";

}  // namespace

ConnectStep ConnectStepOf(const absl::Status& status) {
  const absl::optional<absl::Cord> step = status.GetPayload(kStepUrl);
  if (step == absl::Cord("name")) return ConnectStep::kName;
  return step == absl::Cord("tls") ? ConnectStep::kTls : ConnectStep::kConnection;
}

void SetConnectStep(ConnectStep step, absl::Status* status) {
  if (step == ConnectStep::kConnection) return;
  status->SetPayload(kStepUrl, absl::Cord(step == ConnectStep::kName ? "name" : "tls"));
}

absl::Status WakeStatus(Wake wake, const Cancellation* cancellation) {
  if (wake == Wake::kCancelled) return cancellation->status();
  if (wake == Wake::kTimeout) return absl::DeadlineExceededError("the provider is too slow");
  return absl::OkStatus();
}

Task<absl::StatusOr<std::string>> ReadAll(HttpExchange* exchange, size_t max_bytes, Instant until,
                                          Cancellation* cancellation) {
  std::string body;
  while (true) {
    absl::StatusOr<std::string> piece = co_await exchange->Read(until, cancellation);
    if (!piece.ok()) co_return piece.status();
    if (piece->empty()) co_return body;
    if (body.size() + piece->size() > max_bytes) {
      co_return MakeError(
          ErrorClass::kMalformed,
          absl::StrCat("the provider's answer is larger than ", max_bytes, " bytes"));
    }
    body.append(*piece);
  }
}

}  // namespace mg
