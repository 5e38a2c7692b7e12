// What the golden answers do not show: sizes, caps, broken connections, memory of what was said.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "adapters/dialect.h"
#include "adapters/fold.h"

namespace mg {
namespace {

const DialectContext kContext = {.provider = "p", .model = "m", .compatible = true};
const v1::ChatRequest kRequest;

std::unique_ptr<Decoder> NewDecoder(const DialectContext& context = kContext,
                                    const char* type = "text/event-stream",
                                    const v1::ChatRequest& request = kRequest) {
  const HttpHead head = {200, {{"content-type", type}}};
  auto decoder = FindAdapter("openai")->dialect->NewChatDecoder(request, context, head);
  EXPECT_TRUE(decoder.ok()) << decoder.status();
  return *std::move(decoder);
}

std::string Chunk(absl::string_view delta) {
  return absl::StrCat("data: {\"choices\":[{\"index\":0,\"delta\":{", delta, "}}]}\n\n");
}

constexpr char kStop[] =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

v1::ChatResponse Fold(std::vector<v1::ChatEvent> events) {
  ChatFold fold;
  for (auto& event : events) {
    EXPECT_LE(event.ByteSizeLong(), 1u << 20);
    fold.Add(std::move(event));
  }
  return fold.Take();
}

TEST(OpenAiDecoder, AMegabyteOfArgumentsInSmallPieces) {
  auto decoder = NewDecoder();
  std::vector<v1::ChatEvent> events;
  ASSERT_TRUE(
      decoder
          ->Feed(Chunk(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}])"), &events)
          .ok());
  const std::string piece(16, 'x');
  for (int i = 0; i < 65536; ++i) {
    ASSERT_TRUE(
        decoder
            ->Feed(Chunk(absl::StrCat(R"("tool_calls":[{"index":0,"function":{"arguments":")",
                                      piece, "\"}}]")),
                   &events)
            .ok());
  }
  ASSERT_TRUE(decoder->Feed(absl::StrCat(kStop, "data: [DONE]\n\n"), &events).ok());
  EXPECT_TRUE(decoder->done());
  const auto answer = Fold(std::move(events));
  EXPECT_EQ(answer.choices(0).message().parts(0).tool_call().arguments_json().size(), 1u << 20);
}

TEST(OpenAiDecoder, LargePiecesAreCutBetweenCharacters) {
  auto decoder = NewDecoder(kContext, "application/json");
  std::string text = "x";
  for (int i = 0; i < 1000000; ++i) text.append("\xe2\x82\xac");
  const std::string base64(4 << 20, 'A');
  const std::string body =
      absl::StrCat(R"({"choices":[{"message":{"content":")", text, R"(","reasoning":")", text,
                   R"(","refusal":")", text, R"(","audio":{"transcript":")", text, R"(","data":")",
                   base64, R"("},"images":[{"image_url":{"url":"data:image/png;base64,)", base64,
                   R"("}}],"tool_calls":[{"id":"a","function":{"name":"f","arguments":")", text,
                   R"("}}]},"finish_reason":"stop"}]})");
  std::vector<v1::ChatEvent> events;
  for (size_t at = 0; at < body.size(); at += 65536) {
    ASSERT_TRUE(decoder->Feed(absl::string_view(body).substr(at, 65536), &events).ok());
  }
  ASSERT_TRUE(decoder->Finish(true, &events).ok());
  EXPECT_GT(events.size(), 20u);
  const auto answer = Fold(std::move(events));
  ASSERT_EQ(answer.choices(0).message().parts_size(), 6);
  EXPECT_EQ(answer.choices(0).message().parts(1).text(), text);
  EXPECT_EQ(answer.choices(0).message().parts(3).audio().transcript(), text);
  EXPECT_EQ(answer.choices(0).message().parts(3).audio().data().size(), 3u << 20);
  EXPECT_EQ(answer.choices(0).message().parts(4).image().data().size(), 3u << 20);
  EXPECT_EQ(answer.choices(0).message().parts(5).tool_call().arguments_json(), text);
}

TEST(OpenAiDecoder, ManyLogprobsAreSplit) {
  auto decoder = NewDecoder(kContext, "application/json");
  std::string list;
  for (int i = 0; i < 20000; ++i) {
    absl::StrAppend(
        &list, i ? "," : "",
        R"({"token":"abcdefgh","logprob":-1,"bytes":[97],"top_logprobs":[{"token":"abcdefgh","logprob":-1},{"token":"abcdefgh","logprob":-2}]})");
  }
  std::vector<v1::ChatEvent> events;
  ASSERT_TRUE(
      decoder
          ->Feed(
              absl::StrCat(
                  R"({"choices":[{"message":{"content":"a"},"finish_reason":"stop","logprobs":{"content":[)",
                  list, "]}}]}"),
              &events)
          .ok());
  ASSERT_TRUE(decoder->Finish(true, &events).ok());
  EXPECT_EQ(Fold(std::move(events)).choices(0).logprobs_size(), 20000);
}

