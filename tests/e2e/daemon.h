// The real binary as a child of a test: started with a configuration of the test's own in a folder
// of its own, asked over its listeners, stopped by signals. What it writes goes to files in that
// folder. Owned by the test that made it; it dies with the thread that started it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mg::e2e {

class Daemon {
 public:
  struct Options {
    // YAML, in which @DIR@ stands for folder(); empty: no --config.
    std::string config = {};
    std::vector<std::string> arguments = {};              // further ones of `serve`, likewise
    std::map<std::string, std::string> environment = {};  // nothing of the test's own is inherited
    std::map<std::string, std::string> files = {};  // in folder(), by name, readable by us alone
    std::optional<mode_t> umask = {};
    bool expect_ready = true;  // false: it is to end by itself
  };

  // Returns when all listeners answer, or when it has ended.
  explicit Daemon(const Options& options);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  const std::string& folder() const { return folder_; }
  pid_t pid() const { return pid_; }

  // The addresses of a listener as the ready file names them: "grpc", "admin", "health", "metrics".
  std::vector<std::string> Listens(const std::string& listener) const;
  std::string tcp() const;             // the first of "grpc" that is no socket
  std::string socket_address() const;  // the first that is one, "unix:/…"
  std::string admin() const { return Listens("admin").at(0); }
  bool ready_file_there() const;
  // What is in the file of the admin token; empty where there is none.
  std::string admin_token() const;

  void Signal(int signal) const;
  // Until it has ended: its exit code, 128 and the signal's number where one ended it, -1 after
  // kTestPatience.
  int Wait();
  // SIGTERM and Wait.
  int Stop();

  std::string Out() const;  // what it wrote to its standard output so far
  std::string Err() const;  // and to its standard error
  // Until a line of the standard output contains `text` so often; false after kTestPatience.
  bool WaitForLine(absl::string_view text, int count = 1) const;
  // The lines of the standard output with this event.
  std::vector<std::string> Lines(absl::string_view event) const;

 private:
  void Start(const Options& options);
  void AwaitReady();

  std::string folder_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<int> exit_code_;
};

// A GET of `path` over a connection of its own; status 0: no answer.
struct Page {
  int status = 0;
  std::string text;  // head and body
};
Page Get(const std::string& address, const std::string& path);
// The same with any request; `headers` are whole lines, each with its end. A body makes it a POST
// of JSON.
struct PageRequest {
  std::string method = "GET";
  std::string path = "/";
  std::string headers = {};
  std::string body = {};
};
Page Fetch(const std::string& address, const PageRequest& request);

// `listen:` with free TCP ports and a Unix socket in the daemon's folder.
std::string Listening(const std::string& more = "");

}  // namespace mg::e2e
