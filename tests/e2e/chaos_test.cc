// Providers that fail in every way at once, for a long time, under a rush and then steady traffic
// of whole and streamed calls some of whose callers leave: each call has one outcome (I13), the
// caller, the provider and the daemon's log and metrics agree on it, and nothing is left behind.
//   build/tests/e2e_test --gtest_filter='Chaos.*'   five seconds; ten minutes with MG_SLOW=1
//   MG_CHAOS_SECONDS=3600 build/tests/e2e_test …    an hour, or as long as is wanted
// A twentieth of all requests meets each Fault, a quarter none. Memory is bounded from ten minutes
// on, in the plain build.

#include <poll.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "gtest/gtest.h"
#include "modelgateway/v1/admin.pb.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/chaos_faults.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/process.h"

namespace mg::e2e {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// So few that each of them has failed in each way, and each other stood in for it, within the first
// minutes: every series of the metrics is there then.
constexpr int kProviders = 14;
constexpr int kFirstDirect = 10;  // asked by their names
constexpr int kCallsPerSecond = kSanitized ? 40 : 200;
constexpr int kCallers = kSanitized ? 60 : 240;  // so many calls may be under way
// All at once at the beginning: the most that is ever under way is so from the start, and what the
// allocator keeps of it is no growth.
constexpr int kRush = 10 * kCallers;
constexpr int kChannels = 4;
constexpr int kOneIn = 20;  // meets a certain fault
constexpr int kFull = 600;  // seconds from which on memory is bounded
constexpr int kWarm = 120;  // seconds after which it may grow by kMaxGrowth
constexpr double kMaxGrowth = 4 * kMiB;
constexpr double kMaxGrowthOfAnHour = kMiB;  // by the slope of what follows kFull
constexpr absl::string_view kTag = "call number ";

int Seconds() {
  if (const char* seconds = std::getenv("MG_CHAOS_SECONDS"); seconds != nullptr) {
    return std::atoi(seconds);
  }
  return std::getenv("MG_SLOW") != nullptr && !kSanitized ? kFull : 5;
}

std::string NameOf(int provider) { return absl::StrCat("p", provider); }

std::string Candidates(int first, int last) {
  std::string list;
  for (int i = first; i <= last; ++i) {
    absl::StrAppend(&list, list.empty() ? "" : ", ", "{ provider: ", NameOf(i), ", model: m-1 }");
  }
  return list;
}

// Limits so short that breakers go through all their states again and again.
std::string ConfigOf(const FakeUpstream& upstream) {
  std::string config = absl::StrCat(
      Listening("admin_grpc: [\"unix:@DIR@/admin.sock\"]"),
      "timeouts: { ttft: 1s, attempt: 2s, stream_idle: 1s, stream_end: 500ms }\n"
      "retry: { base_delay: 10ms, max_delay: 200ms, budget: { min_per_second: 50 } }\n"
      "circuit_breaker: { cooldown: 200ms, max_cooldown: 1s, window: 5s, failure_threshold: 8,\n"
      "  failure_ratio: 0.8, half_open_max_duration: 5s, sole_candidate_max_cooldown: 1s,\n"
      "  slow_start: { window: 1s } }\n"
      "groups:\n"
      "  wide: { strategy: random, candidates: [",
      Candidates(0, 5),
      "], fallback: [spare] }\n"
      "  spare: { strategy: round_robin, candidates: [",
      Candidates(6, 7),
      "] }\n"
      "  hashed: { strategy: weighted_hash, candidates: [",
      Candidates(7, 9), "] }\nproviders:\n");
  for (int i = 0; i < kProviders; ++i) config += Compatible(NameOf(i), upstream);
  return config;
}

// The number behind kTag; -1 where there is none.
int NumberIn(const std::string& text) {
  const size_t at = text.find(std::string(kTag));
  return at == std::string::npos ? -1 : std::atoi(text.c_str() + at + kTag.size());
}

// What the provider did, by the number of the call.
class Provider {
 public:
  Provider() : upstream_({.remember = false}) {
    upstream_.When([](const UpstreamRequest&) { return true; })
        .ReplyBy([this](const UpstreamRequest& request) { return Answer(request); });
  }

  FakeUpstream& upstream() { return upstream_; }
  void Calm() { calm_ = true; }
  // Of the calls below `count`. Nothing may be under way.
  std::vector<std::vector<Fault>> Requests(size_t count) {
    requests_.resize(count);
    return requests_;
  }