// A server that does not say what it sends: what is in front of the answer counts the same wherever
// the bytes are cut.
TEST(OpenAiDecoder, LeadingBlanksAndMarksAreReadAlikeAtEveryCut) {
  const std::string rest = absl::StrCat(Chunk(R"("content":"hi")"), kStop, "data: [DONE]\n\n");
  for (const char* lead : {"\n ", "\n\n", "\xEF\xBB\xBF", "\xEF\xBB\xBF\xEF\xBB\xBF",
                           "\n\xEF\xBB\xBF", "\xEF\xBB\xBF \n"}) {
    const std::string body = lead + rest;
    const auto decode = [&](size_t cut) {
      auto decoder = NewDecoder(kContext, "");
      std::vector<v1::ChatEvent> events;
      absl::Status status = decoder->Feed(absl::string_view(body).substr(0, cut), &events);
      if (status.ok()) status = decoder->Feed(absl::string_view(body).substr(cut), &events);
      if (status.ok() && !decoder->done()) status = decoder->Finish(true, &events);
      v1::ChatResponse answer = Fold(std::move(events));
      answer.clear_id();  // made up where the provider gives none
      return absl::StrCat(status.ToString(), answer.ShortDebugString());
    };
    const std::string whole = decode(body.size());
    for (size_t cut = 0; cut < 12; ++cut) EXPECT_EQ(decode(cut), whole) << cut;
  }
}

TEST(OpenAiDecoder, HtmlIsNoAnswer) {
  const HttpHead head = {200, {{"Content-Type", "Text/HTML; charset=utf-8"}}};
  const auto decoder = FindAdapter("openai")->dialect->NewChatDecoder(kRequest, kContext, head);
  EXPECT_EQ(ClassOf(decoder.status()), ErrorClass::kMalformed);
}

TEST(OpenAiDecoder, AnEventOverTheCapIsMalformed) {
  auto decoder = NewDecoder();
  std::vector<v1::ChatEvent> events;
  const std::string piece(1 << 20, 'x');
  absl::Status status = decoder->Feed("data: ", &events);
  for (int i = 0; i < 20 && status.ok(); ++i) status = decoder->Feed(piece, &events);
  EXPECT_EQ(ClassOf(status), ErrorClass::kMalformed) << status;
}

TEST(OpenAiDecoder, AWholeAnswerOverTheCapIsMalformed) {
  auto decoder = NewDecoder(kContext, "application/json");
  std::vector<v1::ChatEvent> events;
  const std::string piece(4 << 20, ' ');
  absl::Status status = decoder->Feed("{", &events);
  for (int i = 0; i < 20 && status.ok(); ++i) status = decoder->Feed(piece, &events);
  EXPECT_EQ(ClassOf(status), ErrorClass::kMalformed) << status;
}

TEST(OpenAiDecoder, BracketsByTheMillionAreRefused) {
  auto decoder = NewDecoder();
  std::vector<v1::ChatEvent> events;
  std::string bytes = "data: ";
  bytes.resize(10'000'000, '[');
  const auto status = decoder->Feed(bytes + "\n\n", &events);
  EXPECT_EQ(ClassOf(status), ErrorClass::kMalformed);
}

TEST(OpenAiDecoder, ValuesByTheMillionAreRefused) {
  std::string bytes = "{\"choices\":[0";
  for (int i = 0; i < 2 << 20; ++i) bytes += ",0";
  std::vector<v1::ChatEvent> events;
  auto whole = NewDecoder(kContext, "application/json");
  ASSERT_TRUE(whole->Feed(bytes + "]}", &events).ok());
  const absl::Status status = whole->Finish(true, &events);
  EXPECT_EQ(ClassOf(status), ErrorClass::kMalformed);
  EXPECT_TRUE(absl::StrContains(status.message(), "more than 2097152 values")) << status;
  EXPECT_EQ(ClassOf(NewDecoder()->Feed(absl::StrCat("data: ", bytes, "]}\n\n"), &events)),
            ErrorClass::kMalformed);
}

