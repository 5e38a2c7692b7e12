// Answers to Embed: all of a batch's vectors or none, in the room they are promised.
// Input: the number of inputs asked for, as a letter from '@' on; the body.
#include <cmath>

#include "adapters/dialect.h"
#include "base/check.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

void Check(absl::string_view input) {
  DialectContext context;
  context.provider = "acme";
  context.model = "m-1";
  const EmbedBatch batch = {3, TakeByte(&input) & 15};
  v1::EmbedResponse response;
  response.add_embeddings()->add_values(1);
  const Adapter* adapter = FindAdapter("openai_compatible");
  const absl::Status status = adapter->dialect->DecodeEmbed(context, batch, input, &response);
  if (!status.ok()) {
    MG_CHECK(ClassOf(status) != ErrorClass::kBug, "a class");
    MG_CHECK(response.embeddings_size() == 1, "a broken answer adds no vector");
    return;
  }
  MG_CHECK(response.embeddings_size() == 1 + batch.count, "as many vectors as inputs");
  for (int i = 0; i < batch.count; ++i) {
    MG_CHECK(response.embeddings(1 + i).values_size() > 0, "a vector has values");
    for (const float value : response.embeddings(1 + i).values()) {
      MG_CHECK(std::isfinite(value), "a value is a number");
    }
  }
  v1::EmbedResponse again;
  MG_CHECK(again.ParseFromString(response.SerializeAsString()), "every string is UTF-8");
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
