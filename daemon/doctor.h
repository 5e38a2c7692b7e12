// `model-gateway doctor`: asks every configured provider whether it would serve, step by step and
// side by side: name, TLS, key, list of models. Never a request that is billed: what none of the
// free ones tells is "not checked". One loop's thread.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "daemon/config/load.h"
#include "daemon/runtime/http_client.h"
#include "daemon/runtime/loop.h"
#include "daemon/snapshot.h"

namespace mg {

// What became of one step.
enum class Step {
  kOk,
  kFailed,
  kNotChecked,  // nothing free tells, or an earlier step failed
  kNone,        // there is nothing to check: no TLS, no key, no network
};
const char* StepName(Step step);  // "ok", "failed", "not checked", "none"

struct Examination {
  std::string provider;
  std::string kind;
  Step name = Step::kNotChecked;
  Step tls = Step::kNotChecked;  // without TLS (none) the connection alone is checked
  Step key = Step::kNotChecked;
  Step models = Step::kNotChecked;
  int listed = 0;                   // models that it lists
  absl::Duration latency;           // to the head of the first answer; zero: there was none
  std::vector<std::string> faults;  // what is wrong and what to do about it, a sentence each
  std::vector<std::string> notes;   // what may be wrong

  bool ok() const { return faults.empty(); }
};

// One for each provider, by name. Each step has `patience`. What it refers to must outlive the
// task; `loaded` and `snapshot` are of the same configuration.
Task<std::vector<Examination>> ExamineProviders(Loop* loop, HttpClient* http,
                                                const LoadedConfig& loaded,
                                                const Snapshot& snapshot, absl::Duration patience);

}  // namespace mg
