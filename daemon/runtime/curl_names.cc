#include "daemon/runtime/curl_names.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "daemon/runtime/curl_errors.h"

namespace mg {
namespace {

constexpr size_t kMaxLookups = 64;
constexpr size_t kMaxSpareHandles = 64;

std::string NameKey(const CurlRoute& route) {
  return absl::StrCat(route.url.Peer(), " ", route.proxy);
}

}  // namespace

// Looks one name up for all transfers that wait for it, by a transfer that ends before it connects:
// libcurl's cache has the addresses then. It goes on when those who wanted it are gone, so that no
// more than kMaxLookups threads hang in a resolver that hangs.
class NameLookup final : public CurlTransfer {
 public:
  NameLookup(CurlNames* names, std::string key) : names_(names), key_(std::move(key)) {}
  ~NameLookup() override {
    if (easy_ != nullptr) names_->multi().Remove(easy_.get());
  }

  void Begin(const CurlRoute& route);

  bool MayResolve() override { return true; }
  bool MayConnect() override {
    found_ = true;
    return false;
  }
  void Connected() override {}
  bool HeaderLine(absl::string_view) override { return false; }
  Taken Body(absl::string_view) override { return Taken::kRefused; }
  void Done(CURLcode code) override;

  const std::string& key() const { return key_; }
  std::vector<NamedTransfer*>& waiting() { return waiting_; }

