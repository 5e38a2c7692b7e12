#include "telemetry/telemetry.h"

#include <utility>

namespace mg {
namespace {

MetricsOptions WithDropped(MetricsOptions options, const Logger* logger) {
  options.log_dropped = [logger] { return logger->dropped(); };
  return options;
}

}  // namespace

Telemetry::Telemetry(Logger* logger, MetricsOptions options)
    : logger_(logger), metrics_(WithDropped(std::move(options), logger)) {}

void Telemetry::CallEnded(const CallRecord& record) {
  metrics_.CallEnded(record);
  logger_->LogCall(record);
}

void Telemetry::BreakerTold(const BreakerRecord& record) {
  metrics_.BreakerTold(record);
  if (*record.to != '\0') logger_->LogBreaker(record);
}

}  // namespace mg
