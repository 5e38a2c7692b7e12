#include "tests/unit/resilience/exploration/explore.h"

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/resilience/exploration/table.h"

namespace mg {
namespace {

const Instant kStart = absl::UnixEpoch() + absl::Hours(1000);
// So many outcomes are in the window at most, else they would never end.
constexpr int kMostOutcomes = 4;

double NoRandom() { return 0; }

// The breaker and the table side by side, fed alike.
struct Node {
  BreakerMachine machine{ExploredPolicy()};
  Table table;
  std::array<BreakerMachine::Grant, kCallers> grants;
  std::array<BreakerMachine::TailGrant, kCallers> tails;
  size_t id = 0;

  Instant now() const { return kStart + table.tick * kTick; }
};

std::string Text(const std::optional<Transition>& transition) {
  if (!transition.has_value()) return "";
  return absl::StrCat(BreakerStateName(transition->from), ">", BreakerStateName(transition->to),
                      " ", transition->reason);
}

Seen SeenOf(const BreakerEffect& effect) {
  return {.stale = effect.stale, .transition = Text(effect.transition)};
}

Seen DoMachine(Event event, size_t caller, Instant now, Node* node) {
  BreakerMachine& machine = node->machine;
  BreakerMachine::Grant& grant = node->grants[caller];
  BreakerMachine::TailGrant& tail = node->tails[caller];
  const absl::Duration hint = kHintTicks * kTick;
  switch (event) {
    case Event::kAdmit:
    case Event::kAdmitSole: {
      const BreakerMachine::Decision decision = machine.Admit(now, event == Event::kAdmitSole);
      if (decision.grant.has_value()) grant = *decision.grant;
      return {.admitted = decision.grant.has_value(),
              .probe = decision.grant.has_value() && decision.grant->probe,
              .transition = Text(decision.transition)};
    }
    case Event::kSuccess: {
      const BreakerEffect effect = machine.Commit(grant, now, &tail);
      if (!effect.stale) machine.CleanEnd(tail);
      return SeenOf(effect);
    }
    case Event::kCommit:
      return SeenOf(machine.Commit(grant, now, &tail));
    case Event::kFail:
      return SeenOf(machine.Failure(grant, now, std::nullopt, NoRandom));
    case Event::kFailHinted:
      return SeenOf(machine.Failure(grant, now, hint, NoRandom));
    case Event::kRateLimited:
      return SeenOf(machine.RateLimited(grant, now, std::nullopt, NoRandom));
    case Event::kRateLimitedHinted:
      return SeenOf(machine.RateLimited(grant, now, hint, NoRandom));
    case Event::kNeutral:
      machine.Neutral(grant);
      return {};
    case Event::kCleanEnd:
      return SeenOf(machine.CleanEnd(tail));
    case Event::kCut:
      return SeenOf(machine.Truncated(tail, now, NoRandom));
    case Event::kIsolate:
      return {.transition = Text(machine.Isolate(now, now + kTick))};
    case Event::kReset:
      return {.transition = Text(machine.Reset(now))};
    case Event::kDropTail:
    case Event::kTick:
      return {};
  }
  return {};
}

// What the two say of themselves; the first difference, or nothing.
std::string Difference(const Node& node) {
  const Instant now = node.now();
  const BreakerView view = node.machine.View(now);
  const Table& table = node.table;
  std::string difference;
  const auto same = [&](const char* what, const auto& machine, const auto& expected) {
    if (machine == expected || !difference.empty()) return;
    difference = absl::StrCat(what, ": ", machine, ", by the table ", expected);
  };
  const BreakerState shown = table.Shown();
  same("state", static_cast<int>(view.state), static_cast<int>(shown));
  same("reason", std::string(view.reason),
       shown == BreakerState::kClosed ? std::string() : table.reason);
  same("generation", static_cast<int>(view.generation), table.generation);
  same("consecutive", view.consecutive, table.consecutive);
  same("truncated", view.consecutive_truncated, table.truncated);
  same("ok", view.window_ok, table.ok[0] + table.ok[1]);
  same("failed", view.window_failed, table.failed[0] + table.failed[1]);
  same("rate run", view.rate_run, table.rate_run);
  same("k", view.reopened, table.k);
  same("probes", view.probes, table.Holders());
  same("ramp", node.machine.Ramp(now), table.Ramp());
  for (bool sole : {false, true}) {
    const absl::Duration expected = table.AvailableIn(sole);
    same("available in ms", absl::ToDoubleMilliseconds(node.machine.AvailableAt(now, sole) - now),
         absl::ToDoubleMilliseconds(expected));
  }
  return difference;
}

// The invariants in their own words (spec/resilience.md §3.14), whatever the table says.
std::string Broken(Event event, const Seen& seen, const Node& before, const Node& after) {
  const BreakerView was = before.machine.View(after.now());
  const BreakerView is = after.machine.View(after.now());
  if (is.probes > kProbes) return "I1: more probes than slots";
  const bool sole = event == Event::kAdmitSole;
  if (seen.admitted && before.machine.AvailableAt(after.now(), sole) > after.now()) {
    return "I2: admitted too early";
  }
  const bool neutral = event == Event::kNeutral || event == Event::kDropTail;
  if ((seen.stale || neutral) && (is.state != was.state || is.generation != was.generation)) {
    return "I3: a stale or neutral verdict changed the state";
  }
  return "";
}

}  // namespace

// Sees the machine whole: what View leaves out tells states apart too.
class BreakerExploration {
 public:
  Exploration Run(size_t most) {
    Visit(Node(), Way());
    while (!frontier_.empty() && result_.disagreement.empty() && result_.states < most) {
      const Node node = std::move(frontier_.front());
      frontier_.pop_front();
      Expand(node);
    }
    return result_;
  }

