// `model-gateway serve`: builds the daemon out of its parts, runs its loop, and drains it.

#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/version.h"
#include "daemon/admin_pages.h"
#include "daemon/admin_service.h"
#include "daemon/admin_token.h"
#include "daemon/build_snapshot.h"
#include "daemon/byte_budget.h"
#include "daemon/chat_method.h"
#include "daemon/config/effective.h"
#include "daemon/config/listen.h"
#include "daemon/config/load.h"
#include "daemon/config/reading.h"
#include "daemon/config/resilience.h"
#include "daemon/count_tokens_method.h"
#include "daemon/embed_method.h"
#include "daemon/grpc_channelz.h"
#include "daemon/grpc_health.h"
#include "daemon/grpc_server.h"
#include "daemon/list_models_method.h"
#include "daemon/live_view.h"
#include "daemon/memory_limit.h"
#include "daemon/mock_control.h"
#include "daemon/mock_sessions.h"
#include "daemon/reload.h"
#include "daemon/runtime/epoll_loop.h"
#include "daemon/runtime/http_server.h"
#include "daemon/runtime/upstream_client.h"
#include "daemon/status_pages.h"
#include "daemon/worker.h"
#include "main/commands.h"
#include "main/ephemeral.h"
#include "main/options.h"
#include "main/ready_file.h"
#include "main/startup_code.h"
#include "telemetry/report.h"
#include "telemetry/telemetry.h"

namespace mg {
namespace {

constexpr mode_t kAdminSocketMode = 0600;
constexpr size_t kAdminBody = size_t{16} << 20;
constexpr char kServiceName[] = "modelgateway.v1.ModelGateway";
// What calls that were cut at the end of a drain may still take to tell their callers.
constexpr absl::Duration kLastWords = absl::Seconds(2);
// A transfer whose answer is complete ends by itself for a moment, for its connection's sake.
constexpr absl::Duration kLastTransfers = absl::Milliseconds(300);
// And a page that is being read.
constexpr absl::Duration kLastPages = absl::Milliseconds(500);

struct ServeArguments {
  ConfigPlace config;
  std::string ready_file;
  bool ephemeral = false;
};

std::optional<ServeArguments> ParseArguments(const std::vector<std::string>& arguments) {
  ServeArguments parsed;
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (TakeConfigOption(arguments, &at, &parsed.config)) continue;
    if (auto ready_file = Option(arguments, "--ready-file", &at)) {
      parsed.ready_file = *ready_file;
    } else if (arguments[at] == "--ephemeral") {
      parsed.ephemeral = true;
    } else {
      std::fprintf(stderr,
                   "model-gateway: serve does not take \"%s\" here\n"
                   "usage: model-gateway serve [--config FILE] [--config-dir DIR] "
                   "[--ephemeral] [--ready-file FILE]\n",
                   arguments[at].c_str());
      return std::nullopt;
    }
  }
  return parsed;
}

// Before any thread starts: signals come by the loop, nothing of the process is dumped to disk, and
// no variable makes libraries write TLS secrets.
sigset_t PrepareProcess() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  unsetenv("SSLKEYLOGFILE");
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return signals;
}

LogOptions LogOptionsOf(const v1::Config& config) {
  const v1::LogsConfig logs = LogsOf(config);
  LogOptions options;
  options.format = LogFormatNamed(logs.format()).value_or(LogFormat::kAuto);
  options.level = LogLevelNamed(logs.level()).value_or(LogLevel::kInfo);
  options.version = kVersion;
  if (const char* pod = std::getenv("POD_NAME"); pod != nullptr) options.pod = pod;
  return options;
}

std::vector<std::string> TextsOf(const std::vector<Address>& addresses) {
  std::vector<std::string> texts;
  texts.reserve(addresses.size());
  for (const Address& address : addresses) texts.push_back(address.ToText());
  return texts;
}

// The running daemon: its parts in the order in which they depend on each other.
class Daemon {
 public:
  Daemon(const ConfigPlace& place, const Outside& outside,
         std::shared_ptr<const ConfigReading> reading, ListenPlan listen, Logger* logger)
      : listen_(std::move(listen)),
        token_(listen_.token_folders),
        mock_sessions_(reading->loaded.config.mock_control() ? std::make_unique<MockSessions>()
                                                             : nullptr),
        logger_(logger),
        budget_(BufferedBytesOf(reading->loaded.config, CgroupMemoryLimit())),
        telemetry_(logger, MetricsOptionsOf(reading->loaded.config)),
        http_(UpstreamClient::New(&loop_, ProxyEnvironment::OfProcess())),
        build_([this](const LoadedConfig& loaded, bool dry_run) {
          Lasting scratch(lasting_.salt);
          auto built = BuildSnapshot(loaded, dry_run ? &scratch : &lasting_, loop_.Measure());
          for (const BreakerEvent& event : std::exchange(lasting_.events, {})) {
            telemetry_.BreakerTold(RecordOf(event, ""));
          }
          return built;
        }),
        reloader_(&loop_, &worker_, place, outside, std::move(reading), build_),
        health_(&loop_, {kServiceName}),
        pages_(&telemetry_, &ready_) {
    lasting_.mock_sessions = mock_sessions_.get();
    worker_.loop = &loop_;
    worker_.http = http_.get();
    worker_.telemetry = &telemetry_;
    worker_.budget = &budget_;
  }

