// Which share of users a change of the configuration moves to another candidate, exactly: the
// formula of spec/resilience.md §2.9 and §3.13. Pure functions.
#pragma once

#include <map>
#include <string>

#include "routing/route.h"
#include "routing/router.h"

namespace mg {

// Between two versions of a hashed tier, in [0,1]. A candidate that one of them lacks has weight 0
// there. Where the same user is hashed anew (another seed, hash key or strategy) both choices are
// independent: 1 − Σ p·p′.
double MovedShare(const Tier& before, const Tier& after);

// Of each group that both routers have and that is hashed in one of them at least, by its name.
// What fallbacks serve is left out.
std::map<std::string, double> MovedShares(const Router& before, const Router& after);

}  // namespace mg
