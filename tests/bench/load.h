// What both load programs of the benchmark share: their options, and the one line of JSON that they
// print at the end. Header only; used by one thread.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace mg::bench {

using Clock = std::chrono::steady_clock;

struct LoadOptions {
  std::string address;  // 127.0.0.1:PORT
  std::string model;    // of the gateway; or the path, over HTTP
  int in_flight = 1;
  int calls = 0;                       // 0: as many as fit into `time`
  std::chrono::milliseconds time{0};   // when the last call may begin
  std::chrono::milliseconds pause{0};  // between two calls of one caller
  bool stream = false;
};

// NAME=VALUE for each; a program of the benchmark is only ever called by tests/bench/run.
inline LoadOptions ParseLoadOptions(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals != std::string::npos)
      given[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  const auto number = [&given](const char* name) { return std::atoi(given[name].c_str()); };
  LoadOptions options;
  options.address = given["address"];
  options.model = given["model"];
  options.in_flight = std::max(1, number("in_flight"));
  options.calls = number("calls");
  options.time = std::chrono::milliseconds(number("time_ms"));
  options.pause = std::chrono::milliseconds(number("pause_ms"));
  options.stream = number("stream") != 0;
  if (options.address.empty() || options.model.empty() ||
      (options.calls == 0 && options.time.count() == 0)) {
    std::fprintf(stderr, "address=, model= and one of calls= and time_ms= are needed\n");
    std::exit(2);
  }
  return options;
}

// What was measured. A call's latency is that of its whole answer, a stream's that of its first
// content.
class Tally {
 public:
  explicit Tally(const LoadOptions& options) : options_(options), begin_(Clock::now()) {}

  // True if one more call is to begin; counts it.
  bool Begin() {
    const bool more =
        options_.calls > 0 ? begun_ < options_.calls : Clock::now() - begin_ < options_.time;
    if (more) ++begun_;
    return more;
  }
  void Good(Clock::duration latency) {
    latencies_.push_back(std::chrono::duration<double, std::micro>(latency).count());
  }
  void Bad(const std::string& why) {
    if (bad_++ == 0) first_bad_ = why;
  }

  // Returns the exit code.
  int Print() {
    std::sort(latencies_.begin(), latencies_.end());
    if (bad_ > 0) std::fprintf(stderr, "first failure: %s\n", first_bad_.c_str());
    std::printf("{\"good\": %zu, \"bad\": %d, \"seconds\": %.3f, \"p50\": %.1f, \"p99\": %.1f}\n",
                latencies_.size(), bad_,
                std::chrono::duration<double>(Clock::now() - begin_).count(), Quantile(0.5),
                Quantile(0.99));
    return bad_ == 0 && !latencies_.empty() ? 0 : 1;
  }

 private:
  double Quantile(double q) const {
    if (latencies_.empty()) return 0;
    return latencies_[static_cast<size_t>(q * static_cast<double>(latencies_.size() - 1))];
  }

  const LoadOptions& options_;
  Clock::time_point begin_;
  int begun_ = 0;
  int bad_ = 0;
  std::string first_bad_;
  std::vector<double> latencies_;  // µs
};

}  // namespace mg::bench
