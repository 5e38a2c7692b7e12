// JSON as text: what dialects write without a document, slices of what callers and providers wrote
// (so that digits and key order survive), and Struct in both directions. Pure functions, any
// thread.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/json.h"
#include "google/protobuf/struct.pb.h"

namespace mg {

// Deeper settings than this are refused: they are written and merged by recursion.
inline constexpr int kMaxStructDepth = 64;

// 0.7, 1024 (never 1024.0, which servers refuse for integers). `value` must be finite.
void AppendJsonNumber(double value, std::string* out);

// Appends `"name":` with a comma before it where the object is not empty yet.
void AppendJsonKey(absl::string_view name, std::string* out);

// Appends the object that `settings` means, its keys in order of name. INVALID_ARGUMENT (plain) for
// numbers that JSON does not have and for depth above kMaxStructDepth; `out` is then unspecified.
absl::Status AppendStruct(const google::protobuf::Struct& settings, std::string* out);

// The object `text` with `settings` merged into it, object by object; what `text` has already is
// never replaced. A member that both have (and not both as objects) is INVALID_ARGUMENT (plain)
// whose message is its path, ".a.b".
absl::Status MergeIntoObject(absl::string_view text, const google::protobuf::Struct& settings,
                             std::string* out);

// `over` laid over `base`, object by object.
void LayOver(const google::protobuf::Struct& over, google::protobuf::Struct* base);

// Calls `visit` with the name (as written, escapes and all) and the text of each member of an
// object. `object` must be JSON that ParseJson has accepted.
void ForEachMember(absl::string_view object,
                   absl::FunctionRef<void(absl::string_view name, absl::string_view value)> visit);
// The text of an object's member (the first of that name), empty if there is none; of all of an
// array's elements.
absl::string_view MemberText(absl::string_view object, absl::string_view name);
std::vector<absl::string_view> ElementTexts(absl::string_view array);

// A JSON value as a Value; what lies deeper than `depth` levels becomes its JSON text (protobuf
// readers stop at 100).
void ToStructValue(const JsonValue& json, int depth, google::protobuf::Value* value);

// Is `text` an object, and which? The slice without the white space around it; INVALID_ARGUMENT
// (plain) says why not.
absl::Status CheckJsonObject(absl::string_view text, absl::string_view* object, bool* empty);

}  // namespace mg
