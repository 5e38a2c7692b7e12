#include "daemon/runtime/http_server_codec.h"

// A peer can reach an assertion of Beast 1.74 (by a last chunk that comes in three pieces); what
// stands behind it is right all the same.
#define BOOST_DISABLE_ASSERTS

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

namespace mg {
namespace {

namespace http = boost::beast::http;

template <typename T>
std::string ToString(const T& text) {
  return std::string(text.data(), text.size());
}

boost::beast::string_view View(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::optional<HttpRefusal> ParseRequestHead(absl::string_view bytes, HttpRequestHead* head) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMaxRequestHead + 1);
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if ((error && error != http::error::need_more) || !parser.is_header_done()) {
    return HttpRefusal{400, "the head of the request is malformed"};
  }
  const auto& message = parser.get();
  head->method = ToString(message.method_string());
  head->target = ToString(message.target());
  head->version = static_cast<int>(message.version());
  head->keep_alive = message.keep_alive();
  head->headers.clear();
  for (const auto& field : message) {
    head->headers.push_back({ToString(field.name_string()), ToString(field.value())});
  }
  return std::nullopt;
}

struct BodyParser::Parser {
  http::request_parser<http::string_body> request;
};

BodyParser::BodyParser(absl::string_view head, size_t max_body)
    : parser_(std::make_unique<Parser>()) {
  parser_->request.header_limit(kMaxRequestHead + 1);
  parser_->request.body_limit(max_body);
  parser_->request.eager(true);
  Take(head);
}

BodyParser::~BodyParser() = default;

size_t BodyParser::Take(absl::string_view bytes) {
  boost::beast::error_code error;
  const size_t taken = parser_->request.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error == http::error::body_limit) {
    refusal_ = HttpRefusal{413, "the body of the request is too large"};
  } else if (error && error != http::error::need_more) {
    refusal_ = HttpRefusal{400, "the body of the request is malformed"};
  } else if (!done() && bytes.size() - taken > kMaxRequestHead) {
    refusal_ = HttpRefusal{400, "a chunk of the request has an endless head"};
  }
  return taken;
}

bool BodyParser::done() const { return parser_->request.is_done(); }

std::string BodyParser::TakeBody() { return std::move(parser_->request.get().body()); }

std::string SerializeReply(const HttpReply& reply, bool head_only, bool keep_alive) {
  http::response<http::string_body> message;
  message.version(11);
  message.result(static_cast<unsigned>(reply.status));
  message.set(http::field::cache_control, "no-store");
  message.set("x-content-type-options", "nosniff");
  message.set(http::field::content_type, View(reply.content_type));
  for (const HttpHeader& header : reply.headers) message.set(header.name, header.value);
  message.content_length(reply.body.size());
  message.keep_alive(keep_alive);
  if (!head_only) message.body() = reply.body;

  std::string bytes;
  http::response_serializer<http::string_body> serializer(message);
  boost::beast::error_code error;
  while (!serializer.is_done() && !error) {
    serializer.next(error, [&](boost::beast::error_code&, const auto& buffers) {
      size_t size = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        bytes.append(static_cast<const char*>(buffer.data()), buffer.size());
        size += buffer.size();
      }
      serializer.consume(size);
    });
  }
  return bytes;
}

}  // namespace mg
