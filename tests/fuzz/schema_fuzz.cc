// The validator with a schema (the input's first line) and a document (the rest): both are
// anyone's. It ends, says the same twice, and says little.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "adapters/schema/schema.h"
#include "base/check.h"
#include "base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), size);
  // Copies, so that the sanitizer sees a byte read beyond them.
  const std::string schema_json(input.substr(0, line));
  const std::string document(input.substr(std::min(line + 1, size)));
  const auto schema = mg::AnswerSchema::Compile(schema_json);
  if (!schema.ok()) {
    MG_CHECK(!schema.status().message().empty() && schema.status().message().size() < 1024,
             "a refusal says why, in short");
    return 0;
  }
  const auto violations = (*schema)->Check(document, 5);
  MG_CHECK(violations.size() <= 5, "no more than were asked for");
  for (const mg::SchemaViolation& violation : violations) {
    const std::string sentence = mg::ToSentence(violation);
    MG_CHECK(sentence.size() < 1024 && mg::IsValidUtf8(sentence), "a violation is short");
  }
  const auto first = (*schema)->Check(document, 1);
  MG_CHECK(first.empty() == violations.empty(), "the first violation is one of all");
  return 0;
}
