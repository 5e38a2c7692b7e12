// What there is to know of one call, filled on its way and handed to telemetry once, at its end,
// whatever that was. Metrics, the access log line, the CallReport and later all spans derive from
// it. One thread: the call's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "base/time.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

struct AttemptRecord {
  std::string candidate;
  std::string provider;
  std::string model;
  int tier = 0;
  absl::Status status;  // with its detail and class; OK: it answered
  int http_status = 0;
  std::string provider_request_id;
  Instant started;
  Instant ended;
  absl::Duration waited;       // back-off before it
  bool budget_denied = false;  // it would have been repeated, had the retry budget allowed it
  bool by_share = false;       // ended since others were to have their time too
  std::optional<absl::Duration> time_to_first_token;
  std::optional<absl::Duration> longest_gap;  // of a stream that had content: without any bytes
  const char* stage = "connect";   // where it ended: connect | first_token | stream | done
  const char* breaker = "closed";  // the state that admitted it
  v1::Usage usage;
};

struct CallRecord {
  const char* op = "chat";  // chat | embed | count_tokens | list_models
  bool stream = false;
  std::string request_id;
  std::string correlation_id;
  bool correlation_id_replaced = false;  // the caller's was not fit to be written
  std::string trace_id;
  std::string mock_session;  // whose answers a mock gives (metadata x-modelgateway-mock-session)
  std::string requested_model;
  // What metrics may use as a label: the alias, group or pair that was asked for if the
  // configuration names it, else "other".
  std::string alias_label = "other";
  std::string group;
  std::string strategy;
  std::string route_reason;
  bool hash_key_missing = false;  // the group's hash had nothing to hash
  std::string provider;           // that served; of the last attempt where none did
  std::string model;
  std::vector<AttemptRecord> attempts;
  std::vector<v1::Skipped> skipped;
  std::vector<v1::Warning> warnings;
  absl::Time wall_start;
  Instant start;
  Instant end;
  std::optional<Instant> first_content;  // written to the caller
  absl::Status status;                   // what the caller got
  v1::Usage usage;                       // of the attempt that answered
  absl::Duration queued;                 // waiting for a slot at a provider
  int64_t output_events = 0;             // deltas written to the caller
};

// The report that the caller gets of it, as far as it is known now.
v1::CallReport ReportOf(const CallRecord& record, Instant now);

// What of the call's time the gateway itself took: neither back-off nor waiting for providers.
absl::Duration OverheadOf(const CallRecord& record, Instant now);

// How the call ended; refused: before any attempt.
enum class Outcome { kOk, kError, kCancelled, kRefused };
Outcome OutcomeOf(const CallRecord& record);
absl::string_view OutcomeName(Outcome outcome);  // "ok"

}  // namespace mg
