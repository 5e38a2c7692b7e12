// Takes up a configuration that changes while the daemon runs (spec/resilience.md §3.13). Files and
// folders that were read, those of secrets included, are watched; every 30 seconds they are
// compared all the same. What was found is read, checked and built on a thread of its own and
// handed to the loop as one finished snapshot: calls that are under way keep theirs. What is not
// whole and free of problems changes nothing. Owned by main; the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "daemon/config/reading.h"
#include "daemon/runtime/epoll_loop.h"
#include "daemon/runtime/folder_watch.h"
#include "daemon/runtime/signal.h"
#include "daemon/snapshot.h"
#include "daemon/worker.h"

namespace mg {

// What is served, and what became of the last attempt to serve something else.
struct ConfigState {
  int64_t generation = 1;            // from 1, one more with each configuration that was taken
  absl::Time loaded;                 // when it was
  std::vector<std::string> sources;  // files by name, the lowest layer first
  std::string last_error;            // a line for each problem; empty: the last was good
  absl::Time last_error_at;          // of the last error there was; the past: none
  std::vector<std::string> needs_restart;  // keys whose new values wait for one
};

struct ReloadResult {
  bool accepted = false;          // it is free of problems; unless it was a dry run, it is served
  int64_t generation = 0;         // that is served now
  std::vector<Problem> problems;  // why it is not accepted
  std::map<std::string, double> moved_share;  // by hashed group, of users (routing/moved_share.h)
  std::vector<std::string> needs_restart;     // as in ConfigState
};

class Reloader {
 public:
  // Called on a thread of its own: what it shares with the loop must have a mutex. With `dry_run`
  // nothing that lasts may change.
  using Build = std::function<absl::StatusOr<std::shared_ptr<const Snapshot>>(const LoadedConfig&,
                                                                              bool dry_run)>;

  // `started`: what the daemon runs with, without problems. The worker's snapshot is replaced.
  Reloader(EpollLoop* loop, Worker* worker, ConfigPlace place, Outside outside,
           std::shared_ptr<const ConfigReading> started, Build build);

  // Begins to watch. Stop must have come back before the loop ends for good.
  void Start();
  Task<void> Stop();

  // SIGHUP: reads everything anew, soon, and tells in the log what came of it.
  void Ask();

  // The same at once; `by` is who wants it, for the log. With `dry_run` nothing changes. Several at
  // a time take turns.
  Task<ReloadResult> Reload(bool dry_run, std::string by);

  ConfigState State() const { return state_; }
  // What is served, for whoever shows it.
  std::shared_ptr<const ConfigReading> config() const { return config_; }

 private:
  // One look at the configuration, made on a thread.
  struct Trial {
    std::shared_ptr<const ConfigReading> reading;  // null: as it was at the last look
    std::shared_ptr<const Snapshot> snapshot;      // null: not taken, or the one that is served
    std::vector<Problem> problems;
    std::map<std::string, double> moved_share;
    std::vector<std::string> needs_restart;
    std::vector<std::string> label_values;
    absl::Duration took;
  };
  enum class Reason { kChanged, kCompare, kAsked };

  Task<void> Serve();
  Task<Reason> NextReason();
  Task<ReloadResult> Try(Reason reason, bool dry_run, std::string by);
  void Look(Reason reason, bool dry_run, Trial* trial) const;

  ReloadResult Settle(Reason reason, bool dry_run, const std::string& by, Trial trial);
  void Reject(const std::string& by, const Trial& trial);
  void Take(const std::string& by, Trial trial);
  void Record(absl::string_view result, const Trial& trial) const;
  void WatchFiles();

  Task<void> TakeTurn();
  void GiveTurn();

  EpollLoop* const loop_;
  Worker* const worker_;
  const ConfigPlace place_;
  const Outside outside_;
  const std::shared_ptr<const ConfigReading> started_;
  const Build build_;
  std::shared_ptr<const ConfigReading> config_;  // that is served
  Footprint seen_;                               // of the last look, whatever came of it
  ConfigState state_;

  FolderWatch watch_;
  Signal wake_;
  Signal ended_;
  bool serving_ = false;
  bool ending_ = false;
  bool asked_ = false;
  Instant first_change_ = kNever;  // that no look has followed yet
  Instant last_change_ = kNever;
  bool busy_ = false;
  std::deque<Signal*> waiting_;  // for their turn
};

// The lines that a configuration brings with it, at start and with each reload: warnings, notes,
// and keys without effect.
void LogConfigNotes(const ConfigReading& reading, Logger* logger);

}  // namespace mg
