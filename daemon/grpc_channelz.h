// The channelz service over what gRPC itself counts: each method hands on gRPC's own JSON as the
// message of its protocol. Of the process, not of one server. The loop's thread.
#pragma once

#include "daemon/grpc_server.h"

namespace mg {

RpcService ChannelzService();

}  // namespace mg
