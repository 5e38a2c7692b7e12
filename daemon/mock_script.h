// What a test may put into a mock and what it may script: the checks, and the answers that follow.
// Pure but for the answers, which belong to their attempt's loop.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "daemon/mock_answer.h"
#include "modelgateway/v1/mock.pb.h"

namespace mg {

// kInvalidRequest with the field ("rules[1].fault.status"), by the limits that config.proto names.
absl::Status CheckPutMock(const v1::PutMockRequest& request);
absl::Status CheckScript(const v1::ScriptRequest& request);

// The answer to `ask` that a checked script gives. `pace` is the mock's own.
std::unique_ptr<Answer> NewScripted(const Ask& ask, const v1::ScriptedAnswer& scripted,
                                    MockPace pace);

}  // namespace mg
