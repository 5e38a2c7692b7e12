// An answer of no known shape: its beginning stands in the log at debug, fit to be read, and
// nowhere else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/component/call_fixture.h"

namespace mg {
namespace {

using testing::HasSubstr;
using testing::Not;

// The log of a call that meets this answer.
std::string LogOf(const Script& answer, bool stream, LogLevel level = LogLevel::kDebug) {
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  LogOptions options;
  options.fd = pipe_ends[1];
  options.format = LogFormat::kJson;
  options.level = level;
  {
    Logger logger(options, {"canary-of-ours"});
    CallFixture fixture;
    fixture.logger = &logger;
    fixture.max_attempts = 1;
    fixture.Add("a");
    fixture.http.Then(answer);
    EXPECT_FALSE(fixture.Run(stream).status.ok());
    logger.Flush();
  }
  close(pipe_ends[1]);
  std::string text(64 << 10, '\0');
  const ssize_t bytes = read(pipe_ends[0], text.data(), text.size());
  text.resize(bytes < 0 ? 0 : static_cast<size_t>(bytes));
  close(pipe_ends[0]);
  return text;
}

TEST(BadAnswer, ItsBeginningIsLoggedAtDebug) {
  Script html = Script::Json(200, "<html><title>Log in</title></html>");
  html.headers = {{"content-type", "text/html"}};
  const std::string page = LogOf(html, true);
  EXPECT_THAT(page, HasSubstr("upstream.bad_answer"));
  EXPECT_THAT(page, HasSubstr("<title>Log in</title>"));
  EXPECT_THAT(page, HasSubstr("\"class\":\"malformed\""));

  EXPECT_THAT(LogOf(Script::Json(200, R"({"answer":"in a shape of its own"})"), false),
              HasSubstr("in a shape of its own"));
  EXPECT_THAT(LogOf(Script::Sse({"{\"broken"}), true), HasSubstr("broken"));
  EXPECT_THAT(LogOf(Script::Json(502, "upstream sent too big header"), true),
              HasSubstr("too big header"));
  EXPECT_THAT(LogOf(Script::Json(200, "{\"choices\":"), false, LogLevel::kInfo),
              Not(HasSubstr("bad_answer")));
}

TEST(BadAnswer, NoMoreThanTwoHundredBytesAndNoSecret) {
  const std::string body =
      absl::StrCat("{\"a\":\"sk-0123456789abcdef canary-of-ours\\u0007",
                   absl::StrJoin(std::vector<std::string>(80, "no"), " "), "ends");
  const std::string log = LogOf(Script::Json(200, body), false);
  EXPECT_THAT(log, HasSubstr("upstream.bad_answer"));
  EXPECT_THAT(log, HasSubstr("no no no no no no no no no no no no"));
  EXPECT_THAT(log, Not(HasSubstr("ends")));
  EXPECT_THAT(log, Not(HasSubstr("0123456789abcdef")));
  EXPECT_THAT(log, Not(HasSubstr("canary")));
}

// It may quote the key.
TEST(BadAnswer, ARefusedKeyIsNotTold) {
  EXPECT_THAT(LogOf(Script::Json(401, R"({"error":"who is ourkey?"})"), false),
              Not(HasSubstr("ourkey")));
}

}  // namespace
}  // namespace mg