 private:
  Script Answer(const UpstreamRequest& request) {
    const bool stream = absl::StrContains(request.body, "\"stream\":true");
    const int number = NumberIn(request.body);
    if (calm_ || number < 0) return Good(stream);
    const int drawn = static_cast<int>(bits_() % kOneIn);
    const Fault fault = drawn < kFaults ? static_cast<Fault>(drawn) : Fault::kNone;
    if (requests_.size() <= static_cast<size_t>(number)) {
      requests_.resize(static_cast<size_t>(number) + 1);
    }
    requests_[static_cast<size_t>(number)].push_back(fault);
    return ScriptOf(fault, stream);
  }

  std::atomic<bool> calm_ = false;
  std::mt19937 bits_{4711};                   // under the server's lock, as what follows
  std::vector<std::vector<Fault>> requests_;  // by call
  FakeUpstream upstream_;                     // the last: its threads end before what they use
};

// What the caller heard of a call.
struct Heard {
  bool stream = false;
  bool left = false;  // it did not wait for the end
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::vector<v1::ErrorKind> attempts;
};

// Callers on threads of their own, who begin a call as each one is due, however the others do.
class Traffic {
 public:
  Traffic(const Daemon& daemon, int seconds)
      : heard_(static_cast<size_t>(kRush + seconds * kCallsPerSecond)), start_(Clock::now()) {
    for (int i = 0; i < kChannels; ++i) {
      channels_.push_back(std::make_unique<Caller>(daemon.tcp()));
    }
    for (int i = 0; i < kCallers; ++i) threads_.emplace_back([this] { Run(); });
  }

  bool over() const { return next_ >= heard_.size(); }
  std::vector<Heard> Join() {
    RecordProperty("calls_per_second", static_cast<double>(heard_.size()) / SecondsSince(start_));
    for (std::thread& thread : threads_) thread.join();
    channels_.clear();
    return std::move(heard_);
  }

  static double SecondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  static void RecordProperty(const char* name, double value) {
    ::testing::Test::RecordProperty(name, absl::StrCat(value));
  }

  void Run() {
    for (size_t number = next_++; number < heard_.size(); number = next_++) {
      const size_t late = number < kRush ? 0 : number - kRush;
      PauseUntil(start_ + milliseconds(1000) * late / kCallsPerSecond);
      Call(number);
    }
  }

  static void PauseUntil(Clock::time_point due) {
    const auto left = std::chrono::ceil<milliseconds>(due - Clock::now()).count();
    if (left > 0) poll(nullptr, 0, static_cast<int>(left));
  }

  void Call(size_t number) {
    std::minstd_rand dice(static_cast<unsigned>(number) * 7919 + 1);
    const auto one_in = [&dice](unsigned n) { return (dice() >> 8) % n == 0; };
    Heard& heard = heard_[number];
    heard.stream = one_in(2);
    v1::ChatRequest request = Ask(
        one_in(4) ? absl::StrCat(NameOf(kFirstDirect + static_cast<int>((dice() >> 8) % 4)), "/m-1")
        : one_in(3) ? "hashed"
                    : "wide",
        absl::StrCat(kTag, number, "."));
    request.mutable_context()->set_end_user(absl::StrCat("user ", number % 100));
    CallOptions options{.metadata = {{"x-correlation-id", absl::StrCat("n", number)}}};
    if (one_in(40)) options.deadline = absl::Milliseconds(100);
    const bool leaves = one_in(20);
    heard.left = leaves || options.deadline.has_value();
    const auto call = channels_[number % kChannels]->Start(request, heard.stream, options);
    if (leaves) {
      PauseUntil(Clock::now() + milliseconds((dice() >> 8) % 300));
      call->Cancel();
    }
    Note(call->End(), &heard);
  }

  static void Note(const Reply& reply, Heard* heard) {
    heard->code = reply.code;
    if (heard->left) return;
    if (reply.ok()) {
      EXPECT_EQ(reply.Text(), "hi");
      EXPECT_TRUE(!heard->stream || reply.completed());
    } else {
      EXPECT_TRUE(reply.has_detail) << reply.code << " " << reply.message;
      EXPECT_NE(reply.detail.kind(), v1::ERROR_KIND_INTERNAL_ERROR) << reply.message;
      EXPECT_FALSE(reply.completed());
    }
    const v1::CallReport& report = reply.ok() ? reply.response.report() : reply.detail.report();
    for (const v1::Attempt& attempt : report.attempts()) {
      heard->attempts.push_back(attempt.error_kind());
    }
  }

