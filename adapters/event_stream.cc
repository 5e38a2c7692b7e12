#include "adapters/event_stream.h"

#include <algorithm>
#include <array>

namespace mg {
namespace {

constexpr size_t kPrelude = 12;  // two lengths and their checksum
constexpr size_t kChecksum = 4;
constexpr size_t kMaxHeaders = 128 << 10;
constexpr size_t kMaxFrame = (24 << 20) + kMaxHeaders + kPrelude + kChecksum;

// CRC-32 of IEEE 802.3, eight bytes a step.
using CrcTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr CrcTables MakeCrcTables() {
  CrcTables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    tables[0][i] = crc;
  }
  for (size_t table = 1; table < tables.size(); ++table) {
    for (size_t i = 0; i < 256; ++i) {
      const uint32_t before = tables[table - 1][i];
      tables[table][i] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr CrcTables kCrc = MakeCrcTables();

uint32_t ByteAt(absl::string_view bytes, size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

uint32_t Crc32(absl::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    const uint32_t low = crc ^ (ByteAt(bytes, at) | ByteAt(bytes, at + 1) << 8 |
                                ByteAt(bytes, at + 2) << 16 | ByteAt(bytes, at + 3) << 24);
    crc = kCrc[7][low & 0xFF] ^ kCrc[6][low >> 8 & 0xFF] ^ kCrc[5][low >> 16 & 0xFF] ^
          kCrc[4][low >> 24] ^ kCrc[3][ByteAt(bytes, at + 4)] ^ kCrc[2][ByteAt(bytes, at + 5)] ^
          kCrc[1][ByteAt(bytes, at + 6)] ^ kCrc[0][ByteAt(bytes, at + 7)];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8) ^ kCrc[0][(crc ^ ByteAt(bytes, at)) & 0xFF];
  return ~crc;
}

uint32_t ReadU32(absl::string_view bytes, size_t at) {
  return ByteAt(bytes, at) << 24 | ByteAt(bytes, at + 1) << 16 | ByteAt(bytes, at + 2) << 8 |
         ByteAt(bytes, at + 3);
}

absl::Status Broken(absl::string_view what) { return absl::InvalidArgumentError(what); }

// The length of the frame that begins with these bytes, at least kPrelude.
absl::Status ReadPrelude(absl::string_view bytes, size_t* total) {
  *total = ReadU32(bytes, 0);
  const size_t headers = ReadU32(bytes, 4);
  if (Crc32(bytes.substr(0, 8)) != ReadU32(bytes, 8)) {
    return Broken("a frame whose lengths do not fit their checksum");
  }
  if (*total < kPrelude + kChecksum || headers > *total - kPrelude - kChecksum) {
    return Broken("a frame whose lengths contradict each other");
  }
  if (*total > kMaxFrame || headers > kMaxHeaders) return Broken("a frame larger than 24 MiB");
  return absl::OkStatus();
}

// How many bytes a value of this type has; false: its length stands before it.
bool FixedSize(uint8_t type, size_t* size) {
  constexpr size_t kSizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  *size = kSizes[type];
  return type != 6 && type != EventStreamHeader::kString;
}

absl::Status ReadHeaders(absl::string_view bytes, std::vector<EventStreamHeader>* headers) {
  constexpr uint8_t kLastType = 9;
  const auto take = [&bytes](size_t size, absl::string_view* taken) {
    if (bytes.size() < size) return false;
    *taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return true;
  };
  while (!bytes.empty()) {
    EventStreamHeader header;
    absl::string_view number;
    if (!take(1, &number) || ByteAt(number, 0) == 0 || !take(ByteAt(number, 0), &header.name) ||
        !take(1, &number)) {
      return Broken("a header that is cut off");
    }
    header.type = static_cast<uint8_t>(ByteAt(number, 0));
    if (header.type > kLastType) return Broken("a header of an unknown type");
    size_t size = 0;
    if (!FixedSize(header.type, &size)) {
      if (!take(2, &number)) return Broken("a header that is cut off");
      size = ByteAt(number, 0) << 8 | ByteAt(number, 1);
    }
    if (!take(size, &header.value)) return Broken("a header that is cut off");
    headers->push_back(header);
  }
  return absl::OkStatus();
}

absl::Status VisitFrame(absl::string_view bytes, EventStreamParser::Visitor visit) {
  const size_t end = bytes.size() - kChecksum;
  if (Crc32(bytes.substr(0, end)) != ReadU32(bytes, end)) {
    return Broken("a frame that does not fit its checksum");
  }
  const size_t headers = ReadU32(bytes, 4);
  EventStreamFrame frame;
  auto status = ReadHeaders(bytes.substr(kPrelude, headers), &frame.headers);
  if (!status.ok()) return status;
  frame.payload = bytes.substr(kPrelude + headers, end - kPrelude - headers);
  return visit(frame);
}

}  // namespace

absl::string_view EventStreamFrame::Text(absl::string_view name) const {
  for (const EventStreamHeader& header : headers) {
    if (header.name == name && header.type == EventStreamHeader::kString) return header.value;
  }
  return {};
}

absl::Status EventStreamParser::Feed(absl::string_view bytes, Visitor visit) {
  while (!bytes.empty()) {
    size_t total = kPrelude;
    if (kept_.empty() && bytes.size() >= kPrelude) {
      if (auto status = ReadPrelude(bytes, &total); !status.ok()) return status;
      if (bytes.size() >= total) {
        if (auto status = VisitFrame(bytes.substr(0, total), visit); !status.ok()) return status;
        bytes.remove_prefix(total);
        continue;
      }
    }
    const bool known = kept_.size() >= kPrelude;  // its lengths are, and were checked
    if (known) total = ReadU32(kept_, 0);
    const size_t taken = std::min(total - kept_.size(), bytes.size());
    kept_.append(bytes.data(), taken);
    bytes.remove_prefix(taken);
    if (kept_.size() < total) return absl::OkStatus();
    if (!known) {
      if (auto status = ReadPrelude(kept_, &total); !status.ok()) return status;
      continue;
    }
    if (auto status = VisitFrame(kept_, visit); !status.ok()) return status;
    kept_.clear();
  }
  return absl::OkStatus();
}

}  // namespace mg
