#include "daemon/grpc_queue.h"

namespace mg {
namespace {

// Events that one turn takes before timers and descriptors have their turn.
constexpr int kBatch = 256;

}  // namespace

GrpcQueue::GrpcQueue(Loop* loop, std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : loop_(loop), queue_(std::move(queue)), thread_([this] { Forward(); }) {}

GrpcQueue::~GrpcQueue() {
  *alive_ = false;
  {
    absl::MutexLock lock(&mutex_);
    forwarder_ = Forwarder::kStopping;
  }
  queue_->Shutdown();
  thread_.join();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
  }
}

void GrpcQueue::Complete(void* tag, bool ok) {
  auto* const operation = static_cast<GrpcTag*>(tag);
  operation->complete(operation->self, ok);
}

bool GrpcQueue::Poll() {
  bool any = !after_turn_.empty();
  completing_.swap(after_turn_);
  for (GrpcTag* tag : completing_) Complete(tag, true);
  completing_.clear();

  void* tag = nullptr;
  bool ok = false;
  const gpr_timespec past = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  for (int i = 0; i < kBatch; ++i) {
    if (queue_->AsyncNext(&tag, &ok, past) != grpc::CompletionQueue::GOT_EVENT) break;
    Complete(tag, ok);
    any = true;
  }
  return any;
}

void GrpcQueue::Park() {
  if (parked_) return;
  parked_ = true;
  absl::MutexLock lock(&mutex_);
  forwarder_ = Forwarder::kWaiting;
}

// Whether there is an event to wait for; false at the end.
bool GrpcQueue::AwaitPark() {
  absl::MutexLock lock(&mutex_);
  const auto called = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return forwarder_ != Forwarder::kIdle;
  };
  mutex_.Await(absl::Condition(&called));
  if (forwarder_ == Forwarder::kStopping) return false;
  forwarder_ = Forwarder::kIdle;
  return true;
}

void GrpcQueue::Forward() {
  while (AwaitPark()) {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_->Next(&tag, &ok)) return;
    loop_->Post([this, alive = alive_, tag, ok] {
      if (!*alive) return;
      parked_ = false;
      Complete(tag, ok);
    });
  }
}

}  // namespace mg
