// What holds for embeddings whatever the dialect: the words that the contract knows, what an input
// is, and vectors of floats as providers write them. Pure functions.
#pragma once

#include "absl/status/status.h"
#include "base/json.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// kInvalidRequest with the field for what no provider could serve: no input, no dimension, a word
// for element_type or task that the contract does not know.
absl::Status CheckEmbedRequest(const v1::EmbedRequest& request);
// Is the input at `index` exactly one of text, parts and token ids?
absl::Status CheckEmbedInput(const v1::EmbedInput& input, int index);
// "int8" and its like: the vector is `packed`.
bool IsPackedType(absl::string_view element_type);

// Little-endian floats in base64, or an array of numbers. False where it is neither, is empty or
// holds a value that is no finite number.
bool ReadFloats(const JsonValue& value, v1::Embedding* embedding);
// Numbers of one byte each, signed or not, as `packed`; those of "binary" and "ubinary" hold eight
// dimensions. False where it is no array of such, or empty.
bool ReadBytes(const JsonValue& value, v1::Embedding* embedding);

}  // namespace mg