TEST(OpenAiDecoder, TooManyCallsAndChoicesAreRefused) {
  std::string calls;
  std::string choices;
  for (int i = 0; i < 5000; ++i) {
    absl::StrAppend(&calls, i ? "," : "", R"({"function":{"name":"f","arguments":{}}})");
    absl::StrAppend(&choices, i ? "," : "", R"({"index":)", i, R"(,"delta":{"content":"a"}})");
  }
  std::vector<v1::ChatEvent> events;
  EXPECT_EQ(
      ClassOf(NewDecoder()->Feed(Chunk(absl::StrCat("\"tool_calls\":[", calls, "]")), &events)),
      ErrorClass::kMalformed);
  EXPECT_EQ(
      ClassOf(NewDecoder()->Feed(absl::StrCat("data: {\"choices\":[", choices, "]}\n\n"), &events)),
      ErrorClass::kMalformed);
}

// What comes out at the end alone is kept until then: a stream may not go on with it for ever.
TEST(OpenAiDecoder, WhatIsHeldBackIsBounded) {
  const std::string piece = absl::StrCat("#", std::string(1 << 20, 'x'));
  for (const std::string& delta : {
           absl::StrCat(R"("tool_calls":[{"index":0,"function":{"name":")", piece, R"("}}])"),
           absl::StrCat(R"("function_call":{"name":")", piece, R"("})"),
           absl::StrCat(R"("tool_calls":[{"function":{"name":"f","arguments":"{}"},)",
                        R"("extra_content":{"a":")", piece, R"("}}])"),
           absl::StrCat(R"("reasoning_details":[{"type":"reasoning.text","text":")", piece,
                        R"("}])"),
           absl::StrCat(R"("reasoning_details":[{"type":"reasoning.encrypted","data":")", piece,
                        R"("}])"),
           absl::StrCat(R"("annotations":[{"type":"url_citation","url_citation":{"url":")", piece,
                        R"("}}])"),
           absl::StrCat(R"("extra_content":{"a":")", piece, R"("})"),
       }) {
    auto decoder = NewDecoder();
    std::vector<v1::ChatEvent> events;
    absl::Status status;
    int chunks = 0;
    for (; chunks < 20 && status.ok(); ++chunks) {
      // A name that is said again is no piece of it.
      const std::string next = absl::StrReplaceAll(delta, {{"#", absl::StrCat(chunks)}});
      status = decoder->Feed(Chunk(next), &events);
    }
    EXPECT_EQ(ClassOf(status), ErrorClass::kMalformed) << delta.substr(0, 80) << status;
    EXPECT_GE(chunks, 15) << delta.substr(0, 80);
  }
}

// Each member is looked for among the ones before it.
TEST(OpenAiDecoder, ADetailHasFewMembers) {
  std::string members;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&members, i ? "," : "", "\"m", i, "\":", i);
  auto decoder = NewDecoder();
  std::vector<v1::ChatEvent> events;
  ASSERT_TRUE(decoder
                  ->Feed(absl::StrCat(Chunk(absl::StrCat(R"("reasoning_details":[{)", members,
                                                         R"(}],"content":"a")")),
                                      kStop),
                         &events)
                  .ok());
  ASSERT_TRUE(decoder->Finish(true, &events).ok());
  const std::string answer = Fold(std::move(events)).ShortDebugString();
  EXPECT_NE(answer.find("m63"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("m64"), std::string::npos);
}

TEST(OpenAiDecoder, BrokenConnections) {
  const auto end = [](absl::string_view bytes, bool clean, const char* type = "text/event-stream") {
    auto decoder = NewDecoder(kContext, type);
    std::vector<v1::ChatEvent> events;
    EXPECT_TRUE(decoder->Feed(bytes, &events).ok());
    return ClassOf(decoder->Finish(clean, &events));
  };
  EXPECT_EQ(end("", true), ErrorClass::kEmpty);
  EXPECT_EQ(end("", false), ErrorClass::kReset);
  EXPECT_EQ(end(Chunk(R"("role":"assistant","content":"")"), false), ErrorClass::kReset);
  EXPECT_EQ(end(Chunk(R"("content":"a")"), false), ErrorClass::kInterrupted);
  EXPECT_EQ(end(Chunk(R"("content":"a")"), true), ErrorClass::kInterrupted);
  EXPECT_EQ(end("", false, "application/json"), ErrorClass::kReset);
  EXPECT_EQ(end("{\"choices\":[", false, "application/json"), ErrorClass::kReset);
  EXPECT_EQ(end("{\"choices\":[", true, "application/json"), ErrorClass::kMalformed);

  auto decoder = NewDecoder();
  std::vector<v1::ChatEvent> events;
  ASSERT_TRUE(decoder->Feed(absl::StrCat(Chunk(R"("content":"a")"), kStop), &events).ok());
  EXPECT_TRUE(decoder->finished());
  EXPECT_FALSE(decoder->done());
  EXPECT_TRUE(
      decoder->Finish(false, &events).ok());  // every choice has its finish: a reset completes
  EXPECT_TRUE(decoder->done());
  EXPECT_TRUE(events.back().has_completed());
}

