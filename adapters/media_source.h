// What holds for the media of a request whatever the dialect: where they are, of which type, and
// the hints beside them. Pure functions.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "adapters/encode_notes.h"

namespace mg {

// The media type that is sent: what the bytes say, else what was declared. `field` is the place of
// the media.
absl::Status MediaTypeOf(const v1::Media& media, const std::string& field, EncodeNotes* notes,
                         std::string* type);

// Is there exactly one source, and can a provider that reads data, https: and file ids have it?
// `also_reads`: a scheme ("gs:") that it reads beside https.
absl::Status CheckMediaSource(const v1::Media& media, const std::string& field,
                              absl::string_view also_reads = "");

// Warns of the member `name` of the media, which the dialect has no place for, unless it is empty.
absl::Status DropMediaHint(const std::string& value, const std::string& field,
                           absl::string_view name, absl::string_view why, EncodeNotes* notes);

}  // namespace mg
