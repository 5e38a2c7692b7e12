#include "tests/e2e/command.h"

#include <sys/wait.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/check.h"

namespace mg::e2e {
namespace {

std::string ForShell(const std::string& word) {
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment) {
  std::string line = "env -i PATH=/usr/bin:/bin";
  for (const auto& [name, value] : environment) {
    absl::StrAppend(&line, " ", ForShell(absl::StrCat(name, "=", value)));
  }
  absl::StrAppend(&line, " ", ForShell(MG_BINARY));
  for (const std::string& argument : arguments) absl::StrAppend(&line, " ", ForShell(argument));
  std::FILE* pipe = popen(absl::StrCat(line, " 2>&1 </dev/null").c_str(), "r");
  MG_CHECK(pipe != nullptr, "no shell");
  CommandResult result;
  char buffer[4096];
  while (const size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) {
    result.output.append(buffer, got);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace mg::e2e
