// Loads a configuration: text in, the schema's message and all problems out, each with its line. A
// pure function of the text and of what Outside answers, so that it can be tested and fuzzed whole.
// Result: plain values, owned by the caller; any thread.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"
#include "daemon/config/problem.h"
#include "modelgateway/v1/config.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

// One text of a configuration.
struct ConfigSource {
  std::string text;
  std::string name;  // the file's name, or "MODEL_GATEWAY_CONFIG"
};

struct FileContent {
  std::string text;
  bool others_can_read = false;  // everybody on the machine, by its mode
};

// What a configuration may refer to.
struct Outside {
  // An environment variable; nullopt if it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // A file of at most `max_bytes`. The status' message ends the sentence "cannot be read: …".
  std::function<absl::StatusOr<FileContent>(const std::string& path, size_t max_bytes)> file;
  // The names in a folder, in no order. The status likewise.
  std::function<absl::StatusOr<std::vector<std::string>>(const std::string& path)> folder = {};
};

// The process' own environment and files.
Outside RealOutside();

// What `in` holds, at most `max_bytes` of it.
std::string ReadUpTo(std::istream& in, size_t max_bytes);

struct LoadedConfig {
  SourceLines sources;
  v1::Config config;  // absent keys are absent: effective.h and listen.h give what holds
  std::vector<Problem> problems;       // none: the configuration can serve
  std::vector<std::string> warnings;   // whole lines
  std::vector<std::string> no_effect;  // paths of keys that are there and have none in this version
  absl::flat_hash_map<std::string, Secret> secrets;  // by the path of the reference
  // Of each key and list item, by path; as `sources` counts.
  absl::flat_hash_map<std::string, int> lines;

  bool ok() const { return problems.empty(); }
  // Of the path, or of the nearest part of it that is in the file; 0: none is.
  int LineOf(absl::string_view path) const;
  // Adds to the warnings. The message says what is wrong at `path`, and what to do.
  void Warn(absl::string_view path, absl::string_view message);
  // The secret under this key of a provider's kind ("aws.session_token"); empty: none.
  const Secret& SecretOf(absl::string_view provider, absl::string_view key) const;
  // The key of a provider: empty where none is configured.
  const Secret& ApiKeyOf(absl::string_view provider) const;
  // All of them, for whoever must never write them. They live as long as this does.
  std::vector<absl::string_view> SecretTexts() const;
};

LoadedConfig LoadConfig(const ConfigSource& source, const Outside& outside);

// Lays each text over those before it: exactly one level merges by key, so that `providers.a` in
// two texts is the later one whole; lists replace. At least one text.
LoadedConfig LoadLayers(const std::vector<ConfigSource>& layers, const Outside& outside);

}  // namespace mg
