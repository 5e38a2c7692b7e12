// The Prometheus metrics of spec/observability.md §6.1 that the path of a call can fill. Label
// values come from the configuration or from closed lists of ours, anything else is "other", and
// the number of series has a hard cap: beyond it new ones fold into a series that is "other"
// throughout. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "telemetry/breaker_record.h"
#include "telemetry/call_record.h"

namespace mg {

// A value that is read when the page is made.
struct GaugeSample {
  const char* name = "";
  const char* help = "";
  std::vector<std::pair<const char*, std::string>> labels;
  double value = 0;
};

struct MetricsOptions {
  // Aliases, groups, pairs, providers and models that the configuration names.
  std::vector<std::string> label_values;
  size_t max_series = 10000;
  std::string version;
  std::function<uint64_t()> log_dropped;  // asked at each scrape
  // Likewise: samples of one name stand together.
  std::function<std::vector<GaugeSample>()> state;
};

// What became of a reload of the configuration.
struct ReloadRecord {
  absl::string_view result;  // ok | rejected | unchanged
  int64_t generation = 0;    // that is served now
  absl::Time at;
  std::map<std::string, double> moved_share;  // by group; of result ok
  std::vector<std::string> label_values;      // further ones; of result ok
};

class Metrics {
 public:
  explicit Metrics(MetricsOptions options);
  ~Metrics();

  void CallStarted(const CallRecord& record);
  // Exactly once for each call that has started.
  void CallEnded(const CallRecord& record);
  // Names that were known stay known: calls that are under way may still end by them.
  void Reloaded(const ReloadRecord& record);

  void BreakerTold(const BreakerRecord& record);

  // In the text format, version 0.0.4.
  std::string Expose() const;

 private:
  class Families;
  std::unique_ptr<Families> families_;
};

}  // namespace mg
