#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <initializer_list>
#include <mutex>
#include <sstream>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "base/error.h"
#include "telemetry/process_stats.h"

namespace mg {
namespace {

constexpr absl::string_view kOther = "other";

const std::vector<double> kDurationBounds = {0.005, .01, .025, .05, .1, .25, .5,  1,
                                             2.5,   5,   10,   20,  30, 60,  120, 300};
const std::vector<double> kFirstTokenBounds = {.01, .025, .05, .1, .25, .5, .75, 1,
                                               1.5, 2.5,  5,   10, 20,  30, 60};
const std::vector<double> kInterTokenBounds = {.002, .005, .01, .02, .03, .05, .075, .1, .2, .5, 1};
const std::vector<double> kOverheadBounds = {.0001, .00025, .0005, .001, .0025,
                                             .005,  .01,    .025,  .05,  .1};
const std::vector<double> kGapBounds = {.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300};
const std::vector<double> kAttemptBounds = {1, 2, 3, 4, 6, 8};

// How many series there are, and may be.
class SeriesCount {
 public:
  SeriesCount(size_t most, prometheus::Registry* registry)
      : most_(most),
        folded_(prometheus::BuildCounter()
                    .Name("modelgateway_metrics_folded_total")
                    .Help("Samples that went to a series of \"other\" since metrics.max_series was "
                          "reached.")
                    .Register(*registry)
                    .Add({})) {}

  bool Take(size_t count) {
    if (taken_ + count > most_) return false;
    taken_ += count;
    return true;
  }
  void CountFolded() { folded_.Increment(); }

 private:
  const size_t most_;
  size_t taken_ = 0;
  prometheus::Counter& folded_;
};

// Label values as they are kept and as they are looked for are alike: no text is made for a
// look-up.
struct ValuesHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the name that Abseil wants
  template <typename Values>
  size_t operator()(const Values& values) const {
    size_t hash = 0;
    for (const absl::string_view value : values) hash = absl::HashOf(hash, value);
    return hash;
  }
};
struct ValuesEqual {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the name that Abseil wants
  template <typename Values, typename OtherValues>
  bool operator()(const Values& a, const OtherValues& b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
};

// The series of one metric by their label values, so that a known one costs a look-up and no map of
// labels. Its owner holds a mutex.
template <typename Metric>
class SeriesOf {
 public:
  SeriesOf(prometheus::Family<Metric>& family, std::vector<std::string> labels, SeriesCount* count,
           std::vector<double> bounds = {})
      : family_(family), labels_(std::move(labels)), count_(count), bounds_(std::move(bounds)) {}

  Metric& At(std::initializer_list<absl::string_view> values) {
    const auto found = by_values_.find(values);
    if (found != by_values_.end()) return *found->second;
    // A histogram has a series for each bound, and three more.
    if (!count_->Take(bounds_.empty() ? 1 : bounds_.size() + 3)) {
      count_->CountFolded();
      if (folded_ == nullptr) {
        folded_ = &Make(std::vector<absl::string_view>(labels_.size(), kOther));
      }
      return *folded_;
    }
    Metric& made = Make(values);
    by_values_.emplace(std::vector<std::string>(values.begin(), values.end()), &made);
    return made;
  }

 private:
  Metric& Make(const std::vector<absl::string_view>& values) {
    prometheus::Labels labels;
    for (size_t i = 0; i < labels_.size(); ++i) labels[labels_[i]] = std::string(values[i]);
    if constexpr (std::is_same_v<Metric, prometheus::Histogram>) {
      return family_.Add(labels, bounds_);
    } else {
      return family_.Add(labels);
    }
  }

