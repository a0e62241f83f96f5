#include "plugins/transports/http_parser.h"

#include <algorithm>
#include <utility>

#include "agent/base/text.h"
#include "plugins/transports/http_text.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMaxFraming =
    1024 * 1024;  // bytes of chunk framing beyond the body's own size

int status_of(llhttp_errno_t error) {
  switch (error) {
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
      return 505;
    case HPE_INVALID_METHOD:
      return 501;
    default:
      return 400;
  }
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f;
}

bool plain_host(std::string_view host) {
  return host.find_first_of(" \t/@?#,\\") == std::string_view::npos;
}

}  // namespace

struct HttpParser::Callbacks {
  static HttpParser& of(llhttp_t* p) { return *static_cast<HttpParser*>(p->data); }

  static int on_url(llhttp_t* p, const char* at, std::size_t size) {
    of(p).message_.target.append(at, size);
    return 0;
  }
  static int on_header_field(llhttp_t* p, const char* at, std::size_t size) {
    HttpParser& self = of(p);
    if (self.head_complete_) return 0;  // trailers say nothing we would act on
    auto& headers = self.message_.headers;
    if (!self.in_name_) headers.emplace_back();
    self.in_name_ = true;
    headers.back().name.append(at, size);
    return 0;
  }
  static int on_header_value(llhttp_t* p, const char* at, std::size_t size) {
    HttpParser& self = of(p);
    self.in_name_ = false;
    if (!self.head_complete_ && !self.message_.headers.empty())
      self.message_.headers.back().value.append(at, size);
    return 0;
  }
  static int on_header_value_complete(llhttp_t* p) {
    of(p).in_name_ = false;
    return 0;
  }
  static int on_headers_complete(llhttp_t* p) { return of(p).judge_head(); }
  static int on_body(llhttp_t* p, const char* at, std::size_t size) {
    return of(p).take_body({at, size});
  }
  static int on_message_complete(llhttp_t* p) {
    of(p).complete_ = true;
    return HPE_PAUSED;
  }
};

const llhttp_settings_t& HttpParser::settings() {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t s;
    llhttp_settings_init(&s);
    s.on_url = &Callbacks::on_url;
    s.on_header_field = &Callbacks::on_header_field;
    s.on_header_value = &Callbacks::on_header_value;
    s.on_header_value_complete = &Callbacks::on_header_value_complete;
    s.on_headers_complete = &Callbacks::on_headers_complete;
    s.on_body = &Callbacks::on_body;
    s.on_message_complete = &Callbacks::on_message_complete;
    return s;
  }();
  return kSettings;
}

HttpParser::HttpParser(HttpLimits limits) : limits_(limits) {
  llhttp_init(&parser_, HTTP_REQUEST, &settings());
  parser_.data = this;
  message_.kind = Message::Kind::request;
}

int HttpParser::refuse(int status, std::string what) {
  if (!fault_) fault_ = HttpFault{status, std::move(what)};
  return -1;
}

std::size_t HttpParser::feed(std::string_view bytes) {
  if (complete_ || fault_) return 0;
  std::size_t taken = 0;
  if (!head_ended_) {
    taken = scan_head(bytes);
    // Which fault is told must not hang on how the bytes were cut: the first one counts.
    const auto scanned = std::exchange(fault_, std::nullopt);
    execute(bytes.substr(0, taken - (scanned ? 1 : 0)));
    if (!fault_) fault_ = scanned;
  }
  if (complete_ || fault_ || taken == bytes.size()) return taken;
  const std::size_t body_before = message_.body.size();
  const std::size_t used = execute(bytes.substr(taken));
  framing_bytes_ += used - std::min(used, message_.body.size() - body_before);
  if (framing_bytes_ > kMaxFraming + message_.body.size()) refuse(413, "too much chunk framing");
  return taken + used;
}

// Returns how many of the bytes belong to the head.
std::size_t HttpParser::scan_head(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    scan_byte(bytes[i]);
    if (fault_ || head_ended_) return i + 1;
  }
  return bytes.size();
}

// Finds the end of the head, and refuses what readers of HTTP are known to disagree on: control
// characters, CR or LF alone, header lines folded onto the next or without a name (RFC 9112
// sections 2.2 and 5). Empty lines before the request line are skipped.
void HttpParser::scan_byte(char c) {
  ++head_bytes_;
  if (lines_ == 0 && head_bytes_ > limits_.url) {
    refuse(414, "request line is longer than " + format_size(limits_.url));
  } else if (head_bytes_ > limits_.head) {
    refuse(431, "headers are longer than " + format_size(limits_.head));
  } else if (is_control(c)) {
    refuse(400, "control character in the head");
  } else if (after_cr_ != (c == '\n')) {
    refuse(400, after_cr_ ? "CR without LF" : "LF without CR");
  } else if (c == '\n') {
    if (line_empty_ && lines_ > 0) head_ended_ = true;
    if (!line_empty_) ++lines_;
    line_empty_ = true;
  } else if (c != '\r') {
    if (line_empty_ && lines_ > 0 && (c == ' ' || c == '\t')) refuse(400, "folded header");
    if (line_empty_ && lines_ > 0 && c == ':') refuse(400, "header without a name");
    if (line_empty_ && lines_ > limits_.headers) refuse(431, "too many headers");
    line_empty_ = false;
  }
  after_cr_ = c == '\r';
}

