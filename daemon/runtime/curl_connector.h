// A TCP connection by libcurl: names, several addresses, and its timeout are libcurl's, and the
// socket is ours when it stands.
#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "daemon/runtime/curl_names.h"

namespace mg {

class CurlConnector final : public NamedTransfer {
 public:
  // The connected socket, non-blocking, the callee's from then on; or an error of class kConnect or
  // kConnectFinal. Not called where the connector goes before.
  using Callback = absl::AnyInvocable<void(absl::StatusOr<int> fd)>;

  CurlConnector(CurlNames* names, absl::Duration timeout, Callback done)
      : NamedTransfer(names, timeout), done_(std::move(done)) {}

  void Connect(const UpstreamUrl& url);

  bool HeaderLine(absl::string_view) override { return false; }
  Taken Body(absl::string_view) override { return Taken::kRefused; }

 private:
  void Ended(CURLcode code, CurlEasy& easy) override;
  void Failed(absl::Status status) override { done_(std::move(status)); }

  Callback done_;
};

}  // namespace mg
