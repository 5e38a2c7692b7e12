#include "telemetry/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "telemetry/log_line.h"

namespace mg {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A pipe whose other end the test reads, and a logger that writes to it.
class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends = {};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_ = ends[0];
    write_ = ends[1];
    ASSERT_GT(::fcntl(write_, F_SETPIPE_SZ, 1 << 20), 0);
  }
  void TearDown() override {
    logger_.reset();
    ::close(read_);
    if (write_ >= 0) ::close(write_);
  }

  Logger& Start(LogFormat format = LogFormat::kJson,
                const std::vector<absl::string_view>& secrets = {}) {
    LogOptions options;
    options.fd = write_;
    options.format = format;
    options.version = "1.2.3";
    options.clock = [this] { return now_; };
    options.level = level_;
    options.max_lines = max_lines_;
    logger_ = std::make_unique<Logger>(options, secrets);
    return *logger_;
  }

  // All that was written; ends the logger.
  std::vector<std::string> Lines() {
    logger_.reset();
    ::close(write_);
    write_ = -1;
    std::string all;
    std::array<char, 65536> bytes;
    for (ssize_t n = 0; (n = ::read(read_, bytes.data(), bytes.size())) > 0;) {
      all.append(bytes.data(), static_cast<size_t>(n));
    }
    std::vector<std::string> lines = absl::StrSplit(all, '\n');
    EXPECT_EQ(lines.back(), "");
    lines.pop_back();
    return lines;
  }

  absl::Time now_ = absl::FromUnixMicros(1764105903123456);
  LogLevel level_ = LogLevel::kDebug;
  size_t max_lines_ = 8192;
  int read_ = -1;
  int write_ = -1;
  std::unique_ptr<Logger> logger_;
};

CallRecord FailedCall() {
  CallRecord record;
  record.stream = true;
  record.request_id = "req";
  record.correlation_id = "corr";
  record.trace_id = "trace";
  record.requested_model = "fast";
  record.group = "support";
  record.provider = "b";
  record.model = "m2";
  record.wall_start = absl::FromUnixMicros(1764105903000000);
  record.start = absl::UnixEpoch();
  record.end = record.start + absl::Microseconds(12345);
  record.first_content = record.start + absl::Milliseconds(7);
  AttemptRecord& attempt = record.attempts.emplace_back();
  attempt.candidate = "a/m1";
  attempt.provider = "a";
  attempt.model = "m1";
  attempt.started = record.start;
  attempt.ended = record.start + absl::Milliseconds(3);
  attempt.status = MakeError(ErrorClass::kOverload, "it is busy");
  attempt.http_status = 503;
  record.attempts.emplace_back(attempt).status = absl::OkStatus();
  record.usage.set_input_tokens(11);
  record.usage.set_output_tokens(22);
  record.usage.set_cached_input_tokens(5);
  return record;
}

TEST_F(LogTest, TheAccessLineAndTheLineOfAnAttempt) {
  Start().LogCall(FailedCall());
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0],
            R"({"ts":"2025-11-25T21:25:03.003000Z","level":"WARN","msg":"attempt failed",)"
            R"("event":"attempt.failed","service.name":"model-gateway","service.version":"1.2.3",)"
            R"("trace_id":"trace","correlation_id":"corr","request_id":"req","op":"chat",)"
            R"("alias":"fast","model":"m1","provider":"a","group":"support","attempt":1,)"
            R"("status":"error","code":"UNAVAILABLE","error.type":"overloaded",)"
            R"("error.message":"it is busy","duration_ms":3.000,"candidate":"a/m1",)"
            R"("stage":"connect","class":"overload","http_status":503})");
  EXPECT_EQ(lines[1],
            R"({"ts":"2025-11-25T21:25:03.012345Z","level":"INFO","msg":"call","event":"call.end",)"
            R"("service.name":"model-gateway","service.version":"1.2.3","trace_id":"trace",)"
            R"("correlation_id":"corr","request_id":"req","op":"chat","alias":"fast","model":"m2",)"
            R"("provider":"b","group":"support","attempt":2,"status":"ok","code":"OK",)"
            R"("duration_ms":12.345,"ttft_ms":7.000,"tokens.in":11,"tokens.out":22,)"
            R"("tokens.cached":5,"stream":true})");
}

