// `model-gateway doctor`: would every configured provider serve, and what is to be done where not?

#include "daemon/doctor.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/json.h"
#include "daemon/build_snapshot.h"
#include "daemon/runtime/epoll_loop.h"
#include "daemon/runtime/upstream_client.h"
#include "main/commands.h"
#include "main/options.h"
#include "telemetry/scrub.h"

namespace mg {
namespace {

constexpr char kUsage[] =
    "usage: model-gateway doctor [--config FILE] [--config-dir DIR] [--json]\n";
constexpr absl::Duration kPatience = absl::Seconds(5);

struct DoctorArguments {
  ConfigPlace config;
  bool json = false;
};

Task<void> Ask(EpollLoop* loop, HttpClient* http, const ConfigReading* reading,
               const Snapshot* snapshot, std::vector<Examination>* found) {
  *found = co_await ExamineProviders(loop, http, reading->loaded, *snapshot, kPatience);
  loop->Stop();
}

// No key of the configuration is shown, whoever wrote it where.
void Scrub(const Scrubber& scrubber, std::vector<Examination>* found) {
  for (Examination& one : *found) {
    for (std::string& fault : one.faults) scrubber.Scrub(&fault);
    for (std::string& note : one.notes) scrubber.Scrub(&note);
  }
}

std::string LatencyOf(const Examination& one) {
  return one.latency == absl::ZeroDuration()
             ? "-"
             : absl::StrFormat("%.0f ms", absl::ToDoubleMilliseconds(one.latency));
}

std::string ModelsOf(const Examination& one) {
  return one.models == Step::kOk ? absl::StrCat(one.listed, " listed") : StepName(one.models);
}

void PrintTable(const std::vector<Examination>& found) {
  std::vector<std::vector<std::string>> rows = {
      {"PROVIDER", "KIND", "NAME", "TLS", "KEY", "MODELS", "LATENCY"}};
  for (const Examination& one : found) {
    rows.push_back({one.provider, one.kind, StepName(one.name), StepName(one.tls),
                    StepName(one.key), ModelsOf(one), LatencyOf(one)});
  }
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (size_t at = 0; at < rows.size(); ++at) {
    std::string line;
    for (size_t i = 0; i < rows[at].size(); ++i) {
      absl::StrAppend(&line, rows[at][i], std::string(widths[i] - rows[at][i].size() + 2, ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
    if (at == 0) continue;
    for (const std::string& fault : found[at - 1].faults) std::printf("  ! %s\n", fault.c_str());
    for (const std::string& note : found[at - 1].notes) std::printf("  ? %s\n", note.c_str());
  }
}

std::string Quoted(absl::string_view text) {
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

std::string ListOf(const std::vector<std::string>& texts) {
  return absl::StrCat("[",
                      absl::StrJoin(texts, ",",
                                    [](std::string* out, const std::string& text) {
                                      absl::StrAppend(out, Quoted(text));
                                    }),
                      "]");
}

std::string JsonOf(const Examination& one) {
  return absl::StrCat(
      "{\"provider\":", Quoted(one.provider), ",\"kind\":", Quoted(one.kind),
      ",\"ok\":", one.ok() ? "true" : "false", ",\"name\":", Quoted(StepName(one.name)),
      ",\"tls\":", Quoted(StepName(one.tls)), ",\"key\":", Quoted(StepName(one.key)),
      ",\"models\":", Quoted(StepName(one.models)), ",\"listed\":", one.listed, ",\"latency_ms\":",
      one.latency == absl::ZeroDuration()
          ? "null"
          : absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(one.latency)),
      ",\"faults\":", ListOf(one.faults), ",\"notes\":", ListOf(one.notes), "}");
}

void PrintJson(const std::vector<Examination>& found, bool ok) {
  std::vector<std::string> all;
  all.reserve(found.size());
  for (const Examination& one : found) all.push_back(JsonOf(one));
  std::printf("{\"ok\":%s,\"providers\":[%s]}\n", ok ? "true" : "false",
              absl::StrJoin(all, ",").c_str());
}

std::vector<Examination> Examine(const ConfigReading& reading, const Snapshot& snapshot) {
  EpollLoop loop;
  const std::unique_ptr<UpstreamClient> http =
      UpstreamClient::New(&loop, ProxyEnvironment::OfProcess());
  std::vector<Examination> found;
  loop.Post([&] { Spawn(Ask(&loop, http.get(), &reading, &snapshot, &found)); });
  loop.Run();
  Scrub(Scrubber(reading.loaded.SecretTexts()), &found);
  return found;
}

}  // namespace

int RunDoctor(const std::vector<std::string>& arguments) {
  DoctorArguments parsed;
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (TakeConfigOption(arguments, &at, &parsed.config)) continue;
    if (arguments[at] == "--json") {
      parsed.json = true;
      continue;
    }
    std::fprintf(stderr, "model-gateway: doctor does not take \"%s\" here\n%s",
                 arguments[at].c_str(), kUsage);
    return kWrongUsage;
  }
  const std::shared_ptr<const ConfigReading> reading = ReadOrSayWhyNot(parsed.config);
  if (reading == nullptr) return kWrongUsage;
  Lasting lasting(0);
  const absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot =
      BuildSnapshot(reading->loaded, &lasting, absl::UnixEpoch());
  if (!snapshot.ok()) {
    std::fprintf(stderr, "model-gateway: %s\n", std::string(snapshot.status().message()).c_str());
    return kWrongUsage;
  }
  const std::vector<Examination> found = Examine(*reading, **snapshot);
  const bool ok =
      std::all_of(found.begin(), found.end(), [](const Examination& one) { return one.ok(); });
  if (parsed.json) {
    PrintJson(found, ok);
  } else {
    PrintTable(found);
  }
  return ok ? kOk : kFailed;
}

}  // namespace mg
