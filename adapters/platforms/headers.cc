#include "adapters/platforms/headers.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace mg {

void ReplaceHeaders(const HttpHeaders& configured, HttpHeaders* headers) {
  for (const HttpHeader& each : configured) {
    const auto same = [&](const HttpHeader& ours) {
      return absl::EqualsIgnoreCase(ours.name, each.name);
    };
    headers->erase(std::remove_if(headers->begin(), headers->end(), same), headers->end());
  }
  headers->insert(headers->end(), configured.begin(), configured.end());
}

}  // namespace mg
