#include "main/ready_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/json.h"

namespace mg {
namespace {

void AppendList(const char* name, const std::vector<std::string>& addresses, std::string* json) {
  absl::StrAppend(json, json->size() > 1 ? "," : "", "\"", name, "\":[");
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (i > 0) json->push_back(',');
    AppendJsonString(addresses[i], json);
  }
  json->push_back(']');
}

}  // namespace

ReadyFile::~ReadyFile() {
  if (written_) unlink(path_.c_str());
}

absl::Status ReadyFile::Write(const Listeners& listeners) {
  if (path_.empty()) return absl::OkStatus();
  std::string json = "{";
  AppendList("grpc", listeners.grpc, &json);
  AppendList("http", {}, &json);
  AppendList("admin", listeners.admin, &json);
  AppendList("admin_grpc", listeners.admin_grpc, &json);
  AppendList("health", listeners.health, &json);
  AppendList("metrics", listeners.metrics, &json);
  json.append(",\"admin_token_file\":");
  AppendJsonString(listeners.admin_token_file, &json);
  json.append("}\n");

  const std::string fresh = absl::StrCat(path_, ".new");
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool ok = fd >= 0;
  ok = ok && write(fd, json.data(), json.size()) == static_cast<ssize_t>(json.size());
  if (fd >= 0) ok = close(fd) == 0 && ok;
  ok = ok && rename(fresh.c_str(), path_.c_str()) == 0;
  if (!ok) {
    return absl::UnavailableError(
        absl::StrCat("--ready-file ", path_, " cannot be written: ", std::strerror(errno)));
  }
  written_ = true;
  return absl::OkStatus();
}

}  // namespace mg
