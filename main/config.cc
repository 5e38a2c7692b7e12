// `model-gateway config`: what a configuration may say, and what this one says.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/docs.h"
#include "daemon/config/effective_text.h"
#include "daemon/config/example.h"
#include "daemon/config/json_schema.h"
#include "main/commands.h"
#include "main/options.h"

namespace mg {
namespace {

constexpr char kUsage[] =
    "usage: model-gateway config docs|schema|example\n"
    "       model-gateway config effective [--config FILE] [--config-dir DIR]\n";

int Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return kOk;
}

int PrintEffective(const std::vector<std::string>& arguments) {
  ConfigPlace place;
  for (size_t at = 1; at < arguments.size(); ++at) {
    if (TakeConfigOption(arguments, &at, &place)) continue;
    std::fprintf(stderr, "model-gateway: config effective does not take \"%s\" here\n%s",
                 arguments[at].c_str(), kUsage);
    return kWrongUsage;
  }
  const std::shared_ptr<const ConfigReading> reading = ReadOrSayWhyNot(place);
  return reading == nullptr ? kWrongUsage : Print(EffectiveText(reading->loaded));
}

}  // namespace

int RunConfig(const std::vector<std::string>& arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "effective") return PrintEffective(arguments);
  if (arguments.size() == 1) {
    if (what == "docs") return Print(ConfigManual());
    if (what == "schema") return Print(ConfigJsonSchema() + "\n");
    if (what == "example") return Print(ConfigExample());
    std::fprintf(stderr,
                 "model-gateway: config has no \"%s\"; it has: docs, schema, example, effective\n",
                 what.c_str());
  }
  std::fputs(kUsage, stderr);
  return kWrongUsage;
}

}  // namespace mg
