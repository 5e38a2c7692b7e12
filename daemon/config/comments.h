// The comments of config.proto, as the embedded descriptors have them: what the manual and the JSON
// Schema say of each key. Immutable; any thread.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace mg {

class Comments {
 public:
  Comments();

  std::string Of(const google::protobuf::Descriptor& type) const;
  // That of its enum where it has none of its own.
  std::string Of(const google::protobuf::FieldDescriptor& field) const;
  // Before the first statement of the file.
  std::string Head(const google::protobuf::FileDescriptor& file) const;

 private:
  google::protobuf::DescriptorPool pool_;
};

}  // namespace mg
