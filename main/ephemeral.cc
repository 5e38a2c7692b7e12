#include "main/ephemeral.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace mg {

EphemeralFolder::~EphemeralFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

absl::Status EphemeralFolder::Make() {
  const char* const named = std::getenv("TMPDIR");
  const std::string where = named != nullptr && *named == '/' ? named : "/tmp";
  std::string pattern = absl::StrCat(where, "/model-gateway-XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("--ephemeral: no folder can be made in ", where, ": ", std::strerror(errno)));
  }
  path_ = pattern;
  return absl::OkStatus();
}

}  // namespace mg
