#include "daemon/doctor.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/dialect.h"
#include "base/error.h"
#include "daemon/config/provider_kind.h"
#include "daemon/provider.h"
#include "daemon/runtime/signal.h"

namespace mg {
namespace {

// Servers whose list of models is open to all: it says nothing of a key.
constexpr absl::string_view kOpenLists[] = {"openrouter"};
constexpr size_t kNamesInANote = 5;

struct Round {
  explicit Round(Loop* loop) : all_told(loop) {}
  int under_way = 0;
  Signal all_told;
};

struct Patient {
  Loop* loop = nullptr;
  HttpClient* http = nullptr;
  const LoadedConfig* loaded = nullptr;
  const Provider* provider = nullptr;
  const v1::ProviderConfig* config = nullptr;
  absl::Duration patience;
  std::set<std::string> wanted;  // models that groups and aliases name
};

std::string BaseUrlOf(const v1::ProviderConfig& config) {
  std::string url = TextOf(config, "base_url");
  const Adapter* adapter = FindAdapter(KindOf(config));
  if (url.empty() && adapter != nullptr) url = DefaultBaseUrl(*adapter, TextOf(config, "preset"));
  return url;
}

// "providers.a.openai.api_key (the environment variable OPENAI_API_KEY)": where the key is renewed.
std::string PlaceOfKey(const Patient& patient) {
  const std::string provider(patient.provider->name());
  for (const auto& [path, secret] : patient.loaded->secrets) {
    if (!absl::StartsWith(path, absl::StrCat("providers.", provider, "."))) continue;
    const SourceLines::Place place = patient.loaded->sources.At(patient.loaded->LineOf(path));
    return absl::StrCat(path, " (", place.file, ":", place.line, ")");
  }
  return absl::StrCat("providers.", provider);
}

bool HasKey(const Patient& patient) {
  const std::string prefix = absl::StrCat("providers.", patient.provider->name(), ".");
  return std::any_of(patient.loaded->secrets.begin(), patient.loaded->secrets.end(),
                     [&](const auto& secret) { return absl::StartsWith(secret.first, prefix); });
}

bool ListIsOpen(const v1::ProviderConfig& config) {
  const std::string preset = TextOf(config, "preset");
  return std::any_of(std::begin(kOpenLists), std::end(kOpenLists),
                     [&](absl::string_view open) { return preset == open; });
}

// The plain status of a clock.
bool TooLate(const absl::Status& status) {
  return status.code() == absl::StatusCode::kDeadlineExceeded &&
         ClassOf(status) == ErrorClass::kBug;
}

std::string SentenceOf(const absl::Status& status, const Patient& patient) {
  if (TooLate(status)) {
    return absl::StrCat("no answer within ", absl::FormatDuration(patient.patience),
                        ": check the server, and what stands between");
  }
  const v1::ErrorDetail detail = DetailOf(status);
  std::string text(status.message());
  if (!detail.provider_message().empty() && !absl::StrContains(text, detail.provider_message())) {
    absl::StrAppend(&text, ": ", detail.provider_message());
  }
  return text;
}

void Unreachable(const absl::Status& status, const Patient& patient, Examination* found) {
  const ErrorClass error = ClassOf(status);
  const bool connecting = error == ErrorClass::kConnect || error == ErrorClass::kConnectFinal;
  const ConnectStep step = connecting ? ConnectStepOf(status) : ConnectStep::kConnection;
  found->name = step == ConnectStep::kName ? Step::kFailed : Step::kOk;
  if (TooLate(status)) found->name = Step::kNotChecked;
  if (step != ConnectStep::kName) found->tls = Step::kFailed;
  std::string sentence = SentenceOf(status, patient);
  if (connecting && step == ConnectStep::kConnection) {
    absl::StrAppend(&sentence, ": is the server running, and can this machine reach it?");
  }
  found->faults.push_back(std::move(sentence));
}

void NoteMissing(const Patient& patient, const std::vector<ListedModel>& listed,
                 Examination* found) {
  std::vector<std::string> missing;
  std::set<std::string> known;
  for (const ListedModel& model : listed) known.insert(model.name);
  for (const std::string& model : patient.wanted) {
    if (!known.contains(model)) missing.push_back(model);
  }
  if (missing.empty()) return;
  const size_t more = missing.size() - std::min(missing.size(), kNamesInANote);
  missing.resize(missing.size() - more);
  found->notes.push_back(absl::StrCat(
      "its list has not: ", absl::StrJoin(missing, ", "),
      more > 0 ? absl::StrCat(" and ", more, " more") : "",
      " (named by groups or aliases; right where it is another name of a model that is listed)"));
}

void NoList(const absl::Status& status, const Patient& patient, Examination* found) {
  switch (ClassOf(status)) {
    case ErrorClass::kUnsupportedMethod:
    case ErrorClass::kUnknown:
    case ErrorClass::kModel:
    case ErrorClass::kCaller:
      return;  // it has no list
    case ErrorClass::kCredential:
    case ErrorClass::kCallerCredential:
      if (HasKey(patient)) {
        found->key = Step::kFailed;
        found->faults.push_back(absl::StrCat("the key is refused: ", SentenceOf(status, patient),
                                             "; renew what ", PlaceOfKey(patient), " refers to"));
      } else {
        found->key = Step::kFailed;
        found->faults.push_back(absl::StrCat("it wants a key: ", SentenceOf(status, patient),
                                             "; add one under ", PlaceOfKey(patient)));
      }
      return;
    case ErrorClass::kRate:
    case ErrorClass::kQuota:
      found->models = Step::kNotChecked;
      found->notes.push_back(absl::StrCat("its list was not given: ", SentenceOf(status, patient)));
      return;
    default:
      found->models = Step::kFailed;
      found->faults.push_back(absl::StrCat("its list of models: ", SentenceOf(status, patient)));
      return;
  }
}

Ask AskOf(const Patient& patient, const Candidate* candidate) {
  Ask ask;
  ask.loop = patient.loop;
  ask.http = patient.http;
  ask.candidate = candidate;
  ask.connect_timeout = patient.patience;
  return ask;
}

Task<void> Examine(const Patient& patient, Examination* found) {
  Candidate candidate;
  candidate.provider = std::string(patient.provider->name());
  const Ask ask = AskOf(patient, &candidate);
  if (HttpOf(*patient.config) == nullptr) {
    found->name = found->tls = found->key = found->models = Step::kNone;
    co_return;
  }
  const Instant start = patient.loop->Measure();
  const absl::Status reached =
      co_await patient.provider->Reach(ask, patient.loop->now() + patient.patience, nullptr);
  if (!reached.ok()) {
    Unreachable(reached, patient, found);
    co_return;
  }
  found->latency = patient.loop->Measure() - start;
  found->name = Step::kOk;
  const bool plain = absl::StartsWith(BaseUrlOf(*patient.config), "http://");
  found->tls = plain ? Step::kNone : Step::kOk;
  if (!HasKey(patient)) found->key = Step::kNone;

  const absl::StatusOr<std::vector<ListedModel>> models =
      co_await patient.provider->ListModels(ask, patient.loop->now() + patient.patience, nullptr);
  if (!models.ok()) {
    NoList(models.status(), patient, found);
    co_return;
  }
  found->models = Step::kOk;
  found->listed = static_cast<int>(models->size());
  if (HasKey(patient) && !ListIsOpen(*patient.config)) found->key = Step::kOk;
  NoteMissing(patient, *models, found);
}

Task<void> ExamineOne(const Patient& patient, Examination* found, Round* round) {
  co_await Examine(patient, found);
  if (--round->under_way == 0) round->all_told.Notify();
}

// By provider, the models that the configuration names.
std::map<std::string, std::set<std::string>> WantedModels(const v1::Config& config) {
  std::map<std::string, std::set<std::string>> wanted;
  for (const auto& [name, group] : config.groups()) {
    for (const v1::CandidateConfig& candidate : group.candidates()) {
      wanted[candidate.provider()].insert(candidate.model());
    }
  }
  for (const auto& [name, target] : config.aliases()) {
    const size_t slash = target.find('/');
    if (slash == std::string::npos) continue;
    wanted[target.substr(0, slash)].insert(target.substr(slash + 1));
  }
  return wanted;
}

}  // namespace

const char* StepName(Step step) {
  switch (step) {
    case Step::kOk:
      return "ok";
    case Step::kFailed:
      return "failed";
    case Step::kNotChecked:
      return "not checked";
    case Step::kNone:
      return "none";
  }
  return "";
}

Task<std::vector<Examination>> ExamineProviders(Loop* loop, HttpClient* http,
                                                const LoadedConfig& loaded,
                                                const Snapshot& snapshot, absl::Duration patience) {
  std::map<std::string, std::set<std::string>> wanted = WantedModels(loaded.config);
  std::vector<Patient> patients;
  patients.reserve(static_cast<size_t>(loaded.config.providers().size()));
  for (const auto& [name, config] : loaded.config.providers()) {
    patients.push_back({loop, http, &loaded, snapshot.FindProvider(name), &config, patience,
                        std::move(wanted[name])});
  }
  std::sort(patients.begin(), patients.end(), [](const Patient& a, const Patient& b) {
    return a.provider->name() < b.provider->name();
  });
  std::vector<Examination> all(patients.size());
  Round round(loop);
  round.under_way = static_cast<int>(patients.size());
  for (size_t i = 0; i < patients.size(); ++i) {
    all[i].provider = std::string(patients[i].provider->name());
    all[i].kind = KindOf(*patients[i].config);
    Spawn(ExamineOne(patients[i], &all[i], &round));
  }
  while (round.under_way > 0) co_await round.all_told.Wait(kNever, nullptr);
  co_return all;
}

}  // namespace mg