  absl::Status Open();
  const Listeners& listeners() const { return listeners_; }
  void Run(const sigset_t& signals);

 private:
  MetricsOptions MetricsOptionsOf(const v1::Config& config);
  absl::Status OpenGrpc();
  std::vector<RpcService> AdminServices();
  absl::Status OpenAdmin();
  absl::Status OpenAdminGrpc();
  absl::Status OpenMetrics();
  absl::Status OpenHealth();
  absl::Status OpenHttp(const std::vector<Address>& addresses, absl::string_view key,
                        const HttpServerOptions& options, HttpHandler* handler,
                        std::vector<std::string>* opened);
  void OnSignal(int fd);
  // nullopt: for as long as the configuration says. Nothing more happens where it drains already.
  void BeginDrain(std::optional<absl::Duration> timeout);
  static Task<void> Drain(Daemon* daemon, std::optional<absl::Duration> asked);

  const ListenPlan listen_;
  const AdminToken token_;
  const std::unique_ptr<MockSessions> mock_sessions_;  // where mock_control is true
  Logger* const logger_;
  EpollLoop loop_;
  ByteBudget budget_;
  Lasting lasting_{absl::Uniform<uint64_t>(absl::BitGen())};
  Telemetry telemetry_;
  std::unique_ptr<UpstreamClient> http_;
  Worker worker_;
  const Reloader::Build build_;
  Reloader reloader_;
  const absl::Time started_ = loop_.WallTime();
  bool ready_ = false;
  bool draining_ = false;
  Health health_;
  StatusPages pages_;
  std::unique_ptr<AdminPages> admin_pages_;
  std::vector<std::unique_ptr<HttpServer>> http_servers_;
  std::unique_ptr<GrpcServer> grpc_;
  std::unique_ptr<GrpcServer> admin_grpc_;     // where listen.admin_grpc has an address
  std::unique_ptr<GrpcServer> health_server_;  // where listen.health is named
  Listeners listeners_;
};

MetricsOptions Daemon::MetricsOptionsOf(const v1::Config& config) {
  MetricsOptions options;
  options.label_values = LabelValuesOf(config);
  options.max_series = static_cast<size_t>(MaxSeriesOf(config));
  options.version = kVersion;
  options.state = [this] {
    return worker_.snapshot == nullptr
               ? std::vector<GaugeSample>()
               : StateSamples(*worker_.snapshot, loop_.now(), loop_.WallTime());
  };
  return options;
}

absl::Status Daemon::Open() {
  absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot =
      build_(reloader_.config()->loaded, false);
  if (!snapshot.ok()) return snapshot.status();
  worker_.snapshot = *std::move(snapshot);
  absl::Status status = OpenAdmin();
  if (status.ok()) status = OpenMetrics();
  if (status.ok()) status = OpenGrpc();
  if (status.ok()) status = OpenAdminGrpc();
  if (status.ok()) status = OpenHealth();
  ready_ = status.ok();
  return status;
}

absl::Status Daemon::OpenGrpc() {
  RpcService service;
  service.name = kServiceName;
  service.methods.push_back(std::make_unique<ChatMethod>(&worker_, false));
  service.methods.push_back(std::make_unique<ChatMethod>(&worker_, true));
  service.methods.push_back(std::make_unique<EmbedMethod>(&worker_));
  service.methods.push_back(std::make_unique<CountTokensMethod>(&worker_));
  service.methods.push_back(std::make_unique<ListModelsMethod>(&worker_));
  std::vector<RpcService> services;
  services.push_back(std::move(service));
  services.push_back(health_.Service());

  GrpcServerOptions options;
  options.addresses = TextsOf(listen_.grpc);
  options.unix_mode = listen_.unix_mode;
  options.program = absl::StrCat("model-gateway ", kVersion);
  absl::StatusOr<std::unique_ptr<GrpcServer>> server =
      GrpcServer::Start(&loop_, &budget_, std::move(options), std::move(services));
  if (!server.ok()) return server.status();
  grpc_ = *std::move(server);
  listeners_.grpc = grpc_->addresses();
  return absl::OkStatus();
}

