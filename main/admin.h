// `model-gateway admin`: the service Admin of a running daemon from the terminal, over its admin
// socket.
#pragma once

#include <string>
#include <vector>

namespace mg {

// `arguments` without the command's own name. The exit code: 0 ok, 1 the daemon refused or is not
// there, 2 wrong usage.
int RunAdmin(const std::vector<std::string>& arguments);

}  // namespace mg
