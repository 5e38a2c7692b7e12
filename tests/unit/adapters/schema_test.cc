// The validator of structured answers: vectors for each keyword, what it refuses of a schema, and
// that no schema and no document makes it crash, loop or work for long.
#include "adapters/schema/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<const AnswerSchema> Compiled(absl::string_view schema) {
  auto compiled = AnswerSchema::Compile(schema);
  EXPECT_TRUE(compiled.ok()) << schema << "\n" << compiled.status();
  return compiled.ok() ? *std::move(compiled) : nullptr;
}

// "/a minimum, /b type"; "" for a document that fits.
std::string Faults(const AnswerSchema& schema, absl::string_view document) {
  return absl::StrJoin(schema.Check(document, 5), ", ",
                       [](std::string* out, const SchemaViolation& violation) {
                         absl::StrAppend(out, violation.pointer, " ", violation.keyword);
                       });
}

struct Vector {
  const char* schema;
  std::vector<const char*> fitting;
  // Document and its faults.
  std::vector<std::pair<const char*, const char*>> wrong;
};

const Vector kVectors[] = {
    {R"({})",
     {"1", "null", "{}", R"("")"},
     {{"", " json"}, {"{\"a\":}", " json"}, {"1 2", " json"}}},
    {R"(true)", {"1", "[]"}, {}},
    {R"(false)", {}, {{"1", " false"}, {"{}", " false"}}},

    {R"({"type":"null"})", {"null"}, {{"0", " type"}, {"false", " type"}, {R"("")", " type"}}},
    {R"({"type":"boolean"})", {"true", "false"}, {{"0", " type"}, {"null", " type"}}},
    {R"({"type":"object"})", {"{}", R"({"a":1})"}, {{"[]", " type"}, {"null", " type"}}},
    {R"({"type":"array"})", {"[]", "[1]"}, {{"{}", " type"}, {R"("[]")", " type"}}},
    {R"({"type":"string"})", {R"("")", R"("1")"}, {{"1", " type"}, {"null", " type"}}},
    {R"({"type":"number"})",
     {"0", "-1.5", "1e300", "1e9"},
     {{R"("1")", " type"}, {"true", " type"}}},
    {R"({"type":"integer"})",
     {"0", "-3", "1.0", "1e3", "18446744073709551615", "9007199254740993"},
     {{"1.5", " type"}, {R"("1")", " type"}, {"1e-3", " type"}}},
    {R"({"type":["string","null"]})", {"null", R"("a")"}, {{"1", " type"}, {"[]", " type"}}},

    {R"({"enum":["a",1,null,{"x":[1,2]}]})",
     {R"("a")", "1", "1.0", "null", R"({"x":[1,2.0]})"},
     {{R"("A")", " enum"},
      {"true", " enum"},
      {R"({"x":[2,1]})", " enum"},
      {R"({"x":[1,2],"y":0})", " enum"}}},
    {R"({"enum":[]})", {}, {{"1", " enum"}}},
    {R"({"const":{"a":1,"b":[true]}})",
     {R"({"b":[true],"a":1.0})"},
     {{R"({"a":1,"b":[1]})", " const"}, {R"({"a":1})", " const"}, {"null", " const"}}},
    {R"({"const":null})", {"null"}, {{"0", " const"}, {R"("null")", " const"}}},
    {R"({"const":9007199254740993})", {"9007199254740993"}, {{"9007199254740992", " const"}}},
    {R"({"const":false})", {"false"}, {{"0", " const"}, {"true", " const"}}},

    {R"({"properties":{"a":{"type":"string"},"a/b~c":{"type":"null"}}})",
     {"{}", R"({"a":"x"})", R"({"z":1})", "[]"},
     {{R"({"a":1})", "/a type"}, {R"({"a/b~c":1,"a":2})", "/a~1b~0c type, /a type"}}},
    {R"({"properties":{"a":false}})", {"{}"}, {{R"({"a":1})", "/a false"}}},
    // Each of two members of one name counts.
    {R"({"properties":{"a":{"type":"string"}}})", {}, {{R"({"a":"x","a":1})", "/a type"}}},
    {R"({"required":["a","b"]})",
     {R"({"a":null,"b":1,"c":2})", "[]"},
     {{"{}", " required,  required"}, {R"({"b":1})", " required"}}},
    {R"({"properties":{"a":{}},"additionalProperties":false})",
     {"{}", R"({"a":1})"},
     {{R"({"b":1})", "/b additionalProperties"}}},
    {R"({"properties":{"a":{}},"required":["b"],"additionalProperties":false})",
     {},
     {{R"({"a":1,"b":1})", "/b additionalProperties"}}},
    {R"({"additionalProperties":{"type":"integer"}})",
     {"{}", R"({"a":1,"b":2})"},
     {{R"({"a":1,"b":"2"})", "/b type"}}},
    {R"({"additionalProperties":true})", {R"({"a":1})"}, {}},
    {R"({"minProperties":1,"maxProperties":2})",
     {R"({"a":1})", R"({"a":1,"b":2})", "[]"},
     {{"{}", " minProperties"}, {R"({"a":1,"b":2,"c":3})", " maxProperties"}}},

    {R"({"items":{"type":"integer"}})",
     {"[]", "[1,2]", "{}"},
     {{R"([1,"2",3,null])", "/1 type, /3 type"}}},
    {R"({"items":false})", {"[]"}, {{"[1]", "/0 false"}}},
    {R"({"prefixItems":[{"type":"string"},{"type":"integer"}],"items":false})",
     {"[]", R"(["a"])", R"(["a",1])"},
     {{R"([1])", "/0 type"}, {R"(["a",1,2])", "/2 false"}, {R"(["a","b"])", "/1 type"}}},
    {R"({"prefixItems":[{"const":1}]})", {"[1,2,3]", "{}"}, {{"[2]", "/0 const"}}},
    {R"({"prefixItems":[{}],"items":{"type":"null"}})", {"[1,null]"}, {{"[null,1]", "/1 type"}}},
    {R"({"minItems":1,"maxItems":2})",
     {"[1]", "[1,2]", R"("")"},
     {{"[]", " minItems"}, {"[1,2,3]", " maxItems"}}},

    {R"({"minimum":1,"maximum":2.5})",
     {"1", "2.5", "1.0", R"("0")"},
     {{"0.999", " minimum"}, {"2.500001", " maximum"}, {"-1e300", " minimum"}}},
    {R"({"minimum":9007199254740993})", {"9007199254740993"}, {{"9007199254740992", " minimum"}}},
    {R"({"maximum":18446744073709551614})",
     {"18446744073709551614"},
     {{"18446744073709551615", " maximum"}}},
    {R"({"exclusiveMinimum":0,"exclusiveMaximum":1})",
     {"0.5", "[]"},
     {{"0", " exclusiveMinimum"}, {"-0.0", " exclusiveMinimum"}, {"1", " exclusiveMaximum"}}},
    {R"({"multipleOf":3})",
     {"0", "-9", "9.0", R"("1")"},
     {{"1", " multipleOf"}, {"9.5", " multipleOf"}}},
    {R"({"multipleOf":0.1})",
     {"0.3", "1.1", "7", "-0.7"},
     {{"0.35", " multipleOf"}, {"0.3001", " multipleOf"}}},
    {R"({"multipleOf":0.01})", {"19.99", "1234567.89", "0"}, {{"19.995", " multipleOf"}}},
    {R"({"multipleOf":4503599627370497})",
     {"9007199254740994"},
     {{"9007199254740993", " multipleOf"}}},

    {R"({"minLength":2,"maxLength":3})",
     {R"("ab")", R"("äöü")", R"("😀😀")", "1"},
     {{R"("a")", " minLength"}, {R"("😀")", " minLength"}, {R"("abcd")", " maxLength"}}},
    {R"({"maxLength":2.0})", {R"("ab")"}, {{R"("abc")", " maxLength"}}},
    {R"({"pattern":"^a+$"})",
     {R"("aaa")", "1"},
     {{R"("b")", " pattern"}, {R"("aab")", " pattern"}, {R"("a\n")", " pattern"}}},
    {R"({"pattern":"b"})", {R"("abc")"}, {{R"("")", " pattern"}}},
    {R"({"pattern":"^\\u00e4\\d\\/$"})", {R"("ä1/")"}, {{R"("a1/")", " pattern"}}},
    {R"({"pattern":"^(a+)+$"})",
     {R"("aa")"},
     {{R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")", " pattern"}}},

    {R"({"format":"date"})",
     {R"("2024-02-29")", "1"},
     {{R"("2023-02-29")", " format"},
      {R"("2024-13-01")", " format"},
      {R"("2024-1-1")", " format"}}},
    {R"({"format":"time"})",
     {R"("23:59:60Z")", R"("01:02:03.5+01:00")"},
     {{R"("24:00:00Z")", " format"}, {R"("01:02:03")", " format"}}},
    {R"({"format":"date-time"})",
     {R"("2024-02-29T01:02:03Z")", R"("2024-02-29t01:02:03.123-08:00")"},
     {{R"("2024-02-29 01:02:03Z")", " format"},
      {R"("2024-02-30T01:02:03Z")", " format"},
      {R"("T")", " format"}}},
    {R"({"format":"duration"})",
     {R"("P1Y2M3DT4H5M6S")", R"("PT1M")", R"("P2W")"},
     {{R"("P")", " format"},
      {R"("P1DT")", " format"},
      {R"("1D")", " format"},
      {R"("P1Y2W")", " format"}}},
    {R"({"format":"email"})",
     {R"("a.b+c@d-e.org")", R"("\"a b\"@x.de")", R"("a@[127.0.0.1]")"},
     {{R"("a@")", " format"},
      {R"("a..b@c.de")", " format"},
      {R"("abc")", " format"},
      {R"("a@-b.de")", " format"}}},
    {R"({"format":"hostname"})",
     {R"("a.example-1.com")"},
     {{R"("-a.com")", " format"},
      {R"("a..com")", " format"},
      {R"("")", " format"},
      {R"("a_b")", " format"}}},
    {R"({"format":"ipv4"})",
     {R"("127.0.0.1")"},
     {{R"("127.0.0.256")", " format"},
      {R"("127.0.0")", " format"},
      {R"("127.0.0.1\u0000")", " format"}}},
    {R"({"format":"ipv6"})",
     {R"("::1")", R"("2001:db8::ff")"},
     {{R"("1::2::3")", " format"}, {R"("127.0.0.1")", " format"}}},
    {R"({"format":"uuid"})",
     {R"("2EB8AA08-aa98-11ea-b4aa-73b441d16380")"},
     {{R"("2eb8aa08aa9811eab4aa73b441d16380")", " format"}}},
    {R"({"format":"anything"})", {R"("x")"}, {}},

    {R"({"anyOf":[{"type":"string"},{"type":"integer","minimum":5}]})",
     {R"("")", "5"},
     {{"4", " anyOf"}, {"null", " anyOf"}}},
    {R"({"anyOf":[{"type":"null"},{"properties":{"a":{"anyOf":[{"const":1},{"const":2}]}},"type":"object"}],"minProperties":1})",
     {"null", R"({"a":2})"},
     {{R"({"a":3})", " anyOf"}, {"{}", " minProperties"}}},
    {R"({"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"string"}}})",
     {R"("x")"},
     {{"1", " type"}}},

    {R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}},"maxLength":1})",
     {R"("x")"},
     {{"1", " type"}, {R"("xy")", " maxLength"}}},
    {R"({"$ref":"#/definitions/a%20b~1c","definitions":{"a b/c":{"const":1}}})",
     {"1"},
     {{"2", " const"}}},
    {R"({"properties":{"a":{"type":"integer"},"b":{"$ref":"#/properties/a"}}})",
     {R"({"b":1})"},
     {{R"({"b":"1"})", "/b type"}}},
    {R"({"properties":{"b":{"$ref":"#/$defs/list/prefixItems/1"}},"$defs":{"list":{"prefixItems":[{},{"const":7}]}}})",
     {R"({"b":7})"},
     {{R"({"b":8})", "/b const"}}},
    // Recursive: a tree, a linked list, and the whole schema within itself.
    {R"({"properties":{"children":{"items":{"$ref":"#"}},"n":{"type":"integer"}},"required":["n"],"additionalProperties":false})",
     {R"({"n":1,"children":[{"n":2,"children":[]},{"n":3}]})"},
     {{R"({"n":1,"children":[{"n":2,"children":[{"n":"x"}]},{}]})",
       "/children/0/children/0/n type, /children/1 required"}}},
    {R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["next"]}}})",
     {R"({"next":{"next":{"next":null}}})"},
     {{R"({"next":{"next":{}}})", "/next anyOf"}, {"[]", " type"}}},

    // Annotations.
    {R"({"title":1,"description":"d","default":1,"examples":[1],"deprecated":true,"$schema":"s","$id":"i","$comment":"c","type":"null"})",
     {"null"},
     {{"1", " type"}}},
};

