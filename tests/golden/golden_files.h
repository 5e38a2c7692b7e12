// Files of the golden tests: the project's own under tests/golden, the recordings beside the
// checkout.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"
#include "google/protobuf/message.h"

namespace mg {

std::string GoldenDir();
// Empty where the recordings are absent.
std::string FixturesDir();
std::string ReadFile(const std::string& path);
// Paths of all files in `dir` with this ending, sorted.
std::vector<std::string> FilesIn(const std::string& dir, const std::string& ending);
JsonDocument ReadJsonFile(const std::string& path);

// Compares with the file's content; with MG_UPDATE=1 in the environment the file is written
// instead.
void ExpectGolden(const std::string& path, const std::string& actual);
std::string ToTextproto(const google::protobuf::Message& message);

// The words of the file's lines that begin with "# context:".
std::vector<std::string> ContextWords(absl::string_view text);

bool SlowRun();
// Where a body is cut in two: every place up to `every`, else `seeded` places that are the same in
// each run.
std::vector<size_t> SplitPoints(size_t size);

}  // namespace mg
