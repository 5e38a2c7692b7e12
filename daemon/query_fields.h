// The fields of a request that stand in the query of a URL. Pure.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mg {

// The protobuf JSON of the fields in the query of `target` ("/path?model=m&context.end_user=u"):
// names as in the proto or in JSON, dots lead into messages, a repeated field may stand repeatedly,
// and a map is entered by key ("context.metadata.plan=gold"). kInvalidRequest, with the field, for
// one that `message` has not, or that stands twice.
absl::StatusOr<std::string> JsonOfQuery(absl::string_view target,
                                        const google::protobuf::Descriptor& message);

}  // namespace mg
