// What tests have put into the mocks and what the mocks were asked, session by session; mock.proto
// says what that means and how long it is kept. The process has one, where `mock_control: true`;
// MockControl writes it and the mock providers read it. Any thread.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"
#include "daemon/mock_rules.h"
#include "daemon/provider.h"
#include "modelgateway/v1/mock.pb.h"

namespace mg {

struct MockLimits {
  size_t sessions = 1000;
  size_t calls = 1000;  // of a session
  size_t bytes = 64 << 20;
  absl::Duration idle = absl::Minutes(10);
};

class MockSessions {
 public:
  static constexpr int kLargestPage = 1000;  // of ListCalls

  explicit MockSessions(MockLimits limits = {}) : limits_(limits) {}
  MockSessions(const MockSessions&) = delete;
  MockSessions& operator=(const MockSessions&) = delete;

  // ---- for MockControl, whose requests are checked before. RESOURCE_EXHAUSTED (kShed) where there
  // is no room, even without the calls of all sessions.
  absl::Status Put(const v1::MockTarget& target, std::shared_ptr<const MockRules> rules,
                   size_t bytes, Instant now);
  absl::Status Script(const v1::ScriptRequest& request, Instant now);
  void Remove(const v1::MockTarget& target, Instant now);
  v1::ListCallsResponse List(const v1::ListCallsRequest& request, Instant now);
  void Reset(const v1::ResetRequest& request);

  // ---- for a mock provider
  // Keeps what was asked; the number by which End finds it again.
  int64_t Begin(const Ask& ask);
  // What holds for this call: the next scripted answer that fits, which is spent by that, and the
  // rules in place of the configured ones.
  struct Turn {
    std::optional<v1::ScriptedAnswer> answer;
    std::shared_ptr<const MockRules> rules;  // null: those of the configuration
  };
  Turn Take(const Ask& ask);
  void End(const std::string& session, int64_t call, absl::string_view outcome, bool cancelled);

 private:
  struct Call {
    int64_t id = 0;  // unique in the process
    v1::MockCall told;
    size_t bytes = 0;
  };
  using Model = std::pair<std::string, std::string>;  // provider and model
  struct Mock {
    std::shared_ptr<const MockRules> rules;
    std::deque<v1::ScriptedAnswer> script;
    bool repeat_last = false;
    size_t rules_bytes = 0;
    size_t script_bytes = 0;
  };
  struct Session {
    std::string name;
    std::map<Model, Mock> mocks;
    std::map<Model, int64_t> counts;
    std::deque<Call> calls;
    int64_t last_number = 0;
    size_t bytes = 0;
    Instant used;
  };
  using Sessions = std::list<Session>;

  // The session, begun where it is new; those that were idle for too long are gone before.
  Session& Use(const std::string& name, Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndIdle(Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Erase(Sessions::iterator session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropCall(Session* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Charge(Session* session, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Free(Session* session, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts `bytes` in the place of `*held`; false, and nothing is changed, where there is no room.
  bool Exchange(Session* session, size_t* held, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Drops calls, those of the longest idle sessions first, until `more` bytes have room.
  bool MakeRoom(size_t more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const MockLimits limits_;
  absl::Mutex mutex_;
  Sessions sessions_ ABSL_GUARDED_BY(mutex_);  // that which was idle for the longest first
  absl::flat_hash_map<std::string, Sessions::iterator> by_name_ ABSL_GUARDED_BY(mutex_);
  int64_t last_call_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mg
