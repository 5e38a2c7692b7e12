#include "daemon/wire_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/utf8.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "telemetry/report.h"

namespace mg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

v1::ErrorDetail Hint(absl::Duration hint) {
  v1::ErrorDetail detail;
  detail.mutable_retry_after()->set_seconds(absl::ToInt64Seconds(hint));
  detail.mutable_retry_after()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(hint % absl::Seconds(1))));
  return detail;
}

TEST(WireStatus, OkIsBare) {
  const WireStatus wire = ToWire(absl::OkStatus(), true);
  EXPECT_EQ(wire.code, 0);
  EXPECT_EQ(wire.details, "");
  EXPECT_THAT(wire.trailers, IsEmpty());
}

TEST(WireStatus, DetailsRepeatCodeAndMessage) {
  const WireStatus wire =
      ToWire(FieldError(ErrorClass::kInvalidRequest, "model", "no model"), true);
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(wire.details));
  EXPECT_EQ(status.code(), 3);
  EXPECT_EQ(wire.code, 3);
  EXPECT_EQ(status.message(), "no model");
  ASSERT_EQ(status.details_size(), 1);
  v1::ErrorDetail detail;
  ASSERT_TRUE(status.details(0).UnpackTo(&detail));
  EXPECT_EQ(detail.field(), "model");
  EXPECT_THAT(wire.trailers, IsEmpty());
}

TEST(WireStatus, HintsAreRoundedUp) {
  const absl::Status status =
      MakeError(ErrorClass::kShed, Hint(absl::Microseconds(1200500)), "no room");
  EXPECT_THAT(ToWire(status, true).trailers,
              ElementsAre(Pair("retry-after", "2"), Pair("retry-after-ms", "1201"),
                          Pair("grpc-retry-pushback-ms", "1201"), Pair("x-should-retry", "true")));
}

TEST(WireStatus, AQuotaInvitesNoRetry) {
  const WireStatus wire =
      ToWire(MakeError(ErrorClass::kQuota, Hint(absl::Seconds(5)), "no credit"), true);
  EXPECT_THAT(wire.trailers, ElementsAre(Pair("x-should-retry", "false")));
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(wire.details));
  EXPECT_EQ(status.details_size(), 1);
}

TEST(WireStatus, AnAttemptForbidsRetries) {
  v1::ErrorDetail detail = Hint(absl::Seconds(5));
  detail.mutable_report()->add_attempts();
  EXPECT_THAT(ToWire(MakeError(ErrorClass::kRate, detail, "429"), true).trailers,
              ElementsAre(Pair("retry-after", "5"), Pair("x-should-retry", "false"),
                          Pair("grpc-retry-pushback-ms", "-1")));
}

TEST(WireStatus, OtherServicesGetCodeAndMessageAlone) {
  const WireStatus wire = ToWire(absl::NotFoundError("no service"), false);
  EXPECT_EQ(wire.code, 5);
  EXPECT_EQ(wire.message, "no service");
  EXPECT_EQ(wire.details, "");
}

TEST(WireStatus, AStatusNotMadeByUsIsAnInternalError) {
  const WireStatus wire = ToWire(absl::NotFoundError("lost"), true);
  google::rpc::Status status;
  v1::ErrorDetail detail;
  ASSERT_TRUE(status.ParseFromString(wire.details));
  ASSERT_TRUE(status.details(0).UnpackTo(&detail));
  EXPECT_EQ(detail.kind(), v1::ERROR_KIND_INTERNAL_ERROR);
}

TEST(WireStatus, EverythingTogetherStaysUnderTheLimitOfClients) {
  v1::ErrorDetail detail;
  detail.set_provider_message(std::string(5000, 'p'));
  for (int i = 0; i < 50; ++i) {
    detail.mutable_report()->add_warnings()->set_message(std::string(300, 'w'));
    detail.mutable_report()->add_skipped()->set_candidate(std::string(100, 's'));
    detail.mutable_report()->add_attempts()->set_candidate(std::string(100, 'a'));
  }
  for (const std::string& text : {std::string(5000, '%'), std::string(5000, 'x'),
                                  std::string(4999, 'x') + "\xff", std::string("\n\xc3\xa4")}) {
    const WireStatus wire = ToWire(MakeError(ErrorClass::kServerError, detail, text), true);
    size_t encoded = 0;
    for (const char c : wire.message) encoded += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
    EXPECT_TRUE(IsValidUtf8(wire.message));
    EXPECT_LE(wire.details.size() * 4 / 3 + encoded, 7600u);
    google::rpc::Status status;
    ASSERT_TRUE(status.ParseFromString(wire.details));
    v1::ErrorDetail sent;
    ASSERT_TRUE(status.details(0).UnpackTo(&sent));
    EXPECT_LE(sent.ByteSizeLong(), kErrorDetailBytes);
    EXPECT_GT(sent.report().attempts_size(), 0);
  }
}

TEST(WireStatus, LongMessagesAreCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\xe2\x82\xac";
  const WireStatus wire = ToWire(MakeError(ErrorClass::kInvalidRequest, text), true);
  EXPECT_TRUE(IsValidUtf8(wire.message));
  EXPECT_LT(wire.message.size(), 640u);
  EXPECT_THAT(wire.message, ::testing::EndsWith("..."));
}

}  // namespace
}  // namespace mg
