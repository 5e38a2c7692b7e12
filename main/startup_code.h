// What only the start needed of the program's code.
#pragma once

namespace mg {

// Takes the code of the program and its libraries out of the process's resident memory; what is
// still needed comes back from the page cache as it is called. Starting touches a third of it once:
// reading the configuration, building descriptors and tables. Changes nothing but memory, and
// nothing at all where the kernel will not.
void GiveBackStartupCode();

}  // namespace mg
