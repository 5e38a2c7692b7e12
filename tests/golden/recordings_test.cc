// The recorded answers of providers, read in place and compared with expect.json as their INDEX.md
// says; each one re-fed in two pieces, and each good chat goes back as history (OpenAI's own
// takes no reasoning back).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/json_text.h"
#include "tests/golden/decode_support.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

// expect.json was computed, not recorded. Snowflake's body has a function_call of empty name and
// arguments beside its text ("Mexico City is currently sunny"): a zero value and no call, which an
// agent would try to answer for ever.
constexpr absl::string_view kEmptyFunctionCall = "snowflake/oai-chat--snowflake-tool-calling-1";

struct Recording {
  std::string name;
  std::string dir;
  JsonDocument meta;
  JsonDocument expect;
  std::string body;
};

std::vector<Recording> Recordings(absl::string_view api) {
  std::vector<Recording> found;
  for (const auto& provider : std::filesystem::directory_iterator(FixturesDir())) {
    if (!provider.is_directory()) continue;
    for (const auto& entry : std::filesystem::directory_iterator(provider.path())) {
      const std::string dir = entry.path().string();
      if (!std::filesystem::exists(dir + "/meta.json")) continue;
      JsonDocument meta = ReadJsonFile(dir + "/meta.json");
      if (StringMember(meta, "api") != api) continue;
      Recording recording;
      recording.name = provider.path().filename().string() + "/" + entry.path().filename().string();
      recording.dir = dir;
      recording.body = ReadFile(dir + "/" + std::string(StringMember(meta, "response_file")));
      recording.meta = std::move(meta);
      recording.expect = ReadJsonFile(dir + "/expect.json");
      found.push_back(std::move(recording));
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

bool IsGemini(absl::string_view provider) { return provider == "gemini" || provider == "vertex"; }

DialectContext ContextOf(const Recording& recording) {
  const std::string provider(StringMember(recording.meta, "provider"));
  const bool own = provider == "openai" || provider == "azure" || provider == "anthropic" ||
                   provider == "cohere" || provider == "bedrock" || IsGemini(provider);
  return {.provider = provider,
          .model = "m",
          .compatible = !own,
          .google_compatible = provider == "google-compat",
          .preset = own ? "" : provider};
}

HttpHead HeadOf(const Recording& recording) {
  HttpHead head;
  const JsonValue* status = Member(recording.meta, "http_status");
  head.status = status == nullptr ? 200 : status->GetInt();
  if (const JsonValue* headers = Member(recording.meta, "response_headers")) {
    for (const auto& header : headers->GetObject()) {
      head.headers.push_back(
          {std::string(StringOf(header.name)), std::string(StringOf(header.value))});
    }
  }
  return head;
}

std::string FinishName(const v1::Finish& finish) {
  return v1::FinishReason_Name(finish.reason()).substr(sizeof("FINISH_REASON_") - 1);
}

void ExpectCall(const JsonValue& expected, const v1::ToolCall& call) {
  const absl::string_view id = StringMember(expected, "id");
  EXPECT_EQ(call.id(), id.empty() ? "generated" : std::string(id));
  EXPECT_EQ(call.name(), std::string(StringMember(expected, "name")));
  JsonDocument arguments;
  const bool valid = ParseJson(call.arguments_json(), &arguments).ok();
  EXPECT_EQ(valid, Member(expected, "arguments_valid")->GetBool());
  if (valid) {
    EXPECT_TRUE(arguments == *Member(expected, "arguments")) << call.arguments_json();
  } else {
    EXPECT_EQ(call.arguments_json(), std::string(StringMember(expected, "arguments_raw")));
  }
}

// Members that only readers of Gemini's answers write.
void ExpectParts(const JsonValue& expected, const v1::Choice& choice) {
  std::vector<std::string> types;
  bool signature = false;
  for (const v1::Part& part : choice.message().parts()) {
    if (part.has_provider_part()) types.push_back(part.provider_part().type());
    signature = signature || absl::StrContains(part.provider_state().data(), "\"signature\"") ||
                absl::StrContains(part.provider_part().block_json(), "\"thoughtSignature\"");
  }
  std::vector<std::string> wanted;
  for (const JsonValue& type : Member(expected, "other_parts")->GetArray()) {
    wanted.emplace_back(StringOf(type));
  }
  EXPECT_EQ(types, wanted);
  EXPECT_EQ(signature, Member(expected, "thought_signature_present")->GetBool());
}

void ExpectChoice(const Recording& recording, const JsonValue& expected, const v1::Choice& choice) {
  std::string text;
  std::string reasoning;
  std::string refusal;
  std::string tool_plan;
  std::vector<const v1::ToolCall*> calls;
  for (const v1::Part& part : choice.message().parts()) {
    absl::StrAppend(&text, part.text());
    const bool plan = absl::StrContains(part.provider_state().data(), "\"tool_plan\"");
    absl::StrAppend(plan ? &tool_plan : &reasoning, part.reasoning().text());
    absl::StrAppend(&refusal, part.refusal());
    if (part.has_tool_call()) calls.push_back(&part.tool_call());
  }
  EXPECT_EQ(text, std::string(StringMember(expected, "text")));
  EXPECT_EQ(reasoning, std::string(StringMember(expected, "reasoning")));
  EXPECT_EQ(refusal, std::string(StringMember(expected, "refusal")));
  EXPECT_EQ(tool_plan, std::string(StringMember(expected, "tool_plan")));
  if (recording.name == kEmptyFunctionCall) {
    EXPECT_TRUE(calls.empty());
    EXPECT_EQ(FinishName(choice.finish()), "STOP");
    return;
  }
  const JsonValue& expected_calls = *Member(expected, "tool_calls");
  ASSERT_EQ(calls.size(), expected_calls.Size());
  for (size_t i = 0; i < calls.size(); ++i) {
    ExpectCall(expected_calls[static_cast<rapidjson::SizeType>(i)], *calls[i]);
  }
  if (StringMember(expected, "finish") == "ERROR") return;  // the call fails: no finish is told
  EXPECT_EQ(FinishName(choice.finish()), std::string(StringMember(expected, "finish")));
  const JsonValue* raw = Member(expected, "finish_raw");
  const bool number = raw != nullptr && raw->IsInt();
  EXPECT_EQ(
      choice.finish().provider_reason(),
      number ? absl::StrCat(raw->GetInt()) : std::string(StringMember(expected, "finish_raw")));
  if (Member(expected, "other_parts") != nullptr) ExpectParts(expected, choice);
}

// 0 in expect.json also stands for "not sent".
void ExpectUsage(const JsonValue* expected, const v1::ChatResponse& answer) {
  if (expected == nullptr) {
    EXPECT_FALSE(answer.usage().has_input_tokens());
    EXPECT_FALSE(answer.usage().has_output_tokens());
    return;
  }
  const v1::Usage& usage = answer.usage();
  EXPECT_EQ(usage.input_tokens(), Member(*expected, "input")->GetInt());
  EXPECT_EQ(usage.output_tokens(), Member(*expected, "output")->GetInt());
  EXPECT_EQ(usage.total_tokens(), Member(*expected, "total")->GetInt());
  EXPECT_EQ(usage.cached_input_tokens(), Member(*expected, "cached_input")->GetInt());
  EXPECT_EQ(usage.cache_write_tokens(), Member(*expected, "cache_write")->GetInt());
  EXPECT_EQ(usage.reasoning_tokens(), Member(*expected, "reasoning")->GetInt());
}

// Members that only readers of Anthropic's answers write.
void ExpectBlocks(const JsonValue& expect, const v1::ChatResponse& answer) {
  std::vector<std::string> expected;
  for (const JsonValue& type : Member(expect, "other_blocks")->GetArray()) {
    expected.emplace_back(StringOf(type));
  }
  std::vector<std::string> blocks;
  bool signature = false;
  for (const v1::Part& part : answer.choices(0).message().parts()) {
    const bool redacted = part.reasoning().redacted();
    if (part.has_provider_part()) blocks.push_back(part.provider_part().type());
    if (redacted) blocks.emplace_back("redacted_thinking");
    if (part.has_reasoning()) EXPECT_TRUE(part.has_provider_state());
    signature = signature || (part.has_reasoning() && !redacted);
  }
  EXPECT_EQ(blocks, expected);
  EXPECT_EQ(answer.choices(0).finish().stop_sequence(),
            std::string(StringMember(expect, "stop_sequence")));
  if (const JsonValue* seen = Member(expect, "signature_present")) {
    EXPECT_EQ(signature, seen->GetBool());
  }
}

// The signature of a state as it stands in the body that goes back.
std::string SignatureIn(const v1::Part& part, bool gemini) {
  if (gemini) {
    JsonDocument state;
    EXPECT_TRUE(ParseJson(part.provider_state().data(), &state).ok());
    const JsonValue* signature = Member(state, "signature");
    return signature == nullptr ? ""
                                : absl::StrCat("\"thoughtSignature\":", ToJsonText(*signature));
  }
  absl::string_view data = part.provider_state().data();
  data.remove_prefix(data.find(':') + 2);
  while (absl::ConsumeSuffix(&data, "}")) {
  }
  return std::string(data);
}

// Each part of the answer that is no mere text must be among the blocks that go back.
void ExpectRoundTrip(const Recording& recording) {
  DialectContext context = ContextOf(recording);
  const bool gemini = IsGemini(context.provider);
  const bool bedrock = context.provider == "bedrock";
  if (gemini) context.model = "gemini-3-pro-preview";
  if (context.provider == "anthropic") context.model = "claude-haiku-4-5";
  if (bedrock) context.model = "anthropic.claude-haiku-4-5";
  const Decoded decoded = Decode(context, HeadOf(recording), recording.body);
  v1::Message message = decoded.answer.choices(0).message();
  int made = 0;
  for (v1::Part& part : *message.mutable_parts()) {
    // Those that were made up were made alike.
    if (part.tool_call().id() != "generated") continue;
    part.mutable_tool_call()->set_id(absl::StrCat("call_", ++made));
  }
  v1::ChatRequest next;
  const auto add_user = [&next] {
    v1::Message* user = next.add_messages();
    user->set_role(v1::ROLE_USER);
    return user->add_parts();
  };
  add_user()->set_text("Hi");
  if (message.parts_size() > 0) *next.add_messages() = message;
  for (const v1::Part& part : message.parts()) {
    if (!part.has_tool_call()) continue;
    v1::Message* tool = next.add_messages();
    tool->set_role(v1::ROLE_TOOL);
    tool->add_parts()->mutable_tool_result()->set_tool_call_id(part.tool_call().id());
    const auto same = [&](const v1::Tool& each) { return each.name() == part.tool_call().name(); };
    if (std::none_of(next.tools().begin(), next.tools().end(), same)) {
      next.add_tools()->set_name(part.tool_call().name());
    }
  }
  add_user()->set_text("and then?");
  const auto encoded = AdapterOf(context).dialect->EncodeChat(next, context, false);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  bool left_out = false;
  for (const v1::Warning& warning : encoded->warnings) {
    // DeepSeek's older models take reasoning back only behind the last message of the user.
    const bool old = context.preset == "deepseek" && absl::EndsWith(warning.field(), "reasoning");
    left_out = left_out || old;
    EXPECT_TRUE(old || absl::EndsWith(warning.field(), "citations") ||
                absl::EndsWith(warning.field(), "arguments_json"))
        << warning.field() << ": " << warning.message();
  }
  for (const v1::Part& part : message.parts()) {
    std::string text;
    if (part.has_text()) AppendJsonString(part.text(), &text);
    if (!part.reasoning().text().empty() && !part.reasoning().redacted() && !left_out) {
      AppendJsonString(part.reasoning().text(), &text);
    }
    if (part.has_provider_part()) text = part.provider_part().block_json();
    // Mistral's servers want ids of their own form.
    const bool own_id =
        context.preset == "mistral" || absl::StartsWith(part.tool_call().id(), "call_");
    if (part.has_tool_call() && !own_id) AppendJsonString(part.tool_call().id(), &text);
    if (part.has_tool_call() && gemini) {
      EXPECT_TRUE(absl::StrContains(encoded->http.body, part.tool_call().arguments_json()));
    }
    EXPECT_TRUE(absl::StrContains(encoded->http.body, text)) << text;
    if (!part.has_provider_state() || context.provider == "cohere") continue;
    if (context.provider != "anthropic" && !gemini && !bedrock) {
      for (const char* name : {"reasoning_details", "extra_content", "message_extra_content"}) {
        const absl::string_view state = MemberText(part.provider_state().data(), name);
        EXPECT_TRUE(left_out || absl::StrContains(encoded->http.body, state)) << state;
      }
      continue;
    }
    if (absl::StartsWith(part.provider_state().data(), "{\"unsigned\"")) continue;
    const std::string signature = SignatureIn(part, gemini);
    EXPECT_TRUE(absl::StrContains(encoded->http.body, signature)) << signature;
  }
}

void ExpectAnswer(const Recording& recording) {
  const DialectContext context = ContextOf(recording);
  const HttpHead head = HeadOf(recording);
  const Decoded decoded = Decode(context, head, recording.body);
  const JsonValue& expect = recording.expect;
  const JsonValue* error = Member(expect, "stream_error");
  EXPECT_EQ(decoded.status.ok(), error == nullptr) << decoded.status;
  if (error != nullptr) {
    EXPECT_EQ(DetailOf(decoded.status).provider_message(),
              std::string(error->IsString() ? StringOf(*error) : StringMember(*error, "message")));
  }
  const JsonValue& choices = *Member(expect, "choices");
  ASSERT_EQ(decoded.answer.choices_size(), static_cast<int>(choices.Size()));
  for (int i = 0; i < decoded.answer.choices_size(); ++i) {
    ExpectChoice(recording, choices[static_cast<rapidjson::SizeType>(i)],
                 decoded.answer.choices(i));
  }
  const absl::string_view id = StringMember(expect, "id");
  EXPECT_EQ(decoded.answer.id(), id.empty() ? "generated" : std::string(id));
  // Bedrock and Cohere tell none: it is the one that was asked for.
  const absl::string_view model = StringMember(expect, "model");
  EXPECT_EQ(decoded.answer.model(), model.empty() ? context.model : std::string(model));
  if (error == nullptr) ExpectUsage(Member(expect, "usage"), decoded.answer);
  if (Member(expect, "other_blocks") != nullptr) ExpectBlocks(expect, decoded.answer);
  if (const JsonValue* marker = Member(expect, "done_marker");
      marker != nullptr && error == nullptr) {
    EXPECT_EQ(decoded.done_at_marker, marker->GetBool());
  }
  ExpectSameAtEverySplit(context, head, recording.body, decoded);
}

// The kind that a reason of expect.json, or else the gRPC equivalent of the provider's own error,
// stands for.
std::vector<v1::ErrorKind> KindsOf(const JsonValue& expect) {
  const absl::string_view reason = StringMember(expect, "reason");
  if (reason == "CONTEXT_LENGTH" || reason == "REQUEST_TOO_LARGE") {
    return {v1::ERROR_KIND_CONTEXT_LENGTH};
  }
  if (reason == "CONTENT_FILTER") return {v1::ERROR_KIND_CONTENT_BLOCKED};
  if (reason == "BILLING") return {v1::ERROR_KIND_QUOTA};
  const absl::string_view grpc = StringMember(expect, "grpc");
  if (grpc == "UNAUTHENTICATED") return {v1::ERROR_KIND_CREDENTIAL};
  if (grpc == "NOT_FOUND") return {v1::ERROR_KIND_UNKNOWN_MODEL};
  if (grpc == "RESOURCE_EXHAUSTED") return {v1::ERROR_KIND_RATE_LIMITED};
  if (grpc == "INVALID_ARGUMENT") return {v1::ERROR_KIND_INVALID_REQUEST};
  return {v1::ERROR_KIND_SERVER_ERROR, v1::ERROR_KIND_OVERLOADED, v1::ERROR_KIND_TIMEOUT};
}

void ExpectError(const Recording& recording) {
  const JsonValue& expect = recording.expect;
  const DialectContext context = ContextOf(recording);
  const absl::Status status = AdapterOf(context).dialect->DecodeError(
      context, HeadOf(recording), recording.body, absl::UnixEpoch());
  const v1::ErrorDetail detail = DetailOf(status);
  const auto kinds = KindsOf(expect);
  EXPECT_NE(std::find(kinds.begin(), kinds.end(), detail.kind()), kinds.end()) << status;
  EXPECT_EQ(detail.http_status(), Member(expect, "http")->GetInt());
  EXPECT_EQ(detail.has_retry_after(), Member(expect, "retry_after_ms") != nullptr);
  if (detail.kind() == v1::ERROR_KIND_CREDENTIAL) {
    EXPECT_EQ(detail.provider_message(), "");
  } else if (!absl::StrContains(StringMember(expect, "message"), "://")) {
    EXPECT_EQ(detail.provider_message(), std::string(StringMember(expect, "message")));
  }
  const JsonValue* code = Member(expect, "provider_code");
  if (code != nullptr && code->IsString()) {
    EXPECT_EQ(detail.provider_code(), std::string(StringOf(*code)));
  }
}

class RecordingsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!FixturesDir().empty()) return;
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && absl::string_view(ci) == "true") << "the recordings are absent";
    GTEST_SKIP() << "SKIPPED: the recordings are absent";
  }

  // `expected`: how many the index counts.
  void Run(const std::string& api, size_t expected, void (*check)(const Recording&)) {
    const std::vector<Recording> recordings = Recordings(api);
    size_t run = 0;
    for (const Recording& recording : recordings) {
      SCOPED_TRACE(recording.name);
      check(recording);
      ++run;
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(recordings.size(), expected);
    std::printf("recordings (%s): cases found %zu, run %zu, skipped %zu\n", api.c_str(),
                recordings.size(), run, recordings.size() - run);
  }
};

