// Where the gRPC server listens: the checks that gRPC leaves out (a port that another daemon
// serves, a live or foreign Unix socket, see toolchain.md trap 9), and the life of a socket's file.
// At start and end only, any thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mg {

// One address, checked and ready to be handed to gRPC.
class ListenAddress {
 public:
  // "HOST:PORT", "[V6]:PORT" or "unix:/PATH". INVALID_ARGUMENT where it is none of these,
  // UNAVAILABLE where it cannot be listened on; the text says why, without the address.
  static absl::StatusOr<std::unique_ptr<ListenAddress>> Prepare(absl::string_view address);
  ~ListenAddress();  // removes the socket's file if it is still ours
  ListenAddress(const ListenAddress&) = delete;
  ListenAddress& operator=(const ListenAddress&) = delete;

  // What gRPC is to bind. A Unix socket is bound beside its path and moved there by Publish, in one
  // step: nobody finds the path missing, and gRPC, which removes what it has bound, never removes
  // another daemon's socket.
  const std::string& to_bind() const { return to_bind_; }
  // Once bound: moves the socket to its path; `port` is the real one. UNAVAILABLE where that fails.
  absl::Status Publish(int port);
  // As it was given, with the real port instead of 0.
  const std::string& published() const { return published_; }

 private:
  ListenAddress() = default;
  absl::Status PrepareSocket(absl::string_view path);
  absl::Status PreparePort(absl::string_view address);

  std::string to_bind_;
  std::string published_;
  std::string host_;
  std::string path_;        // of a Unix socket
  std::string bound_path_;  // where gRPC binds it
  bool moved_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The permissions of files that are made while it lives (umask is the process's, so only at start).
class ScopedUmask {
 public:
  explicit ScopedUmask(mode_t mode);
  ~ScopedUmask();
  ScopedUmask(const ScopedUmask&) = delete;
  ScopedUmask& operator=(const ScopedUmask&) = delete;

 private:
  const mode_t before_;
};

}  // namespace mg
