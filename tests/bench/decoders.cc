// What the decoder of each dialect costs, bytes to events: the same 200 pieces of text as each
// provider writes them, fed piece by piece. Prints a table, and ends with 1 where a dialect costs
// more than twice what OpenAI's does per byte. Options are those of google-benchmark.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "base/check.h"
#include "tests/support/frames.h"

namespace mg {
namespace {

constexpr int kChunks = 200;
constexpr double kLimit = 2.0;  // × OpenAI's CPU per byte
constexpr char kText[] = " and so on";

struct Stream {
  const char* name;
  const char* kind;
  const char* media_type;
  std::vector<std::string> pieces;
};

std::string Data(const std::string& json) { return absl::StrCat("data: ", json, "\n\n"); }
std::string Named(const char* event, const std::string& json) {
  return absl::StrCat("event: ", event, "\n", Data(json));
}

// `piece` is the one that comes often.
std::vector<std::string> PiecesOf(std::vector<std::string> before, const std::string& piece,
                                  const std::vector<std::string>& after) {
  before.insert(before.end(), kChunks, piece);
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

std::vector<std::string> OpenAiPieces() {
  const auto chunk = [](const std::string& delta, const char* finish, const char* usage) {
    return Data(absl::StrCat(
        R"({"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk",)"
        R"("created":1741569952,"model":"gpt-4.1-2025-04-14","service_tier":"default",)"
        R"("system_fingerprint":"fp_b376dfbbd5","choices":[{"index":0,"delta":)",
        delta, R"(,"logprobs":null,"finish_reason":)", finish, R"(}],"usage":)", usage, "}"));
  };
  return PiecesOf({chunk(R"({"role":"assistant","content":"","refusal":null})", "null", "null")},
                  chunk(absl::StrCat(R"({"content":")", kText, R"("})"), "null", "null"),
                  {chunk("{}", R"("stop")",
                         R"({"prompt_tokens":9,"completion_tokens":200,"total_tokens":209})"),
                   "data: [DONE]\n\n"});
}

std::vector<std::string> AnthropicPieces() {
  return PiecesOf(
      {Named("message_start",
             R"({"type":"message_start","message":{"id":"msg_1","type":"message",)"
             R"("role":"assistant","model":"claude-haiku-4-5-20251001","content":[],)"
             R"("stop_reason":null,"stop_sequence":null,)"
             R"("usage":{"input_tokens":9,"output_tokens":1}}})"),
       Named("content_block_start", R"({"type":"content_block_start","index":0,)"
                                    R"("content_block":{"type":"text","text":""}})")},
      Named("content_block_delta", absl::StrCat(R"({"type":"content_block_delta","index":0,)"
                                                R"("delta":{"type":"text_delta","text":")",
                                                kText, R"("}             })")),
      {Named("content_block_stop", R"({"type":"content_block_stop","index":0})"),
       Named("message_delta", R"({"type":"message_delta","delta":{"stop_reason":"end_turn",)"
                              R"("stop_sequence":null},"usage":{"output_tokens":200}})"),
       Named("message_stop", R"({"type":"message_stop"})")});
}

std::vector<std::string> GeminiPieces() {
  const auto chunk = [](const char* finish) {
    return absl::StrCat(
        R"(data: {"candidates": [{"content": {"parts": [{"text": ")", kText,
        R"("}],"role": "model"},)", finish,
        R"("index": 0}],"usageMetadata": {"promptTokenCount": 9,"candidatesTokenCount": 20,)"
        R"("totalTokenCount": 29,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 9}]},)"
        R"("modelVersion": "gemini-2.5-flash","responseId": "r8LmaPq7IvOc1MkPpZ3Q2Ag"})",
        "\r\n\r\n");
  };
  return PiecesOf({}, chunk(""), {chunk(R"("finishReason": "STOP",)")});
}

std::vector<std::string> CoherePieces() {
  return PiecesOf(
      {Named("message-start",
             R"({"id":"1c9a","type":"message-start","delta":{"message":{"role":"assistant",)"
             R"("content":[],"tool_plan":"","tool_calls":[],"citations":[]}}})"),
       Named("content-start", R"({"type":"content-start","index":0,)"
                              R"("delta":{"message":{"content":{"type":"text","text":""}}}})")},
      Named("content-delta", absl::StrCat(R"({"type":"content-delta","index":0,)"
                                          R"("delta":{"message":{"content":{"text":")",
                                          kText, R"("}}}})")),
      {Named("content-end", R"({"type":"content-end","index":0})"),
       Named("message-end", R"({"type":"message-end","delta":{"finish_reason":"COMPLETE",)"
                            R"("usage":{"tokens":{"input_tokens":9,"output_tokens":200}}}})"),
       "data: [DONE]\n\n"});
}

