// The sub-commands of the binary. Each gets the arguments behind its name and returns the exit
// code: 0 ok, 1 failed, 2 wrong usage, syntax or configuration.
#pragma once

#include <string>
#include <vector>

namespace mg {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

int RunServe(const std::vector<std::string>& arguments);
int RunCheck(const std::vector<std::string>& arguments);
int RunConfig(const std::vector<std::string>& arguments);
int RunDoctor(const std::vector<std::string>& arguments);

}  // namespace mg
