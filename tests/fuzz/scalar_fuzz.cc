// Single values of the configuration: durations, sizes, numbers. What is taken means what is
// written; what is refused says so in a line. Input: the text.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/utf8.h"
#include "daemon/config/scalar.h"

namespace mg {
namespace {

template <typename T>
bool Refused(const absl::StatusOr<T>& value) {
  if (value.ok()) return false;
  const std::string message(value.status().message());
  MG_CHECK(!message.empty() && IsValidUtf8(message), "a refusal says why, in UTF-8");
  MG_CHECK(message.find('\n') == std::string::npos, "a line of text");
  return true;
}

template <typename T>
bool Is(const absl::StatusOr<T>& value, T expected) {
  return value.ok() && *value == expected;
}

void CheckDuration(absl::string_view text) {
  const absl::StatusOr<absl::Duration> duration = ReadDuration(text);
  if (Refused(duration)) return;
  MG_CHECK(*duration >= absl::ZeroDuration(), "no duration is negative");
  MG_CHECK(*duration <= absl::Nanoseconds(std::numeric_limits<int64_t>::max()), "or endless");
  MG_CHECK(text.find_first_of("hmsnu") != absl::string_view::npos, "a unit is a must");
  if (*duration == absl::ZeroDuration()) return;  // written without a unit
  MG_CHECK(Is(ReadDuration(absl::FormatDuration(*duration)), *duration), "the same, written again");
}

void CheckSize(absl::string_view text) {
  const absl::StatusOr<uint64_t> size = ReadSize(text);
  if (Refused(size)) return;
  MG_CHECK(Is(ReadSize(absl::StrCat(*size)), *size), "the same in bytes");
}

void CheckNumbers(absl::string_view text) {
  const absl::StatusOr<int64_t> integer = ReadInteger(text);
  const absl::StatusOr<double> number = ReadNumber(text);
  if (!Refused(number)) MG_CHECK(std::isfinite(*number), "a number is finite");
  if (Refused(integer)) return;
  MG_CHECK(number.ok(), "a whole number is a number");
  MG_CHECK(Is(ReadInteger(absl::StrCat(*integer)), *integer), "the same, written again");
}

void Check(absl::string_view text) {
  CheckDuration(text);
  CheckSize(text);
  CheckNumbers(text);
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
