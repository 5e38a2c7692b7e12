#include "adapters/dialect.h"

#include "absl/strings/str_cat.h"

namespace mg {

SchemaMeans Dialect::SchemaMeansOf(const v1::ChatRequest&, const AnswerSchema&,
                                   const DialectContext&) const {
  return SchemaMeans::kNative;
}

absl::StatusOr<EncodedRequest> Dialect::EncodeCount(const v1::CountTokensRequest&,
                                                    const DialectContext& context) const {
  return MakeError(ErrorClass::kUnsupportedMethod,
                   absl::StrCat(context.provider, " has no endpoint that counts tokens"));
}

absl::Status Dialect::DecodeCount(const DialectContext& context, absl::string_view,
                                  v1::CountTokensResponse*) const {
  return MakeError(ErrorClass::kUnsupportedMethod,
                   absl::StrCat(context.provider, " has no endpoint that counts tokens"));
}

absl::Status Platform::PrepareFrom(const PlatformConfig& config, const SecretSource& source,
                                   absl::Time wall_now, HttpRequest* request) const {
  Prepare(config, source.Now()->key, wall_now, request);
  return absl::OkStatus();
}

}  // namespace mg
