// An answer of the mock whose end is written down in its session, whatever it is. One per attempt,
// on its loop.
#pragma once

#include <memory>
#include <string>

#include "daemon/mock_sessions.h"
#include "daemon/provider.h"

namespace mg {

// `call`: what MockSessions::Begin gave. `sessions` must outlive the answer.
std::unique_ptr<Answer> NewRecorded(std::unique_ptr<Answer> answer, MockSessions* sessions,
                                    std::string session, int64_t call);

}  // namespace mg
