#include "daemon/grpc_rpc.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "daemon/wire_status.h"

namespace mg {
namespace {

// How long a call that is over waits for a reader that takes nothing more before it is cut.
constexpr absl::Duration kStalledReader = absl::Seconds(60);
constexpr absl::Duration kStalledReaderInHaste = absl::Seconds(2);

// The caller's own clock ends a call a little before ours can tell that its deadline has passed.
constexpr absl::Duration kClockSlack = absl::Milliseconds(20);
constexpr double kClockSlackShare = 0.01;

Instant DeadlineOnLoop(gpr_timespec deadline, Instant now) {
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return kNever;
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return now + absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

// gRPC ends the process over a header that HTTP/2 cannot carry.
std::string HeaderValue(absl::string_view key, absl::string_view value) {
  std::string safe(value);
  if (absl::EndsWith(key, "-bin")) return safe;
  for (char& c : safe) c = c < ' ' || c > '~' ? '?' : c;
  return safe;
}

std::string HeaderName(absl::string_view key) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  MG_CHECK(!key.empty() && std::all_of(key.begin(), key.end(), fits),
           "a metadata key that gRPC refuses");
  return std::string(key);
}

}  // namespace

ServedRpc::ServedRpc(Loop* loop, GrpcQueue* queue, ByteBudget* budget, const ServedMethod& method)
    : loop_(loop), queue_(queue), budget_(budget), method_(method), wake_(loop) {
  context_.AsyncNotifyWhenDone(&ended_tag_);
}

ServedRpc::~ServedRpc() { budget_->GiveBack(unsent_); }

void ServedRpc::Accepted() {
  accepted_ = true;
  ++under_way_;  // ended_tag_
  accepted_at_ = loop_->now();
  deadline_ = DeadlineOnLoop(context_.raw_deadline(), accepted_at_);
}

absl::string_view ServedRpc::Metadata(absl::string_view key) const {
  const auto& metadata = context_.client_metadata();
  const auto found = metadata.find(grpc::string_ref(key.data(), key.size()));
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

std::vector<absl::string_view> ServedRpc::MetadataValues(absl::string_view key) const {
  std::vector<absl::string_view> values;
  const auto range =
      context_.client_metadata().equal_range(grpc::string_ref(key.data(), key.size()));
  for (auto it = range.first; it != range.second; ++it) {
    values.emplace_back(it->second.data(), it->second.size());
  }
  return values;
}

void ServedRpc::AddInitialMetadata(absl::string_view key, absl::string_view value) {
  context_.AddInitialMetadata(HeaderName(key), HeaderValue(key, value));
}

void ServedRpc::AddTrailingMetadata(absl::string_view key, absl::string_view value) {
  context_.AddTrailingMetadata(HeaderName(key), HeaderValue(key, value));
}

void ServedRpc::Send(const google::protobuf::MessageLite& message) {
  if (broken_) return;
  MG_CHECK(!finishing_, "a message behind the final status");
  MG_CHECK(method_.streams || unwritten_.empty(), "two messages of a method that has one");
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  unsent_ += slice.size();
  budget_->Take(slice.size());
  unwritten_.push_back(std::move(slice));
  // The one message of a unary method goes out together with its status.
  if (!method_.streams || turn_awaited_ || write_under_way_) return;
  turn_awaited_ = true;
  queue_->AfterTurn(&turn_tag_);
}

void ServedRpc::OnTurnOver(bool) {
  turn_awaited_ = false;
  Flush();
}

// Starts what can be started: the next write (buffered by gRPC while another is to follow, so that
// they leave together), and the end of the call with the last of them.
void ServedRpc::Flush() {
  const size_t left = unwritten_.size() - next_;
  if (left > 0) {
    if (write_under_way_) return;
    const grpc::ByteBuffer buffer(&unwritten_[next_], 1);
    writing_ = unwritten_[next_].size();
    unwritten_[next_] = grpc::Slice();
    if (++next_ == unwritten_.size()) {
      unwritten_.clear();
      next_ = 0;
    }
    write_under_way_ = true;
    ++under_way_;
    if (left == 1 && finishing_) {
      finish_started_ = true;
      stream_.WriteAndFinish(buffer, grpc::WriteOptions(), final_, &written_tag_);
      return;
    }
    // The first takes the initial metadata along, and gRPC would hold back both for ever.
    grpc::WriteOptions how;
    if (left > 1 && begun_) how.set_buffer_hint();
    begun_ = true;
    stream_.Write(buffer, how, &written_tag_);
    return;
  }
  // A write may be under way still: the status follows it on the wire.
  if (finishing_ && !finish_started_) {
    finish_started_ = true;
    ++under_way_;
    stream_.Finish(final_, &finished_tag_);
  }
}

void ServedRpc::DropQueue() {
  size_t dropped = 0;
  for (size_t i = next_; i < unwritten_.size(); ++i) dropped += unwritten_[i].size();
  unwritten_.clear();
  next_ = 0;
  unsent_ -= dropped;
  budget_->GiveBack(dropped);
}

void ServedRpc::StartRead() {
  read_done_ = false;
  ++under_way_;
  stream_.Read(&message_, &read_tag_);
}

void ServedRpc::OnRead(bool ok) {
  read_done_ = true;
  read_ok_ = ok;
  Came();
}

void ServedRpc::OnWritten(bool ok) {
  write_under_way_ = false;
  unsent_ -= writing_;
  budget_->GiveBack(writing_);
  if (!ok) {
    broken_ = true;
    DropQueue();
  }
  if (!turn_awaited_) Flush();
  Came();
}

void ServedRpc::OnFinished(bool) { Came(); }

void ServedRpc::OnEnded(bool) {
  if (context_.IsCancelled()) {
    broken_ = true;
    DropQueue();
    cancellation_.Cancel(DeadlinePassed()
                             ? MakeError(ErrorClass::kDeadline, "the caller's deadline has passed")
                             : MakeError(ErrorClass::kCancel, "the caller went away"));
  }
  Came();
}

void ServedRpc::Came() {
  --under_way_;
  wake_.Notify();
}

bool ServedRpc::DeadlinePassed() const {
  if (deadline_ == kNever) return false;
  const absl::Duration slack = std::max(kClockSlack, (deadline_ - accepted_at_) * kClockSlackShare);
  return loop_->now() >= deadline_ - slack;
}

void ServedRpc::Evict() {
  evicted_ = true;
  wake_.Notify();
}

Task<void> ServedRpc::Finish(absl::Status status) {
  if (status.ok() && !method_.streams && unwritten_.empty() && !broken_) {
    status = MakeError(ErrorClass::kBug,
                       absl::StrCat(method_.method->name(), " ended without an answer"));
  }
  if (!status.ok()) {
    const bool slow_reader = ClassOf(status) == ErrorClass::kSlowReader;
    if (!method_.streams || slow_reader) DropQueue();
  }
  const WireStatus wire = ToWire(status, method_.error_details);
  for (const auto& [key, value] : wire.trailers) AddTrailingMetadata(key, value);
  final_ = grpc::Status(static_cast<grpc::StatusCode>(wire.code), wire.message, wire.details);
  finishing_ = true;
  if (!turn_awaited_) Flush();
  const absl::Duration patience =
      status.ok() || (!cancellation_.cancelled() && ClassOf(status) != ErrorClass::kSlowReader)
          ? kStalledReader
          : kStalledReaderInHaste;
  bool cut_off = false;
  size_t unsent = unsent_;
  while (under_way_ > 0 || turn_awaited_) {
    const Instant until = cut_off ? kNever : loop_->now() + patience;
    if (co_await wake_.Wait(until, nullptr) != Wake::kTimeout) continue;
    if (unsent_ < unsent) {
      unsent = unsent_;
    } else {
      cut_off = true;
      context_.TryCancel();
    }
  }
}

}  // namespace mg
