// The cookies of one server's session (RFC 6265, as far as one server and one path go). Names,
// ages and paths do not matter here: what was set is sent.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "agent/port/message.h"

namespace checkrelay::opmantek {

constexpr std::size_t kShortestSession = 12;  // bytes of a value; shorter ones are `en` and `1`
constexpr std::size_t kMaxCookies = 32;
constexpr std::size_t kMaxCookie = 4096;  // bytes of name and value; longer ones are left out

class Jar {
 public:
  // The Set-Cookie headers of an answer; an empty value takes a cookie out.
  void take(const Message& answer);
  void put(Message& request) const;  // as Cookie
  void clear() { cookies_.clear(); }
  // Of the cookies, those long enough to be secrets: what is to be kept out of what is told.
  [[nodiscard]] std::vector<Secret> secrets() const;
  [[nodiscard]] bool empty() const { return cookies_.empty(); }

 private:
  std::map<std::string, Secret> cookies_;
};

// The value of one cookie in a request's Cookie headers; empty where it is not there.
[[nodiscard]] Secret cookie_in(const Message& request, std::string_view name);

}  // namespace checkrelay::opmantek
