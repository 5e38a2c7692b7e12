// model-gateway: one binary, its sub-commands.

#include <cstdio>
#include <string>
#include <vector>

#include "base/version.h"
#include "main/chat.h"
#include "main/commands.h"

namespace {

constexpr char kHelp[] =
    R"(model-gateway: one door to all language models, beside your application.

usage:
  model-gateway serve [--config FILE] [--ready-file FILE]
      Runs the daemon. The configuration is FILE, else the text in MODEL_GATEWAY_CONFIG, else the
      file named by MODEL_GATEWAY_CONFIG_FILE, else embedded defaults: the mock provider, and a
      provider for each well-known key in the environment.
  model-gateway check FILE|-
      Checks a configuration as serve would, and names every problem at once.
  model-gateway config docs
      The manual of the configuration: every key with its type, limits, default and meaning.
  model-gateway chat [--address ADDRESS] [--model MODEL] [TEXT|-]
      One call from the terminal, streamed.
  model-gateway --version
  model-gateway --help

exit codes: 0 ok, 1 failed, 2 wrong usage, syntax or configuration
)";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string command = arguments.empty() ? "" : arguments[0];
  const std::vector<std::string> rest(arguments.empty() ? arguments.end() : arguments.begin() + 1,
                                      arguments.end());
  for (const std::string& argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    std::fputs(kHelp, stdout);
    return mg::kOk;
  }
  if (command == "--version") {
    std::printf("model-gateway %s\n", mg::kVersion);
    return mg::kOk;
  }
  if (command == "serve") return mg::RunServe(rest);
  if (command == "check") return mg::RunCheck(rest);
  if (command == "config") return mg::RunConfig(rest);
  if (command == "chat") return mg::RunChat(rest);
  if (command.empty()) {
    std::fputs(kHelp, stderr);
  } else {
    std::fprintf(stderr, "model-gateway: \"%s\" is no command; model-gateway --help lists them\n",
                 command.c_str());
  }
  return mg::kWrongUsage;
}
