// What platforms have in common about headers. Pure.
#pragma once

#include "base/http_message.h"

namespace mg {

// The configured ones go out, and replace what the gateway would send under their names.
void ReplaceHeaders(const HttpHeaders& configured, HttpHeaders* headers);

}  // namespace mg
