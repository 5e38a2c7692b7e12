// What `serve --ephemeral` means for the configuration. A pure function of what Outside answers.
#pragma once

#include <string>

#include "daemon/config/load.h"
#include "daemon/config/source.h"

namespace mg {

// Lays over `chosen`: free TCP ports of 127.0.0.1, sockets in `folder`, no traces, and mocks under
// control where there are any. Where nothing was configured there is the mock alone, whatever keys
// the environment has.
void LayEphemeral(const std::string& folder, const Outside& outside, ChosenConfig* chosen);

}  // namespace mg
