// What the command lines of several sub-commands have in common.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "daemon/config/reading.h"

namespace mg {

// The value of `--name VALUE` or `--name=VALUE` at `*at`, which then stands on the last word that
// was taken; nullopt: something else stands there.
std::optional<std::string> Option(const std::vector<std::string>& arguments, absl::string_view name,
                                  size_t* at);

// Takes --config or --config-dir into `place`; false: something else stands there.
bool TakeConfigOption(const std::vector<std::string>& arguments, size_t* at, ConfigPlace* place);

// The reading of a configuration that is free of problems; else, with everything said on standard
// error, null: exit code 2. Warnings are said, too.
std::shared_ptr<const ConfigReading> ReadOrSayWhyNot(const ConfigPlace& place);

// Where a daemon with defaults listens: its socket of this name if there is one ("unix:/…"); else
// empty.
std::string DefaultSocket(absl::string_view name);
// That of gateway.sock, else 127.0.0.1:7411.
std::string DefaultAddress();

}  // namespace mg
