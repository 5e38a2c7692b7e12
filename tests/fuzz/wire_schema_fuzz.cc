// The walk over a request's bytes against protobuf's own parser: what both let in has nothing
// unknown in it, what the parser reads without finding anything unknown the walk takes, and the
// answer is the same in whatever blocks the bytes come.
// Input: the method, as a letter from '@' on; the message.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/utf8.h"
#include "daemon/wire_schema.h"
#include "tests/fuzz/pieces.h"

namespace mg {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool AllKnown(const Message& message);

bool FieldKnown(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
  for (int i = 0; i < count; ++i) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const int value = field->is_repeated() ? reflection->GetRepeatedEnumValue(message, field, i)
                                             : reflection->GetEnumValue(message, field);
      if (field->enum_type()->FindValueByNumber(value) == nullptr) return false;
    }
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!AllKnown(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                         : reflection->GetMessage(message, field))) {
        return false;
      }
    }
  }
  return true;
}

bool AllKnown(const Message& message) {
  const Reflection* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) return false;
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!FieldKnown(message, field)) return false;
  }
  return true;
}

struct Method {
  explicit Method(const Message& message)
      : empty(message), schema(message.GetDescriptor(), "model-gateway 1.2.3") {}
  const Message& empty;
  const WireSchema schema;
};

const Method& MethodOf(uint8_t choice) {
  static const auto* const kMethods = new std::array<Method, 4>{
      Method(v1::ChatRequest::default_instance()), Method(v1::EmbedRequest::default_instance()),
      Method(v1::CountTokensRequest::default_instance()),
      Method(v1::ListModelsRequest::default_instance())};
  return (*kMethods)[choice % 4];
}

bool Accepts(const WireSchema& schema, const std::string& bytes, int block) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()),
                                                block);
  return schema.Accepts(&stream);
}

void Check(absl::string_view input) {
  const google::protobuf::LogSilencer quiet;  // what the parser says of bad UTF-8 takes most time
  const Method& method = MethodOf(TakeByte(&input));
  const std::string bytes(input);
  const bool accepted = Accepts(method.schema, bytes, -1);
  for (const int block : {1, 7}) {
    MG_CHECK(Accepts(method.schema, bytes, block) == accepted, "the same in any blocks");
  }
  std::unique_ptr<Message> parsed(method.empty.New());
  const bool parses = parsed->ParseFromString(bytes);
  const bool known = parses && AllKnown(*parsed);
  if (accepted && parses) MG_CHECK(known, "what is let in has nothing unknown");
  // Written anew: protobuf reads numbers that are longer than they need to be, and the walk may
  // not.
  if (known) {
    MG_CHECK(Accepts(method.schema, parsed->SerializeAsString(), -1), "what is known is let in");
  }
  const absl::Status why = method.schema.Explain(bytes);
  MG_CHECK(ClassOf(why) == ErrorClass::kInvalidRequest, "the caller's fault");
  MG_CHECK(IsValidUtf8(why.message()), "UTF-8");
  MG_CHECK(IsValidUtf8(DetailOf(why).field()), "UTF-8");
}

}  // namespace
}  // namespace mg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mg::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
