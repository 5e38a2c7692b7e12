// The service MockControl (mock.proto): tests say what the mocks answer and see what they were
// asked. The loop's thread.
#pragma once

#include "daemon/admin_token.h"
#include "daemon/grpc_server.h"
#include "daemon/mock_sessions.h"
#include "daemon/worker.h"

namespace mg {

// All must outlive the service.
RpcService MockControlService(const Worker* worker, MockSessions* sessions,
                              const AdminToken* token);

}  // namespace mg
