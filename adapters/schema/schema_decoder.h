// Holds an answer to the schema that was asked for. A native answer passes as it comes, but for its
// end, which waits for the verdict; an emulated one is kept until it is whole. One per attempt, on
// its loop.
#pragma once

#include <memory>
#include <string>

#include "adapters/dialect.h"
#include "adapters/schema/schema.h"

namespace mg {

// What is left of an attempt whose answer does not fit.
struct SchemaFailure {
  v1::Usage usage;
  // What to ask the same model next: the answer as history and what is wrong with it. Null where
  // several choices were asked for.
  std::unique_ptr<v1::ChatRequest> repair;
};

// What was asked; everything it refers to outlives the decoder.
struct SchemaTask {
  const v1::ChatRequest* asked = nullptr;  // as the caller has it
  const AnswerSchema* schema = nullptr;
  const DialectContext* context = nullptr;
  bool native = true;
  std::string tool;  // of a forced tool (EmulatedChat); else empty
};

// The answer of `inner`. Where a choice that finishes STOP does not fit: kSchema instead of its
// finish, and `failure` (which outlives the decoder) is filled.
std::unique_ptr<Decoder> NewSchemaDecoder(std::unique_ptr<Decoder> inner, SchemaTask task,
                                          SchemaFailure* failure);

}  // namespace mg
