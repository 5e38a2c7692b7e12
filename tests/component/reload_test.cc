// Reloads on the real loop, with the files of the test's own: what Admin tells of them, and calls
// that go on while they storm (spec/resilience.md §3.13, §3.15).

#include "daemon/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/admin_service.h"
#include "daemon/build_snapshot.h"
#include "daemon/chat_method.h"
#include "modelgateway/v1/admin.pb.h"
#include "tests/component/recording_rpc.h"
#include "tests/e2e/config_files.h"
#include "tests/support/script.h"

namespace mg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPath[] = "/gateway.yaml";

std::string Weighted(int a, int b, const std::string& more = "") {
  return absl::StrCat("providers: { mock: { mock: {} } }\ngroups: { support: { candidates: [\n",
                      "  { provider: mock, model: a, weight: ", a, " },\n",
                      "  { provider: mock, model: b, weight: ", b, " }] } }\n", more);
}

// The Reloader and the service Admin as the daemon has them.
class Reloads : public testing::Test {
 protected:
  explicit Reloads(const std::string& config = Weighted(95, 5)) : text_(config) {
    ConfigPlace place;
    place.file = kPath;
    auto reading = std::make_shared<const ConfigReading>(ReadConfiguration(place, Files()));
    EXPECT_TRUE(reading->ok()) << ToText(reading->Problems());
    worker_.loop = &loop_;
    worker_.telemetry = &telemetry_;
    worker_.snapshot = *Build(reading->loaded, false);
    reloader_.emplace(&loop_, &worker_, place, Files(), std::move(reading),
                      [this](const LoadedConfig& loaded, bool dry_run) {
                        if (on_build_) on_build_();
                        return Build(loaded, dry_run);
                      });
    AdminParts parts;
    parts.token = &token_;
    parts.worker = &worker_;
    parts.reloader = &*reloader_;
    parts.draining = [] { return false; };
    admin_ = AdminService(parts);
  }

  // What the file holds from now on. Any thread.
  void Write(const std::string& text) {
    const std::lock_guard lock(mutex_);
    text_ = text;
  }
  // Each reading finds this, whatever was written.
  void WriteAnew(std::function<std::string()> text) { each_ = std::move(text); }

  template <typename Response>
  Response AskAdmin(absl::string_view name, std::unique_ptr<google::protobuf::Message> request) {
    RecordingRpc rpc;
    std::string token;
    std::ifstream(token_.file()) >> token;
    rpc.metadata["authorization"] = "Bearer " + token;
    absl::Status status = absl::NotFoundError(name);
    for (const auto& method : admin_.methods) {
      if (method->name() != name) continue;
      Spawn(Serve(&loop_, method.get(), &rpc, std::move(request), &status));
      loop_.Run();
    }
    EXPECT_TRUE(status.ok()) << status;
    Response response;
    EXPECT_EQ(rpc.sent.size(), 1U);
    EXPECT_TRUE(!rpc.sent.empty() && response.ParseFromString(rpc.sent[0]));
    return response;
  }
  v1::ReloadResponse Reload(bool dry_run) {
    auto request = std::make_unique<v1::ReloadRequest>();
    request->set_dry_run(dry_run);
    return AskAdmin<v1::ReloadResponse>("Reload", std::move(request));
  }
  v1::ConfigState State() {
    return AskAdmin<v1::GetStateResponse>("GetState", std::make_unique<v1::GetStateRequest>())
        .config();
  }

  // The generations of the configuration that somebody still has, by number; 1 is the first.
  std::vector<int> Alive() const {
    std::vector<int> alive;
    for (size_t i = 0; i < built_.size(); ++i) {
      if (!built_[i].expired()) alive.push_back(static_cast<int>(i) + 1);
    }
    return alive;
  }

 private:
  Outside Files() {
    Outside outside;
    outside.variable = [](const std::string&) { return std::nullopt; };
    outside.file = [this](const std::string& path, size_t) -> absl::StatusOr<FileContent> {
      if (path != kPath) return absl::NotFoundError("No such file or directory");
      const std::lock_guard lock(mutex_);
      return FileContent{each_ ? each_() : text_};
    };
    return outside;
  }
  absl::StatusOr<std::shared_ptr<const Snapshot>> Build(const LoadedConfig& loaded, bool dry_run) {
    Lasting scratch(1);
    auto built = BuildSnapshot(loaded, dry_run ? &scratch : &lasting_, loop_.Measure());
    if (built.ok() && !dry_run) built_.push_back(*built);
    return built;
  }
  static LogOptions LogTo(int fd) {
    LogOptions options;
    options.fd = fd;
    return options;
  }
  static Task<void> Serve(EpollLoop* loop, RpcMethod* method, Rpc* rpc,
                          std::unique_ptr<google::protobuf::Message> request,
                          absl::Status* status) {
    *status = co_await method->Serve(*rpc, std::move(request));
    loop->Stop();
  }

