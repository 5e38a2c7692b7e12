// Answers of a provider in the OpenAI dialect, as scripts for FakeUpstream, and configurations
// whose providers are one.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/fake_upstream.h"

namespace mg::e2e {

inline std::string Chunk(const std::string& delta, const std::string& finish = "null") {
  return absl::StrCat(
      R"({"id":"c1","object":"chat.completion.chunk","created":1790000000,"model":"m-1",)",
      R"("choices":[{"index":0,"delta":)", delta, R"(,"finish_reason":)", finish, "}]}");
}
inline std::string Role() { return Chunk(R"({"role":"assistant","content":""})"); }
inline std::string Piece(const std::string& text) {
  return Chunk(absl::StrCat(R"({"content":")", text, R"("})"));
}
inline std::string Stop() { return Chunk("{}", R"("stop")"); }

inline Script Sse() { return Script().Header("content-type", "text/event-stream").Chunked(); }
inline Script Sse(const std::vector<std::string>& events) {
  Script script = Sse();
  for (const std::string& event : events) script.Event(event);
  return script;
}
inline Script Json(const std::string& body, int status = 200) {
  return Script().Status(status).Header("content-type", "application/json").Body(body);
}

inline std::string Whole(const std::string& message, const std::string& finish = "stop") {
  return absl::StrCat(
      R"({"id":"c1","object":"chat.completion","created":1790000000,"model":"m-1","choices":[)",
      R"({"index":0,"message":)", message, R"(,"finish_reason":")", finish, R"("}],)",
      R"("usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})");
}
// The same good answer, whole or streamed.
inline Script Good(bool stream, const std::string& text = "hi") {
  if (stream) return Sse({Role(), Piece(text), Stop(), "[DONE]"});
  return Json(Whole(absl::StrCat(R"({"role":"assistant","content":")", text, R"("})")));
}
inline Script Failing(int status, const std::string& message = "no") {
  return Json(absl::StrCat(R"({"error":{"message":")", message, R"(","type":"t","code":"c"}})"),
              status);
}

inline std::string PathOf(const std::string& provider) {
  return absl::StrCat("/", provider, "/v1/chat/completions");
}
// A provider of the kind openai_compatible at `upstream`, under a path of its own.
inline std::string Compatible(const std::string& name, const FakeUpstream& upstream,
                              const std::string& more = "") {
  return absl::StrCat("  ", name, ": { openai_compatible: { base_url: \"",
                      upstream.Url("/" + name + "/v1"), "\"", more.empty() ? "" : ", ", more,
                      " } }\n");
}

}  // namespace mg::e2e
