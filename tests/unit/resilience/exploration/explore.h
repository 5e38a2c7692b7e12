// Walks through every state that three callers can bring a breaker into, with every verdict, drop
// and delay, and holds each step against the table.
#pragma once

#include <cstddef>
#include <string>

namespace mg {

struct Exploration {
  size_t states = 0;
  size_t steps = 0;
  std::string disagreement;  // with the way there; empty: none
};

// From a new breaker until nothing new is found, or `most` states are.
Exploration ExploreBreaker(size_t most);

}  // namespace mg
