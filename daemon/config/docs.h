// The manual of the configuration, made of config.proto alone: its comments, and the rules by which
// the loader reads. Pure functions; any thread.
#pragma once

#include <string>

namespace mg {

// Plain Markdown in lines of at most 100 columns, examples aside: how values are written, then a
// section for each place that has keys of its own, in the order of the schema, and in it each key
// with its type, limits, default and meaning.
std::string ConfigManual();

}  // namespace mg
