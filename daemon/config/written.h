// Values as a configuration writes them: the opposite of scalar.h and the reader. Pure functions.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace mg {

// "1m30s", "250ms", "0s"; what ReadDuration reads as the same.
std::string WrittenDuration(absl::Duration duration);
// "8MiB", "512"; likewise.
std::string WrittenSize(uint64_t bytes);
// A YAML text: quoted where it could be taken for something else.
std::string WrittenText(absl::string_view text);

// The value of a single field, or of one item of a list, on one line; of a secret its reference,
// never the secret. `index`: -1 for a field that is no list.
std::string WrittenValue(const google::protobuf::Message& message,
                         const google::protobuf::FieldDescriptor& field, int index = -1);

}  // namespace mg