  std::vector<std::unique_ptr<Caller>> channels_;
  std::vector<Heard> heard_;  // each is its call's thread's
  std::atomic<size_t> next_ = 0;
  const Clock::time_point start_;
  std::vector<std::thread> threads_;
};

// What the daemon wrote of a call at its end.
struct Told {
  int lines = 0;
  std::string code;
  int attempts = 0;
};

struct Log {
  std::vector<Told> calls;
  int all_calls = 0;  // those of the test itself among them
  int all_attempts = 0;
  int breakers = 0;
};

Log ReadLog(const Daemon& daemon, size_t count) {
  Log log;
  log.calls.resize(count);
  std::ifstream file(daemon.folder() + "/out");
  for (std::string text; std::getline(file, text);) {
    JsonDocument line;
    if (!ParseJson(text, &line).ok()) ADD_FAILURE() << text;
    const absl::string_view event = StringMember(line, "event");
    if (event == "breaker.changed") ++log.breakers;
    if (event != "call.end") continue;
    const JsonValue* attempts = Member(line, "attempt");
    const int made = attempts == nullptr ? 0 : attempts->GetInt();
    ++log.all_calls;
    log.all_attempts += made;
    size_t number = 0;
    absl::string_view id = StringMember(line, "correlation_id");
    if (!absl::StartsWith(id, "n") || !absl::SimpleAtoi(id.substr(1), &number)) continue;
    Told& told = log.calls.at(number);
    ++told.lines;
    told.code = std::string(StringMember(line, "code"));
    told.attempts = made;
  }
  return log;
}

void ExpectAgreement(const std::vector<Heard>& heard,
                     const std::vector<std::vector<Fault>>& requests, const Log& log) {
  for (size_t i = 0; i < heard.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("call ", i, heard[i].stream ? ", streamed" : ""));
    const Told& told = log.calls[i];
    const int asked = static_cast<int>(requests[i].size());
    EXPECT_LE(asked, 2 * told.attempts);  // each may be sent anew, once, where a connection was old
    if (heard[i].left) {
      EXPECT_LE(told.lines, 1);
      EXPECT_TRUE(told.lines == 1 || asked == 0) << "it left before the daemon knew of it, or not";
      continue;
    }
    ASSERT_EQ(told.lines, 1);
    EXPECT_EQ(told.code, absl::StatusCodeToString(heard[i].code));
    EXPECT_EQ(told.attempts, static_cast<int>(heard[i].attempts.size()));
    EXPECT_TRUE(Explain(requests[i], heard[i].stream, heard[i].attempts))
        << "requests " << ::testing::PrintToString(requests[i]) << ", attempts "
        << ::testing::PrintToString(heard[i].attempts);
  }
}

v1::GetStateResponse StateOf(const Daemon& daemon) {
  const std::string nothing;
  const Reply reply = Caller("unix:" + daemon.folder() + "/admin.sock")
                          .StartRaw(&nothing, {}, "/modelgateway.v1.Admin/GetState")
                          ->End();
  v1::GetStateResponse state;
  EXPECT_TRUE(reply.ok() && state.ParseFromString(reply.bytes)) << reply.message;
  return state;
}

// Each one is asked until its breakers let it serve as ever.
void ExpectRecovery(const Daemon& daemon) {
  Caller caller(daemon.tcp());
  EXPECT_TRUE(Until([&] {
    bool all = true;
    for (int i = 0; i < kProviders; ++i) {
      all &= caller.Chat(Ask(NameOf(i) + "/m-1")).ok();
    }
    return all && Metric(daemon, "modelgateway_breaker_state") == 0;
  })) << Get(daemon.admin(), "/metrics").text;
  EXPECT_TRUE(UntilIdle(daemon));
  const v1::GetStateResponse state = StateOf(daemon);
  EXPECT_EQ(state.endpoints_size(), kProviders);
  for (const v1::Endpoint& endpoint : state.endpoints()) {
    EXPECT_EQ(endpoint.in_flight(), 0) << endpoint.id();
    EXPECT_EQ(endpoint.queued(), 0) << endpoint.id();
    EXPECT_EQ(endpoint.breaker().state(), "closed") << endpoint.id();
    EXPECT_EQ(endpoint.breaker().probes(), 0) << endpoint.id();
  }
  for (const v1::Route& route : state.routes()) {
    for (const v1::CandidateState& candidate : route.candidates()) {
      EXPECT_EQ(candidate.breaker().state(), "closed") << candidate.candidate().id();
      EXPECT_EQ(candidate.breaker().probes(), 0) << candidate.candidate().id();
      EXPECT_TRUE(candidate.selectable()) << candidate.candidate().id();
    }
  }
}

