// What reflection serves (proto/embedded.h) against the contract that lies beside the checkout:
// everything of the contract is there unchanged, and more may be. The contract is parsed at test
// time, with protoc.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "proto/embedded.h"

namespace mg {
namespace {

namespace pb = google::protobuf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A file with all that it imports.
class Parsed {
 public:
  Parsed(absl::string_view descriptors, std::string file) : file_(std::move(file)) {
    EXPECT_TRUE(set_.ParseFromArray(descriptors.data(), static_cast<int>(descriptors.size())));
  }

  pb::FileDescriptorProto* proto() {
    for (pb::FileDescriptorProto& file : *set_.mutable_file()) {
      if (file.name() == file_) return &file;
    }
    ADD_FAILURE() << "no file " << file_;
    return set_.add_file();
  }

  // Once: a pool does not forget.
  const pb::FileDescriptor* Build() {
    for (const pb::FileDescriptorProto& file : set_.file()) pool_.BuildFile(file);
    return pool_.FindFileByName(file_);
  }

 private:
  const std::string file_;
  pb::FileDescriptorSet set_;
  pb::DescriptorPool pool_;
};

// As protoc reads it.
std::string Compile(const std::string& folder, const std::string& file) {
  const std::string command =
      absl::StrCat(MG_PROTOC " -I '", folder,
                   "' --include_imports --descriptor_set_out=/dev/stdout '", file, "'");
  FILE* pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string bytes;
  char piece[4096];
  while (const size_t got = fread(piece, 1, sizeof piece, pipe)) bytes.append(piece, got);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return bytes;
}

// What of `contract` is missing or different in `ours`, a line each.
class Comparison {
 public:
  std::vector<std::string> Run(const pb::FileDescriptor& contract, const pb::FileDescriptor& ours) {
    ours_ = &ours;
    Same(contract.name(), "package", contract.package(), ours.package());
    Same(contract.name(), "syntax", contract.SyntaxName(contract.syntax()),
         ours.SyntaxName(ours.syntax()));
    Same(contract.name(), "options", contract.options().DebugString(),
         ours.options().DebugString());
    for (int i = 0; i < contract.message_type_count(); ++i) Message(*contract.message_type(i));
    for (int i = 0; i < contract.enum_type_count(); ++i) Enum(*contract.enum_type(i));
    for (int i = 0; i < contract.service_count(); ++i) Service(*contract.service(i));
    return differences_;
  }

 private:
  void Same(const std::string& name, const char* what, const std::string& wanted,
            const std::string& got) {
    if (wanted != got) Say(name, absl::StrCat(what, " is ", got, ", not ", wanted));
  }
  void Say(const std::string& name, const std::string& text) {
    differences_.push_back(absl::StrCat(name, ": ", text));
  }

  void Message(const pb::Descriptor& wanted) {
    const pb::Descriptor* got = ours_->pool()->FindMessageTypeByName(wanted.full_name());
    if (got == nullptr) return Say(wanted.full_name(), "missing");
    for (int i = 0; i < wanted.field_count(); ++i) {
      const pb::FieldDescriptor& field = *wanted.field(i);
      const pb::FieldDescriptor* same = got->FindFieldByNumber(field.number());
      if (same == nullptr) {
        Say(field.full_name(), "missing");
      } else {
        Field(field, *same);
      }
    }
    Same(wanted.full_name(), "options", wanted.options().DebugString(),
         got->options().DebugString());
    for (int i = 0; i < wanted.nested_type_count(); ++i) Message(*wanted.nested_type(i));
    for (int i = 0; i < wanted.enum_type_count(); ++i) Enum(*wanted.enum_type(i));
  }

  static std::string TypeOf(const pb::FieldDescriptor& field) {
    if (field.message_type() != nullptr) return field.message_type()->full_name();
    if (field.enum_type() != nullptr) return field.enum_type()->full_name();
    return field.type_name();
  }
  static std::string LabelOf(const pb::FieldDescriptor& field) {
    return field.is_repeated()    ? "repeated"
           : field.has_presence() ? "with presence"
                                  : "without presence";
  }
  static std::string OneofOf(const pb::FieldDescriptor& field) {
    return field.real_containing_oneof() == nullptr ? "none"
                                                    : field.real_containing_oneof()->name();
  }

  void Field(const pb::FieldDescriptor& wanted, const pb::FieldDescriptor& got) {
    const std::string& name = wanted.full_name();
    Same(name, "name", wanted.name(), got.name());
    Same(name, "json_name", wanted.json_name(), got.json_name());
    Same(name, "type", TypeOf(wanted), TypeOf(got));
    Same(name, "label", LabelOf(wanted), LabelOf(got));
    Same(name, "oneof", OneofOf(wanted), OneofOf(got));
    Same(name, "options", wanted.options().DebugString(), got.options().DebugString());
  }