  std::mutex mutex_;
  std::string text_;
  std::function<std::string()> each_;
  const e2e::Folder folder_;
  const AdminToken token_{std::vector<std::string>{folder_.path()}};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> log_{std::tmpfile(), &std::fclose};
  Logger logger_{LogTo(fileno(log_.get()))};
  Telemetry telemetry_{&logger_, MetricsOptions()};
  Lasting lasting_{1};
  std::vector<std::weak_ptr<const Snapshot>> built_;  // one reload at a time adds to it

 protected:
  EpollLoop loop_;
  Worker worker_;
  std::optional<Reloader> reloader_;
  std::function<void()> on_build_;  // on the thread of each reload

 private:
  RpcService admin_;
};

TEST_F(Reloads, ADryRunTellsAllAndChangesNothing) {
  Write(Weighted(90, 10, "listen: { unix_mode: \"0600\" }\n"));
  for (const bool dry_run : {true, true, false}) {
    const v1::ReloadResponse response = Reload(dry_run);
    EXPECT_TRUE(response.accepted());
    EXPECT_THAT(response.problems(), IsEmpty());
    ASSERT_EQ(response.moved_share().size(), 1U);
    EXPECT_NEAR(response.moved_share().at("support"), 0.05, 1e-9);
    EXPECT_THAT(response.needs_restart(), ElementsAre("listen.unix_mode"));
    EXPECT_EQ(response.generation(), dry_run ? 1 : 2);
    const v1::ConfigState state = State();
    EXPECT_EQ(state.generation(), dry_run ? 1 : 2);
    EXPECT_EQ(state.needs_restart_size(), dry_run ? 0 : 1);
    EXPECT_THAT(state.sources(), ElementsAre(kPath));
  }
  // What is served already moves nobody.
  const v1::ReloadResponse again = Reload(true);
  EXPECT_TRUE(again.accepted());
  EXPECT_TRUE(again.moved_share().empty());
  EXPECT_EQ(Reload(false).generation(), 2);
  EXPECT_THAT(Alive(), ElementsAre(2));
}

TEST_F(Reloads, ABadFileIsSeenInAdmin) {
  const v1::ConfigState before = State();
  EXPECT_EQ(before.last_error(), "");
  EXPECT_FALSE(before.has_last_error_at());
  Write(Weighted(90, 10, "retry: { jiter: full }\naliasses: {}\n"));
  for (const bool dry_run : {true, false}) {
    const v1::ReloadResponse response = Reload(dry_run);
    EXPECT_FALSE(response.accepted());
    EXPECT_EQ(response.generation(), 1);
    EXPECT_TRUE(response.moved_share().empty());
    ASSERT_EQ(response.problems_size(), 2);
    const v1::Problem& key = response.problems(0);
    EXPECT_EQ(key.file(), kPath);
    EXPECT_EQ(key.line(), 5);
    EXPECT_EQ(key.path(), "retry.jiter");
    EXPECT_THAT(key.message(), HasSubstr("is not a key"));
    EXPECT_EQ(key.nearest(), "jitter");
    EXPECT_EQ(response.problems(1).line(), 6);
    EXPECT_EQ(response.problems(1).path(), "aliasses");
    EXPECT_EQ(response.problems(1).nearest(), "aliases");
    const v1::ConfigState state = State();
    EXPECT_EQ(state.last_error().empty(), dry_run);
    EXPECT_EQ(state.has_last_error_at(), !dry_run);
    EXPECT_EQ(state.generation(), 1);
  }
  EXPECT_THAT(State().last_error(), HasSubstr("/gateway.yaml:5: retry.jiter: "));
  EXPECT_THAT(State().last_error(), HasSubstr("/gateway.yaml:6: aliasses: "));
  EXPECT_THAT(Alive(), ElementsAre(1)) << "what was served goes on being served";

  Write(Weighted(90, 10));
  EXPECT_TRUE(Reload(false).accepted());
  EXPECT_EQ(State().last_error(), "");
  EXPECT_TRUE(State().has_last_error_at()) << "when there was one is still told";
  EXPECT_EQ(State().generation(), 2);
}

