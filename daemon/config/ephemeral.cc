#include "daemon/config/ephemeral.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/json.h"

namespace mg {
namespace {

constexpr char kMockAlone[] =
    "providers: { mock: { mock: {} } }\naliases: { default: mock/echo }\n";

std::string Socket(const std::string& folder, const char* name) {
  std::string text;
  AppendJsonString(absl::StrCat("unix:", folder, "/", name), &text);
  return text;
}

// Over a configuration that holds `base`.
std::string LayerOver(const v1::Config& base, const std::string& folder) {
  std::string text = absl::StrCat(
      "listen:\n  grpc: [\"127.0.0.1:0\", ", Socket(folder, "gateway.sock"),
      "]\n  admin: [\"127.0.0.1:0\"]\n  admin_grpc: [", Socket(folder, "admin.sock"), "]\n");
  if (!base.listen().health().addresses().empty()) {
    absl::StrAppend(&text, "  health: [\"127.0.0.1:0\"]\n");
  }
  if (!base.listen().metrics().addresses().empty()) {
    absl::StrAppend(&text, "  metrics: [\"127.0.0.1:0\"]\n");
  }
  absl::StrAppend(&text, "observability: { backend: none }\n");
  const auto& providers = base.providers();
  const bool has_mock = std::any_of(providers.begin(), providers.end(),
                                    [](const auto& each) { return each.second.has_mock(); });
  if (has_mock) absl::StrAppend(&text, "mock_control: true\n");
  return text;
}

}  // namespace

void LayEphemeral(const std::string& folder, const Outside& outside, ChosenConfig* chosen) {
  if (chosen->embedded) {
    chosen->layers = {{kMockAlone, "(the mock alone)"}};
    chosen->notes.clear();
  }
  const LoadedConfig base = LoadLayers(chosen->layers, outside);
  chosen->layers.push_back({LayerOver(base.config, folder), "--ephemeral"});
}

}  // namespace mg
