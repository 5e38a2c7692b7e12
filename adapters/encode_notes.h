// What an encoder has to say besides the body: each departure from the request becomes a Warning,
// or a refusal where the configuration says `unsupported_parameters: refuse`. One per EncodeChat.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/error.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

class EncodeNotes {
 public:
  explicit EncodeNotes(bool refuse_unsupported) : refuse_(refuse_unsupported) {}

  // A sampling preference or a hint that is not sent.
  absl::Status Drop(absl::string_view field, absl::string_view why);
  // Served by other means, or in another value, than asked; refused as Drop is.
  absl::Status Emulate(absl::string_view field, absl::string_view how);
  absl::Status Change(absl::string_view field, absl::string_view how);
  // The same where nothing the provider lacks is behind it: only told.
  void Tell(absl::string_view code, absl::string_view field, absl::string_view how);

  std::vector<v1::Warning> TakeWarnings() { return std::move(warnings_); }

 private:
  absl::Status Note(absl::string_view code, absl::string_view field, absl::string_view text);

  const bool refuse_;
  std::vector<v1::Warning> warnings_;
};

// Refusals by name.
absl::Status Unsupported(absl::string_view field, absl::string_view why);
absl::Status Invalid(absl::string_view field, absl::string_view why);

}  // namespace mg
