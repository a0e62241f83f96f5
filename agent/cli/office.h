// Where commands ask: the agent, or where none answers the journal that it left.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/time.h"
#include "agent/cli/command.h"
#include "agent/cli/stopped.h"

namespace checkrelay {

// Prints `what` to standard error; returns `status`.
int complain(std::string_view what, int status);
// "?a=1&b=2" of the options that were given.
[[nodiscard]] std::string query_of(const Arguments& arguments,
                                   std::initializer_list<const char*> names);

class Office {
 public:
  explicit Office(StoppedJournal stopped) : stopped_(std::move(stopped)) {}

  // The body of a good answer; otherwise nothing, the reason has been printed and `status` is set.
  [[nodiscard]] std::optional<std::string> ask(const Arguments& arguments, std::string_view method,
                                               const std::string& target, const std::string& body,
                                               int& status,
                                               Duration wait = std::chrono::seconds(10)) const;

 private:
  [[nodiscard]] Result<HttpAnswer> ask_without_agent(const Surroundings& around,
                                                     std::string_view method,
                                                     const std::string& target,
                                                     const std::string& why) const;
  [[nodiscard]] Result<void> open_left(const Surroundings& around) const;
  void tell_pauses() const;  // of the journal that was left
  StoppedJournal stopped_;
  mutable std::unique_ptr<Journal> left_;  // opened at the first need
};

}  // namespace checkrelay
