#include "adapters/retry_after.h"

#include <gtest/gtest.h>

namespace mg {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT

std::optional<absl::Duration> Ask(const HttpHeaders& headers, absl::string_view body = "null",
                                  bool dimensions = true) {
  JsonDocument document;
  EXPECT_TRUE(ParseJson(body, &document).ok());
  return RetryAfter(headers, document, kNow, dimensions);
}

TEST(RetryAfter, Seconds) {
  EXPECT_EQ(Ask({{"Retry-After", "7"}}), absl::Seconds(7));
  EXPECT_EQ(Ask({{"retry-after", " 7.66 "}}), absl::Milliseconds(7660));
  EXPECT_EQ(Ask({{"Retry-After", "0"}}), absl::ZeroDuration());
  EXPECT_EQ(Ask({{"Retry-After", "1000000000"}}), absl::Seconds(1000000000));
}

TEST(RetryAfter, Rejected) {
  for (const char* value : {"-1", "nan", "inf", "1e3", "", "soon", "1.2.3", "0x10", "+5"}) {
    EXPECT_EQ(Ask({{"Retry-After", value}}), std::nullopt) << value;
    EXPECT_EQ(Ask({{"retry-after-ms", value}}), std::nullopt) << value;
  }
  EXPECT_EQ(Ask({{"Retry-After", "1000000001"}}), std::nullopt);
  EXPECT_EQ(Ask({{"retry-after-ms", "1000000000001"}}), std::nullopt);
}

TEST(RetryAfter, Dates) {
  EXPECT_EQ(Ask({{"Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"}}), absl::Seconds(60));
  EXPECT_EQ(Ask({{"Retry-After", "Sunday, 06-Nov-94 08:50:37 GMT"}}), absl::Seconds(60));
  EXPECT_EQ(Ask({{"Retry-After", "Sun Nov  6 08:50:37 1994"}}), absl::Seconds(60));
  EXPECT_EQ(Ask({{"Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT"}}), absl::ZeroDuration());
  EXPECT_EQ(Ask({{"Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"},
                 {"Date", "Sun, 06 Nov 1994 08:50:30 GMT"}}),
            absl::Seconds(7));
  EXPECT_EQ(Ask({{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}}), std::nullopt);
}

TEST(RetryAfter, MillisecondsComeFirstButZeroOfThemSaysNothing) {
  EXPECT_EQ(Ask({{"Retry-After", "7"}, {"retry-after-ms", "6821"}}), absl::Milliseconds(6821));
  EXPECT_EQ(Ask({{"Retry-After", "7"}, {"x-ms-retry-after-ms", "10.5"}}), absl::Milliseconds(10.5));
  EXPECT_EQ(Ask({{"retry-after", "1"}, {"retry-after-ms", "0"}}), absl::Seconds(1));
}

TEST(RetryAfter, TheLargestValidOfSeveral) {
  EXPECT_EQ(Ask({{"Retry-After", "3"},
                 {"retry-after", "9"},
                 {"Retry-After", "-1"},
                 {"Retry-After", "x"}}),
            absl::Seconds(9));
}

TEST(RetryAfter, RetryInfoOfTheBody) {
  const char* body = R"({"error":{"details":[
      {"@type":"type.googleapis.com/google.rpc.QuotaFailure","retryDelay":"99s"},
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}})";
  EXPECT_EQ(Ask({}, body), absl::Milliseconds(34500));
  EXPECT_EQ(Ask({{"Retry-After", "2"}}, body), absl::Seconds(2));
  EXPECT_EQ(
      Ask({}, R"({"error":{"details":[{"@type":"google.rpc.RetryInfo","retryDelay":"-3s"}]}})"),
      std::nullopt);
}

TEST(RetryAfter, ExhaustedDimensionsOnly) {
  const HttpHeaders headers = {
      {"x-ratelimit-remaining-requests", "0"},     {"x-ratelimit-reset-requests", "1m0.5s"},
      {"x-ratelimit-remaining-tokens", "17"},      {"x-ratelimit-reset-tokens", "6h0m0s"},
      {"X-RateLimit-Remaining-Input-Images", "0"}, {"x-ratelimit-reset-input-images", "12ms"}};
  EXPECT_EQ(Ask(headers), absl::Milliseconds(60500));
  EXPECT_EQ(Ask(headers, "null", false), std::nullopt);
  EXPECT_EQ(Ask({{"x-ratelimit-remaining-requests", "-1"}, {"x-ratelimit-reset-requests", "5s"}}),
            std::nullopt);
  EXPECT_EQ(Ask({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "0s"}}),
            std::nullopt);
  EXPECT_EQ(Ask({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "inf"}}),
            std::nullopt);
  EXPECT_EQ(Ask({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "45"}}),
            std::nullopt);
}

}  // namespace
}  // namespace mg