std::size_t HttpParser::execute(std::string_view bytes) {
  const llhttp_errno_t error = llhttp_execute(&parser_, bytes.data(), bytes.size());
  if (fault_ || error == HPE_OK) return bytes.size();
  if (error == HPE_PAUSED) {
    const auto used = static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - bytes.data());
    llhttp_resume(&parser_);
    return used;
  }
  const char* reason = llhttp_get_error_reason(&parser_);
  refuse(status_of(error), reason ? reason : llhttp_errno_name(error));
  return bytes.size();
}

int HttpParser::judge_head() {
  head_complete_ = true;
  parser_.upgrade = 0;  // an offered upgrade is not taken (RFC 9110 section 7.8)
  keep_alive_ = llhttp_should_keep_alive(&parser_) != 0;
  message_.method = llhttp_method_name(static_cast<llhttp_method_t>(parser_.method));
  if (parser_.http_major != 1) return refuse(505, "HTTP/1.1 is spoken here");
  if (parser_.method == HTTP_CONNECT || parser_.method == HTTP_TRACE)
    return refuse(405, "method " + message_.method + " is not served");
  if (judge_target() != 0 || judge_headers() != 0) return -1;
  const bool chunked = (parser_.flags & F_CHUNKED) != 0;
  if (!chunked && parser_.content_length > limits_.body)
    return refuse(413, "body is longer than " + format_size(limits_.body));
  return 0;
}

// The absolute form becomes the origin form (RFC 9112 section 3.2.2).
int HttpParser::judge_target() {
  std::string& target = message_.target;
  if (lower(target.substr(0, 7)) == "http://" || lower(target.substr(0, 8)) == "https://") {
    const std::size_t path = target.find('/', target.find("//") + 2);
    target = path == std::string::npos ? "/" : target.substr(path);
  }
  if (target.empty() || (target[0] != '/' && target != "*"))
    return refuse(400, "target " + quoted(target) + " is no path");
  return 0;
}

int HttpParser::judge_headers() {
  int hosts = 0;
  int encodings = 0;
  for (Header& header : message_.headers) {
    header.value = std::string(trimmed(header.value));
    if (judge_header(header, hosts, encodings) != 0) return -1;
  }
  if (hosts > 1) return refuse(400, "more than one Host header");
  if (hosts == 0 && !is_http10()) return refuse(400, "no Host header");
  if (encodings > 1) return refuse(400, "more than one Transfer-Encoding header");
  if (encodings == 1 && is_http10()) return refuse(400, "Transfer-Encoding in HTTP/1.0");
  std::erase_if(message_.headers,
                [](const Header& h) { return equals_ignoring_case(h.name, "authorization"); });
  return 0;
}

int HttpParser::judge_header(const Header& header, int& hosts, int& encodings) {
  const std::string name = lower(header.name);
  if (name == "host") {
    ++hosts;
    if (!plain_host(header.value)) return refuse(400, "Host " + quoted(header.value));
  } else if (name == "transfer-encoding") {
    ++encodings;
    if (lower(header.value) != "chunked")
      return refuse(501, "Transfer-Encoding " + quoted(header.value));
  } else if (name == "expect") {
    if (lower(header.value) != "100-continue") return refuse(417, "Expect " + quoted(header.value));
    expects_continue_ = !is_http10();
  } else if (name == "authorization") {
    return judge_authorization(header.value);
  }
  return 0;
}

int HttpParser::judge_authorization(const std::string& value) {
  if (message_.credentials) return refuse(400, "more than one Authorization header");
  auto credentials = parse_authorization(value);
  message_.credentials = credentials ? std::move(*credentials) : Credentials{};
  return credentials ? 0 : refuse(400, credentials.error().what);
}

int HttpParser::take_body(std::string_view piece) {
  if (piece.size() > limits_.body - message_.body.size())
    return refuse(413, "body is longer than " + format_size(limits_.body));
  message_.body.append(piece);
  return 0;
}

Message HttpParser::take() {
  Message taken = std::exchange(message_, Message{});
  message_.kind = Message::Kind::request;
  complete_ = head_complete_ = expects_continue_ = in_name_ = false;
  head_bytes_ = lines_ = framing_bytes_ = 0;
  line_empty_ = true;
  after_cr_ = head_ended_ = false;
  return taken;
}

}  // namespace checkrelay
