// The admin token: what a caller of the admin listeners must know to change something or to see
// what was said (spec/resilience.md §5). Made at start, it lies in a file that this user alone may
// read, and goes with the daemon. Made before the loop runs; read by the loop's thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"
#include "daemon/rpc.h"

namespace mg {

class AdminToken {
 public:
  // No token: methods that want it are refused.
  AdminToken() = default;
  // In the first of these folders that can have it, as `admin.token`. A folder can not where it is
  // not there, or where another daemon that lives has its token.
  explicit AdminToken(const std::vector<std::string>& folders);
  AdminToken(const AdminToken&) = delete;
  AdminToken& operator=(const AdminToken&) = delete;
  ~AdminToken();

  // Where it is; empty: nowhere.
  const std::string& file() const { return file_; }

  // kCallerCredential (UNAUTHENTICATED, 401) unless the call brings it: `authorization: Bearer
  // TOKEN`.
  absl::Status Check(const Rpc& rpc) const;

 private:
  bool WriteTo(const std::string& file);

  Secret token_;
  std::string file_;
  int fd_ = -1;  // of the file, locked while the daemon lives
};

}  // namespace mg
