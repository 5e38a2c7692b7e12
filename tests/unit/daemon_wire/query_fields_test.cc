#include "daemon/query_fields.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "modelgateway/v1/admin.pb.h"
#include "modelgateway/v1/mock.pb.h"

namespace mg {
namespace {

std::string Json(const std::string& target, const google::protobuf::Descriptor* message) {
  const absl::StatusOr<std::string> json = JsonOfQuery(target, *message);
  return json.ok() ? *json : "! " + DetailOf(json.status()).field();
}

TEST(QueryFields, PathsLeadIntoMessages) {
  const auto* explain = v1::ExplainRequest::descriptor();
  EXPECT_EQ(Json("/x", explain), "");
  EXPECT_EQ(Json("/x?", explain), "{}");
  EXPECT_EQ(Json("/x?model=a%2Fb+c&context.end_user=u%20%22&context.routingKey=", explain),
            R"({"model":"a/b c","context":{"end_user":"u \"","routing_key":""}})");
  EXPECT_EQ(Json("/x?context.tags=a&context.tags=b&context.metadata.plan.x=gold", explain),
            R"({"context":{"tags":["a","b"],"metadata":{"plan.x":"gold"}}})");
  EXPECT_EQ(Json("/x?model", explain), R"({"model":""})");
  EXPECT_EQ(Json("/x?model=%ff%zz%4", explain), "{\"model\":\"\xEF\xBF\xBD%zz%4\"}");
  EXPECT_EQ(Json("/x?duration=5s&scope.provider=p", v1::IsolateRequest::descriptor()),
            R"({"duration":"5s","scope":{"provider":"p"}})");
}

TEST(QueryFields, WhatIsNoFieldIsNamed) {
  const auto* explain = v1::ExplainRequest::descriptor();
  for (const std::string wrong :
       {"modell", "context", "context.x", "model.x", "context.metadata", "", ".", "context."}) {
    EXPECT_EQ(Json("/x?" + wrong + "=1", explain), "! " + wrong) << wrong;
  }
  EXPECT_EQ(Json("/x?model=a&model=b", explain), "! model");
  EXPECT_EQ(Json("/x?context.metadata.a=1&context.metadata.a=2", explain), "! context.metadata.a");
  EXPECT_EQ(Json("/x?rules.model=1", v1::PutMockRequest::descriptor()), "! rules.model");
}

}  // namespace
}  // namespace mg
