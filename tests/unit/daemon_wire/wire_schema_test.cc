#include "daemon/wire_schema.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace mg {
namespace {

using google::protobuf::Message;
using google::protobuf::io::ArrayInputStream;
using ::testing::HasSubstr;

const WireSchema& Schema() {
  static const auto* const kSchema =
      new WireSchema(v1::ChatRequest::descriptor(), "model-gateway 1.2.3");
  return *kSchema;
}

// In pieces of `block` bytes, as the network brings them.
bool Accepts(const std::string& bytes, int block = -1) {
  ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()), block);
  return Schema().Accepts(&stream);
}

// "field | text" of a refusal.
std::string Why(const std::string& bytes) {
  const absl::Status status = Schema().Explain(bytes);
  EXPECT_EQ(ClassOf(status), ErrorClass::kInvalidRequest);
  return absl::StrCat(DetailOf(status).field(), " | ", status.message());
}
std::string Refused(const std::string& bytes) {
  EXPECT_FALSE(Accepts(bytes));
  for (const int block : {1, 2, 7}) EXPECT_FALSE(Accepts(bytes, block));
  return Why(bytes);
}
std::string Refused(const Message& message) { return Refused(message.SerializeAsString()); }

void AddUnknown(Message* message, int number) {
  message->GetReflection()->MutableUnknownFields(message)->AddVarint(number, 1);
}

// Something of everything.
v1::ChatRequest Rich() {
  v1::ChatRequest request;
  request.set_model("fast");
  for (int i = 0; i < 3; ++i) {
    v1::Message* message = request.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text("hello \xc3\xa4");
    message->add_parts()->mutable_image()->set_data("\xff\xfe raw");
    v1::Citation* citation = message->mutable_parts(0)->add_citations();
    citation->set_start(-1);
    citation->mutable_details();
    message->mutable_parts(1)->mutable_cache_breakpoint()->mutable_ttl()->set_seconds(300);
  }
  request.mutable_sampling()->set_temperature(0.5);
  request.mutable_sampling()->set_seed(-7);
  request.mutable_sampling()->add_stop("END");
  request.add_tools()->set_strict(true);
  request.mutable_tool_choice()->set_mode(v1::ToolChoice::MODE_REQUIRED);
  (*request.mutable_context()->mutable_metadata())["user"] = "u1";
  google::protobuf::Struct options;
  (*options.mutable_fields())["x"].set_number_value(1.5);
  (*options.mutable_fields())["none"].set_null_value(google::protobuf::NULL_VALUE);
  google::protobuf::Value* list = &(*options.mutable_fields())["list"];
  list->mutable_list_value()->add_values()->set_bool_value(true);
  (*request.mutable_provider_options())["openai"] = options;
  return request;
}

TEST(WireSchema, TakesWhatIsKnown) {
  const std::string bytes = Rich().SerializeAsString();
  EXPECT_TRUE(Accepts(bytes));
  for (int block = 1; block < 100; ++block) ASSERT_TRUE(Accepts(bytes, block)) << block;
  EXPECT_TRUE(Accepts(""));
}

TEST(WireSchema, NamesUnknownFieldsWithTheirPath) {
  v1::ChatRequest request = Rich();
  AddUnknown(&request, 99);
  EXPECT_EQ(Refused(request),
            "#99 | unknown field #99: modelgateway.v1.ChatRequest has no field with the number 99 "
            "in model-gateway 1.2.3; leave it out, or update the gateway");
  request = Rich();
  AddUnknown(request.mutable_sampling(), 17);
  EXPECT_THAT(Refused(request), HasSubstr("sampling.#17 | "));
  request = Rich();
  AddUnknown(request.mutable_messages(2)->mutable_parts(1)->mutable_image(), 1000);
  EXPECT_THAT(Refused(request), HasSubstr("messages[2].parts[1].image.#1000 | "));
  request = Rich();
  AddUnknown(&request, 536870911);
  EXPECT_THAT(Refused(request), HasSubstr("#536870911 | "));
  request = Rich();
  AddUnknown(&(*request.mutable_provider_options())["openai"].mutable_fields()->at("list"), 9);
  EXPECT_THAT(Refused(request), HasSubstr("provider_options[\"openai\"].fields[\"list\"].#9 | "));
  EXPECT_THAT(Refused(std::string("\x9b\x01\x9c\x01")), HasSubstr("#19 | ")) << "a group";
}

TEST(WireSchema, NamesUnknownEnumValues) {
  for (const int value : {9, 63, 64, 1 << 20, -1}) {
    v1::ChatRequest request = Rich();
    request.mutable_messages(2)->set_role(static_cast<v1::Role>(value));
    EXPECT_EQ(Refused(request),
              absl::StrCat("messages[2].role | messages[2].role has the value ", value,
                           ", which modelgateway.v1.Role of model-gateway 1.2.3 does not have"));
  }
  v1::ChatRequest request = Rich();
  google::protobuf::Struct* options = &(*request.mutable_provider_options())["openai"];
  (*options->mutable_fields())["none"].set_null_value(static_cast<google::protobuf::NullValue>(1));
  EXPECT_THAT(Refused(request), HasSubstr("fields[\"none\"].null_value has the value 1"));
}

