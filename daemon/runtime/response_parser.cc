#include "daemon/runtime/response_parser.h"

// A peer can reach an assertion of Beast 1.74 (by a last chunk that comes in three pieces); what
// stands behind it is right all the same.
#define BOOST_DISABLE_ASSERTS

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "absl/strings/match.h"
#include "daemon/runtime/content_encoding.h"

namespace mg {
namespace {

namespace http = boost::beast::http;
using Beast = http::basic_parser<false>;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

}  // namespace

struct ResponseParser::Parser final : Beast {
  Parser(HttpHead* head, bool answers_head, std::string* body) : head_into(head), body_into(body) {
    header_limit(2 * kMaxHeadBytes);  // ours is kept outside, over all heads
    // Who reads keeps the limit of a body. (Beast 1.74 takes no limit for a limit of nothing.)
    body_limit(std::numeric_limits<std::uint64_t>::max());
    eager(false);  // stops behind the head, whose size is counted
    if (answers_head) skip(true);
  }

  void on_request_impl(http::verb, BeastView, BeastView, int, error_code& error) override {
    error = {};
  }
  void on_response_impl(int code, BeastView, int, error_code& error) override {
    head_into->status = code;
    head_into->headers.clear();
    head_into->headers.reserve(16);
    error = {};
  }
  void on_field_impl(http::field, BeastView name, BeastView value, error_code& error) override {
    error = {};
    if (is_header_done()) return;  // a trailer
    head_into->headers.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
  }
  void on_header_impl(error_code& error) override { error = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override {
    error = {};
  }
  std::size_t on_body_impl(BeastView piece, error_code& error) override {
    body_into->append(piece.data(), piece.size());
    error = {};
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code& error) override { error = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView piece, error_code& error) override {
    return on_body_impl(piece, error);
  }
  void on_finish_impl(error_code& error) override { error = {}; }

  HttpHead* const head_into;
  std::string* body_into;
};

ResponseParser::ResponseParser(bool answers_head)
    : answers_head_(answers_head),
      parser_(std::make_unique<Parser>(&head_, answers_head, nullptr)) {}

ResponseParser::~ResponseParser() = default;

bool ResponseParser::complete() const { return head_complete_ && parser_->is_done(); }

bool ResponseParser::keep_alive() const { return pending_.empty() && parser_->keep_alive(); }

bool ResponseParser::Take(absl::string_view bytes, std::string* body) {
  begun_ = begun_ || !bytes.empty();
  parser_->body_into = body;
  // Beast wants what it could not use yet once more, in front of what follows.
  const bool joined = !pending_.empty();
  if (joined) pending_.append(bytes.data(), bytes.size());
  absl::string_view rest = joined ? absl::string_view(pending_) : bytes;
  while (!rest.empty() && !complete()) {
    error_code error;
    const size_t taken = parser_->put({rest.data(), rest.size()}, error);
    rest.remove_prefix(taken);
    if (!TakeHead(taken, rest.size())) return false;
    if (error == http::error::need_more) break;
    if (error) return Refuse("it is no valid HTTP");
  }
  if (rest.size() > kMaxHeadBytes && !complete())
    return Refuse("a chunk of it has an endless head");
  std::string(rest).swap(pending_);
  return true;
}

// After each step of the parser: whether the head, or one of the informational ones before it, is
// whole, and within the limits.
bool ResponseParser::TakeHead(size_t taken, size_t left) {
  if (head_complete_) return true;
  head_bytes_ += taken;
  const bool done = parser_->is_header_done();
  if (head_bytes_ + (done ? 0 : left) > kMaxHeadBytes) {
    return Refuse("the head of its answer is larger than 64 KiB");
  }
  if (!done) return true;
  if (head_.status == 101) return Refuse("it switches to another protocol, unasked");
  if (head_.status < 100) return Refuse("its answer has no status");
  if (head_.status < 200) {
    if (++informational_ > kMaxInformational) return Refuse("it sends informational heads only");
    parser_ = std::make_unique<Parser>(&head_, answers_head_, parser_->body_into);
    return true;
  }
  head_complete_ = true;
  parser_->eager(true);
  return CheckHead();
}

bool ResponseParser::CheckHead() {
  for (const HttpHeader& header : head_.headers) {
    if (absl::EqualsIgnoreCase(header.name, "content-encoding") &&
        !EncodingsAllowed(header.value)) {
      return Refuse("its answer has a content-encoding that was not asked for");
    }
    // Beast takes any list that ends in, or merely has, a word like it.
    if (absl::EqualsIgnoreCase(header.name, "transfer-encoding") &&
        !absl::EqualsIgnoreCase(header.value, "chunked") &&
        !absl::EqualsIgnoreCase(header.value, "identity")) {
      return Refuse("its answer has a transfer-encoding that was not asked for");
    }
  }
  return true;
}

bool ResponseParser::TakeEnd() {
  if (complete()) return true;
  if (!head_complete_) return false;
  error_code error;
  parser_->put_eof(error);
  return !error;
}

bool ResponseParser::Refuse(const char* problem) {
  problem_ = problem;
  return false;
}

}  // namespace mg