void ExpectChat(const Recording& recording) {
  if (StringMember(recording.expect, "kind") == "error") return ExpectError(recording);
  ExpectAnswer(recording);
  const absl::string_view api = StringMember(recording.meta, "api");
  // OpenAI's own API takes no reasoning back, and some of these answers of others end in an error.
  const bool round = api != "oai-chat" || StringMember(recording.meta, "provider") != "openai";
  if (round && Member(recording.expect, "stream_error") == nullptr) ExpectRoundTrip(recording);
}

void ExpectCount(const Recording& recording) {
  if (StringMember(recording.expect, "kind") == "error") return ExpectError(recording);
  const DialectContext context = ContextOf(recording);
  v1::CountTokensResponse count;
  const auto status = AdapterOf(context).dialect->DecodeCount(context, recording.body, &count);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(count.tokens(), Member(recording.expect, "tokens")->GetInt());
  if (context.provider == "bedrock") {
    EXPECT_EQ(count.accuracy(), v1::CountTokensResponse::ACCURACY_PROVIDER_EXACT);
    EXPECT_EQ(count.lower_bound(), count.tokens());
    return;
  }
  const bool exact = count.accuracy() != v1::CountTokensResponse::ACCURACY_PROVIDER_ESTIMATE;
  EXPECT_EQ(exact, context.provider != "anthropic" && !IsGemini(context.provider));
  EXPECT_EQ(count.lower_bound() < count.tokens(), !exact);
  EXPECT_EQ(count.upper_bound() > count.tokens(), !exact);
}