TEST(OpenAiDecoder, FinishedWaitsForEveryChoice) {
  auto decoder = NewDecoder();
  std::vector<v1::ChatEvent> events;
  EXPECT_FALSE(decoder->finished());
  ASSERT_TRUE(
      decoder
          ->Feed("data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]}\n\n", &events)
          .ok());
  ASSERT_TRUE(decoder->Feed(kStop, &events).ok());
  EXPECT_FALSE(decoder->finished());
}

TEST(OpenAiDecoder, GoogleHidesThinkingInTheTotal) {
  const std::string body =
      R"({"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":35,"completion_tokens":12,"total_tokens":109}})";
  for (const bool google : {false, true}) {
    DialectContext context = kContext;
    context.google_compatible = google;
    auto decoder = NewDecoder(context, "application/json");
    std::vector<v1::ChatEvent> events;
    ASSERT_TRUE(decoder->Feed(body, &events).ok());
    ASSERT_TRUE(decoder->Finish(true, &events).ok());
    EXPECT_EQ(Fold(std::move(events)).usage().output_tokens(), google ? 74 : 12);
  }
}

TEST(OpenAiDecoder, GeneratedIdsDiffer) {
  auto decoder = NewDecoder(kContext, "application/json");
  std::vector<v1::ChatEvent> events;
  ASSERT_TRUE(
      decoder
          ->Feed(
              R"({"choices":[{"message":{"tool_calls":[{"function":{"name":"f"}},{"function":{"name":"f"}}]},"finish_reason":"stop"}]})",
              &events)
          .ok());
  ASSERT_TRUE(decoder->Finish(true, &events).ok());
  const auto answer = Fold(std::move(events));
  const auto& parts = answer.choices(0).message().parts();
  ASSERT_EQ(parts.size(), 2);
  EXPECT_EQ(parts[0].tool_call().id().substr(0, 5), "call_");
  EXPECT_NE(parts[0].tool_call().id(), parts[1].tool_call().id());
  EXPECT_FALSE(answer.id().empty());
}

TEST(OpenAiDecoder, AudioHasTheFormatThatWasAskedFor) {
  v1::ChatRequest request;
  auto& audio = *(*(*request.mutable_provider_options())["openai"].mutable_fields())["audio"]
                     .mutable_struct_value();
  (*audio.mutable_fields())["format"].set_string_value("mp3");
  auto decoder = NewDecoder(kContext, "application/json", request);
  std::vector<v1::ChatEvent> events;
  ASSERT_TRUE(
      decoder
          ->Feed(
              R"({"choices":[{"message":{"audio":{"id":"a1","data":"SUQz","transcript":"hi"}},"finish_reason":"stop"}]})",
              &events)
          .ok());
  ASSERT_TRUE(decoder->Finish(true, &events).ok());
  const auto answer = Fold(std::move(events));
  EXPECT_EQ(answer.choices(0).message().parts(0).audio().media_type(), "audio/mpeg");
  EXPECT_EQ(answer.choices(0).message().parts(0).audio().data(), "ID3");
}

// An answer's message goes back whole: what the server sent must stand in the next request as it
// was.
TEST(OpenAiDecoder, AnswersGoBackAsTheyCame) {
  const std::string message =
      R"("reasoning":"We go","reasoning_details":[{"type":"reasoning.text","index":0,"signature":"c2ln","text":"We go"}],)"
      R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"n\":1.50}"},"extra_content":{"google":{"thought_signature":"c2ln"}}}])";
  auto decoder = NewDecoder(kContext, "application/json");
  std::vector<v1::ChatEvent> events;
  ASSERT_TRUE(decoder
                  ->Feed(absl::StrCat("{\"choices\":[{\"message\":{\"content\":\"Hm\",", message,
                                      "},\"finish_reason\":\"stop\"}]}"),
                         &events)
                  .ok());
  ASSERT_TRUE(decoder->Finish(true, &events).ok());
  v1::ChatRequest next;
  *next.add_messages() = Fold(std::move(events)).choices(0).message();
  auto* result = next.add_messages();
  result->set_role(v1::ROLE_TOOL);
  result->add_parts()->mutable_tool_result()->set_tool_call_id("a");
  const auto encoded = FindAdapter("openai_compatible")->dialect->EncodeChat(next, kContext, false);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  EXPECT_TRUE(encoded->warnings.empty());
  EXPECT_NE(encoded->http.body.find(
                absl::StrCat("{\"role\":\"assistant\",\"content\":\"Hm\",", message, "}")),
            std::string::npos)
      << encoded->http.body;
}

}  // namespace
}  // namespace mg
