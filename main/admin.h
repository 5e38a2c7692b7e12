// `model-gateway admin`: the service Admin of a running daemon from the terminal, over its admin
// socket.
#pragma once

#include <string>
#include <vector>

#include "modelgateway/v1/gateway.pb.h"

namespace mg {

// `arguments` without the command's own name. The exit code: 0 ok, 1 the daemon refused or is not
// there, 2 wrong usage.
int RunAdmin(const std::vector<std::string>& arguments);

// `model-gateway explain` of a running daemon: who would serve a call of `model` now, and why.
// `address` of its admin socket; empty: the default one. The exit code, as RunAdmin.
int ExplainRunning(const std::string& address, const std::string& model,
                   const modelgateway::v1::CallContext& context);

}  // namespace mg
