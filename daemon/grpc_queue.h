// gRPC's completion queue as the loop's CompletionSource: the loop takes the events itself, since
// each hop between threads costs more than most calls. Only where it sleeps elsewhere does a thread
// of this class wait for one and wake it. All functions but Interrupt belong to the loop's thread.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "daemon/runtime/epoll_loop.h"

namespace mg {

// What stands behind a `void* tag`: a member of the object that started the operation.
struct GrpcTag {
  void (*complete)(void* self, bool ok);
  void* self;
};

class GrpcQueue final : public CompletionSource {
 public:
  GrpcQueue(Loop* loop, std::unique_ptr<grpc::ServerCompletionQueue> queue);
  // The server must have been shut down. Events that are still queued are dropped.
  ~GrpcQueue() override;

  grpc::ServerCompletionQueue* queue() { return queue_.get(); }

  // Completes `tag` at the start of the next turn: what a turn sends goes out in one piece.
  void AfterTurn(GrpcTag* tag) { after_turn_.push_back(tag); }

  bool Poll() override;
  void Wait(Instant until) override;
  void Interrupt() override;
  void Park() override;

 private:
  enum class Forwarder { kIdle, kWaiting, kStopping };

  void Forward();
  bool AwaitPark();
  static void Complete(void* tag, bool ok);

  Loop* const loop_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::vector<GrpcTag*> after_turn_;
  std::vector<GrpcTag*> completing_;
  GrpcTag* waited_for_ = nullptr;  // what ended Wait
  bool waited_ok_ = false;
  bool parked_ = false;
  // Tells an event that was posted but not yet handled that this object is gone.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  absl::Mutex mutex_;
  Forwarder forwarder_ ABSL_GUARDED_BY(mutex_) = Forwarder::kIdle;
  std::thread thread_;  // from the first Park on

  std::atomic<bool> interrupted_ = false;  // the alarm's event has not been handled
  grpc::Alarm alarm_;
  GrpcTag interrupt_tag_;
};

}  // namespace mg
