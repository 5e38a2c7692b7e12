// The manual of the configuration: nothing of the schema is missing in it, and it reads well.
#include "daemon/config/docs.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "daemon/config/schema.h"
#include "proto/embedded.h"

namespace mg {
namespace {

namespace pb = google::protobuf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What stands between the heading and the next one.
std::string EntryOf(absl::string_view heading) {
  const std::string page = ConfigManual();
  const std::string start = absl::StrCat("\n", heading, "\n\n");
  const size_t at = page.find(start);
  if (at == std::string::npos) return "";
  const std::string rest = page.substr(at + start.size());
  return std::string(absl::StripSuffix(rest.substr(0, rest.find("\n#")), "\n"));
}

TEST(ConfigManual, AnEntrySaysTypeLimitsDefaultAndMeaning) {
  EXPECT_EQ(
      EntryOf("### `retry.base_delay`"),
      "Duration, 1ms to 60s. Default: `250ms`.\n\n"
      "The wait before the first repetition at the same candidate; it doubles with each. At most "
      "max_delay.");
  EXPECT_THAT(EntryOf("### `limits.call_buffer`"),
              ::testing::StartsWith("Size, 64KiB to 64MiB. Default: `8MiB`."));
  EXPECT_THAT(EntryOf("### `listen.allow_unauthenticated`"),
              ::testing::StartsWith("`true` or `false`. Default: `false`."));
  EXPECT_THAT(EntryOf("### `listen.health`"),
              ::testing::AllOf(::testing::StartsWith("List of texts. Default: `[]`."),
                               ::testing::EndsWith("Example:\n\n    health: [\"[::]:7414\"]")));
}

TEST(ConfigManual, WordsAreShownAsTheyAreWritten) {
  const std::string strategy = EntryOf("### `groups.NAME.strategy`");
  EXPECT_THAT(strategy, ::testing::StartsWith("One of `weighted_hash`, `round_robin`, `random`. "
                                              "Default: `weighted_hash`."));
  EXPECT_THAT(strategy, HasSubstr("How the first candidate of a call is chosen"))
      << "the comment of the enum";
  EXPECT_THAT(EntryOf("### `observability.logs.format`"),
              ::testing::StartsWith("One of `auto`, `json`, `text`. Default: `auto`."));
}

TEST(ConfigManual, WhatIsNotThereYetIsSaid) {
  EXPECT_THAT(EntryOf("### `listen.http`"), HasSubstr("Without effect in this version."));
  EXPECT_THAT(EntryOf("### `timeouts.ttft`"), Not(HasSubstr("Without effect")));
  EXPECT_THAT(EntryOf("## `listen`"), HasSubstr("Known, and not in this version: `tls`."));
  EXPECT_THAT(EntryOf("### `observability.backend`"),
              HasSubstr("Not in this version: `tracer`, `otel`, `langfuse`."));
}

TEST(ConfigManual, WhatWaitsForARestartIsSaid) {
  EXPECT_THAT(EntryOf("### `listen`"), HasSubstr("A change waits for a restart."));
  EXPECT_THAT(EntryOf("### `limits.buffered_bytes`"), HasSubstr("change waits for a restart."));
  EXPECT_THAT(EntryOf("### `retry`"), Not(HasSubstr("restart")));
}

TEST(ConfigManual, KeysWithKeysOfTheirOwnSayWhereThoseAre) {
  EXPECT_THAT(
      EntryOf("### `providers`"),
      ::testing::StartsWith("Map from the name of a provider to the keys of `providers.NAME`."));
  EXPECT_THAT(EntryOf("### `groups.NAME.candidates`"),
              ::testing::StartsWith(
                  "List, each with the keys of `groups.NAME.candidates[]`. Must be there."));
  EXPECT_THAT(EntryOf("### `groups.NAME.retry`"), ::testing::StartsWith("The keys of `retry`."));
  EXPECT_THAT(EntryOf("### `retry`"), ::testing::StartsWith("Keys of its own."));
  EXPECT_THAT(EntryOf("## `providers.NAME`"),
              HasSubstr("Exactly one of these keys: `openai`, `openai_compatible`, "));
  EXPECT_THAT(
      EntryOf("## `retry`"),
      HasSubstr("The same keys are in `groups.NAME.retry`, `groups.NAME.candidates[].retry`."));
  // The keys of an inlined message are those of its holder.
  EXPECT_THAT(EntryOf("### `providers.NAME.openai_compatible.ca_file`"),
              HasSubstr("Default: the certificates of the system."));
}

// ---- nothing is missing

// The keys of `section` as a configuration has them at `place`, and so on below it.
void CollectPaths(const pb::Descriptor& section, const std::string& place,
                  std::vector<std::string>* paths) {
  for (const SchemaKey& key : KeysOf(section)) {
    const pb::FieldDescriptor& field = *key.field;
    const std::string path = absl::StrCat(place, place.empty() ? "" : ".", field.name());
    paths->push_back(path);
    const pb::Descriptor* type =
        field.is_map() ? field.message_type()->map_value()->message_type() : field.message_type();
    if (type == nullptr || type->full_name() == "google.protobuf.Duration" ||
        FieldRuleOf(field).list()) {
      continue;
    }
    CollectPaths(*type,
                 absl::StrCat(path, field.is_map()        ? ".NAME"
                                    : field.is_repeated() ? "[]"
                                                          : ""),
                 paths);
  }
}

// Each path a configuration can have leads to an entry: directly, or through a section that says
// that its keys are at that place too.
TEST(ConfigManual, HoldsEveryKey) {
  const std::string page = ConfigManual();
  std::vector<std::string> paths;
  CollectPaths(*v1::Config::descriptor(), "", &paths);
  EXPECT_GT(paths.size(), 150u);
  for (const std::string& path : paths) {
    if (absl::StrContains(page, absl::StrCat("\n### `", path, "`\n"))) continue;
    // Its own section stands under another name, which lists this place.
    const std::string place = path.substr(0, path.rfind('.'));
    bool found = false;
    for (const std::string& section : std::vector<std::string>(absl::StrSplit(page, "\n## "))) {
      const std::string name = section.substr(0, section.find('\n'));
      const std::string key =
          absl::StrCat("\n### ", absl::StripSuffix(name, "`"), path.substr(path.rfind('.')), "`\n");
      const std::string head = section.substr(0, section.find("\n### "));
      found = found || (absl::StrContains(head, absl::StrCat("`", place, "`")) &&
                        absl::StrContains(section, key));
    }
    EXPECT_TRUE(found) << path;
  }
}

// The comment of an element in the embedded descriptors, without its example.
template <typename Element>
std::string TextOf(const Element* element) {
  pb::SourceLocation location;
  if (element == nullptr || !element->GetSourceLocation(&location)) return "";
  const std::string text = location.leading_comments + location.trailing_comments;
  return text.substr(0, text.find("Example:"));
}

TEST(ConfigManual, EveryMessageAndEveryFieldOfTheSchemaHasAComment) {
  pb::FileDescriptorSet set;
  const absl::string_view bytes = EmbeddedDescriptors();
  ASSERT_TRUE(set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  pb::DescriptorPool pool;
  for (const pb::FileDescriptorProto& file : set.file()) pool.BuildFile(file);
  const pb::FileDescriptor* file = pool.FindFileByName("modelgateway/v1/config.proto");
  ASSERT_NE(file, nullptr);
  std::vector<std::string> silent;
  int looked_at = 0;
  for (int i = 0; i < file->message_type_count(); ++i) {
    const pb::Descriptor& type = *file->message_type(i);
    if (TextOf(&type).size() < 10) silent.push_back(type.full_name());
    for (int j = 0; j < type.field_count(); ++j, ++looked_at) {
      const pb::FieldDescriptor& field = *type.field(j);
      if (TextOf(&field).size() < 10 && TextOf(field.enum_type()).size() < 10) {
        silent.push_back(field.full_name());
      }
    }
  }
  EXPECT_THAT(silent, IsEmpty());
  EXPECT_GT(looked_at, 150);
}

TEST(ConfigManual, EveryHeadingIsFollowedByText) {
  const std::vector<std::string> blocks = absl::StrSplit(ConfigManual(), "\n\n");
  for (size_t i = 0; i + 1 < blocks.size(); ++i) {
    if (!absl::StartsWith(blocks[i], "#")) continue;
    EXPECT_FALSE(absl::StartsWith(blocks[i + 1], "#")) << blocks[i];
    EXPECT_FALSE(absl::StartsWith(blocks[i + 1], "Example:")) << blocks[i];
    // Behind type and default of a key comes what it means.
    if (!absl::StartsWith(blocks[i], "### ")) continue;
    ASSERT_LT(i + 2, blocks.size()) << blocks[i];
    EXPECT_FALSE(absl::StartsWith(blocks[i + 2], "#")) << blocks[i];
  }
}

TEST(ConfigManual, SaysHowValuesAreWritten) {
  const std::string page = ConfigManual();
  const std::string head = page.substr(0, page.find("\n## "));
  EXPECT_THAT(head, ::testing::StartsWith("# The configuration of Model Gateway "));
  EXPECT_THAT(head, HasSubstr("\n    durations  "));
  EXPECT_THAT(head, HasSubstr("{ env: NAME }"));
  EXPECT_THAT(head, Not(HasSubstr("(rule)"))) << "that is for readers of the schema";
}

TEST(ConfigManual, IsStableAndFitsATerminal) {
  const std::string page = ConfigManual();
  EXPECT_EQ(page, ConfigManual());
  EXPECT_EQ(page.back(), '\n');
  EXPECT_THAT(page, Not(HasSubstr("\n\n\n")));
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(page, '\n'))) {
    EXPECT_LE(line.size(), 100u) << line;
    EXPECT_FALSE(absl::EndsWith(line, " ")) << line;
    EXPECT_EQ(line.find_first_of("\t\x1b"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace mg
