// A broken invariant of our own: the process says where, on stderr, and ends. Never for what the
// outside world does.
#pragma once

#include <cstdio>
#include <cstdlib>

// NOLINTBEGIN(cppcoreguidelines-macro-usage): file, line and the condition's text are wanted
#define MG_CHECK(condition, message)                                                          \
  do {                                                                                        \
    if (!(condition)) [[unlikely]] {                                                          \
      std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", __FILE__, __LINE__, message, \
                   #condition);                                                               \
      std::abort();                                                                           \
    }                                                                                         \
  } while (false)
// NOLINTEND(cppcoreguidelines-macro-usage)
