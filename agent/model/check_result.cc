#include "agent/model/check_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "agent/base/byte_run.h"
#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::array<std::string_view, 4> kServiceStates{"OK", "WARNING", "CRITICAL", "UNKNOWN"};
constexpr std::array<std::string_view, 3> kHostStates{"UP", "DOWN", "UNREACHABLE"};

std::span<const std::string_view> names_of(bool host) {
  if (host) return kHostStates;
  return kServiceStates;
}

std::optional<State> named_of(std::string_view text, bool host) {
  std::span<const std::string_view> names = names_of(host);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (equals_ignoring_case(names[i], text)) return static_cast<State>(i);
  return std::nullopt;
}

const char* other_kind(bool host) {
  return host ? ", UP, DOWN or UNREACHABLE: without a service it is a host's"
              : ", OK, WARNING, CRITICAL or UNKNOWN: with a service it is a service's";
}

// The end of the run is what reports; it is told by the same id.
Result<void> validate_start(const CheckResult& r) {
  if (r.id.empty()) return fail(Errc::invalid, "id: missing: a start needs the id of its run");
  const char* wrong = r.state != 0          ? "state"
                      : !r.output.empty()   ? "output"
                      : !r.perfdata.empty() ? "perfdata"
                      : r.ttl != Duration{} ? "ttl"
                                            : nullptr;
  if (!wrong) return {};
  return fail(Errc::invalid, fmt::format("{}: a start has none", wrong));
}

constexpr auto kAllowedInName = [](unsigned char c) {
  return ((c >= 0x20) & (c != 0x7F)) | (c == '\t') | (c == '\n');
};

}  // namespace

std::string to_string(const Subject& s) { return s.is_host() ? s.host : s.host + ";" + s.service; }

Result<State> parse_state(std::string_view text, bool host) {
  std::span<const std::string_view> names = names_of(host);
  if (auto state = named_of(text, host)) return *state;
  if (auto code = parse_integer(text, 0, static_cast<long long>(names.size()) - 1))
    return static_cast<State>(*code);
  return fail(Errc::invalid, fmt::format("{} is not 0-{}{}", quoted(text), names.size() - 1,
                                         named_of(text, !host) ? other_kind(host) : ""));
}

Result<State> state_from_code(long long code, bool host) {
  auto count = static_cast<long long>(names_of(host).size());
  if (code >= 0 && code < count) return static_cast<State>(code);
  return fail(Errc::invalid, fmt::format("\"{}\" is not 0-{}", code, count - 1));
}

std::string_view state_name(State state, bool host) {
  std::span<const std::string_view> names = names_of(host);
  return state < names.size() ? names[state] : "UNKNOWN";
}

Result<void> check_name(std::string_view field, std::string_view name) {
  if (name.size() > kMaxName)
    return fail(Errc::invalid, fmt::format("{}: {} bytes, at most {}: {}", field, name.size(),
                                           kMaxName, quoted(name)));
  if (end_of_run(name, 0, kAllowedInName) != name.size())
    return fail(Errc::invalid, fmt::format("{}: control character in {}", field, quoted(name)));
  if (!is_valid_utf8(name))
    return fail(Errc::invalid, fmt::format("{}: not UTF-8: {}", field, quoted(name)));
  return {};
}

Result<void> validate(const CheckResult& r) {
  if (r.start)
    if (auto ok = validate_start(r); !ok) return ok;
  if (r.subject.host.empty()) return fail(Errc::invalid, "host: empty");
  if (auto ok = check_name("host", r.subject.host); !ok) return ok;
  if (auto ok = check_name("service", r.subject.service); !ok) return ok;
  if (auto ok = state_from_code(r.state, r.subject.is_host()); !ok)
    return fail(Errc::invalid, "state: " + ok.error().what);
  if (r.id.size() > kMaxId)
    return fail(Errc::invalid,
                fmt::format("id: {} bytes, at most {}: {}", r.id.size(), kMaxId, quoted(r.id)));
  if (auto ok = check_name("id", r.id); !ok) return ok;
  if (r.check_source.size() > kMaxName)
    return fail(Errc::invalid, "check_source: " + quoted(r.check_source) + " is too long");
  return check_name("check_source", r.check_source);
}

void split_plugin_output(std::string_view text, std::string& output, std::string& perfdata) {
  output.clear();
  perfdata.clear();
  bool in_perfdata = false;  // a '|' in long output turns all that follows into perfdata
  bool first = true;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    std::string_view words = line;
    std::string_view perf;
    if (!first && !in_perfdata) output += '\n';
    if (in_perfdata) {
      std::swap(words, perf);
    } else if (std::size_t bar = line.find('|'); bar != std::string_view::npos) {
      words = line.substr(0, bar);
      perf = line.substr(bar + 1);
      in_perfdata = !first;
    }
    output += words;
    if (!trimmed(perf).empty()) {
      if (!perfdata.empty()) perfdata += ' ';
      perfdata += trimmed(perf);
    }
    first = false;
  }
  while (!output.empty() &&
         (output.back() == ' ' || output.back() == '\n' || output.back() == '\r'))
    output.pop_back();
}

}  // namespace checkrelay
