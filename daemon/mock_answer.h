// How the answers of the mock come: word by word at its pace, and broken by its faults, whose
// errors are the very ones that a real provider's would have been. What they say is
// mock_provider's. One per attempt, on its loop.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "daemon/provider.h"
#include "modelgateway/v1/config.pb.h"

namespace mg {

struct MockPace {
  absl::Duration first;
  absl::Duration token;
};

// Words with the white space behind them, so that they add up to the text. The mock's tokens.
std::vector<std::string> MockWords(absl::string_view text);

// `text`, as far as the request's max_output_tokens lets it.
std::unique_ptr<Answer> NewMockChat(const Ask& ask, const std::string& text,
                                    const v1::MockFault& fault, MockPace pace);
// An answer of one message; a fault strikes before it.
std::unique_ptr<Answer> NewMockWhole(const Ask& ask,
                                     std::unique_ptr<google::protobuf::Message> answer,
                                     v1::Usage usage, const v1::MockFault& fault, MockPace pace);

}  // namespace mg
