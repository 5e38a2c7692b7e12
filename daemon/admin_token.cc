#include "daemon/admin_token.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "base/error.h"
#include "base/same_bytes.h"

namespace mg {
namespace {

constexpr char kFile[] = "admin.token";
constexpr size_t kRandomBytes = 32;

Secret NewToken() {
  char bytes[kRandomBytes];
  MG_CHECK(getrandom(bytes, sizeof bytes, 0) == static_cast<ssize_t>(sizeof bytes),
           "the system has no random numbers");
  return Secret(absl::WebSafeBase64Escape(absl::string_view(bytes, sizeof bytes)));
}

// Takes away the file of a daemon that is gone. A link, another user's file, or one whose daemon
// holds its lock stays.
bool ClearPlace(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT;
  struct stat info;
  const bool ours = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid();
  const bool cleared = ours && flock(fd, LOCK_EX | LOCK_NB) == 0 && unlink(file.c_str()) == 0;
  close(fd);
  return cleared;
}

}  // namespace

AdminToken::AdminToken(const std::vector<std::string>& folders) : token_(NewToken()) {
  for (const std::string& folder : folders) {
    const std::string file = absl::StrCat(folder, "/", kFile);
    if (!WriteTo(file)) continue;
    file_ = file;
    return;
  }
}

AdminToken::~AdminToken() {
  if (fd_ < 0) return;
  unlink(file_.c_str());
  close(fd_);
}

bool AdminToken::WriteTo(const std::string& file) {
  if (!ClearPlace(file)) return false;
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const std::string line = absl::StrCat(token_.Reveal(), "\n");
  const bool ok = flock(fd, LOCK_EX | LOCK_NB) == 0 && fchmod(fd, 0600) == 0 &&
                  write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (!ok) {
    unlink(file.c_str());
    close(fd);
    return false;
  }
  fd_ = fd;
  return true;
}

absl::Status AdminToken::Check(const Rpc& rpc) const {
  if (file_.empty()) {
    return MakeError(ErrorClass::kCallerCredential,
                     "this method wants the admin token, and the daemon found no place for one: "
                     "name a Unix socket in listen.admin_grpc, beside which it will lie");
  }
  absl::string_view given = rpc.Metadata("authorization");
  constexpr absl::string_view kScheme = "bearer ";
  if (absl::StartsWithIgnoreCase(given, kScheme)) {
    given.remove_prefix(kScheme.size());
    if (SameBytes(given, token_.Reveal())) return absl::OkStatus();
  }
  return MakeError(ErrorClass::kCallerCredential,
                   absl::StrCat("this method wants the admin token: send `authorization: Bearer "
                                "TOKEN` with what is in ",
                                file_));
}

}  // namespace mg
