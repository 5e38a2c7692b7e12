#include "telemetry/log_line.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/utf8.h"

namespace mg {
namespace {

constexpr std::array<absl::string_view, 27> kOrder = {
    "logger",    "service.name",   "service.version", "pod",         "trace_id",
    "span_id",   "correlation_id", "request_id",      "op",          "alias",
    "model",     "provider",       "group",           "attempt",     "status",
    "code",      "error.type",     "error.message",   "duration_ms", "ttft_ms",
    "tokens.in", "tokens.out",     "tokens.cached",   "cost_usd",    "candidate",
    "stage",     "repeated"};

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarn:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
  }
  return "";
}

// Characters that turn or hide what stands around them.
bool IsTricky(uint32_t c) {
  return c == 0x7F || (c >= 0x80 && c <= 0x9F) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void AppendEscape(uint32_t c, std::string* out) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      absl::StrAppend(out, "\\u", absl::Hex(c, absl::kZeroPad4));
  }
}

// Nothing that needs an escape, and nothing but ASCII: nearly every text. Without a way out of its
// loop it takes many bytes at a time.
bool IsPlain(absl::string_view text) {
  bool plain = true;
  for (const char c : text) plain &= (c >= ' ') & (c != '"') & (c != '\\') & (c != 0x7F);
  return plain;
}

void AppendValue(const LogField& field, std::string* out) {
  switch (field.kind) {
    case LogField::Kind::kText:
      out->push_back('"');
      AppendLogText(CutUtf8(field.text, MaxBytesOf(field)), out);
      out->push_back('"');
      return;
    case LogField::Kind::kInteger:
      absl::StrAppend(out, field.number);
      return;
    case LogField::Kind::kBool:
      absl::StrAppend(out, field.number != 0 ? "true" : "false");
      return;
    case LogField::Kind::kMillis:
      absl::StrAppend(out, field.number < 0 ? "-" : "", std::abs(field.number) / 1000, ".",
                      absl::Dec(std::abs(field.number) % 1000, absl::kZeroPad3));
      return;
  }
}

// 2026-03-01T12:00:00.123456Z, without the general way of absl::FormatTime: once a call.
void AppendUtc(absl::Time at, std::string* out) {
  using std::chrono::floor;
  const auto time = floor<std::chrono::microseconds>(absl::ToChronoTime(at));
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const size_t begin = out->size();
  out->append("0000-00-00T00:00:00.000000Z");
  // Writes the digits of `number` over the zeros that end before `end`.
  const auto put = [out, begin](size_t end, int64_t number) {
    for (; number > 0; number /= 10) (*out)[begin + --end] = static_cast<char>('0' + number % 10);
  };
  put(4, static_cast<int>(date.year()));
  put(7, static_cast<unsigned>(date.month()));
  put(10, static_cast<unsigned>(date.day()));
  put(13, clock.hours().count());
  put(16, clock.minutes().count());
  put(19, clock.seconds().count());
  put(26, clock.subseconds().count());
}

void AppendMember(const LogField& field, std::string* line) {
  if (field.kind == LogField::Kind::kText && field.text.empty()) return;
  if (field.kind == LogField::Kind::kText && field.text.size() <= MaxBytesOf(field) &&
      IsPlain(field.text)) {
    absl::StrAppend(line, ",\"", field.name, "\":\"", field.text);
    line->push_back('"');
    return;
  }
  absl::StrAppend(line, ",\"", field.name, "\":");
  AppendValue(field, line);
}

bool IsPlainWord(absl::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return !text.empty();
}

}  // namespace

void AppendLogText(absl::string_view text, std::string* out) {
  const std::string mended = IsValidUtf8(text) ? std::string() : WithValidUtf8(text);
  if (!mended.empty()) text = mended;
  size_t plain = 0;  // where the run begins that needs no escape
  size_t next = 0;
  for (size_t i = 0; i < text.size(); i = next) {
    const auto byte = static_cast<uint8_t>(text[i]);
    next = i + 1;
    if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') continue;
    uint32_t c = byte;
    if (byte >= 0x80) {
      const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      next = i + length;
      c = byte & (0xFFU >> (length + 1));
      for (size_t k = i + 1; k < next; ++k) c = c << 6 | (static_cast<uint8_t>(text[k]) & 0x3F);
      if (!IsTricky(c)) continue;
    }
    out->append(text.data() + plain, i - plain);
    AppendEscape(c, out);
    plain = next;
  }
  out->append(text.data() + plain, text.size() - plain);
}

std::string JsonLine(absl::Time at, LogLevel level, absl::string_view event, absl::string_view msg,
                     const std::vector<LogField>& fields) {
  std::string line;
  line.reserve(512);
  line.append("{\"ts\":\"");
  AppendUtc(at, &line);
  absl::StrAppend(&line, "\",\"level\":\"", NameOf(level), "\"");
  AppendMember(LogField("msg", msg), &line);
  AppendMember(LogField("event", event), &line);
  for (const LogField& field : fields) AppendMember(field, &line);
  absl::StrAppend(&line, "}\n");
  return line;
}

std::string TextLine(absl::Time at, LogLevel level, absl::string_view event, absl::string_view msg,
                     const std::vector<LogField>& fields) {
  std::string line = absl::FormatTime("%H:%M:%E3S ", at, absl::LocalTimeZone());
  const absl::string_view name = NameOf(level);
  absl::StrAppend(&line, name, std::string(6 - name.size(), ' '));
  AppendLogText(msg, &line);
  for (const LogField& field : fields) {
    if (field.kind == LogField::Kind::kText && field.text.empty()) continue;
    if (field.name == "service.name" || field.name == "service.version") continue;
    absl::StrAppend(&line, " ", field.name, "=");
    const bool bare = field.kind == LogField::Kind::kText && IsPlainWord(field.text);
    if (bare)
      absl::StrAppend(&line, CutUtf8(field.text, MaxBytesOf(field)));
    else
      AppendValue(field, &line);
  }
  absl::StrAppend(&line, " (", event, ")\n");
  return line;
}

int RankOf(absl::string_view field, int likely_from) {
  const auto from = kOrder.begin() + std::min(static_cast<size_t>(likely_from), kOrder.size());
  auto found = std::find(from, kOrder.end(), field);
  if (found == kOrder.end()) {
    found = std::find(kOrder.begin(), from, field);
    if (found == from) found = kOrder.end();
  }
  return static_cast<int>(found - kOrder.begin());
}

size_t MaxBytesOf(const LogField& field) {
  if (field.name == "error.message") return 512;
  if (field.name == "body" || field.name == "problems") return 8192;
  return field.rank < static_cast<int>(kOrder.size()) ? 256 : 1024;
}

}  // namespace mg
