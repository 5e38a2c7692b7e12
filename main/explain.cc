#include "main/explain.h"

#include <cstdio>
#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "daemon/build_snapshot.h"
#include "main/admin.h"
#include "main/commands.h"
#include "main/options.h"
#include "routing/explain.h"

namespace mg {
namespace {

constexpr char kUsage[] =
    "usage: model-gateway explain MODEL [--routing-key K] [--end-user U] [--session-id S]\n"
    "                             [--config FILE] [--config-dir DIR] [--address ADDRESS]\n"
    "Of a configuration, all breakers closed; without one, of the running daemon whose admin\n"
    "socket ADDRESS names (else the default one).\n";

struct ExplainArguments {
  std::string model;
  v1::CallContext context;
  ConfigPlace config;
  std::string address;
};

bool TakeContext(const std::vector<std::string>& arguments, size_t* at, v1::CallContext* context) {
  if (auto key = Option(arguments, "--routing-key", at)) {
    context->set_routing_key(*key);
  } else if (auto user = Option(arguments, "--end-user", at)) {
    context->set_end_user(*user);
  } else if (auto session = Option(arguments, "--session-id", at)) {
    context->set_session_id(*session);
  } else {
    return false;
  }
  return true;
}

std::optional<ExplainArguments> Parse(const std::vector<std::string>& arguments) {
  ExplainArguments parsed;
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (TakeConfigOption(arguments, &at, &parsed.config)) continue;
    if (TakeContext(arguments, &at, &parsed.context)) continue;
    if (auto address = Option(arguments, "--address", &at)) {
      parsed.address = *address;
      continue;
    }
    if (!parsed.model.empty() || absl::StartsWith(arguments[at], "-")) return std::nullopt;
    parsed.model = arguments[at];
  }
  if (parsed.model.empty()) return std::nullopt;
  return parsed;
}

// "weighted_hash of end_user", "round_robin: each call takes its turn".
std::string HowOf(const Explanation& explanation) {
  if (explanation.strategy.empty()) return "asked for by name";
  if (explanation.strategy == "round_robin") return "round_robin: calls take turns, by weight";
  if (explanation.strategy == "random") return "random: a new draw for each call, by weight";
  if (explanation.hash_key_missing) {
    return absl::StrCat("weighted_hash, and nothing to hash",
                        explanation.hash_key_source.empty()
                            ? ""
                            : absl::StrCat(" (", explanation.hash_key_source, " is not given)"),
                        ": a new draw for each call, unless missing_key says otherwise");
  }
  return absl::StrCat("weighted_hash of ", explanation.hash_key_source);
}

void Print(const Explanation& explanation) {
  std::printf("%s: %s\n", explanation.route->group.c_str(), HowOf(explanation).c_str());
  const bool hashed = explanation.strategy == "weighted_hash" && !explanation.hash_key_missing;
  int place = 0;
  for (const RankedCandidate& one : explanation.order) {
    const Candidate& candidate = *one.candidate;
    std::string line = one.skipped.empty() ? absl::StrFormat("%3d. ", ++place) : "  -  ";
    absl::StrAppend(&line, candidate.id);
    if (candidate.id != absl::StrCat(candidate.provider, "/", candidate.model)) {
      absl::StrAppend(&line, " (", candidate.provider, "/", candidate.model, ")");
    }
    if (!explanation.strategy.empty()) absl::StrAppend(&line, "  weight ", candidate.weight);
    if (hashed && one.skipped.empty() && one.score > 0) {
      absl::StrAppend(&line, absl::StrFormat("  score %.6f", one.score));
    }
    if (candidate.tier > 0) absl::StrAppend(&line, "  fallback ", candidate.tier);
    if (!one.skipped.empty()) absl::StrAppend(&line, "  skipped: ", one.skipped);
    std::printf("%s\n", line.c_str());
  }
  if (hashed) std::printf("the least score is asked first\n");
}

}  // namespace

int RunExplain(const std::vector<std::string>& arguments) {
  const std::optional<ExplainArguments> parsed = Parse(arguments);
  if (!parsed.has_value()) {
    std::fputs(kUsage, stderr);
    return kWrongUsage;
  }
  if (!parsed->config.file.has_value() && !parsed->config.folder.has_value()) {
    return ExplainRunning(parsed->address, parsed->model, parsed->context);
  }
  const std::shared_ptr<const ConfigReading> reading = ReadOrSayWhyNot(parsed->config);
  if (reading == nullptr) return kWrongUsage;
  Lasting lasting(0);
  const absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot =
      BuildSnapshot(reading->loaded, &lasting, absl::UnixEpoch());
  if (!snapshot.ok()) {
    std::fprintf(stderr, "model-gateway: %s\n", std::string(snapshot.status().message()).c_str());
    return kWrongUsage;
  }
  const Explanation explanation = Explain(*(*snapshot)->router, parsed->model, parsed->context);
  if (explanation.route != nullptr) Print(explanation);
  if (explanation.refusal.ok()) return kOk;
  std::fprintf(stderr, "refused: %s\n", std::string(explanation.refusal.message()).c_str());
  return kFailed;
}

}  // namespace mg
