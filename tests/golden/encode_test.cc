// Requests and the body that each becomes: encode/NAME.textproto (a ChatRequest; "# context:" lines
// say for whom) and encode/NAME.json (the body and the warnings, or the error). Likewise in the
// folders of dialects there.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "adapters/dialect.h"
#include "adapters/json_text.h"
#include "tests/golden/encode_cases.h"
#include "tests/golden/golden_files.h"

namespace mg {
namespace {

void AppendMember(absl::string_view name, absl::string_view text, std::string* out) {
  if (text.empty()) return;
  if (out->back() != '{') out->push_back(',');
  absl::StrAppend(out, "\"", name, "\":");
  AppendJsonString(text, out);
}

// A member of the body a line, as it was written.
std::string Describe(const EncodedRequest& encoded) {
  std::string out = absl::StrCat("{\"url\":\"", encoded.http.url, "\",\n");
  for (const HttpHeader& header : encoded.http.headers) {
    absl::StrAppend(&out, "\"", header.name, "\":\"", header.value, "\",\n");
  }
  out.append("\"body\":{");
  absl::string_view comma = "";
  ForEachMember(encoded.http.body, [&](absl::string_view name, absl::string_view value) {
    absl::StrAppend(&out, comma, "\n  \"", name, "\":", value);
    comma = ",";
  });
  out.append("\n},\n\"warnings\":[");
  comma = "";
  for (const v1::Warning& warning : encoded.warnings) {
    absl::StrAppend(&out, comma, "\n  {");
    AppendMember("code", warning.code(), &out);
    AppendMember("field", warning.field(), &out);
    AppendMember("message", warning.message(), &out);
    out.push_back('}');
    comma = ",";
  }
  out.append("\n]}\n");
  return out;
}

std::string DescribeError(const absl::Status& status) {
  std::string out = "{\"error\":{";
  AppendMember("kind", KindName(DetailOf(status).kind()), &out);
  AppendMember("field", DetailOf(status).field(), &out);
  AppendMember("message", status.message(), &out);
  out.append("}}\n");
  return out;
}

void RunGolden(const EncodeSuite& suite) {
  const std::vector<EncodeCase> cases = CasesOf(suite);
  for (const EncodeCase& one : cases) {
    SCOPED_TRACE(one.path);
    const auto encoded = Encode(one);
    std::string actual;
    if (encoded.ok()) {
      JsonDocument body;
      EXPECT_TRUE(ParseJson(encoded->http.body, &body).ok()) << encoded->http.body;
      actual = Describe(*encoded);
    } else {
      actual = DescribeError(encoded.status());
    }
    ExpectGolden(one.path.substr(0, one.path.size() - sizeof("textproto") + 1) + "json", actual);
  }
  std::printf("encode: cases found %zu, run %zu, skipped 0\n", cases.size(), cases.size());
}

TEST(Encode, Golden) {
  for (const EncodeSuite& suite : EncodeSuites()) RunGolden(suite);
}

}  // namespace
}  // namespace mg