TEST(AnswerSchema, Vectors) {
  for (const Vector& vector : kVectors) {
    const auto schema = Compiled(vector.schema);
    ASSERT_NE(schema, nullptr);
    EXPECT_THAT(schema->unchecked(), IsEmpty()) << vector.schema;
    for (const char* document : vector.fitting) {
      EXPECT_EQ(Faults(*schema, document), "") << vector.schema << "\n" << document;
    }
    for (const auto& [document, faults] : vector.wrong) {
      EXPECT_EQ(Faults(*schema, document), faults) << vector.schema << "\n" << document;
    }
  }
}

TEST(AnswerSchema, OtherKeywordsAreNamed) {
  const auto schema = Compiled(
      R"({"oneOf":[{"type":"null"}],"properties":{"a":{"not":{},"x-mine":1}},"patternProperties":{"^b":{}},
          "additionalProperties":false,"allOf":[{},{}],"uniqueItems":true})");
  EXPECT_THAT(schema->unchecked(),
              ::testing::UnorderedElementsAre("/oneOf", "/properties/a/not", "/properties/a/x-mine",
                                              "/patternProperties", "/allOf", "/uniqueItems"));
  // What the patterns let in is not known: no member is told to be too many.
  EXPECT_EQ(Faults(*schema, R"({"b1":1})"), "");

  std::string many = "{";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&many, i > 0 ? "," : "", "\"x", i, "\":1");
  EXPECT_EQ(Compiled(absl::StrCat(many, "}"))->unchecked().size(), AnswerSchema::kMaxUnchecked);
}

