// Stands in for getaddrinfo in this test program, for names that end in ".fake": "…ok.fake" is
// 127.0.0.1, "…slow.fake" is that too, once the gate is open, "moving.fake" is where the test says,
// all others do not exist; a "half-…" has 127.0.0.2 before it. Everything else is asked of the
// system. Stands in for time() as well, by which libcurl tells how old an address is.
#pragma once

#include <string>

#include "tests/support/script.h"

namespace mg {

class FakeResolver {
 public:
  // Resets the counts; the gate stays closed until opened, and must be open before the test ends.
  FakeResolver();
  ~FakeResolver();

  static Gate& gate();
  static int calls();
  static int most_at_once();
  // Where "moving.fake" is from now on; empty, as at first: nowhere.
  static void Move(const std::string& address);
  // The date goes on by so much, for as long as this lives.
  static void PassSeconds(int seconds);
  // Until no thread is in it.
  static void WaitIdle();
};

}  // namespace mg
