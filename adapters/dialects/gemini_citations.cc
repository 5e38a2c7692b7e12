#include "adapters/dialects/gemini_citations.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/json_count.h"
#include "adapters/json_text.h"

namespace mg {
namespace {

constexpr size_t kMaxKeptText = 1 << 20;  // beyond it citations have no place any more
// Of all citations: supports times chunks may be many.
constexpr size_t kMaxFound = 1024;
constexpr size_t kMaxFoundBytes = 512 << 10;
constexpr size_t kMaxGroups = 4096;
constexpr size_t kMostTried = 16;  // groups in which the words are looked for
constexpr size_t kMaxRest = 12 * 1024;

size_t OffsetMember(const JsonValue& object, absl::string_view name) {
  return static_cast<size_t>(CountMember(object, name).value_or(0));
}

void KeepDetail(absl::string_view name, const JsonValue& value, v1::Citation* citation) {
  if (value.IsNull()) return;
  ToStructValue(value, 8, &(*citation->mutable_details()->mutable_fields())[std::string(name)]);
}

// The source of a citation: uri, title, and its own words; the rest are details.
void ReadSource(const JsonValue& source, v1::Citation* citation) {
  for (const auto& member : source.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    std::string text(member.value.IsString() ? StringOf(member.value) : absl::string_view());
    if (name == "uri") {
      citation->set_uri(std::move(text));
    } else if (name == "title") {
      citation->set_title(std::move(text));
    } else if (name == "text") {
      citation->set_cited_text(std::move(text));
    } else if (name != "startIndex" && name != "endIndex") {
      KeepDetail(name, member.value, citation);
    }
  }
}

// {"web":{…}} and its like; "kind" says which.
bool ReadChunk(const JsonValue& chunk, v1::Citation* citation) {
  if (!chunk.IsObject()) return false;
  for (const auto& member : chunk.GetObject()) {
    if (!member.value.IsObject()) continue;
    ReadSource(member.value, citation);
    (*citation->mutable_details()->mutable_fields())["kind"].set_string_value(
        std::string(StringOf(member.name)));
    return true;
  }
  return false;
}

int32_t CodePoints(absl::string_view text) {
  return static_cast<int32_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

void GeminiCitations::AddText(int part, absl::string_view text, bool joins) {
  const bool goes_on = joins && !groups_.empty() && !groups_.back().places.empty();
  if (!goes_on && groups_.size() >= kMaxGroups) return;
  if (!goes_on) groups_.emplace_back();
  Group& group = groups_.back();
  if (group.places.empty() || group.places.back().part != part) {
    group.places.push_back({part, group.text.size()});
  }
  if (kept_text_ + text.size() > kMaxKeptText) return;
  kept_text_ += text.size();
  group.text.append(text.data(), text.size());
}

void GeminiCitations::AddOther() {
  if (groups_.size() < kMaxGroups) groups_.emplace_back();
}

void GeminiCitations::Read(int choice, const JsonValue& candidate, AnswerMetadata* metadata) {
  if (const JsonValue* recited = Member(candidate, "citationMetadata")) {
    for (const char* name : {"citations", "citationSources"}) {
      if (const JsonValue* list = Member(*recited, name)) ReadRecitations(*list);
    }
  }
  const JsonValue* grounding = Member(candidate, "groundingMetadata");
  if (grounding != nullptr && grounding->IsObject()) ReadGrounding(choice, *grounding, metadata);
}

void GeminiCitations::AddFound(Found found, std::vector<Found>* list) {
  const size_t bytes = found.citation.ByteSizeLong() + found.said.size() + sizeof(Found);
  if (found_bytes_ + bytes > kMaxFoundBytes || list->size() >= kMaxFound) return;
  found_bytes_ += bytes;
  list->push_back(std::move(found));
}

// A stream may tell those that it has told already.
void GeminiCitations::ReadRecitations(const JsonValue& list) {
  if (!list.IsArray()) return;
  for (const JsonValue& entry : list.GetArray()) {
    if (!entry.IsObject()) continue;
    Found found;
    found.start = OffsetMember(entry, "startIndex");
    found.end = OffsetMember(entry, "endIndex");
    ReadSource(entry, &found.citation);
    const bool known =
        std::any_of(recitations_.begin(), recitations_.end(), [&found](const Found& other) {
          return other.start == found.start && other.end == found.end &&
                 other.citation.uri() == found.citation.uri() &&
                 other.citation.title() == found.citation.title();
        });
    if (!known) AddFound(std::move(found), &recitations_);
  }
}

void GeminiCitations::ReadGrounding(int choice, const JsonValue& grounding,
                                    AnswerMetadata* metadata) {
  const JsonValue* chunks = Member(grounding, "groundingChunks");
  const JsonValue* supports = Member(grounding, "groundingSupports");
  const bool lists = chunks != nullptr && chunks->IsArray();
  std::vector<bool> cited(lists ? chunks->Size() : 0, false);
  if (lists && supports != nullptr && supports->IsArray()) {
    grounding_.clear();
    for (const JsonValue& support : supports->GetArray()) ReadSupport(support, *chunks, &cited);
  }
  const bool all = std::all_of(cited.begin(), cited.end(), [](bool each) { return each; });
  std::string rest = "{";
  for (const auto& member : grounding.GetObject()) {
    const absl::string_view name = StringOf(member.name);
    if (name == "groundingSupports" || (name == "groundingChunks" && all)) continue;
    const std::string text = ToJsonText(member.value);
    // A page to be shown, of any size, must not keep out what is small.
    if (rest.size() + name.size() + text.size() > kMaxRest) continue;
    AppendJsonKey(name, &rest);
    rest.append(text);
  }
  rest.push_back('}');
  JsonDocument kept;
  if (rest != "{}" && ParseJson(rest, &kept).ok()) {
    metadata->KeepOfChoice(choice, "groundingMetadata", kept);
  }
}

void GeminiCitations::ReadSupport(const JsonValue& support, const JsonValue& chunks,
                                  std::vector<bool>* cited) {
  const JsonValue* segment = Member(support, "segment");
  const JsonValue* indices = Member(support, "groundingChunkIndices");
  if (segment == nullptr || indices == nullptr || !indices->IsArray()) return;
  const JsonValue* scores = Member(support, "confidenceScores");
  for (rapidjson::SizeType i = 0; i < indices->Size(); ++i) {
    const JsonValue& index = (*indices)[i];
    if (!index.IsUint() || index.GetUint() >= chunks.Size()) continue;
    Found found;
    if (!ReadChunk(chunks[index.GetUint()], &found.citation)) continue;
    (*cited)[index.GetUint()] = true;
    if (scores != nullptr && scores->IsArray() && i < scores->Size()) {
      KeepDetail("confidenceScore", (*scores)[i], &found.citation);
    }
    found.group = OffsetMember(*segment, "partIndex");
    found.start = OffsetMember(*segment, "startIndex");
    found.end = OffsetMember(*segment, "endIndex");
    found.said = std::string(StringMember(*segment, "text"));
    AddFound(std::move(found), &grounding_);
  }
}

bool GeminiCitations::Says(const Group& group, const Found& found) {
  if (found.start > group.text.size()) return false;
  const absl::string_view from = absl::string_view(group.text).substr(found.start);
  return absl::StartsWith(from, found.said) && found.start + found.said.size() == found.end;
}

// The group that is named, unless the words stand in another one: some answers count texts alone.
const GeminiCitations::Group* GeminiCitations::GroupOf(const Found& found) const {
  const Group* named = nullptr;
  if (found.group < groups_.size() && !groups_[found.group].places.empty()) {
    named = &groups_[found.group];
  }
  if (named != nullptr && (found.said.empty() || Says(*named, found))) return named;
  const Group* first = named;
  size_t tried = 0;
  for (const Group& group : groups_) {
    if (group.places.empty()) continue;
    if (first == nullptr) first = &group;
    if (++tried > kMostTried) break;
    if (found.said.empty() || Says(group, found)) return &group;
  }
  return first;
}

// In code points of the part of ours in which the words begin.
int GeminiCitations::PlaceIn(const Group& group, const Found& found, v1::Citation* citation) {
  size_t at = group.places.size() - 1;
  while (at > 0 && group.places[at].start > found.start) --at;
  const size_t begin = group.places[at].start;
  const bool last = at + 1 == group.places.size();
  const size_t limit = last ? group.text.size() : group.places[at + 1].start;
  const size_t end = std::min(found.end, limit);
  if (found.start < end) {
    const absl::string_view text = absl::string_view(group.text).substr(begin, end - begin);
    citation->set_start(CodePoints(text.substr(0, found.start - begin)));
    citation->set_end(CodePoints(text));
  }
  return group.places[at].part;
}

void GeminiCitations::Give(absl::FunctionRef<void(int part, v1::Citation citation)> give) {
  for (std::vector<Found>* list : {&recitations_, &grounding_}) {
    for (Found& found : *list) {
      const Group* group = GroupOf(found);
      if (group == nullptr) continue;  // nothing that it could be about
      const int part = PlaceIn(*group, found, &found.citation);
      give(part, std::move(found.citation));
    }
    list->clear();
  }
}

}  // namespace mg
