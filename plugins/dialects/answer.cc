#include "plugins/dialects/answer.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct DateFields {
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  std::array<char, 4> month{};
};

std::optional<Wall> to_wall(const DateFields& d) {
  // sscanf reads signs, which no date has.
  if (std::min({d.day, d.year, d.hour, d.minute, d.second}) < 0) return std::nullopt;
  auto month = std::find(kMonths.begin(), kMonths.end(), std::string_view(d.month.data()));
  if (month == kMonths.end() || d.hour > 23 || d.minute > 59 || d.second > 60) return std::nullopt;
  using namespace std::chrono;
  year_month_day date{year(d.year), std::chrono::month(unsigned(month - kMonths.begin()) + 1),
                      day(unsigned(d.day))};
  if (!date.ok()) return std::nullopt;
  return Wall(sys_days(date)) + hours(d.hour) + minutes(d.minute) + seconds(d.second);
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  if (what.empty() || text.find(what) == std::string::npos) return;
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = 0; (at = text.find(what, done)) != std::string::npos;
       done = at + what.size()) {
    out.append(text, done, at - done).append(by);
  }
  text = out.append(text, done);
}

// Shorter ones are in every other word, and no secrets.
constexpr std::size_t kShortestRedacted = 4;

void redact(std::string& text, const Credentials& login) {
  const std::string& secret = login.secret.reveal();
  if (secret.empty()) return;
  replace_all(text, base64(login.user + ":" + secret), "[secret]");
  if (secret.size() < kShortestRedacted) return;
  replace_all(text, secret, "[secret]");
}

std::string on_one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  return std::string(trimmed(out));
}

}  // namespace

std::optional<Wall> parse_http_date(std::string_view text) {
  if (text.size() > 64) return std::nullopt;  // sscanf skips any number of blanks
  const std::string s(text);
  DateFields d;
  int end = 0;
  auto whole = [&](int fields) { return fields == 6 && std::size_t(end) == s.size(); };
  if (whole(std::sscanf(s.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &d.day,
                        d.month.data(), &d.year, &d.hour, &d.minute, &d.second, &end))) {
    return to_wall(d);
  }
  if (whole(std::sscanf(s.c_str(), "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &d.day,
                        d.month.data(), &d.year, &d.hour, &d.minute, &d.second, &end))) {
    if (d.year >= 0) d.year += d.year < 70 ? 2000 : 1900;
    return to_wall(d);
  }
  if (whole(std::sscanf(s.c_str(), "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", d.month.data(),
                        &d.day, &d.hour, &d.minute, &d.second, &d.year, &end))) {
    return to_wall(d);
  }
  return std::nullopt;
}

std::optional<Duration> retry_after(const Message& response, Wall now) {
  const std::string* header = response.header("Retry-After");
  if (!header) return std::nullopt;
  const Duration longest = kLongestRetryAfter;
  std::string_view text = trimmed(*header);
  if (!text.empty() &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    auto seconds = parse_integer(text, 0, 86400);
    return seconds ? std::min(longest, Duration(std::chrono::seconds(*seconds))) : longest;
  }
  auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::clamp(Duration(*date - now), Duration(0), longest);
}

std::string presentable(std::string_view words, const Credentials& login,
                        std::span<const Secret> session) {
  std::string text(words);
  const auto redact_all = [&] {
    redact(text, login);
    for (const Secret& secret : session) redact(text, {"", secret});
  };
  redact_all();  // before anything changes a secret's looks, and after, in case that made it one
  text = on_one_line(text);
  make_valid_utf8(text);
  redact_all();
  make_valid_utf8(text);  // a secret that is not UTF-8 may have lain across characters
  return std::string(trimmed(utf8_prefix(text, kAnswerLimit)));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > bytes.size() ? '=' : kAlphabet[group >> (18 - 6 * j) & 63U];
    }
  }
  return out;
}

}  // namespace checkrelay
