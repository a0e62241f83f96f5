// What the agent's answers about freshness look like to people. Pure; text that is not what the
// agent sends is an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/model/check_result.h"
#include "agent/policy/cadence.h"

namespace checkrelay {

struct FreshnessPage {
  std::vector<std::vector<std::string>> rows{};  // cells of freshness_table()
  std::vector<std::string> json{};               // of the same subjects
  std::vector<Subject> subjects{};               // likewise
  std::string next{};                            // what to go on after; empty at the end
};
[[nodiscard]] Result<FreshnessPage> freshness_page(std::string_view json);
// What is late comes first, then by host and service.
// At most `most` of them.
[[nodiscard]] std::string freshness_table(std::vector<std::vector<std::string>> rows,
                                          std::size_t most);
[[nodiscard]] Result<std::string> freshness_view(std::string_view json);

// Whether what was forgotten is back at once.
[[nodiscard]] bool is_expected(std::string_view json);

// The results of one page of the queue, into `cadence`; what to go on after, empty at the end.
// Those that freshness made itself are left out.
[[nodiscard]] Result<std::string> add_results(std::string_view json, Cadence& cadence);
// Tables for the configuration.
[[nodiscard]] std::string suggestions_toml(const std::vector<Suggestion>& suggestions);
[[nodiscard]] std::string suggestions_json(const std::vector<Suggestion>& suggestions);

}  // namespace checkrelay
