#include "daemon/discovery.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "daemon/provider.h"

namespace mg {
namespace {

constexpr absl::Duration kKeptFor = absl::Minutes(10);
constexpr absl::Duration kConnectTimeout = absl::Seconds(5);

struct Round {
  explicit Round(Loop* loop) : all_told(loop) {}
  int under_way = 0;
  Signal all_told;
};

Task<void> AskOne(const Call& call, Instant until, Discovery::Listing* listing, Round* round) {
  Candidate candidate;
  candidate.provider = listing->provider;
  Ask ask;
  ask.loop = call.loop;
  ask.http = call.http;
  ask.budget = call.budget;
  ask.logger = call.logger;
  ask.candidate = &candidate;
  ask.connect_timeout = kConnectTimeout;
  const Provider* provider = call.snapshot->FindProvider(listing->provider);
  listing->models = co_await provider->ListModels(ask, until, call.cancellation);
  const absl::Status& status = listing->models.status();
  const bool too_late = status.code() == absl::StatusCode::kDeadlineExceeded &&
                        ClassOf(status) == ErrorClass::kBug;  // the plain status of a clock
  if (too_late) listing->models = MakeError(ErrorClass::kTimeout, "it did not come in time");
  if (--round->under_way == 0) round->all_told.Notify();
}

}  // namespace

Task<std::vector<Discovery::Listing>> Discovery::Ask(const Call& call, Instant until) {
  std::vector<Listing> listings;
  for (const auto& [name, provider] : call.snapshot->providers) {
    listings.push_back({name, absl::UnknownError("not asked")});
  }
  std::sort(listings.begin(), listings.end(),
            [](const Listing& a, const Listing& b) { return a.provider < b.provider; });
  Round round(call.loop);
  std::vector<Listing*> asked;
  for (Listing& listing : listings) {
    if (!TakeKept(call, &listing)) asked.push_back(&listing);
  }
  round.under_way = static_cast<int>(asked.size());
  for (Listing* listing : asked) Spawn(AskOne(call, until, listing, &round));
  // Each of them ends by `until` or with the call.
  while (round.under_way > 0) co_await round.all_told.Wait(kNever, nullptr);
  for (const Listing* listing : asked) Keep(call, *listing);
  co_return listings;
}

bool Discovery::TakeKept(const Call& call, Listing* listing) const {
  const auto found = kept_.find(listing->provider);
  if (found == kept_.end() || found->second.until <= call.loop->now()) return false;
  if (found->second.snapshot.lock() != call.snapshot) return false;
  listing->models = found->second.models;
  return true;
}

void Discovery::Keep(const Call& call, const Listing& listing) {
  if (!listing.models.ok()) return;
  kept_[listing.provider] = {call.snapshot, call.loop->now() + kKeptFor, *listing.models};
}

}  // namespace mg
