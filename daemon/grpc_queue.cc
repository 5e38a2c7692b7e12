#include "daemon/grpc_queue.h"

namespace mg {
namespace {

// Events that one turn takes before timers and descriptors have their turn.
constexpr int kBatch = 256;

}  // namespace

GrpcQueue::GrpcQueue(Loop* loop, std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : loop_(loop),
      queue_(std::move(queue)),
      interrupt_tag_{[](void* self, bool) { static_cast<GrpcQueue*>(self)->interrupted_ = false; },
                     this} {}

GrpcQueue::~GrpcQueue() {
  *alive_ = false;
  {
    absl::MutexLock lock(&mutex_);
    forwarder_ = Forwarder::kStopping;
  }
  queue_->Shutdown();
  if (thread_.joinable()) thread_.join();
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
  if (waited_for_ != nullptr) {
    Complete(std::exchange(waited_for_, nullptr), waited_ok_);
    any = true;
  }

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

void GrpcQueue::Wait(Instant until) {
  gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
  if (until != kNever) {
    const int64_t left = absl::ToInt64Nanoseconds(until - loop_->Measure());
    deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left, GPR_TIMESPAN));
  }
  void* tag = nullptr;
  if (queue_->AsyncNext(&tag, &waited_ok_, deadline) != grpc::CompletionQueue::GOT_EVENT) return;
  waited_for_ = static_cast<GrpcTag*>(tag);
}

void GrpcQueue::Interrupt() {
  if (interrupted_.exchange(true)) return;
  alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &interrupt_tag_);
}

void GrpcQueue::Park() {
  if (parked_) return;
  if (!thread_.joinable()) thread_ = std::thread([this] { Forward(); });
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
