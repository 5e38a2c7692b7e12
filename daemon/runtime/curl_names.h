// What every transfer of libcurl goes through before it connects: its name is looked up once for
// all who need it, off the loop, at most 64 at a time; and its connection must stand in time.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "daemon/runtime/curl_multi.h"
#include "daemon/runtime/upstream_url.h"

namespace mg {

// Where a transfer goes, and by which proxy (empty: none; no_proxy as in NO_PROXY).
struct CurlRoute {
  UpstreamUrl url;
  std::string proxy;
  std::string no_proxy;
};

class CurlNames;

// A transfer that waits for its name, and for its connection no longer than `connect_timeout`.
// Owns its handle while it runs.
class NamedTransfer : public CurlTransfer {
 public:
  NamedTransfer(CurlNames* names, absl::Duration connect_timeout)
      : names_(names), connect_timeout_(connect_timeout) {}
  NamedTransfer(const NamedTransfer&) = delete;
  NamedTransfer& operator=(const NamedTransfer&) = delete;
  ~NamedTransfer() override { Stop(); }

  const CurlRoute& route() const { return route_; }
  // Not OK: the name is not known.
  void NameResolved(const absl::Status& status);

  bool MayResolve() final;
  bool MayConnect() final;
  void Connected() override { CancelConnectTimer(); }
  void Done(CURLcode code) final;

 protected:
  // The handle, to be set up before Begin.
  CurlEasy* Prepare(CurlRoute route);
  void Begin();
  // Out of libcurl and of all lists; nothing is told.
  void Stop();
  bool running() const { return state_ != State::kEnded; }
  CurlEasy* easy() { return easy_.get(); }
  CurlNames* names() { return names_; }

  // The transfer is over. It may go within.
  virtual void Ended(CURLcode code, CurlEasy& easy) = 0;
  // It is over before it could connect. It may go within.
  virtual void Failed(absl::Status status) = 0;

 private:
  enum class State { kTransfer, kAwaitsName, kEnded };

  void SetConnectTimer();
  void CancelConnectTimer();
  void ConnectTimedOut();
  // Where it was connecting, the addresses it tried are of no use.
  void DistrustAddresses();

  CurlNames* const names_;
  const absl::Duration connect_timeout_;
  CurlRoute route_;
  std::unique_ptr<CurlEasy> easy_;  // until kEnded
  Loop::TimerId connect_timer_{kNever, 0};
  State state_ = State::kEnded;
  bool name_missing_ = false;
  bool name_resolved_ = false;
};

class NameLookup;

// The lookups, and the spare handles of all transfers. Outlives them.
class CurlNames {
 public:
  explicit CurlNames(EpollLoop* loop);
  CurlNames(const CurlNames&) = delete;
  CurlNames& operator=(const CurlNames&) = delete;
  ~CurlNames();

  EpollLoop* loop() { return loop_; }
  CurlMulti& multi() { return multi_; }
  const CurlMulti& multi() const { return multi_; }

  std::unique_ptr<CurlEasy> TakeHandle();
  void GiveBack(std::unique_ptr<CurlEasy> easy);

  // NameResolved is called once the name is in libcurl's cache, or there is none.
  void Await(NamedTransfer* transfer);
  void Forget(NamedTransfer* transfer);
  // No address that the cache has of this host could be connected to: it may have moved, so whoever
  // comes next looks the name up anew.
  void Distrust(const CurlRoute& route);
  bool Distrusts(const CurlRoute& route) const;
  void LookedUp(NameLookup* lookup, const absl::Status& status);

 private:
  void BeginLookups();

  EpollLoop* const loop_;
  CurlMulti multi_;
  std::vector<std::unique_ptr<CurlEasy>> spare_;
  absl::flat_hash_map<std::string, std::unique_ptr<NameLookup>> lookups_;
  absl::flat_hash_set<std::string> distrusted_;  // by key, until they are looked up
  std::deque<NameLookup*> queue_;                // of those that wait for room
  size_t under_way_ = 0;
};

}  // namespace mg