std::vector<RpcService> Daemon::AdminServices() {
  AdminParts parts;
  parts.token = &token_;
  parts.worker = &worker_;
  parts.reloader = &reloader_;
  parts.started = started_;
  parts.draining = [this] { return draining_; };
  parts.drain = [this](std::optional<absl::Duration> timeout) { BeginDrain(timeout); };
  std::vector<RpcService> services;
  services.push_back(AdminService(parts));
  if (mock_sessions_ != nullptr) {
    services.push_back(MockControlService(&worker_, mock_sessions_.get(), &token_));
  }
  return services;
}

// The same services by gRPC and over HTTP.
absl::Status Daemon::OpenAdmin() {
  listeners_.admin_token_file = token_.file();
  admin_pages_ = std::make_unique<AdminPages>(AdminServices(), &pages_);
  HttpServerOptions options;
  options.hosts.allowed = listen_.allowed_hosts;
  options.max_body = kAdminBody;
  return OpenHttp(listen_.admin, "listen.admin", options, admin_pages_.get(), &listeners_.admin);
}

absl::Status Daemon::OpenAdminGrpc() {
  if (listen_.admin_grpc.empty()) return absl::OkStatus();
  std::vector<RpcService> services = AdminServices();
  services.push_back(ChannelzService());
  GrpcServerOptions options;
  options.addresses = TextsOf(listen_.admin_grpc);
  options.key = "listen.admin_grpc";
  options.unix_mode = kAdminSocketMode;
  options.program = absl::StrCat("model-gateway ", kVersion);
  absl::StatusOr<std::unique_ptr<GrpcServer>> server =
      GrpcServer::Start(&loop_, &budget_, std::move(options), std::move(services));
  if (!server.ok()) return server.status();
  admin_grpc_ = *std::move(server);
  listeners_.admin_grpc = admin_grpc_->addresses();
  return absl::OkStatus();
}

// A server of its own, since a gRPC server serves all it has on each of its addresses.
absl::Status Daemon::OpenHealth() {
  if (listen_.health.empty()) return absl::OkStatus();
  std::vector<RpcService> services;
  services.push_back(health_.Service());
  GrpcServerOptions options;
  options.addresses = TextsOf(listen_.health);
  options.key = "listen.health";
  options.program = absl::StrCat("model-gateway ", kVersion);
  absl::StatusOr<std::unique_ptr<GrpcServer>> server =
      GrpcServer::Start(&loop_, &budget_, std::move(options), std::move(services));
  if (!server.ok()) return server.status();
  health_server_ = *std::move(server);
  listeners_.health = health_server_->addresses();
  return absl::OkStatus();
}

absl::Status Daemon::OpenMetrics() {
  HttpServerOptions options;
  options.hosts.check = false;
  return OpenHttp(listen_.metrics, "listen.metrics", options, &pages_, &listeners_.metrics);
}

absl::Status Daemon::OpenHttp(const std::vector<Address>& addresses, absl::string_view key,
                              const HttpServerOptions& options, HttpHandler* handler,
                              std::vector<std::string>* opened) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    HttpServerOptions own = options;
    own.address = addresses[i].ToText();
    absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Listen(&loop_, own, handler);
    if (!server.ok()) {
      return absl::Status(server.status().code(),
                          absl::StrCat(key, "[", i, "] ", server.status().message()));
    }
    opened->push_back((*server)->bound_address());
    http_servers_.push_back(*std::move(server));
  }
  return absl::OkStatus();
}

void Daemon::Run(const sigset_t& signals) {
  const int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  loop_.Watch(fd, EPOLLIN, [this, fd](uint32_t) { OnSignal(fd); });
  reloader_.Start();
  loop_.Run();
  loop_.Unwatch(fd);
  close(fd);
  http_servers_.clear();
  health_server_.reset();
  admin_grpc_.reset();
  grpc_.reset();
}

void Daemon::OnSignal(int fd) {
  signalfd_siginfo info{};
  while (read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGHUP) {
      reloader_.Ask();
    } else if (draining_) {
      logger_->Log(LogLevel::kWarn, "stop.forced", "second signal: the daemon ends at once");
      logger_->Flush();
      _exit(kFailed);
    } else {
      BeginDrain(std::nullopt);
    }
  }
}

void Daemon::BeginDrain(std::optional<absl::Duration> timeout) {
  if (draining_) return;
  draining_ = true;
  // In a turn of its own: who asked for it by a method is still being served.
  loop_.Post([this, timeout] { Spawn(Drain(this, timeout)); });
}