TEST(AnswerSchema, WhatIsNoSchemaIsRefusedByPlace) {
  const std::pair<std::string, const char*> refused[] = {
      {"", "not JSON"},
      {"[]", "at the top of the schema: a schema is an object, true or false"},
      {R"({"type":"text"})", "at /type of the schema: one or a list of null"},
      {R"({"type":[]})", "at /type"},
      {R"({"properties":[]})", "at /properties"},
      {R"({"properties":{"a":{"properties":{"b":1}}}})", "at /properties/a/properties/b"},
      {R"({"required":"a"})", "at /required"},
      {R"({"required":[1]})", "at /required"},
      {R"({"items":[{}]})", "at /items of the schema: a list of schemas is prefixItems"},
      {R"({"prefixItems":{}})", "at /prefixItems"},
      {R"({"prefixItems":[1]})", "at /prefixItems/0"},
      {R"({"anyOf":[]})", "at /anyOf"},
      {R"({"anyOf":{}})", "at /anyOf"},
      {R"({"enum":1})", "at /enum"},
      {R"({"minLength":-1})", "at /minLength"},
      {R"({"maxItems":1.5})", "at /maxItems"},
      {R"({"maxItems":"1"})", "at /maxItems"},
      {R"({"maxProperties":1e30})", "at /maxProperties"},
      {R"({"minimum":"1"})", "at /minimum"},
      {R"({"multipleOf":0})", "at /multipleOf"},
      {R"({"multipleOf":-1})", "at /multipleOf"},
      {R"({"format":1})", "at /format"},
      {R"({"$defs":[]})", "at /$defs"},
      {R"({"pattern":1})", "at /pattern"},
      {R"~({"pattern":"(?=a)"})~", "at /pattern of the schema: no regular expression of RE2"},
      {R"({"pattern":"(a)\\1"})", "at /pattern"},
      {R"({"pattern":"((a{1000}){1000}){1000}"})", "at /pattern"},
      {R"({"$ref":1})", "at /$ref"},
      {R"({"$ref":"https://example.com/s"})", "at /$ref of the schema: only places of this schema"},
      {R"({"$ref":"#name"})", "at /$ref"},
      {R"({"$ref":"#/$defs/a"})", "at /$ref of the schema: leads to no place"},
      {R"({"$ref":"#/anyOf/1","anyOf":[{}]})", "at /$ref of the schema: leads to no place"},
      {R"({"$ref":"#"})", "comes back to itself without a step"},
      {R"({"anyOf":[{"type":"null"},{"$ref":"#"}]})", "comes back to itself"},
      {R"({"allOf":[{"$ref":"#"}]})", "comes back to itself"},
      {R"({"properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})",
       "comes back to itself"},
      {R"({"$ref":"#/properties/a","properties":{"a":{"$ref":"#/properties/a"}}})",
       "comes back to itself"},
  };
  for (const auto& [schema, text] : refused) {
    const auto compiled = AnswerSchema::Compile(schema);
    ASSERT_FALSE(compiled.ok()) << schema;
    EXPECT_EQ(compiled.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(compiled.status().message()), HasSubstr(text)) << schema;
  }
}

TEST(AnswerSchema, TellsWhatProvidersDoNotTake) {
  EXPECT_FALSE(Compiled(R"({"properties":{"a":{}},"required":["a"]})")->traits().recursive);
  EXPECT_TRUE(Compiled(R"({"properties":{"a":{"$ref":"#"}}})")->traits().recursive);
  EXPECT_TRUE(
      Compiled(R"({"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"prefixItems":[{"$ref":"#/$defs/b"}]},
                           "b":{"additionalProperties":{"$ref":"#/$defs/a"}}}})")
          ->traits()
          .recursive);
  EXPECT_FALSE(Compiled(R"({"additionalProperties":false})")->traits().free_members);
  EXPECT_TRUE(Compiled(R"({"additionalProperties":true})")->traits().free_members);
  EXPECT_TRUE(Compiled(R"({"type":"object"})")->traits().free_members);
  EXPECT_FALSE(Compiled(R"({"type":"object","properties":{"a":{}}})")->traits().free_members);
  EXPECT_EQ(Compiled(R"({"properties":{"a":{"properties":{"b":{},"c":{}}}},"required":["a","z"]})")
                ->traits()
                .optional_members,
            2);
}

std::string Nested(absl::string_view open, absl::string_view core, absl::string_view close, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) absl::StrAppend(&text, open);
  absl::StrAppend(&text, core);
  for (int i = 0; i < n; ++i) absl::StrAppend(&text, close);
  return text;
}

TEST(AnswerSchema, DepthIsBounded) {
  const auto deep = Compiled(Nested(R"({"properties":{"a":)", R"({"const":1})", "}}", 63));
  EXPECT_EQ(Faults(*deep, Nested(R"({"a":)", "1", "}", 63)), "");
  EXPECT_THAT(Faults(*deep, Nested(R"({"a":)", "2", "}", 63)), HasSubstr("/a/a/a"));
  for (int depth : {64, 200, 20'000}) {
    EXPECT_FALSE(AnswerSchema::Compile(Nested(R"({"items":)", "{}", "}", depth)).ok()) << depth;
    EXPECT_FALSE(AnswerSchema::Compile(Nested(R"({"anyOf":[)", "{}", "]}", depth)).ok()) << depth;
  }
  // Shallow in the text, a long chain for one value.
  std::string chain = R"({"$ref":"#/$defs/0","$defs":{)";
  for (int i = 0; i < 5'000; ++i) {
    absl::StrAppend(&chain, "\"", i, R"(":{"$ref":"#/$defs/)", i + 1, "\"},");
  }
  EXPECT_FALSE(AnswerSchema::Compile(absl::StrCat(chain, R"("5000":{}}})")).ok());

  const auto list = Compiled(R"({"type":"array","items":{"$ref":"#"}})");
  EXPECT_EQ(Faults(*list, Nested("[", "", "]", 128)), "");
  EXPECT_EQ(Faults(*list, Nested("[", "", "]", 129)), " json");
}

// Chains of 60 schemas for each of 128 values: the stack is not asked for the product.
TEST(AnswerSchema, RecursionIsBounded) {
  std::string schema = R"({"items":{"$ref":"#/$defs/0"},"$defs":{)";
  for (int i = 0; i < 60; ++i) {
    absl::StrAppend(&schema, "\"", i, R"(":{"anyOf":[{"$ref":"#/$defs/)", i + 1, "\"}]},");
  }
  const auto compiled = AnswerSchema::Compile(absl::StrCat(schema, R"("60":{"$ref":"#"}}})"));
  ASSERT_FALSE(compiled.ok());  // each anyOf counts twice

  schema = R"({"items":{"$ref":"#/$defs/0"},"$defs":{)";
  for (int i = 0; i < 60; ++i) {
    absl::StrAppend(&schema, "\"", i, R"(":{"$ref":"#/$defs/)", i + 1, "\"},");
  }
  const auto chain = Compiled(absl::StrCat(schema, R"("60":{"$ref":"#"}}})"));
  EXPECT_EQ(Faults(*chain, Nested("[", "", "]", 10)), "");
  EXPECT_THAT(chain->Check(Nested("[", "", "]", 100), 5),
              ElementsAre(::testing::Field(&SchemaViolation::text, HasSubstr("more steps"))));
}

// Two branches that are the same but for their end, at each level: every level doubles the work.
TEST(AnswerSchema, WorkIsBounded) {
  const auto schema = Compiled(
      R"({"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},
                   {"properties":{"a":{"$ref":"#"}},"required":["y"]}]})");
  EXPECT_THAT(schema->Check(Nested(R"({"a":)", "{}", "}", 100), 5),
              ElementsAre(::testing::Field(&SchemaViolation::text, HasSubstr("more steps"))));

  std::string values;
  std::string member;
  for (int i = 0; i < 3'000; ++i) {
    absl::StrAppend(&values, i > 0 ? "," : "", R"({"m":{)", member, R"("z":)", i, "}}");
    if (member.size() < 200) absl::StrAppend(&member, "\"a", i, "\":0,");
  }
  const auto choices = Compiled(absl::StrCat(R"({"items":{"enum":[)", values, "]}}"));
  std::string document = "[";
  for (int i = 0; i < 3'000; ++i) absl::StrAppend(&document, i > 0 ? "," : "", R"({"m":{}})");
  EXPECT_THAT(choices->Check(absl::StrCat(document, "]"), 5), ::testing::Not(IsEmpty()));

  EXPECT_FALSE(
      AnswerSchema::Compile(absl::StrCat(R"({"title":")", std::string(1 << 20, 'a'), "\"}")).ok());
  std::string many = R"({"anyOf":[{})";
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&many, ",{}");
  EXPECT_FALSE(AnswerSchema::Compile(absl::StrCat(many, "]}")).ok());
  std::string patterns = R"({"anyOf":[{})";
  for (int i = 0; i < 200; ++i) absl::StrAppend(&patterns, R"(,{"pattern":"a"})");
  EXPECT_FALSE(AnswerSchema::Compile(absl::StrCat(patterns, "]}")).ok());
}

TEST(AnswerSchema, ViolationsAreFewAndShort) {
  const auto schema = Compiled(R"({"additionalProperties":false,"items":{"type":"null"}})");
  const std::string document = absl::StrCat("[1,2,3,4,5,6,7,8]");
  EXPECT_EQ(schema->Check(document, 5).size(), 5u);
  EXPECT_EQ(schema->Check(document, 1).size(), 1u);
  for (const char* name : {"n", "ä", "/", "~"}) {
    std::string long_name;
    while (long_name.size() < 100'000) absl::StrAppend(&long_name, name);
    const auto violations = schema->Check(absl::StrCat("{\"", long_name, "\":1}"), 5);
    ASSERT_EQ(violations.size(), 1u);
    EXPECT_LE(ToSentence(violations[0]).size(), 400u);
  }
  EXPECT_EQ(ToSentence({"/a", "minimum", "must be at least 1"}),
            "at /a: must be at least 1 (minimum)");
  EXPECT_EQ(ToSentence({"", "type", "must be object"}), "at the top: must be object (type)");

  std::string name(200'000, 'n');
  const auto refused = AnswerSchema::Compile(absl::StrCat(R"({"properties":{")", name, R"(":1}})"));
  EXPECT_LE(refused.status().message().size(), 400u);
}

}  // namespace
}  // namespace mg
