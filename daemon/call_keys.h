// The keys that a call brought along in its metadata, for itself alone: used for the providers that
// they name and written nowhere. They belong to the call and its loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "daemon/provider.h"
#include "daemon/rpc.h"
#include "daemon/snapshot.h"
#include "telemetry/scrub.h"

namespace mg {

// One of them. The form says where a provider that takes several puts it.
struct CallKey {
  KeyForm form = KeyForm::kApiKey;
  FixedSecrets secrets;
};

class CallKeys {
 public:
  // Of x-modelgateway-credentials-bin (CallCredentials) and x-modelgateway-api-key
  // ("provider=key"). kInvalidRequest, with the metadata key as its field, for what is no such
  // thing, for a provider that is not configured or is named twice, and for a form that it does not
  // take; the text never holds what may be a key.
  static absl::StatusOr<CallKeys> Of(const Rpc& rpc, const Snapshot& snapshot);

  // nullptr: the provider keeps its configured ones.
  const CallKey* For(absl::string_view provider) const;

  // An error of that provider as its caller may see it: without the key, and with the refusal of a
  // key told as the caller's fault (kCallerCredential). Others are handed through.
  absl::Status Judged(absl::string_view provider, absl::Status status) const;

 private:
  absl::Status Add(const Snapshot& snapshot, absl::string_view metadata_key,
                   absl::string_view provider, KeyForm form, Secrets secrets);
  absl::Status AddPair(const Snapshot& snapshot, absl::string_view pair);
  absl::Status AddMessage(const Snapshot& snapshot, absl::string_view bytes);

  absl::flat_hash_map<std::string, std::unique_ptr<CallKey>> by_provider_;
};

}  // namespace mg
