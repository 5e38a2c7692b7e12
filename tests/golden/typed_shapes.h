// The typed requests of shapes/: for every recorded request whose shape differs from the others',
// the ChatRequest (EmbedRequest, CountTokensRequest) that means the same.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/dialect.h"
#include "base/json.h"

namespace mg {

struct RecordedRequest {
  std::string name;  // "groq/oai-chat--tool-choice-matrix-none-groq": its folder
  std::string kind;  // provider and API: shapes of two of them are two
  JsonDocument body;
};

// All that count by the recordings' INDEX.md and have a body.
std::vector<RecordedRequest> RecordedRequests();

// The names in shapes/LIST.
std::vector<std::string> ListedShapes();

struct TypedRequest {
  DialectContext context;
  EncodedRequest encoded;
};

// What shapes/NAME.textproto becomes. Its "# context:" lines are those of encode_test.cc, and
// `embed`; under `count` and `embed` it is a CountTokensRequest or an EmbedRequest. Texts and data
// that are long stand in the recording alone: {{/pointer}} within a string is the string there, in
// the data of a medium the bytes that it is the base64 text of (a data URL's too). No other value
// can be filled in.
absl::StatusOr<TypedRequest> EncodeTyped(const RecordedRequest& recorded);

}  // namespace mg
