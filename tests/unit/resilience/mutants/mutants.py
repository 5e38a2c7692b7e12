"""Plants the mistakes below in a copy of breaker_machine.cc, each switched on by its number at run time.

mutants.py breaker_machine.cc OUTPUT. Each text must stand in the file exactly once, so that whoever changes the line
learns which mutant no longer fits.
"""

import pathlib
import sys

# What is wrong, an expression of the file, what stands there instead.
REPLACED = [
    ("a threshold is one too high", "count >= threshold", "count > threshold"),
    ("a late verdict counts", "generation != generation_", "false"),
    ("a probe without an end blocks for ever", "now - slot.since >= policy_.half_open_max_duration", "false"),
    ("a probe's slot is lost too early", "now - slot.since >= policy_.half_open_max_duration",
     "now - slot.since >= policy_.half_open_max_duration / 2"),
    ("the end of a forfeited probe returns another's slot", "slot.number == grant.number", "true"),
    ("the end of a probe returns no slot", "slot.number == grant.number", "false"),
    ("429s of one burst count one by one", "grant.number <= rate_counted_at_", "false"),
    ("the first good probe closes", "++probe_successes_ >= policy_.half_open_successes", "++probe_successes_ >= 1"),
    ("one probe too many is admitted", "held < policy_.half_open_max_probes", "held <= policy_.half_open_max_probes"),
    ("no hint is kept to", "std::max(open_for * (1 + policy_.jitter * random()), asked_for)", "open_for"),
    ("the cap of the sole candidate holds for all", "!sole", "false"),
    ("the sole candidate is probed before the hint of a 429",
     "std::max(opened_ + policy_.sole_candidate_max_cooldown, rate_hint_until_)",
     "opened_ + policy_.sole_candidate_max_cooldown"),
    ("the time open does not grow", "std::pow(policy_.multiplier, reopened_)", "1.0"),
    ("the ratio wants one request more", "total >= policy_.min_requests", "total > policy_.min_requests"),
    ("k decays though it is open", "state_ != BreakerState::kClosed || reopened_ == 0", "reopened_ == 0"),
    ("an isolation never ends", "state_ == BreakerState::kIsolated && now >= isolated_until_", "false"),
    ("a tail has the generation of its permit", "tail->generation = generation_", "tail->generation = grant.generation"),
    ("closing forgets the run of cuts", "consecutive_ = rate_run_ = 0",
     "consecutive_ = consecutive_truncated_ = rate_run_ = 0"),
    ("a reset keeps k", "consecutive_ = consecutive_truncated_ = rate_run_ = reopened_ = 0",
     "consecutive_ = consecutive_truncated_ = rate_run_ = 0"),
]
# What is wrong, a piece of the file, the statement of it that is left out.
LEFT_OUT = [
    ("a success leaves the run of failures", "consecutive_ = 0;\n    tail->success", "consecutive_ = 0;"),
    ("a success leaves the run of 429s", "rate_run_ = 0;\n  if (state_", "rate_run_ = 0;"),
    ("the run of 429s goes on after it opened", "rate_run_ = 0;\n    if (hint", "rate_run_ = 0;"),
    ("a dropped probe keeps its slot", "if (!Stale(grant.generation)) ReturnSlot(grant);", "ReturnSlot(grant);"),
    ("a change of state begins no generation", "++generation_;", "++generation_;"),
    ("slots outlive their generation", "slots_.clear();", "slots_.clear();"),
    ("good probes are counted over generations", "probe_successes_ = 0;\n  if", "probe_successes_ = 0;"),
    ("a failed probe does not raise k", "{\n    ++reopened_;", "++reopened_;"),
    ("a stream that was cut stays a success", "window_.Retract(tail.success);", "window_.Retract(tail.success);"),
    ("a clean end leaves the run of cuts", "consecutive_truncated_ = 0;\n  return {}", "consecutive_truncated_ = 0;"),
    ("a recovery has its whole weight at once", "slow_start_from_ = now;", "slow_start_from_ = now;"),
    ("a reset begins a slow start", "slow_start_from_ = absl::InfinitePast();\n}",
     "slow_start_from_ = absl::InfinitePast();"),
    ("closing keeps the window", "window_.Clear(policy_.window);\n  consecutive_ = rate", "window_.Clear(policy_.window);"),
]


def place(text, piece, name):
    if text.count(piece) != 1:
        sys.exit(f"breaker_machine.cc: the mutant '{name}' wants exactly one `{piece}`")
    return text.index(piece)


def main():
    source, output = map(pathlib.Path, sys.argv[1:])
    text = source.read_text(encoding="utf-8")
    spans = {}  # (start, end) → what stands there, by the mutants so far
    number = 0
    for name, old, new in REPLACED:
        number += 1
        start = place(text, old, name)
        span = (start, start + len(old))
        spans[span] = f"(breaker_mutant == {number} ? ({new}) : ({spans.get(span, old)}))"
    for name, piece, statement in LEFT_OUT:
        number += 1
        start = place(text, piece, name) + piece.index(statement)
        spans[(start, start + len(statement))] = f"if (breaker_mutant != {number}) {{ {statement} }}"
    for (start, end), mutated in sorted(spans.items(), reverse=True):
        text = text[:start] + mutated + text[end:]
    names = ", ".join(f'"{name}"' for name, _, _ in REPLACED + LEFT_OUT)
    head = f"namespace mg {{\nint breaker_mutant = 0;\nextern const char* const kBreakerMutants[];\n" \
           f"const char* const kBreakerMutants[] = {{{names}, nullptr}};\n}}\n"
    output.write_text(head + text, encoding="utf-8")


main()
