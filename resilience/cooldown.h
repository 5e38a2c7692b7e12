// Until when a credential or a target is not to be used, because the provider said so
// (spec/resilience.md §3.3): it limits, or the quota is spent, the key refused, the model unknown.
// No health: after the end traffic flows as before, without probes. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>

#include "absl/time/time.h"
#include "base/error.h"
#include "base/time.h"
#include "resilience/retry.h"

namespace mg {

// cooldown.* of the configuration, §3.11.
struct CooldownPolicy {
  absl::Duration rate_default = absl::Seconds(5);  // without a hint; doubles up to 60 s
  absl::Duration rate_max = absl::Seconds(300);    // the longest hint that is followed
  absl::Duration quota = absl::Seconds(300);       // doubles up to an hour
  absl::Duration auth = absl::Seconds(60);         // doubles up to 10 min
  absl::Duration model_missing = absl::Seconds(300);
};

const char* CooldownReasonName(CooldownScope reason);  // "rate"; "none"

struct CooldownView {
  CooldownScope reason = CooldownScope::kNone;  // of several that of the one that ends last
  Instant until = absl::InfinitePast();
  int level = 0;  // how many in a row without a hint; each lasts twice as long. kModel: 0
};

class Cooldown {
 public:
  explicit Cooldown(const CooldownPolicy& policy) : policy_(policy) {}

  // Begins or extends one, never shortens it; returns when that of this reason ends now. `hint`
  // (kRate alone heeds it) is kept to, up to rate_max. When to call: with a hint as the answer
  // comes; a kRate without one when the call gives up on the candidate. The level grows once for
  // all that meet while one runs.
  Instant Start(CooldownScope reason, std::optional<absl::Duration> hint, Instant now,
                Random random);
  // An attempt of it went well: ends no cooldown, but quota and auth that are over begin small
  // again.
  void Success(Instant now);

  // `now`, or when the last one that runs ends.
  Instant Until(Instant now) const;
  // What blocks; reason kNone: nothing.
  CooldownView View(Instant now) const;

  // The secret has another value: quota and auth are gone at once.
  void ClearCredential();
  // By an operator: all are.
  void Clear();
  // For those that begin from now on.
  void SetPolicy(const CooldownPolicy& policy);

 private:
  struct Entry {
    Instant until = absl::InfinitePast();
    Instant unhinted_until = absl::InfinitePast();
    int level = 0;
  };
  static constexpr size_t kReasons = static_cast<size_t>(CooldownScope::kModel) + 1;

  Entry& At(CooldownScope reason) { return entries_[static_cast<size_t>(reason)]; }
  // How long one without a hint lasts; raises its level.
  absl::Duration Unhinted(CooldownScope reason, Instant now);

  mutable std::mutex mutex_;
  CooldownPolicy policy_;                // guarded by mutex_
  std::array<Entry, kReasons> entries_;  // guarded by mutex_; kNone's stays empty
};

}  // namespace mg
