// grpc.reflection (v1 and v1alpha, which differ by name alone) as methods like any other: the
// descriptors go out with the comments of their protos, so grpcurl shows the contract's manual. No
// state; the loop's thread.
#pragma once

#include <vector>

#include "daemon/grpc_server.h"

namespace mg {

// Adds the services that tell of `services` and of themselves.
void AddReflection(std::vector<RpcService>* services);

}  // namespace mg