std::vector<std::string> BedrockPieces() {
  return PiecesOf(
      {FramesOf(R"(messageStart {"p":"abcdefghijk","role":"assistant"})")},
      FramesOf(absl::StrCat(R"(contentBlockDelta {"contentBlockIndex":0,"delta":{"text":")", kText,
                            R"("},"p":"abcdefghijklmnopqrstuv"})")),
      {FramesOf(R"(contentBlockStop {"contentBlockIndex":0,"p":"abcdefg"})"),
       FramesOf(R"(messageStop {"p":"abcdefghijklm","stopReason":"end_turn"})"),
       FramesOf(R"(metadata {"metrics":{"latencyMs":551},"p":"abcdefgh",)"
                R"("usage":{"inputTokens":9,"outputTokens":200,"totalTokens":209}})")});
}

const std::vector<Stream>& Streams() {
  static const auto* const kStreams = new std::vector<Stream>{
      {"OpenAI", "openai", "text/event-stream", OpenAiPieces()},
      {"Anthropic", "anthropic", "text/event-stream", AnthropicPieces()},
      {"Gemini", "gemini", "text/event-stream", GeminiPieces()},
      {"Cohere", "cohere", "text/event-stream", CoherePieces()},
      {"Bedrock", "bedrock", "application/vnd.amazon.eventstream", BedrockPieces()}};
  return *kStreams;
}

size_t BytesOf(const Stream& stream) {
  size_t bytes = 0;
  for (const std::string& piece : stream.pieces) bytes += piece.size();
  return bytes;
}

void Decode(benchmark::State& state, const Stream& stream) {
  const Dialect& dialect = *FindAdapter(stream.kind)->dialect;
  const DialectContext context{.provider = "p", .model = "m"};
  const v1::ChatRequest request;
  const HttpHead head{200, {{"content-type", stream.media_type}}};
  std::vector<v1::ChatEvent> events;
  for (auto _ : state) {
    auto decoder = dialect.NewChatDecoder(request, context, head);
    MG_CHECK(decoder.ok(), "the stream has a decoder");
    size_t count = 0;
    for (const std::string& piece : stream.pieces) {
      events.clear();
      MG_CHECK((*decoder)->Feed(piece, &events).ok(), "the stream is sound");
      count += events.size();
    }
    events.clear();
    if (!(*decoder)->done()) MG_CHECK((*decoder)->Finish(true, &events).ok(), "and whole");
    MG_CHECK(count >= kChunks, "each piece is an event");
    benchmark::DoNotOptimize(count);
  }
}

// The least of all repetitions: what others do on the machine only adds to it.
class Least final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      const double nanos = run.GetAdjustedCPUTime();
      const auto [found, is_new] = nanos_.emplace(run.run_name.function_name, nanos);
      if (!is_new) found->second = std::min(found->second, nanos);
    }
  }
  double NanosOf(const Stream& stream) const { return nanos_.at(stream.name); }

 private:
  std::map<std::string, double> nanos_;
};

// Whether every dialect keeps the limit.
bool Print(const Least& least) {
  const auto per_byte = [&](const Stream& stream) {
    return least.NanosOf(stream) / static_cast<double>(BytesOf(stream));
  };
  const double openai = per_byte(Streams().front());
  bool kept = true;
  std::printf(
      "| dialect | bytes per chunk | CPU per chunk, ns | CPU per byte, ns | × OpenAI's |\n");
  std::printf("|---|---|---|---|---|\n");
  for (const Stream& stream : Streams()) {
    const double ratio = per_byte(stream) / openai;
    kept = kept && ratio <= kLimit;
    std::printf("| %s | %zu | %.0f | %.2f | %.2f%s |\n", stream.name,
                stream.pieces[stream.pieces.size() / 2].size(),
                least.NanosOf(stream) / static_cast<double>(stream.pieces.size()), per_byte(stream),
                ratio, ratio > kLimit ? " (≤ 2)" : "");
  }
  return kept;
}

int Run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const Stream& stream : Streams()) {
    benchmark::RegisterBenchmark(stream.name,
                                 [&stream](benchmark::State& state) { Decode(state, stream); })
        ->Repetitions(9)
        ->MinTime(0.05);
  }
  Least least;
  benchmark::RunSpecifiedBenchmarks(&least);
  return Print(least) ? 0 : 1;
}

}  // namespace
}  // namespace mg

int main(int argc, char** argv) { return mg::Run(argc, argv); }