TEST_F(LogTest, OneAccessLineWhateverTheOutcome) {
  Logger& logger = Start();
  for (const absl::Status& status :
       {absl::OkStatus(), MakeError(ErrorClass::kUnknownModel, "no such model"),
        MakeError(ErrorClass::kCancel, "gone"), absl::InternalError("odd")}) {
    CallRecord record;
    record.status = status;
    logger.LogCall(record);
  }
  CallRecord tried = FailedCall();
  tried.attempts.pop_back();
  tried.status = MakeError(ErrorClass::kServerError, "broke");
  tried.correlation_id_replaced = true;
  logger.LogCall(tried);
  tried.attempts[0].status = MakeError(ErrorClass::kCancel, "gone");
  tried.status = tried.attempts[0].status;
  logger.LogCall(tried);  // a cancelled attempt has not failed
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_THAT(lines[0], HasSubstr("\"status\":\"ok\",\"code\":\"OK\""));
  EXPECT_THAT(lines[1], HasSubstr("\"status\":\"refused\",\"code\":\"NOT_FOUND\",\"error.type\":"
                                  "\"unknown_model\",\"error.message\":\"no such model\""));
  EXPECT_THAT(lines[2], HasSubstr("\"status\":\"cancelled\",\"code\":\"CANCELLED\""));
  EXPECT_THAT(lines[3], HasSubstr("\"error.type\":\"internal_error\""));
  EXPECT_THAT(lines[4], HasSubstr("attempt.failed"));
  EXPECT_THAT(lines[5], HasSubstr("\"status\":\"error\",\"code\":\"UNAVAILABLE\""));
  EXPECT_THAT(lines[5], HasSubstr("\"correlation_id_replaced\":true"));
  EXPECT_THAT(lines[6], HasSubstr("\"status\":\"cancelled\""));
}

TEST_F(LogTest, FieldsStandInTheFixedOrderAndEmptyOnesAreAbsent) {
  Start().Log(LogLevel::kInfo, "a.b", "hello",
              {{"zeta", 1},
               {"code", "C"},
               {"alias", ""},
               {"op", "chat"},
               {"alpha", true},
               {"logger", "x"},
               {"wait_ms", absl::Milliseconds(1.5)},
               {"size", size_t{7}}});
  const std::vector<std::string> lines = Lines();
  EXPECT_EQ(lines.at(0),
            R"({"ts":"2025-11-25T21:25:03.123456Z","level":"INFO","msg":"hello","event":"a.b",)"
            R"("logger":"x","service.name":"model-gateway","service.version":"1.2.3","op":"chat",)"
            R"("code":"C","zeta":1,"alpha":true,"wait_ms":1.500,"size":7})");
}

TEST_F(LogTest, HostileTextStaysInItsLine) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  Logger& logger = Start();
  for (const std::string& text : {std::string("a\nb\r\x1b[31mred\x07"),
                                  std::string("\u202Eevil\u2066x\u200F\u2028\uFEFF\u0085"), all,
                                  std::string("{\"a\":\"b\\\"}"), std::string("\xC3\x28 ü € 😀")}) {
    logger.Log(LogLevel::kInfo, "e", "m", {{"alias", text}});
  }
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 5U);
  for (const std::string& line : lines) {
    JsonDocument document;
    ASSERT_TRUE(ParseJson(line, &document).ok()) << line;
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    EXPECT_EQ(line.find('\x7F'), std::string::npos);
    for (const char* bad : {"\u202E", "\u2066", "\u200F", "\u2028", "\uFEFF", "\u0085"}) {
      EXPECT_EQ(line.find(bad), std::string::npos);
    }
  }
  EXPECT_THAT(lines[0], HasSubstr(R"(a\nb\r\u001b[31mred\u0007)"));
  EXPECT_THAT(lines[1], HasSubstr(R"(\u202eevil\u2066x\u200f\u2028\ufeff\u0085)"));
  EXPECT_THAT(lines[4], HasSubstr("\uFFFD( ü € 😀"));
  JsonDocument document;
  ASSERT_TRUE(ParseJson(lines[3], &document).ok());
  EXPECT_EQ(StringMember(document, "alias"), "{\"a\":\"b\\\"}");
}

