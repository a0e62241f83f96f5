#include "plugins/transports/http_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay {
namespace {

std::string_view reason_phrase(int status) {
  using Row = std::pair<int, std::string_view>;
  static constexpr std::array kRows{
      Row{200, "OK"},
      Row{201, "Created"},
      Row{202, "Accepted"},
      Row{204, "No Content"},
      Row{400, "Bad Request"},
      Row{401, "Unauthorized"},
      Row{403, "Forbidden"},
      Row{404, "Not Found"},
      Row{405, "Method Not Allowed"},
      Row{406, "Not Acceptable"},
      Row{408, "Request Timeout"},
      Row{409, "Conflict"},
      Row{411, "Length Required"},
      Row{413, "Content Too Large"},
      Row{414, "URI Too Long"},
      Row{415, "Unsupported Media Type"},
      Row{417, "Expectation Failed"},
      Row{422, "Unprocessable Content"},
      Row{429, "Too Many Requests"},
      Row{431, "Request Header Fields Too Large"},
      Row{500, "Internal Server Error"},
      Row{501, "Not Implemented"},
      Row{503, "Service Unavailable"},
      Row{505, "HTTP Version Not Supported"},
      Row{507, "Insufficient Storage"},
  };
  const auto* it =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.first == status; });
  return it == kRows.end() ? "Status" : it->second;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_token68(std::string_view text) {
  const std::size_t end = text.find_last_not_of('=') + 1;
  return end > 0 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
           return base64_value(c) >= 0 || c == '-' || c == '.' || c == '_' || c == '~';
         });
}

Result<Credentials> parse_basic(std::string_view encoded) {
  auto pair = decode_base64(encoded);
  if (!pair) return tl::unexpected(pair.error());
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos)
    return fail(Errc::invalid, "Authorization: basic without a colon");
  if (has_control(*pair)) return fail(Errc::invalid, "Authorization: control characters");
  return Credentials{pair->substr(0, colon), Secret(pair->substr(colon + 1))};
}

bool is_framing(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOurs{
      "content-length", "transfer-encoding", "connection", "date", "server", "keep-alive"};
  const std::string wanted = lower(name);
  return std::find(kOurs.begin(), kOurs.end(), wanted) != kOurs.end();
}

void append_headers(std::string& out, const Message& m) {
  for (const Header& header : m.headers) {
    if (is_framing(header.name) || has_control(header.name) || has_control(header.value)) continue;
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", header.name, header.value);
  }
}

}  // namespace

Result<std::string> decode_base64(std::string_view text) {
  const auto bad = [] { return fail(Errc::invalid, "Authorization: not base64"); };
  if (text.size() % 4 != 0) return bad();
  for (int pads = 0; pads < 2 && !text.empty() && text.back() == '='; ++pads) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    const int value = base64_value(c);
    if (value < 0) return bad();
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>((bits >> static_cast<unsigned>(held)) & 0xffU));
  }
  return out;
}

Result<Credentials> parse_authorization(std::string_view value) {
  const std::size_t blank = value.find(' ');
  const std::string scheme = lower(value.substr(0, blank));
  const std::string_view rest =
      blank == std::string_view::npos ? std::string_view{} : trimmed(value.substr(blank));
  if (scheme == "basic") return parse_basic(rest);
  if (scheme != "bearer") return Credentials{};
  if (!is_token68(rest)) return fail(Errc::invalid, "Authorization: not a bearer token");
  return Credentials{{}, Secret(std::string(rest))};
}

std::string format_http_date(Wall t) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(t - day));
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
      time.seconds().count());
}

std::string format_response(const Message& m, const ResponseShape& shape, Wall now) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nServer: checkrelay\r\n", m.status,
                                reason_phrase(m.status), format_http_date(now));
  append_headers(out, m);
  if (shape.close) {
    out += "Connection: close\r\n";
  } else if (shape.http10) {
    out += "Connection: keep-alive\r\n";
  }
  const bool bodiless = m.status == 204 || m.status == 304;
  if (!bodiless) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", m.body.size());
  out += "\r\n";
  if (!bodiless && !shape.omit_body) out += m.body;
  return out;
}

std::string refusal_line(std::string_view why) {
  std::string text(why);
  make_valid_utf8(text);
  std::string out;
  JsonWriter(out).begin_object().key("ok").boolean(false).key("error").text(text).end_object();
  return out += '\n';
}

Message refusal_response(int status, std::string_view why) {
  return Message::response(status, refusal_line(why), "application/json");
}

Speaks sniff(std::string_view first_bytes) {
  constexpr std::array<std::string_view, 7> kStarts{"GET ",  "POST ",    "PUT ",  "DELETE ",
                                                    "HEAD ", "OPTIONS ", "PATCH "};
  bool possible = false;
  for (std::string_view start : kStarts) {
    if (first_bytes.starts_with(start)) return Speaks::http;
    possible = possible || start.starts_with(first_bytes);
  }
  return possible ? Speaks::undecided : Speaks::other;
}

}  // namespace checkrelay
