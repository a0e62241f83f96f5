#include "plugins/dialects/opmantek/jar.h"

#include "agent/base/text.h"

namespace checkrelay::opmantek {
namespace {

struct Pair {
  std::string_view name{};
  std::string_view value{};
};

Pair pair_of(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {};
  return {trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

}  // namespace

void Jar::take(const Message& answer) {
  for (const Header& h : answer.headers) {
    if (!equals_ignoring_case(h.name, "Set-Cookie")) continue;
    const Pair cookie = pair_of(std::string_view(h.value).substr(0, h.value.find(';')));
    if (cookie.name.empty() || cookie.name.size() + cookie.value.size() > kMaxCookie) continue;
    const std::string name(cookie.name);
    if (cookie.value.empty()) {
      cookies_.erase(name);
    } else if (cookies_.size() < kMaxCookies || cookies_.count(name) != 0) {
      cookies_.insert_or_assign(name, Secret(std::string(cookie.value)));
    }
  }
}

void Jar::put(Message& request) const {
  std::string all;
  for (const auto& [name, value] : cookies_)
    all += (all.empty() ? "" : "; ") + name + "=" + value.reveal();
  if (!all.empty()) request.secret_headers.push_back({"Cookie", Secret(std::move(all))});
}

// A signed cookie is `value--signature`: the value alone is told in no place, either.
std::vector<Secret> Jar::secrets() const {
  std::vector<Secret> all;
  for (const auto& [name, value] : cookies_) {
    const std::string& text = value.reveal();
    const std::string unsigned_value = text.substr(0, text.find("--"));
    for (const std::string& s : {text, unsigned_value})
      if (s.size() >= kShortestSession) all.emplace_back(s);
  }
  return all;
}

Secret cookie_in(const Message& request, std::string_view name) {
  for (const Header& h : request.headers) {
    if (!equals_ignoring_case(h.name, "Cookie")) continue;
    for (std::string_view piece : split(h.value, ';')) {
      const Pair cookie = pair_of(piece);
      if (cookie.name == name) return Secret(std::string(cookie.value));
    }
  }
  return {};
}

}  // namespace checkrelay::opmantek
