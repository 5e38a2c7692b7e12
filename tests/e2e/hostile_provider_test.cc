// Providers that answer what harms: each answer is told as what it is, within bounds of memory, and
// calls to others go on meanwhile.

#include <thread>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "tests/e2e/answers.h"
#include "tests/e2e/caller.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/process.h"

namespace mg::e2e {
namespace {

using ::testing::Contains;

// So many at once: whole answers of 64 MiB each would be twice what all buffers may hold.
constexpr int kAtOnce = 16;
// All buffers together (limits.buffered_bytes), and what reading one document takes.
constexpr size_t kMaxGrowth = 768 * kMiB;
constexpr absl::Duration kPromptly = absl::Seconds(10);

struct Hostile {
  const char* name;
  Script script;
  std::vector<v1::ErrorKind> kinds;  // any of them
};

Script As(const std::string& type) { return Script().Header("content-type", type); }
std::string Megabyte(const std::string& piece) {
  std::string text;
  while (text.size() < kMiB) text += piece;
  return text;
}

std::vector<Hostile> Hostiles() {
  constexpr v1::ErrorKind kMalformed = v1::ERROR_KIND_MALFORMED_RESPONSE;
  constexpr v1::ErrorKind kFull = v1::ERROR_KIND_GATEWAY_OVERLOADED;
  std::vector<Hostile> list;
  list.push_back(
      {"Html", As("text/html; charset=utf-8").Body("<html>log in</html>"), {kMalformed}});
  list.push_back(
      {"TruncatedJson", Json(R"({"id":"c1","choices":[{"index":0,"mess)"), {kMalformed}});
  list.push_back({"TruncatedEvent",
                  Sse().Body("data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"de\n\n"),
                  {kMalformed}});
  list.push_back({"WrongType", As("image/png").Body("\x89PNG\r\n\x1a\n"), {kMalformed}});
  list.push_back({"EndlessHead",
                  Script().Raw("HTTP/1.1 200 OK\r\n").Endless(Megabyte("x-more: and more\r\n")),
                  {kMalformed}});
  list.push_back({"AGigabyteOfJson",
                  As("application/json")
                      .ContentLength(size_t{1} << 30)
                      .Body(R"({"id":")")
                      .Endless(Megabyte("x")),
                  {kMalformed, kFull}});
  list.push_back({"AGigabyteInOneEvent",
                  As("text/event-stream").UntilClose().Body("data: ").Endless(Megabyte("x")),
                  {kMalformed, kFull}});
  list.push_back({"AnEndlessError",
                  Script().Status(500).UntilClose().Endless(Megabyte("x")),
                  {v1::ERROR_KIND_SERVER_ERROR}});
  list.push_back({"Bomb", As("application/json").GzipBomb(size_t{1} << 30), {kMalformed, kFull}});
  const std::string brackets = absl::StrJoin(std::vector<std::string>(10, Megabyte("[")), "");
  list.push_back({"Brackets", Json(brackets), {kMalformed}});
  list.push_back({"BracketsInAnEvent", Sse().Event(brackets), {kMalformed}});
  list.push_back({"BadUtf8", Json(Whole("{\"content\":\"caf\xe9\"}")), {kMalformed}});
  return list;
}

class HostileProvider : public ::testing::TestWithParam<std::tuple<Hostile, bool>> {};

TEST_P(HostileProvider, HarmsOnlyItsOwnCalls) {
  const Hostile& hostile = std::get<0>(GetParam());
  const bool stream = std::get<1>(GetParam());
  FakeUpstream upstream;
  upstream.When(PathOf("bad")).Reply(hostile.script);
  upstream.When(PathOf("good")).Reply(Good(false));
  Daemon daemon(
      {.config = absl::StrCat(
           Listening(), "providers:\n", Compatible("bad", upstream), Compatible("good", upstream),
           "retry: { max_attempts: 1 }\ncircuit_breaker: { enabled: false }\n")});
  Caller bystander(daemon.tcp());
  ASSERT_TRUE(bystander.Chat(Ask("good/m-1")).ok());
  [[maybe_unused]] const size_t idle = ResidentBytes(daemon);

  Caller caller(daemon.tcp());
  std::vector<std::thread> threads;
  std::atomic<int> running = kAtOnce;
  for (int i = 0; i < kAtOnce; ++i) {
    threads.emplace_back([&] {
      const Reply reply = caller.Run(Ask("bad/m-1"), stream);
      EXPECT_FALSE(reply.ok());
      EXPECT_THAT(hostile.kinds, Contains(reply.detail.kind())) << reply.message;
      --running;
    });
  }
  do {
    const Reply other = bystander.Chat(Ask("good/m-1"), {.deadline = kPromptly});
    EXPECT_TRUE(other.ok()) << other.message;
  } while (running > 0);
  for (std::thread& thread : threads) thread.join();
  const size_t peak = PeakBytes(daemon);
  RecordProperty("growth_mib", static_cast<int>((peak - idle) / kMiB));
  if (!kSanitized) EXPECT_LT(peak, idle + kMaxGrowth);
  EXPECT_TRUE(UntilIdle(daemon));
  EXPECT_EQ(daemon.Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(E2e, HostileProvider,
                         ::testing::Combine(::testing::ValuesIn(Hostiles()), ::testing::Bool()),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param).name,
                                               std::get<1>(info.param) ? "Streamed" : "Whole");
                         });

}  // namespace
}  // namespace mg::e2e
