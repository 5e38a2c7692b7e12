#include "daemon/reload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "daemon/config/effective.h"
#include "daemon/runtime/thread_task.h"
#include "routing/moved_share.h"
#include "telemetry/telemetry.h"

namespace mg {
namespace {

// A file that is written in steps is read once, when it has come to rest; one that never rests is
// read all the same.
constexpr absl::Duration kRest = absl::Milliseconds(200);
constexpr absl::Duration kLongestUnrest = absl::Seconds(1);
constexpr absl::Duration kCompareEvery = absl::Seconds(30);

std::string Lines(const std::vector<Problem>& problems) {
  return absl::StrJoin(problems, "\n", [](std::string* out, const Problem& problem) {
    absl::StrAppend(out, ToText(problem));
  });
}

std::string Percent(double share) { return absl::StrFormat("%.4g %%", share * 100); }

}  // namespace

Reloader::Reloader(EpollLoop* loop, Worker* worker, ConfigPlace place, Outside outside,
                   std::shared_ptr<const ConfigReading> started, Build build)
    : loop_(loop),
      worker_(worker),
      place_(std::move(place)),
      outside_(std::move(outside)),
      started_(std::move(started)),
      build_(std::move(build)),
      config_(started_),
      seen_(started_->footprint),
      watch_(loop,
             [this] {
               last_change_ = loop_->now();
               if (first_change_ == kNever) first_change_ = last_change_;
               wake_.Notify();
             }),
      wake_(loop),
      ended_(loop) {
  state_.loaded = loop->WallTime();
  state_.last_error_at = absl::InfinitePast();
  state_.sources = started_->sources;
}

void Reloader::Start() {
  WatchFiles();
  serving_ = true;
  Spawn(Serve());
}

Task<void> Reloader::Stop() {
  ending_ = true;
  wake_.Notify();
  while (serving_) co_await ended_.Wait(kNever, nullptr);
}

void Reloader::Ask() {
  asked_ = true;
  wake_.Notify();
}

Task<ReloadResult> Reloader::Reload(bool dry_run, std::string by) {
  co_return co_await Try(Reason::kAsked, dry_run, std::move(by));
}

Task<void> Reloader::Serve() {
  // What changed after it was read and before it was watched.
  (void)co_await Try(Reason::kCompare, false, "watch");
  while (!ending_) {
    const Reason reason = co_await NextReason();
    if (ending_) break;
    first_change_ = last_change_ = kNever;
    (void)co_await Try(reason, false, reason == Reason::kAsked ? "SIGHUP" : "watch");
    WatchFiles();
  }
  serving_ = false;
  ended_.Notify();
}

Task<Reloader::Reason> Reloader::NextReason() {
  const Instant compare = loop_->now() + kCompareEvery;
  while (!ending_ && !std::exchange(asked_, false)) {
    const Instant rest = std::min(last_change_ + kRest, first_change_ + kLongestUnrest);
    const Instant until = std::min(rest, compare);
    if (loop_->now() >= until) {
      co_return rest <= compare ? Reason::kChanged : Reason::kCompare;
    }
    (void)co_await wake_.Wait(until, nullptr);
  }
  co_return Reason::kAsked;
}

Task<ReloadResult> Reloader::Try(Reason reason, bool dry_run, std::string by) {
  co_await TakeTurn();
  Trial trial;
  co_await RunOnThread(loop_, [&] { Look(reason, dry_run, &trial); });
  ReloadResult result = Settle(reason, dry_run, by, std::move(trial));
  GiveTurn();
  co_return result;
}

// On the thread. What it reads of this stands still as long as it has the turn.
void Reloader::Look(Reason reason, bool dry_run, Trial* trial) const {
  const absl::Time start = absl::Now();
  if (reason != Reason::kAsked && seen_.Again(outside_) == seen_) return;
  auto reading = std::make_shared<const ConfigReading>(ReadConfiguration(place_, outside_));
  trial->reading = reading;
  trial->problems = reading->Problems();
  const v1::Config& config = reading->loaded.config;
  if (trial->problems.empty() && reading->footprint != config_->footprint) {
    absl::StatusOr<std::shared_ptr<const Snapshot>> built = build_(reading->loaded, dry_run);
    if (built.ok()) {
      trial->snapshot = *std::move(built);
      trial->moved_share = MovedShares(*worker_->snapshot->router, *trial->snapshot->router);
      trial->label_values = LabelValuesOf(config);
    } else {
      trial->problems.push_back({"", 0, "", std::string(built.status().message()), ""});
    }
  }
  if (trial->problems.empty()) trial->needs_restart = NeedsRestart(started_->loaded.config, config);
  trial->took = absl::Now() - start;
}

ReloadResult Reloader::Settle(Reason reason, bool dry_run, const std::string& by, Trial trial) {
  ReloadResult result;
  result.generation = state_.generation;
  if (trial.reading == nullptr) return result;  // nobody asked, and nothing has changed
  result.accepted = trial.problems.empty();
  result.problems = trial.problems;
  result.moved_share = trial.moved_share;
  result.needs_restart = trial.needs_restart;
  if (dry_run) return result;
  seen_ = trial.reading->footprint;
  if (!result.accepted) {
    Reject(by, trial);
  } else if (trial.snapshot != nullptr) {
    Take(by, std::move(trial));
  } else {
    const bool mended = !std::exchange(state_.last_error, "").empty();
    Record("unchanged", trial);
    if (mended || reason == Reason::kAsked) {
      worker_->telemetry->logger()->Log(LogLevel::kInfo, "config.unchanged",
                                        "the configuration is what it was", {{"by", by}});
    }
  }
  result.generation = state_.generation;
  return result;
}

void Reloader::Reject(const std::string& by, const Trial& trial) {
  state_.last_error = Lines(trial.problems);
  state_.last_error_at = loop_->WallTime();
  worker_->telemetry->logger()->Log(
      LogLevel::kWarn, "config.rejected",
      "the configuration has problems: what was served before goes on being served",
      {{"by", by},
       {"generation", state_.generation},
       {"count", static_cast<int64_t>(trial.problems.size())},
       {"problems", state_.last_error}});
  Record("rejected", trial);
}

void Reloader::Take(const std::string& by, Trial trial) {
  Logger& logger = *worker_->telemetry->logger();
  logger.LearnSecrets(trial.reading->loaded.SecretTexts());
  const v1::LogsConfig logs = LogsOf(trial.reading->loaded.config);
  logger.set_level(LogLevelNamed(logs.level()).value_or(LogLevel::kInfo));
  ++state_.generation;
  state_.loaded = loop_->WallTime();
  state_.sources = trial.reading->sources;
  state_.last_error.clear();
  state_.needs_restart = trial.needs_restart;
  Record("ok", trial);
  logger.Log(LogLevel::kInfo, "config.reloaded", "the configuration has changed",
             {{"by", by},
              {"generation", state_.generation},
              {"config", absl::StrJoin(state_.sources, ", ")},
              {"duration_ms", trial.took}});
  for (const auto& [group, share] : trial.moved_share) {
    if (share <= 0) continue;
    logger.Log(LogLevel::kInfo, "config.moved", "users of a group have moved to another candidate",
               {{"group", group}, {"by", by}, {"moved_share", Percent(share)}});
  }
  if (!state_.needs_restart.empty()) {
    logger.Log(LogLevel::kWarn, "config.needs_restart",
               "keys have changed whose new values wait for a restart",
               {{"by", by}, {"keys", absl::StrJoin(state_.needs_restart, ", ")}});
  }
  LogConfigNotes(*trial.reading, &logger);
  worker_->snapshot = std::move(trial.snapshot);
  config_ = std::move(trial.reading);
}

void Reloader::Record(absl::string_view result, const Trial& trial) const {
  ReloadRecord record;
  record.result = result;
  record.generation = state_.generation;
  record.at = state_.loaded;
  record.moved_share = trial.moved_share;
  record.label_values = trial.label_values;
  worker_->telemetry->Reloaded(record);
}

// Each time anew: a folder may have come, gone, or become another one of the same name.
void Reloader::WatchFiles() {
  std::set<std::string> files = config_->footprint.files();
  files.merge(seen_.files());
  watch_.Watch(files, seen_.folders());
}

Task<void> Reloader::TakeTurn() {
  if (!busy_) {
    busy_ = true;
    co_return;
  }
  Signal turn(loop_);
  waiting_.push_back(&turn);
  (void)co_await turn.Wait(kNever, nullptr);  // GiveTurn hands it over
}

void Reloader::GiveTurn() {
  if (waiting_.empty()) {
    busy_ = false;
    return;
  }
  Signal* next = waiting_.front();
  waiting_.pop_front();
  next->Notify();
}

void LogConfigNotes(const ConfigReading& reading, Logger* logger) {
  for (const std::string& warning : reading.loaded.warnings) {
    logger->Log(LogLevel::kWarn, "config.warning", "configuration", {{"detail", warning}});
  }
  for (const std::string& note : reading.notes) {
    logger->Log(LogLevel::kInfo, "config.note", "configuration", {{"detail", note}});
  }
  if (reading.loaded.no_effect.empty()) return;
  logger->Log(LogLevel::kWarn, "config.no_effect",
              "keys of the configuration without effect in this version",
              {{"keys", absl::StrJoin(reading.loaded.no_effect, ", ")}});
}

}  // namespace mg