TEST_F(LogTest, LongFieldsAreCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "€";
  Start().Log(LogLevel::kInfo, "e", "m", {{"error.message", text}, {"alias", text}});
  JsonDocument document;
  ASSERT_TRUE(ParseJson(Lines().at(0), &document).ok());
  EXPECT_EQ(StringMember(document, "error.message").size(), 510U);
  EXPECT_EQ(StringMember(document, "alias").size(), 255U);
}

TEST_F(LogTest, LevelsCanBeChangedAtRunTime) {
  level_ = LogLevel::kWarn;
  Logger& logger = Start();
  logger.Log(LogLevel::kInfo, "e", "not this");
  logger.LogCall(CallRecord());
  logger.Log(LogLevel::kWarn, "e", "this");
  EXPECT_FALSE(logger.Enabled(LogLevel::kDebug));
  logger.set_level(LogLevel::kDebug);
  EXPECT_TRUE(logger.Enabled(LogLevel::kDebug));
  logger.Log(LogLevel::kDebug, "e", "and this");
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], HasSubstr("\"level\":\"WARN\",\"msg\":\"this\""));
  EXPECT_THAT(lines[1], HasSubstr("\"level\":\"DEBUG\",\"msg\":\"and this\""));
  EXPECT_EQ(LogLevelNamed("debug"), LogLevel::kDebug);
  EXPECT_EQ(LogLevelNamed("error"), LogLevel::kError);
  EXPECT_EQ(LogLevelNamed("loud"), std::nullopt);
  EXPECT_EQ(LogFormatNamed("text"), LogFormat::kText);
  EXPECT_EQ(LogFormatNamed("xml"), std::nullopt);
}

TEST_F(LogTest, TextForPeople) {
  Start(LogFormat::kText)
      .Log(LogLevel::kWarn, "config.read", "a key has no effect yet",
           {{"key", "circuit_breaker"}, {"why", "it comes later"}, {"line", 3}});
  const std::string line = Lines().at(0);
  EXPECT_THAT(line, HasSubstr("WARN  a key has no effect yet key=circuit_breaker "
                              "why=\"it comes later\" line=3 (config.read)"));
}

TEST_F(LogTest, AutoIsJsonWhereThereIsNoTerminal) {
  Start(LogFormat::kAuto).Log(LogLevel::kInfo, "e", "m");
  EXPECT_EQ(Lines().at(0)[0], '{');
}

TEST_F(LogTest, RepeatedWarningsAreCounted) {
  Logger& logger = Start();
  for (int i = 0; i < 100; ++i) logger.Log(LogLevel::kWarn, "w", "again", {{"i", i}});
  logger.Log(LogLevel::kWarn, "w", "another");
  for (int i = 0; i < 3; ++i) logger.Log(LogLevel::kInfo, "w", "information is not limited");
  now_ += absl::Seconds(10);
  logger.Log(LogLevel::kWarn, "w", "again", {{"i", 100}});
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 15U);
  EXPECT_THAT(lines[0], HasSubstr("\"i\":0}"));
  EXPECT_THAT(lines[9], HasSubstr("\"i\":9}"));
  EXPECT_THAT(lines[10], HasSubstr("another"));
  EXPECT_THAT(lines[14], HasSubstr("\"repeated\":90,\"i\":100}"));
  for (size_t i = 0; i < 14; ++i) EXPECT_THAT(lines[i], Not(HasSubstr("repeated")));
}

