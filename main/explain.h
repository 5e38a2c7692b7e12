// `model-gateway explain MODEL`: which candidate would serve a call, and why.
#pragma once

#include <string>
#include <vector>

namespace mg {

// `arguments` without the command's own name. The exit code: 0 it would be served, 1 it would be
// refused, 2 wrong usage or configuration.
int RunExplain(const std::vector<std::string>& arguments);

}  // namespace mg
