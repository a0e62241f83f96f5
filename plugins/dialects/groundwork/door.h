// Logins on our way in: which of GroundWork's paths is asked for, and by whom.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/message.h"

namespace checkrelay::groundwork {

enum class Place { none, login, logout, validate, hosts, services };
[[nodiscard]] Place place_of(std::string_view path);  // without a query

// The fields of the body and, where it has none of a name, of the query (7.0 clients).
using Form = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] Form form_of(const Message& request);

// User and password in each of the encodings that clients use: nobody says which it is.
[[nodiscard]] std::vector<Credentials> logins_of(const Form& form);

// What peers show: our token, bound to the application that it was given to.
[[nodiscard]] std::string bound_token(std::string_view token, std::string_view app_name);
[[nodiscard]] std::string unbound_token(std::string_view shown,
                                        std::string_view app_name);  // empty where it is not that

}  // namespace checkrelay::groundwork
