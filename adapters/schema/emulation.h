// A schema for a model that has no structured output: the same request as one with a tool that must
// be called, or as one that asks in words; and what came of it as the answer that was asked for.
// Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "adapters/dialect.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

struct EmulatedChat {
  v1::ChatRequest request;  // without response_format
  SchemaMeans means = SchemaMeans::kNative;
  std::string tool;  // kForcedTool: the tool's name; empty: the caller forces one of its own
  bool message_first = false;  // a message of ours stands before the caller's
};

// `request` asks for a JSON schema that is an object's text. A forced tool takes objects alone: for
// a schema of another top it becomes kInstruction.
EmulatedChat EmulateSchema(const v1::ChatRequest& request, SchemaMeans means);

// Makes the emulated choice the answer to the caller's request: the call of `tool` (if any) becomes
// its text and its finish STOP; a text loses the fence around it. What is no whole answer (LENGTH,
// a refusal, calls of the caller's own tools) keeps what it has, but for calls of `tool`.
void RestoreAnswer(absl::string_view tool, v1::Choice* choice);

// All texts of a message.
std::string TextOf(const v1::Message& message);

}  // namespace mg
