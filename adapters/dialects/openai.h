// OpenAI's chat dialect, spoken by OpenAI and by the servers that imitate it
// (DialectContext::compatible). Stateless.
#pragma once

#include "adapters/dialect.h"

namespace mg {

class OpenAiDialect : public Dialect {
 public:
  absl::string_view name() const override;
  absl::StatusOr<EncodedRequest> EncodeChat(const v1::ChatRequest& request,
                                            const DialectContext& context,
                                            bool stream) const override;
  absl::StatusOr<std::unique_ptr<Decoder>> NewChatDecoder(const v1::ChatRequest& request,
                                                          const DialectContext& context,
                                                          const HttpHead& head) const override;
  absl::Status DecodeError(const DialectContext& context, const HttpHead& head,
                           absl::string_view body, absl::Time wall_now) const override;
  std::string ProviderRequestId(const HttpHead& head) const override;
};

}  // namespace mg
