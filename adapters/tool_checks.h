// What holds for tools and the choice among them whatever the dialect. Pure functions.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// 1 to `longest` of A-Z, a-z, 0-9, _ and -.
bool IsToolName(absl::string_view name, size_t longest);

// The hosted tool as this candidate takes it: the provider's entry, else its dialect's; nullptr: it
// cannot.
const google::protobuf::Struct* HostedFor(const v1::Tool& tool, absl::string_view provider,
                                          absl::string_view dialect);

// Names that are there twice, a choice that contradicts itself or names what is not there.
absl::Status CheckToolChoice(const v1::ChatRequest& request);

}  // namespace mg
