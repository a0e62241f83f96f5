#include "plugins/dialects/nagios/wire.h"

#include <fmt/format.h>

#include <utility>

#include "agent/base/text.h"

namespace checkrelay::nagios {
namespace {

std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool known =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'n' || text[i + 1] == '\\');
    if (!known) {
      out += text[i];
      continue;
    }
    out += text[++i] == 'n' ? '\n' : '\\';
  }
  return out;
}

bool goes_on(std::string_view line) { return line.ends_with('\\') && !line.ends_with("\\\\"); }

// A plugin's exit code as the state of a host, where the check was the server's own.
State host_state_of_plugin(long long code) { return code <= 1 ? State{0} : State{1}; }

}  // namespace

bool RecordReader::line(std::string_view text, std::size_t number) {
  if (now_.number == 0 && !text.empty() && text[0] != '#') now_.number = number;
  if (goes_on(text)) {
    joined_ += text.substr(0, text.size() - 1);
    if (joined_.size() > max_) too_long(number);
    return false;
  }
  if (!joined_.empty()) {
    assign(std::exchange(joined_, {}) + std::string(text));
    return false;
  }
  if (text.empty()) return now_.any;
  if (text[0] != '#') assign(text);
  return false;
}

void RecordReader::assign(std::string_view line) {
  std::size_t equals = line.find('=');
  if (equals != std::string_view::npos) field(line.substr(0, equals), line.substr(equals + 1));
}

bool RecordReader::end() {
  if (!joined_.empty()) (void)line("", now_.number);
  return now_.any;
}

void RecordReader::too_long(std::size_t number) {
  if (now_.number == 0) now_.number = number;
  now_.any = now_.too_long = true;
  joined_.clear();
}

void RecordReader::field(std::string_view key, std::string_view value) {
  now_.bytes += key.size() + value.size();
  if (now_.bytes > max_) now_.any = now_.too_long = true;
  if (now_.too_long) return;
  if (key == "file_time") return void(now_.number = 0);  // stands in front of the records
  now_.any = true;
  if (key == "host_name") now_.host = value;
  if (key == "service_description") now_.service = value;
  if (key == "check_type") now_.active = trimmed(value) == "0";
  if (key == "exited_ok") now_.exited = trimmed(value) != "0";
  if (key == "finish_time") now_.finish_time = value;
  if (key == "return_code") now_.return_code = value;
  if (key == "output") now_.output = value;
}

RecordReader::Taken RecordReader::take() {
  Taken taken{now_.number, build()};
  now_ = {};
  return taken;
}

Result<State> RecordReader::state() const {
  bool host = now_.service.empty();
  if (!now_.exited)
    return host ? State{1} : State{2};  // what Nagios makes of a check that was killed
  if (!now_.return_code) return fail(Errc::invalid, "return_code: missing");
  int high = host && !now_.active ? 2 : 3;
  auto code = parse_integer(trimmed(*now_.return_code), 0, high);
  if (!code)
    return fail(Errc::invalid,
                fmt::format("return_code: {} is not 0-{}", quoted(*now_.return_code), high));
  return host && now_.active ? host_state_of_plugin(*code) : static_cast<State>(*code);
}

Result<CheckResult> RecordReader::build() const {
  if (now_.too_long)
    return fail(Errc::invalid, fmt::format("a record longer than {}", format_size(max_)));
  if (now_.host.empty()) return fail(Errc::invalid, "host_name: missing");
  if (!now_.output) return fail(Errc::invalid, "output: missing");
  auto code = state();
  if (!code) return tl::unexpected<Error>(code.error());
  CheckResult r;
  r.subject = {now_.host, now_.service};
  r.state = *code;
  split_plugin_output(unescaped(*now_.output), r.output, r.perfdata);
  if (!now_.exited)
    r.output += r.output.empty() ? "(did not exit properly)" : " (did not exit properly)";
  if (now_.finish_time) {
    auto seconds = parse_number(trimmed(*now_.finish_time));
    Result<Wall> time = seconds ? wall_from_epoch(*seconds) : fail(Errc::invalid, "");
    if (!time)
      return fail(Errc::invalid,
                  fmt::format("finish_time: {} is not epoch seconds", quoted(*now_.finish_time)));
    r.time = *time;
  }
  return r;
}

}  // namespace checkrelay::nagios
