// What the upstream of the benchmark answers, byte for byte, so that both load programs can check
// that nothing was lost on the way. Header only.

#pragma once

#include <cstddef>
#include <string>

namespace mg::bench {

inline constexpr size_t kAnswerBytes = 638;
inline constexpr int kChunks =
    200;  // events of a stream before [DONE]; the last one has no content
inline constexpr char kQuestion[] =
    "Summarise in three sentences what a reverse proxy does, and name one thing it must never do.";

// The content that fills the answer up to kAnswerBytes.
inline std::string Text(size_t bytes) {
  constexpr char kWords[] =
      "A reverse proxy stands between callers and servers and passes on what both say. ";
  std::string text;
  while (text.size() < bytes) text += kWords;
  text.resize(bytes);
  return text;
}

inline std::string AnswerWith(const std::string& text) {
  return R"({"id":"chatcmpl-Bq3xYw0fUu2mVbN1","object":"chat.completion","created":1764000000,)"
         R"("model":"bench-model","choices":[{"index":0,"message":{"role":"assistant","content":")" +
         text +
         R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],)"
         R"("usage":{"prompt_tokens":25,"completion_tokens":52,"total_tokens":77,)"
         R"("prompt_tokens_details":{"cached_tokens":0},)"
         R"("completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default",)"
         R"("system_fingerprint":"fp_bench"})";
}

inline std::string AnswerText() { return Text(kAnswerBytes - AnswerWith("").size()); }
inline std::string Answer() { return AnswerWith(AnswerText()); }

// One event of a stream, with its blank line.
inline std::string StreamEvent(const std::string& delta, const std::string& finish,
                               const std::string& usage) {
  return R"(data: {"id":"chatcmpl-Bq3xYw0fUu2mVbN1","object":"chat.completion.chunk","created":1764000000,)"
         R"("model":"bench-model","service_tier":"default","system_fingerprint":"fp_bench",)"
         R"("choices":[{"index":0,"delta":)" +
         delta + R"(,"logprobs":null,"finish_reason":)" + finish + R"(}],"usage":)" + usage +
         "}\n\n";
}

inline std::string StreamWord(int i) { return " word" + std::to_string(i); }

inline std::string StreamChunk(int i) {
  if (i == kChunks - 1) {
    return StreamEvent("{}", R"("stop")",
                       R"({"prompt_tokens":25,"completion_tokens":199,"total_tokens":224})");
  }
  const std::string role = i == 0 ? R"("role":"assistant",)" : "";
  return StreamEvent("{" + role + R"("content":")" + StreamWord(i) + R"("})", "null", "null");
}

inline constexpr char kStreamEnd[] = "data: [DONE]\n\n";

}  // namespace mg::bench
