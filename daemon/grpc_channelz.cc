#include "daemon/grpc_channelz.h"

#include <google/protobuf/util/json_util.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include <memory>
#include <utility>

#include "grpc/channelz/channelz.pb.h"

namespace mg {
namespace {

namespace channelz = ::grpc::channelz::v1;
using google::protobuf::Message;

// Asks gRPC: its JSON, to be freed by gpr_free; null where there is no such thing.
template <typename Request>
using Question = char* (*)(const Request&);

template <typename Request, typename Response>
class Method final : public RpcMethod {
 public:
  Method(const char* name, Question<Request> question) : name_(name), question_(question) {}

  absl::string_view name() const override { return name_; }
  bool is_probe() const override { return true; }
  std::unique_ptr<Message> NewRequest() const override { return std::make_unique<Request>(); }

  Task<absl::Status> Serve(Rpc& rpc, absl::StatusOr<std::unique_ptr<Message>> request) override {
    if (!request.ok()) co_return request.status();
    const std::unique_ptr<char, void (*)(void*)> json(
        question_(static_cast<const Request&>(**request)), gpr_free);
    if (json == nullptr) co_return absl::NotFoundError("there is nothing with this id");
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    Response response;
    const auto parsed = google::protobuf::util::JsonStringToMessage(json.get(), &response, options);
    if (!parsed.ok()) co_return absl::InternalError("gRPC's own JSON is none of channelz");
    rpc.Send(response);
    co_return absl::OkStatus();
  }

 private:
  const char* const name_;
  const Question<Request> question_;
};

char* TopChannels(const channelz::GetTopChannelsRequest& request) {
  return grpc_channelz_get_top_channels(request.start_channel_id());
}
char* Servers(const channelz::GetServersRequest& request) {
  return grpc_channelz_get_servers(request.start_server_id());
}
char* Server(const channelz::GetServerRequest& request) {
  return grpc_channelz_get_server(request.server_id());
}
char* ServerSockets(const channelz::GetServerSocketsRequest& request) {
  return grpc_channelz_get_server_sockets(request.server_id(), request.start_socket_id(),
                                          request.max_results());
}
char* Channel(const channelz::GetChannelRequest& request) {
  return grpc_channelz_get_channel(request.channel_id());
}
char* Subchannel(const channelz::GetSubchannelRequest& request) {
  return grpc_channelz_get_subchannel(request.subchannel_id());
}
char* Socket(const channelz::GetSocketRequest& request) {
  return grpc_channelz_get_socket(request.socket_id());
}

template <typename Response, typename Request>
void Add(const char* name, char* (*question)(const Request&), RpcService* service) {
  service->methods.push_back(std::make_unique<Method<Request, Response>>(name, question));
}

}  // namespace

RpcService ChannelzService() {
  RpcService service;
  service.name = "grpc.channelz.v1.Channelz";
  service.error_details = false;
  Add<channelz::GetTopChannelsResponse>("GetTopChannels", TopChannels, &service);
  Add<channelz::GetServersResponse>("GetServers", Servers, &service);
  Add<channelz::GetServerResponse>("GetServer", Server, &service);
  Add<channelz::GetServerSocketsResponse>("GetServerSockets", ServerSockets, &service);
  Add<channelz::GetChannelResponse>("GetChannel", Channel, &service);
  Add<channelz::GetSubchannelResponse>("GetSubchannel", Subchannel, &service);
  Add<channelz::GetSocketResponse>("GetSocket", Socket, &service);
  return service;
}

}  // namespace mg
