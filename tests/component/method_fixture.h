// Chat as the daemon serves it: a real configuration, the record of each call and what metrics and
// log tell of it, under virtual time, over an HTTP client whose answers the test writes down.
// Metrics and lines are read as operators read them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "daemon/build_snapshot.h"
#include "daemon/chat_method.h"
#include "daemon/config/effective.h"
#include "daemon/live_view.h"
#include "tests/component/recording_rpc.h"
#include "tests/component/scripted_http.h"
#include "tests/support/virtual_loop.h"

namespace mg {

// A provider of the OpenAI dialect whose exchanges ScriptedHttp::Always knows by this name.
inline std::string Scripted(const std::string& name) {
  return absl::StrCat("  ", name, ": { openai_compatible: { base_url: \"http://", name,
                      ".test/v1\", allow_insecure: true } }\n");
}

inline v1::ChatRequest AskOf(const std::string& model) {
  v1::ChatRequest request;
  request.set_model(model);
  v1::Message* message = request.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text("hello");
  return request;
}

class MethodFixture {
 public:
  // A call of a caller of its own.
  struct Outcome {
    RecordingRpc rpc;
    bool ended = false;
    Instant ended_at;
    absl::Status status;
  };

  explicit MethodFixture(const std::string& config) : http(&loop), log_(std::tmpfile()) {
    Outside outside;
    outside.variable = [](const std::string&) { return std::nullopt; };
    outside.file = [](const std::string&, size_t) { return absl::NotFoundError("none"); };
    const LoadedConfig loaded = LoadConfig({config, "test"}, outside);
    EXPECT_TRUE(loaded.ok()) << ToText(loaded.problems);
    auto snapshot = BuildSnapshot(loaded, &lasting_, loop.now());
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    LogOptions log;
    log.fd = fileno(log_);
    log.format = LogFormat::kJson;
    logger_ = std::make_unique<Logger>(log);
    MetricsOptions metrics;
    metrics.label_values = LabelValuesOf(loaded.config);
    metrics.state = [this] { return StateSamples(*worker.snapshot, loop.now(), loop.WallTime()); };
    telemetry_ = std::make_unique<Telemetry>(logger_.get(), std::move(metrics));
    worker.loop = &loop;
    worker.http = &http;
    worker.telemetry = telemetry_.get();
    worker.snapshot = *snapshot;
  }
  MethodFixture(const MethodFixture&) = delete;
  MethodFixture& operator=(const MethodFixture&) = delete;
  ~MethodFixture() {
    telemetry_.reset();
    logger_.reset();
    std::fclose(log_);
  }

  // Begins the call; it goes on when the loop runs.
  std::shared_ptr<Outcome> Begin(const v1::ChatRequest& request, bool stream) {
    auto outcome = std::make_shared<Outcome>();
    Spawn(Serve(this, std::make_unique<v1::ChatRequest>(request), stream, outcome));
    return outcome;
  }
  // From its beginning to its end; the clock stands where it ended.
  std::shared_ptr<Outcome> Call(const v1::ChatRequest& request, bool stream = false) {
    std::shared_ptr<Outcome> outcome = Begin(request, stream);
    while (!outcome->ended && loop.Step()) {
    }
    return outcome;
  }

  // The sum of a metric's series that have this in them ("reason=\"auth\""); -1: none has.
  double Metric(const std::string& name, const std::string& label = "") const {
    const std::string page = telemetry_->Expose();
    bool found = false;
    double sum = 0;
    for (const absl::string_view line : absl::StrSplit(page, '\n')) {
      if (!absl::StartsWith(line, name + "{") && !absl::StartsWith(line, name + " ")) continue;
      double value = 0;
      if (!absl::StrContains(line, label) ||
          !absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) {
        continue;
      }
      found = true;
      sum += value;
    }
    return found ? sum : -1;
  }
  // How many lines of the log are of this event.
  int Lines(const std::string& event) {
    logger_->Flush(absl::Seconds(10));
    std::string text(size_t{1} << 20, '\0');
    const ssize_t length = pread(fileno(log_), text.data(), text.size(), 0);
    text.resize(length > 0 ? static_cast<size_t>(length) : 0);
    const std::string mark = absl::StrCat("\"event\":\"", event, "\"");
    int count = 0;
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      count += absl::StrContains(line, mark) ? 1 : 0;
    }
    return count;
  }

  VirtualLoop loop;
  ScriptedHttp http;
  Worker worker;

 private:
  static Task<void> Serve(MethodFixture* fixture, std::unique_ptr<v1::ChatRequest> request,
                          bool stream, std::shared_ptr<Outcome> outcome) {
    ChatMethod method(&fixture->worker, stream);
    outcome->status = co_await method.Serve(outcome->rpc, std::move(request));
    outcome->ended = true;
    outcome->ended_at = fixture->loop.now();
  }

  Lasting lasting_{1};
  std::FILE* const log_;
  std::unique_ptr<Logger> logger_;
  std::unique_ptr<Telemetry> telemetry_;
};

}  // namespace mg
