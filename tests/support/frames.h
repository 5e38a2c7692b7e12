// Frames of AWS's event stream, made for the tests: an encoder of its own, checksums included.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace mg {

// Bit by bit, so that it has nothing in common with what is tested.
inline uint32_t FrameCrc(absl::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
  }
  return ~crc;
}

inline void AppendBigEndian(uint32_t value, int bytes, std::string* out) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

// With string headers alone.
inline std::string FrameOf(const std::vector<std::pair<std::string, std::string>>& headers,
                           absl::string_view payload) {
  std::string head;
  for (const auto& [name, value] : headers) {
    AppendBigEndian(static_cast<uint32_t>(name.size()), 1, &head);
    head.append(name);
    AppendBigEndian(7, 1, &head);
    AppendBigEndian(static_cast<uint32_t>(value.size()), 2, &head);
    head.append(value);
  }
  std::string frame;
  AppendBigEndian(static_cast<uint32_t>(16 + head.size() + payload.size()), 4, &frame);
  AppendBigEndian(static_cast<uint32_t>(head.size()), 4, &frame);
  AppendBigEndian(FrameCrc(frame), 4, &frame);
  absl::StrAppend(&frame, head, payload);
  AppendBigEndian(FrameCrc(frame), 4, &frame);
  return frame;
}

// A line each: "EVENT {json}", "exception TYPE {json}" or "error CODE words"; "raw HEX" is put in
// as it is; lines that begin with # say nothing.
inline std::string FramesOf(absl::string_view text) {
  std::string out;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line[0] == '#') continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    if (parts.first == "raw") {
      out.append(absl::HexStringToBytes(parts.second));
      continue;
    }
    if (parts.first != "exception" && parts.first != "error") {
      out.append(FrameOf({{":event-type", std::string(parts.first)},
                          {":content-type", "application/json"},
                          {":message-type", "event"}},
                         parts.second));
      continue;
    }
    const std::pair<std::string, std::string> failure =
        absl::StrSplit(parts.second, absl::MaxSplits(' ', 1));
    if (parts.first == "exception") {
      out.append(FrameOf({{":exception-type", failure.first},
                          {":content-type", "application/json"},
                          {":message-type", "exception"}},
                         failure.second));
    } else {
      out.append(FrameOf({{":message-type", "error"},
                          {":error-code", failure.first},
                          {":error-message", failure.second}},
                         ""));
    }
  }
  return out;
}

}  // namespace mg