 private:
  // How a state was first reached.
  struct Way {
    size_t from = 0;
    Event event = Event::kReset;
    int caller = 0;
  };
  static std::string Text(const Way& way) {
    return absl::StrCat(EventName(way.event), " ", way.caller);
  }

  void Expand(const Node& node) {
    using Phase = Caller::Phase;
    for (Event event : {Event::kTick, Event::kIsolate, Event::kReset}) Step(node, event, 0);
    for (int i = 0; i < kCallers; ++i) {
      switch (node.table.callers[static_cast<size_t>(i)].phase) {
        case Phase::kIdle:
          for (Event event : {Event::kAdmit, Event::kAdmitSole}) Step(node, event, i);
          break;
        case Phase::kPermit:
          for (Event event : {Event::kSuccess, Event::kCommit, Event::kFail, Event::kFailHinted,
                              Event::kRateLimited, Event::kRateLimitedHinted, Event::kNeutral}) {
            Step(node, event, i);
          }
          break;
        case Phase::kTail:
          for (Event event : {Event::kCleanEnd, Event::kCut, Event::kDropTail}) {
            Step(node, event, i);
          }
          break;
      }
    }
  }

  void Step(const Node& before, Event event, int caller) {
    if (!result_.disagreement.empty()) return;
    Node after = before;
    const Seen expected = after.table.Do(event, caller);
    if (after.table.Outcomes() > kMostOutcomes) return;
    const Seen seen = DoMachine(event, static_cast<size_t>(caller), before.now(), &after);
    ++result_.steps;
    std::string wrong = Broken(event, seen, before, after);
    if (wrong.empty() && seen != expected) {
      wrong = absl::StrCat("it answers ", seen.admitted, seen.probe, seen.stale, " '",
                           seen.transition, "', by the table ", expected.admitted, expected.probe,
                           expected.stale, " '", expected.transition, "'");
    }
    if (wrong.empty()) wrong = Difference(after);
    const Way way = {before.id, event, caller};
    if (!wrong.empty()) {
      result_.disagreement = absl::StrCat(WayTo(before.id), Text(way), ": ", wrong);
      return;
    }
    Visit(std::move(after), way);
  }

  void Visit(Node node, const Way& way) {
    if (!seen_.insert(Key(node)).second) return;
    node.id = way_.size();
    way_.push_back(way);
    ++result_.states;
    frontier_.push_back(std::move(node));
  }

