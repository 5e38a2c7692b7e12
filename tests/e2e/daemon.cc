#include "tests/e2e/daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/json.h"
#include "gtest/gtest.h"
#include "tests/support/script.h"

namespace mg::e2e {
namespace {

using Clock = std::chrono::steady_clock;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

void WriteFile(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  MG_CHECK(fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
           "a file of the test cannot be written");
  close(fd);
}

int LeftOf(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return std::max(0, static_cast<int>(left.count()));
}

// Until `reached`, which is asked anew at each change under `path`; false when `pidfd` (where it is
// one) says that the process has ended, or after kTestPatience.
bool WatchUntil(const std::string& path, uint32_t changes, int pidfd,
                const std::function<bool()>& reached) {
  const int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  MG_CHECK(watch >= 0 && inotify_add_watch(watch, path.c_str(), changes) >= 0, "no inotify");
  const auto end = Clock::now() + kTestPatience;
  bool there = reached();
  bool ended = false;
  while (!there && !ended && LeftOf(end) > 0) {
    pollfd fds[2] = {{watch, POLLIN, 0}, {pidfd, POLLIN, 0}};
    poll(fds, 2, LeftOf(end));
    char events[4096];
    while (read(watch, events, sizeof events) > 0) {
    }
    ended = pidfd >= 0 && (fds[1].revents & POLLIN) != 0;
    there = reached();
  }
  close(watch);
  return there;
}

}  // namespace

Daemon::Daemon(const Options& options) {
  std::string pattern = ::testing::TempDir() + "mg-e2e-XXXXXX";
  MG_CHECK(mkdtemp(pattern.data()) != nullptr, "no temporary folder");
  folder_ = pattern;
  for (const auto& [name, text] : options.files) WriteFile(absl::StrCat(folder_, "/", name), text);
  if (!options.config.empty()) {
    WriteFile(folder_ + "/config.yaml", absl::StrReplaceAll(options.config, {{"@DIR@", folder_}}));
  }
  WriteFile(folder_ + "/out", "");
  WriteFile(folder_ + "/err", "");
  Start(options);
  if (options.expect_ready) AwaitReady();
}

Daemon::~Daemon() {
  if (!exit_code_.has_value()) {
    Signal(SIGKILL);
    Wait();
  }
  close(pidfd_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Daemon::Start(const Options& options) {
  std::vector<std::string> words = {MG_BINARY, "serve"};
  if (!options.config.empty()) {
    words.insert(words.end(), {"--config", folder_ + "/config.yaml"});
  }
  for (const std::string& argument : options.arguments) {
    words.push_back(absl::StrReplaceAll(argument, {{"@DIR@", folder_}}));
  }
  words.insert(words.end(), {"--ready-file", folder_ + "/ready.json"});
  std::vector<std::string> variables = {"PATH=/usr/bin:/bin"};
  for (const auto& [name, value] : options.environment) {
    variables.push_back(absl::StrCat(name, "=", value));
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  const int out = open((folder_ + "/out").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const int err = open((folder_ + "/err").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);

  // The test has threads: between fork and exec only what a signal handler may call.
  pid_ = fork();
  MG_CHECK(pid_ >= 0, "no fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_DFL);
    if (options.umask.has_value()) ::umask(*options.umask);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(out);
  close(err);
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  MG_CHECK(pidfd_ >= 0, "no pidfd");
}

void Daemon::AwaitReady() {
  const bool ready =
      WatchUntil(folder_, IN_MOVED_TO, pidfd_, [this] { return ready_file_there(); });
  if (!ready) ADD_FAILURE() << "serve was never ready:\n" << Out() << Err();
}

bool Daemon::ready_file_there() const {
  return access((folder_ + "/ready.json").c_str(), F_OK) == 0;
}

std::vector<std::string> Daemon::Listens(const std::string& listener) const {
  JsonDocument document;
  const absl::Status parsed = ParseJson(ReadFile(folder_ + "/ready.json"), &document);
  EXPECT_TRUE(parsed.ok()) << parsed;
  std::vector<std::string> addresses;
  const JsonValue* list = parsed.ok() ? Member(document, listener) : nullptr;
  if (list == nullptr || !list->IsArray()) return addresses;
  for (const JsonValue& address : list->GetArray()) {
    addresses.emplace_back(StringOf(address));
  }
  return addresses;
}

std::string Daemon::admin_token() const {
  JsonDocument document;
  if (!ParseJson(ReadFile(folder_ + "/ready.json"), &document).ok()) return "";
  const std::string token = ReadFile(std::string(StringMember(document, "admin_token_file")));
  return token.substr(0, token.find('\n'));
}

std::string Daemon::tcp() const {
  for (const std::string& address : Listens("grpc")) {
    if (!absl::StartsWith(address, "unix:")) return address;
  }
  return "";
}

std::string Daemon::socket_address() const {
  for (const std::string& address : Listens("grpc")) {
    if (absl::StartsWith(address, "unix:")) return address;
  }
  return "";
}

void Daemon::Signal(int signal) const { kill(pid_, signal); }

int Daemon::Wait() {
  if (exit_code_.has_value()) return *exit_code_;
  const auto end = Clock::now() + kTestPatience;
  pollfd ended{pidfd_, POLLIN, 0};
  while (poll(&ended, 1, LeftOf(end)) < 0 && errno == EINTR) {
  }
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) {
    ADD_FAILURE() << "the daemon has not ended:\n" << Out() << Err();
    return -1;
  }
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *exit_code_;
}

int Daemon::Stop() {
  Signal(SIGTERM);
  return Wait();
}

std::string Daemon::Out() const { return ReadFile(folder_ + "/out"); }
std::string Daemon::Err() const { return ReadFile(folder_ + "/err"); }

bool Daemon::WaitForLine(absl::string_view text, int count) const {
  const bool there = WatchUntil(folder_ + "/out", IN_MODIFY, -1, [&] {
    const std::string out = Out();
    int found = 0;
    for (absl::string_view line : absl::StrSplit(out, '\n')) {
      if (absl::StrContains(line, text)) ++found;
    }
    return found >= count;
  });
  if (!there) ADD_FAILURE() << "no line with " << std::string(text) << ":\n" << Out() << Err();
  return there;
}

std::vector<std::string> Daemon::Lines(absl::string_view event) const {
  const std::string mark = absl::StrCat("\"event\":\"", event, "\"");
  std::vector<std::string> lines;
  const std::string out = Out();
  for (absl::string_view line : absl::StrSplit(out, '\n')) {
    if (absl::StrContains(line, mark)) lines.emplace_back(line);
  }
  return lines;
}

Page Get(const std::string& address, const std::string& path) {
  return Fetch(address, {.path = path});
}

Page Fetch(const std::string& address, const PageRequest& what) {
  Page page;
  const std::vector<std::string> parts = absl::StrSplit(address, ':');
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(std::stoi(parts.at(1))));
  inet_pton(AF_INET, parts[0].c_str(), &peer.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0) {
    std::string request = absl::StrCat(what.method, " ", what.path, " HTTP/1.1\r\nHost: ", address,
                                       "\r\nConnection: close\r\n", what.headers);
    if (what.method == "POST") {
      absl::StrAppend(
          &request, "Content-Type: application/json\r\nContent-Length: ", what.body.size(), "\r\n");
    }
    absl::StrAppend(&request, "\r\n", what.body);
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char buffer[16384];
      ssize_t got = 0;
      while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0) {
        page.text.append(buffer, static_cast<size_t>(got));
      }
    }
  }
  close(fd);
  if (absl::StartsWith(page.text, "HTTP/1.1 ")) page.status = std::stoi(page.text.substr(9, 3));
  return page;
}

std::string Listening(const std::string& more) {
  return absl::StrCat(
      "listen: { grpc: [\"127.0.0.1:0\", \"unix:@DIR@/gateway.sock\"], admin: [\"127.0.0.1:0\"]",
      more.empty() ? "" : ", ", more, " }\n");
}

}  // namespace mg::e2e
