// The caller's side of an RPC without a network: gives the metadata that a test wants and keeps
// what is sent back.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/rpc.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

class RecordingRpc final : public Rpc {
 public:
  absl::string_view Metadata(absl::string_view key) const override {
    const auto found = metadata.find(std::string(key));
    return found == metadata.end() ? absl::string_view() : absl::string_view(found->second);
  }
  std::vector<absl::string_view> MetadataValues(absl::string_view key) const override {
    if (metadata.count(std::string(key)) == 0) return {};
    return {Metadata(key)};
  }
  Instant deadline() const override { return callers_deadline; }
  Cancellation* cancellation() override { return &cancellation_; }
  void AddInitialMetadata(absl::string_view key, absl::string_view value) override {
    initial[std::string(key)] = std::string(value);
  }
  void AddTrailingMetadata(absl::string_view, absl::string_view) override {}
  void Send(const google::protobuf::MessageLite& message) override {
    sent.push_back(message.SerializeAsString());
    if (stuck) unsent_ += sent.back().size();
  }
  size_t unsent_bytes() const override { return unsent_; }

  // What was sent by StreamChat.
  std::vector<v1::ChatEvent> events() const {
    std::vector<v1::ChatEvent> events(sent.size());
    for (size_t i = 0; i < sent.size(); ++i) events[i].ParseFromString(sent[i]);
    return events;
  }

  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> initial;
  std::vector<std::string> sent;
  Instant callers_deadline = kNever;
  bool stuck = false;  // the transport takes nothing

 private:
  Cancellation cancellation_;
  size_t unsent_ = 0;
};

}  // namespace mg
