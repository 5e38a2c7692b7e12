// How the answers of the mock come: piece by piece at its pace, and broken by its faults, whose
// errors are the very ones that a real provider's would have been. What they say is
// mock_provider's. One per attempt, on its loop.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/http_message.h"
#include "daemon/provider.h"
#include "modelgateway/v1/config.pb.h"

namespace mg {

struct MockPace {
  absl::Duration first;
  absl::Duration token;
};

// How an answer comes, whatever it says.
struct MockManner {
  v1::MockFault fault;
  MockPace pace;
  HttpHeaders headers;  // of the HTTP answer that it plays
};

// Words with the white space behind them, so that they add up to the text. The mock's tokens.
std::vector<std::string> MockWords(absl::string_view text);
// Of all texts of the messages.
int CountInputWords(const v1::ChatRequest& request);

// `text`, as far as the request's max_output_tokens lets it.
std::unique_ptr<Answer> NewMockChat(const Ask& ask, const std::string& text, MockManner manner);
// These events, one a piece; the last is `completed`. What a `started` lacks, or is absent, is the
// mock's.
std::unique_ptr<Answer> NewMockEvents(const Ask& ask, std::vector<v1::ChatEvent> events,
                                      MockManner manner);
// An answer of one message; a fault strikes before it.
std::unique_ptr<Answer> NewMockWhole(const Ask& ask,
                                     std::unique_ptr<google::protobuf::Message> answer,
                                     v1::Usage usage, MockManner manner);

}  // namespace mg
