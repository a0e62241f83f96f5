#include "plugins/dialects/native/text_line.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "agent/base/text.h"
#include "plugins/dialects/native/fields.h"

namespace checkrelay::native {
namespace {

// At most `count` fields; the last one keeps its separators.
std::vector<std::string_view> fields_of(std::string_view text, char separator, std::size_t count) {
  std::vector<std::string_view> fields;
  while (fields.size() + 1 < count) {
    std::size_t end = text.find(separator);
    if (end == std::string_view::npos) break;
    fields.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  fields.push_back(text);
  return fields;
}

std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && text[i + 1] == 'n')
      out += '\n';
    else if (escape && text[i + 1] == '\\')
      out += '\\';
    else {
      out += text[i];
      continue;
    }
    ++i;
  }
  return out;
}

std::optional<State> as_code(std::string_view text, bool host) {
  auto code = parse_integer(trimmed(text), 0, host ? 2 : 3);
  return code ? std::optional<State>(static_cast<State>(*code)) : std::nullopt;
}

struct Parts {
  std::string_view host{};
  std::string_view service{};
  std::string_view code{};
  std::string_view output{};
  Wall time{};
};

Result<CheckResult> build(const Parts& parts, std::size_t& mended) {
  if (parts.host.empty()) return fail(Errc::invalid, "host: empty");
  bool host = parts.service.empty();
  auto state = as_code(parts.code, host);
  if (!state)
    return fail(Errc::invalid,
                fmt::format("state: {} is not 0-{}", quoted(parts.code), host ? 2 : 3));
  CheckResult r;
  r.subject = {std::string(parts.host), std::string(parts.service)};
  r.state = *state;
  r.time = parts.time;
  split_plugin_output(unescaped(parts.output), r.output, r.perfdata);
  mended += mend_text(r);
  return r;
}

Result<CheckResult> decode_arguments(std::string_view name, std::string_view arguments, Wall time,
                                     std::size_t& mended) {
  bool service = name == "PROCESS_SERVICE_CHECK_RESULT";
  if (!service && name != "PROCESS_HOST_CHECK_RESULT")
    return fail(Errc::invalid, fmt::format("command: {} is not taken here", quoted(name)));
  std::size_t count = service ? 4 : 3;
  auto f = fields_of(arguments, ';', count);
  if (f.size() < count)
    return fail(Errc::invalid, fmt::format("{} has {} of {} fields: {}", name, f.size(), count,
                                           quoted(arguments)));
  if (!service) return build({f[0], {}, f[1], f[2], time}, mended);
  if (f[1].empty()) return fail(Errc::invalid, "service: empty");
  return build({f[0], f[1], f[2], f[3], time}, mended);
}

}  // namespace

Result<CheckResult> decode_command(std::string_view line, std::size_t& mended) {
  std::size_t end = line.find(']');
  if (line.empty() || line[0] != '[' || end == std::string_view::npos)
    return fail(Errc::invalid, "no [epoch] in front: " + quoted(line));
  std::string_view stamp = trimmed(line.substr(1, end - 1));
  auto seconds = parse_number(stamp);
  Result<Wall> time = seconds ? wall_from_epoch(*seconds) : fail(Errc::invalid, "");
  if (!time)
    return fail(Errc::invalid, fmt::format("time: {} is not epoch seconds", quoted(stamp)));
  std::string_view command = line.substr(end + 1);
  while (!command.empty() && command.front() == ' ') command.remove_prefix(1);
  std::size_t name_end = command.find(';');
  if (name_end == std::string_view::npos) name_end = command.size();
  std::string_view arguments = command.substr(std::min(name_end + 1, command.size()));
  return decode_arguments(command.substr(0, name_end), arguments, *time, mended);
}

Result<CheckResult> decode_nsca(std::string_view line, std::size_t& mended) {
  std::size_t last = line.find_last_not_of(" \r\n");
  line = line.substr(0, last == std::string_view::npos ? 0 : last + 1);
  auto f = fields_of(line, '\t', 4);
  if (f.size() == 4) return build({f[0], f[1], f[2], f[3], {}}, mended);
  if (f.size() == 3 && as_code(f[1], true)) return build({f[0], {}, f[1], f[2], {}}, mended);
  if (f.size() == 3)
    return fail(Errc::invalid,
                fmt::format("state: {} is not 0-2, in three fields (a host check)", quoted(f[1])));
  return fail(
      Errc::invalid,
      "not host TAB service TAB code TAB output, nor any format known here: " + quoted(line));
}

}  // namespace checkrelay::native
