// `model-gateway chat`: one streamed call from the terminal, as a client of a running daemon.
#pragma once

#include <string>
#include <vector>

namespace mg {

// `arguments` without the command's own name. The exit code: 0 ok, 1 the call failed, 2 wrong
// usage.
int RunChat(const std::vector<std::string>& arguments);

}  // namespace mg
