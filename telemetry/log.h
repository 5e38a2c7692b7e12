// The process's log: one structured line for each event, JSON or (on a terminal) text, with its
// fields in the fixed order of spec/observability.md §7.1. Lines are made on the caller's thread
// and written by the logger's own, so that nobody waits for stdout; where it does not keep up,
// lines are dropped and counted. Owned by main; any thread may log.
#pragma once

#include <atomic>
#include <climits>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "telemetry/breaker_record.h"
#include "telemetry/call_record.h"
#include "telemetry/line_writer.h"
#include "telemetry/scrub.h"

namespace mg {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
// By its name ("debug", "info", "warn", "error"); nullopt for another.
std::optional<LogLevel> LogLevelNamed(absl::string_view name);

enum class LogFormat { kAuto, kJson, kText };  // auto: text on a terminal, else JSON
std::optional<LogFormat> LogFormatNamed(absl::string_view name);

// A field of a line; an empty text leaves it out. What it refers to must outlive the call that logs
// it.
class LogField {
 public:
  LogField(absl::string_view name, absl::string_view text) : name(name), text(text) {}
  LogField(absl::string_view name, const char* text) : name(name), text(text) {}
  LogField(absl::string_view name, const std::string& text) : name(name), text(text) {}
  template <std::integral T>
  LogField(absl::string_view name, T number)
      : name(name),
        kind(std::is_same_v<T, bool> ? Kind::kBool : Kind::kInteger),
        number(static_cast<int64_t>(number)) {}
  // In milliseconds, to the microsecond.
  LogField(absl::string_view name, absl::Duration time)
      : name(name), kind(Kind::kMillis), number(absl::ToInt64Microseconds(time)) {}

  enum class Kind { kText, kInteger, kBool, kMillis };
  absl::string_view name;
  Kind kind = Kind::kText;
  absl::string_view text;
  int64_t number = 0;
  int rank = INT_MAX;  // its place in the line; the logger's
};

struct LogOptions {
  int fd = 1;
  LogFormat format = LogFormat::kAuto;
  LogLevel level = LogLevel::kInfo;
  std::string version;  // service.version
  std::string pod;      // where there is one
  size_t max_lines = 8192;
  size_t max_bytes = 8 << 20;
  std::function<absl::Time()> clock = absl::Now;
};

class Logger {
 public:
  // Of `secrets` no form appears in any line.
  explicit Logger(LogOptions options, const std::vector<absl::string_view>& secrets = {});

  bool Enabled(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }

  // `event` is a dotted id, `msg` a constant text; what varies is in the fields. A warning or error
  // that repeats is written ten times in ten seconds, then not; the next one says in `repeated` how
  // many were left out.
  void Log(LogLevel level, absl::string_view event, absl::string_view msg,
           std::initializer_list<LogField> fields = {});

  // The access line: one for each call, whatever became of it; before it one for each attempt that
  // failed.
  void LogCall(const CallRecord& record);

  // A breaker has changed its state.
  void LogBreaker(const BreakerRecord& record);

  // Until all lines logged before are written, or `timeout` has passed.
  void Flush(absl::Duration timeout = absl::Seconds(1)) { writer_.Flush(timeout); }
  uint64_t dropped() const { return writer_.dropped(); }
  // What it knows now; whoever holds it may go on using it.
  std::shared_ptr<const Scrubber> scrubber() const { return scrubber_.load(); }
  // Of these secrets, too, no form appears in any line from now on.
  void LearnSecrets(const std::vector<absl::string_view>& secrets);

 private:
  struct Repeats {
    absl::Time until;  // of the ten seconds
    int written = 0;   // in them
    int64_t left_out = 0;
  };

  void LogAttempt(const CallRecord& record, size_t index);
  void Write(absl::Time at, LogLevel level, absl::string_view event, absl::string_view msg,
             std::vector<LogField>* fields);
  // nullopt: to be left out; else how many like it were.
  std::optional<int64_t> Repeated(absl::Time now, absl::string_view event, absl::string_view msg);

  const LogOptions options_;
  const bool json_;
  std::atomic<std::shared_ptr<const Scrubber>> scrubber_;
  std::atomic<LogLevel> level_;
  std::mutex mutex_;
  absl::flat_hash_map<std::string, Repeats> repeats_;  // guarded by mutex_
  LineWriter writer_;
};

}  // namespace mg
