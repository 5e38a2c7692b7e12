#include "main/chat.h"

#include <grpcpp/grpcpp.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "base/utf8.h"
#include "google/rpc/status.pb.h"
#include "main/commands.h"
#include "main/options.h"
#include "modelgateway/v1/gateway.grpc.pb.h"

namespace mg {
namespace {

constexpr char kUsage[] =
    "usage: model-gateway chat [--address HOST:PORT|unix:/PATH] [--model MODEL] [TEXT|-]\n"
    "  TEXT is the question; - or a pipe reads it from standard input:\n"
    "    model-gateway chat \"Why is the sky blue?\"\n"
    "    cat report.txt | model-gateway chat --model fast\n";

constexpr char kDim[] = "\x1b[2m";
constexpr char kCyan[] = "\x1b[36m";
constexpr char kPlain[] = "\x1b[0m";

struct ChatOptions {
  std::string address;
  std::string model = "default";
  std::optional<std::string> text;  // none, or "-": standard input
};

// The sentence that says what is wrong with the arguments; empty if nothing is.
std::string ParseOptions(const std::vector<std::string>& arguments, ChatOptions* options) {
  bool only_text = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    std::string* value = argument == "--address" ? &options->address
                         : argument == "--model" ? &options->model
                                                 : nullptr;
    if (!only_text && argument == "--") {
      only_text = true;
    } else if (!only_text && value != nullptr) {
      ++i;
      if (i == arguments.size() || arguments[i].empty()) {
        return absl::StrCat(argument, " needs a value");
      }
      *value = arguments[i];
    } else if (!only_text && argument.size() > 1 && argument[0] == '-') {
      return absl::StrCat("unknown option ", argument,
                          " (a text that begins with - goes behind --)");
    } else if (options->text.has_value()) {
      return absl::StrCat("more than one text: put \"", *options->text, " ", argument,
                          "\" in quotes");
    } else {
      options->text = argument;
    }
  }
  return "";
}

// Ctrl-C cancels the call, so that the provider stops too; a second one ends the program at once.
// The signal is blocked everywhere and taken by one thread: a handler must not call gRPC.
class Interrupt {
 public:
  explicit Interrupt(grpc::ClientContext* context) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this, context] { Watch(context); });
  }
  ~Interrupt() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool happened() const { return happened_; }

 private:
  void Watch(grpc::ClientContext* context) {
    int signal = 0;
    sigwait(&signals_, &signal);
    if (signal != SIGINT) return;
    happened_ = true;
    context->TryCancel();
    sigwait(&signals_, &signal);
    if (signal == SIGINT) _exit(kFailed);
  }

  sigset_t signals_;
  std::atomic<bool> happened_ = false;
  std::thread thread_;
};

