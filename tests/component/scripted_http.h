// An HttpClient whose answers a test writes down, under the test's own time: what comes when, and
// how it ends. Records what was asked and which exchanges were given up before their end.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "daemon/runtime/http_client.h"
#include "tests/support/virtual_loop.h"

namespace mg {

struct Script {
  enum class End { kEof, kReset, kStall };
  struct Piece {
    absl::Duration after;  // the one before it
    std::string bytes;
  };

  int status = 200;
  HttpHeaders headers = {{"content-type", "application/json"}};
  absl::Duration head_after;
  absl::Status connect_error;  // instead of everything: comes at head_after
  std::vector<Piece> pieces;
  End end = End::kEof;

  static Script Json(int status, std::string body) {
    Script script;
    script.status = status;
    script.pieces.push_back({absl::ZeroDuration(), std::move(body)});
    return script;
  }
  static Script Sse(std::vector<std::string> data, absl::Duration pace = absl::ZeroDuration()) {
    Script script;
    script.headers = {{"content-type", "text/event-stream"}};
    for (std::string& line : data) {
      script.pieces.push_back({pace, "data: " + std::move(line) + "\n\n"});
    }
    return script;
  }
  static Script Refused() {
    Script script;
    script.connect_error = MakeError(ErrorClass::kConnect, "connection refused");
    return script;
  }
  Script With(std::string name, std::string value) && {
    headers.push_back({std::move(name), std::move(value)});
    return std::move(*this);
  }
  Script EndsBy(End how) && {
    end = how;
    return std::move(*this);
  }
  Script HeadAfter(absl::Duration duration) && {
    head_after = duration;
    return std::move(*this);
  }
};

class ScriptedHttp final : public HttpClient {
 public:
  explicit ScriptedHttp(VirtualLoop* loop) : loop_(loop) {}

  // The next exchange, to whatever URL, gets this.
  ScriptedHttp& Then(Script script) {
    scripts_.push_back(std::move(script));
    return *this;
  }
  ScriptedHttp& Then(const Script& script, int times) {
    for (int i = 0; i < times; ++i) scripts_.push_back(script);
    return *this;
  }
  // Once those are spent, each exchange with this provider gets that.
  void Always(const std::string& provider, Script script) {
    always_["http://" + provider + ".test"] = std::move(script);
  }

  // In place of scripts: what each exchange gets, by its URL.
  void Generate(std::function<Script(const std::string& url)> generator) {
    generator_ = std::move(generator);
  }

  struct Hit {
    HttpRequest request;
    Instant at;
    bool given_up = false;  // destroyed before its end
  };
  const std::vector<std::unique_ptr<Hit>>& hits() const { return hits_; }

  std::unique_ptr<HttpExchange> Start(HttpRequest request, const HttpEndpoint& /*endpoint*/,
                                      absl::Duration /*connect_timeout*/) override {
    hits_.push_back(std::make_unique<Hit>(Hit{std::move(request), loop_->now()}));
    Script script = NextFor(hits_.back()->request.url);
    return std::make_unique<Exchange>(loop_, std::move(script), hits_.back().get());
  }

 private:
  Script NextFor(const std::string& url) {
    if (generator_) return generator_(url);
    if (!scripts_.empty()) {
      Script script = std::move(scripts_.front());
      scripts_.pop_front();
      return script;
    }
    const size_t end = url.find('/', std::string("http://").size());
    const auto found = always_.find(url.substr(0, end));
    RequireScript(found != always_.end());
    return found->second;
  }
  static void RequireScript(bool there) {
    if (!there) {
      std::fprintf(stderr, "an exchange was begun for which the test has no script\n");
      std::abort();
    }
  }

  class Exchange final : public HttpExchange {
   public:
    Exchange(VirtualLoop* loop, Script script, Hit* hit)
        : loop_(loop),
          script_(std::move(script)),
          hit_(hit),
          ready_at_(loop->now() + script_.head_after),
          signal_(loop) {
      head_.status = script_.status;
      head_.headers = script_.headers;
    }
    ~Exchange() override { hit_->given_up = !ended_; }

    Task<absl::StatusOr<const HttpHead*>> Head(Instant until, Cancellation* cancellation) override {
      absl::Status status = co_await WaitFor(ready_at_, until, cancellation);
      if (!status.ok()) co_return status;
      if (!script_.connect_error.ok()) {
        ended_ = true;
        co_return script_.connect_error;
      }
      co_return &head_;
    }

    Task<absl::StatusOr<std::string>> Read(Instant until, Cancellation* cancellation) override {
      if (next_ < script_.pieces.size()) {
        const Script::Piece& piece = script_.pieces[next_];
        if (!armed_) ready_at_ = std::max(ready_at_, loop_->now()) + piece.after;
        armed_ = true;
        absl::Status status = co_await WaitFor(ready_at_, until, cancellation);
        if (!status.ok()) co_return status;
        armed_ = false;
        ++next_;
        co_return piece.bytes;
      }
      if (script_.end == Script::End::kStall) {
        co_return co_await WaitFor(kNever, until, cancellation);
      }
      ended_ = true;
      if (script_.end == Script::End::kReset) {
        co_return MakeError(ErrorClass::kReset, "connection reset");
      }
      co_return std::string();
    }

    bool sent() const override { return loop_->now() >= ready_at_ && script_.connect_error.ok(); }

   private:
    Task<absl::Status> WaitFor(Instant at, Instant until, Cancellation* cancellation) {
      const Wake wake = co_await signal_.Wait(std::min(at, until), cancellation);
      if (wake == Wake::kCancelled) co_return cancellation->status();
      if (at > until) co_return absl::DeadlineExceededError("until");
      co_return absl::OkStatus();
    }

    VirtualLoop* const loop_;
    const Script script_;
    Hit* const hit_;
    Instant ready_at_;
    Signal signal_;
    HttpHead head_;
    size_t next_ = 0;
    bool armed_ = false;
    bool ended_ = false;
  };

  VirtualLoop* const loop_;
  std::deque<Script> scripts_;
  std::map<std::string, Script> always_;
  std::function<Script(const std::string&)> generator_;
  std::vector<std::unique_ptr<Hit>> hits_;
};

}  // namespace mg
