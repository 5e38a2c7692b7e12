// A request held against what the configuration says that the model can do (ModelTraits), before
// the dialect sees it; where it says nothing, nothing happens. Pure.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/dialect.h"
#include "adapters/encode_notes.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

// kUnsupportedField, with the field, of what the model cannot do; kUnsupportedMethod where it does
// not chat, or not as a stream. A JSON schema is no such thing: it can be emulated.
absl::Status CheckCapabilities(const v1::ChatRequest& request, const DialectContext& context,
                               bool stream);
// kUnsupportedMethod where the model cannot do `word`, of which it has only one ("embed").
absl::Status CheckCapability(absl::string_view word, const DialectContext& context);

// The request without the sampling preferences that the model does not take, each of them noted;
// null where it has none of these.
absl::StatusOr<std::unique_ptr<v1::ChatRequest>> WithoutPreferences(const v1::ChatRequest& request,
                                                                    const DialectContext& context,
                                                                    EncodeNotes* notes);

}  // namespace mg
