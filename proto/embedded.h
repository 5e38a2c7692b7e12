// The descriptors of all protos of this folder and of what they import, as protoc wrote them: with
// the comments, which the compiled-in pool lacks. Constant bytes of the binary; any thread.
#pragma once

#include "absl/strings/string_view.h"

namespace mg {

// A google.protobuf.FileDescriptorSet; each file stands behind those that it imports.
absl::string_view EmbeddedDescriptors();

// One google.protobuf.FileDescriptorProto of them, by its name ("modelgateway/v1/gateway.proto");
// empty if there is none.
absl::string_view EmbeddedFile(absl::string_view name);

}  // namespace mg