  std::string WayTo(size_t id) const {
    std::string way;
    for (; id != 0; id = way_[id].from) way = absl::StrCat(Text(way_[id]), ", ", way);
    return way;
  }

  // Ticks ahead, and ticks back as far as they matter.
  static char Ahead(int from, int to) { return static_cast<char>(std::clamp(to - from, 0, 9)); }
  static char Ahead(Instant from, Instant to) {
    return static_cast<char>(std::clamp(absl::FDivDuration(to - from, kTick), 0.0, 9.0));
  }
  static char Back(Instant now, Instant then, int most) {
    return static_cast<char>(std::min(absl::FDivDuration(now - then, kTick), double{1.0 * most}));
  }

  // Of one caller; all stale ones are alike.
  static std::string KeyOf(const Node& node, size_t i) {
    const Table& table = node.table;
    const Caller& caller = table.callers[i];
    const BreakerMachine& machine = node.machine;
    const BreakerMachine::Grant& grant = node.grants[i];
    std::string key(1, static_cast<char>(caller.phase));
    if (caller.phase == Caller::Phase::kIdle) return key;
    const bool permit = caller.phase == Caller::Phase::kPermit;
    const bool stale = caller.generation != table.generation;
    key += static_cast<char>(stale);
    key += static_cast<char>(machine.Stale(permit ? grant.generation : node.tails[i].generation));
    if (stale) return key;
    if (!permit) {
      key += Ahead(table.tick - kWindowTicks, caller.success_at);
      return key;
    }
    const auto slot = std::find_if(machine.slots_.begin(), machine.slots_.end(),
                                   [&](const auto& s) { return s.number == grant.number; });
    key += static_cast<char>(slot - machine.slots_.begin());
    key += static_cast<char>(caller.holds_slot);
    key += static_cast<char>(caller.rate_known);
    key += static_cast<char>(grant.number <= machine.rate_counted_at_);
    if (caller.holds_slot) key += Ahead(table.tick - kProbeTicks, caller.since);
    return key;
  }

  static std::string Key(const Node& node) {
    const Instant now = node.now();
    const Table& table = node.table;
    const BreakerMachine& machine = node.machine;
    std::string key;
    const auto put = [&key](int value) { key += static_cast<char>(value); };
    put(static_cast<int>(machine.state_));
    key += machine.state_ == BreakerState::kClosed ? "" : machine.reason_;
    if (machine.state_ == BreakerState::kOpen) {
      key += Ahead(now, machine.open_until_);
      key += Ahead(now, machine.opened_ + kSoleTicks * kTick);
      key += Ahead(now, machine.rate_hint_until_);
    }
    key += machine.state_ == BreakerState::kIsolated ? Ahead(now, machine.isolated_until_) : '\0';
    put(std::min(machine.consecutive_, kThreshold));
    put(std::min(machine.consecutive_truncated_, kThreshold));
    put(machine.rate_run_);
    put(std::min(machine.ReopenedAt(now), 2));
    put(machine.probe_successes_);
    if (machine.state_ == BreakerState::kClosed) {
      key += Back(now, machine.slow_start_from_, kRampTicks);
    }
    for (Instant at : {now, now + kTick}) {
      const OutcomeWindow::Counts counts = machine.window_.At(at);
      put(counts.ok);
      put(counts.failed);
    }
    if (table.k > 0 && table.state == BreakerState::kClosed) put(table.closed_ticks);
    std::vector<std::string> callers;
    for (size_t i = 0; i < kCallers; ++i) callers.push_back(KeyOf(node, i));
    std::sort(callers.begin(), callers.end());  // they are interchangeable
    for (const std::string& caller : callers) absl::StrAppend(&key, caller, "|");
    return key;
  }

  Exploration result_;
  std::deque<Node> frontier_;
  std::unordered_set<std::string> seen_;
  std::vector<Way> way_;
};

Exploration ExploreBreaker(size_t most) { return BreakerExploration().Run(most); }

}  // namespace mg
