// One HTTP/1 request after another out of bytes, without I/O. Strict (RFC 9112): whatever two
// readers might understand differently is refused. llhttp does the grammar; the limits, the Host
// rule, the refusal of folded headers and the taking apart of Authorization are here.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/port/message.h"

namespace checkrelay {

struct HttpLimits {
  std::size_t url = 8 * 1024;           // bytes of the request line; beyond it 414
  std::size_t head = 32 * 1024;         // bytes of request line and headers together; beyond it 431
  std::size_t headers = 100;            // how many; beyond it 431
  std::size_t body = 16 * 1024 * 1024;  // bytes after chunks are put together; beyond it 413
};

// What the peer is told before the connection ends.
struct HttpFault {
  int status = 400;
  std::string what{};
};

class HttpParser {
 public:
  explicit HttpParser(HttpLimits limits);
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  // Takes bytes up to the end of one request and returns how many. Takes none while complete().
  // After a fault the connection has no frame boundary any more: feed nothing further.
  std::size_t feed(std::string_view bytes);
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] const std::optional<HttpFault>& fault() const { return fault_; }
  // REQUIRES: complete(). The Authorization header has become `credentials`. Begins the next
  // request.
  [[nodiscard]] Message take();

  void discard() { message_ = Message{}; }  // after a fault: gives the memory back
  [[nodiscard]] bool started() const { return lines_ > 0 || !line_empty_; }  // not yet complete
  [[nodiscard]] bool head_complete() const { return head_complete_; }
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  [[nodiscard]] bool is_head() const { return parser_.method == HTTP_HEAD; }
  [[nodiscard]] bool is_http10() const { return parser_.http_minor == 0; }
  [[nodiscard]] std::size_t held() const { return head_bytes_ + message_.body.size(); }  // bytes

 private:
  struct Callbacks;
  static const llhttp_settings_t& settings();

  std::size_t scan_head(std::string_view bytes);
  void scan_byte(char c);
  std::size_t execute(std::string_view bytes);
  int refuse(int status, std::string what);
  int judge_head();
  int judge_target();
  int judge_headers();
  int judge_header(const Header& header, int& hosts, int& encodings);
  int judge_authorization(const std::string& value);
  int take_body(std::string_view piece);

  HttpLimits limits_;
  llhttp_t parser_{};
  Message message_;
  std::optional<HttpFault> fault_;
  bool complete_ = false;
  bool head_complete_ = false;
  bool expects_continue_ = false;
  bool keep_alive_ = false;
  bool in_name_ = false;  // the header piece seen last was of a name
  // What scan_head() remembers between pieces.
  std::size_t head_bytes_ = 0;
  std::size_t lines_ = 0;
  bool line_empty_ = true;
  bool after_cr_ = false;
  bool head_ended_ = false;
  std::size_t framing_bytes_ = 0;  // chunk sizes, extensions and trailers of this body
};

}  // namespace checkrelay