TEST(WireSchema, FindsInvalidUtf8) {
  const auto spoil = [](const v1::ChatRequest& request, const std::string& text) {
    std::string bytes = request.SerializeAsString();
    bytes[bytes.find(text)] = '\xff';
    EXPECT_TRUE(Accepts(bytes)) << "that is the parser's affair";
    return Why(bytes);
  };
  v1::ChatRequest request = Rich();
  request.mutable_messages(2)->mutable_parts(0)->set_text("okMARK");
  EXPECT_EQ(
      spoil(request, "MARK"),
      "messages[2].parts[0].text | messages[2].parts[0].text is not valid UTF-8 at its byte 2");
  request = Rich();
  (*request.mutable_context()->mutable_metadata())["user"] = "MARK";
  EXPECT_THAT(spoil(request, "MARK"), HasSubstr("context.metadata[\"user\"] | "));
  request = Rich();
  request.mutable_context()->clear_metadata();
  (*request.mutable_context()->mutable_metadata())["MARK"] = "value";
  EXPECT_THAT(spoil(request, "MARK"),
              HasSubstr("context.metadata[0] | the key of context.metadata[0] is not valid UTF-8"));
  request = Rich();
  google::protobuf::Struct* options = &(*request.mutable_provider_options())["openai"];
  (*options->mutable_fields())["deep"].set_string_value("MARK");
  EXPECT_THAT(spoil(request, "MARK"),
              HasSubstr("provider_options[\"openai\"].fields[\"deep\"].string_value | "));
}

TEST(WireSchema, RefusesWhatBreaksOffAnywhere) {
  const std::string bytes = Rich().SerializeAsString();
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::string part = bytes.substr(0, length);
    const bool parses = v1::ChatRequest().ParseFromString(part);
    ASSERT_EQ(Accepts(part), parses) << length;
    if (!parses) ASSERT_THAT(Why(part), HasSubstr("not a ChatRequest")) << length;
  }
}

// Whatever the parser refuses is refused; whatever passes here the parser takes too, but for UTF-8.
TEST(WireSchema, AgreesWithTheParserOnDamagedBytes) {
  const std::string good = Rich().SerializeAsString();
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      v1::ChatRequest request;
      const bool parses = request.ParseFromString(bytes);
      const bool accepted = Accepts(bytes);
      ASSERT_EQ(accepted, Accepts(bytes, 1)) << i << "/" << bit;
      if (accepted && !parses) ASSERT_THAT(Why(bytes), HasSubstr("UTF-8")) << i << "/" << bit;
      if (!accepted) Why(bytes);
    }
  }
}

TEST(WireSchema, RefusesAKnownNumberOfAnotherType) {
  EXPECT_EQ(Refused(std::string("\x08\x01")),
            "model | has the number of model but not its type (wire type 0): not a ChatRequest");
  EXPECT_THAT(Refused(std::string("\x10\x01")), HasSubstr("messages[0] | "));
}

// A chain of `depth` messages below the request.
std::string Nested(int depth) {
  std::string bytes;
  const auto wrap = [&bytes](int number) {
    std::string outer(1, static_cast<char>(number << 3 | 2));
    for (size_t length = bytes.size();; length >>= 7) {
      outer.push_back(static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0)));
      if (length <= 0x7f) break;
    }
    bytes = outer + bytes;
  };
  // tool_result (7 of Part) and parts (3 of ToolResult) in turn, then a part of a message.
  for (int i = 0; i < depth - 2; ++i) wrap(i % 2 == (depth % 2) ? 3 : 7);
  wrap(2);
  wrap(2);
  return bytes;
}

TEST(WireSchema, RefusesWhatIsNestedTooDeep) {
  EXPECT_TRUE(v1::ChatRequest().ParseFromString(Nested(100)));
  EXPECT_TRUE(Accepts(Nested(100)));
  EXPECT_FALSE(v1::ChatRequest().ParseFromString(Nested(101)));
  EXPECT_THAT(Refused(Nested(101)), HasSubstr("nested deeper than 100 messages"));
  const absl::Status status = Schema().Explain(Nested(5000));
  EXPECT_LE(DetailOf(status).field().size(), 512u);
}

TEST(WireSchema, RefusesTooManyItems) {
  std::string bytes;
  for (int i = 0; i < WireSchema::kMaxItems; ++i) bytes.append("\x12\x00", 2);
  EXPECT_TRUE(Accepts(bytes));
  bytes.append("\x12\x00", 2);
  EXPECT_FALSE(Accepts(bytes));
  EXPECT_THAT(Why(bytes), HasSubstr("more than 262144 messages"));
}

TEST(WireSchema, WalksPackedValues) {
  const WireSchema schema(v1::EmbedInput::descriptor(), "model-gateway 1.2.3");
  v1::EmbedInput input;
  for (int i = 0; i < 1000; ++i) input.add_token_ids(i);
  const std::string bytes = input.SerializeAsString();
  ArrayInputStream whole(bytes.data(), static_cast<int>(bytes.size()));
  EXPECT_TRUE(schema.Accepts(&whole));
  const std::string unpacked("\x18\x05\x18\x06");
  ArrayInputStream one_by_one(unpacked.data(), static_cast<int>(unpacked.size()));
  EXPECT_TRUE(schema.Accepts(&one_by_one));
}

}  // namespace
}  // namespace mg
