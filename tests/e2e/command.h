// A sub-command of the real binary, run to its end.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace mg::e2e {

struct CommandResult {
  int exit_code = -1;
  std::string output;  // both of its outputs
};

// `environment` is all that it has.
CommandResult RunCommand(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment = {});

}  // namespace mg::e2e