  prometheus::Family<Metric>& family_;
  const std::vector<std::string> labels_;
  SeriesCount* const count_;
  const std::vector<double> bounds_;
  absl::flat_hash_map<std::vector<std::string>, Metric*, ValuesHash, ValuesEqual> by_values_;
  Metric* folded_ = nullptr;
};

using Counters = SeriesOf<prometheus::Counter>;
using Gauges = SeriesOf<prometheus::Gauge>;
using Histograms = SeriesOf<prometheus::Histogram>;

prometheus::MetricFamily Single(const char* name, const char* help, prometheus::MetricType type,
                                double value) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  family.metric.resize(1);
  family.metric[0].counter.value = value;
  family.metric[0].gauge.value = value;
  return family;
}

// Consecutive samples of one name are one family.
void AddSamples(const std::vector<GaugeSample>& samples,
                std::vector<prometheus::MetricFamily>* families) {
  for (const GaugeSample& sample : samples) {
    if (families->empty() || families->back().name != sample.name) {
      families->emplace_back();
      families->back().name = sample.name;
      families->back().help = sample.help;
      families->back().type = prometheus::MetricType::Gauge;
    }
    prometheus::ClientMetric& metric = families->back().metric.emplace_back();
    for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
    metric.gauge.value = sample.value;
  }
}

void AddProcess(std::vector<prometheus::MetricFamily>* families) {
  constexpr auto kCounter = prometheus::MetricType::Counter;
  constexpr auto kGauge = prometheus::MetricType::Gauge;
  const ProcessStats stats = ReadProcessStats();
  const auto add = [families](const char* name, const char* help, prometheus::MetricType type,
                              double value) {
    families->push_back(Single(name, help, type, value));
  };
  add("process_cpu_seconds_total", "CPU time, user and system.", kCounter, stats.cpu_seconds);
  add("process_resident_memory_bytes", "Resident memory.", kGauge,
      static_cast<double>(stats.resident_bytes));
  add("process_virtual_memory_bytes", "Virtual memory.", kGauge,
      static_cast<double>(stats.virtual_bytes));
  add("process_open_fds", "Open file descriptors.", kGauge,
      static_cast<double>(stats.open_descriptors));
  add("process_max_fds", "The most file descriptors there may be.", kGauge,
      static_cast<double>(stats.max_descriptors));
  add("process_start_time_seconds", "When the process started, in seconds since 1970.", kGauge,
      absl::ToDoubleSeconds(stats.started - absl::UnixEpoch()));
}

// Mean time between the tokens of a stream; nullopt where there are not two.
std::optional<double> TimeBetweenTokens(const CallRecord& record) {
  if (!record.stream || !record.status.ok() || !record.first_content.has_value()) {
    return std::nullopt;
  }
  const int64_t tokens =
      record.usage.has_output_tokens() ? record.usage.output_tokens() : record.output_events;
  if (tokens < 2) return std::nullopt;
  return absl::ToDoubleSeconds(record.end - *record.first_content) /
         static_cast<double>(tokens - 1);
}

}  // namespace

class Metrics::Families {
 public:
  explicit Families(MetricsOptions options)
      : names_(options.label_values.begin(), options.label_values.end()),
        log_dropped_(std::move(options.log_dropped)),
        state_(std::move(options.state)),
        count_(options.max_series, &registry_) {
    prometheus::BuildGauge()
        .Name("modelgateway_build_info")
        .Help("The version that runs; always 1.")
        .Register(registry_)
        .Add({{"version", options.version}})
        .Set(1);
    generation_.At({}).Set(1);
    reload_failed_.At({}).Set(0);
  }

  void Started(const CallRecord& record) {
    const std::lock_guard<std::mutex> lock(mutex_);
    inflight_.At({record.op}).Increment();
    if (record.stream) streams_.At({}).Increment();
  }

  void Ended(const CallRecord& record) {
    const std::lock_guard<std::mutex> lock(mutex_);
    inflight_.At({record.op}).Decrement();
    if (record.stream) streams_.At({}).Decrement();
    RecordCall(record);
    RecordTimes(record);
    for (size_t i = 0; i < record.attempts.size(); ++i) RecordAttempt(record, i);
  }

