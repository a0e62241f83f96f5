// From what a configuration says to the value of one option row, or what is wrong with it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/port/option.h"

namespace checkrelay {

// `node` as written in the file; the error does not repeat the row's name, nor ever a secret.
[[nodiscard]] Result<Options::Value> read_value(const OptionRow& row, const Node& node);
// `text` as a row's fallback has it: without quotes, lists with commas.
[[nodiscard]] Result<Options::Value> read_value(const OptionRow& row, std::string_view text);

// One of `words`, or an error that names them, with "did you mean" where one is near.
[[nodiscard]] Result<void> check_word(std::string_view word,
                                      const std::vector<std::string_view>& words);
// `"x": did you mean "y"?` where one of `words` is near, else nothing; begins with "; ".
[[nodiscard]] std::string suggestion(std::string_view word,
                                     const std::vector<std::string_view>& words);

// The parts of "address:port" ("[::1]:8440", ":8440"), port 0 to 65535.
struct Listen {
  std::string address{};
  int port = 0;
  bool loopback = false;  // 127.0.0.0/8, ::1, localhost
};
[[nodiscard]] Result<Listen> parse_listen(std::string_view text);

}  // namespace checkrelay