Task<void> Daemon::Drain(Daemon* daemon, std::optional<absl::Duration> asked) {
  const absl::Duration timeout =
      asked.value_or(DrainTimeoutOf(daemon->reloader_.config()->loaded.config));
  daemon->logger_->Log(LogLevel::kInfo, "drain.start",
                       "draining: new calls are refused, running ones go on",
                       {{"running", static_cast<int64_t>(daemon->grpc_->running())},
                        {"timeout", absl::FormatDuration(timeout)}});
  daemon->ready_ = false;
  daemon->health_.SetServing(false);
  daemon->grpc_->StopAccepting();
  EpollLoop& loop = daemon->loop_;
  Instant end = loop.now() + timeout;
  while (daemon->grpc_->running() > 0 && loop.now() < end) {
    co_await daemon->grpc_->idle()->Wait(end, nullptr);
  }
  const size_t cut = daemon->grpc_->running();
  if (cut > 0) {
    daemon->grpc_->CancelAll();
    end = loop.now() + kLastWords;
    while (daemon->grpc_->running() > 0 && loop.now() < end) {
      co_await daemon->grpc_->idle()->Wait(end, nullptr);
    }
  }
  if (daemon->http_->counters().exchanges_in_flight > 0) {
    (void)co_await SleepUntil(&loop, loop.now() + kLastTransfers, nullptr);
  }
  // Scrapers see the end of the drain; then their listeners go too.
  for (const std::unique_ptr<HttpServer>& server : daemon->http_servers_) {
    co_await server->Stop(loop.now() + kLastPages);
  }
  co_await daemon->reloader_.Stop();
  daemon->logger_->Log(LogLevel::kInfo, "drain.end", "drained",
                       {{"cut", static_cast<int64_t>(cut)}});
  loop.Stop();
}

int Fail(absl::string_view message, int code = kFailed) {
  std::fprintf(stderr, "model-gateway: %s\n", std::string(message).c_str());
  return code;
}

void SayStart(const ConfigReading& reading, const ListenPlan& listen, const Listeners& listeners,
              Logger* logger) {
  LogConfigNotes(reading, logger);
  for (const std::string& note : listen.notes) {
    logger->Log(LogLevel::kInfo, "config.note", "configuration", {{"detail", note}});
  }
  if (listeners.admin_token_file.empty() && !listen.token_folders.empty()) {
    logger->Log(LogLevel::kWarn, "admin.no_token",
                "no admin token can be written there, or another daemon has its own there: the "
                "methods of administration that want it are refused",
                {{"folder", listen.token_folders.front()}});
  }
  logger->Log(LogLevel::kInfo, "start", "serving",
              {{"config", absl::StrJoin(reading.sources, ", ")},
               {"grpc", absl::StrJoin(listeners.grpc, ", ")},
               {"admin", absl::StrJoin(listeners.admin, ", ")},
               {"admin_grpc", absl::StrJoin(listeners.admin_grpc, ", ")},
               {"admin_token_file", listeners.admin_token_file},
               {"health", absl::StrJoin(listeners.health, ", ")},
               {"metrics", absl::StrJoin(listeners.metrics, ", ")}});
}

}  // namespace

int RunServe(const std::vector<std::string>& arguments) {
  std::optional<ServeArguments> parsed = ParseArguments(arguments);
  if (!parsed.has_value()) return kWrongUsage;
  EphemeralFolder folder;
  if (parsed->ephemeral) {
    if (absl::Status made = folder.Make(); !made.ok()) return Fail(made.message());
    parsed->config.ephemeral = folder.path();
  }
  const sigset_t signals = PrepareProcess();
  const Outside outside = RealOutside();
  const auto reading =
      std::make_shared<const ConfigReading>(ReadConfiguration(parsed->config, outside));
  if (!reading->found.ok()) return Fail(reading->found.message(), kWrongUsage);
  const LoadedConfig& loaded = reading->loaded;
  if (!loaded.ok()) {
    std::fputs(ToText(loaded.problems).c_str(), stderr);
    return kWrongUsage;
  }
  const ListenPlan listen = ListenOf(loaded.config, outside, MakeSocketFolder);

  Logger logger(LogOptionsOf(loaded.config), loaded.SecretTexts());
  Daemon daemon(parsed->config, outside, reading, listen, &logger);
  absl::Status opened = daemon.Open();
  ReadyFile ready_file(parsed->ready_file);
  if (opened.ok()) opened = ready_file.Write(daemon.listeners());
  GiveBackStartupCode();
  if (!opened.ok()) return Fail(opened.message());
  SayStart(*reading, listen, daemon.listeners(), &logger);
  daemon.Run(signals);
  logger.Log(LogLevel::kInfo, "stop", "the daemon has ended");
  logger.Flush();
  return kOk;
}

}  // namespace mg
