// One RPC over gRPC's completion queue: from the request for the next call until its last event has
// come back. The server owns it; the coroutine that serves it is the only one who waits on it. The
// loop's thread alone.
//
// Each operation that is under way holds its tag in this object, so the object lives until all have
// returned (Finish waits for that), whatever the order in which they do.
#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "daemon/byte_budget.h"
#include "daemon/grpc_queue.h"
#include "daemon/rpc.h"
#include "daemon/wire_schema.h"

namespace mg {

// A method as it is served.
struct ServedMethod {
  ServedMethod(RpcMethod* served, WireSchema request_schema)
      : method(served), schema(std::move(request_schema)) {}
  RpcMethod* const method;
  const WireSchema schema;
  int index = 0;            // in its grpc::Service
  bool streams = false;     // answers
  bool takes_many = false;  // requests
  bool error_details = true;
};

class ServedRpc final : public Rpc {
 public:
  using Stream = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  ServedRpc(Loop* loop, GrpcQueue* queue, ByteBudget* budget, const ServedMethod& method);
  ServedRpc(const ServedRpc&) = delete;
  ServedRpc& operator=(const ServedRpc&) = delete;
  ~ServedRpc() override;

  // ---- for the method
  absl::string_view Metadata(absl::string_view key) const override;
  std::vector<absl::string_view> MetadataValues(absl::string_view key) const override;
  Instant deadline() const override { return deadline_; }
  Cancellation* cancellation() override { return &cancellation_; }
  void AddInitialMetadata(absl::string_view key, absl::string_view value) override;
  void AddTrailingMetadata(absl::string_view key, absl::string_view value) override;
  void Send(const google::protobuf::MessageLite& message) override;
  size_t unsent_bytes() const override { return unsent_; }

  // ---- for the server
  const ServedMethod& method() const { return method_; }
  grpc::ServerContext* context() { return &context_; }
  Stream* stream() { return &stream_; }
  // A call has come in.
  void Accepted();
  bool accepted() const { return accepted_; }

  void StartRead();  // of the next message
  bool read_done() const { return read_done_; }
  bool read_ok() const { return read_ok_; }
  grpc::ByteBuffer* message() { return &message_; }
  // What its request holds of the budget; kept to the end.
  ByteReservation* room() { return &room_; }
  // Notified when an operation has come back, and by Evict. The serving coroutine waits on it.
  Signal* wake() { return &wake_; }
  // Its message takes too long and the room is wanted by others.
  void Evict();
  bool evicted() const { return evicted_; }

  // Flushes what is queued, ends the call with `status` and waits until everything has come back.
  Task<void> Finish(absl::Status status);

  std::list<std::unique_ptr<ServedRpc>>::iterator position;  // in the server's list

 private:
  template <void (ServedRpc::*member)(bool ok)>
  static void Member(void* self, bool ok) {
    (static_cast<ServedRpc*>(self)->*member)(ok);
  }

  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnEnded(bool ok);
  void OnTurnOver(bool ok);

  void Flush();
  void DropQueue();
  void Came();
  bool DeadlinePassed() const;

  Loop* const loop_;
  GrpcQueue* const queue_;
  ByteBudget* const budget_;
  const ServedMethod& method_;
  grpc::ServerContext context_;
  Stream stream_{&context_};
  bool accepted_ = false;
  Instant accepted_at_;
  Instant deadline_ = kNever;
  Cancellation cancellation_;
  Signal wake_;
  int under_way_ = 0;  // operations whose event has not come back

  grpc::ByteBuffer message_;
  ByteReservation room_;
  bool read_done_ = false;
  bool read_ok_ = false;
  bool evicted_ = false;

  std::vector<grpc::Slice> unwritten_;  // from next_ on
  size_t next_ = 0;
  size_t writing_ = 0;  // bytes of the write that is under way
  bool write_under_way_ = false;
  bool begun_ = false;  // a message has gone out
  size_t unsent_ = 0;
  bool turn_awaited_ = false;
  bool broken_ = false;  // the caller is gone: nothing can be written any more
  bool finishing_ = false;
  bool finish_started_ = false;
  grpc::Status final_;

  GrpcTag read_tag_{Member<&ServedRpc::OnRead>, this};
  GrpcTag written_tag_{Member<&ServedRpc::OnWritten>, this};
  GrpcTag finished_tag_{Member<&ServedRpc::OnFinished>, this};
  GrpcTag ended_tag_{Member<&ServedRpc::OnEnded>, this};
  GrpcTag turn_tag_{Member<&ServedRpc::OnTurnOver>, this};
};

}  // namespace mg
