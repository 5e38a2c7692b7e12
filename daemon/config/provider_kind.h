// A provider whatever its kind: the kinds' messages name what they have in common alike (http,
// scoped, base_url, api_key), and the schema says of each which dialect it speaks and which keys of
// the environment are its own. Pure functions over config.proto; a new kind needs no line here.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "modelgateway/v1/config.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// "openai"; empty where it has none.
std::string KindOf(const v1::ProviderConfig& provider);
// The keys that providers have in common; nullptr: of no kind that has them.
const v1::ScopedProviderConfig* ScopedOf(const v1::ProviderConfig& provider);
const v1::HttpProviderConfig* HttpOf(const v1::ProviderConfig& provider);
// The text under this key of the kind; empty where it has no such key or it is not written.
std::string TextOf(const v1::ProviderConfig& provider, absl::string_view key);
void SetText(absl::string_view key, std::string text, v1::ProviderConfig* provider);
// The texts under this key of the kind, which is a map.
std::map<std::string, std::string> TextsOf(const v1::ProviderConfig& provider,
                                           absl::string_view key);
// Is this key of the kind written?
bool IsWritten(const v1::ProviderConfig& provider, absl::string_view key);

struct ProviderKind {
  std::string name;
  std::string dialect;  // empty: none that provider_options could name
  std::vector<std::string> env_keys;
};
const std::vector<ProviderKind>& ProviderKinds();

}  // namespace mg
