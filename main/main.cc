// model-gateway: one binary, its sub-commands.

#include <cstdio>
#include <string>
#include <vector>

#include "base/version.h"
#include "main/admin.h"
#include "main/chat.h"
#include "main/commands.h"
#include "main/explain.h"
#include "main/health.h"

namespace {

constexpr char kHelp[] =
    R"(model-gateway: one door to all language models, beside your application.

usage:
  model-gateway serve [--config FILE] [--config-dir DIR] [--ephemeral] [--ready-file FILE]
      Runs the daemon. The configuration is FILE, else the text in MODEL_GATEWAY_CONFIG, else the
      file named by MODEL_GATEWAY_CONFIG_FILE, else embedded defaults: the mock provider, and a
      provider for each well-known key in the environment. The files of DIR (*.yaml, *.yml, *.json)
      lie over it. A change of a file is taken up while the daemon runs. --ephemeral: free ports,
      sockets in a folder that goes at the end, and without a configuration the mock alone; where
      it listens is in the ready file.
  model-gateway check FILE|- [--config-dir DIR]
      Checks a configuration as serve would, and names every problem at once.
  model-gateway config docs|schema|example
      The manual of the configuration, with every key; a JSON Schema of it for editors; one to
      begin with.
  model-gateway config effective [--config FILE] [--config-dir DIR]
      Each value that holds and where it comes from: file and line, environment, default.
  model-gateway doctor [--config FILE] [--config-dir DIR] [--json]
      Asks every configured provider, for nothing, whether it would serve: its name, TLS, key and
      list of models; and says what to do where not.
  model-gateway explain MODEL [--routing-key K] [--end-user U] [--session-id S]
                        [--config FILE] [--config-dir DIR] [--address ADDRESS]
      Which candidate would serve a call, and why: by this configuration, all of them being well;
      without one the daemon is asked that runs here (its admin socket, or ADDRESS), which knows
      how they are.
  model-gateway health [--socket ADDRESS] [--service NAME]
      Whether a daemon serves: exit code 0. For probes.
  model-gateway admin state|reset|isolate|reload|drain
      What a running daemon knows of its providers, and what an operator does about it.
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
  if (command == "doctor") return mg::RunDoctor(rest);
  if (command == "explain") return mg::RunExplain(rest);
  if (command == "chat") return mg::RunChat(rest);
  if (command == "admin") return mg::RunAdmin(rest);
  if (command == "health") return mg::RunHealth(rest);
  if (command.empty()) {
    std::fputs(kHelp, stderr);
  } else {
    std::fprintf(stderr, "model-gateway: \"%s\" is no command; model-gateway --help lists them\n",
                 command.c_str());
  }
  return mg::kWrongUsage;
}
