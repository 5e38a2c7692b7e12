// `model-gateway health`: the probe of kubelets and scripts where a port cannot be reached.
#pragma once

#include <string>
#include <vector>

namespace mg {

// `arguments` without the command's own name. The exit code: 0 serving, 1 not serving or not to be
// reached, 2 wrong usage.
int RunHealth(const std::vector<std::string>& arguments);

}  // namespace mg
