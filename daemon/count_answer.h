// The answer to a CountTokens over HTTP: one small document. It belongs to its attempt and its
// loop.
#pragma once

#include <memory>
#include <vector>

#include "adapters/dialect.h"
#include "daemon/provider.h"
#include "daemon/runtime/http_client.h"

namespace mg {

class HttpProvider;

// `provider`, `dialect` and what `ask` refers to must outlive it.
std::unique_ptr<Answer> NewCountAnswer(const Ask& ask, const HttpProvider& provider,
                                       const Dialect& dialect, DialectContext context,
                                       std::vector<v1::Warning> warnings,
                                       std::unique_ptr<HttpExchange> exchange);

}  // namespace mg
