// All that the daemon tells of its calls: metrics, the access log, later spans. Owned by main,
// shared by all workers.
#pragma once

#include <string>

#include "telemetry/breaker_record.h"
#include "telemetry/call_record.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace mg {

class Telemetry {
 public:
  // `logger` must outlive this. What it has dropped becomes a metric.
  Telemetry(Logger* logger, MetricsOptions options);

  void CallStarted(const CallRecord& record) { metrics_.CallStarted(record); }
  // Exactly once for each call that has started, whatever became of it.
  void CallEnded(const CallRecord& record);

  void BreakerTold(const BreakerRecord& record);
  void Reloaded(const ReloadRecord& record) { metrics_.Reloaded(record); }

  // The page /metrics, in the text format of Prometheus.
  std::string Expose() const { return metrics_.Expose(); }
  Logger* logger() const { return logger_; }

 private:
  Logger* const logger_;
  Metrics metrics_;
};

}  // namespace mg
