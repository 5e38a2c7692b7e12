// Heads of requests out of bytes and replies into bytes, by Boost.Beast, which stays in the .cc
// file.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "daemon/runtime/http_checks.h"
#include "daemon/runtime/http_server.h"

namespace mg {

// `bytes` is a whole head. The refusal where it is none.
std::optional<HttpRefusal> ParseRequestHead(absl::string_view bytes, HttpRequestHead* head);

// With the headers that every reply has. `head_only`: for HEAD.
std::string SerializeReply(const HttpReply& reply, bool head_only, bool keep_alive);

}  // namespace mg