void ExpectModels(const Recording& recording) {
  const ModelListShape& shape = *AdapterOf(ContextOf(recording)).models;
  ModelPage page;
  const absl::Status status = DecodeModelList(shape, recording.body, &page);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(page.ids.size(), static_cast<size_t>(Member(recording.expect, "count")->GetInt()));
  const JsonValue& first = *Member(recording.expect, "first");
  for (rapidjson::SizeType i = 0; i < first.Size(); ++i) {
    absl::string_view id = StringOf(first[i]);
    absl::ConsumePrefix(&id, shape.id_prefix);  // a request is made of what follows it
    EXPECT_EQ(page.ids.at(i), std::string(id));
  }
}

TEST_F(RecordingsTest, OpenAiChat) { Run("oai-chat", 87, ExpectChat); }
TEST_F(RecordingsTest, Anthropic) { Run("anthropic", 26, ExpectChat); }
TEST_F(RecordingsTest, Converse) { Run("converse", 13, ExpectChat); }
TEST_F(RecordingsTest, ConverseStream) { Run("converse-stream", 13, ExpectChat); }
TEST_F(RecordingsTest, BedrockCount) { Run("bedrock-count", 2, ExpectCount); }
TEST_F(RecordingsTest, AnthropicCount) { Run("anthropic-count", 2, ExpectCount); }
TEST_F(RecordingsTest, Cohere) { Run("cohere-chat", 14, ExpectChat); }
TEST_F(RecordingsTest, OpenAiCount) { Run("oai-count", 1, ExpectCount); }
TEST_F(RecordingsTest, CohereCount) { Run("cohere-tokenize", 1, ExpectCount); }
TEST_F(RecordingsTest, Gemini) { Run("gemini", 20, ExpectChat); }
TEST_F(RecordingsTest, GeminiStream) { Run("gemini-stream", 9, ExpectChat); }
TEST_F(RecordingsTest, Models) { Run("models", 2, ExpectModels); }
TEST_F(RecordingsTest, GeminiCount) { Run("gemini-count", 3, ExpectCount); }

}  // namespace
}  // namespace mg
