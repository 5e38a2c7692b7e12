#include "daemon/config/comments.h"

#include <google/protobuf/descriptor.pb.h>

#include "absl/strings/string_view.h"
#include "base/check.h"
#include "proto/embedded.h"

namespace mg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::SourceLocation;

template <typename Element>
std::string Leading(const Element* element) {
  SourceLocation location;
  MG_CHECK(element != nullptr, "the embedded descriptors are not those that are compiled in");
  element->GetSourceLocation(&location);
  return location.leading_comments;
}

}  // namespace

Comments::Comments() {
  FileDescriptorSet set;
  const absl::string_view bytes = EmbeddedDescriptors();
  MG_CHECK(set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
           "the embedded descriptors cannot be read");
  for (const FileDescriptorProto& file : set.file()) pool_.BuildFile(file);
}

std::string Comments::Of(const Descriptor& type) const {
  return Leading(pool_.FindMessageTypeByName(type.full_name()));
}

std::string Comments::Of(const FieldDescriptor& field) const {
  std::string comment = Leading(pool_.FindFieldByName(field.full_name()));
  if (!comment.empty() || field.enum_type() == nullptr) return comment;
  return Leading(pool_.FindEnumTypeByName(field.enum_type()->full_name()));
}

std::string Comments::Head(const FileDescriptor& file) const {
  SourceLocation location;
  const FileDescriptor* found = pool_.FindFileByName(file.name());
  MG_CHECK(found != nullptr, "config.proto is not embedded");
  found->GetSourceLocation({FileDescriptorProto::kSyntaxFieldNumber}, &location);
  return location.leading_comments;
}

}  // namespace mg