// Resident bytes, second by second.
using Samples = std::vector<double>;

Samples Watch(const Daemon& daemon, const Traffic& traffic) {
  Samples samples;
  while (!traffic.over()) {
    poll(nullptr, 0, 1000);
    samples.push_back(static_cast<double>(ResidentBytes(daemon)));
  }
  return samples;
}

// Over the half minute that ends at `second`.
double MeanUntil(const Samples& samples, size_t second) {
  const size_t count = std::min<size_t>(second, 30);
  const auto end = samples.begin() + static_cast<long>(second);
  return std::accumulate(end - static_cast<long>(count), end, 0.0) / static_cast<double>(count);
}

// By least squares, of what comes behind `from`.
double GrowthOfAnHour(const Samples& samples, size_t from) {
  const double n = static_cast<double>(samples.size() - from);
  const double middle = (n - 1) / 2;
  double moment = 0;
  for (size_t i = from; i < samples.size(); ++i) {
    moment += (static_cast<double>(i - from) - middle) * samples[i];
  }
  return moment / (n * (n * n - 1) / 12) * 3600;
}

void ExpectFlat(const Samples& samples) {
  if (samples.empty()) return;
  const size_t warm = std::min<size_t>(kWarm, samples.size());
  const double before = MeanUntil(samples, warm);
  const double after = MeanUntil(samples, samples.size());
  ::testing::Test::RecordProperty("resident_warm_kib", static_cast<int>(before / 1024));
  ::testing::Test::RecordProperty("resident_end_kib", static_cast<int>(after / 1024));
  if (kSanitized || Seconds() < kFull) return;
  if (Seconds() < 2 * kFull) {
    EXPECT_LE(after, before + kMaxGrowth);
    return;
  }
  const double growth = GrowthOfAnHour(samples, kFull);
  ::testing::Test::RecordProperty("growth_of_an_hour_kib", static_cast<int>(growth / 1024));
  EXPECT_LE(growth, kMaxGrowthOfAnHour);
}

TEST(Chaos, EachCallHasOneOutcomeAndNothingIsLeftBehind) {
  Provider provider;
  Daemon daemon({.config = ConfigOf(provider.upstream())});
  ExpectRecovery(daemon);
  Caller bystander(daemon.tcp());
  ASSERT_TRUE(bystander.Chat(Ask("p0/m-1")).ok());
  const int descriptors = Descriptors(daemon);

  Traffic traffic(daemon, Seconds());
  const Samples resident = Watch(daemon, traffic);
  const std::vector<Heard> heard = traffic.Join();
  EXPECT_TRUE(UntilIdle(daemon));
  provider.Calm();
  ExpectRecovery(daemon);
  EXPECT_TRUE(Until([&] {
    provider.upstream().CloseIdle();
    return bystander.Chat(Ask("p0/m-1")).ok() && Descriptors(daemon) <= descriptors;
  })) << Descriptors(daemon)
      << " of " << descriptors;
  ExpectFlat(resident);

  const double calls = Metric(daemon, "modelgateway_requests_total");
  const double attempts = Metric(daemon, "modelgateway_upstream_attempts_total");
  const double transitions =
      std::max(0.0, Metric(daemon, "modelgateway_breaker_transitions_total"));
  const double dropped = Metric(daemon, "modelgateway_log_dropped_total");
  EXPECT_EQ(daemon.Stop(), 0) << daemon.Err();
  ASSERT_EQ(dropped, 0);
  const Log log = ReadLog(daemon, heard.size());
  EXPECT_EQ(log.all_calls, calls);
  EXPECT_EQ(log.all_attempts, attempts);
  EXPECT_LE(log.breakers, transitions);        // many at once are folded
  EXPECT_TRUE(kSanitized || transitions > 0);  // so few calls may open none
  ExpectAgreement(heard, provider.Requests(heard.size()), log);
  RecordProperty("calls", static_cast<int>(heard.size()));
  RecordProperty("served",
                 static_cast<int>(std::count_if(heard.begin(), heard.end(), [](const Heard& one) {
                   return one.code == absl::StatusCode::kOk;
                 })));
  RecordProperty("attempts", static_cast<int>(attempts));
  RecordProperty("breaker_transitions", static_cast<int>(transitions));
}

}  // namespace
}  // namespace mg::e2e
