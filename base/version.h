// The version of the program, as it names itself: --version, errors, User-Agent, build_info.
#pragma once

namespace mg {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace mg
