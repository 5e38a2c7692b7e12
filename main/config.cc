// `model-gateway config docs`: what a configuration may say.

#include <cstdio>
#include <string>
#include <vector>

#include "daemon/config/docs.h"
#include "main/commands.h"

namespace mg {

int RunConfig(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "docs") {
    std::fputs(ConfigManual().c_str(), stdout);
    return kOk;
  }
  if (!arguments.empty() && arguments[0] != "docs") {
    std::fprintf(stderr, "model-gateway: config has no \"%s\"; it has: docs\n",
                 arguments[0].c_str());
  }
  std::fprintf(stderr, "usage: model-gateway config docs\n");
  return kWrongUsage;
}

}  // namespace mg