 private:
  CurlNames* const names_;
  const std::string key_;
  std::vector<NamedTransfer*> waiting_;
  std::unique_ptr<CurlEasy> easy_;  // while it runs
  std::string peer_;
  bool found_ = false;
};

void NameLookup::Begin(const CurlRoute& route) {
  peer_ = route.url.Peer();
  easy_ = std::make_unique<CurlEasy>(&names_->multi());
  easy_->SetTransfer(this, absl::Minutes(5));
  curl_easy_setopt(easy_->curl(), CURLOPT_FRESH_CONNECT, 1L);
  HttpRequest request;
  request.method = "GET";
  request.url = absl::StrCat(route.url.https ? "https://" : "http://", peer_, "/");
  easy_->SetRequest(request);
  easy_->SetProxy(route.proxy, route.no_proxy);
  easy_->ForgetName(peer_);
  names_->multi().Add(easy_.get());
}

void NameLookup::Done(CURLcode code) {
  const std::unique_ptr<CurlEasy> done = std::move(easy_);
  CurlFailure failure;
  failure.code = code;
  failure.peer = peer_;
  names_->LookedUp(this, found_ ? absl::OkStatus() : CurlError(failure));
}

CurlNames::CurlNames(EpollLoop* loop) : loop_(loop), multi_(loop) {}
CurlNames::~CurlNames() = default;

std::unique_ptr<CurlEasy> CurlNames::TakeHandle() {
  if (spare_.empty()) return std::make_unique<CurlEasy>(&multi_);
  std::unique_ptr<CurlEasy> easy = std::move(spare_.back());
  spare_.pop_back();
  return easy;
}

void CurlNames::GiveBack(std::unique_ptr<CurlEasy> easy) {
  if (spare_.size() < kMaxSpareHandles) spare_.push_back(std::move(easy));
}

void CurlNames::Await(NamedTransfer* transfer) {
  const std::string key = NameKey(transfer->route());
  std::unique_ptr<NameLookup>& lookup = lookups_[key];
  if (lookup == nullptr) {
    lookup = std::make_unique<NameLookup>(this, key);
    queue_.push_back(lookup.get());
  }
  lookup->waiting().push_back(transfer);
  BeginLookups();
}

void CurlNames::Forget(NamedTransfer* transfer) {
  std::vector<NamedTransfer*>& waiting = lookups_.at(NameKey(transfer->route()))->waiting();
  waiting.erase(std::find(waiting.begin(), waiting.end(), transfer));
}

// Of a name alone, and of our own lookups: behind a proxy the host is looked up by the proxy.
void CurlNames::Distrust(const CurlRoute& route) {
  if (!route.proxy.empty() || IsIpLiteral(route.url.host)) return;
  distrusted_.insert(NameKey(route));
}

bool CurlNames::Distrusts(const CurlRoute& route) const {
  return !distrusted_.empty() && distrusted_.contains(NameKey(route));
}

void CurlNames::BeginLookups() {
  while (under_way_ < kMaxLookups && !queue_.empty()) {
    NameLookup* const next = queue_.front();
    queue_.pop_front();
    if (next->waiting().empty()) {
      lookups_.erase(next->key());
      continue;
    }
    ++under_way_;
    next->Begin(next->waiting().front()->route());
  }
}

void CurlNames::LookedUp(NameLookup* lookup, const absl::Status& status) {
  --under_way_;
  distrusted_.erase(lookup->key());
  const auto own = lookups_.extract(lookup->key());
  for (NamedTransfer* transfer : own.mapped()->waiting()) transfer->NameResolved(status);
  BeginLookups();
}

CurlEasy* NamedTransfer::Prepare(CurlRoute route) {
  route_ = std::move(route);
  easy_ = names_->TakeHandle();
  easy_->SetTransfer(this, connect_timeout_);
  easy_->SetProxy(route_.proxy, route_.no_proxy);
  return easy_.get();
}

void NamedTransfer::Begin() {
  SetConnectTimer();
  if (names_->Distrusts(route_)) {
    state_ = State::kAwaitsName;
    return names_->Await(this);
  }
  state_ = State::kTransfer;
  names_->multi().Add(easy_.get());
}

void NamedTransfer::SetConnectTimer() {
  if (connect_timer_.second != 0) return;
  Loop* const loop = names_->loop();
  connect_timer_ = loop->CallAt(loop->now() + connect_timeout_, [this] {
    connect_timer_ = {kNever, 0};
    ConnectTimedOut();
  });
}

void NamedTransfer::CancelConnectTimer() {
  names_->loop()->CancelTimer(connect_timer_);
  connect_timer_ = {kNever, 0};
}

void NamedTransfer::DistrustAddresses() {
  if (state_ == State::kTransfer) names_->Distrust(route_);
}

void NamedTransfer::ConnectTimedOut() {
  DistrustAddresses();
  Stop();
  Failed(NoConnectionInTime(route_.url.Peer()));
}

bool NamedTransfer::MayResolve() {
  SetConnectTimer();  // anew where a kept connection was dead
  if (name_resolved_) return true;
  name_missing_ = true;
  return false;
}

bool NamedTransfer::MayConnect() {
  SetConnectTimer();
  return true;
}

void NamedTransfer::NameResolved(const absl::Status& status) {
  if (!status.ok()) {
    state_ = State::kEnded;
    CancelConnectTimer();
    names_->GiveBack(std::move(easy_));
    return Failed(status);
  }
  name_resolved_ = true;
  state_ = State::kTransfer;
  names_->multi().Add(easy_.get());
}

void NamedTransfer::Done(CURLcode code) {
  if (std::exchange(name_missing_, false)) {
    state_ = State::kAwaitsName;
    return names_->Await(this);
  }
  if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT) DistrustAddresses();
  state_ = State::kEnded;
  CancelConnectTimer();
  CurlNames* const names = names_;
  std::unique_ptr<CurlEasy> done = std::move(easy_);
  Ended(code, *done);
  names->GiveBack(std::move(done));
}

void NamedTransfer::Stop() {
  if (state_ == State::kEnded) return;
  CancelConnectTimer();
  if (state_ == State::kTransfer) names_->multi().Remove(easy_.get());
  if (state_ == State::kAwaitsName) names_->Forget(this);
  names_->GiveBack(std::move(easy_));
  state_ = State::kEnded;
}

}  // namespace mg
