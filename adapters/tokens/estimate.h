// A count of tokens without a vocabulary: a quarter of the bytes, and bounds that say how little
// that is (spec/tokens.md §6.1, method `estimate bytes`). Pure.
#pragma once

#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// Of the request's `text`, or of its chat: messages one by one, tools and schema on top. An empty
// text is 0, exactly. A piece of media is counted flatly, with a Warning in the report.
v1::CountTokensResponse EstimateTokens(const v1::CountTokensRequest& request);

}  // namespace mg