  void BreakerTold(const BreakerRecord& record) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (record.stale) stale_verdicts_.At({}).Increment();
    if (*record.probe != '\0') probes_.At({record.probe}).Increment();
    if (*record.to == '\0') return;
    transitions_
        .At({Known(record.provider), Known(record.model),
             record.model.empty() ? "endpoint" : "target", record.from, record.to, record.reason})
        .Increment();
  }

  void Reloaded(const ReloadRecord& record) {
    const std::lock_guard<std::mutex> lock(mutex_);
    names_.insert(record.label_values.begin(), record.label_values.end());
    reloads_.At({record.result}).Increment();
    generation_.At({}).Set(static_cast<double>(record.generation));
    reload_failed_.At({}).Set(record.result == "rejected" ? 1 : 0);
    if (record.result != "ok") return;
    reload_success_.At({}).Set(absl::ToDoubleSeconds(record.at - absl::UnixEpoch()));
    for (const auto& [group, share] : record.moved_share) moved_share_.At({group}).Set(share);
  }

  std::string Expose() const {
    std::vector<prometheus::MetricFamily> families = registry_.Collect();
    if (log_dropped_) {
      families.push_back(Single("modelgateway_log_dropped_total",
                                "Log lines that were dropped since stdout did not keep up.",
                                prometheus::MetricType::Counter,
                                static_cast<double>(log_dropped_())));
    }
    if (state_) AddSamples(state_(), &families);
    AddProcess(&families);
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families);
    return text.str();
  }

 private:
  // Empty stays empty: no provider was asked.
  absl::string_view Known(absl::string_view value) const {
    return value.empty() || names_.contains(value) ? value : kOther;
  }

  void RecordCall(const CallRecord& record) {
    const Outcome outcome = OutcomeOf(record);
    const absl::string_view provider = Known(record.provider);
    requests_
        .At({record.op, Known(record.group), Known(record.alias_label), provider,
             record.stream ? "true" : "false", OutcomeName(outcome),
             CodeName(record.status.code())})
        .Increment();
    if (!record.attempts.empty()) {
      attempts_of_request_.At({record.op}).Observe(static_cast<double>(record.attempts.size()));
    }
    if (record.queued > absl::ZeroDuration()) {
      queue_wait_.At({}).Observe(absl::ToDoubleSeconds(record.queued));
    }
    if (record.hash_key_missing) hash_key_missing_.At({Known(record.group)}).Increment();
    if (record.status.ok()) return;
    const v1::ErrorDetail detail = DetailOf(record.status);
    const absl::string_view kind = KindName(detail.kind());
    errors_.At({record.op, provider, kind, FaultOf(detail)}).Increment();
    if (outcome == Outcome::kRefused) rejected_.At({kind}).Increment();
  }

  void RecordTimes(const CallRecord& record) {
    const absl::string_view provider = Known(record.provider);
    const absl::string_view model = Known(record.model);
    duration_.At({record.op, model, provider, OutcomeName(OutcomeOf(record))})
        .Observe(absl::ToDoubleSeconds(record.end - record.start));
    overhead_.At({record.op}).Observe(absl::ToDoubleSeconds(OverheadOf(record, record.end)));
    if (record.stream && record.first_content.has_value()) {
      first_token_.At({record.op, model, provider})
          .Observe(absl::ToDoubleSeconds(*record.first_content - record.start));
    }
    const std::optional<double> between = TimeBetweenTokens(record);
    if (between.has_value()) inter_token_.At({model, provider}).Observe(*between);
  }

  void RecordAttempt(const CallRecord& record, size_t index) {
    const AttemptRecord& attempt = record.attempts[index];
    const bool ok = attempt.status.ok();
    const absl::string_view provider = Known(attempt.provider);
    const absl::string_view model = Known(attempt.model);
    const absl::string_view outcome = ok ? "ok" : KindName(DetailOf(attempt.status).kind());
    attempts_.At({provider, model, outcome, ClassNameOf(attempt), attempt.stage}).Increment();
    upstream_duration_.At({provider, model, outcome})
        .Observe(absl::ToDoubleSeconds(attempt.ended - attempt.started));
    if (attempt.longest_gap.has_value()) {
      stream_gap_.At({}).Observe(absl::ToDoubleSeconds(*attempt.longest_gap));
    }
    RecordTokens(attempt.usage, model, provider);
    if (attempt.budget_denied) budget_denied_.At({provider}).Increment();
    if (!ok && ClassOf(attempt.status) == ErrorClass::kCancel)
      upstream_cancelled_.At({}).Increment();
    if (index == 0) return;
    const AttemptRecord& before = record.attempts[index - 1];
    if (before.candidate == attempt.candidate) {
      retries_.At({provider, ClassNameOf(before)}).Increment();
    } else {
      fallbacks_.At({Known(before.provider), provider, ClassNameOf(before), ok ? "ok" : "error"})
          .Increment();
    }
  }

  void RecordTokens(const v1::Usage& usage, absl::string_view model, absl::string_view provider) {
    const auto add = [&](absl::string_view kind, bool has, int32_t tokens) {
      if (has && tokens > 0) tokens_.At({model, provider, kind}).Increment(tokens);
    };
    add("input", usage.has_input_tokens(), usage.input_tokens());
    add("output", usage.has_output_tokens(), usage.output_tokens());
    add("cache_read", usage.has_cached_input_tokens(), usage.cached_input_tokens());
    add("cache_write", usage.has_cache_write_tokens(), usage.cache_write_tokens());
    add("reasoning", usage.has_reasoning_tokens(), usage.reasoning_tokens());
  }

  static absl::string_view ClassNameOf(const AttemptRecord& attempt) {
    return attempt.status.ok() ? "" : RuleOf(ClassOf(attempt.status)).name;
  }
  static absl::string_view FaultOf(const v1::ErrorDetail& detail) {
    for (const absl::string_view fault : {"caller", "provider", "gateway"}) {
      if (detail.fault() == fault) return fault;
    }
    return kOther;
  }

  Counters CounterOf(const char* name, const char* help, std::vector<std::string> labels) {
    return Counters(prometheus::BuildCounter().Name(name).Help(help).Register(registry_),
                    std::move(labels), &count_);
  }
  Gauges GaugeOf(const char* name, const char* help, std::vector<std::string> labels) {
    return Gauges(prometheus::BuildGauge().Name(name).Help(help).Register(registry_),
                  std::move(labels), &count_);
  }
  Histograms HistogramOf(const char* name, const char* help, std::vector<std::string> labels,
                         const std::vector<double>& bounds) {
    return Histograms(prometheus::BuildHistogram().Name(name).Help(help).Register(registry_),
                      std::move(labels), &count_, bounds);
  }

  absl::flat_hash_set<std::string> names_;  // guarded by mutex_
  const std::function<uint64_t()> log_dropped_;
  const std::function<std::vector<GaugeSample>()> state_;
  prometheus::Registry registry_;
  std::mutex mutex_;
  SeriesCount count_;  // guarded by mutex_, as all that follows
  Counters requests_ =
      CounterOf("modelgateway_requests_total", "Calls of applications, by how they ended.",
                {"op", "group", "alias", "provider", "stream", "status", "code"});
  Histograms duration_ =
      HistogramOf("modelgateway_request_duration_seconds", "Time from the request to its end.",
                  {"op", "model", "provider", "status"}, kDurationBounds);
  Histograms first_token_ = HistogramOf(
      "modelgateway_time_to_first_token_seconds",
      "Time from the request to the first content that was written to the caller; streams only.",
      {"op", "model", "provider"}, kFirstTokenBounds);
  Histograms inter_token_ = HistogramOf("modelgateway_inter_token_latency_seconds",
                                        "Mean time between the tokens of a stream, one a request.",
                                        {"model", "provider"}, kInterTokenBounds);
  Histograms overhead_ =
      HistogramOf("modelgateway_overhead_seconds",
                  "Time of a call that was neither back-off nor waiting for providers.", {"op"},
                  kOverheadBounds);
  Counters errors_ =
      CounterOf("modelgateway_errors_total", "Calls that failed, by what and by whom.",
                {"op", "provider", "error_type", "fault"});
  Counters attempts_ =
      CounterOf("modelgateway_upstream_attempts_total",
                "Attempts at providers, by what became of them and where they ended.",
                {"provider", "model", "outcome", "class", "stage"});
  Histograms upstream_duration_ =
      HistogramOf("modelgateway_upstream_duration_seconds", "Duration of an attempt.",
                  {"provider", "model", "outcome"}, kDurationBounds);
  Counters retries_ = CounterOf("modelgateway_retries_total",
                                "Attempts at the candidate that had just failed, by its failure.",
                                {"provider", "reason"});
  Counters fallbacks_ =
      CounterOf("modelgateway_fallbacks_total",
                "Attempts at another candidate than the one that had just failed, by its failure.",
                {"from_provider", "to_provider", "reason", "result"});
  Histograms attempts_of_request_ = HistogramOf(
      "modelgateway_request_attempts", "Attempts of a call that made any.", {"op"}, kAttemptBounds);
  Counters tokens_ = CounterOf(
      "modelgateway_tokens_total",
      "Tokens, as providers counted them; cache_read, cache_write and reasoning are shares "
      "of input and output.",
      {"model", "provider", "kind"});
  Gauges inflight_ = GaugeOf("modelgateway_inflight_requests", "Calls under way.", {"op"});
  Gauges streams_ = GaugeOf("modelgateway_stream_active", "Streaming calls under way.", {});
  Counters rejected_ = CounterOf("modelgateway_rejected_total",
                                 "Calls that ended before any attempt was made.", {"reason"});
  Counters transitions_ =
      CounterOf("modelgateway_breaker_transitions_total",
                "Changes of circuit breakers; the model is empty for that of a whole endpoint.",
                {"provider", "model", "scope", "from", "to", "reason"});
  Counters stale_verdicts_ =
      CounterOf("modelgateway_breaker_stale_verdicts_total",
                "Ends of attempts that came after their breaker had changed.", {});
  Counters probes_ = CounterOf("modelgateway_breaker_probes_total",
                               "Attempts that tried whether it works again.", {"verdict"});
  Counters budget_denied_ = CounterOf(
      "modelgateway_retry_budget_denied_total",
      "Repetitions that were due and not made, since the retry budget was spent.", {"provider"});
  Counters upstream_cancelled_ =
      CounterOf("modelgateway_upstream_cancelled_total",
                "Attempts that were given up since the caller had gone.", {});
  Histograms queue_wait_ = HistogramOf("modelgateway_queue_wait_seconds",
                                       "Time that calls waited for a slot.", {}, kFirstTokenBounds);
  Histograms stream_gap_ =
      HistogramOf("modelgateway_stream_idle_gap_seconds",
                  "The longest silence of a provider's stream after its first content; "
                  "timeouts.stream_idle ends one.",
                  {}, kGapBounds);
  Counters hash_key_missing_ =
      CounterOf("modelgateway_hash_key_missing_total",
                "Calls of a hashed group that had nothing to hash.", {"group"});
  Counters reloads_ =
      CounterOf("modelgateway_config_reloads_total",
                "Reloads of the configuration, by what became of them.", {"result"});
  Gauges generation_ = GaugeOf("modelgateway_config_generation",
                               "The configuration that is served, counted from 1 at start.", {});
  Gauges reload_failed_ =
      GaugeOf("modelgateway_config_last_reload_failed",
              "1 while the last configuration that was there could not be taken.", {});
  Gauges reload_success_ =
      GaugeOf("modelgateway_config_reload_last_success_timestamp_seconds",
              "When a changed configuration was last taken, in seconds since 1970.", {});
  Gauges moved_share_ =
      GaugeOf("modelgateway_reload_moved_share",
              "Share of users that the last change of the configuration moved.", {"group"});
};

Metrics::Metrics(MetricsOptions options)
    : families_(std::make_unique<Families>(std::move(options))) {}
Metrics::~Metrics() = default;

void Metrics::CallStarted(const CallRecord& record) { families_->Started(record); }
void Metrics::BreakerTold(const BreakerRecord& record) { families_->BreakerTold(record); }
void Metrics::Reloaded(const ReloadRecord& record) { families_->Reloaded(record); }
void Metrics::CallEnded(const CallRecord& record) { families_->Ended(record); }
std::string Metrics::Expose() const { return families_->Expose(); }

}  // namespace mg
