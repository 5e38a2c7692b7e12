// `provider_options`: which entries concern a candidate, and their merging into what the gateway
// wrote.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/map.h"
#include "google/protobuf/struct.pb.h"

namespace mg {

using OptionsMap = google::protobuf::Map<std::string, google::protobuf::Struct>;

// The entry of the provider laid over that of its dialect; false if neither is there.
bool OptionsFor(const OptionsMap& options, absl::string_view provider, absl::string_view dialect,
                google::protobuf::Struct* merged);

// Merges them into the object `text`. kInvalidRequest with the field, `FIELD["openai"].model`,
// where they would replace what the gateway wrote, or a member of `reserved`, which is the
// gateway's even where it is not written.
absl::Status MergeOptions(const OptionsMap& options, absl::string_view provider,
                          absl::string_view dialect, absl::string_view field,
                          std::initializer_list<absl::string_view> reserved, std::string* text);

}  // namespace mg
