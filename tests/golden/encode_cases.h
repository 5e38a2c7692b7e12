// The cases of encode/: requests for a candidate, with what stands for whom.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/dialect.h"

namespace mg {

struct EncodeSuite {
  std::string dir;         // under tests/golden
  DialectContext context;  // of the cases that do not say otherwise
  size_t least;            // so many cases there are
};

const std::vector<EncodeSuite>& EncodeSuites();

struct EncodeCase {
  std::string path;  // of its textproto
  DialectContext context;
  bool count = false;
  bool stream = false;
  v1::ChatRequest request;
};

std::vector<EncodeCase> CasesOf(const EncodeSuite& suite);
absl::StatusOr<EncodedRequest> Encode(const EncodeCase& one);

}  // namespace mg
