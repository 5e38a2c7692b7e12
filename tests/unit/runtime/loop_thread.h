// An EpollLoop with a UpstreamClient on a thread of its own: the test's thread scripts the upstream
// and waits.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "daemon/runtime/upstream_client.h"
#include "tests/support/script.h"

namespace mg {

struct Answer {
  absl::Status head_status;
  HttpHead head;
  absl::Status body_status;  // of the read that ended it
  std::string body;
  int reads = 0;  // that gave something
  bool sent = false;
};

// One exchange and all that it is asked with; set up by the test, then started once.
struct Ask {
  HttpRequest request;
  HttpEndpoint endpoint;
  absl::Duration connect_timeout = absl::Seconds(20);
  Cancellation cancellation;  // of the loop's thread
  Gate first_read;            // opened when the first bytes of the body are taken
  Gate head_taken;
  Answer answer;
  std::promise<void> ended;

  void Wait() { ended.get_future().wait(); }
};

class LoopThread {
 public:
  explicit LoopThread(ProxyEnvironment proxies = {}) {
    client_ = UpstreamClient::New(&loop_, std::move(proxies));
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~LoopThread() {
    Do([this] { client_.reset(); });
    loop_.Stop();
    thread_.join();
  }

  // Calls `what` on the loop's thread and waits for it.
  void Do(absl::AnyInvocable<void()> what) {
    std::promise<void> done;
    loop_.Post([&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  void Start(Ask* ask) {
    loop_.Post([this, ask] { Spawn(Run(client_.get(), ask)); });
  }

  Answer Get(const std::string& url) {
    Ask ask;
    ask.request.method = "GET";
    ask.request.url = url;
    return Finish(&ask);
  }
  Answer Post(const std::string& url, std::string body) {
    Ask ask;
    ask.request.url = url;
    ask.request.body = std::move(body);
    return Finish(&ask);
  }
  Answer Finish(Ask* ask) {
    Start(ask);
    ask->Wait();
    return ask->answer;
  }
  void Cancel(Ask* ask) {
    loop_.Post([ask] { ask->cancellation.Cancel(absl::CancelledError("the test")); });
  }

  UpstreamClient::Counters counters() {
    UpstreamClient::Counters counters;
    Do([&] { counters = client_->counters(); });
    return counters;
  }

  EpollLoop* loop() { return &loop_; }
  UpstreamClient* client() { return client_.get(); }

 private:
  static Task<void> Read(HttpExchange* exchange, Ask* ask) {
    Answer& answer = ask->answer;
    const absl::StatusOr<const HttpHead*> head =
        co_await exchange->Head(kNever, &ask->cancellation);
    answer.head_status = head.status();
    ask->head_taken.Open();
    if (!head.ok()) co_return;
    answer.head = **head;
    while (true) {
      absl::StatusOr<std::string> piece = co_await exchange->Read(kNever, &ask->cancellation);
      answer.body_status = piece.status();
      if (!piece.ok() || piece->empty()) co_return;
      ++answer.reads;
      answer.body += *piece;
      ask->first_read.Open();
    }
  }
  static Task<void> Run(UpstreamClient* client, Ask* ask) {
    {
      const std::unique_ptr<HttpExchange> exchange =
          client->Start(ask->request, ask->endpoint, ask->connect_timeout);
      co_await Read(exchange.get(), ask);
      ask->answer.sent = exchange->sent();
    }
    ask->ended.set_value();
  }

  EpollLoop loop_;
  std::unique_ptr<UpstreamClient> client_;
  std::thread thread_;
};

}  // namespace mg