constexpr int kStorm = 100;

std::string Numbered(int number) {
  return absl::StrCat("providers: { mock: { mock: { rules: [\n",
                      "  { model: hangs, fault: { stall_after: 0 } },\n",
                      "  { model: \"*\", reply: { text: \"generation ", number, "\" } }] } } }\n");
}

// A hundred reloads that are asked for at once, each of another configuration. A build ends when a
// call has begun and was answered since its own beginning, so that none can wait for it.
class Storm : public Reloads {
 protected:
  Storm() : Reloads(Numbered(1)) {
    WriteAnew([this] { return Numbered(++numbered_); });
    on_build_ = [this] { AwaitAnswers(); };
  }

  struct Hanging {
    RecordingRpc rpc;
    std::optional<absl::Status> status;
  };
  static Task<absl::Status> Chat(Worker* worker, Rpc* rpc, std::string model) {
    auto request = std::make_unique<v1::ChatRequest>();
    request->set_model(std::move(model));
    v1::Message* message = request->add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text("hello");
    ChatMethod method(worker, false);
    co_return co_await method.Serve(*rpc, std::move(request));
  }
  static Task<void> Hang(Storm* storm, Hanging* call) {
    call->status = co_await Chat(&storm->worker_, &call->rpc, "mock/hangs");
    storm->loop_.Stop();
  }
  static Task<void> ReloadOnce(Storm* storm) {
    const ReloadResult result = co_await storm->reloader_->Reload(false, "test");
    EXPECT_TRUE(result.accepted);
    ++storm->reloaded_;
  }
  // One call after the other, until all reloads are over; each is answered by the configuration
  // that was served when it began.
  static Task<void> CallOn(Storm* storm) {
    while (storm->reloaded_ < kStorm) {
      const int64_t served = storm->reloader_->State().generation;
      RecordingRpc rpc;
      const absl::Status status = co_await Chat(&storm->worker_, &rpc, "mock/any");
      EXPECT_TRUE(status.ok()) << status;
      v1::ChatResponse response;
      EXPECT_TRUE(!rpc.sent.empty() && response.ParseFromString(rpc.sent[0]));
      EXPECT_THAT(response.ShortDebugString(),
                  HasSubstr(absl::StrCat("\"generation ", served, "\"")));
      storm->NoteAnswer();
      Signal next_turn(&storm->loop_);
      storm->loop_.Post([&next_turn] { next_turn.Notify(); });
      (void)co_await next_turn.Wait(kNever, nullptr);
    }
    storm->loop_.Stop();
  }

  void NoteAnswer() {
    const std::lock_guard lock(answers_);
    ++answered_;
    answer_.notify_all();
  }
  // The first may have begun before.
  void AwaitAnswers() {
    if (stalled_) return;
    std::unique_lock lock(answers_);
    const int enough = answered_ + 2;
    if (!answer_.wait_for(lock, kTestPatience, [&] { return answered_ >= enough; })) {
      stalled_ = true;
    }
  }

  int numbered_ = 1;
  int reloaded_ = 0;
  std::mutex answers_;
  std::condition_variable answer_;
  int answered_ = 0;
  std::atomic<bool> stalled_ = false;
};

TEST_F(Storm, Row39CallsGoOnDuringEveryReloadAndNothingIsLeftOfThem) {
  Hanging first;
  Spawn(Hang(this, &first));
  for (int i = 0; i < kStorm; ++i) Spawn(ReloadOnce(this));
  Spawn(CallOn(this));
  loop_.Run();
  EXPECT_FALSE(stalled_) << "no call was answered while a reload was under way";
  EXPECT_EQ(reloaded_, kStorm);
  EXPECT_GE(answered_, 2 * kStorm);
  EXPECT_EQ(reloader_->State().generation, 1 + kStorm);

  // The call that began before them has its own yet; else there is the one that is served.
  EXPECT_FALSE(first.status.has_value());
  EXPECT_THAT(Alive(), ElementsAre(1, 1 + kStorm));
  first.rpc.cancellation()->Cancel(MakeError(ErrorClass::kCancel, "the caller left"));
  loop_.Run();
  ASSERT_TRUE(first.status.has_value());
  EXPECT_EQ(DetailOf(*first.status).kind(), v1::ERROR_KIND_CANCELLED_BY_CALLER);
  EXPECT_THAT(Alive(), ElementsAre(1 + kStorm));
}

}  // namespace
}  // namespace mg