// No form of a loaded secret in any line, whatever field it came by and in whichever format.
TEST_F(LogTest, CanarySecretsAppearInNoLine) {
  const std::string canary = "sk-canary-0123456789/abcdef+ghijkl=\"quoted\"";
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    if (write_ < 0) SetUp();
    Logger& logger = Start(format, {canary});
    const std::vector<std::string> forms = {canary,
                                            absl::Base64Escape(canary),
                                            absl::WebSafeBase64Escape(canary),
                                            "sk-canary-0123456789%2Fabcdef%2Bghijkl%3D%22quoted%22",
                                            canary.substr(0, 8),
                                            canary.substr(0, 20)};
    for (const std::string& form : forms) {
      logger.Log(LogLevel::kDebug, "upstream.request", "sent upstream",
                 {{"body", "{\"key\":\"" + form + "\"}"}, {"url", "https://x/?key=" + form}});
      for (const ErrorClass error_class : {ErrorClass::kCredential, ErrorClass::kCancel,
                                           ErrorClass::kInvalidRequest, ErrorClass::kBug}) {
        CallRecord record = FailedCall();
        record.requested_model = form;
        record.correlation_id = form;
        record.model = form;
        record.attempts[0].status = MakeError(ErrorClass::kCredential, "bad key " + form);
        record.attempts[0].provider_request_id = form;
        record.status = MakeError(error_class, "Incorrect API key provided: " + form + ".");
        logger.LogCall(record);
      }
    }
    const std::vector<std::string> lines = Lines();
    EXPECT_EQ(lines.size(), forms.size() * 9);
    for (const std::string& line : lines) {
      for (const std::string& form : forms) EXPECT_THAT(line, Not(HasSubstr(form.substr(0, 8))));
      EXPECT_THAT(line, Not(HasSubstr("ghijkl")));
      EXPECT_THAT(line, HasSubstr("[redacted]"));
    }
  }
}

TEST_F(LogTest, WhereNobodyReadsLinesAreDroppedAndCounted) {
  max_lines_ = 100;
  Logger& logger = Start();
  ASSERT_GE(::fcntl(write_, F_SETPIPE_SZ, 4096), 4096);
  for (int i = 0; i < 5000; ++i) logger.Log(LogLevel::kInfo, "e", "m", {{"i", i}});
  EXPECT_GT(logger.dropped(), 4000U);
  EXPECT_LT(logger.dropped(), 5000U);
  const uint64_t dropped = logger.dropped();
  std::vector<std::string> lines;
  std::thread reader([&] {
    std::string all;
    std::array<char, 4096> bytes;
    while (std::count(all.begin(), all.end(), '\n') < static_cast<int64_t>(5000 - dropped)) {
      const ssize_t n = ::read(read_, bytes.data(), bytes.size());
      ASSERT_GT(n, 0);
      all.append(bytes.data(), static_cast<size_t>(n));
    }
    lines = absl::StrSplit(all, '\n');
  });
  logger.Flush(absl::Seconds(30));
  reader.join();
  EXPECT_EQ(lines.size(), 5000 - dropped + 1);
  EXPECT_THAT(lines[0], HasSubstr("\"i\":0}"));
}

TEST_F(LogTest, AClosedPipeHarmsNobody) {
  ::signal(SIGPIPE, SIG_IGN);
  Logger& logger = Start();
  ::close(read_);
  for (int i = 0; i < 10; ++i) logger.Log(LogLevel::kInfo, "e", "m");
  logger.Flush(absl::Seconds(30));
  EXPECT_EQ(logger.dropped(), 10U);
  read_ = ::dup(write_);
}

TEST_F(LogTest, ManyThreadsTearNoLine) {
  Logger& logger = Start();
  constexpr int kThreads = 8;
  constexpr int kLines = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&logger, t] {
      for (int i = 0; i < kLines; ++i) {
        logger.Log(LogLevel::kInfo, "e", "m", {{"t", t}, {"i", i}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const uint64_t dropped = logger.dropped();
  const std::vector<std::string> lines = Lines();
  EXPECT_EQ(dropped, 0U);
  EXPECT_EQ(lines.size(), static_cast<size_t>(kThreads * kLines));
  std::array<int, kThreads> next = {};
  for (const std::string& line : lines) {
    JsonDocument document;
    ASSERT_TRUE(ParseJson(line, &document).ok()) << line;
    const auto t = static_cast<size_t>(Member(document, "t")->GetInt());
    EXPECT_EQ(Member(document, "i")->GetInt(), next[t]++);
  }
}

}  // namespace
}  // namespace mg