  void Enum(const pb::EnumDescriptor& wanted) {
    const pb::EnumDescriptor* got = ours_->pool()->FindEnumTypeByName(wanted.full_name());
    if (got == nullptr) return Say(wanted.full_name(), "missing");
    for (int i = 0; i < wanted.value_count(); ++i) {
      const pb::EnumValueDescriptor* value = got->FindValueByName(wanted.value(i)->name());
      if (value == nullptr) {
        Say(wanted.value(i)->full_name(), "missing");
      } else {
        Same(value->full_name(), "number", absl::StrCat(wanted.value(i)->number()),
             absl::StrCat(value->number()));
      }
    }
  }

  void Service(const pb::ServiceDescriptor& wanted) {
    const pb::ServiceDescriptor* got = ours_->pool()->FindServiceByName(wanted.full_name());
    if (got == nullptr) return Say(wanted.full_name(), "missing");
    for (int i = 0; i < wanted.method_count(); ++i) {
      const pb::MethodDescriptor& method = *wanted.method(i);
      const pb::MethodDescriptor* same = got->FindMethodByName(method.name());
      if (same == nullptr) {
        Say(method.full_name(), "missing");
        continue;
      }
      Same(method.full_name(), "input", method.input_type()->full_name(),
           same->input_type()->full_name());
      Same(method.full_name(), "output", method.output_type()->full_name(),
           same->output_type()->full_name());
      Same(method.full_name(), "streaming", StreamingOf(method), StreamingOf(*same));
      Same(method.full_name(), "options", method.options().DebugString(),
           same->options().DebugString());
    }
  }
  static std::string StreamingOf(const pb::MethodDescriptor& method) {
    return absl::StrCat(method.client_streaming() ? "stream" : "one", " to ",
                        method.server_streaming() ? "stream" : "one");
  }

  const pb::FileDescriptor* ours_ = nullptr;
  std::vector<std::string> differences_;
};

// As it is served.
Parsed Ours() { return Parsed(EmbeddedDescriptors(), "modelgateway/v1/gateway.proto"); }

TEST(ContractTest, EverythingOfTheContractIsServedUnchanged) {
  const std::string folder = MG_SOURCE_DIR "/../shared/contract";
  if (!std::filesystem::exists(folder + "/gateway.proto")) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string(ci) == "true")
        << "the contract is not beside the checkout";
    GTEST_SKIP() << "the contract is not beside the checkout";
  }
  Parsed contract(Compile(folder, "gateway.proto"), "gateway.proto");
  Parsed ours = Ours();
  const pb::FileDescriptor* wanted = contract.Build();
  const pb::FileDescriptor* got = ours.Build();
  ASSERT_NE(wanted, nullptr);
  ASSERT_NE(got, nullptr);
  EXPECT_GT(wanted->message_type_count(), 40);
  EXPECT_THAT(Comparison().Run(*wanted, *got), IsEmpty());
}

// The differences of a changed copy to the unchanged file.
std::vector<std::string> After(const std::function<void(pb::FileDescriptorProto*)>& change) {
  Parsed contract = Ours();
  Parsed changed = Ours();
  change(changed.proto());
  const pb::FileDescriptor* wanted = contract.Build();
  const pb::FileDescriptor* got = changed.Build();
  if (wanted == nullptr || got == nullptr) return {"does not build"};
  return Comparison().Run(*wanted, *got);
}

pb::DescriptorProto* MessageOf(pb::FileDescriptorProto* file, const std::string& name) {
  for (pb::DescriptorProto& message : *file->mutable_message_type()) {
    if (message.name() == name) return &message;
  }
  ADD_FAILURE() << "no message " << name;
  return file->add_message_type();
}

pb::FieldDescriptorProto* FieldOf(pb::FileDescriptorProto* file, const std::string& message,
                                  const std::string& name) {
  for (pb::FieldDescriptorProto& field : *MessageOf(file, message)->mutable_field()) {
    if (field.name() == name) return &field;
  }
  ADD_FAILURE() << "no field " << name;
  return MessageOf(file, message)->add_field();
}

