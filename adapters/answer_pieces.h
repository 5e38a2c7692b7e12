// What a provider says, in pieces: so that no event comes near 1 MiB, and none is without its share
// of the log probabilities. Pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/utf8.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

inline int64_t CodePoints(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// Of one event.
inline constexpr size_t kMaxPiece = 512 * 1024;

// Calls `give` with pieces of `text` that no event outgrows.
template <typename Give>
void InPieces(absl::string_view text, Give give) {
  while (!text.empty()) {
    const absl::string_view piece = CutUtf8(text, kMaxPiece);
    give(piece);
    text.remove_prefix(piece.size());
  }
}

// Log probabilities go with the first delta that the piece at hand gave, the event at `first`, as
// far as there is room in it, or where it gave none (a token of half a character) and for the rest
// with deltas of their own, which `new_delta` makes with an empty part.
template <typename NewDelta>
void GiveLogprobs(std::vector<v1::TokenLogprob>* logprobs, size_t first,
                  std::vector<v1::ChatEvent>* events, NewDelta new_delta) {
  for (size_t at = 0; at < logprobs->size();) {
    const bool with_piece = at == 0 && events->size() > first;
    v1::ChatEvent::Delta* given = with_piece ? (*events)[first].mutable_delta() : new_delta();
    size_t bytes = given->ByteSizeLong();
    while (at < logprobs->size() && (bytes < kMaxPiece || given->logprobs().empty())) {
      bytes += (*logprobs)[at].ByteSizeLong() + 8;
      *given->add_logprobs() = std::move((*logprobs)[at++]);
    }
  }
  logprobs->clear();
}

}  // namespace mg
