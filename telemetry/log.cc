#include "telemetry/log.h"

#include <unistd.h>

#include <algorithm>
#include <list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "telemetry/ids.h"
#include "telemetry/log_line.h"

namespace mg {
namespace {

constexpr absl::Duration kRepeatAfter = absl::Seconds(10);
constexpr int kRepeatsInThat = 10;
constexpr size_t kMaxRepeats = 256;  // kinds of warnings that are watched

// An insertion sort: the lists are short and nearly in order, and equals stay as they stand.
void SortByRank(std::vector<LogField>* fields) {
  int rank = -1;
  for (LogField& field : *fields) rank = field.rank = RankOf(field.name, rank + 1);
  for (size_t i = 1; i < fields->size(); ++i) {
    if ((*fields)[i - 1].rank <= (*fields)[i].rank) continue;
    const LogField field = (*fields)[i];
    size_t at = i;
    for (; at > 0 && (*fields)[at - 1].rank > field.rank; --at) (*fields)[at] = (*fields)[at - 1];
    (*fields)[at] = field;
  }
}

}  // namespace

std::optional<LogLevel> LogLevelNamed(absl::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return std::nullopt;
}

std::optional<LogFormat> LogFormatNamed(absl::string_view name) {
  if (name == "auto") return LogFormat::kAuto;
  if (name == "json") return LogFormat::kJson;
  if (name == "text") return LogFormat::kText;
  return std::nullopt;
}

Logger::Logger(LogOptions options, const std::vector<absl::string_view>& secrets)
    : options_(std::move(options)),
      json_(options_.format == LogFormat::kJson ||
            (options_.format == LogFormat::kAuto && ::isatty(options_.fd) == 0)),
      scrubber_(std::make_shared<const Scrubber>(secrets)),
      level_(options_.level),
      writer_(options_.fd, options_.max_lines, options_.max_bytes) {}

void Logger::LearnSecrets(const std::vector<absl::string_view>& secrets) {
  const std::shared_ptr<const Scrubber> known = scrubber_.load();
  if (!known->Knows(secrets)) {
    scrubber_.store(std::make_shared<const Scrubber>(known->With(secrets)));
  }
}

void Logger::Log(LogLevel level, absl::string_view event, absl::string_view msg,
                 std::initializer_list<LogField> fields) {
  if (!Enabled(level)) return;
  const absl::Time now = options_.clock();
  std::vector<LogField> list(fields);
  if (level >= LogLevel::kWarn) {
    const std::optional<int64_t> repeated = Repeated(now, event, msg);
    if (!repeated.has_value()) return;
    if (*repeated > 0) list.emplace_back("repeated", *repeated);
  }
  Write(now, level, event, msg, &list);
}

std::optional<int64_t> Logger::Repeated(absl::Time now, absl::string_view event,
                                        absl::string_view msg) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (repeats_.size() >= kMaxRepeats) {
    absl::erase_if(repeats_, [now](const auto& entry) { return entry.second.until <= now; });
  }
  if (repeats_.size() >= kMaxRepeats) return 0;
  Repeats& repeats = repeats_[absl::StrCat(event, "\n", msg)];
  if (now >= repeats.until) {
    repeats.until = now + kRepeatAfter;
    repeats.written = 0;
  }
  if (repeats.written == kRepeatsInThat) {
    ++repeats.left_out;
    return std::nullopt;
  }
  ++repeats.written;
  return std::exchange(repeats.left_out, 0);
}

void Logger::LogBreaker(const BreakerRecord& record) {
  const absl::string_view to = record.to;
  const bool bad = to == "open" || to == "isolated";
  const std::string event_id = NewRequestId(options_.clock());
  Log(bad ? LogLevel::kWarn : LogLevel::kInfo, "breaker.changed", "a circuit breaker changed",
      {{"provider", record.provider},
       {"model", record.model},
       {"scope", record.model.empty() ? "endpoint" : "target"},
       {"from", record.from},
       {"to", record.to},
       {"reason", record.reason},
       {"actor", record.actor.empty() ? "gateway" : record.actor},
       {"event_id", event_id}});
}

