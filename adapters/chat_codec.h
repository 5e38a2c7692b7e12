// One chat with one candidate, between the caller's request and the dialect: what the configuration
// says that the model cannot do is refused or left out; where a JSON schema is asked for, it is
// compiled before anything is sent, emulated where the model has no structured output, and the
// answer is held to it. One per attempt, on its loop.
#pragma once

#include <memory>
#include <string>

#include "adapters/dialect.h"
#include "adapters/schema/emulation.h"
#include "adapters/schema/schema.h"
#include "adapters/schema/schema_decoder.h"

namespace mg {

class ChatCodec {
 public:
  // `dialect` and `request` must outlive it.
  ChatCodec(const Dialect& dialect, const v1::ChatRequest& request, DialectContext context,
            bool stream);

  // As Dialect::EncodeChat; kInvalidRequest for a schema that is none. Once.
  absl::StatusOr<EncodedRequest> Encode();
  // As Dialect::NewChatDecoder, after Encode; the codec must outlive the decoder.
  absl::StatusOr<std::unique_ptr<Decoder>> NewDecoder(const HttpHead& head);

  const Dialect& dialect() const { return dialect_; }
  const DialectContext& context() const { return context_; }
  // After the decoder has said kSchema (else it says nothing).
  SchemaFailure& failure() { return failure_; }

 private:
  absl::StatusOr<EncodedRequest> EncodeTaken();
  // What of the request the model takes.
  const v1::ChatRequest& taken() const { return reduced_ != nullptr ? *reduced_ : request_; }
  // Says what was not served quite as asked.
  absl::Status Warn(EncodedRequest* encoded) const;

  const Dialect& dialect_;
  const v1::ChatRequest& request_;
  const DialectContext context_;
  const bool stream_;
  std::unique_ptr<const v1::ChatRequest> reduced_;  // null: the model takes all of it
  std::unique_ptr<const AnswerSchema> schema_;      // null: none is asked for
  EmulatedChat emulated_;                           // unless the means is native
  SchemaMeans means_ = SchemaMeans::kNative;
  SchemaFailure failure_;
};

// Dialect::EncodeCount for the request as ChatCodec would send it.
absl::StatusOr<EncodedRequest> EncodeCount(const Dialect& dialect,
                                           const v1::CountTokensRequest& request,
                                           const DialectContext& context);

}  // namespace mg
