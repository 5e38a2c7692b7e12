// Does a JSON document fit a JSON Schema? For answers that were asked for by schema, where neither
// side can be trusted: the schema is the caller's, the document a model's. Compiled once, then
// const: any thread.
//
// Keywords: type, enum, const, properties, required, additionalProperties, items, prefixItems,
// anyOf, $ref, $defs (and definitions), pattern (RE2), the known formats, multipleOf and all that
// begin with min and max. Annotations say nothing; every other keyword is named by unchecked().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"

namespace mg {

// Where a document does not fit. Neither names nor texts quote the document at length.
struct SchemaViolation {
  std::string pointer;  // into the document: "/items/0/price"; the document itself: ""
  std::string keyword;  // of the schema: "maximum"; "json" for a text that is no JSON
  std::string text;     // "must be at most 100"
};

// "at /items/0/price: must be at most 100 (maximum)"
std::string ToSentence(const SchemaViolation& violation);

class AnswerSchema {
 public:
  // A plain INVALID_ARGUMENT names what is wrong and where in the schema: no JSON, larger than
  // 1 MiB, deeper than 64 schemas, a keyword's value that is none, a $ref that leads nowhere, out
  // of the schema, or back to itself without a step into the document.
  static absl::StatusOr<std::unique_ptr<const AnswerSchema>> Compile(absl::string_view schema_json);
  ~AnswerSchema();
  AnswerSchema(const AnswerSchema&) = delete;
  AnswerSchema& operator=(const AnswerSchema&) = delete;

  // The places of keywords that are not checked, as pointers into the schema ("/oneOf"); at most
  // kMaxUnchecked of them.
  const std::vector<std::string>& unchecked() const { return unchecked_; }
  static constexpr size_t kMaxUnchecked = 16;

  // What some providers do not take of a schema.
  struct Traits {
    bool recursive = false;
    // additionalProperties that is there and not false, or an object of which nothing is said.
    bool free_members = false;
    int optional_members = 0;  // named, and not required
  };
  const Traits& traits() const { return traits_; }

  // At most `most` violations (≥ 1), in the order of the document; none: it fits. The work is
  // bounded: by the size of the document and a constant.
  std::vector<SchemaViolation> Check(absl::string_view document_json, size_t most) const;

 private:
  struct Node;
  class Compiler;
  class Checker;
  AnswerSchema();

  JsonDocument schema_;  // names, enum and const are read in place
  std::vector<Node> nodes_;
  std::vector<std::string> unchecked_;
  Traits traits_;
};

}  // namespace mg
