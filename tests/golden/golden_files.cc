#include "tests/golden/golden_files.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace mg {

std::string GoldenDir() { return MG_SOURCE_DIR "/tests/golden"; }

std::string FixturesDir() {
  const std::string dir = MG_SOURCE_DIR "/../shared/fixtures";
  return std::filesystem::exists(dir) ? dir : "";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> FilesIn(const std::string& dir, const std::string& ending) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (absl::EndsWith(entry.path().string(), ending)) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

JsonDocument ReadJsonFile(const std::string& path) {
  JsonDocument document;
  const auto status = ParseJson(ReadFile(path), &document);
  EXPECT_TRUE(status.ok()) << path << ": " << status;
  return document;
}

void ExpectGolden(const std::string& path, const std::string& actual) {
  if (std::getenv("MG_UPDATE") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(ReadFile(path), actual) << path << "\n(MG_UPDATE=1 writes it anew)";
}

std::string ToTextproto(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.PrintToString(message, &text);
  return text;
}

std::vector<std::string> ContextWords(absl::string_view text) {
  std::vector<std::string> words;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "# context:")) continue;
    const std::vector<std::string> more = absl::StrSplit(line, ' ', absl::SkipEmpty());
    words.insert(words.end(), more.begin(), more.end());
  }
  return words;
}

bool SlowRun() { return std::getenv("MG_SLOW") != nullptr; }

std::vector<size_t> SplitPoints(size_t size) {
  const size_t every = SlowRun() ? 16 * 1024 : 4 * 1024;
  const size_t seeded = SlowRun() ? 2000 : 200;
  std::vector<size_t> points;
  if (size <= every) {
    for (size_t at = 1; at < size; ++at) points.push_back(at);
    return points;
  }
  std::minstd_rand random(static_cast<unsigned>(size));
  for (size_t i = 0; i < seeded; ++i) points.push_back(1 + random() % (size - 1));
  return points;
}

}  // namespace mg
