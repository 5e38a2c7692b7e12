// Where a part of a request stands, in the words of ErrorDetail.field; and what counts as blank.
// Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace mg {

// Where a part stands: messages[2].parts[0], or a part of the result there.
struct PartPlace {
  int message = 0;
  int part = 0;
  int inner = -1;

  // "messages[2].parts[0].image.uri"; only for refusals and warnings.
  std::string Field(absl::string_view member) const;
};

// Nothing but white space: such a text is left out.
bool IsBlank(absl::string_view text);

}  // namespace mg
