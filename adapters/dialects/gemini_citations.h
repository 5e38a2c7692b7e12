// What an answer of Gemini says about its sources (spec/providers.md §1.12): offsets in bytes of a
// part become code points of ours. Owned by its candidate.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "adapters/metadata.h"
#include "base/json.h"
#include "modelgateway/v1/gateway.pb.h"

namespace mg {

namespace v1 = ::modelgateway::v1;

class GeminiCitations {
 public:
  // The parts of the answer in order. Texts that follow each other in a stream (`joins`) are one
  // part to the provider, whatever they are to us.
  void AddText(int part, absl::string_view text, bool joins);
  void AddOther();

  // The citationMetadata and groundingMetadata of a candidate; the rest of the latter goes into
  // `metadata`.
  void Read(int choice, const JsonValue& candidate, AnswerMetadata* metadata);
  // Nothing follows: gives out each citation for the part that it is about.
  void Give(absl::FunctionRef<void(int part, v1::Citation citation)> give);

 private:
  // A part as the provider counts them; without places it is no text.
  struct Group {
    struct Place {
      int part;  // of ours
      size_t start;
    };
    std::string text;
    std::vector<Place> places;
  };
  struct Found {
    v1::Citation citation;
    size_t group = 0;
    size_t start = 0;
    size_t end = 0;    // 0: the whole part
    std::string said;  // the words of the answer between them, where they are told
  };

  void ReadRecitations(const JsonValue& list);
  void ReadGrounding(int choice, const JsonValue& grounding, AnswerMetadata* metadata);
  void ReadSupport(const JsonValue& support, const JsonValue& chunks, std::vector<bool>* cited);
  void AddFound(Found found, std::vector<Found>* list);
  const Group* GroupOf(const Found& found) const;
  static int PlaceIn(const Group& group, const Found& found, v1::Citation* citation);
  static bool Says(const Group& group, const Found& found);

  std::vector<Group> groups_;
  size_t kept_text_ = 0;
  size_t found_bytes_ = 0;
  std::vector<Found> recitations_;
  std::vector<Found> grounding_;  // the last one of a stream holds
};

}  // namespace mg