TEST(ContractTest, TheComparisonSeesEveryKindOfChange) {
  using File = pb::FileDescriptorProto;
  const auto sees = [](const std::function<void(File*)>& change, const char* difference) {
    EXPECT_THAT(After(change), Contains(HasSubstr(difference)));
  };
  sees([](File* file) { FieldOf(file, "ChatRequest", "model")->set_name("alias"); },
       "ChatRequest.model: name");
  sees([](File* file) { FieldOf(file, "ChatRequest", "model")->set_number(99); },
       "ChatRequest.model: missing");
  sees([](File* file) { FieldOf(file, "ChatRequest", "model")->set_json_name("M"); },
       "ChatRequest.model: json_name");
  sees(
      [](File* file) {
        FieldOf(file, "ChatRequest", "model")->set_type(pb::FieldDescriptorProto::TYPE_BYTES);
      },
      "ChatRequest.model: type");
  sees(
      [](File* file) {
        FieldOf(file, "ChatRequest", "model")->set_label(pb::FieldDescriptorProto::LABEL_REPEATED);
      },
      "ChatRequest.model: label");
  sees(
      [](File* file) {
        FieldOf(file, "ChatRequest", "sampling")->set_type_name(".modelgateway.v1.Reasoning");
      },
      "ChatRequest.sampling: type");
  sees([](File* file) { FieldOf(file, "Part", "text")->clear_oneof_index(); }, "Part.text: oneof");
  sees(
      [](File* file) {
        FieldOf(file, "Tool", "strict")->clear_proto3_optional();
        FieldOf(file, "Tool", "strict")->clear_oneof_index();
        MessageOf(file, "Tool")->clear_oneof_decl();
      },
      "Tool.strict: label");
  sees(
      [](File* file) {
        FieldOf(file, "ChatRequest", "model")->mutable_options()->set_deprecated(true);
      },
      "ChatRequest.model: options");
  sees([](File* file) { file->mutable_enum_type(0)->mutable_value()->RemoveLast(); },
       "ROLE_TOOL: missing");
  sees([](File* file) { file->mutable_enum_type(0)->mutable_value(4)->set_number(9); },
       "ROLE_TOOL: number");
  sees([](File* file) { file->mutable_service(0)->mutable_method(0)->set_server_streaming(true); },
       "Chat: streaming");
  sees([](File* file) { file->mutable_service(0)->mutable_method()->RemoveLast(); },
       "ListModels: missing");
  sees([](File* file) { file->mutable_service(0)->set_name("Gateway"); }, "ModelGateway: missing");
  sees([](File* file) { file->mutable_options()->set_go_package("x"); }, "options");
}

TEST(ContractTest, TheComparisonAllowsAdditions) {
  EXPECT_THAT(After([](pb::FileDescriptorProto* file) {
                pb::FieldDescriptorProto* field = MessageOf(file, "ChatRequest")->add_field();
                field->set_name("later");
                field->set_number(50);
                field->set_type(pb::FieldDescriptorProto::TYPE_STRING);
                file->add_message_type()->set_name("Later");
                pb::EnumValueDescriptorProto* value = file->mutable_enum_type(0)->add_value();
                value->set_name("ROLE_LATER");
                value->set_number(50);
              }),
              IsEmpty());
}

// The names of the elements that have no comment before or behind them.
class Uncommented {
 public:
  std::vector<std::string> In(const pb::FileDescriptor& file) {
    for (int i = 0; i < file.message_type_count(); ++i) Message(*file.message_type(i));
    for (int i = 0; i < file.enum_type_count(); ++i) Enum(*file.enum_type(i));
    for (int i = 0; i < file.service_count(); ++i) {
      Look(*file.service(i));
      for (int j = 0; j < file.service(i)->method_count(); ++j) Look(*file.service(i)->method(j));
    }
    return names_;
  }
  int looked_at() const { return looked_at_; }

 private:
  template <typename Element>
  void Look(const Element& element) {
    ++looked_at_;
    pb::SourceLocation location;
    const bool found = element.GetSourceLocation(&location);
    if (!found || (location.leading_comments.empty() && location.trailing_comments.empty())) {
      names_.push_back(element.full_name());
    }
  }
  void Message(const pb::Descriptor& message) {
    if (message.options().map_entry()) return;
    Look(message);
    for (int i = 0; i < message.field_count(); ++i) Look(*message.field(i));
    for (int i = 0; i < message.real_oneof_decl_count(); ++i) Look(*message.oneof_decl(i));
    for (int i = 0; i < message.nested_type_count(); ++i) Message(*message.nested_type(i));
    for (int i = 0; i < message.enum_type_count(); ++i) Enum(*message.enum_type(i));
  }
  void Enum(const pb::EnumDescriptor& element) {
    Look(element);
    for (int i = 0; i < element.value_count(); ++i) Look(*element.value(i));
  }

  int looked_at_ = 0;
  std::vector<std::string> names_;
};

TEST(ContractTest, EveryElementHasAComment) {
  Parsed ours = Ours();
  const pb::FileDescriptor* file = ours.Build();
  ASSERT_NE(file, nullptr);
  Uncommented uncommented;
  EXPECT_THAT(uncommented.In(*file), IsEmpty());
  EXPECT_GT(uncommented.looked_at(), 350);
}

TEST(ContractTest, AMissingCommentIsSeen) {
  Parsed ours = Ours();
  // Path 4, 0, 2, 0: the first field of the first message.
  for (pb::SourceCodeInfo::Location& location :
       *ours.proto()->mutable_source_code_info()->mutable_location()) {
    if (location.path_size() == 4 && location.path(0) == 4 && location.path(1) == 0 &&
        location.path(2) == 2 && location.path(3) == 0) {
      location.clear_leading_comments();
    }
  }
  const pb::FileDescriptor* file = ours.Build();
  ASSERT_NE(file, nullptr);
  EXPECT_THAT(Uncommented().In(*file), ::testing::ElementsAre("modelgateway.v1.ChatRequest.model"));
}

}  // namespace
}  // namespace mg
