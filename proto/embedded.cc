#include "proto/embedded.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>

// The assembler takes the file in as it is: a generated array would be compiled for seconds.
asm(R"(
  .pushsection .rodata.mg_descriptors, "a", @progbits
  .globl mg_descriptors_begin
mg_descriptors_begin:
  .incbin ")" MG_DESCRIPTORS R"("
  .globl mg_descriptors_end
mg_descriptors_end:
  .popsection
)");

// The names of the assembler's labels.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" const char mg_descriptors_begin[];
extern "C" const char mg_descriptors_end[];
// NOLINTEND(readability-identifier-naming)

namespace mg {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// The next field of a message of bytes alone, if it has that number: a set holds nothing else, and
// a file begins with its name.
bool ReadBytes(CodedInputStream* in, int number, absl::string_view* bytes) {
  uint32_t size = 0;
  const void* data = nullptr;
  int available = 0;
  if (in->ReadTag() != WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED) ||
      !in->ReadVarint32(&size) || !in->GetDirectBufferPointer(&data, &available) ||
      size > static_cast<uint32_t>(available)) {
    return false;
  }
  *bytes = absl::string_view(static_cast<const char*>(data), size);
  return in->Skip(static_cast<int>(size));
}

CodedInputStream Over(absl::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

}  // namespace

absl::string_view EmbeddedDescriptors() {
  return {mg_descriptors_begin, static_cast<size_t>(mg_descriptors_end - mg_descriptors_begin)};
}

absl::string_view EmbeddedFile(absl::string_view name) {
  CodedInputStream set = Over(EmbeddedDescriptors());
  absl::string_view file;
  while (ReadBytes(&set, FileDescriptorSet::kFileFieldNumber, &file)) {
    CodedInputStream content = Over(file);
    absl::string_view file_name;
    if (ReadBytes(&content, FileDescriptorProto::kNameFieldNumber, &file_name) &&
        file_name == name) {
      return file;
    }
  }
  return {};
}

}  // namespace mg