void Logger::LogCall(const CallRecord& record) {
  if (Enabled(LogLevel::kWarn)) {
    for (size_t i = 0; i < record.attempts.size(); ++i) LogAttempt(record, i);
  }
  if (!Enabled(LogLevel::kInfo)) return;
  const v1::Usage& usage = record.usage;
  std::vector<LogField> fields;
  fields.reserve(24);  // what a call has, and what the process adds
  fields = {
      {"trace_id", record.trace_id},
      {"correlation_id", record.correlation_id},
      {"request_id", record.request_id},
      {"op", record.op},
      {"alias", record.requested_model},
      {"model", record.model},
      {"provider", record.provider},
      {"group", record.group},
      {"attempt", static_cast<int64_t>(record.attempts.size())},
      {"status", OutcomeName(OutcomeOf(record))},
      {"code", CodeName(record.status.code())},
  };
  if (!record.status.ok()) {
    fields.emplace_back("error.type", KindName(DetailOf(record.status).kind()));
    fields.emplace_back("error.message", record.status.message());
  }
  fields.emplace_back("duration_ms", record.end - record.start);
  if (record.stream && record.first_content.has_value()) {
    fields.emplace_back("ttft_ms", *record.first_content - record.start);
  }
  if (usage.has_input_tokens()) fields.emplace_back("tokens.in", usage.input_tokens());
  if (usage.has_output_tokens()) fields.emplace_back("tokens.out", usage.output_tokens());
  if (usage.has_cached_input_tokens()) {
    fields.emplace_back("tokens.cached", usage.cached_input_tokens());
  }
  if (record.stream) fields.emplace_back("stream", true);
  if (record.correlation_id_replaced) fields.emplace_back("correlation_id_replaced", true);
  Write(record.wall_start + (record.end - record.start), LogLevel::kInfo, "call.end", "call",
        &fields);
}

void Logger::LogAttempt(const CallRecord& record, size_t index) {
  const AttemptRecord& attempt = record.attempts[index];
  if (attempt.status.ok() || ClassOf(attempt.status) == ErrorClass::kCancel) return;
  std::vector<LogField> fields = {
      {"trace_id", record.trace_id},
      {"correlation_id", record.correlation_id},
      {"request_id", record.request_id},
      {"op", record.op},
      {"alias", record.requested_model},
      {"model", attempt.model},
      {"provider", attempt.provider},
      {"group", record.group},
      {"attempt", static_cast<int64_t>(index + 1)},
      {"status", "error"},
      {"code", CodeName(attempt.status.code())},
      {"error.type", KindName(DetailOf(attempt.status).kind())},
      {"error.message", attempt.status.message()},
      {"duration_ms", attempt.ended - attempt.started},
      {"candidate", attempt.candidate},
      {"stage", attempt.stage},
      {"class", RuleOf(ClassOf(attempt.status)).name},
      {"provider_request_id", attempt.provider_request_id},
  };
  if (attempt.http_status != 0) fields.emplace_back("http_status", attempt.http_status);
  Write(record.wall_start + (attempt.ended - record.start), LogLevel::kWarn, "attempt.failed",
        "attempt failed", &fields);
}

void Logger::Write(absl::Time at, LogLevel level, absl::string_view event, absl::string_view msg,
                   std::vector<LogField>* fields) {
  fields->insert(fields->begin(), {{"service.name", "model-gateway"},
                                   {"service.version", options_.version},
                                   {"pod", options_.pod}});
  SortByRank(fields);
  const std::shared_ptr<const Scrubber> scrubber = scrubber_.load();
  std::list<std::string> scrubbed;  // what the fields and `msg` refer to
  const auto scrub = [&](absl::string_view* text) {
    if (!scrubber->Finds(*text)) return;
    scrubber->Scrub(&scrubbed.emplace_back(*text));
    *text = scrubbed.back();
  };
  scrub(&msg);
  for (LogField& field : *fields) {
    if (field.kind == LogField::Kind::kText) scrub(&field.text);
  }
  writer_.Write(json_ ? JsonLine(at, level, event, msg, *fields)
                      : TextLine(at, level, event, msg, *fields));
}

}  // namespace mg