// A terminal obeys control characters, and a model can be made to write them.
std::string Harmless(std::string text) {
  for (char& c : text) {
    if ((c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == '\x7f') c = '?';
  }
  return text;
}

// Events to the terminal or a pipe: text as it is, on a terminal reasoning dimmed and tool calls
// coloured.
class Printer {
 public:
  Printer() : colours_(isatty(STDOUT_FILENO) != 0) {}

  void Print(const v1::ChatEvent& event) {
    if (!event.has_delta()) return;
    const v1::Part& part = event.delta().part();
    if (part.has_reasoning()) {
      Write(kDim, part.reasoning().text());
    } else if (part.has_tool_call()) {
      PrintToolCall(event.delta());
    } else if (part.has_refusal()) {
      Write(kPlain, part.refusal());
    } else {
      Write(kPlain, part.text());
    }
    std::fflush(stdout);
  }

  // A terminal's next prompt begins on a line of its own.
  void End() {
    if (colours_ && style_ != kPlain) std::fputs(kPlain, stdout);
    if (colours_ && wrote_ && last_ != '\n') std::fputc('\n', stdout);
    std::fflush(stdout);
  }

  bool failed() const { return std::ferror(stdout) != 0; }

 private:
  void PrintToolCall(const v1::ChatEvent::Delta& delta) {
    const v1::ToolCall& call = delta.part().tool_call();
    if (calls_.insert({delta.choice_index(), delta.part_index()}).second) {
      Write(kCyan, absl::StrCat(wrote_ && last_ != '\n' ? "\n" : "", "[tool call] "));
    }
    Write(kCyan, absl::StrCat(call.name(), call.name().empty() ? "" : " ", call.arguments_json()));
  }

  void Write(const char* style, const std::string& text) {
    if (text.empty()) return;
    if (style != style_) {
      // Reasoning is not the answer: a break stands between them.
      if (style_ == kDim && last_ != '\n') std::fputc('\n', stdout);
      if (colours_) std::fputs(style, stdout);
      style_ = style;
    }
    const std::string& shown = colours_ ? Harmless(text) : text;
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    wrote_ = true;
    last_ = text.back();
  }

  const bool colours_;
  const char* style_ = kPlain;
  bool wrote_ = false;
  char last_ = '\n';
  std::set<std::pair<int, int>> calls_;  // choice and part of those that have begun
};

v1::ErrorDetail DetailOfCall(const grpc::Status& status) {
  v1::ErrorDetail detail;
  google::rpc::Status rich;
  if (!rich.ParseFromString(status.error_details())) return detail;
  for (const google::protobuf::Any& any : rich.details()) {
    if (any.Is<v1::ErrorDetail>()) any.UnpackTo(&detail);
  }
  return detail;
}

void PrintError(const grpc::Status& status, const std::string& address) {
  const v1::ErrorDetail detail = DetailOfCall(status);
  std::string text = "model-gateway chat: ";
  if (detail.kind() == v1::ERROR_KIND_UNSPECIFIED) {
    absl::StrAppend(&text, CodeName(static_cast<absl::StatusCode>(status.error_code())), ": ",
                    status.error_message());
    if (absl::StrContains(status.error_message(), "failed to connect")) {
      absl::StrAppend(&text, "\n  no gateway answers at ", address,
                      ": start one (model-gateway serve) or name its --address");
    }
  } else {
    absl::StrAppend(&text, std::string(KindName(detail.kind())), ": ", status.error_message());
    const auto line = [&text](const char* name, const std::string& value) {
      if (!value.empty()) absl::StrAppend(&text, "\n  ", name, ": ", value);
    };
    line("reason", detail.reason());
    line("field", detail.field());
    line("provider", detail.provider());
    line("provider says", detail.provider_message());
    line("attempts",
         detail.report().attempts().empty() ? "" : absl::StrCat(detail.report().attempts_size()));
    line("request id", detail.report().request_id());
    if (detail.has_retry_after()) {
      line("try again in", absl::FormatDuration(absl::Seconds(detail.retry_after().seconds()) +
                                                absl::Nanoseconds(detail.retry_after().nanos())));
    }
  }
  std::fprintf(stderr, "%s\n", Harmless(std::move(text)).c_str());
}

int Ask(const ChatOptions& options, const std::string& text) {
  grpc::ClientContext context;
  const Interrupt interrupt(&context);  // before gRPC starts threads: they inherit its signals
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  const auto stub = v1::ModelGateway::NewStub(
      grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments));
  v1::ChatRequest request;
  request.set_model(options.model);
  v1::Message* message = request.add_messages();
  message->set_role(v1::ROLE_USER);
  message->add_parts()->set_text(text);

  const auto reader = stub->StreamChat(&context, request);
  Printer printer;
  v1::ChatEvent event;
  while (reader->Read(&event)) {
    printer.Print(event);
    if (printer.failed()) context.TryCancel();
  }
  const grpc::Status status = reader->Finish();
  printer.End();
  if (interrupt.happened()) {
    std::fputs("model-gateway chat: interrupted\n", stderr);
    return kFailed;
  }
  if (printer.failed()) {
    std::fputs("model-gateway chat: cannot write the answer\n", stderr);
    return kFailed;
  }
  if (status.ok()) return kOk;
  PrintError(status, options.address);
  return kFailed;
}

int WrongUsage(const std::string& what) {
  std::fprintf(stderr, "model-gateway chat: %s\n%s", what.c_str(), kUsage);
  return kWrongUsage;
}

}  // namespace

int RunChat(const std::vector<std::string>& arguments) {
  ChatOptions options;
  if (const std::string wrong = ParseOptions(arguments, &options); !wrong.empty()) {
    return WrongUsage(wrong);
  }
  if (options.address.empty()) options.address = DefaultAddress();
  std::string text = options.text.value_or("-");
  if (text == "-") {
    if (!options.text.has_value() && isatty(STDIN_FILENO) != 0) return WrongUsage("no text");
    text.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  if (text.empty()) return WrongUsage("the text is empty");
  if (const size_t valid = ValidUtf8Prefix(text); valid < text.size()) {
    return WrongUsage(absl::StrCat("the text is not valid UTF-8 at its byte ", valid));
  }
  // A reader that has gone away is told by the write.
  signal(SIGPIPE, SIG_IGN);
  return Ask(options, text);
}

}  // namespace mg
